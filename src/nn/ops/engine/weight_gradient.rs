//! The gradient of the weights: for every tap, `sum over pixels of x(pixel + tap) * gradient(pixel)`.
//!
//! As a product: A is the activations transposed, one row an input channel, pixels along the row; B is the output gradient,
//! 32 channels a panel. Two layouts of A:
//!
//! ```text
//! shifted   [inputs][images x (H + 2) x (W + 2)]   every tap is the same memory, shifted by a constant
//! explicit  [9 x inputs][pixels]                   one row a tap and input: for few inputs or narrow pictures
//! ```
//!
//! The pixels are cut into fixed blocks whose part of B stays in the second-level cache, and, where the weights are few,
//! into fixed groups that are summed apart and then together, always in the same order.

use super::Step;
use super::buffer::{Buffer, Scratch, Shared};
use super::kernel::{COLUMNS, Kernel, ROWS, Rows, Task, run_all};
use super::pixels::{Grid, Pixels, gather};

/// Pictures narrower than this take the explicit layout: their runs would be too short.
const NARROW: usize = 8;
/// Pixels whose gradients are multiplied before the next are touched.
const BLOCK_PIXELS: usize = 2048;
/// The least number of pieces that the product is cut into.
const PIECES: usize = 16;

/// Memory kept from step to step.
#[derive(Default)]
pub struct Workspace {
    activations: Buffer,
    gradients: Buffer,
    partial: Buffer,
}

/// The shape of the work.
#[derive(Clone, Copy)]
struct Plan {
    input: Grid,
    outputs: usize,
    /// Rows of pixels in an image, and pixels in such a row (made even), that have a gradient.
    height: usize,
    run: usize,
    explicit: bool,
    /// Rows of A: input channels or taps x inputs, rounded up to what tiles cover.
    rows: usize,
    /// Numbers between two rows of A.
    stride: usize,
    panels: usize,
    groups: usize,
}

impl Plan {
    fn new(input: Grid, outputs: usize, extent: (usize, usize)) -> Self {
        let run = extent.1.next_multiple_of(2);
        let explicit = input.width < NARROW || input.channels < 8;
        let (rows, positions) = if explicit {
            (9 * input.channels, input.images * extent.0 * run)
        } else {
            (input.channels, input.images * (input.height + 2) * padded_width(input))
        };
        let rows = rows.next_multiple_of(4).max(8);
        // an odd number of cache lines, so that the rows of a tile lie in different sets; two spare numbers, because the
        // last run of the last tap may be one longer than the picture
        let stride = ((positions + 2).next_multiple_of(32) / 32 | 1) * 32;
        let panels = outputs.div_ceil(COLUMNS);
        let tiles = tiles(rows).count() * panels;
        let groups = PIECES.div_ceil(tiles.max(1)).min(input.images).max(1);
        Self { input, outputs, height: extent.0, run, explicit, rows, stride, panels, groups }
    }

    fn positions(&self) -> usize {
        self.input.images * self.height * self.run
    }

    fn taps(&self) -> usize {
        if self.explicit { 1 } else { 9 }
    }

    /// Numbers of one group's sums: taps x rows x panels x 32.
    fn partial_len(&self) -> usize {
        self.taps() * self.rows * self.panels * COLUMNS
    }

    /// Whether the sums are already the gradient: one group, and no rows or columns that only fill up tiles.
    fn is_direct(&self) -> bool {
        self.groups == 1 && self.outputs.is_multiple_of(COLUMNS) && self.taps() * self.rows == 9 * self.input.channels
    }

    /// The images of a group.
    fn images(&self, group: usize) -> std::ops::Range<usize> {
        self.input.images * group / self.groups..self.input.images * (group + 1) / self.groups
    }
}

fn padded_width(grid: Grid) -> usize {
    grid.width + 2
}

