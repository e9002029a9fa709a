//! Convolution weights for AMX: panels of 32 columns, `[parts][k / 2][32][2]` in bfloat16, where `k` counts tap by tap through
//! the channels that are summed over (see `weights.rs` for the two uses).

use std::arch::x86_64::{__m512i, _mm512_maskz_loadu_ps, _mm512_setzero_si512};

use super::super::Step;
use super::super::buffer::Shared;
use super::super::kernel::{COLUMNS, Kernel, Task, run_all};
use super::super::lanes::{LANES, mask, pairs, part, store_pairs, store_part, transposed};
use super::super::weights::{Source, Use};
use super::sheet::FEW;
use super::tile::STEP;

/// `k` of a panel for the sum over so many channels.
pub fn depth(deep: usize) -> usize {
    if deep <= FEW { STEP } else { 9 * deep }
}

/// Packs all panels, in so many parts of each number.
pub fn pack(source: Source<'_>, parts: usize, out: Shared<u16>) {
    let pieces = match source.usage {
        _ if source.deep() <= FEW => source.panels(),
        // rows of the weights are read once, in order, and spread over all panels
        Use::Forward => 9 * source.inputs / (2 * LANES),
        Use::InputGradient => 9 * source.panels(),
    };
    run_all(Step::Avx512Bf16, &Pack { source, parts, out }, pieces);
}

struct Pack<'a> {
    source: Source<'a>,
    parts: usize,
    out: Shared<u16>,
}

impl Task for Pack<'_> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        for part in 0..self.parts {
            // SAFETY: run with AVX-512 BF16; each piece writes its own `k` of its own panels.
            unsafe {
                match self.source.usage {
                    _ if self.source.deep() <= FEW => self.few(index, part),
                    Use::Forward => self.forward(index, part),
                    Use::InputGradient => self.input_gradient(index, part),
                }
            }
        }
    }
}

impl Pack<'_> {
    /// Where the 32 columns of `k` and `k + 1` lie.
    ///
    /// # Safety
    /// The panel, part and `k` exist.
    #[inline(always)]
    unsafe fn place(&self, panel: usize, part: usize, k: usize) -> *mut u16 {
        let depth = depth(self.source.deep());
        // SAFETY: the buffer holds all panels.
        unsafe { self.out.at(((panel * self.parts + part) * depth + k) * COLUMNS) }
    }

    /// One panel for pictures with few channels: one step, filled up with zeros.
    ///
    /// # Safety
    /// AVX-512 BF16 is available.
    #[inline(always)]
    unsafe fn few(&self, panel: usize, number: usize) {
        let deep = self.source.deep();
        for k in 0..STEP {
            let mut row = [0.0; COLUMNS];
            for (j, value) in row.iter_mut().enumerate().take(if k < 9 * deep { self.source.columns(panel) } else { 0 }) {
                *value = self.source.weight(k / deep, k % deep, panel * COLUMNS + j);
            }
            let mut packed = [0; COLUMNS];
            // SAFETY: 32 numbers; the place is this piece's.
            unsafe {
                store_part(&row, number, packed.as_mut_ptr());
                for (j, value) in packed.into_iter().enumerate() {
                    *self.place(panel, number, k / 2 * 2).add(2 * j + k % 2) = value;
                }
            }
        }
    }

    /// 32 rows of the weights, all panels.
    ///
    /// # Safety
    /// AVX-512 BF16 is available.
    #[inline(always)]
    unsafe fn forward(&self, index: usize, number: usize) {
        let Source { weights, outputs, .. } = self.source;
        for panel in 0..self.source.panels() {
            let columns = self.source.columns(panel);
            for k in (index * 2 * LANES..(index + 1) * 2 * LANES).step_by(2) {
                for first in [0, LANES] {
                    let mask = mask(columns.saturating_sub(first));
                    let row = weights[k * outputs + panel * COLUMNS..].as_ptr().wrapping_add(first);
                    // SAFETY: the mask leaves out the columns that do not exist; the place is this piece's.
                    unsafe {
                        let one = part(_mm512_maskz_loadu_ps(mask, row), number);
                        let other = part(_mm512_maskz_loadu_ps(mask, row.wrapping_add(outputs)), number);
                        store_pairs(self.place(panel, number, k).add(2 * first), pairs(one, other));
                    }
                }
            }
        }
    }

    /// One tap and panel: rows of outputs become columns.
    ///
    /// # Safety
    /// AVX-512 BF16 is available.
    #[inline(always)]
    unsafe fn input_gradient(&self, index: usize, number: usize) {
        let Source { weights, outputs, inputs, .. } = self.source;
        let (panel, tap) = (index / 9, index % 9);
        let columns = self.source.columns(panel);
        for output in (0..outputs).step_by(2 * LANES) {
            for first in [0, LANES] {
                // SAFETY: the rows of inputs that exist, 32 outputs each; the place is this piece's.
                unsafe {
                    let mut rows: [__m512i; LANES] = [_mm512_setzero_si512(); LANES];
                    for (j, row) in rows.iter_mut().enumerate().take(columns.saturating_sub(first)) {
                        let at = ((8 - tap) * inputs + panel * COLUMNS + first + j) * outputs + output;
                        *row = joined(weights[at..at + 2 * LANES].as_ptr(), number);
                    }
                    for (pair, row) in transposed(&rows).into_iter().enumerate() {
                        store_pairs(self.place(panel, number, tap * outputs + output + 2 * pair).add(2 * first), row);
                    }
                }
            }
        }
    }
}

/// One part of 32 neighbouring numbers.
///
/// # Safety
/// AVX-512 BF16 is available, and 32 numbers can be read.
#[inline(always)]
unsafe fn joined(values: *const f32, number: usize) -> __m512i {
    use std::arch::x86_64::{_mm512_castsi256_si512, _mm512_inserti64x4, _mm512_loadu_ps};
    // SAFETY: the caller's promises.
    unsafe {
        let first = part(_mm512_loadu_ps(values), number);
        let second = part(_mm512_loadu_ps(values.add(LANES)), number);
        _mm512_inserti64x4::<1>(_mm512_castsi256_si512(first), second)
    }
}
