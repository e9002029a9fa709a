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
//! within a small factor of the direct sum's. With bfloat16 products the transforms are in 32-bit floats too, and what they give
//! is rounded once: the error is some 1.7 times that of rounded pixels and weights, which leaves a whole network's results
//! nearer to 32-bit ones than `PyTorch`'s autocast, whose activations are rounded too (`tests/it/nn/autocast.rs`).

use super::Step;
use super::buffer::Scratch;
use super::epilogue::{Epilogue, Part, Quad};
use super::kernel::{COLUMNS, Kernel, LANES, ROWS, Rows, Task, Tile, exactly, run_all};
use super::pixels::Pixels;
use super::weights::Panels;
use super::windows::{Blocks, Place, Windows};

/// Products of a window.
pub const PRODUCTS: usize = 16;
/// Channels of a pixel.
pub type Lanes = [f32; LANES];

/// Computes `pixels (*) panels` and gives the sums to `epilogue`.
pub fn convolve<P: Pixels, E: Epilogue>(step: Step, pixels: &P, windows: Windows, panels: &Panels, epilogue: &E, blocks: Blocks) {
    assert!(suits(pixels.grid().channels) && panels.depth == pixels.grid().channels);
    let groups = blocks.panel_groups(panels.count);
    run_all(step, &Winograd { pixels, windows, panels, epilogue, blocks, groups }, blocks.count * groups);
}

/// Whether so many channels can be transformed.
pub fn suits(channels: usize) -> bool {
    channels.is_multiple_of(LANES)
}

/// Bytes that a window takes when it is transformed.
pub fn window_bytes(step: Step, channels: usize) -> usize {
    if step.is_f32() {
        PRODUCTS * row_stride::<f32>(channels) * size_of::<f32>()
    } else {
        PRODUCTS * row_stride::<u16>(channels) * size_of::<u16>()
    }
}

/// An odd number of cache lines, so that the twelve rows of a tile lie in different sets.
#[inline(always)]
pub fn row_stride<P>(channels: usize) -> usize {
    let line = 64 / size_of::<P>();
    (channels.div_ceil(line) | 1) * line
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
        let stride = row_stride::<K::Packed>(channels);
        let tiles = (end - first).div_ceil(ROWS);
        let (mut input_scratch, mut product_scratch) = (Scratch::take(), Scratch::take());
        // [tiles][products][12][stride]
        let input = input_scratch.numbers::<K::Packed>(tiles * PRODUCTS * ROWS * stride);
        // SAFETY: the step's instructions are the caller's promise.
        unsafe { transform_windows::<K, P>(self.pixels, self.windows, (first, end), stride, input) };
        let products = product_scratch.numbers::<f32>(PRODUCTS * ROWS * COLUMNS);
        let mut sums: Quad = [Tile::ZERO; 4];
        for panel in self.panels.count * group / self.groups..self.panels.count * (group + 1) / self.groups {
            let mut before = 0;
            for (tile, input) in input.chunks_exact(PRODUCTS * ROWS * stride).enumerate() {
                // SAFETY: the tile was transformed, and the panel is whole.
                unsafe { window_sums::<K>(input.as_ptr(), self.panels.panel(panel), channels, products, &mut sums) };
                let at = first + tile * ROWS;
                let part = Part { block, first: at, windows: ROWS.min(end - at), row: 0, before, panel };
                before += self.windows.pixels(at, at + part.windows);
                // SAFETY: each block and panel belongs to this piece alone.
                unsafe { self.epilogue.take(part, &sums) };
            }
        }
    }
}

/// The sums of a tile of windows and a panel, by all sixteen products; `products` is room for them.
///
/// # Safety
/// The step's instructions are available; `input` is a tile as [`transform_windows`] leaves it, `panel` [products][channels][32].
#[inline(always)]
pub unsafe fn window_sums<K: Kernel>(
    input: *const K::Packed,
    panel: *const K::Packed,
    channels: usize,
    products: &mut [f32],
    sums: &mut Quad,
) {
    let stride = row_stride::<K::Packed>(channels);
    for (product, out) in products.chunks_exact_mut(ROWS * COLUMNS).enumerate() {
        // SAFETY: twelve rows of `channels` numbers (rows without a window hold old numbers, whose sums are never taken), a panel
        // of as many times 32, and 12 x 32 sums.
        unsafe {
            let rows = Rows { first: input.add(product * ROWS * stride), stride, runs: &[0], run_length: channels };
            K::tile::<ROWS, false>(&rows, panel.add(product * channels * COLUMNS), out.as_mut_ptr(), COLUMNS);
        }
    }
    transform_sums(products, sums);
}

/// `B' d B` of some windows, `[tiles][products][12][stride]`.
///
/// # Safety
/// The step's instructions are available.
#[inline(always)]
pub unsafe fn transform_windows<K: Kernel, P: Pixels>(
    pixels: &P,
    windows: Windows,
    (first, end): (usize, usize),
    stride: usize,
    out: &mut [K::Packed],
) {
    let channels = pixels.grid().channels;
    let mut scratch = Scratch::take();
    let room = scratch.numbers::<f32>(16 * channels);
    for (place, row) in windows.places(first, end).zip(0..) {
        let [room0, room1, room2, room3] = four_parts(room);
        let lines = [
            line_of(pixels, place, 0, room0),
            line_of(pixels, place, 1, room1),
            line_of(pixels, place, 2, room2),
            line_of(pixels, place, 3, room3),
        ];
        let start = (row / ROWS * PRODUCTS * ROWS + row % ROWS) * stride;
        for c in (0..channels).step_by(LANES) {
            let pixel = |line: usize, column: usize| exactly(lines[line], column * channels + c);
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
                    // SAFETY: the caller's promise.
                    unsafe { K::pack(value, &mut out[at..at + LANES]) };
                }
            }
        }
    }
}

/// Line 0 to 3 of the 4 x 4 pixels that a window sees, zeros outside the picture: where they lie, or else in `room`.
#[inline(always)]
pub fn line_of<'a, P: Pixels>(pixels: &'a P, place: Place, line: usize, room: &'a mut [f32]) -> &'a [f32] {
    let grid = pixels.grid();
    let channels = grid.channels;
    let Some(y) = (place.y + line).checked_sub(1).filter(|y| *y < grid.height) else {
        room.fill(0.0);
        return room;
    };
    let left = usize::from(place.x == 0);
    let count = (grid.width + 1 - place.x).min(4) - left;
    if count == 4
        && let Some(line) = pixels.view(place.image, y, place.x - 1, 4)
    {
        return line;
    }
    room[..left * channels].fill(0.0);
    room[(left + count) * channels..].fill(0.0);
    pixels.read(place.image, y, place.x + left - 1, count, &mut room[left * channels..(left + count) * channels]);
    room
}

/// Cuts numbers into four equal parts.
#[inline(always)]
pub fn four_parts(numbers: &mut [f32]) -> [&mut [f32]; 4] {
    let (upper, lower) = numbers.split_at_mut(numbers.len() / 2);
    let ((a, b), (c, d)) = (upper.split_at_mut(upper.len() / 2), lower.split_at_mut(lower.len() / 2));
    [a, b, c, d]
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
            let product = |p: usize| exactly(products, (p * ROWS + window) * COLUMNS + j);
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
