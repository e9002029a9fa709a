//! The product of a linear layer for a batch of a few images, in one pass over the weights.
//!
//! With few images there is little to compute for each weight: the time is that of reading the weights once, which a product
//! made for square matrices does several times, while it repacks them. Here blocks of four rows are used where they lie:
//!
//! ```text
//! y[n][o] += sum over i of x[n][i] w[o][i]
//! ```
//!
//! Every sum has one order, whatever the number of threads. The gradients are left to the general product: done like this they
//! gained nothing from eight images on (`cargo bench --bench operators -- linear`).

#![allow(clippy::inline_always, reason = "what is dispatched to an instruction set must be compiled for it")]

use std::ops::RangeInclusive;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Step;

/// The batches that are computed here.
pub const IMAGES: RangeInclusive<usize> = 1..=64;
/// Outputs that one task works on.
const OUTPUTS: usize = 16;
/// Rows of weights that are used together.
const ROWS: usize = 4;

/// The sizes of a linear layer, none of them 0: `images` x `inputs` numbers come in, `images` x `outputs` go out.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub images: usize,
    pub inputs: usize,
    pub outputs: usize,
}

impl Shape {
    fn check(self, input: &[f32], weights: &[f32], output: &[f32]) {
        assert_eq!(input.len(), self.images * self.inputs, "input of {self:?}");
        assert_eq!(weights.len(), self.outputs * self.inputs, "weights of {self:?}");
        assert_eq!(output.len(), self.images * self.outputs, "output of {self:?}");
    }
}

/// Adds to `output` (images x outputs), which begins as the bias, the product of `input` (images x inputs) and `weights`
/// (outputs x inputs).
pub fn add_product(step: Step, shape: Shape, input: &[f32], weights: &[f32], output: &mut [f32]) {
    shape.check(input, weights, output);
    let Shape { images, inputs, outputs } = shape;
    // one row an output, so that tasks write to places of their own
    let mut sums = vec![0.0; outputs * images];
    let tasks = sums.par_chunks_mut(OUTPUTS * images).zip(weights.par_chunks(OUTPUTS * inputs));
    tasks.for_each(|(sums, weights)| dispatch(step, Product { input, inputs, weights, sums }));
    for (n, row) in output.chunks_exact_mut(outputs).enumerate() {
        for (out, sums) in row.iter_mut().zip(sums.chunks_exact(images)) {
            *out += sums[n];
        }
    }
}

/// Runs `op` compiled for the instructions of `step`; its products are 32-bit on every step.
#[inline(always)]
fn dispatch<Op: WithSimd<Output = ()>>(step: Step, op: Op) {
    #[cfg(target_arch = "x86_64")]
    {
        use pulp::x86::{V3, V4};
        if step >= Step::Avx512
            && let Some(simd) = V4::try_new()
        {
            return Simd::vectorize(simd, op);
        }
        if step >= Step::Avx2
            && let Some(simd) = V3::try_new()
        {
            return Simd::vectorize(simd, op);
        }
        Simd::vectorize(pulp::Scalar::new(), op);
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = step;
        pulp::Arch::new().dispatch(op);
    }
}

/// Some outputs of all images.
struct Product<'a> {
    input: &'a [f32],
    inputs: usize,
    /// Outputs of this task x inputs.
    weights: &'a [f32],
    /// Outputs of this task x images.
    sums: &'a mut [f32],
}

impl WithSimd for Product<'_> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums in 64 bits, one by one.
    fn expected(terms: impl Iterator<Item = (f32, f32)>) -> f64 {
        terms.map(|(a, b)| f64::from(a) * f64::from(b)).sum()
    }

    fn numbers(count: usize, factor: usize) -> Vec<f32> {
        (0..count).map(|i| (i * factor % 1009) as f32 / 1009.0 - 0.5).collect()
    }

    fn close(ours: f32, exact: f64, place: (Step, Shape, usize, usize)) {
        assert!((f64::from(ours) - exact).abs() < 2e-5 * exact.abs().max(1.0), "{ours} is not {exact} at {place:?}");
    }

    #[test]
    fn every_step_and_odd_shape_against_sums_in_64_bits() {
        for step in Step::ALL.into_iter().filter(|s| s.available() && s.is_f32()) {
            for (images, inputs, outputs) in [(1, 1, 1), (1, 37, 10), (2, 16, 4), (3, 515, 9), (7, 64, 35), (8, 1030, 16), (16, 100, 6)] {
                let shape = Shape { images, inputs, outputs };
                let (x, w, b) = (numbers(images * inputs, 7919), numbers(outputs * inputs, 7907), numbers(outputs, 31));
                let mut y = b.repeat(images);
                add_product(step, shape, &x, &w, &mut y);
                for n in 0..images {
                    for o in 0..outputs {
                        let exact = expected((0..inputs).map(|i| (x[n * inputs + i], w[o * inputs + i]))) + f64::from(b[o]);
                        close(y[n * outputs + o], exact, (step, shape, n, o));
                    }
                }
            }
        }
    }
}
