//! What is done with the sums of twelve windows while they are in the first-level cache.

use super::buffer::Shared;
use super::kernel::{AMX_ROWS, COLUMNS, Tile};
use super::pixels::{DEAD, largest};
use super::windows::Windows;

/// The sums of some windows and 32 channels: a tile for each of a window's four pixels, one row a window.
pub type Quad = [Tile; 4];

/// Which windows and channels a [`Quad`] holds.
#[derive(Clone, Copy)]
pub struct Part {
    /// The block of windows that it belongs to.
    pub block: usize,
    /// Its first window.
    pub first: usize,
    /// How many windows.
    pub windows: usize,
    /// The row of the tiles that the first window has.
    pub row: usize,
    /// Pixels of the parts of this block and panel that came before.
    pub before: usize,
    /// Its 32 channels.
    pub panel: usize,
}

/// What is done with the sums.
pub trait Epilogue: Sync {
    /// Takes the sums of a part.
    ///
    /// # Safety
    /// Each part is given once, and the parts of one block and panel come one after the other from one thread.
    unsafe fn take(&self, part: Part, sums: &Quad);
}

/// Stores the first of 32 columns; all of them, which is the rule, without calling a library for it.
#[inline(always)]
fn store<P: Copy>(out: &mut [P], values: &[P; COLUMNS]) {
    if let Some(out) = out.first_chunk_mut::<COLUMNS>() {
        *out = *values;
    } else {
        out.copy_from_slice(&values[..out.len()]);
    }
}

/// Stores the sums as an N x H x W x C tensor.
pub struct Store {
    pub windows: Windows,
    pub out: Shared<f32>,
    pub channels: usize,
}

impl Epilogue for Store {
    #[inline(always)]
    unsafe fn take(&self, part: Part, sums: &Quad) {
        let columns = COLUMNS.min(self.channels - part.panel * COLUMNS);
        for window in 0..part.windows {
            let place = self.windows.locate(part.first + window);
            for (position, sums) in sums.iter().enumerate() {
                if let Some(pixel) = self.windows.pixel(place, position) {
                    // SAFETY: the channels of this panel of this pixel: written by this part only.
                    let out = unsafe { self.out.part(pixel * self.channels + part.panel * COLUMNS, columns) };
                    store(out, &sums.0[part.row + window]);
                }
            }
        }
    }
}

/// Stores the sums, and their mean and spread block by block, for the batch statistics.
pub struct StoreWithMoments {
    pub store: Store,
    /// blocks x 2 x channels: the mean, then the sum of squared deviations from it.
    pub moments: Shared<f32>,
}

impl Epilogue for StoreWithMoments {
    #[inline(always)]
    unsafe fn take(&self, part: Part, sums: &Quad) {
        // SAFETY: the caller's promises are ours.
        unsafe { self.store.take(part, sums) };
        let (channels, windows) = (self.store.channels, self.store.windows);
        let columns = COLUMNS.min(channels - part.panel * COLUMNS);
        // SAFETY: the places of this block and panel, which one thread works on, part after part.
        let (means, squares) = unsafe {
            let at = 2 * part.block * channels + part.panel * COLUMNS;
            (self.moments.part(at, columns), self.moments.part(at + channels, columns))
        };
        let (mut mean, mut square) = ([0.0f32; COLUMNS], [0.0f32; COLUMNS]);
        if part.before > 0 {
            mean[..columns].copy_from_slice(means);
            square[..columns].copy_from_slice(squares);
        }
        let mut rows = [&sums[0].0[0]; 4 * AMX_ROWS];
        let mut count = 0;
        for window in 0..part.windows {
            let place = windows.locate(part.first + window);
            for (position, sums) in sums.iter().enumerate() {
                rows[count] = &sums.0[part.row + window];
                count += usize::from(windows.pixel(place, position).is_some());
            }
        }
        join_moments(&rows[..count], part.before as f32, &mut mean, &mut square);
        means.copy_from_slice(&mean[..columns]);
        squares.copy_from_slice(&square[..columns]);
    }
}

/// Joins the moments of some rows to those of `before` rows (Chan et al. 1983): no cancellation however large the mean.
#[inline(always)]
fn join_moments(rows: &[&[f32; COLUMNS]], before: f32, mean: &mut [f32; COLUMNS], square: &mut [f32; COLUMNS]) {
    let count = rows.len() as f32;
    let (mut part_mean, mut part_square) = ([0.0f32; COLUMNS], [0.0f32; COLUMNS]);
    for row in rows {
        for j in 0..COLUMNS {
            part_mean[j] += row[j];
        }
    }
    for mean in &mut part_mean {
        *mean /= count;
    }
    for row in rows {
        for j in 0..COLUMNS {
            let deviation = row[j] - part_mean[j];
            part_square[j] += deviation * deviation;
        }
    }
    for j in 0..COLUMNS {
        let delta = part_mean[j] - mean[j];
        mean[j] += delta * (count / (before + count));
        square[j] += part_square[j] + delta * delta * (before * count / (before + count));
    }
}

/// Adds the bias, keeps the largest of each window where it is positive, and notes where it was.
pub struct BiasReluPool<'a> {
    pub windows: Windows,
    pub bias: &'a [f32],
    /// One number a window and channel.
    pub out: Shared<f32>,
    pub codes: Shared<u8>,
}

impl Epilogue for BiasReluPool<'_> {
    #[inline(always)]
    unsafe fn take(&self, part: Part, sums: &Quad) {
        let channels = self.bias.len();
        let columns = COLUMNS.min(channels - part.panel * COLUMNS);
        let mut bias = [0.0f32; COLUMNS];
        bias[..columns].copy_from_slice(&self.bias[part.panel * COLUMNS..part.panel * COLUMNS + columns]);
        for window in 0..part.windows {
            let [a, b, c, d] = [0, 1, 2, 3].map(|p: usize| &sums[p].0[part.row + window]);
            let (mut best, mut codes) = ([0.0f32; COLUMNS], [0u8; COLUMNS]);
            for j in 0..COLUMNS {
                let (value, at) = largest([a[j], b[j], c[j], d[j]]);
                let value = value + bias[j];
                // not `value > 0`: a NaN must stay one, so that the loss shows it
                best[j] = if value <= 0.0 { 0.0 } else { value };
                codes[j] = if value <= 0.0 { DEAD } else { at };
            }
            let at = self.windows.pooled_index(part.first + window) * channels + part.panel * COLUMNS;
            // SAFETY: this window's channels of this panel: written by this part only.
            unsafe {
                store(self.out.part(at, columns), &best);
                store(self.codes.part(at, columns), &codes);
            }
        }
    }
}
