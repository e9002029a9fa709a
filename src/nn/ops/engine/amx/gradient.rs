//! The weight gradient by AMX: for every tap, `sum over positions of x(position + tap) * gradient(position)`.
//!
//! Both operands come from sheets (see `sheet.rs`), which hold zeros wherever there is no pixel, so the sum runs over all
//! positions of a line without regard to images. The activations are transposed, the gradients paired:
//!
//! ```text
//!               positions                    32 outputs
//!         +---------------------+            +--------+
//!   32    | shifted by the tap  |     x      |        |  positions / 2, in pairs     -> 32 x 32 sums, tap by tap
//!   inputs|                     |            |        |
//!         +---------------------+            +--------+
//! ```
//!
//! Work is shared as in `weight_gradient.rs`: few weights by groups of lines whose sums are added up in order, many weights by
//! parts of the weights.

use std::arch::x86_64::_mm512_setzero_si512;

use super::super::Step;
use super::super::buffer::{Buffer, Scratch, Shared};
use super::super::kernel::{AMX_ROWS, COLUMNS, Kernel, Task, run_all};
use super::super::windows::PIECES;
use super::lanes::{LANES, pairs_of, store_pairs, transposed};
use super::sheet::{CHANNELS, Form, Sheet, products};
use super::tile::{Product, STEP, Stretch, Tiles, multiply};

/// The most weights, in numbers, that are worth summing in groups.
const GROUPED_WEIGHTS: usize = 160 * 1024;
/// Positions that are multiplied before the next are touched, about.
const POSITIONS: usize = 1024;

/// Memory kept from step to step.
#[derive(Default)]
pub struct Workspace {
    activations: Buffer,
    gradients: Buffer,
    partial: Buffer,
}

/// Whether AMX takes this shape.
pub fn suits(step: Step, inputs: usize, outputs: usize) -> bool {
    step.is_amx() && inputs.is_multiple_of(CHANNELS) && outputs.is_multiple_of(COLUMNS)
}

/// Writes the gradient of the weights (9 x inputs x outputs) from the sheets of activations and of output gradients.
pub fn weight_gradient(x: &Sheet, gradient: &Sheet, workspace: &mut Workspace, out: &mut [f32]) {
    let shapes = Shapes { x: x.form(), gradient: gradient.form() };
    let len = 9 * shapes.x.channels * shapes.gradient.channels;
    assert!(out.len() == len && shapes.x.line == shapes.gradient.line && shapes.x.height == shapes.gradient.height);
    if len <= GROUPED_WEIGHTS {
        let groups = PIECES.min(shapes.x.height);
        let partial = workspace.partial.numbers::<f32>(groups * len);
        run_all(Step::Avx512Bf16, &Grouped { x, gradient, shapes, groups, sums: Shared::new(partial) }, groups);
        run_all(Step::Avx512Bf16, &Add { partial, len, out: Shared::new(out) }, len.div_ceil(ADD_NUMBERS));
        return;
    }
    let lines = shapes.x.height;
    let activations = Shared::new(workspace.activations.numbers::<u16>(shapes.activation_numbers(lines)));
    let gradients = Shared::new(workspace.gradients.numbers::<u16>(shapes.gradient_numbers(lines)));
    run_all(Step::Avx512Bf16, &PackAll { x, gradient, shapes, activations, gradients }, lines + 2);
    let pieces = shapes.x.channels / CHANNELS * (shapes.gradient.channels / COLUMNS);
    run_all(Step::Avx512Bf16, &Parts { shapes, activations, gradients, out: Shared::new(out) }, pieces);
}

/// The shapes of the operands.
#[derive(Clone, Copy)]
struct Shapes {
    x: Form,
    gradient: Form,
}

impl Shapes {
    /// From row to row of the transposed activations of so many lines: an odd number of cache lines, so that the sixteen rows of a
    /// tile lie in different sets; a cache line of zeros on either side.
    fn row(self, lines: usize) -> usize {
        (((lines + 2) * self.x.line + 2 * STEP) / STEP | 1) * STEP
    }

    /// Numbers of the transposed activations: `[parts][inputs][row]`.
    fn activation_numbers(self, lines: usize) -> usize {
        self.x.parts * self.x.channels * self.row(lines)
    }

    /// Numbers of a panel of paired gradients of so many lines.
    fn panel(self, lines: usize) -> usize {
        lines * self.gradient.line * COLUMNS
    }

    /// Numbers of the paired gradients: `[panels][parts][positions / 2][32][2]`.
    fn gradient_numbers(self, lines: usize) -> usize {
        self.gradient.channels / COLUMNS * self.gradient.parts * self.panel(lines)
    }

