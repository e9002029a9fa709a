//! The kernels with 32-bit numbers for AVX2 + FMA and AVX-512, and the entrances of all steps.

use std::arch::x86_64::{
    __m256, __m512, _mm256_add_ps, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::bf16::Avx512Bf16;
use super::kernel::{COLUMNS, Kernel, LANES, Rows, Task, two_rows};

#[target_feature(enable = "avx2,fma")]
pub unsafe fn enter_avx2<T: Task>(task: &T, index: usize) {
    // SAFETY: the caller checked the instructions and the index.
    unsafe { task.run::<Avx2>(index) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")]
pub unsafe fn enter_avx512<T: Task>(task: &T, index: usize) {
    // SAFETY: as above.
    unsafe { task.run::<Avx512>(index) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma")]
pub unsafe fn enter_avx512_bf16<T: Task>(task: &T, index: usize) {
    // SAFETY: as above.
    unsafe { task.run::<Avx512Bf16>(index) }
}

pub struct Avx2;

/// Sums of B rows x 16 columns; with B = 6 they take twelve of the sixteen registers.
#[inline(always)]
unsafe fn avx2_block<const B: usize>(a: &Rows<'_, f32>, r0: usize, b: *const f32) -> [[__m256; 2]; B] {
    // SAFETY: the caller promises rows r0..r0+B of `a`, and 16 numbers of every row of `b`.
    unsafe {
        let mut sums = [[_mm256_setzero_ps(); 2]; B];
        let mut b = b;
        for &run in a.runs {
            let rows = a.first.add(run + r0 * a.stride);
            for i in 0..a.run_length {
                let (b0, b1) = (_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8)));
                for (r, sums) in sums.iter_mut().enumerate() {
                    let factor = _mm256_broadcast_ss(&*rows.add(r * a.stride + i));
                    sums[0] = _mm256_fmadd_ps(factor, b0, sums[0]);
                    sums[1] = _mm256_fmadd_ps(factor, b1, sums[1]);
                }
                b = b.wrapping_add(COLUMNS);
            }
        }
        sums
    }
}

/// Rows of a tile in blocks of B rows and half the columns.
#[inline(always)]
unsafe fn avx2_tile<const B: usize, const R: usize, const ADD: bool>(a: &Rows<'_, f32>, b: *const f32, c: *mut f32, c_stride: usize) {
    for r0 in (0..R).step_by(B) {
        for j0 in [0, 16] {
            // SAFETY: rows r0..r0+B < R and columns j0..j0+16 of what the caller promised.
            unsafe {
                let sums = avx2_block::<B>(a, r0, b.add(j0));
                avx2_store::<B, ADD>(&sums, c.add(r0 * c_stride + j0), c_stride);
            }
        }
    }
}

impl Kernel for Avx2 {
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
        // SAFETY: the caller's promises; R is 12 or 8.
        unsafe { if R.is_multiple_of(6) { avx2_tile::<6, R, ADD>(a, b, c, c_stride) } else { avx2_tile::<4, R, ADD>(a, b, c, c_stride) } }
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
        // SAFETY: the caller's promises; R is 12 or 8.
        unsafe {
            if R.is_multiple_of(6) {
                avx2_outer::<6, R, ADD>(a, a_stride, depth, b, c, c_stride);
            } else {
                avx2_outer::<4, R, ADD>(a, a_stride, depth, b, c, c_stride);
            }
        }
    }
}

/// Rows of a tile in blocks of B rows and half the columns; A the other way round.
#[inline(always)]
unsafe fn avx2_outer<const B: usize, const R: usize, const ADD: bool>(
    a: *const f32,
    a_stride: usize,
    depth: usize,
    b: *const f32,
    c: *mut f32,
    c_stride: usize,
) {
    for r0 in (0..R).step_by(B) {
        for j0 in [0, 16] {
            // SAFETY: rows r0..r0+B < R and columns j0..j0+16 of what the caller promised.
            unsafe {
                let mut sums = [[_mm256_setzero_ps(); 2]; B];
                let (mut a, mut b) = (a.add(r0), b.add(j0));
                for _ in 0..depth {
                    let (b0, b1) = (_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8)));
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let factor = _mm256_broadcast_ss(&*a.add(r));
                        sums[0] = _mm256_fmadd_ps(factor, b0, sums[0]);
                        sums[1] = _mm256_fmadd_ps(factor, b1, sums[1]);
                    }
                    a = a.wrapping_add(a_stride);
                    b = b.wrapping_add(COLUMNS);
                }
                avx2_store::<B, ADD>(&sums, c.add(r0 * c_stride + j0), c_stride);
            }
        }
    }
}

