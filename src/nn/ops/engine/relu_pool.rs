//! The seed network's block: convolution 3 x 3 + bias + ReLU + max-pool 2 x 2. The convolution's output never reaches memory.

use super::Step;
use super::buffer::{Buffer, Shared};
use super::epilogue::BiasReluPool;
use super::kernel::{Kernel, LANES, Task, exactly, run_all};
use super::layer::Layer;
use super::pixels::{DEAD, Dense, Grid, Unpooled, only_if};
use super::windows::Windows;

/// Memory of one block that is kept from step to step.
#[derive(Default)]
pub struct ReluPool {
    layer: Layer,
    partial: Buffer,
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
        let epilogue = |windows| BiasReluPool { windows, bias, out, codes };
        self.layer.forward(step, &Dense { grid, values: x }, weights, Windows::pooled(grid), epilogue);
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
        BiasGradient::compute(step, gradient, codes, &mut self.partial, to.bias);
        self.layer.backward(step, &Dense { grid, values: x }, weights, &spread, to.input, to.weights);
    }
}

/// Numbers that are summed by one piece; a fixed size, so that the order of the sum is fixed too.
const CHUNK: usize = 1 << 16;

/// Sums the gradient over the windows that pass it on.
struct BiasGradient<'a> {
    gradient: &'a [f32],
    codes: &'a [u8],
    channels: usize,
    /// Numbers of a piece.
    chunk: usize,
    /// pieces x channels.
    sums: Shared<f32>,
}

impl BiasGradient<'_> {
    fn compute(step: Step, gradient: &[f32], codes: &[u8], partial: &mut Buffer, out: &mut [f32]) {
        let channels = out.len();
        let chunk = (CHUNK / channels).max(1) * channels;
        let pieces = gradient.len().div_ceil(chunk);
        let sums = partial.numbers::<f32>(pieces * channels);
        run_all(step, &BiasGradient { gradient, codes, channels, chunk, sums: Shared::new(sums) }, pieces);
        out.fill(0.0);
        for sums in sums.chunks_exact(channels) {
            for (out, sum) in out.iter_mut().zip(sums) {
                *out += sum;
            }
        }
    }
}

impl Task for BiasGradient<'_> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let range = index * self.chunk..self.gradient.len().min((index + 1) * self.chunk);
        // SAFETY: the sums of this piece.
        let sums = unsafe { self.sums.part(index * self.channels, self.channels) };
        sums.fill(0.0);
        let (gradient, codes) = (&self.gradient[range.clone()], &self.codes[range]);
        for (gradient, codes) in gradient.chunks_exact(self.channels).zip(codes.chunks_exact(self.channels)) {
            for first in (0..self.channels / LANES * LANES).step_by(LANES) {
                add_live::<LANES>(gradient, codes, first, sums);
            }
            for first in self.channels / LANES * LANES..self.channels {
                add_live::<1>(gradient, codes, first, sums);
            }
        }
    }
}

/// Adds the gradients of N live channels, from `first` on.
#[inline(always)]
fn add_live<const N: usize>(gradient: &[f32], codes: &[u8], first: usize, sums: &mut [f32]) {
    let (gradient, codes) = (exactly::<f32, N>(gradient, first), exactly::<u8, N>(codes, first));
    let sums = &mut sums[first..first + N];
    for j in 0..N {
        sums[j] += only_if(codes[j] != DEAD, gradient[j]);
    }
}
