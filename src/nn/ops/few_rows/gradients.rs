//! The gradients of weights and input.

use pulp::{Simd, WithSimd};

use super::ROWS;

/// Some rows of the weights' gradient.
pub struct WeightGradient<'a> {
    pub input: &'a [f32],
    pub inputs: usize,
    /// The output's gradient: groups of four outputs x images x four outputs.
    pub factors: &'a [f32],
    pub images: usize,
    pub weights: &'a mut [f32],
}

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { input, inputs, factors, images, weights } = self;
        for (weights, factors) in weights.chunks_mut(ROWS * inputs).zip(factors.chunks_exact(ROWS * images)) {
            if weights.len() == ROWS * inputs {
                outer_rows::<S, ROWS>(simd, weights, factors, input, inputs);
            } else {
                for (r, row) in weights.chunks_exact_mut(inputs).enumerate() {
                    outer_rows::<S, 1>(simd, row, &factors[r..], input, inputs);
                }
            }
        }
    }
}

/// R rows of the weights' gradient; `factors` has R of each four numbers for every image.
#[inline(always)]
fn outer_rows<S: Simd, const R: usize>(simd: S, weights: &mut [f32], factors: &[f32], input: &[f32], inputs: usize) {
    let (vectors, whole) = (inputs / S::F32_LANES, inputs - inputs % S::F32_LANES);
    let mut i = 0;
    while i < vectors {
        i += if i + 1 < vectors {
            outer::<S, R, 2>(simd, weights, factors, input, inputs, i)
        } else {
            outer::<S, R, 1>(simd, weights, factors, input, inputs, i)
        };
    }
    for (r, row) in weights.chunks_exact_mut(inputs).enumerate() {
        for (i, weight) in row.iter_mut().enumerate().skip(whole) {
            let images = input.chunks_exact(inputs).zip(factors.chunks(ROWS));
            *weight = images.map(|(picture, factors)| picture[i] * factors[r]).sum();
        }
    }
}

/// R rows of V vectors from vector `i` on; returns V.
#[inline(always)]
fn outer<S: Simd, const R: usize, const V: usize>(
    simd: S,
    weights: &mut [f32],
    factors: &[f32],
    input: &[f32],
    inputs: usize,
    i: usize,
) -> usize {
    let at = i * S::F32_LANES..(i + V) * S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (picture, factors) in input.chunks_exact(inputs).zip(factors.chunks(ROWS)) {
        let x = &S::as_simd_f32s(&picture[at.clone()]).0[..V];
        for (sums, factor) in sums.iter_mut().zip(factors) {
            let factor = simd.splat_f32s(*factor);
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum = simd.mul_add_e_f32s(factor, *x, *sum);
            }
        }
    }
    for (row, sums) in weights.chunks_exact_mut(inputs).zip(sums) {
        S::as_mut_simd_f32s(&mut row[at.clone()]).0.copy_from_slice(&sums);
    }
    V
}

/// Some columns of the input's gradient.
pub struct InputGradient<'a> {
    pub output: &'a [f32],
    pub outputs: usize,
    pub weights: &'a [f32],
    pub inputs: usize,
    /// The first column.
    pub from: usize,
    pub images: usize,
    /// Images x columns, zeros at first.
    pub piece: &'a mut [f32],
}

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { output, outputs, weights, inputs, from, images, piece } = self;
        let columns = piece.len() / images;
        for (o, rows) in weights.chunks(ROWS * inputs).enumerate().map(|(group, rows)| (group * ROWS, rows)) {
            if rows.len() == ROWS * inputs {
                let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &rows[r * inputs + from..][..columns]);
                add_rows::<S, ROWS>(simd, rows, output, outputs, o, piece);
            } else {
                for (r, row) in rows.chunks_exact(inputs).enumerate() {
                    add_rows::<S, 1>(simd, [&row[from..][..columns]], output, outputs, o + r, piece);
                }
            }
        }
    }
}

/// Adds what R outputs from `o` on give to the columns of all images, two images at a time.
#[inline(always)]
fn add_rows<S: Simd, const R: usize>(simd: S, rows: [&[f32]; R], output: &[f32], outputs: usize, o: usize, piece: &mut [f32]) {
    let columns = rows[0].len();
    let pairs = piece.chunks_mut(2 * columns).zip(output.chunks(2 * outputs));
    for (sums, gradients) in pairs {
        if sums.len() == 2 * columns {
            let (first, second) = sums.split_at_mut(columns);
            add::<S, R, 2>(simd, rows, [&gradients[o..], &gradients[outputs + o..]], [first, second]);
        } else {
            add::<S, R, 1>(simd, rows, [&gradients[o..]], [sums]);
        }
    }
}

/// Adds R rows, each times a number of its own for each of N images, to their sums.
#[inline(always)]
fn add<S: Simd, const R: usize, const N: usize>(simd: S, rows: [&[f32]; R], factors: [&[f32]; N], sums: [&mut [f32]; N]) {
    let columns = rows[0].len();
    let vectors = columns / S::F32_LANES;
    let splats: [[S::f32s; R]; N] = factors.map(|factors| std::array::from_fn(|r| simd.splat_f32s(factors[r])));
    let heads = rows.map(|row| &S::as_simd_f32s(row).0[..vectors]);
    let mut tails = sums;
    {
        let mut sums = tails.each_mut().map(|sums| &mut S::as_mut_simd_f32s(sums).0[..vectors]);
        for i in 0..vectors {
            let w = heads.map(|row| row[i]);
            for (sums, splats) in sums.iter_mut().zip(&splats) {
                let mut sum = sums[i];
                for (w, factor) in w.iter().zip(splats) {
                    sum = simd.mul_add_e_f32s(*w, *factor, sum);
                }
                sums[i] = sum;
            }
        }
    }
    for (sums, factors) in tails.iter_mut().zip(factors) {
        for i in vectors * S::F32_LANES..columns {
            for (row, factor) in rows.iter().zip(factors) {
                sums[i] += row[i] * factor;
            }
        }
    }
}