/// Cuts `rows` (a multiple of 4, at least 8) into tiles of 12 and, at the end, of 8: start and height of each.
fn tiles(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let eights = match rows % ROWS {
        0 => 0,
        4 => 2,
        _ => 1,
    };
    let twelves = (rows - 8 * eights) / ROWS;
    (0..twelves).map(|i| (i * ROWS, ROWS)).chain((0..eights).map(move |i| (twelves * ROWS + 8 * i, 8)))
}

/// Writes the gradient of the weights (9 x inputs x outputs) for activations `x` and output gradient `gradient`.
pub fn weight_gradient<X: Pixels, G: Pixels>(step: Step, x: &X, gradient: &G, workspace: &mut Workspace, out: &mut [f32]) {
    let plan = Plan::new(x.grid(), gradient.grid().channels, gradient.extent());
    assert_eq!(out.len(), plan.outputs * plan.input.channels * 9, "the gradient has the shape of the weights");
    let activations = Shared::new(workspace.activations.numbers::<f32>(plan.rows * plan.stride));
    let gradients = Shared::new(workspace.gradients.numbers::<f32>(plan.panels * plan.positions() * COLUMNS));
    let pieces = plan.groups * plan.panels * tiles(plan.rows).count();
    if plan.explicit {
        run_all(step, &PackExplicit { x, plan, out: activations }, plan.input.images);
    } else {
        run_all(step, &PackShifted { x, plan, out: activations }, plan.input.images);
    }
    run_all(step, &PackGradient { gradient, plan, out: gradients }, plan.input.images);
    if plan.is_direct() {
        run_all(step, &Multiply { plan, activations, gradients, sums: Shared::new(out) }, pieces);
    } else {
        let partial = workspace.partial.numbers::<f32>(plan.groups * plan.partial_len());
        run_all(step, &Multiply { plan, activations, gradients, sums: Shared::new(partial) }, pieces);
        run_all(step, &Collect { plan, partial, out: Shared::new(out) }, 9 * plan.input.channels);
    }
}

/// Writes row `channel` of A from pixel-major numbers: `values[pixel * count + channel]` to `out[channel * stride + pixel]`.
#[inline(always)]
fn transpose<P: Copy>(values: &[P], count: usize, out: *mut P, stride: usize) {
    for (pixel, values) in values.chunks_exact(count).enumerate() {
        for (channel, value) in values.iter().enumerate() {
            // SAFETY: the caller gives room for `count` rows of as many numbers as there are pixels.
            unsafe { *out.add(channel * stride + pixel) = *value };
        }
    }
}

struct PackShifted<'a, X> {
    x: &'a X,
    plan: Plan,
    out: Shared<f32>,
}

impl<X: Pixels> Task for PackShifted<'_, X> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, image: usize) {
        let Plan { input, stride, rows, .. } = self.plan;
        let (pitch, channels) = (padded_width(input), input.channels);
        // SAFETY: packed numbers are at most as large as the f32 that the buffer was sized for.
        let out = unsafe { self.out.at(0).cast::<K::Packed>() };
        let first = image * (input.height + 2) * pitch;
        for channel in 0..rows {
            for line in 0..input.height + 2 {
                let edge = line == 0 || line == input.height + 1 || channel >= channels;
                let at = channel * stride + first + line * pitch;
                let blank = if edge { 0..pitch } else { 0..1 };
                // SAFETY: this image's part of the row; pieces are images. The last image also owns the two spare numbers.
                unsafe {
                    if line == input.height + 1 && image + 1 == input.images {
                        *out.add(at + pitch) = K::Packed::default();
                        *out.add(at + pitch + 1) = K::Packed::default();
                    }
                    for i in blank {
                        *out.add(at + i) = K::Packed::default();
                    }
                    if !edge {
                        *out.add(at + pitch - 1) = K::Packed::default();
                    }
                }
            }
        }
        let mut scratch = Scratch::take();
        let row = scratch.numbers::<f32>(input.width * channels);
        for y in 0..input.height {
            self.x.read(image, y, 0, input.width, row);
            // SAFETY: one line of this image, one number a channel and pixel.
            unsafe { pack_transposed::<K>(row, channels, out.add(first + (y + 1) * pitch + 1), stride) };
        }
    }
}

