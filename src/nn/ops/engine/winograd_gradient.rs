//! The weight gradient by Winograd's F(2 x 2, 3 x 3), the adjoint of the forward product in `winograd.rs`:
//!
//! ```text
//! gradient = G' [ sum over windows of (B' d B) * (A g A') ] G
//!
//! d: the 4 x 4 pixels that a window sees      g: the output gradient of its 2 x 2 pixels
//! ```
//!
//! The sum is sixteen products of inputs x windows by windows x outputs. Work is shared by groups of windows, whose sums are
//! added up in order, and within a group by the four lines of the sixteen products.

use super::Step;
use super::buffer::{Buffer, Scratch, Shared};
use super::kernel::{COLUMNS, Kernel, Task, run_all};
use super::pixels::Pixels;
use super::weight_gradient::tiles;
use super::windows::Windows;
use super::winograd::{LANES, Lanes, PRODUCTS, add, lanes, read_line, subtract, transform_four};

/// Groups of windows that are summed apart, at most.
const GROUPS: usize = 16;
/// Numbers that the sums of all groups may have together.
const SUMS: usize = 1 << 20;
/// Bytes of transformed numbers that a piece of work keeps in the second-level cache.
const BLOCK_BYTES: usize = 512 * 1024;
/// The least and the most windows that are transformed before they are multiplied.
const BLOCK_WINDOWS: (usize, usize) = (64, 512);

/// Whether this way suits the shape; `windows` are those with a gradient.
pub fn suits(step: Step, inputs: usize, outputs: usize, side: usize, windows: usize) -> bool {
    step.is_f32() && inputs.is_multiple_of(LANES) && outputs.is_multiple_of(LANES) && side > 2 && windows >= BLOCK_WINDOWS.0
}

/// Writes the gradient of the weights (9 x inputs x outputs).
pub fn weight_gradient<X: Pixels, G: Pixels>(step: Step, x: &X, gradient: &G, partial: &mut Buffer, out: &mut [f32]) {
    let (inputs, outputs) = (x.grid().channels, gradient.grid().channels);
    let windows = Windows::covering_extent(gradient.grid(), gradient.extent());
    let columns = outputs.next_multiple_of(COLUMNS);
    let len = PRODUCTS * inputs * columns;
    let block = (BLOCK_BYTES / (4 * (inputs + columns) * size_of::<f32>())).clamp(BLOCK_WINDOWS.0, BLOCK_WINDOWS.1);
    let groups = (SUMS / len).clamp(1, GROUPS).min(windows.count().div_ceil(block));
    let sums = partial.numbers::<f32>(groups * len);
    let task = Multiply { x, gradient, windows, columns, groups, block, sums: Shared::new(sums), len };
    run_all(step, &task, groups * 4);
    run_all(step, &Collect { inputs, outputs, columns, sums, len, out: Shared::new(out) }, inputs);
}

struct Multiply<'a, X, G> {
    x: &'a X,
    gradient: &'a G,
    windows: Windows,
    /// Outputs, rounded up to whole panels.
    columns: usize,
    groups: usize,
    block: usize,
    /// groups x products x inputs x columns.
    sums: Shared<f32>,
    /// Sums of a group.
    len: usize,
}

impl<X: Pixels, G: Pixels> Task for Multiply<'_, X, G> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let (group, line) = (index / 4, index % 4);
        let (all, inputs) = (self.windows.count(), self.x.grid().channels);
        let (start, end) = (all * group / self.groups, all * (group + 1) / self.groups);
        let (mut activations_scratch, mut gradients_scratch) = (Scratch::take(), Scratch::take());
        // [4 products][block][inputs] and [4 products][panels][block][32]
        let activations = activations_scratch.numbers::<f32>(4 * self.block * inputs);
        let gradients = gradients_scratch.numbers::<f32>(4 * self.block * self.columns);
        for first in (start..end).step_by(self.block) {
            let count = self.block.min(end - first);
            self.transform_activations(line, first, count, activations);
            self.transform_gradients(line, first, count, gradients);
            for column in 0..4 {
                let a = &activations[column * self.block * inputs..][..count * inputs];
                let b = &gradients[column * self.block * self.columns..][..self.block * self.columns];
                let at = group * self.len + (line * 4 + column) * inputs * self.columns;
                // SAFETY: this product of this group belongs to this piece; the operands were just transformed.
                unsafe {
                    let sums = self.sums.part(at, inputs * self.columns);
                    if first == start { self.product::<K, false>(a, b, count, sums) } else { self.product::<K, true>(a, b, count, sums) }
                }
            }
        }
    }
}

