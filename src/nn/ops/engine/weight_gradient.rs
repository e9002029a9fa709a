//! The gradient of the weights: for every tap, `sum over pixels of x(pixel + tap) * gradient(pixel)`.
//!
//! As a product: A is the activations transposed, one row an input channel, pixels along the row; B is the output gradient,
//! 32 channels a panel. Two layouts of A:
//!
//! ```text
//! shifted   [inputs][lines + 2][width + 2]   every tap is the same memory, shifted by a constant
//! explicit  [9 x inputs][pixels]             one row a tap and input: for narrow pictures
//! ```
//!
//! (Layers with few inputs, maps of a few pixels and shapes that suit Winograd's way go to `few_inputs.rs`, `small_maps.rs` and
//! `winograd_gradient.rs`.)
//!
//! And two ways to share the work, chosen by the shape alone so that the sums have one order:
//!
//! * few weights, many pixels: groups of bands are packed and multiplied one band after the other by one thread, which
//!   keeps everything in the second-level cache; the groups' sums are added in order;
//! * many weights, few pixels: everything is packed first, then each thread computes its own part of the weights.

use super::Step;
use super::buffer::{Buffer, Scratch, Shared};
use super::few_inputs::{self, FEW};
use super::kernel::{COLUMNS, Kernel, ROWS, Rows, Task, run_all};
use super::pixels::{Grid, Pixels};
use super::small_maps;
use super::transpose::{Band, SPARE, explicit, gradients, pitch, shifted};
use super::winograd_gradient;

/// Pictures narrower than this take the explicit layout: their runs would be too short.
const NARROW: usize = 8;
/// Pixels that are multiplied before the next are touched.
const BAND_PIXELS: usize = 2048;
/// Groups of bands that are summed apart.
const GROUPS: usize = 16;
/// The largest gradient, in numbers, that is worth summing in groups.
const GROUPED_WEIGHTS: usize = 128 * 1024;

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
    /// Lines of an image, and pixels in such a line (made even), that have a gradient.
    height: usize,
    run: usize,
    explicit: bool,
    /// Rows of A: input channels or taps x inputs, rounded up to what tiles cover.
    rows: usize,
    panels: usize,
}

impl Plan {
    fn new(input: Grid, outputs: usize, extent: (usize, usize)) -> Self {
        let explicit = input.width < NARROW;
        let rows = if explicit { 9 * input.channels } else { input.channels };
        let rows = rows.next_multiple_of(4).max(8);
        let panels = outputs.div_ceil(COLUMNS);
        Self { input, outputs, height: extent.0, run: extent.1.next_multiple_of(2), explicit, rows, panels }
    }

    fn taps(&self) -> usize {
        if self.explicit { 1 } else { 9 }
    }

    /// Numbers of the sums: taps x rows x panels x 32.
    fn sums(&self) -> usize {
        self.taps() * self.rows * self.panels * COLUMNS
    }

    /// Whether the sums are already the gradient: no rows or columns that only fill up tiles.
    fn is_exact(&self) -> bool {
        self.outputs.is_multiple_of(COLUMNS) && self.taps() * self.rows == 9 * self.input.channels
    }

    /// Numbers of a row of A for one band.
    fn band_numbers(&self, lines: usize) -> usize {
        if self.explicit { lines * self.run } else { (lines + 2) * pitch(self.input) }
    }

    /// The lines of all images, cut into bands of at most [`BAND_PIXELS`].
    fn bands(&self) -> Vec<Band> {
        let lines = (BAND_PIXELS / self.run.max(1)).clamp(1, self.height.max(1));
        let bands = |image| (0..self.height).step_by(lines).map(move |top| Band { image, top, bottom: self.height.min(top + lines) });
        (0..self.input.images).flat_map(bands).collect()
    }

    fn whole(&self, image: usize) -> Band {
        Band { image, top: 0, bottom: self.height }
    }
}

/// An odd number of cache lines, so that the rows of a tile lie in different sets.
fn spread(numbers: usize) -> usize {
    ((numbers + SPARE).div_ceil(32) | 1) * 32
}

