//! A disc seen at some inclination: old stars, spiral arms of young ones, lanes of dust, a bar. What a class of galaxy
//! has of these is not known here.

use std::f32::consts::TAU;

use super::canvas::{Canvas, Region};
use super::light::{Bands, add, scale, through_dust};
use super::shape::{Ellipse, clump, fade, mix, uniform};
use crate::random::Random;

/// Logarithmic spiral arms: the crest of one is at the angle phase + ln(R / inner) / tan(pitch).
#[derive(Clone, Debug)]
pub(super) struct Arms {
    /// How many; 0 for a disc without arms.
    pub count: f32,
    /// Angle between an arm and a circle, radians; negative winds the other way.
    pub pitch: f32,
    /// Where the first arm begins, radians from the major axis.
    pub phase: f32,
    /// The arms begin and end at these radii, arcsec.
    pub inner: f32,
    pub outer: f32,
    /// Share of the disc's light that is gathered in the arms, 0 to 1.
    pub contrast: f32,
    /// Concentration of the light on the crest (of a von Mises profile across the arm).
    pub sharpness: f32,
    /// Optical depth in r of the dust on the inner edge of an arm.
    pub dust: f32,
    /// Light of the young stars at the centre of the disc, if they reached there.
    pub light: Bands,
    /// What bends them and what makes them patchy: in radians, and as a share of their light.
    pub bends: Ripples,
    pub patches: Ripples,
}

impl Arms {
    /// Angle from the crest of the nearest arm times the number of arms; 0 on the crest.
    fn phase_at(&self, r: f32, azimuth: f32) -> f32 {
        let wound = (r / self.inner).max(0.05).ln() / self.pitch.tan();
        self.count * (azimuth - self.phase - wound)
    }

    /// The point (u, v) in the plane on the crest of arm `which` at radius `r`.
    fn crest(&self, r: f32, which: usize) -> (f32, f32) {
        let azimuth = self.phase + (r / self.inner).ln() / self.pitch.tan() + which as f32 * TAU / self.count;
        (r * azimuth.cos(), r * azimuth.sin())
    }
}

/// A smooth random field over a disc: waves in azimuth and the logarithm of the radius.
#[derive(Clone, Debug)]
pub(super) struct Ripples([[f32; 4]; 4]);

impl Ripples {
    /// Four waves that together have about this amplitude; the longest goes `longest` times around.
    pub fn draw(random: &mut Random, longest: usize, amplitude: f32) -> Self {
        Self(std::array::from_fn(|i| {
            // whole numbers of waves around, so that the field closes on itself
            let around = (i + longest) as f32;
            [
                around,
                2.0 * around.sqrt() * uniform(random, -3.0, 3.0),
                uniform(random, 0.0, TAU),
                amplitude * uniform(random, 0.3, 1.0) / 1.5,
            ]
        }))
    }

    fn at(&self, log_r: f32, azimuth: f32) -> f32 {
        self.0.iter().map(|[around, along, phase, amplitude]| amplitude * (around * azimuth + along * log_r + phase).sin()).sum()
    }
}

/// A bar: a flat, blunt streak of old stars across the middle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar {
    /// Angle to the major axis of the disc in its plane, radians.
    pub angle: f32,
    /// Half length and half width, arcsec.
    pub length: f32,
    pub width: f32,
    pub light: Bands,
}

impl Bar {
    fn at(&self, u: f32, v: f32) -> Bands {
        let (sine, cosine) = self.angle.sin_cos();
        let along = (cosine * u + sine * v) / self.length;
        let across = (cosine * v - sine * u) / self.width;
        // a power of 3 along (blunt ends), Gaussian across
        let profile = (-0.7 * along.abs().powi(3) - 0.7 * across * across).exp();
        scale(self.light, profile)
    }
}

/// An exponential disc.
#[derive(Clone, Debug)]
pub(super) struct Disc {
    /// Its centre, arcsec from that of the field.
    pub x: f32,
    pub y: f32,
    /// How it lies: cos(inclination) is the axis ratio.
    pub ellipse: Ellipse,
    /// Scale length, arcsec.
    pub length: f32,
    /// Light at its centre.
    pub light: Bands,
    pub arms: Option<Arms>,
    pub bar: Option<Bar>,
    /// A ring of young stars: radius and half width in arcsec, and its light.
    pub ring: Option<(f32, f32, Bands)>,
    /// How much more light one side has than the other (0 to 1), and at which azimuth.
    pub lopsided: (f32, f32),
    /// How far (in its own units) the outer isophotes are moved off the centre, towards the lopsided side.
    pub drift: f32,
}

impl Disc {
    /// Where the disc ends, in scale lengths.
    const END: f32 = 5.0;

    /// Adds the disc.
    pub fn draw(&self, canvas: &mut Canvas) {
        let end = Self::END * self.length;
        let region = Region { x: self.x, y: self.y, reach: end * (1.0 + self.drift.abs()) };
        let (shift_v, shift_u) = self.lopsided.1.sin_cos();
        canvas.add(region, |dx, dy| {
            let (mut u, mut v) = self.ellipse.plane(dx, dy);
            if self.drift != 0.0 {
                let off = self.drift * u.hypot(v).min(end);
                u -= off * shift_u;
                v -= off * shift_v;
            }
            let r = u.hypot(v);
            if r > end {
                return [0.0; 3];
            }
            self.at(u, v, r)
        });
    }

