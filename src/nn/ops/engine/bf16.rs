//! The kernel for AVX-512 BF16: one instruction multiplies sixteen pairs of bfloat16 and adds both products to sixteen 32-bit sums,
//! twice the work of a multiplication of 32-bit numbers in the same time.

use std::arch::x86_64::{
    __m256bh, __m256i, __m512, __m512bh, __m512i, _mm256_storeu_si256, _mm512_castsi256_si512, _mm512_cvtne2ps_pbh, _mm512_cvtneps_pbh,
    _mm512_dpbf16_ps, _mm512_inserti64x4, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_permutexvar_epi16, _mm512_set1_epi32,
    _mm512_setzero_ps, _mm512_setzero_si512,
};

use super::kernel::{COLUMNS, Kernel, LANES, Rows};
use super::lanes::{part, store_pairs, transposed};
use super::x86::{Avx512, store};

pub struct Avx512Bf16;

/// 0, 16, 1, 17 and so on.
static TURNS: [u16; 2 * LANES] = {
    let mut turns = [0; 2 * LANES];
    let mut i = 0;
    while i < 2 * LANES {
        turns[i] = (i / 2 + i % 2 * LANES) as u16;
        i += 1;
    }
    turns
};

/// A pair of `k` of R rows x 32 columns; with R = 12 the sums take 24 of the 32 registers. Pairs of A may lie at any even or odd
/// number, so they are read unaligned.
#[inline(always)]
unsafe fn step<const R: usize>(sums: &mut [[__m512; 2]; R], a: *const u16, stride: usize, b: *const u16) {
    // SAFETY: the caller promises two numbers of `a` at r * stride for r < R, and 64 at `b`. The transmutes only rename 512 bits.
    unsafe {
        let b0 = std::mem::transmute::<__m512i, __m512bh>(_mm512_loadu_si512(b.cast()));
        let b1 = std::mem::transmute::<__m512i, __m512bh>(_mm512_loadu_si512(b.add(2 * LANES).cast()));
        for (r, sums) in sums.iter_mut().enumerate() {
            let pair = a.add(r * stride).cast::<i32>().read_unaligned();
            let factor = std::mem::transmute::<__m512i, __m512bh>(_mm512_set1_epi32(pair));
            sums[0] = _mm512_dpbf16_ps(sums[0], factor, b0);
            sums[1] = _mm512_dpbf16_ps(sums[1], factor, b1);
        }
    }
}

impl Kernel for Avx512Bf16 {
    type Packed = u16;
    type Exact = Avx512;
    const DEPTH_STEP: usize = 2;

    #[inline(always)]
    unsafe fn pack(values: &[f32], out: &mut [u16]) {
        let out = &mut out[..values.len()];
        let (chunks, rest) = values.as_chunks::<LANES>();
        let (out_chunks, out_rest) = out.as_chunks_mut::<LANES>();
        for (values, out) in chunks.iter().zip(out_chunks) {
            // SAFETY: sixteen numbers in, sixteen out; the instructions are the caller's promise.
            unsafe {
                let packed: __m256bh = _mm512_cvtneps_pbh(_mm512_loadu_ps(values.as_ptr()));
                _mm256_storeu_si256(out.as_mut_ptr().cast(), std::mem::transmute::<__m256bh, __m256i>(packed));
            }
        }
        for (value, out) in rest.iter().zip(out_rest) {
            *out = half::bf16::from_f32(*value).to_bits();
        }
    }

    #[inline(always)]
    unsafe fn pack_two([first, second]: [&[f32; LANES]; 2], column: usize, width: usize, out: &mut [u16]) {
        let out = &mut out[..2 * width][2 * column..2 * (column + LANES)];
        // SAFETY: sixteen numbers of either row, and room for as many pairs; the instructions are the caller's promise.
        unsafe {
            // the second row's sixteen above the first's, then one of each in turn
            let both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(second.as_ptr()), _mm512_loadu_ps(first.as_ptr()));
            let turns = _mm512_loadu_si512((&raw const TURNS).cast());
            store_pairs(out.as_mut_ptr(), _mm512_permutexvar_epi16(turns, std::mem::transmute::<__m512bh, __m512i>(both)));
        }
    }

    /// Eight pairs of a column and eight of that sixteen columns on make one row of a block whose transposed are the rows of the
    /// panel, first their left halves, then their right ones.
    #[inline(always)]
    unsafe fn pack_columns(columns: &[[f32; LANES]; COLUMNS], out: &mut [u16]) {
        let out = &mut out[..LANES * COLUMNS];
        // SAFETY: sixteen numbers of each column, and room for eight rows of two vectors; the instructions are the caller's promise.
        unsafe {
            let mut rows = [_mm512_setzero_si512(); LANES];
            for (j, row) in rows.iter_mut().enumerate() {
                let left = part(_mm512_loadu_ps(columns[j].as_ptr()), 0);
                let right = part(_mm512_loadu_ps(columns[j + LANES].as_ptr()), 0);
                *row = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(left), right);
            }
            for (i, row) in transposed(&rows).into_iter().enumerate() {
                store_pairs(out.as_mut_ptr().add(i % 8 * 2 * COLUMNS + i / 8 * 2 * LANES), row);
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<const R: usize, const ADD: bool>(a: &Rows<'_, u16>, b: *const u16, c: *mut f32, c_stride: usize) {
        // SAFETY: `i` stays within the run, which is even by `DEPTH_STEP`, R within the rows and `b` within the 32 numbers a `k`
        // that the caller promised.
        unsafe {
            let mut sums = [[_mm512_setzero_ps(); 2]; R];
            let mut b = b;
            for &run in a.runs {
                let rows = a.first.add(run);
                let mut i = 0;
                // four pairs at a time, so that the addresses of the rows are formed once for four uses
                while i + 8 <= a.run_length {
                    for pair in 0..4 {
                        step(&mut sums, rows.add(i + 2 * pair), a.stride, b.add(2 * pair * COLUMNS));
                    }
                    b = b.add(8 * COLUMNS);
                    i += 8;
                }
                while i < a.run_length {
                    step(&mut sums, rows.add(i), a.stride, b);
                    b = b.add(2 * COLUMNS);
                    i += 2;
                }
            }
            store::<R, ADD>(&sums, c, c_stride);
        }
    }

    #[inline(always)]
    unsafe fn outer<const R: usize, const ADD: bool>(
        a: *const u16,
        a_stride: usize,
        depth: usize,
        b: *const u16,
        c: *mut f32,
        c_stride: usize,
    ) {
        // SAFETY: as for `tile`; the rows of a pair lie side by side.
        unsafe {
            let mut sums = [[_mm512_setzero_ps(); 2]; R];
            for k in (0..depth).step_by(2) {
                step(&mut sums, a.add(k * a_stride), 2, b.add(k * COLUMNS));
            }
            store::<R, ADD>(&sums, c, c_stride);
        }
    }
}