/// Cuts `rows` (a multiple of 4, at least 8) into tiles of 12 and, at the end, of 8: start and height of each.
pub fn tiles(rows: usize) -> impl Iterator<Item = (usize, usize)> {
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
    if plan.input.channels < FEW {
        return few_inputs::weight_gradient(step, x, gradient, &mut workspace.partial, out);
    }
    if small_maps::suits(plan.input, plan.outputs) {
        let Workspace { activations, gradients, .. } = workspace;
        return small_maps::weight_gradient(step, x, gradient, activations, gradients, out);
    }
    let (height, width) = gradient.extent();
    let windows = plan.input.images * height.div_ceil(2) * width.div_ceil(2);
    if winograd_gradient::suits(plan.input.channels, plan.outputs, height.min(width), windows) {
        return winograd_gradient::weight_gradient(step, x, gradient, &mut workspace.partial, out);
    }
    if plan.sums() <= GROUPED_WEIGHTS {
        let bands = plan.bands();
        let groups = GROUPS.min(bands.len()).max(1);
        let partial = workspace.partial.numbers::<f32>(groups * plan.sums());
        let task = Grouped { x, gradient, plan, bands: &bands, groups, sums: Shared::new(partial) };
        run_all(step, &task, groups);
        run_all(step, &Collect { plan, partial, groups, out: Shared::new(out) }, 9 * plan.input.channels);
        return;
    }
    let images = plan.input.images;
    let stride = spread(images * plan.band_numbers(plan.height));
    let activations = Shared::new(workspace.activations.numbers::<f32>(plan.rows * stride));
    let panel_stride = images * plan.height * plan.run * COLUMNS;
    let panels = Shared::new(workspace.gradients.numbers::<f32>(plan.panels * panel_stride));
    run_all(step, &PackImages { x, gradient, plan, stride, activations, panel_stride, panels }, images);
    let pieces = plan.panels * tiles(plan.rows).count();
    let multiply = |sums| run_all(step, &Multiply { plan, stride, activations, panel_stride, panels, sums }, pieces);
    if plan.is_exact() {
        multiply(Shared::new(out));
    } else {
        let partial = workspace.partial.numbers::<f32>(plan.sums());
        multiply(Shared::new(partial));
        run_all(step, &Collect { plan, partial, groups: 1, out: Shared::new(out) }, 9 * plan.input.channels);
    }
}

/// The operands of a product as they were packed.
struct Operands<'a, P> {
    activations: *const P,
    stride: usize,
    /// Where the lines start in a row of A (shifted layout).
    lines: &'a [usize],
    /// Pixels in all lines together.
    pixels: usize,
    /// The panel's first number.
    panel: *const P,
}

/// One tile of rows and one panel, all taps; replaces the sums, or adds to them if `ADD`.
///
/// # Safety
/// The step's instructions are available, the operands hold what `plan` says, and the sums of this tile and panel (from
/// `sums`, taps x rows x panels x 32) are touched by nobody else.
#[inline(always)]
unsafe fn multiply<K: Kernel, const ADD: bool>(
    plan: &Plan,
    from: &Operands<'_, K::Packed>,
    tile: (usize, usize),
    panel: usize,
    sums: *mut f32,
) {
    let (row, height) = tile;
    let columns = plan.panels * COLUMNS;
    for tap in 0..plan.taps() {
        let shift = if plan.explicit { 0 } else { tap / 3 * pitch(plan.input) + tap % 3 };
        // SAFETY: promised by the caller.
        unsafe {
            let first = from.activations.add(row * from.stride + shift);
            let (runs, run_length) = if plan.explicit { (&[0][..], from.pixels) } else { (from.lines, plan.run) };
            let a = Rows { first, stride: from.stride, runs, run_length };
            let c = sums.add((tap * plan.rows + row) * columns + panel * COLUMNS);
            if height == ROWS { K::tile::<ROWS, ADD>(&a, from.panel, c, columns) } else { K::tile::<8, ADD>(&a, from.panel, c, columns) }
        }
    }
}

/// Few weights: one piece packs and multiplies its bands.
struct Grouped<'a, X, G> {
    x: &'a X,
    gradient: &'a G,
    plan: Plan,
    bands: &'a [Band],
    groups: usize,
    /// groups x sums
    sums: Shared<f32>,
}

impl<X: Pixels, G: Pixels> Task for Grouped<'_, X, G> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, group: usize) {
        let plan = &self.plan;
        let bands = &self.bands[self.bands.len() * group / self.groups..self.bands.len() * (group + 1) / self.groups];
        let (mut first_scratch, mut second_scratch) = (Scratch::take(), Scratch::take());
        // SAFETY: the sums of this group are this piece's; scratch memory is sized for each band.
        unsafe {
            let sums = self.sums.part(group * plan.sums(), plan.sums());
            if bands.is_empty() {
                sums.fill(0.0);
            }
            for (index, &band) in bands.iter().enumerate() {
                let stride = spread(plan.band_numbers(band.lines()));
                let pixels = band.lines() * plan.run;
                let a = first_scratch.numbers::<K::Packed>(plan.rows * stride).as_mut_ptr();
                let b = second_scratch.numbers::<K::Packed>(plan.panels * pixels * COLUMNS).as_mut_ptr();
                pack::<K, X, G>(self.x, self.gradient, plan, (band, true), (a, stride), (b, pixels * COLUMNS));
                let lines: Vec<usize> = (0..band.lines()).map(|line| line * pitch(plan.input)).collect();
                for panel in 0..plan.panels {
                    let from =
                        Operands { activations: a.cast_const(), stride, lines: &lines, pixels, panel: b.add(panel * pixels * COLUMNS) };
                    for tile in tiles(plan.rows) {
                        if index == 0 {
                            multiply::<K, false>(plan, &from, tile, panel, sums.as_mut_ptr());
                        } else {
                            multiply::<K, true>(plan, &from, tile, panel, sums.as_mut_ptr());
                        }
                    }
                }
            }
        }
    }
}