/// Pixels that are packed before they are transposed.
const TRANSPOSE_NUMBERS: usize = 512;

/// # Safety
/// The step's instructions are available; `out` has room for `count` rows of as many numbers as `values` has pixels.
#[inline(always)]
unsafe fn pack_transposed<K: Kernel>(values: &[f32], count: usize, out: *mut K::Packed, stride: usize) {
    let mut packed = [K::Packed::default(); TRANSPOSE_NUMBERS];
    let pixels = (TRANSPOSE_NUMBERS / count).max(1);
    for (chunk, values) in values.chunks(pixels * count).enumerate() {
        if count <= TRANSPOSE_NUMBERS {
            // SAFETY: promised by the caller.
            unsafe { K::pack(values, &mut packed[..values.len()]) };
            transpose(&packed[..values.len()], count, out.wrapping_add(chunk * pixels), stride);
        } else {
            for (part, values) in values.chunks(TRANSPOSE_NUMBERS).enumerate() {
                // SAFETY: promised by the caller.
                unsafe { K::pack(values, &mut packed[..values.len()]) };
                let out = out.wrapping_add(part * TRANSPOSE_NUMBERS * stride + chunk);
                transpose(&packed[..values.len()], values.len(), out, stride);
            }
        }
    }
}

struct PackExplicit<'a, X> {
    x: &'a X,
    plan: Plan,
    out: Shared<f32>,
}

impl<X: Pixels> Task for PackExplicit<'_, X> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, image: usize) {
        let Plan { input, stride, rows, height, run, .. } = self.plan;
        let depth = 9 * input.channels;
        // SAFETY: packed numbers are at most as large as the f32 that the buffer was sized for.
        let out = unsafe { self.out.at(0).cast::<K::Packed>() };
        let mut scratch = Scratch::take();
        let line = scratch.numbers::<f32>(run * depth);
        for y in 0..height {
            for (x, pixel) in line.chunks_exact_mut(depth).enumerate() {
                if x < input.width {
                    gather(self.x, image, y, x, pixel);
                } else {
                    pixel.fill(0.0);
                }
            }
            let at = (image * height + y) * run;
            // SAFETY: one line of this image in `depth` rows; then the rows that only fill up the last tile.
            unsafe {
                pack_transposed::<K>(line, depth, out.add(at), stride);
                for extra in depth..rows {
                    for x in 0..run {
                        *out.add(extra * stride + at + x) = K::Packed::default();
                    }
                }
            }
        }
    }
}

struct PackGradient<'a, G> {
    gradient: &'a G,
    plan: Plan,
    out: Shared<f32>,
}

impl<G: Pixels> Task for PackGradient<'_, G> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, image: usize) {
        let Plan { outputs, height, run, panels, .. } = self.plan;
        let (positions, pair) = (self.plan.positions(), K::DEPTH_STEP);
        let width = self.gradient.extent().1;
        // SAFETY: packed numbers are at most as large as the f32 that the buffer was sized for.
        let out = unsafe { self.out.at(0).cast::<K::Packed>() };
        let mut packed = [K::Packed::default(); COLUMNS];
        let mut scratch = Scratch::take();
        let row = scratch.numbers::<f32>(run * outputs);
        for y in 0..height {
            self.gradient.read(image, y, 0, width, row);
            row[width * outputs..].fill(0.0);
            for (x, values) in row.chunks_exact(outputs).enumerate() {
                let position = (image * height + y) * run + x;
                for (panel, values) in values.chunks(COLUMNS).enumerate() {
                    packed.fill(K::Packed::default());
                    // SAFETY: this pixel's 32 numbers of the panel, at most 32 of which come from `values`.
                    unsafe {
                        K::pack(values, &mut packed[..values.len()]);
                        let at = (panel * positions + position / pair * pair) * COLUMNS + position % pair;
                        for (j, value) in packed.iter().enumerate() {
                            *out.add(at + j * pair) = *value;
                        }
                    }
                }
            }
        }
        debug_assert!(panels * COLUMNS >= outputs);
    }
}

