//! A few rows times the transposed of many: a linear layer on a small batch, where reading the weights once is all the work.
//!
//! ```text
//! out[b][o] += sum over i of x[b][i] * weights[o][i]        4 x 4 sums of 16 lanes at a time
//! ```

use super::Step;
use super::buffer::Shared;
use super::kernel::{Kernel, Task, run_all};

/// The most rows for which this is the faster way.
pub const ROWS: usize = 16;

/// Numbers of a vector.
const LANES: usize = 16;
/// Rows of `x` and rows of weights that are worked on together.
const BLOCK: usize = 4;

/// `out` (b x o) += `x` (b x i) times the transposed of `weights` (o x i).
///
/// # Panics
/// If the lengths do not fit each other.
pub fn times_transposed(out: &mut [f32], x: &[f32], weights: &[f32], outputs: usize) {
    let inputs = weights.len() / outputs;
    let batch = x.len() / inputs;
    assert!(x.len() == batch * inputs && weights.len() == outputs * inputs && out.len() == batch * outputs);
    run_all(Step::best_f32(), &Products { x, weights, inputs, outputs, out: Shared::new(out) }, outputs.div_ceil(BLOCK));
}

struct Products<'a> {
    x: &'a [f32],
    weights: &'a [f32],
    inputs: usize,
    outputs: usize,
    out: Shared<f32>,
}

impl Task for Products<'_> {
    /// Four outputs.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let first = index * BLOCK;
        let outputs = BLOCK.min(self.outputs - first);
        // where there are fewer, the last row stands for the missing ones
        let weights: [&[f32]; BLOCK] = row_block(self.weights, first, first + outputs, self.inputs);
        let batch = self.x.len() / self.inputs;
        for row in (0..batch).step_by(BLOCK) {
            let rows = BLOCK.min(batch - row);
            let sums = block_sums(&row_block(self.x, row, row + rows, self.inputs), &weights);
            for (b, sums) in sums.iter().enumerate().take(rows) {
                // SAFETY: these outputs of this row are this piece's.
                let out = unsafe { self.out.part((row + b) * self.outputs + first, outputs) };
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out += sum;
                }
            }
        }
    }
}

/// Four rows from `first` on, the last of them again beyond `end`.
#[inline(always)]
fn row_block(values: &[f32], first: usize, end: usize, length: usize) -> [&[f32]; BLOCK] {
    let mut rows: [&[f32]; BLOCK] = [&[]; BLOCK];
    for (at, row) in rows.iter_mut().enumerate() {
        *row = &values[(first + at).min(end - 1) * length..][..length];
    }
    rows
}

#[inline(always)]
fn block_sums(x: &[&[f32]; BLOCK], weights: &[&[f32]; BLOCK]) -> [[f32; BLOCK]; BLOCK] {
    let length = x[0].len();
    let mut lanes = [[[0.0f32; LANES]; BLOCK]; BLOCK];
    let whole = length / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        for b in 0..BLOCK {
            for o in 0..BLOCK {
                for lane in 0..LANES {
                    lanes[b][o][lane] += x[b][at + lane] * weights[o][at + lane];
                }
            }
        }
    }
    let mut sums = [[0.0; BLOCK]; BLOCK];
    for b in 0..BLOCK {
        for o in 0..BLOCK {
            let rest: f32 = (whole..length).map(|at| x[b][at] * weights[o][at]).sum();
            sums[b][o] = lanes[b][o].iter().sum::<f32>() + rest;
        }
    }
    sums
}