    /// The products of parts.
    fn stretches(self, lines: usize) -> Vec<Stretch> {
        let bytes = |numbers: usize| (numbers * size_of::<u16>()).cast_signed();
        let a = self.x.channels * self.row(lines);
        products(self.x.parts).iter().map(|part| Stretch { a: bytes(part.0 * a), b: bytes(part.1 * self.panel(lines)) }).collect()
    }
}

/// Transposes line `line` of the sheet (0 is the zeros above) into place `to` of the rows.
///
/// # Safety
/// AVX-512 is available; `out` is the first number of rows that have room for this line, which is touched by nobody else.
#[inline(always)]
unsafe fn transpose_line(x: &Sheet, shapes: Shapes, (line, to): (usize, usize), lines: usize, out: *mut u16) {
    let Form { channels, line: positions, parts, .. } = shapes.x;
    let row = shapes.row(lines);
    for part in 0..parts {
        // SAFETY: 32 positions of 16 channels of this line; sixteen rows at the place of this line, behind the zeros on the left.
        unsafe {
            let from = x.line(line).add(part * shapes.x.part_numbers());
            let out = out.add(part * channels * row + STEP + to * positions);
            for first in (0..positions).step_by(STEP) {
                for channel in (0..channels).step_by(LANES) {
                    let from = from.add(first * channels + channel);
                    let mut rows = [_mm512_setzero_si512(); LANES];
                    for (i, row) in rows.iter_mut().enumerate() {
                        *row = pairs_of(from.add(2 * i * channels), from.add((2 * i + 1) * channels));
                    }
                    for (i, row_of_channel) in transposed(&rows).into_iter().enumerate() {
                        store_pairs(out.add((channel + i) * row + first), row_of_channel);
                    }
                }
            }
        }
    }
}

/// Zeros on either side of all rows.
///
/// # Safety
/// `out` is the first number of rows for so many lines, touched by nobody else.
#[inline(always)]
unsafe fn clear_margins(shapes: Shapes, lines: usize, out: *mut u16) {
    let row = shapes.row(lines);
    let end = STEP + (lines + 2) * shapes.x.line;
    for index in 0..shapes.x.parts * shapes.x.channels {
        // SAFETY: the first and last numbers of a row.
        unsafe {
            std::slice::from_raw_parts_mut(out.add(index * row), STEP).fill(0);
            std::slice::from_raw_parts_mut(out.add(index * row + end), row - end).fill(0);
        }
    }
}

/// Pairs line `line` of the pictures of a sheet of gradients into place `to` of the panels.
///
/// # Safety
/// AVX-512 is available; `out` is the first number of panels that have room for this line, which is touched by nobody else.
#[inline(always)]
unsafe fn pair_line(gradient: &Sheet, shapes: Shapes, (line, to): (usize, usize), lines: usize, out: *mut u16) {
    let Form { channels, line: positions, parts, .. } = shapes.gradient;
    for part in 0..parts {
        // SAFETY: this line, and its place in every panel.
        unsafe {
            let from = gradient.line(line + 1).add(part * shapes.gradient.part_numbers());
            for position in (0..positions).step_by(2) {
                let from = from.add(position * channels);
                for channel in (0..channels).step_by(LANES) {
                    let (panel, first) = (channel / COLUMNS, channel % COLUMNS);
                    let out = out.add((panel * parts + part) * shapes.panel(lines) + (to * positions + position) * COLUMNS + 2 * first);
                    store_pairs(out, pairs_of(from.add(channel), from.add(channels + channel)));
                }
            }
        }
    }
}

/// 32 inputs and 32 outputs, all taps, over `lines` lines; replaces the sums.
///
/// # Safety
/// The tile registers are set up, the operands were packed for so many lines, and the sums (`sums` is the first of tap 0) belong to
/// the caller.
#[inline(always)]
unsafe fn product(shapes: Shapes, lines: usize, activations: *const u16, gradients: *const u16, sums: *mut f32) {
    let (positions, inputs, outputs) = (shapes.x.line, shapes.x.channels, shapes.gradient.channels);
    let row = shapes.row(lines);
    let stretches = shapes.stretches(lines);
    let block = (POSITIONS / positions).clamp(1, lines);
    for line in (0..lines).step_by(block) {
        for tap in 0..9 {
            // SAFETY: the rows hold a line above and one below, and zeros on either side; the sums of this tap.
            unsafe {
                let first = activations.add(STEP + (line + tap / 3) * positions + tap % 3).sub(1);
                let upper_sums = sums.add(tap * inputs * outputs);
                let product = Product {
                    upper: first,
                    lower: first.add(AMX_ROWS * row),
                    a_stride: row * size_of::<u16>(),
                    b: gradients.add(line * positions * COLUMNS),
                    upper_sums,
                    lower_sums: upper_sums.add(AMX_ROWS * outputs),
                    c_stride: outputs * size_of::<f32>(),
                    steps: block.min(lines - line) * positions / STEP,
                };
                if line == 0 { multiply::<false>(&product, &stretches) } else { multiply::<true>(&product, &stretches) }
            }
        }
    }
}

