//! The shapes that galaxies are made of: inclined ellipses, Sersic profiles, clumps and tidal tails. Brightness and
//! colour come from the caller; which galaxy they make is not known here.

use super::canvas::{Canvas, Region};
use super::light::{Bands, add, scale};
use crate::random::Random;

/// Uniform in [low, high).
pub(super) fn uniform(random: &mut Random, low: f32, high: f32) -> f32 {
    random.range(f64::from(low), f64::from(high)) as f32
}

/// Normal with this mean and standard deviation, kept within two and a half deviations.
pub(super) fn normal(random: &mut Random, mean: f32, deviation: f32) -> f32 {
    mean + deviation * (random.normal() as f32).clamp(-2.5, 2.5)
}

/// Any angle, radians.
pub(super) fn angle(random: &mut Random) -> f32 {
    uniform(random, 0.0, std::f32::consts::TAU)
}

/// 1 below `low`, 0 above `high`, smooth between them.
pub(super) fn fade(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    1.0 - t * t * (3.0 - 2.0 * t)
}

/// A circle seen inclined: an ellipse with its major axis at `angle` radians from the x axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ellipse {
    cosine: f32,
    sine: f32,
    /// Minor over major axis.
    pub axis_ratio: f32,
}

impl Ellipse {
    pub fn new(angle: f32, axis_ratio: f32) -> Self {
        Self { cosine: angle.cos(), sine: angle.sin(), axis_ratio }
    }

    /// From the sky to the plane of the circle: along the major axis, and along the stretched minor axis.
    pub fn plane(self, dx: f32, dy: f32) -> (f32, f32) {
        (self.cosine * dx + self.sine * dy, (self.cosine * dy - self.sine * dx) / self.axis_ratio)
    }

    /// From the plane of the circle to the sky.
    pub fn sky(self, u: f32, v: f32) -> (f32, f32) {
        let v = v * self.axis_ratio;
        (self.cosine * u - self.sine * v, self.sine * u + self.cosine * v)
    }
}

/// A Sersic profile (Sersic 1963): index 1 is an exponential disc, 4 de Vaucouleurs' law.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sersic {
    pub ellipse: Ellipse,
    /// Half-light radius along the major axis, arcsec.
    pub radius: f32,
    pub index: f32,
    /// Light of a survey pixel at the half-light radius.
    pub light: Bands,
    /// How boxy (above 2) or discy (below 2) the isophotes are: the exponent of the generalised ellipse.
    pub boxiness: f32,
}

impl Sersic {
    /// Adds the profile, centred at (x, y).
    pub fn draw(self, canvas: &mut Canvas, x: f32, y: f32) {
        // b of I(r) = I_e exp(-b ((r / R_e)^(1/n) - 1)), Ciotti & Bertin (1999)
        let b = 2.0 * self.index - 1.0 / 3.0 + 4.0 / (405.0 * self.index);
        let brightest = self.light.iter().fold(0.0f32, |a, &l| a.max(l));
        // out to where it drowns in the noise
        let depth = (brightest / 4e-4).max(1.0).ln();
        let reach = self.radius * (1.0 + depth / b).powf(self.index);
        // inside this radius (arcsec) a cusp is flat: far below the seeing, and any grid samples it alike
        let core = 0.2f32;
        let inverse = 1.0 / self.index;
        canvas.add(Region { x, y, reach }, |dx, dy| {
            let (u, v) = self.ellipse.plane(dx, dy);
            let square = if (self.boxiness - 2.0).abs() < 0.05 {
                u * u + v * v
            } else {
                (u.abs().powf(self.boxiness) + v.abs().powf(self.boxiness)).powf(2.0 / self.boxiness)
            };
            let r = (square + core * core).sqrt();
            if r > reach {
                return [0.0; 3];
            }
            scale(self.light, (b - b * (r / self.radius).powf(inverse)).exp())
        });
    }
}

/// A round Gaussian clump of `sigma` arcsec whose middle has `light`.
pub(super) fn clump(canvas: &mut Canvas, x: f32, y: f32, sigma: f32, light: Bands) {
    canvas.add(Region { x, y, reach: 3.2 * sigma }, |dx, dy| scale(light, (-0.5 * (dx * dx + dy * dy) / (sigma * sigma)).exp()));
}

/// A tidal tail: stars drawn out along a curve that fades and widens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// Where it leaves its galaxy, arcsec.
    pub x: f32,
    pub y: f32,
    /// Direction in which it leaves, radians.
    pub direction: f32,
    /// Turn over its whole length, radians.
    pub turn: f32,
    /// Length, arcsec.
    pub length: f32,
    /// Gaussian half width at its root and at its end, arcsec.
    pub width: (f32, f32),
    /// Light at its root.
    pub light: Bands,
}

impl Tail {
    /// Adds the tail as a chain of overlapping clumps.
    pub fn draw(self, canvas: &mut Canvas) {
        let steps = (self.length / (0.8 * self.width.0)).ceil().clamp(6.0, 40.0);
        let step = self.length / steps;
        let (mut x, mut y) = (self.x, self.y);
        for i in 0..steps as usize {
            let t = i as f32 / steps;
            let heading = self.direction + self.turn * t;
            let sigma = self.width.0 + (self.width.1 - self.width.0) * t;
            // clumps closer than their width pile up: share the light among them
            let share = step / (sigma * 2.507);
            clump(canvas, x, y, sigma, scale(self.light, share * (1.0 - t * t)));
            x += step * heading.cos();
            y += step * heading.sin();
        }
    }
}

/// A mixture: `share` of `b`, the rest of `a`.
pub(super) fn mix(a: Bands, b: Bands, share: f32) -> Bands {
    add(scale(a, 1.0 - share), scale(b, share))
}
