//! The weight gradient by Winograd's F(2 x 2, 3 x 3), the adjoint of the forward product in `winograd.rs`:
//!
//! ```text
//! gradient = G' [ sum over windows of (B' d B) * (A g A') ] G
//!
//! d: the 4 x 4 pixels that a window sees      g: the output gradient of its 2 x 2 pixels
//! ```
//!
//! The sum is sixteen products of inputs x windows by windows x outputs. Work is shared by groups of windows, whose sums are
//! added up in order, and, where there are few groups, within a group by the four lines of the sixteen products.

use super::Step;
use super::buffer::{Buffer, Scratch, Shared};
use super::kernel::{COLUMNS, Kernel, LANES, Task, exactly, run_all};
use super::pixels::Pixels;
use super::weight_gradient::tiles;
use super::windows::{Place, Windows};
use super::winograd::{self, Lanes, PRODUCTS, add, four_parts, line_of, subtract, transform_four};

/// Groups of windows that are summed apart, at most.
const GROUPS: usize = 16;
/// Numbers that the sums of all groups may have together.
const SUMS: usize = 1 << 20;
/// Bytes of transformed numbers that a piece of work keeps in the second-level cache.
const BLOCK_BYTES: usize = 512 * 1024;
/// The least and the most windows that are transformed before they are multiplied.
const BLOCK_WINDOWS: (usize, usize) = (64, 512);

/// Whether this way suits the shape; `windows` are those with a gradient.
pub fn suits(inputs: usize, outputs: usize, side: usize, windows: usize) -> bool {
    winograd::suits(inputs) && outputs.is_multiple_of(LANES) && side > 2 && windows >= BLOCK_WINDOWS.0
}

/// Writes the gradient of the weights (9 x inputs x outputs).
pub fn weight_gradient<X: Pixels, G: Pixels>(step: Step, x: &X, gradient: &G, partial: &mut Buffer, out: &mut [f32]) {
    let (inputs, outputs) = (x.grid().channels, gradient.grid().channels);
    let windows = Windows::covering_extent(gradient.grid(), gradient.extent());
    let columns = outputs.next_multiple_of(COLUMNS);
    let len = PRODUCTS * inputs * columns;
    let bytes = if step.is_f32() { size_of::<f32>() } else { size_of::<u16>() };
    let block = (BLOCK_BYTES / (4 * (inputs + columns) * bytes)).clamp(BLOCK_WINDOWS.0, BLOCK_WINDOWS.1);
    let groups = (SUMS / len).clamp(1, GROUPS).min(windows.count().div_ceil(block));
    let sums = partial.numbers::<f32>(groups * len);
    let task = Multiply { x, gradient, windows, columns, groups, block, room: block.next_multiple_of(2), sums: Shared::new(sums), len };
    run_all(step, &task, if task.apart() { groups * 4 } else { groups });
    run_all(step, &Collect { inputs, outputs, columns, sums, len, out: Shared::new(out) }, inputs);
}

struct Multiply<'a, X, G> {
    x: &'a X,
    gradient: &'a G,
    windows: Windows,
    /// Outputs, rounded up to whole panels.
    columns: usize,
    groups: usize,
    /// Windows that are transformed before they are multiplied, and room for them, in pairs.
    block: usize,
    room: usize,
    /// groups x products x inputs x columns.
    sums: Shared<f32>,
    /// Sums of a group.
    len: usize,
}