    /// Light at the point (u, v) of the plane, at radius r, arcsec.
    fn at(&self, u: f32, v: f32, r: f32) -> Bands {
        let azimuth = v.atan2(u);
        // a bar sweeps the disc beside it
        let swept = self.bar.map_or(1.0, |bar| 1.0 - 0.5 * fade(0.6, 1.2, r / bar.length));
        let fall = swept * (-r / self.length).exp() * fade(0.7 * Self::END, Self::END, r / self.length);
        let mut light = match &self.arms {
            Some(arms) => self.with_arms(arms, r, azimuth, fall),
            None => scale(self.light, fall),
        };
        if let Some((radius, width, young)) = self.ring {
            let z = (r - radius) / width;
            light = add(light, scale(young, (-0.5 * z * z).exp()));
        }
        let (amplitude, towards) = self.lopsided;
        if amplitude > 0.0 {
            let side = (azimuth - towards).cos() * (r / self.length).min(1.0);
            light = scale(light, (1.0 + amplitude * side).max(0.05));
        }
        match &self.bar {
            Some(bar) => add(light, bar.at(u, v)),
            None => light,
        }
    }

    fn with_arms(&self, arms: &Arms, r: f32, azimuth: f32, fall: f32) -> Bands {
        let log_r = (r / self.length).max(0.05).ln();
        let phase = arms.phase_at(r, azimuth) + arms.bends.at(log_r, azimuth);
        let window = (1.0 - fade(0.7 * arms.inner, 1.1 * arms.inner, r)) * fade(0.75 * arms.outer, arms.outer, r);
        let gathered = arms.contrast * window;
        let crest = |phase: f32, sharpness: f32| (sharpness * (phase.cos() - 1.0)).exp();
        // sqrt(2 pi k) exp(k (cos - 1)) has a mean of about 1: the arms gather light, they make none
        let gain = (TAU * arms.sharpness).sqrt() * crest(phase, arms.sharpness) * (1.0 + arms.patches.at(log_r, azimuth));
        let light = mix(scale(self.light, fall), scale(arms.light, fall.powf(0.8) * gain.max(0.0)), gathered);
        if arms.dust <= 0.0 {
            return light;
        }
        // trailing arms: gas is shocked on the concave, inner side
        let lane = crest(phase + 0.9 * arms.pitch.signum(), 2.0 * arms.sharpness);
        through_dust(light, arms.dust * window * lane)
    }

    /// Adds `count` star-forming regions of this light along the arms.
    pub fn draw_clumps(&self, canvas: &mut Canvas, random: &mut Random, count: usize, light: Bands) {
        let Some(arms) = &self.arms else { return };
        for _ in 0..count {
            let r = uniform(random, arms.inner, arms.outer.min(3.5 * self.length));
            let (u, v) = arms.crest(r, random.below(arms.count as usize));
            let scatter = 0.08 * r;
            let (dx, dy) = self.ellipse.sky(u + scatter * random.normal() as f32, v + scatter * random.normal() as f32);
            let brightness = uniform(random, 0.2, 1.0) * (-0.5 * r / self.length).exp();
            clump(canvas, self.x + dx, self.y + dy, uniform(random, 0.3, 0.6), scale(light, brightness));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    /// Phase of the m = 2 Fourier component of a drawn face-on disc, on a circle of `radius` arcsec.
    fn phase_of_two_arms(pitch: f32, radius: f32) -> f32 {
        let mut random = Random::new(3, Purpose::Test, &[]);
        let arms = Arms {
            count: 2.0,
            pitch,
            phase: 0.4,
            inner: 4.0,
            outer: 30.0,
            contrast: 0.7,
            sharpness: 2.0,
            dust: 0.0,
            light: [1.0; 3],
            bends: Ripples::draw(&mut random, 1, 0.0),
            patches: Ripples::draw(&mut random, 3, 0.0),
        };
        let ellipse = Ellipse::new(0.0, 1.0);
        let disc = Disc {
            x: 0.0,
            y: 0.0,
            ellipse,
            length: 8.0,
            light: [1.0; 3],
            arms: Some(arms),
            bar: None,
            ring: None,
            lopsided: (0.0, 0.0),
            drift: 0.0,
        };
        let (mut real, mut imaginary) = (0.0, 0.0);
        for i in 0..360 {
            let azimuth = (i as f32).to_radians();
            let light = disc.at(radius * azimuth.cos(), radius * azimuth.sin(), radius)[1];
            real += light * (2.0 * azimuth).cos();
            imaginary += light * (2.0 * azimuth).sin();
        }
        imaginary.atan2(real) / 2.0
    }

    #[test]
    fn arms_wind_with_their_pitch() {
        for degrees in [10.0f32, 18.0, 30.0, -25.0] {
            let (inner, outer) = (8.0f32, 8.8f32);
            let turn = phase_of_two_arms(degrees.to_radians(), outer) - phase_of_two_arms(degrees.to_radians(), inner);
            // the phase is known up to half a turn
            let turn = (turn + std::f32::consts::FRAC_PI_2).rem_euclid(std::f32::consts::PI) - std::f32::consts::FRAC_PI_2;
            let measured = ((outer / inner).ln() / turn).atan().to_degrees();
            assert!((measured - degrees).abs() < 1.0, "drawn {degrees}, measured {measured}");
        }
    }
}
