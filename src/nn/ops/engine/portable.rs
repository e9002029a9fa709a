//! The kernel in plain Rust; blocks of 4 x 8 sums fit the sixteen 128-bit registers that every x86-64 and Arm has.

use super::kernel::{COLUMNS, Kernel, LANES, Rows, two_rows};

pub struct Portable;

const BLOCK_ROWS: usize = 4;
const BLOCK_COLUMNS: usize = 8;

impl Kernel for Portable {
    type Packed = f32;
    type Exact = Self;
    const DEPTH_STEP: usize = 1;

    #[inline(always)]
    unsafe fn pack(values: &[f32], out: &mut [f32]) {
        out[..values.len()].copy_from_slice(values);
    }

    #[inline(always)]
    unsafe fn pack_two(rows: [&[f32; LANES]; 2], column: usize, width: usize, out: &mut [f32]) {
        two_rows(rows, column, width, out);
    }

    #[inline(always)]
    unsafe fn tile<const R: usize, const ADD: bool>(a: &Rows<'_, f32>, b: *const f32, c: *mut f32, c_stride: usize) {
        for r0 in (0..R).step_by(BLOCK_ROWS) {
            for j0 in (0..COLUMNS).step_by(BLOCK_COLUMNS) {
                // SAFETY: rows r0..r0+4 < R and columns j0..j0+8 < 32 of what the caller promised.
                unsafe {
                    let sums = block(a, r0, b.add(j0));
                    for (r, sums) in sums.iter().enumerate() {
                        let c = c.add((r0 + r) * c_stride + j0);
                        for (j, sum) in sums.iter().enumerate() {
                            *c.add(j) = if ADD { *c.add(j) + sum } else { *sum };
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn outer<const R: usize, const ADD: bool>(
        a: *const f32,
        a_stride: usize,
        depth: usize,
        b: *const f32,
        c: *mut f32,
        c_stride: usize,
    ) {
        for r0 in (0..R).step_by(BLOCK_ROWS) {
            for j0 in (0..COLUMNS).step_by(BLOCK_COLUMNS) {
                let mut sums = [[0.0f32; BLOCK_COLUMNS]; BLOCK_ROWS];
                // SAFETY: rows r0..r0+4 < R and columns j0..j0+8 < 32 of what the caller promised.
                unsafe {
                    for k in 0..depth {
                        let row = b.add(k * COLUMNS + j0).cast::<[f32; BLOCK_COLUMNS]>().read_unaligned();
                        let factors = a.add(k * a_stride + r0).cast::<[f32; BLOCK_ROWS]>().read_unaligned();
                        for (sums, factor) in sums.iter_mut().zip(factors) {
                            for (sum, value) in sums.iter_mut().zip(row) {
                                *sum += factor * value;
                            }
                        }
                    }
                    for (r, sums) in sums.iter().enumerate() {
                        let c = c.add((r0 + r) * c_stride + j0);
                        for (j, sum) in sums.iter().enumerate() {
                            *c.add(j) = if ADD { *c.add(j) + sum } else { *sum };
                        }
                    }
                }
            }
        }
    }
}

/// The sums of rows `r0..r0 + 4` and 8 columns.
#[inline(always)]
unsafe fn block(a: &Rows<'_, f32>, r0: usize, b: *const f32) -> [[f32; BLOCK_COLUMNS]; BLOCK_ROWS] {
    let mut sums = [[0.0f32; BLOCK_COLUMNS]; BLOCK_ROWS];
    let mut b = b;
    for &run in a.runs {
        for i in 0..a.run_length {
            // SAFETY: the caller promised every number of the runs, and 32 numbers of B for each.
            unsafe {
                let row: [f32; BLOCK_COLUMNS] = b.cast::<[f32; BLOCK_COLUMNS]>().read_unaligned();
                for (r, sums) in sums.iter_mut().enumerate() {
                    let factor = *a.first.add(run + (r0 + r) * a.stride + i);
                    for (sum, value) in sums.iter_mut().zip(row) {
                        *sum += factor * value;
                    }
                }
                b = b.wrapping_add(COLUMNS);
            }
        }
    }
    sums
}