impl<X: Pixels, G: Pixels> Multiply<'_, X, G> {
    /// One of the sixteen products over `count` windows.
    ///
    /// # Safety
    /// The step's instructions are available.
    #[inline(always)]
    unsafe fn product<K: Kernel, const ADD: bool>(&self, a: &[f32], b: &[f32], count: usize, sums: &mut [f32]) {
        let inputs = self.x.grid().channels;
        assert!(a.len() >= count * inputs && b.len() >= self.block * self.columns && sums.len() >= inputs * self.columns);
        for (panel, b) in b.chunks_exact(self.block * COLUMNS).enumerate() {
            for (row, height) in tiles(inputs) {
                // SAFETY: `height` of the inputs from `row`, `count` windows of the panel, and the tile of the sums: all within
                // the lengths just checked.
                unsafe {
                    let c = sums.as_mut_ptr().add(row * self.columns + panel * COLUMNS);
                    let a = a.as_ptr().add(row);
                    if height == 8 {
                        K::outer::<8, ADD>(a, inputs, count, b.as_ptr(), c, self.columns);
                    } else {
                        K::outer::<12, ADD>(a, inputs, count, b.as_ptr(), c, self.columns);
                    }
                }
            }
        }
    }

    /// A line of `B' d B`: it needs two lines of the window's pixels.
    #[inline(always)]
    fn transform_activations(&self, line: usize, first: usize, count: usize, out: &mut [f32]) {
        let channels = self.x.grid().channels;
        let mut scratch = Scratch::take();
        let (one, other) = scratch.numbers::<f32>(8 * channels).split_at_mut(4 * channels);
        let (from, to) = [(0, 2), (1, 2), (2, 1), (1, 3)][line];
        for window in 0..count {
            let place = self.windows.locate(first + window);
            read_line(self.x, place, from, one);
            read_line(self.x, place, to, other);
            for c in (0..channels).step_by(LANES) {
                let mut pixels = [[0.0; LANES]; 4];
                for (column, pixel) in pixels.iter_mut().enumerate() {
                    let (one, other) = (lanes(one, column * channels + c), lanes(other, column * channels + c));
                    *pixel = if line == 1 { add(one, other) } else { subtract(one, other) };
                }
                let [a, b, c2, d] = &pixels;
                for (column, value) in transform_four(a, b, c2, d).iter().enumerate() {
                    out[(column * self.block + window) * channels + c..][..LANES].copy_from_slice(value);
                }
            }
        }
    }

    /// A line of `A g A'`.
    #[inline(always)]
    fn transform_gradients(&self, line: usize, first: usize, count: usize, out: &mut [f32]) {
        let outputs = self.gradient.grid().channels;
        let mut scratch = Scratch::take();
        let pixels = scratch.numbers::<f32>(4 * outputs);
        for window in 0..count {
            let place = self.windows.locate(first + window);
            for (position, pixel) in pixels.chunks_exact_mut(outputs).enumerate() {
                match self.windows.pixel(place, position) {
                    Some(_) => self.gradient.read(place.image, place.y + position / 2, place.x + position % 2, 1, pixel),
                    None => pixel.fill(0.0),
                }
            }
            for o in (0..outputs).step_by(LANES) {
                let [left, right] = [0, 1].map(|column| {
                    let (top, bottom) = (lanes(pixels, column * outputs + o), lanes(pixels, (2 + column) * outputs + o));
                    spread(line, top, bottom)
                });
                for column in 0..4 {
                    let at = column * self.block * self.columns + (o / COLUMNS * self.block + window) * COLUMNS + o % COLUMNS;
                    out[at..at + LANES].copy_from_slice(&spread(column, &left, &right));
                }
            }
        }
    }
}

/// Line `line` of A applied to two numbers.
#[inline(always)]
fn spread(line: usize, a: &Lanes, b: &Lanes) -> Lanes {
    match line {
        0 => *a,
        1 => add(a, b),
        2 => subtract(a, b),
        _ => subtract(&[0.0; LANES], b),
    }
}

/// Adds the groups up and applies `G'` and `G`.
struct Collect<'a> {
    inputs: usize,
    outputs: usize,
    columns: usize,
    sums: &'a [f32],
    len: usize,
    out: Shared<f32>,
}

impl Task for Collect<'_> {
    /// One input, all outputs.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, input: usize) {
        for o in (0..self.outputs).step_by(LANES) {
            let mut products = [[0.0; LANES]; PRODUCTS];
            for group in self.sums.chunks_exact(self.len) {
                for (product, sum) in products.iter_mut().enumerate() {
                    *sum = add(sum, lanes(group, (product * self.inputs + input) * self.columns + o));
                }
            }
            let mut rows = [[[0.0; LANES]; 4]; 3];
            for column in 0..4 {
                let lines = [0, 1, 2, 3].map(|line: usize| &products[line * 4 + column]);
                for (row, value) in rows.iter_mut().zip(gather_three(lines)) {
                    row[column] = value;
                }
            }
            for (line, [a, b, c, d]) in rows.iter().enumerate() {
                for (column, value) in gather_three([a, b, c, d]).iter().enumerate() {
                    // SAFETY: sixteen outputs of this input, which is this piece's.
                    let out = unsafe { self.out.part(((line * 3 + column) * self.inputs + input) * self.outputs + o, LANES) };
                    out.copy_from_slice(value);
                }
            }
        }
    }
}

/// G' applied to four numbers.
#[inline(always)]
fn gather_three([a, b, c, d]: [&Lanes; 4]) -> [Lanes; 3] {
    let (mut first, mut middle, mut last) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for i in 0..LANES {
        let sum = 0.5 * (b[i] + c[i]);
        first[i] = a[i] + sum;
        middle[i] = 0.5 * (b[i] - c[i]);
        last[i] = sum + d[i];
    }
    [first, middle, last]
}
