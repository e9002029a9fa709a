//! The product of a tile, once for each step of the ladder, and the one place where a task enters its instruction set.
//!
//! A tile is up to 12 rows of A times a panel of 32 columns of B:
//!
//! ```text
//! C[r][j] (+)= sum over k of A(r, k) * B[k][j]        r < 12, j < 32
//! ```
//!
//! Row `r` of A starts at `r * stride`. Its `k` come in runs of adjacent numbers (the rows of a padded picture; one single
//! run where A was gathered). B is packed without gaps, 32 columns a `k`; in the bf16 step two neighbouring `k` share 32
//! bits, `[k / 2][32][2]`, as they do in A.

use rayon::prelude::*;

use super::Step;

/// Rows of a tile: three pooling windows of four pixels.
pub const ROWS: usize = 12;
/// Columns of a tile and width of a panel.
pub const COLUMNS: usize = 32;

/// Numbers that are moved and transformed together.
pub const LANES: usize = 16;

/// N numbers from `at` on, as many as the compiler knows of: loops over them become vectors without a rest.
#[inline(always)]
pub fn exactly<T, const N: usize>(values: &[T], at: usize) -> &[T; N] {
    values[at..at + N].first_chunk().expect("a slice as long as the array")
}

/// Asks for the cache line of a number that will be read soon, wherever that is: a hint that changes nothing.
#[inline(always)]
pub fn fetch(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which may name any address; every x86-64 has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Rows of a tile that AMX computes.
pub const AMX_ROWS: usize = 16;

/// The sums of a tile, row by row; most steps of the ladder use the first twelve.
#[repr(C, align(64))]
#[derive(Clone)]
pub struct Tile(pub [[f32; COLUMNS]; AMX_ROWS]);

impl Tile {
    pub const ZERO: Self = Self([[0.0; COLUMNS]; AMX_ROWS]);
}

/// Where A lies: row `r`, number `i` of run `u` is at `first + runs[u] + r * stride + i`.
pub struct Rows<'a, P> {
    pub first: *const P,
    pub stride: usize,
    /// Offsets of the runs.
    pub runs: &'a [usize],
    /// Numbers in each run.
    pub run_length: usize,
}

/// What differs between the steps of the ladder.
pub trait Kernel {
    /// A packed number: `f32`, or `u16` holding a bfloat16.
    type Packed: Copy + Default + Send + Sync + 'static;
    /// The kernel with 32-bit numbers for the same instructions.
    type Exact: Kernel<Packed = f32>;
    /// The lengths of runs are multiples of this (2 for bf16, whose products take pairs).
    const DEPTH_STEP: usize;

    /// Stores 32-bit floats as packed numbers.
    ///
    /// # Safety
    /// The step's instructions must be available.
    unsafe fn pack(values: &[f32], out: &mut [Self::Packed]);

    /// Stores sixteen columns, from `column` on, of an even `k` and the next in `out`, those two of an operand of `width` columns:
    /// one row after the other, or pairs where two neighbouring `k` share 32 bits.
    ///
    /// # Safety
    /// The step's instructions must be available.
    unsafe fn pack_two(rows: [&[f32; LANES]; 2], column: usize, width: usize, out: &mut [Self::Packed]);

    /// Stores sixteen `k` of a panel, given column by column.
    ///
    /// # Safety
    /// The step's instructions must be available.
    #[inline(always)]
    unsafe fn pack_columns(columns: &[[f32; LANES]; COLUMNS], out: &mut [Self::Packed]) {
        for k in (0..LANES).step_by(2) {
            for first in [0, LANES] {
                let (mut one, mut other) = ([0.0; LANES], [0.0; LANES]);
                for (j, column) in columns[first..first + LANES].iter().enumerate() {
                    (one[j], other[j]) = (column[k], column[k + 1]);
                }
                // SAFETY: the caller's promise.
                unsafe { Self::pack_two([&one, &other], first, COLUMNS, &mut out[k * COLUMNS..][..2 * COLUMNS]) };
            }
        }
    }

    /// One tile; added to C if `ADD`, else C is replaced. `R` rows are computed (12 or 8).
    ///
    /// # Safety
    /// The step's instructions must be available; all numbers that `a` names, `runs * run_length * 32` numbers at `b` and
    /// rows of 32 at `c`, `c_stride` apart, are valid and `c` is touched by nobody else.
    unsafe fn tile<const R: usize, const ADD: bool>(a: &Rows<'_, Self::Packed>, b: *const Self::Packed, c: *mut f32, c_stride: usize);

    /// One tile with A the other way round: of each `k` the R rows are neighbours, `a_stride` from `k` to `k`, as the 32 columns of
    /// B are (with pairs of `k` as there: `[k / 2][a_stride][2]`). R is 12 or 8, `depth` a multiple of the depth's step.
    ///
    /// # Safety
    /// As for [`tile`](Self::tile), for `depth` times R numbers of `a` and 32 of `b`.
    unsafe fn outer<const R: usize, const ADD: bool>(
        a: *const Self::Packed,
        a_stride: usize,
        depth: usize,
        b: *const Self::Packed,
        c: *mut f32,
        c_stride: usize,
    );
}

/// [`Kernel::pack_two`] for 32-bit numbers.
#[inline(always)]
pub fn two_rows(rows: [&[f32; LANES]; 2], column: usize, width: usize, out: &mut [f32]) {
    for (out, row) in out.chunks_exact_mut(width).zip(rows) {
        out[column..column + LANES].copy_from_slice(row);
    }
}

/// Work that is cut into independent pieces, written once and compiled for each step.
pub trait Task: Sync {
    /// Does piece `index`.
    ///
    /// # Safety
    /// The instructions of `K` must be available, and each piece runs once at a time.
    unsafe fn run<K: Kernel>(&self, index: usize);
}

/// Runs all pieces of a task on the current thread pool.
pub fn run_all<T: Task>(step: Step, task: &T, pieces: usize) {
    assert!(step.available(), "{step} is not available on this machine");
    (0..pieces).into_par_iter().with_max_len(1).for_each(|index| {
        // SAFETY: the step was just checked to be available, and each index is visited once.
        unsafe {
            match step {
                Step::Portable => task.run::<super::portable::Portable>(index),
                #[cfg(target_arch = "x86_64")]
                Step::Avx2 => super::x86::enter_avx2(task, index),
                #[cfg(target_arch = "x86_64")]
                Step::Avx512 | Step::AmxBf16x3 => super::x86::enter_avx512(task, index),
                #[cfg(target_arch = "x86_64")]
                Step::Avx512Bf16 | Step::AmxBf16 => super::x86::enter_avx512_bf16(task, index),
                #[cfg(not(target_arch = "x86_64"))]
                _ => unreachable!("not available"),
            }
        }
    });
}
