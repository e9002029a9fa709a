//! Winograd's F(2 x 2, 3 x 3): four sums of a window from sixteen products instead of thirty-six (Lavin & Gray,
//! arXiv 1509.09308).
//!
//! With the 4 x 4 pixels `d` that a window sees and weights `g`, per channel:
//!
//! ```text
//! sums = A' [ (G g G') * (B' d B) ] A      added up over the channels before A' and A are applied
//!
//!      | 1  0 -1  0 |        | 1    0    0  |
//! B' = | 0  1  1  0 |    G = | 1/2  1/2  1/2|    A' = | 1  1  1  0 |
//!      | 0 -1  1  0 |        | 1/2 -1/2  1/2|         | 0  1 -1 -1 |
//!      | 0  1  0 -1 |        | 0    0    1  |
//! ```
//!
//! so that the work is sixteen products of windows x channels by channels x outputs. In 32-bit floats the rounding error stays
//! within a small factor of the direct sum's; bfloat16 would lose too much in the differences and never comes here.

use super::Step;
use super::buffer::Scratch;
use super::epilogue::{Epilogue, Part, Quad};
use super::kernel::{COLUMNS, Kernel, ROWS, Rows, Task, Tile, run_all};
use super::pixels::Pixels;
use super::weights::Panels;
use super::windows::{Blocks, Place, Windows};

/// Products of a window.
pub const PRODUCTS: usize = 16;
/// Channels that are transformed together; layers with another number of channels take the direct way.
pub const LANES: usize = 16;

/// Channels of a pixel.
pub type Lanes = [f32; LANES];

/// Computes `pixels (*) panels` and gives the sums to `epilogue`.
pub fn convolve<P: Pixels, E: Epilogue>(step: Step, pixels: &P, windows: Windows, panels: &Panels, epilogue: &E, blocks: Blocks) {
    assert!(step.is_f32() && pixels.grid().channels.is_multiple_of(LANES));
    let groups = blocks.panel_groups(panels.count);
    run_all(step, &Winograd { pixels, windows, panels, epilogue, blocks, groups }, blocks.count * groups);
}

/// Numbers that a window takes when it is transformed.
pub fn window_numbers(channels: usize) -> usize {
    PRODUCTS * row_stride(channels)
}

/// An odd number of cache lines, so that the twelve rows of a tile lie in different sets.
fn row_stride(channels: usize) -> usize {
    (channels.div_ceil(16) | 1) * 16
}

struct Winograd<'a, P, E> {
    pixels: &'a P,
    windows: Windows,
    panels: &'a Panels,
    epilogue: &'a E,
    blocks: Blocks,
    groups: usize,
}

impl<P: Pixels, E: Epilogue> Task for Winograd<'_, P, E> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let (block, group) = (index / self.groups, index % self.groups);
        let (first, end) = self.blocks.range(block);
        let channels = self.panels.depth;
        let stride = row_stride(channels);
        let tiles = (end - first).div_ceil(ROWS);
        let (mut input_scratch, mut product_scratch) = (Scratch::take(), Scratch::take());
        // [tiles][products][12][stride]
        let input = input_scratch.numbers::<f32>(tiles * PRODUCTS * ROWS * stride);
        self.transform_windows(first, end, stride, input);
        let products = product_scratch.numbers::<f32>(PRODUCTS * ROWS * COLUMNS);
        let mut sums: Quad = [Tile::ZERO; 4];
        for panel in self.panels.count * group / self.groups..self.panels.count * (group + 1) / self.groups {
            let mut before = 0;
            for tile in 0..tiles {
                let a = input[tile * PRODUCTS * ROWS * stride..].as_ptr();
                for product in 0..PRODUCTS {
                    // SAFETY: twelve rows of `channels` numbers (rows without a window hold old numbers, whose sums are never
                    // taken), a panel of as many times 32, and 12 x 32 sums. Only steps with 32-bit numbers come here, so
                    // packed numbers are f32.
                    unsafe {
                        let first = a.add(product * ROWS * stride).cast::<K::Packed>();
                        let rows = Rows { first, stride, runs: &[0], run_length: channels };
                        let b = self.panels.panel::<K::Packed>(panel).add(product * channels * COLUMNS);
                        K::tile::<ROWS, false>(&rows, b, products[product * ROWS * COLUMNS..].as_mut_ptr(), COLUMNS);
                    }
                }
                transform_sums(products, &mut sums);
                let at = first + tile * ROWS;
                let part = Part { block, first: at, windows: ROWS.min(end - at), row: 0, before, panel };
                before += self.windows.pixels(at, at + part.windows);
                // SAFETY: each block and panel belongs to this piece alone.
                unsafe { self.epilogue.take(part, &sums) };
            }
        }
    }
}

