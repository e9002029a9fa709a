//! How a picture looks, in 320 bits that survive flips, quarter turns, recompression, another size and another brightness.
//!
//! The luminance is averaged down to 32 x 32 and its cosine transform taken, of which the lowest 16 x 16 frequencies count
//! (the perceptual hash "pHash", with more bits, because galaxies look alike: a bright spot on a dark sky). Mirroring changes
//! only the sign of the odd frequencies, and a quarter turn swaps rows and columns too, so the bits of all eight orientations
//! follow from the same numbers.

use crate::imaging::Image;

/// Side of the picture that is transformed.
const SIDE: usize = 32;
/// Frequencies that count, in each direction.
const FREQUENCIES: usize = 16;
/// A transform weaker than this, in grey levels, is that of a picture without anything on it.
const BLANK: f32 = 0.25;
/// The most bits of 255 in which two pictures that look the same may differ. Of 6,608 real galaxies (22 million pairs, SDSS) no
/// two differ in fewer than 25 bits; copies that were turned, scaled by half, dimmed, stored as JPEG of quality 60 or made
/// noisy by 6 levels differ in 16 at most.
const SAME: u32 = 20;
/// The most bits of 64 in which their energies may differ.
const SAME_ENERGY: u32 = 14;

/// How a picture looks.
#[derive(Clone, Debug)]
pub struct Look {
    /// The signs of the transform, for each of the eight orientations.
    turned: [[u64; 4]; 8],
    /// Which of two neighbouring frequencies is stronger; the same for all orientations.
    energy: u64,
}

/// The look of a picture; `None` if nothing is on it.
pub fn look(image: &Image) -> Option<Look> {
    let transform = transform(&reduce(image));
    let strongest = transform.iter().skip(1).fold(0.0_f32, |most, c| most.max(c.abs()));
    if strongest < BLANK {
        return None;
    }
    Some(Look { turned: std::array::from_fn(|orientation| signs(&transform, orientation)), energy: energies(&transform) })
}

impl Look {
    /// In how many bits two pictures differ in the orientation in which they differ least; `None` if that is too many.
    pub fn distance(&self, other: &Self) -> Option<u32> {
        if (self.energy ^ other.energy).count_ones() > SAME_ENERGY {
            return None;
        }
        let differ = |bits: &[u64; 4]| bits.iter().zip(&self.turned[0]).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
        other.turned.iter().map(differ).min().filter(|&bits| bits <= SAME)
    }
}

/// The mean luminance of each of 32 x 32 parts of a picture, row by row.
fn reduce(image: &Image) -> Vec<f32> {
    let (columns, rows) = (overlaps(image.width()), overlaps(image.height()));
    let mut thin = vec![0.0; image.height() * SIDE];
    for (row, out) in image.pixels().chunks_exact(image.width() * 3).zip(thin.chunks_exact_mut(SIDE)) {
        for &(pixel, part, share) in &columns {
            let rgb = &row[pixel * 3..pixel * 3 + 3];
            out[part] += share * (0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2]));
        }
    }
    let mut small = vec![0.0; SIDE * SIDE];
    for &(pixel, part, share) in &rows {
        for (out, value) in small[part * SIDE..(part + 1) * SIDE].iter_mut().zip(&thin[pixel * SIDE..]) {
            *out += share * value;
        }
    }
    small
}

/// Which pixels of a side lie in which of its 32 parts, and what share of the part they fill.
fn overlaps(length: usize) -> Vec<(usize, usize, f32)> {
    let mut overlaps = Vec::new();
    for part in 0..SIDE {
        // in units of 1 / (32 length) of the side
        let (start, end) = (part * length, (part + 1) * length);
        for pixel in start / SIDE..end.div_ceil(SIDE) {
            let share = end.min((pixel + 1) * SIDE) - start.max(pixel * SIDE);
            overlaps.push((pixel, part, share as f32 / length as f32));
        }
    }
    overlaps
}

/// The lowest 16 x 16 frequencies of the orthonormal cosine transform (DCT-II), row by row, but 0 for the mean.
fn transform(small: &[f32]) -> Vec<f32> {
    let scale = (2.0 / SIDE as f64).sqrt();
    let wave = |u: usize, x: usize| (scale * (std::f64::consts::PI * u as f64 * (2 * x + 1) as f64 / (2 * SIDE) as f64).cos()) as f32;
    let waves: Vec<f32> = (0..FREQUENCIES).flat_map(|u| (0..SIDE).map(move |x| wave(u, x))).collect();
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let along: Vec<f32> = small.chunks_exact(SIDE).flat_map(|row| waves.chunks_exact(SIDE).map(move |wave| dot(row, wave))).collect();
    let mut out = vec![0.0; FREQUENCIES * FREQUENCIES];
    for (u, wave) in waves.chunks_exact(SIDE).enumerate() {
        for v in 0..FREQUENCIES {
            out[u * FREQUENCIES + v] = wave.iter().enumerate().map(|(y, w)| w * along[y * FREQUENCIES + v]).sum();
        }
    }
    out[0] = 0.0;
    out
}

/// The signs of the transform of the picture in one of its eight orientations: bit 0 mirrors left and right, bit 1 top and
/// bottom, bit 2 swaps rows and columns.
fn signs(transform: &[f32], orientation: usize) -> [u64; 4] {
    let mut bits = [0; 4];
    for u in 0..FREQUENCIES {
        for v in 0..FREQUENCIES {
            let value = if orientation & 4 == 0 { transform[u * FREQUENCIES + v] } else { transform[v * FREQUENCIES + u] };
            let turned = (orientation & 1 == 1 && v % 2 == 1) != (orientation & 2 == 2 && u % 2 == 1);
            if (value > 0.0) != turned && (u, v) != (0, 0) {
                let at = u * FREQUENCIES + v;
                bits[at / 64] |= 1 << (at % 64);
            }
        }
    }
    bits
}

/// Which of two frequencies of the same height is stronger, for 64 pairs of them; mirrored frequencies count together.
fn energies(transform: &[f32]) -> u64 {
    let energy = |u: usize, v: usize| transform[u * FREQUENCIES + v].powi(2) + transform[v * FREQUENCIES + u].powi(2);
    let pairs = (1..2 * FREQUENCIES).flat_map(|sum| {
        (0..=sum / 2).filter(move |u| sum - u < FREQUENCIES && u + 1 < sum - u).map(move |u| ((u, sum - u), (u + 1, sum - u - 1)))
    });
    pairs.take(64).enumerate().map(|(bit, (a, b))| u64::from(energy(a.0, a.1) > energy(b.0, b.1)) << bit).sum()
}
