//! The output: products of rows of weights with images.

use pulp::{Simd, WithSimd};

use super::ROWS;

/// Some outputs of all images.
pub struct Forward<'a> {
    pub input: &'a [f32],
    pub inputs: usize,
    /// Outputs of this task x inputs.
    pub weights: &'a [f32],
    /// Outputs of this task x images.
    pub sums: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { input, inputs, weights, sums } = self;
        let images = input.len() / inputs;
        for (weights, sums) in weights.chunks(ROWS * inputs).zip(sums.chunks_mut(ROWS * images)) {
            if weights.len() == ROWS * inputs {
                let rows: [&[f32]; ROWS] = std::array::from_fn(|r| &weights[r * inputs..][..inputs]);
                dot_rows::<S, ROWS>(simd, rows, input, images, sums);
            } else {
                for (row, sums) in weights.chunks_exact(inputs).zip(sums.chunks_exact_mut(images)) {
                    dot_rows::<S, 1>(simd, [row], input, images, sums);
                }
            }
        }
    }
}

/// The products of R rows of weights with all images; `sums` is R x images.
#[inline(always)]
fn dot_rows<S: Simd, const R: usize>(simd: S, rows: [&[f32]; R], input: &[f32], images: usize, sums: &mut [f32]) {
    let mut n = 0;
    while n < images {
        // sums of four rows and four images take half of AVX-512's registers, and two images half of AVX2's
        n += match images - n {
            4.. if S::REGISTER_COUNT > 16 => dots::<S, R, 4>(simd, rows, input, n, images, sums),
            2.. => dots::<S, R, 2>(simd, rows, input, n, images, sums),
            _ => dots::<S, R, 1>(simd, rows, input, n, images, sums),
        };
    }
}

/// The products of R rows with the N images from `first` on; returns N.
#[inline(always)]
fn dots<S: Simd, const R: usize, const N: usize>(
    simd: S,
    rows: [&[f32]; R],
    input: &[f32],
    first: usize,
    images: usize,
    sums: &mut [f32],
) -> usize {
    let inputs = rows[0].len();
    let pictures: [&[f32]; N] = std::array::from_fn(|n| &input[(first + n) * inputs..][..inputs]);
    let (vectors, rest) = (inputs / S::F32_LANES, inputs % S::F32_LANES);
    let w = rows.map(|row| &S::as_simd_f32s(row).0[..vectors]);
    let x = pictures.map(|row| &S::as_simd_f32s(row).0[..vectors]);
    let mut lanes = [[simd.splat_f32s(0.0); N]; R];
    for i in 0..vectors {
        let x = x.map(|row| row[i]);
        for (w, lanes) in w.iter().zip(&mut lanes) {
            let w = w[i];
            for (x, lane) in x.iter().zip(lanes) {
                *lane = simd.mul_add_e_f32s(w, *x, *lane);
            }
        }
    }
    for (r, lanes) in lanes.iter().enumerate() {
        for (n, lane) in lanes.iter().enumerate() {
            let tail = inputs - rest..inputs;
            let tail: f32 = rows[r][tail.clone()].iter().zip(&pictures[n][tail]).map(|(w, x)| w * x).sum();
            sums[r * images + first + n] = simd.reduce_sum_f32s(*lane) + tail;
        }
    }
    N
}