impl<P: Pixels, E> Winograd<'_, P, E> {
    /// `B' d B` of all windows of a block.
    #[inline(always)]
    fn transform_windows(&self, first: usize, end: usize, stride: usize, out: &mut [f32]) {
        let channels = self.panels.depth;
        let mut scratch = Scratch::take();
        let patch = scratch.numbers::<f32>(16 * channels);
        for (window, row) in (first..end).zip(0..) {
            let place = self.windows.locate(window);
            for line in 0..4 {
                read_line(self.pixels, place, line, &mut patch[line * 4 * channels..(line + 1) * 4 * channels]);
            }
            let start = (row / ROWS * PRODUCTS * ROWS + row % ROWS) * stride;
            for c in (0..channels).step_by(LANES) {
                let pixel = |line: usize, column: usize| lanes(patch, (line * 4 + column) * channels + c);
                let mut rows = [[[0.0; LANES]; 4]; 4];
                for column in 0..4 {
                    let transformed = transform_four(pixel(0, column), pixel(1, column), pixel(2, column), pixel(3, column));
                    for line in 0..4 {
                        rows[line][column] = transformed[line];
                    }
                }
                for (line, [a, b, c2, d]) in rows.iter().enumerate() {
                    for (column, value) in transform_four(a, b, c2, d).iter().enumerate() {
                        let at = start + (line * 4 + column) * ROWS * stride + c;
                        out[at..at + LANES].copy_from_slice(value);
                    }
                }
            }
        }
    }
}

/// Line 0 to 3 of the 4 x 4 pixels that a window sees, zeros outside the picture.
#[inline(always)]
pub fn read_line<P: Pixels>(pixels: &P, place: Place, line: usize, out: &mut [f32]) {
    let grid = pixels.grid();
    let channels = grid.channels;
    let Some(y) = (place.y + line).checked_sub(1).filter(|y| *y < grid.height) else {
        out.fill(0.0);
        return;
    };
    let left = usize::from(place.x == 0);
    let count = (grid.width + 1 - place.x).min(4) - left;
    out[..left * channels].fill(0.0);
    out[(left + count) * channels..].fill(0.0);
    pixels.read(place.image, y, place.x + left - 1, count, &mut out[left * channels..(left + count) * channels]);
}

/// Sixteen numbers from `at`.
#[inline(always)]
pub fn lanes(values: &[f32], at: usize) -> &Lanes {
    values[at..at + LANES].first_chunk().expect("a slice as long as the array")
}

#[inline(always)]
pub fn add<const N: usize>(a: &[f32; N], b: &[f32; N]) -> [f32; N] {
    let mut out = *a;
    for i in 0..N {
        out[i] += b[i];
    }
    out
}

#[inline(always)]
pub fn subtract<const N: usize>(a: &[f32; N], b: &[f32; N]) -> [f32; N] {
    let mut out = *a;
    for i in 0..N {
        out[i] -= b[i];
    }
    out
}

/// B' applied to four numbers.
#[inline(always)]
pub fn transform_four(a: &Lanes, b: &Lanes, c: &Lanes, d: &Lanes) -> [Lanes; 4] {
    [subtract(a, c), add(b, c), subtract(c, b), subtract(b, d)]
}

/// `A' m A` of twelve windows and 32 channels.
#[inline(always)]
fn transform_sums(products: &[f32], sums: &mut Quad) {
    for window in 0..ROWS {
        for j in (0..COLUMNS).step_by(LANES) {
            let product = |p: usize| lanes(products, (p * ROWS + window) * COLUMNS + j);
            let mut top = [[0.0; LANES]; 4];
            let mut bottom = [[0.0; LANES]; 4];
            for column in 0..4 {
                let [a, b, c, d] = [0, 1, 2, 3].map(|line: usize| product(line * 4 + column));
                top[column] = add(&add(a, b), c);
                bottom[column] = subtract(&subtract(b, c), d);
            }
            for (line, [a, b, c, d]) in [&top, &bottom].into_iter().enumerate() {
                sums[2 * line].0[window][j..j + LANES].copy_from_slice(&add(&add(a, b), c));
                sums[2 * line + 1].0[window][j..j + LANES].copy_from_slice(&subtract(&subtract(b, c), d));
            }
        }
    }
}

/// `G g G'` of the nine weights of a tap.
#[inline(always)]
pub fn transform_weights<const N: usize>(weights: &[[f32; N]; 9]) -> [[f32; N]; PRODUCTS] {
    let mut rows = [[[0.0; N]; 3]; 4];
    for column in 0..3 {
        let transformed = transform_three(&weights[column], &weights[3 + column], &weights[6 + column]);
        for line in 0..4 {
            rows[line][column] = transformed[line];
        }
    }
    let mut out = [[0.0; N]; PRODUCTS];
    for (line, [a, b, c]) in rows.iter().enumerate() {
        out[line * 4..line * 4 + 4].copy_from_slice(&transform_three(a, b, c));
    }
    out
}

/// G applied to three numbers.
#[inline(always)]
fn transform_three<const N: usize>(a: &[f32; N], b: &[f32; N], c: &[f32; N]) -> [[f32; N]; 4] {
    let (mut plus, mut minus) = ([0.0; N], [0.0; N]);
    for i in 0..N {
        let outer = 0.5 * (a[i] + c[i]);
        plus[i] = outer + 0.5 * b[i];
        minus[i] = outer - 0.5 * b[i];
    }
    [*a, plus, minus, *c]
}