impl<X: Pixels, G: Pixels> Task for Multiply<'_, X, G> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let (group, lines) = if self.apart() { (index / 4, index % 4..index % 4 + 1) } else { (index, 0..4) };
        let (all, inputs) = (self.windows.count(), self.x.grid().channels);
        let (start, end) = (all * group / self.groups, all * (group + 1) / self.groups);
        let (mut activations_scratch, mut gradients_scratch) = (Scratch::take(), Scratch::take());
        // [4 products][room][inputs] and [4 products][panels][room][32], pairs of windows side by side where the step takes pairs
        let activations = activations_scratch.numbers::<K::Packed>(4 * self.room * inputs);
        let gradients = gradients_scratch.numbers::<K::Packed>(4 * self.room * self.columns);
        for first in (start..end).step_by(self.block) {
            let count = self.block.min(end - first);
            for line in lines.clone() {
                match line {
                    0 => self.transform::<K, 0>(first, count, activations, gradients),
                    1 => self.transform::<K, 1>(first, count, activations, gradients),
                    2 => self.transform::<K, 2>(first, count, activations, gradients),
                    _ => self.transform::<K, 3>(first, count, activations, gradients),
                }
                for column in 0..4 {
                    let a = &activations[column * self.room * inputs..][..self.room * inputs];
                    let b = &gradients[column * self.room * self.columns..][..self.room * self.columns];
                    let at = group * self.len + (line * 4 + column) * inputs * self.columns;
                    // SAFETY: this product of this group belongs to this piece; the operands were just transformed.
                    unsafe {
                        let sums = self.sums.part(at, inputs * self.columns);
                        if first == start {
                            self.product::<K, false>(a, b, count, sums);
                        } else {
                            self.product::<K, true>(a, b, count, sums);
                        }
                    }
                }
            }
        }
    }
}

impl<X, G> Multiply<'_, X, G> {
    /// Whether the lines of a group are pieces of their own. Otherwise one piece goes through them while the pixels of a block,
    /// which all four see, are in the second-level cache.
    fn apart(&self) -> bool {
        self.groups < GROUPS
    }
}

