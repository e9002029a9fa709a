//! Scaling with the Lanczos filter (a = 3), antialiased: going down, the filter is stretched by the factor, so that
//! every source pixel counts. The arithmetic is Pillow's (rows then columns, 22-bit fixed-point weights, bytes in between),
//! so that pictures prepared here and by `PIL.Image.resize(size, LANCZOS)` are the same to the bit; but from version 13 on
//! Pillow takes the columns first where the height shrinks much more than the width, which may move a value by a few levels.

use super::Image;

/// Lobes of the Lanczos kernel on each side.
const LOBES: f64 = 3.0;

/// Fractional bits of a weight: 32 less 8 for the value and 2 for the overshoot of the negative lobes.
const PRECISION: u32 = 32 - 8 - 2;

impl Image {
    /// The picture scaled to `width` x `height` pixels, whatever its proportions. A side of 0 counts as 1.
    #[must_use]
    pub fn resize(&self, width: usize, height: usize) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let mut pixels = None;
        if width != self.width {
            pixels = Some(scale_rows(&self.pixels, self.width, &weights(self.width, width)));
        }
        if height != self.height {
            pixels = Some(scale_columns(pixels.as_deref().unwrap_or(&self.pixels), width, &weights(self.height, height)));
        }
        Self { width, height, pixels: pixels.unwrap_or_else(|| self.pixels.clone()) }
    }

    /// The picture scaled down, in proportion, to fit a square of `side` pixels; a smaller picture is returned as it is.
    #[must_use]
    pub fn thumbnail(&self, side: usize) -> Self {
        let side = side.max(1);
        let longer = self.width.max(self.height);
        if longer <= side {
            return self.clone();
        }
        let fit = |length: usize| ((length * side + longer / 2) / longer).max(1);
        self.resize(fit(self.width), fit(self.height))
    }
}

/// The source pixels that make one target pixel: the first one, and the weight of it and each that follows.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

/// sinc(x) sinc(x / 3) inside three lobes.
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) };
    if (-LOBES..LOBES).contains(&x) { sinc(x) * sinc(x / LOBES) } else { 0.0 }
}

fn weights(from: usize, to: usize) -> Vec<Taps> {
    let ratio = from as f64 / to as f64;
    let stretch = ratio.max(1.0);
    let (support, shrink) = (LOBES * stretch, 1.0 / stretch);
    (0..to)
        .map(|target| {
            let centre = (target as f64 + 0.5) * ratio;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5) as usize).min(from);
            let raw: Vec<f64> = (first..end).map(|source| lanczos((source as f64 - centre + 0.5) * shrink)).collect();
            let sum: f64 = raw.iter().sum();
            let fixed = |w: f64| (w / sum * f64::from(1u32 << PRECISION)).round() as i32;
            Taps { first, weights: raw.into_iter().map(fixed).collect() }
        })
        .collect()
}

/// A weighted sum back to a byte: rounded, overshoot clipped.
fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

fn scale_rows(pixels: &[u8], width: usize, taps: &[Taps]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pixels.len() / width * taps.len());
    for row in pixels.chunks_exact(width * 3) {
        for tap in taps {
            let mut sums = [1i32 << (PRECISION - 1); 3];
            for (pixel, &weight) in row[tap.first * 3..].chunks_exact(3).zip(&tap.weights) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(value) * weight;
                }
            }
            out.extend(sums.map(to_byte));
        }
    }
    out
}

fn scale_columns(pixels: &[u8], width: usize, taps: &[Taps]) -> Vec<u8> {
    let stride = width * 3;
    let mut out = Vec::with_capacity(stride * taps.len());
    let mut sums = vec![0i32; stride];
    for tap in taps {
        sums.fill(1 << (PRECISION - 1));
        for (row, &weight) in pixels[tap.first * stride..].chunks_exact(stride).zip(&tap.weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        out.extend(sums.iter().map(|&sum| to_byte(sum)));
    }
    out
}
