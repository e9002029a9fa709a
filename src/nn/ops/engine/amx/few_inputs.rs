//! A layer with few input channels (the first one): all taps of all channels of a position are gathered as one row of 32 numbers,
//! one step of a product.
//!
//! ```text
//! row of a position:  above left | above | above right | left | ... | below right | 0 0 0 0 0     (each: all channels)
//! ```
//!
//! In a sheet the three positions side by side are neighbours, so a row is three copies. Forward, the rows are A; for the weight
//! gradient they are transposed, and the sums over positions are the gradient itself.

use std::arch::x86_64::{_mm256_loadu_si256, _mm256_mask_storeu_epi16, _mm256_storeu_si256, _mm512_setzero_si512};

use super::super::Step;
use super::super::buffer::{Buffer, Scratch, Shared};
use super::super::kernel::{AMX_ROWS, COLUMNS, Kernel, Task, run_all};
use super::super::lanes::{LANES, mask, pairs_of, store_pairs, store_part, transposed};
use super::super::pixels::Pixels;
use super::sheet::{FEW, LEAD, Sheet, products};
use super::tile::{Product, STEP, Stretch, Tiles, multiply};

/// Groups of lines that are summed apart, at most.
const GROUPS: usize = 16;
/// Positions that are multiplied at once, about.
const POSITIONS: usize = 512;

/// Numbers that so many gathered rows take: a row has the rounded numbers, then what the rounding left over.
pub fn numbers(rows: usize, parts: usize) -> usize {
    // the last copy of a row may reach into the next
    rows * parts * STEP + LANES
}

/// The products of parts.
pub fn stretches(parts: usize) -> Vec<Stretch> {
    let part = (STEP * size_of::<u16>()).cast_signed();
    let panel = (STEP * COLUMNS * size_of::<u16>()).cast_signed();
    products(parts).iter().map(|(a, b)| Stretch { a: a.cast_signed() * part, b: b.cast_signed() * panel }).collect()
}

/// Gathers the rows, so many parts of them, of `count` positions of line `y` of the pictures; `position` is the one to the left of the first.
///
/// # Safety
/// AVX-512 is available; `out` has room as [`numbers`] says.
#[inline(always)]
pub unsafe fn gather(sheet: &Sheet, parts: usize, y: usize, position: usize, count: usize, out: &mut [u16]) {
    let form = sheet.form();
    let side = 3 * form.channels;
    let last = mask(STEP - 2 * side);
    assert!(out.len() >= numbers(count, parts) && parts <= form.parts && position + count + 2 <= form.line);
    for part in 0..parts {
        let lines: [*const u16; 3] =
            std::array::from_fn(|tap| sheet.line(y + tap).wrapping_add(part * form.part_numbers() + position * form.channels));
        for at in 0..count {
            // SAFETY: three positions from each line, and up to sixteen numbers of the sheet behind them, which has some to spare;
            // what a copy writes too much, the next one of the row overwrites, but for the last, which is masked.
            unsafe {
                let row = out.as_mut_ptr().add((at * parts + part) * STEP);
                let [above, same, below] = lines.map(|line| line.add(at * form.channels));
                _mm256_storeu_si256(row.cast(), _mm256_loadu_si256(above.cast()));
                _mm256_storeu_si256(row.add(side).cast(), _mm256_loadu_si256(same.cast()));
                _mm256_mask_storeu_epi16(row.add(2 * side).cast(), last, _mm256_loadu_si256(below.cast()));
                row.add(3 * side).write_bytes(0, STEP - 3 * side);
            }
        }
    }
}

/// Whether AMX takes the weight gradient of this shape.
pub fn suits_gradient(step: Step, inputs: usize, outputs: usize) -> bool {
    step.is_amx() && inputs <= FEW && outputs.is_multiple_of(COLUMNS)
}

/// Writes the gradient of the weights (9 x inputs x outputs) from a sheet of activations and the output gradient.
pub fn weight_gradient<G: Pixels>(x: &Sheet, gradient: &G, partial: &mut Buffer, out: &mut [f32]) {
    let outputs = gradient.grid().channels;
    let (height, width) = gradient.extent();
    let lines = x.form().images * height;
    let run = width.next_multiple_of(STEP);
    let groups = GROUPS.min(lines).max(1);
    let sums = partial.numbers::<f32>(groups * STEP * outputs);
    let task = Multiply { x, gradient, outputs, height, width, run, lines, groups, parts: x.form().parts.min(2), sums: Shared::new(sums) };
    run_all(Step::Avx512Bf16, &task, groups);
    let len = out.len();
    out.fill(0.0);
    for group in sums.chunks_exact(STEP * outputs) {
        for (out, sum) in out.iter_mut().zip(&group[..len]) {
            *out += sum;
        }
    }
}

struct Multiply<'a, G> {
    x: &'a Sheet,
    gradient: &'a G,
    outputs: usize,
    /// Lines of an image and pixels of a line that have a gradient.
    height: usize,
    width: usize,
    /// Pixels of a line, in whole steps.
    run: usize,
    /// Lines of all images together.
    lines: usize,
    groups: usize,
    /// Parts of each number that are used.
    parts: usize,
    /// groups x 32 x outputs.
    sums: Shared<f32>,
}