struct Multiply {
    plan: Plan,
    activations: Shared<f32>,
    gradients: Shared<f32>,
    sums: Shared<f32>,
}

impl Task for Multiply {
    /// One group, one panel, one tile of rows, all taps.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let plan = &self.plan;
        let count = tiles(plan.rows).count();
        let (tile, rest) = (index % count, index / count);
        let (panel, group) = (rest % plan.panels, rest / plan.panels);
        let Some((row, height)) = tiles(plan.rows).nth(tile) else { return };
        let columns = plan.panels * COLUMNS;
        let sums = |tap: usize| ((group * plan.taps() + tap) * plan.rows + row) * columns + panel * COLUMNS;
        for tap in 0..plan.taps() {
            for r in 0..height {
                // SAFETY: the sums of this group, panel and tile, which are this piece's.
                unsafe { self.sums.part(sums(tap) + r * columns, COLUMNS).fill(0.0) };
            }
        }
        let images = plan.images(group);
        let lines = images.len() * plan.height;
        let block = (BLOCK_PIXELS / plan.run).max(1);
        let mut runs = Vec::with_capacity(block);
        for start in (0..lines).step_by(block) {
            let end = lines.min(start + block);
            self.runs(images.start, start..end, &mut runs);
            let position = (images.start * plan.height + start) * plan.run;
            for tap in 0..plan.taps() {
                let shift = tap / 3 * padded_width(plan.input) + tap % 3;
                let (run_length, runs) = if plan.explicit { ((end - start) * plan.run, &[0][..]) } else { (plan.run, &runs[..]) };
                // SAFETY: rows row..row+height of A and these positions of B were packed for this kernel; the sums are ours.
                unsafe {
                    let first = if plan.explicit { position } else { shift };
                    let a = self.activations.at(0).cast::<K::Packed>().cast_const().add(row * plan.stride + first);
                    let a = Rows { first: a, stride: plan.stride, runs, run_length };
                    let b = self.gradients.at(0).cast::<K::Packed>().cast_const().add((panel * plan.positions() + position) * COLUMNS);
                    let c = self.sums.at(sums(tap));
                    if height == ROWS { K::tile::<ROWS, true>(&a, b, c, columns) } else { K::tile::<8, true>(&a, b, c, columns) }
                }
            }
        }
    }
}

impl Multiply {
    /// Where the lines of pixels start in a row of A, in the shifted layout.
    fn runs(&self, first_image: usize, lines: std::ops::Range<usize>, runs: &mut Vec<usize>) {
        let Plan { input, height, .. } = self.plan;
        runs.clear();
        runs.extend(lines.map(|line| ((first_image + line / height) * (input.height + 2) + line % height) * padded_width(input)));
    }
}

/// Adds the groups up and leaves out what only fills up tiles.
struct Collect<'a> {
    plan: Plan,
    partial: &'a [f32],
    out: Shared<f32>,
}

impl Task for Collect<'_> {
    /// One tap and input, all outputs.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let plan = &self.plan;
        let (inputs, columns) = (plan.input.channels, plan.panels * COLUMNS);
        let row = if plan.explicit { index } else { index / inputs * plan.rows + index % inputs };
        // SAFETY: the weights of this tap and input, which are this piece's.
        let out = unsafe { self.out.part(index * plan.outputs, plan.outputs) };
        for group in 0..plan.groups {
            let sums = &self.partial[group * plan.partial_len() + row * columns..][..plan.outputs];
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = if group == 0 { *sum } else { *out + sum };
            }
        }
    }
}
