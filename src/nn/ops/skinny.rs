//! Products with few rows: a linear layer on a batch of pictures, where reading the weights once is all the work there is.
//!
//! With `b` pictures, `i` inputs and `o` outputs, rows of everything side by side in memory. Each number is summed in one order,
//! whatever the number of threads.
#![allow(clippy::inline_always, reason = "what is dispatched to an instruction set must be compiled for it")]

use rayon::prelude::*;

/// The most rows for which this is the faster way.
pub const ROWS: usize = 32;

/// Numbers that are worked on together; the loops over them become vector instructions.
const LANES: usize = 16;
/// Rows that share a pass over the weights.
const TOGETHER: usize = 8;
/// Numbers of a row of weights that are worked on before the next row.
const SPAN: usize = 512;

/// `out` (b x o) += `x` (b x i) times the transposed of `weights` (o x i).
pub fn times_transposed(out: &mut [f32], x: &[f32], weights: &[f32], outputs: usize) {
    let inputs = weights.len() / outputs.max(1);
    let rows: Vec<Vec<f32>> = weights.par_chunks(inputs).map(|weights| pulp::Arch::new().dispatch(|| dot_products(weights, x))).collect();
    for (o, sums) in rows.iter().enumerate() {
        for (out, sum) in out[o..].iter_mut().step_by(outputs).zip(sums) {
            *out += sum;
        }
    }
}

/// One row of weights times each row of `x`.
#[inline(always)]
fn dot_products(weights: &[f32], x: &[f32]) -> Vec<f32> {
    let inputs = weights.len();
    let mut sums = Vec::with_capacity(x.len() / inputs);
    for rows in x.chunks(TOGETHER * inputs) {
        let mut lanes = [[0.0f32; LANES]; TOGETHER];
        for (row, lanes) in rows.chunks_exact(inputs).zip(&mut lanes) {
            let (blocks, rest) = row.as_chunks::<LANES>();
            let (weight_blocks, weight_rest) = weights.as_chunks::<LANES>();
            let mut second = [0.0f32; LANES];
            for (pair, weights) in blocks.chunks(2).zip(weight_blocks.chunks(2)) {
                add_product(lanes, &pair[0], &weights[0]);
                if let ([_, x], [_, w]) = (pair, weights) {
                    add_product(&mut second, x, w);
                }
            }
            for ((lane, second), at) in lanes.iter_mut().zip(second).zip(0..) {
                *lane += second;
                if at < rest.len() {
                    *lane += rest[at] * weight_rest[at];
                }
            }
        }
        sums.extend(lanes[..rows.len() / inputs].iter().map(|lanes| lanes.iter().sum::<f32>()));
    }
    sums
}

#[inline(always)]
fn add_product(sums: &mut [f32; LANES], a: &[f32; LANES], b: &[f32; LANES]) {
    for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
        *sum += a * b;
    }
}

/// `out` (b x i) = `gradient` (b x o) times `weights` (o x i).
pub fn times(out: &mut [f32], gradient: &[f32], weights: &[f32], outputs: usize) {
    let inputs = weights.len() / outputs.max(1);
    let batch = gradient.len() / outputs.max(1);
    let spans: Vec<Vec<f32>> = (0..inputs.div_ceil(SPAN))
        .into_par_iter()
        .map(|span| {
            let (from, to) = (span * SPAN, inputs.min((span + 1) * SPAN));
            let mut sums = vec![0.0f32; batch * (to - from)];
            pulp::Arch::new().dispatch(|| {
                for (o, weights) in weights.chunks_exact(inputs).enumerate() {
                    for (sums, gradient) in sums.chunks_exact_mut(to - from).zip(gradient.chunks_exact(outputs)) {
                        add_scaled(sums, &weights[from..to], gradient[o]);
                    }
                }
            });
            sums
        })
        .collect();
    for (span, sums) in spans.iter().enumerate() {
        let len = sums.len() / batch.max(1);
        for (out, sums) in out.chunks_exact_mut(inputs).zip(sums.chunks_exact(len)) {
            out[span * SPAN..][..len].copy_from_slice(sums);
        }
    }
}

/// `out` (o x i) = the transposed of `gradient` (b x o) times `x` (b x i).
pub fn transposed_times(out: &mut [f32], gradient: &[f32], x: &[f32], outputs: usize) {
    let inputs = out.len() / outputs.max(1);
    out.par_chunks_mut(inputs).enumerate().for_each(|(o, out)| {
        pulp::Arch::new().dispatch(|| {
            for (span, out) in out.chunks_mut(SPAN).enumerate() {
                out.fill(0.0);
                for (x, gradient) in x.chunks_exact(inputs).zip(gradient.chunks_exact(outputs)) {
                    add_scaled(out, &x[span * SPAN..][..out.len()], gradient[o]);
                }
            }
        });
    });
}

#[inline(always)]
fn add_scaled(sums: &mut [f32], values: &[f32], factor: f32) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    #[test]
    fn all_three_products_are_the_sums_that_they_say() {
        for (batch, inputs, outputs) in [(1, 1, 1), (3, 17, 5), (9, 1030, 4), (32, 64, 33)] {
            let mut random = Random::new(5, Purpose::Test, &[inputs as u64]);
            let mut numbers = |len: usize| (0..len).map(|_| random.normal() as f32).collect::<Vec<_>>();
            let (x, weights, gradient) = (numbers(batch * inputs), numbers(outputs * inputs), numbers(batch * outputs));
            let close = |got: &[f32], want: &dyn Fn(usize, usize) -> f64, columns: usize| {
                for (at, got) in got.iter().enumerate() {
                    let want = want(at / columns, at % columns);
                    assert!((f64::from(*got) - want).abs() < 1e-3, "{batch} x {inputs} x {outputs}: {got} instead of {want}");
                }
            };
            let sum = |n: usize, term: &dyn Fn(usize) -> f32| (0..n).map(|i| f64::from(term(i))).sum::<f64>();
            let mut out = vec![0.5; batch * outputs];
            times_transposed(&mut out, &x, &weights, outputs);
            close(&out, &|b, o| 0.5 + sum(inputs, &|i| x[b * inputs + i] * weights[o * inputs + i]), outputs);
            let mut out = vec![f32::NAN; batch * inputs];
            times(&mut out, &gradient, &weights, outputs);
            close(&out, &|b, i| sum(outputs, &|o| gradient[b * outputs + o] * weights[o * inputs + i]), inputs);
            let mut out = vec![f32::NAN; outputs * inputs];
            transposed_times(&mut out, &gradient, &x, outputs);
            close(&out, &|o, i| sum(batch, &|b| gradient[b * outputs + o] * x[b * inputs + i]), inputs);
        }
    }
}