impl<G: Pixels> Task for Multiply<'_, G> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, group: usize) {
        let parts = self.parts;
        let (from, to) = (self.lines * group / self.groups, self.lines * (group + 1) / self.groups);
        let block = (POSITIONS / self.run).max(1);
        let positions = block * self.run;
        // an odd number of cache lines from row to row
        let row = ((positions / STEP) | 1) * STEP;
        let mut scratch = [Scratch::take(), Scratch::take(), Scratch::take(), Scratch::take()];
        let [gathered, transposed, line, paired] = &mut scratch;
        let gathered = gathered.numbers::<u16>(numbers(self.run, parts));
        let activations = transposed.numbers::<u16>(parts * STEP * row);
        let line = line.numbers::<f32>(self.width * self.outputs);
        let gradients = paired.numbers::<u16>(self.outputs * parts * positions);
        // SAFETY: the sums of this group are this piece's, the scratch memory was sized for a block, and the step is AMX.
        unsafe {
            let registers = Tiles::new();
            self.sums.part(group * STEP * self.outputs, STEP * self.outputs).fill(0.0);
            for first in (from..to).step_by(block) {
                let count = block.min(to - first);
                for at in 0..count {
                    let (image, y) = ((first + at) / self.height, (first + at) % self.height);
                    self.transpose(image, y, gathered, activations.as_mut_ptr().add(at * self.run), row);
                    self.gradient.read(image, y, 0, self.width, line);
                    self.pair(line, gradients.as_mut_ptr().add(at * self.run * COLUMNS), positions * COLUMNS);
                }
                let sums = self.sums.at(group * STEP * self.outputs);
                self.multiply((activations.as_ptr(), row), (gradients.as_ptr(), positions * COLUMNS), count, sums);
            }
            drop(registers);
        }
    }
}

impl<G> Multiply<'_, G> {
    /// The rows of a line, `[parts][32][row]`; beyond the line whatever lies there in the sheet, which is finite or stands where
    /// an image has it too.
    ///
    /// # Safety
    /// AVX-512 is available, and `out` has room for this line.
    #[inline(always)]
    unsafe fn transpose(&self, image: usize, y: usize, gathered: &mut [u16], out: *mut u16, row: usize) {
        let (form, parts) = (self.x.form(), self.parts);
        let position = LEAD + image * form.pitch - 1;
        // the last image's line may end before a whole step does
        let count = self.run.min(form.line - position - 2);
        // SAFETY: the caller's promises.
        unsafe {
            gather(self.x, parts, y, position, count, gathered);
            gathered[count * parts * STEP..self.run * parts * STEP].fill(0);
            for part in 0..parts {
                for first in (0..self.run).step_by(STEP) {
                    for k in [0, LANES] {
                        let from = gathered.as_ptr().add((first * parts + part) * STEP + k);
                        let mut rows = [_mm512_setzero_si512(); LANES];
                        for (i, row) in rows.iter_mut().enumerate() {
                            *row = pairs_of(from.add(2 * i * parts * STEP), from.add((2 * i + 1) * parts * STEP));
                        }
                        for (i, numbers) in transposed(&rows).into_iter().enumerate() {
                            store_pairs(out.add((part * STEP + k + i) * row + first), numbers);
                        }
                    }
                }
            }
        }
    }

    /// The gradients of a line in pairs, `[panels][parts][positions / 2][32][2]`, `part` numbers from part to part.
    ///
    /// # Safety
    /// AVX-512 BF16 is available, and `out` has room for this line.
    #[inline(always)]
    unsafe fn pair(&self, line: &[f32], out: *mut u16, part_numbers: usize) {
        let parts = self.parts;
        let mut both = [[0u16; COLUMNS]; 2];
        for part in 0..parts {
            for x in (0..self.run).step_by(2) {
                for panel in 0..self.outputs / COLUMNS {
                    // SAFETY: 32 outputs of two pixels, where they exist; the place of this pair.
                    unsafe {
                        for (at, packed) in both.iter_mut().enumerate() {
                            let start = (x + at) * self.outputs + panel * COLUMNS;
                            match line.get(start..start + COLUMNS) {
                                Some(values) => store_part(values, part, packed.as_mut_ptr()),
                                None => packed.fill(0),
                            }
                        }
                        let out = out.add((panel * parts + part) * part_numbers + x * COLUMNS);
                        for first in [0, LANES] {
                            store_pairs(out.add(2 * first), pairs_of(both[0].as_ptr().add(first), both[1].as_ptr().add(first)));
                        }
                    }
                }
            }
        }
    }

    /// Adds the products of `count` lines.
    ///
    /// # Safety
    /// The tile registers are set up, the operands were packed, and the sums belong to the caller.
    #[inline(always)]
    unsafe fn multiply(&self, (a, row): (*const u16, usize), (b, part_numbers): (*const u16, usize), count: usize, sums: *mut f32) {
        let parts = self.parts;
        let bytes = |numbers: usize| (numbers * size_of::<u16>()).cast_signed();
        let mut stretches = [Stretch { a: 0, b: 0 }; 3];
        let products = products(parts);
        for (stretch, (a, b)) in stretches.iter_mut().zip(products) {
            *stretch = Stretch { a: bytes(a * STEP * row), b: bytes(b * part_numbers) };
        }
        for panel in 0..self.outputs / COLUMNS {
            // SAFETY: the caller's promises.
            unsafe {
                let upper_sums = sums.add(panel * COLUMNS);
                let product = Product {
                    upper: a,
                    lower: a.add(AMX_ROWS * row),
                    a_stride: row * size_of::<u16>(),
                    b: b.add(panel * parts * part_numbers),
                    upper_sums,
                    lower_sums: upper_sums.add(AMX_ROWS * self.outputs),
                    c_stride: self.outputs * size_of::<f32>(),
                    steps: count * self.run / STEP,
                };
                multiply::<true>(&product, &stretches[..products.len()]);
            }
        }
    }
}
