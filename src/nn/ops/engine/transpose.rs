//! Packing for the weight gradient: activations transposed (one row an input channel or tap), output gradients in panels.
//!
//! Both are packed band by band, a band being some lines of one image.

use super::buffer::Scratch;
use super::kernel::{COLUMNS, Kernel};
use super::pixels::{Grid, Pixels, gather};

/// Some lines of one image.
#[derive(Clone, Copy, Debug)]
pub struct Band {
    pub image: usize,
    /// First line.
    pub top: usize,
    /// One past the last line.
    pub bottom: usize,
}

impl Band {
    pub fn lines(self) -> usize {
        self.bottom - self.top
    }
}

/// Pixels from one line to the next in the shifted layout: a zero on either side.
pub fn pitch(grid: Grid) -> usize {
    grid.width + 2
}

/// Spare numbers behind the last line of the shifted layout: a run may be one longer than the line, and shifted by two.
pub const SPARE: usize = 2;

/// Packs a band with a border of one pixel, `[rows][lines + 2][width + 2]`, rows `stride` apart; after the last band of a
/// row also [`SPARE`] zeros.
///
/// # Safety
/// The step's instructions are available, and `out` has that much room for this call alone.
#[inline(always)]
pub unsafe fn shifted<K: Kernel, X: Pixels>(x: &X, band: Band, last: bool, rows: usize, out: *mut K::Packed, stride: usize) {
    let grid = x.grid();
    let (pitch, channels) = (pitch(grid), grid.channels);
    let mut scratch = Scratch::take();
    let line = scratch.numbers::<f32>(grid.width * channels);
    for padded in 0..band.lines() + 2 {
        let at = padded * pitch;
        let y = (band.top + padded).wrapping_sub(1);
        let inside = y < grid.height;
        // SAFETY: this line of every row.
        unsafe {
            for row in 0..rows {
                if inside && row < channels {
                    *out.add(row * stride + at) = K::Packed::default();
                    *out.add(row * stride + at + pitch - 1) = K::Packed::default();
                } else {
                    std::slice::from_raw_parts_mut(out.add(row * stride + at), pitch).fill(K::Packed::default());
                }
            }
            if inside {
                x.read(band.image, y, 0, grid.width, line);
                transposed::<K>(line, channels, out.add(at + 1), stride);
            }
        }
    }
    for row in 0..if last { rows } else { 0 } {
        // SAFETY: the spare numbers of every row.
        unsafe { std::slice::from_raw_parts_mut(out.add(row * stride + (band.lines() + 2) * pitch), SPARE).fill(K::Packed::default()) };
    }
}

/// Packs the neighbourhoods of a band's pixels, `[rows][lines][run]`, rows `stride` apart.
///
/// # Safety
/// The step's instructions are available, and `out` has that much room for this call alone.
#[inline(always)]
pub unsafe fn explicit<K: Kernel, X: Pixels>(x: &X, band: Band, run: usize, rows: usize, out: *mut K::Packed, stride: usize) {
    let grid = x.grid();
    let depth = 9 * grid.channels;
    let mut scratch = Scratch::take();
    let line = scratch.numbers::<f32>(run * depth);
    for y in band.top..band.bottom {
        for (x_at, pixel) in line.chunks_exact_mut(depth).enumerate() {
            if x_at < grid.width {
                gather(x, band.image, y, x_at, pixel);
            } else {
                pixel.fill(0.0);
            }
        }
        let at = (y - band.top) * run;
        // SAFETY: this line of every row; then the rows that only fill up the last tile.
        unsafe {
            transposed::<K>(line, depth, out.add(at), stride);
            for extra in depth..rows {
                std::slice::from_raw_parts_mut(out.add(extra * stride + at), run).fill(K::Packed::default());
            }
        }
    }
}

/// Packs the output gradients of a band in panels, `[panels][lines x run][32]`, panels `panel_stride` apart.
///
/// # Safety
/// The step's instructions are available, and `out` has that much room for this call alone.
#[inline(always)]
pub unsafe fn gradients<K: Kernel, G: Pixels>(gradient: &G, band: Band, run: usize, out: *mut K::Packed, panel_stride: usize) {
    let (outputs, width, pair) = (gradient.grid().channels, gradient.extent().1, K::DEPTH_STEP);
    let mut packed = [K::Packed::default(); COLUMNS];
    let mut scratch = Scratch::take();
    let line = scratch.numbers::<f32>(run * outputs);
    for y in band.top..band.bottom {
        gradient.read(band.image, y, 0, width, line);
        line[width * outputs..].fill(0.0);
        for (x, values) in line.chunks_exact(outputs).enumerate() {
            let position = (y - band.top) * run + x;
            for (panel, values) in values.chunks(COLUMNS).enumerate() {
                // SAFETY: this pixel's 32 numbers of the panel, in pairs of pixels where the step takes pairs.
                unsafe {
                    K::pack(values, &mut packed[..values.len()]);
                    packed[values.len()..].fill(K::Packed::default());
                    let at = panel * panel_stride + position / pair * pair * COLUMNS + position % pair;
                    for (j, value) in packed.iter().enumerate() {
                        *out.add(at + j * pair) = *value;
                    }
                }
            }
        }
    }
}

/// Numbers that are packed before they are transposed.
const CHUNK: usize = 512;

/// Packs `values` (pixels x count) and writes them transposed, one row a channel, rows `stride` apart.
///
/// # Safety
/// The step's instructions are available, and `out` has room for `count` rows of as many numbers as there are pixels.
#[inline(always)]
unsafe fn transposed<K: Kernel>(values: &[f32], count: usize, out: *mut K::Packed, stride: usize) {
    let mut packed = [K::Packed::default(); CHUNK];
    for first in (0..count).step_by(CHUNK) {
        let width = CHUNK.min(count - first);
        let pixels = if width == count { (CHUNK / count).max(1) } else { 1 };
        for (chunk, values) in values.chunks(pixels * count).enumerate() {
            let values = if width == count { values } else { &values[first..first + width] };
            // SAFETY: promised by the caller: channels first.., pixels chunk * pixels..
            unsafe {
                K::pack(values, &mut packed[..values.len()]);
                for (pixel, values) in packed[..values.len()].chunks_exact(width).enumerate() {
                    for (channel, value) in values.iter().enumerate() {
                        *out.add((first + channel) * stride + chunk * pixels + pixel) = *value;
                    }
                }
            }
        }
    }
}