/// Stores B rows of 16 sums.
#[inline(always)]
unsafe fn avx2_store<const B: usize, const ADD: bool>(sums: &[[__m256; 2]; B], c: *mut f32, c_stride: usize) {
    for (r, sums) in sums.iter().enumerate() {
        for (half, sum) in sums.iter().enumerate() {
            // SAFETY: the caller promises B rows of 16 numbers, `c_stride` apart.
            unsafe {
                let c = c.add(r * c_stride + 8 * half);
                _mm256_storeu_ps(c, if ADD { _mm256_add_ps(_mm256_loadu_ps(c), *sum) } else { *sum });
            }
        }
    }
}

pub struct Avx512;

/// One `k` of R rows x 32 columns; with R = 12 the sums take 24 of the 32 registers.
#[inline(always)]
unsafe fn avx512_step<const R: usize>(sums: &mut [[__m512; 2]; R], a: *const f32, stride: usize, b: *const f32) {
    // SAFETY: the caller promises `a` at r * stride for r < R, and 32 numbers at `b`.
    unsafe {
        let (b0, b1) = (_mm512_loadu_ps(b), _mm512_loadu_ps(b.add(16)));
        for (r, sums) in sums.iter_mut().enumerate() {
            let factor = _mm512_set1_ps(*a.add(r * stride));
            sums[0] = _mm512_fmadd_ps(factor, b0, sums[0]);
            sums[1] = _mm512_fmadd_ps(factor, b1, sums[1]);
        }
    }
}

/// Stores R rows of 32 sums.
#[inline(always)]
pub unsafe fn store<const R: usize, const ADD: bool>(sums: &[[__m512; 2]; R], c: *mut f32, c_stride: usize) {
    for (r, sums) in sums.iter().enumerate() {
        for (half, sum) in sums.iter().enumerate() {
            // SAFETY: the caller promises rows of 32 numbers, `c_stride` apart.
            unsafe {
                let c = c.add(r * c_stride + 16 * half);
                _mm512_storeu_ps(c, if ADD { _mm512_add_ps(_mm512_loadu_ps(c), *sum) } else { *sum });
            }
        }
    }
}

impl Kernel for Avx512 {
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
        // SAFETY: `i` stays within the run, R within the rows and `b` within the 32 numbers a `k` that the caller promised.
        unsafe {
            let mut sums = [[_mm512_setzero_ps(); 2]; R];
            let mut b = b;
            for &run in a.runs {
                let rows = a.first.add(run);
                let mut i = 0;
                // four at a time, so that the addresses of the rows are formed once for four uses
                while i + 4 <= a.run_length {
                    for k in 0..4 {
                        avx512_step(&mut sums, rows.add(i + k), a.stride, b.add(k * COLUMNS));
                    }
                    b = b.add(4 * COLUMNS);
                    i += 4;
                }
                while i < a.run_length {
                    avx512_step(&mut sums, rows.add(i), a.stride, b);
                    b = b.add(COLUMNS);
                    i += 1;
                }
            }
            store::<R, ADD>(&sums, c, c_stride);
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
        // SAFETY: as for `tile`; a stride of one finds the rows side by side.
        unsafe {
            let mut sums = [[_mm512_setzero_ps(); 2]; R];
            for k in 0..depth {
                avx512_step(&mut sums, a.add(k * a_stride), 1, b.add(k * COLUMNS));
            }
            store::<R, ADD>(&sums, c, c_stride);
        }
    }
}