/// Few weights: one piece packs and multiplies some lines.
struct Grouped<'a> {
    x: &'a Sheet,
    gradient: &'a Sheet,
    shapes: Shapes,
    groups: usize,
    /// groups x weights
    sums: Shared<f32>,
}

impl Task for Grouped<'_> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, group: usize) {
        let (shapes, height) = (self.shapes, self.shapes.x.height);
        let (from, to) = (height * group / self.groups, height * (group + 1) / self.groups);
        let lines = to - from;
        let (inputs, outputs) = (shapes.x.channels, shapes.gradient.channels);
        let (mut first_scratch, mut second_scratch) = (Scratch::take(), Scratch::take());
        let activations = first_scratch.numbers::<u16>(shapes.activation_numbers(lines)).as_mut_ptr();
        let gradients = second_scratch.numbers::<u16>(shapes.gradient_numbers(lines)).as_mut_ptr();
        // SAFETY: the scratch memory was sized for these lines; the sums of this group are this piece's; the step is AMX.
        unsafe {
            clear_margins(shapes, lines, activations);
            for line in 0..lines + 2 {
                transpose_line(self.x, shapes, (from + line, line), lines, activations);
            }
            for line in 0..lines {
                pair_line(self.gradient, shapes, (from + line, line), lines, gradients);
            }
            let registers = Tiles::new();
            for panel in 0..outputs / COLUMNS {
                for input in (0..inputs).step_by(CHANNELS) {
                    let a = activations.add(input * shapes.row(lines));
                    let b = gradients.add(panel * shapes.gradient.parts * shapes.panel(lines));
                    let sums = self.sums.at(group * 9 * inputs * outputs + input * outputs + panel * COLUMNS);
                    product(shapes, lines, a, b, sums);
                }
            }
            drop(registers);
        }
    }
}

/// Many weights, first half: packs all lines.
struct PackAll<'a> {
    x: &'a Sheet,
    gradient: &'a Sheet,
    shapes: Shapes,
    activations: Shared<u16>,
    gradients: Shared<u16>,
}

impl Task for PackAll<'_> {
    /// One line.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, line: usize) {
        let lines = self.shapes.x.height;
        // SAFETY: this line of both operands, and with the first one the margins of all rows, belong to this piece.
        unsafe {
            if line == 0 {
                clear_margins(self.shapes, lines, self.activations.at(0));
            }
            transpose_line(self.x, self.shapes, (line, line), lines, self.activations.at(0));
            if line < lines {
                pair_line(self.gradient, self.shapes, (line, line), lines, self.gradients.at(0));
            }
        }
    }
}

/// Many weights, second half: 32 inputs and 32 outputs a piece.
struct Parts {
    shapes: Shapes,
    activations: Shared<u16>,
    gradients: Shared<u16>,
    out: Shared<f32>,
}

impl Task for Parts {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let (shapes, lines) = (self.shapes, self.shapes.x.height);
        let panels = shapes.gradient.channels / COLUMNS;
        let (input, panel) = (index / panels * CHANNELS, index % panels);
        // SAFETY: everything was packed; these weights are this piece's; the step is AMX.
        unsafe {
            let registers = Tiles::new();
            let a = self.activations.at(input * shapes.row(lines));
            let b = self.gradients.at(panel * shapes.gradient.parts * shapes.panel(lines));
            product(shapes, lines, a, b, self.out.at(input * shapes.gradient.channels + panel * COLUMNS));
            drop(registers);
        }
    }
}

/// Numbers of a piece of [`Add`].
const ADD_NUMBERS: usize = 4096;

/// Adds the groups up, in order.
struct Add<'a> {
    partial: &'a [f32],
    len: usize,
    out: Shared<f32>,
}

impl Task for Add<'_> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let (from, to) = (index * ADD_NUMBERS, self.len.min((index + 1) * ADD_NUMBERS));
        // SAFETY: these numbers are this piece's.
        let out = unsafe { self.out.part(from, to - from) };
        out.fill(0.0);
        for group in self.partial.chunks_exact(self.len) {
            for (out, value) in out.iter_mut().zip(&group[from..to]) {
                *out += value;
            }
        }
    }
}