impl<X: Pixels, G: Pixels> Multiply<'_, X, G> {
    /// One of the sixteen products over `count` windows.
    ///
    /// # Safety
    /// The step's instructions are available.
    #[inline(always)]
    unsafe fn product<K: Kernel, const ADD: bool>(&self, a: &[K::Packed], b: &[K::Packed], count: usize, sums: &mut [f32]) {
        let (inputs, depth) = (self.x.grid().channels, count.next_multiple_of(K::DEPTH_STEP));
        assert!(a.len() >= depth * inputs && b.len() >= self.room * self.columns && sums.len() >= inputs * self.columns);
        for (panel, b) in b.chunks_exact(self.room * COLUMNS).enumerate() {
            for (row, height) in tiles(inputs) {
                // SAFETY: `height` of the inputs from `row`, `count` windows of the panel (and one of zeros where the last has no
                // other to pair with), and the tile of the sums: all within the lengths just checked.
                unsafe {
                    let c = sums.as_mut_ptr().add(row * self.columns + panel * COLUMNS);
                    let a = a.as_ptr().add(row * K::DEPTH_STEP);
                    if height == 8 {
                        K::outer::<8, ADD>(a, inputs, depth, b.as_ptr(), c, self.columns);
                    } else {
                        K::outer::<12, ADD>(a, inputs, depth, b.as_ptr(), c, self.columns);
                    }
                }
            }
        }
    }

    /// Line LINE of `B' d B` and of `A g A'` for some windows.
    #[inline(always)]
    fn transform<K: Kernel, const LINE: usize>(
        &self,
        first: usize,
        count: usize,
        activations: &mut [K::Packed],
        gradients: &mut [K::Packed],
    ) {
        self.transform_activations::<K, LINE>(first, count, activations);
        self.transform_gradients::<K, LINE>(first, count, gradients);
    }

    /// A line of `B' d B`: it needs two lines of the window's pixels.
    #[inline(always)]
    fn transform_activations<K: Kernel, const LINE: usize>(&self, first: usize, count: usize, out: &mut [K::Packed]) {
        let channels = self.x.grid().channels;
        let mut scratch = Scratch::take();
        // two lines of two windows
        let room = scratch.numbers::<f32>(4 * 4 * channels);
        let (from, to) = [(0, 2), (1, 2), (2, 1), (1, 3)][LINE];
        let mut places = self.windows.places(first, first + count);
        for at in (0..count).step_by(2) {
            // the last window may have no other to pair with: whatever is read for that is multiplied with a gradient of zero
            let one = places.next().expect("a place for each window");
            let other = places.next().unwrap_or(one);
            let [room0, room1, room2, room3] = four_parts(room);
            let one = [line_of(self.x, one, from, room0), line_of(self.x, one, to, room1)];
            let other = [line_of(self.x, other, from, room2), line_of(self.x, other, to, room3)];
            for c in (0..channels).step_by(LANES) {
                let (one, other) = (activations::<LINE>(one, channels, c), activations::<LINE>(other, channels, c));
                for column in 0..4 {
                    let out = &mut out[(column * self.room + at) * channels..][..2 * channels];
                    // SAFETY: the step's instructions are promised by the caller of `run`.
                    unsafe { K::pack_two([&one[column], &other[column]], c, channels, out) };
                }
            }
        }
    }

    /// A line of `A g A'`.
    #[inline(always)]
    fn transform_gradients<K: Kernel, const LINE: usize>(&self, first: usize, count: usize, out: &mut [K::Packed]) {
        let outputs = self.gradient.grid().channels;
        let mut scratch = Scratch::take();
        // of two windows, [windows][4 pixels][outputs]
        let pixels = scratch.numbers::<f32>(2 * 4 * outputs);
        let mut places = self.windows.places(first, first + count);
        for at in (0..count).step_by(2) {
            for (window, pixels) in (at..).zip(pixels.chunks_exact_mut(4 * outputs)) {
                if window == count {
                    pixels.fill(0.0);
                    continue;
                }
                let Place { image, y, x } = places.next().expect("a place for each window");
                self.gradient.read_window(image, y, x, pixels);
            }
            let (one, other) = pixels.split_at(4 * outputs);
            for o in (0..outputs).step_by(LANES) {
                let (one, other) = (gradients::<LINE>(one, outputs, o), gradients::<LINE>(other, outputs, o));
                for column in 0..4 {
                    let start = column * self.room * self.columns + (o / COLUMNS * self.room + at) * COLUMNS;
                    // SAFETY: the step's instructions are promised by the caller of `run`.
                    unsafe { K::pack_two([&one[column], &other[column]], o % COLUMNS, COLUMNS, &mut out[start..start + 2 * COLUMNS]) };
                }
            }
        }
    }
}

/// Line LINE of `B' d B` of sixteen channels from `c` on, of the two lines of pixels that it needs.
#[inline(always)]
fn activations<const LINE: usize>([one, other]: [&[f32]; 2], channels: usize, c: usize) -> [Lanes; 4] {
    let mut sums = [[0.0; LANES]; 4];
    for (column, sum) in sums.iter_mut().enumerate() {
        let (one, other) = (exactly(one, column * channels + c), exactly(other, column * channels + c));
        *sum = if LINE == 1 { add(one, other) } else { subtract(one, other) };
    }
    let [a, b, c, d] = &sums;
    transform_four(a, b, c, d)
}

/// Line LINE of `A g A'` of sixteen outputs from `o` on, of a window's four pixels.
#[inline(always)]
fn gradients<const LINE: usize>(pixels: &[f32], outputs: usize, o: usize) -> [Lanes; 4] {
    let left = spread::<LINE>(exactly(pixels, o), exactly(pixels, 2 * outputs + o));
    let right = spread::<LINE>(exactly(pixels, outputs + o), exactly(pixels, 3 * outputs + o));
    [left, add(&left, &right), subtract(&left, &right), subtract(&[0.0; LANES], &right)]
}

/// Line LINE of A applied to two numbers.
#[inline(always)]
fn spread<const LINE: usize>(a: &Lanes, b: &Lanes) -> Lanes {
    match LINE {
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
                    *sum = add(sum, exactly(group, (product * self.inputs + input) * self.columns + o));
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
