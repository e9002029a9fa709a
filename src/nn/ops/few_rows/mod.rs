//! The three products of a linear layer for a batch of a few images, each in one pass over the weights.
//!
//! With few images there is little to compute for each weight: the time is that of reading or writing the weights once, which
//! a product made for square matrices does several times, while it repacks them. Here blocks of weights are used where they lie:
//!
//! ```text
//! output          y[n][o] += sum over i of x[n][i] w[o][i]    blocks of 4 rows of w
//! weight gradient dw[o][i] = sum over n of dy[n][o] x[n][i]   blocks of 4 rows of dw
//! input gradient  dx[n][i] = sum over o of dy[n][o] w[o][i]   blocks of COLUMNS columns of w
//! ```
//!
//! Every sum has one order, whatever the number of threads.

#![allow(clippy::inline_always, reason = "what is dispatched to an instruction set must be compiled for it")]

mod forward;
mod gradients;

use std::ops::RangeInclusive;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use forward::Forward;
use gradients::{InputGradient, WeightGradient};

use super::Step;

/// The batches that are computed here.
pub const IMAGES: RangeInclusive<usize> = 1..=16;
/// Outputs that one task works on.
const OUTPUTS: usize = 16;
/// Rows of weights that are used together.
const ROWS: usize = 4;
/// Inputs that one task of the input gradient works on.
const COLUMNS: usize = 512;

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
    tasks.for_each(|(sums, weights)| dispatch(step, Forward { input, inputs, weights, sums }));
    for (n, row) in output.chunks_exact_mut(outputs).enumerate() {
        for (out, sums) in row.iter_mut().zip(sums.chunks_exact(images)) {
            *out += sums[n];
        }
    }
}

/// Writes the gradient of the weights (outputs x inputs) from that of the output (images x outputs).
pub fn weight_gradient(step: Step, shape: Shape, input: &[f32], output: &[f32], weights: &mut [f32]) {
    shape.check(input, weights, output);
    let Shape { images, inputs, outputs } = shape;
    weights.par_chunks_mut(OUTPUTS * inputs).enumerate().for_each(|(task, weights)| {
        let rows = weights.len() / inputs;
        let mut factors = vec![0.0; images * rows.next_multiple_of(ROWS)];
        // groups of four rows, an image after the other: [group][image][row]
        for (n, gradient) in output.chunks_exact(outputs).enumerate() {
            for r in 0..rows {
                factors[(r / ROWS * images + n) * ROWS + r % ROWS] = gradient[task * OUTPUTS + r];
            }
        }
        dispatch(step, WeightGradient { input, inputs, factors: &factors, images, weights });
    });
}

/// Writes the gradient of the input (images x inputs) from that of the output (images x outputs).
pub fn input_gradient(step: Step, shape: Shape, output: &[f32], weights: &[f32], input: &mut [f32]) {
    shape.check(input, weights, output);
    let Shape { images, inputs, outputs } = shape;
    // each task has its columns of all images in one piece
    let mut pieces = vec![0.0; images * inputs];
    pieces.par_chunks_mut(images * COLUMNS).enumerate().for_each(|(task, piece)| {
        dispatch(step, InputGradient { output, outputs, weights, inputs, from: task * COLUMNS, images, piece });
    });
    for (task, piece) in pieces.chunks(images * COLUMNS).enumerate() {
        let columns = piece.len() / images;
        for (row, values) in input.chunks_exact_mut(inputs).zip(piece.chunks_exact(columns)) {
            row[task * COLUMNS..][..columns].copy_from_slice(values);
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
                let dy = numbers(images * outputs, 7901);
                let mut y = b.repeat(images);
                add_product(step, shape, &x, &w, &mut y);
                let (mut dw, mut dx) = (vec![f32::NAN; w.len()], vec![f32::NAN; x.len()]);
                weight_gradient(step, shape, &x, &dy, &mut dw);
                input_gradient(step, shape, &dy, &w, &mut dx);
                for n in 0..images {
                    for o in 0..outputs {
                        let exact = expected((0..inputs).map(|i| (x[n * inputs + i], w[o * inputs + i]))) + f64::from(b[o]);
                        close(y[n * outputs + o], exact, (step, shape, n, o));
                    }
                    for i in 0..inputs {
                        let exact = expected((0..outputs).map(|o| (dy[n * outputs + o], w[o * inputs + i])));
                        close(dx[n * inputs + i], exact, (step, shape, n, i));
                    }
                }
                for o in 0..outputs {
                    for i in 0..inputs {
                        let exact = expected((0..images).map(|n| (dy[n * outputs + o], x[n * inputs + i])));
                        close(dw[o * inputs + i], exact, (step, shape, o, i));
                    }
                }
            }
        }
    }
}
