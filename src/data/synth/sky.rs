//! What else is in the picture: stars of the Milky Way, small galaxies behind, and the noise of the sky.

use super::canvas::{Canvas, FIELD, Region};
use super::light::{Bands, Colour, add, scale, stretch};
use super::shape::{Ellipse, Sersic, normal, uniform};
use crate::imaging::Image;
use crate::random::Random;

/// Draws the small galaxies around, before the seeing blurs them.
pub(super) fn draw_neighbours(canvas: &mut Canvas, random: &mut Random) {
    // richer and poorer fields
    let count = (30.0 * normal(random, 0.0, 0.4).exp()) as usize;
    for _ in 0..count {
        let (x, y) = place(random);
        // counts grow with magnitude as 10^(0.4 m)
        let magnitude = (24.4 + random.uniform().max(1e-4).log10() as f32 / 0.4).max(19.0);
        let colour = if random.chance(0.3) {
            Colour { g_r: normal(random, 0.5, 0.15), r_z: normal(random, 0.4, 0.15) }
        } else {
            Colour { g_r: normal(random, 1.1, 0.35), r_z: normal(random, 0.9, 0.3) }
        };
        let radius = uniform(random, 0.25, 0.6) * (1.0 + 0.25 * (22.0 - magnitude).max(0.0));
        let axis_ratio = uniform(random, 0.35, 1.0);
        // an exponential disc holds 1.9 pi R_e^2 q I_e (Graham & Driver 2005)
        let area = 1.9 * std::f32::consts::PI * radius * radius * axis_ratio;
        let light = colour.surface(magnitude + 2.5 * area.log10());
        let ellipse = Ellipse::new(super::shape::angle(random), axis_ratio);
        Sersic { ellipse, radius, index: 1.0, light, boxiness: 2.0 }.draw(canvas, x, y);
    }
}

/// Draws the stars, as the point spread function shows them: Moffat (1969) profiles, whose wings a Gaussian has not.
pub(super) fn draw_stars(canvas: &mut Canvas, seeing: f32, random: &mut Random) {
    let count = (2.2 * normal(random, 0.0, 0.7).exp()) as usize;
    for _ in 0..count {
        let (x, y) = place(random);
        let mut magnitude = uniform(random, 17.5, 23.0);
        // now and then a bright one, which is no use in front of the galaxy
        if random.chance(0.06) && x.hypot(y) > 16.0 {
            magnitude = uniform(random, 14.5, 17.5);
        }
        // from F to M dwarfs
        let g_r = uniform(random, 0.3, 1.45);
        let r_z = if g_r < 1.2 { 0.5 * g_r } else { uniform(random, 0.6, 1.6) };
        let mut light = Colour { g_r, r_z }.surface(magnitude);
        if magnitude < 18.0 && random.chance(0.4) {
            // saturated in z, which then has no data: the cyan stars of the survey
            light[0] *= uniform(random, 0.1, 0.4);
        }
        draw_star(canvas, x, y, seeing, light);
    }
}

/// Somewhere in the field.
fn place(random: &mut Random) -> (f32, f32) {
    let half = FIELD / 2.0;
    (uniform(random, -half, half), uniform(random, -half, half))
}

/// A Moffat profile of exponent 3 that holds `light` (of a survey pixel, if it filled a square arcsecond).
fn draw_star(canvas: &mut Canvas, x: f32, y: f32, seeing: f32, light: Bands) {
    let core = seeing / (2.0 * (2f32.powf(1.0 / 3.0) - 1.0).sqrt());
    let peak = scale(light, 2.0 / (std::f32::consts::PI * core * core));
    let brightest = peak.iter().fold(0.0f32, |a, &p| a.max(p));
    let reach = core * ((brightest / 5e-4).max(8.0).cbrt() - 1.0).sqrt();
    canvas.add(Region { x, y, reach }, |dx, dy| {
        let square = (dx * dx + dy * dy) / (core * core);
        scale(peak, (1.0 + square).powi(-3))
    });
}

/// Adds the noise of the sky and makes the picture.
///
/// In the real pictures most noise is grey (the same in all bands, because JPEG keeps colour at half resolution) and has
/// a correlation of a pixel; binned to small pictures the grey part falls and the coloured one stays.
pub(super) fn expose(pixels: &[Bands], size: usize, random: &mut Random) -> Image {
    let fineness = (size as f32 / 256.0).min(1.0);
    let depth = normal(random, 0.0, 0.15).exp();
    let (grey, coloured) = (0.0079 * depth * fineness.powf(0.8), 0.0036 * depth);
    let smoothing = 0.2 * fineness.powf(0.7);
    // seen against the weights of the bands: z is the noisiest
    let fields: [Vec<f32>; 4] = std::array::from_fn(|_| noise(size, smoothing, random));
    let mut bytes = Vec::with_capacity(size * size * 3);
    for (i, &pixel) in pixels.iter().enumerate() {
        let own = [1.1, 0.95, 0.95];
        let sky: Bands = std::array::from_fn(|band| grey * fields[3][i] + coloured * own[band] * fields[band][i]);
        bytes.extend(stretch(add(pixel, sky)));
    }
    Image::new(size, size, bytes).expect("size * size pixels of three bytes")
}

/// Gaussian noise of variance 1, smoothed by (s, 1 - 2 s, s) along both sides.
fn noise(size: usize, s: f32, random: &mut Random) -> Vec<f32> {
    let white: Vec<f32> = (0..size * size).map(|_| quick_normal(random.bits())).collect();
    let middle = 1.0 - 2.0 * s;
    let gain = 1.0 / (middle * middle + 2.0 * s * s);
    let wrap = |i: usize, step: usize| (i + step) % size;
    let mut out = vec![0.0; white.len()];
    let mut rows = vec![0.0; white.len()];
    for (source, target) in white.chunks_exact(size).zip(rows.chunks_exact_mut(size)) {
        for i in 0..size {
            target[i] = middle * source[i] + s * (source[wrap(i, 1)] + source[wrap(i, size - 1)]);
        }
    }
    for (row, target) in out.chunks_exact_mut(size).enumerate() {
        let line = |at: usize| &rows[at * size..][..size];
        let (here, above, below) = (line(row), line(wrap(row, size - 1)), line(wrap(row, 1)));
        for i in 0..size {
            target[i] = gain * (middle * here[i] + s * (above[i] + below[i]));
        }
    }
    out
}

/// The sum of four uniforms of 16 bits, scaled to variance 1: near enough to a normal for the noise of a byte, and
/// much quicker than a logarithm a pixel.
fn quick_normal(bits: u64) -> f32 {
    let sum: u64 = (0..4).map(|i| (bits >> (16 * i)) & 0xffff).sum();
    (sum as f32 / 65536.0 - 2.0) * 3f32.sqrt()
}
