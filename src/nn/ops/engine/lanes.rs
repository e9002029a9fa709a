//! Vectors of bfloat16: a number as the sum of several, pairs, and the transposition of a 16 x 16 block.
//!
//! Every function is compiled into the task that calls it, which runs with AVX-512 and its bfloat16 extension. Call them from loops,
//! not from closures: a closure that is not inlined is compiled without those instructions, and each of them becomes a call.

use std::arch::x86_64::{
    __m256i, __m512, __m512i, __mmask16, _mm256_loadu_si256, _mm256_mask_storeu_epi16, _mm256_storeu_si256, _mm512_castsi512_ps,
    _mm512_cvtepu16_epi32, _mm512_cvtneps_pbh, _mm512_loadu_ps, _mm512_maskz_loadu_ps, _mm512_or_si512, _mm512_shuffle_i32x4,
    _mm512_slli_epi32, _mm512_storeu_si512, _mm512_sub_ps, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32,
    _mm512_unpacklo_epi64,
};

/// Numbers of a vector.
pub const LANES: usize = 16;

/// Sixteen numbers as bfloat16.
///
/// # Safety
/// AVX-512 BF16 is available.
#[inline(always)]
unsafe fn rounded(values: __m512) -> __m256i {
    // SAFETY: the caller's promise; the transmute only renames 256 bits.
    unsafe { std::mem::transmute(_mm512_cvtneps_pbh(values)) }
}

/// Part `part` of sixteen numbers that are written as a sum of bfloat16: part 0 is the number, rounded, and each further part what
/// those before left over, rounded. Two parts keep 16 of the 24 bits of a number, three keep all.
///
/// # Safety
/// AVX-512 BF16 is available.
#[inline(always)]
pub unsafe fn part(values: __m512, part: usize) -> __m256i {
    let mut rest = values;
    for _ in 0..part {
        // SAFETY: the caller's promise.
        unsafe { rest = _mm512_sub_ps(rest, _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(rounded(rest))))) };
    }
    // SAFETY: the caller's promise.
    unsafe { rounded(rest) }
}

/// Stores one part of `values`.
///
/// # Safety
/// AVX-512 BF16 is available, and `out` has room for as many numbers.
#[inline(always)]
pub unsafe fn store_part(values: &[f32], number: usize, out: *mut u16) {
    let whole = values.len() / LANES * LANES;
    // SAFETY: sixteen of the values, and of the room that the caller promised; the mask keeps to the rest.
    unsafe {
        for at in (0..whole).step_by(LANES) {
            _mm256_storeu_si256(out.add(at).cast(), part(_mm512_loadu_ps(values.as_ptr().add(at)), number));
        }
        if whole < values.len() {
            let rest = mask(values.len() - whole);
            let numbers = _mm512_maskz_loadu_ps(rest, values.as_ptr().add(whole));
            _mm256_mask_storeu_epi16(out.add(whole).cast(), rest, part(numbers, number));
        }
    }
}

/// The first `count` of sixteen.
pub fn mask(count: usize) -> __mmask16 {
    if count < LANES { (1 << count) - 1 } else { __mmask16::MAX }
}

/// Sixteen pairs, the first of each from `first`.
///
/// # Safety
/// AVX-512 is available.
#[inline(always)]
pub unsafe fn pairs(first: __m256i, second: __m256i) -> __m512i {
    // SAFETY: the caller's promise.
    unsafe { _mm512_or_si512(_mm512_cvtepu16_epi32(first), _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(second))) }
}

/// Sixteen pairs from two rows in memory.
///
/// # Safety
/// AVX-512 is available, and sixteen numbers can be read from each row.
#[inline(always)]
pub unsafe fn pairs_of(first: *const u16, second: *const u16) -> __m512i {
    // SAFETY: the caller's promises.
    unsafe { pairs(_mm256_loadu_si256(first.cast()), _mm256_loadu_si256(second.cast())) }
}

/// Stores sixteen pairs.
///
/// # Safety
/// AVX-512 is available, and `out` has room for 32 numbers.
#[inline(always)]
pub unsafe fn store_pairs(out: *mut u16, pairs: __m512i) {
    // SAFETY: the caller's promises.
    unsafe { _mm512_storeu_si512(out.cast(), pairs) };
}

/// The transposed of 16 x 16 units of 32 bits: by pairs of rows, by fours, then by the four quarters of the vectors twice.
///
/// # Safety
/// AVX-512 is available.
#[inline(always)]
pub unsafe fn transposed(rows: &[__m512i; 16]) -> [__m512i; 16] {
    let mut two = *rows;
    let mut four = *rows;
    let mut out = *rows;
    // SAFETY: the caller's promise.
    unsafe {
        for i in 0..8 {
            two[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
            two[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
        }
        // four[4 i + j]: in each quarter q, column 4 q + j of rows 4 i to 4 i + 3
        for i in 0..4 {
            four[4 * i] = _mm512_unpacklo_epi64(two[4 * i], two[4 * i + 2]);
            four[4 * i + 1] = _mm512_unpackhi_epi64(two[4 * i], two[4 * i + 2]);
            four[4 * i + 2] = _mm512_unpacklo_epi64(two[4 * i + 1], two[4 * i + 3]);
            four[4 * i + 3] = _mm512_unpackhi_epi64(two[4 * i + 1], two[4 * i + 3]);
        }
        for j in 0..4 {
            // quarters 0 and 2 of two vectors, then 1 and 3
            let upper_even = _mm512_shuffle_i32x4::<0b10_00_10_00>(four[j], four[4 + j]);
            let lower_even = _mm512_shuffle_i32x4::<0b10_00_10_00>(four[8 + j], four[12 + j]);
            let upper_odd = _mm512_shuffle_i32x4::<0b11_01_11_01>(four[j], four[4 + j]);
            let lower_odd = _mm512_shuffle_i32x4::<0b11_01_11_01>(four[8 + j], four[12 + j]);
            out[j] = _mm512_shuffle_i32x4::<0b10_00_10_00>(upper_even, lower_even);
            out[8 + j] = _mm512_shuffle_i32x4::<0b11_01_11_01>(upper_even, lower_even);
            out[4 + j] = _mm512_shuffle_i32x4::<0b10_00_10_00>(upper_odd, lower_odd);
            out[12 + j] = _mm512_shuffle_i32x4::<0b11_01_11_01>(upper_odd, lower_odd);
        }
    }
    out
}
