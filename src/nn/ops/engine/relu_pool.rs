//! The seed network's block: convolution 3 x 3 + bias + ReLU + max-pool 2 x 2. The convolution's output never reaches memory.

use rayon::prelude::*;

use super::Step;
use super::buffer::Shared;
use super::epilogue::BiasReluPool;
use super::layer::Layer;
use super::pixels::{DEAD, Dense, Grid, Unpooled};
use super::windows::Windows;

/// Memory of one block that is kept from step to step.
#[derive(Default)]
pub struct ReluPool {
    layer: Layer,
}

/// What the backward pass writes.
pub struct ReluPoolGradients<'a> {
    /// Gradient of the input, N x H x W x C; `None` where nobody needs it (the data).
    pub input: Option<&'a mut [f32]>,
    /// Gradient of the weights, 9 x inputs x outputs.
    pub weights: &'a mut [f32],
    /// Gradient of the bias.
    pub bias: &'a mut [f32],
}

impl ReluPool {
    /// From `x` (N x H x W x C) to `out` (N x H/2 x W/2 x outputs) and one code a number of `out`.
    ///
    /// # Panics
    /// If the lengths do not fit each other.
    #[expect(clippy::too_many_arguments, reason = "the operands of one operator")]
    pub fn forward(&mut self, step: Step, grid: Grid, x: &[f32], weights: &[f32], bias: &[f32], out: &mut [f32], codes: &mut [u8]) {
        let outputs = bias.len();
        let pooled = grid.pooled().with_channels(outputs);
        assert!(
            x.len() == grid.len() && weights.len() == 9 * grid.channels * outputs && out.len() == pooled.len() && codes.len() == out.len()
        );
        let (out, codes) = (Shared::new(out), Shared::new(codes));
        self.layer.prepare(step, &Dense { grid, values: x }, weights, outputs);
        self.layer.forward(step, &Dense { grid, values: x }, Windows::pooled(grid), |windows| BiasReluPool { windows, bias, out, codes });
    }

    /// All gradients from that of the output of the last [`forward`](Self::forward), whose operands are given again.
    ///
    /// # Panics
    /// If the lengths do not fit each other.
    #[expect(clippy::too_many_arguments, reason = "the operands of one operator")]
    pub fn backward(
        &mut self,
        step: Step,
        grid: Grid,
        x: &[f32],
        weights: &[f32],
        gradient: &[f32],
        codes: &[u8],
        to: ReluPoolGradients<'_>,
    ) {
        let outputs = to.bias.len();
        let spread = Unpooled { grid: grid.with_channels(outputs), gradient, codes };
        assert!(gradient.len() == spread.grid.pooled().len() && codes.len() == gradient.len() && to.weights.len() == weights.len());
        bias_gradient(gradient, codes, to.bias);
        self.layer.backward(step, &Dense { grid, values: x }, weights, &spread, to.input, to.weights);
    }
}

/// Numbers that are summed by one thread; a fixed size, so that the order of the sum is fixed too.
const BIAS_CHUNK: usize = 1 << 16;

fn bias_gradient(gradient: &[f32], codes: &[u8], out: &mut [f32]) {
    let channels = out.len();
    let chunk = (BIAS_CHUNK / channels).max(1) * channels;
    let sums: Vec<Vec<f32>> = gradient
        .par_chunks(chunk)
        .zip(codes.par_chunks(chunk))
        .map(|(gradient, codes)| {
            let mut sums = vec![0.0f32; channels];
            for (gradient, codes) in gradient.chunks_exact(channels).zip(codes.chunks_exact(channels)) {
                for ((sum, gradient), code) in sums.iter_mut().zip(gradient).zip(codes) {
                    *sum += if *code == DEAD { 0.0 } else { *gradient };
                }
            }
            sums
        })
        .collect();
    out.fill(0.0);
    for sums in sums {
        for (out, sum) in out.iter_mut().zip(sums) {
            *out += sum;
        }
    }
}
