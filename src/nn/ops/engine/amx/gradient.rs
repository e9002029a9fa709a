//! The weight gradient by AMX: for every tap, `sum over positions of x(position + tap) * gradient(position)`.
//!
//! Both operands come from sheets (see `sheet.rs`), which hold zeros wherever there is no pixel, so the sum runs over all
//! positions of a line without regard to images. The activations are transposed, the gradients paired:
//!
//! ```text
//!               positions                    32 outputs
//!         +---------------------+            +--------+
//!   32    | a line up or down   |     x      | shifted|  positions / 2, in pairs     -> 32 x 32 sums, tap by tap
//!   inputs|                     |            |        |
//!         +---------------------+            +--------+
//! ```
//!
//! A tap to the left or right shifts the gradients, not the activations, whose rows would no longer begin at a cache line. Pairs
//! cannot be shifted by one, so there are two sets of them: (0, 1), (2, 3), ... and (-1, 0), (1, 2), ...
//!
//! Work is shared as in `weight_gradient.rs`: few weights by groups of lines whose sums are added up in order, many weights by
//! parts of the weights.

use std::arch::x86_64::_mm512_setzero_si512;

use super::super::Step;
use super::super::buffer::{Buffer, Scratch, Shared};
use super::super::kernel::{AMX_ROWS, COLUMNS, Kernel, Task, run_all};
use super::super::lanes::{LANES, pairs_of, store_pairs, transposed};
use super::super::windows::PIECES;
use super::sheet::{CHANNELS, Form, Sheet, products};
use super::tile::{Product, STEP, Stretch, Tiles, multiply};

/// The most weights, in numbers, that are worth summing in groups.
const GROUPED_WEIGHTS: usize = 160 * 1024;
/// Positions that are multiplied before the next are touched, about.
const POSITIONS: usize = 2048;

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
    /// tile lie in different sets.
    fn row(self, lines: usize) -> usize {
        (((lines + 2) * self.x.line / STEP) | 1) * STEP
    }

    /// Numbers of the transposed activations: `[parts][inputs][row]`.
    fn activation_numbers(self, lines: usize) -> usize {
        self.x.parts * self.x.channels * self.row(lines)
    }

    /// Numbers of one set of pairs of so many lines, with the one pair that the second set has more.
    fn set(self, lines: usize) -> usize {
        (lines * self.gradient.line + 2) * COLUMNS
    }

    /// Numbers of a panel of paired gradients.
    fn panel(self, lines: usize) -> usize {
        2 * self.set(lines)
    }

    /// Numbers of the paired gradients: `[panels][parts][2 sets][positions / 2][32][2]`.
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
        // SAFETY: 32 positions of 16 channels of this line; sixteen rows at the place of this line.
        unsafe {
            let from = x.line(line).add(part * shapes.x.part_numbers());
            let out = out.add(part * channels * row + to * positions);
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

/// Pairs line `line` of the pictures of a sheet of gradients into place `to` of the panels, in both sets. What a pair has of two
/// lines is zero, as each line begins and ends.
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
            for channel in (0..channels).step_by(LANES) {
                let (panel, first) = (channel / COLUMNS, channel % COLUMNS);
                let even = out.add((panel * parts + part) * shapes.panel(lines) + to * positions * COLUMNS + 2 * first);
                let odd = even.add(shapes.set(lines));
                let row = |position: usize| from.add(position * channels + channel);
                store_pairs(odd, _mm512_setzero_si512());
                for position in (0..positions).step_by(2) {
                    store_pairs(even.add(position * COLUMNS), pairs_of(row(position), row(position + 1)));
                    let next = odd.add((position + 2) * COLUMNS);
                    if position + 2 < positions {
                        store_pairs(next, pairs_of(row(position + 1), row(position + 2)));
                    } else if to + 1 == lines {
                        store_pairs(next, _mm512_setzero_si512());
                    }
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
            // SAFETY: the rows hold a line above and one below; the sums of this tap.
            unsafe {
                let first = activations.add((line + tap / 3) * positions);
                let shift = match tap % 3 {
                    0 => shapes.set(lines) + 2 * COLUMNS,
                    1 => 0,
                    _ => shapes.set(lines),
                };
                let upper_sums = sums.add(tap * inputs * outputs);
                let product = Product {
                    upper: first,
                    lower: first.add(AMX_ROWS * row),
                    a_stride: row * size_of::<u16>(),
                    b: gradients.add(line * positions * COLUMNS + shift),
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
        // SAFETY: this line of both operands belongs to this piece.
        unsafe {
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