/// Packs one band (and whether it is the last of its row of A) of both operands; each target is a pointer and the numbers between rows or panels.
///
/// # Safety
/// The step's instructions are available, and both targets have room for this call alone.
#[inline(always)]
unsafe fn pack<K: Kernel, X: Pixels, G: Pixels>(
    x: &X,
    gradient: &G,
    plan: &Plan,
    (band, last): (Band, bool),
    (a, stride): (*mut K::Packed, usize),
    (b, panel_stride): (*mut K::Packed, usize),
) {
    // SAFETY: promised by the caller.
    unsafe {
        if plan.explicit {
            explicit::<K, X>(x, band, plan.run, plan.rows, a, stride);
        } else {
            shifted::<K, X>(x, band, last, plan.rows, a, stride);
        }
        gradients::<K, G>(gradient, band, plan.run, b, panel_stride);
    }
}

/// Many weights, first half: packs whole images behind each other.
struct PackImages<'a, X, G> {
    x: &'a X,
    gradient: &'a G,
    plan: Plan,
    stride: usize,
    activations: Shared<f32>,
    panel_stride: usize,
    panels: Shared<f32>,
}

impl<X: Pixels, G: Pixels> Task for PackImages<'_, X, G> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, image: usize) {
        let plan = &self.plan;
        let last = image + 1 == plan.input.images;
        // SAFETY: packed numbers are at most as large as the f32 that the buffers were sized for; pieces are images.
        unsafe {
            let a = self.activations.at(0).cast::<K::Packed>().add(image * plan.band_numbers(plan.height));
            let b = self.panels.at(0).cast::<K::Packed>().add(image * plan.height * plan.run * COLUMNS);
            pack::<K, X, G>(self.x, self.gradient, plan, (plan.whole(image), last), (a, self.stride), (b, self.panel_stride));
        }
    }
}

/// Many weights, second half: one tile of rows and one panel a piece.
struct Multiply {
    plan: Plan,
    stride: usize,
    activations: Shared<f32>,
    panel_stride: usize,
    panels: Shared<f32>,
    sums: Shared<f32>,
}

impl Task for Multiply {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let plan = &self.plan;
        let count = tiles(plan.rows).count();
        let (panel, tile) = (index / count, index % count);
        let Some(tile) = tiles(plan.rows).nth(tile) else { return };
        let pitch = pitch(plan.input);
        let all = plan.input.images * plan.height;
        let block = (BAND_PIXELS / plan.run.max(1)).max(1);
        for start in (0..all).step_by(block) {
            let count = block.min(all - start);
            let line = |line: usize| line / plan.height * plan.band_numbers(plan.height) + line % plan.height * pitch;
            let lines: Vec<usize> = if plan.explicit { Vec::new() } else { (start..start + count).map(line).collect() };
            // SAFETY: everything was packed; this tile and panel of the sums are this piece's.
            unsafe {
                let a = self.activations.at(0).cast::<K::Packed>().cast_const();
                let b = self.panels.at(0).cast::<K::Packed>().cast_const().add(panel * self.panel_stride + start * plan.run * COLUMNS);
                let activations = if plan.explicit { a.add(start * plan.run) } else { a };
                let from = Operands { activations, stride: self.stride, lines: &lines, pixels: count * plan.run, panel: b };
                if start == 0 {
                    multiply::<K, false>(plan, &from, tile, panel, self.sums.at(0));
                } else {
                    multiply::<K, true>(plan, &from, tile, panel, self.sums.at(0));
                }
            }
        }
    }
}

/// Adds the groups up and leaves out what only fills up tiles.
struct Collect<'a> {
    plan: Plan,
    partial: &'a [f32],
    groups: usize,
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
        for group in 0..self.groups {
            let sums = &self.partial[group * plan.sums() + row * columns..][..plan.outputs];
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = if group == 0 { *sum } else { *out + sum };
            }
        }
    }
}
