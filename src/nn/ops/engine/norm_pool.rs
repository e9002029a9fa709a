//! The compact network's block: convolution 3 x 3 + batch norm + ReLU + max-pool 2 x 2.
//!
//! In training the convolution's output `z` must be kept: batch statistics need all of it before anything can be
//! normalised, and the backward pass needs it again. In evaluation the norm is folded into the weights and the block
//! becomes that of `relu_pool.rs`.
//!
//! Backward (Ioffe & Szegedy, arXiv 1502.03167), per channel with M pixels, `h = (z - mean) / s`, `s = sqrt(var + eps)` and
//! `d` the gradient of the normalised output: `dz = weight / s * (d - sum(d) / M - h * sum(d h) / M)`, that is, linear in
//! `d` and `z`: `dz = scale * d + slope * z + offset` (see `norm_gradient.rs`).

use super::Step;
use super::buffer::{Buffer, Shared};
use super::epilogue::{BiasReluPool, Store, StoreWithMoments};
use super::kernel::{Kernel, LANES, Task, exactly, run_all};
use super::layer::Layer;
use super::norm_gradient::{Line, Pooled, Spread, SpreadAll, norm_gradient};
use super::pixels::{DEAD, Dense, Grid, largest};
use super::windows::Windows;

/// Memory of one block that is kept from step to step.
#[derive(Default)]
pub struct NormPool {
    layer: Layer,
    z: Buffer,
    moments: Buffer,
    folded: Vec<f32>,
}

/// Batch statistics of each channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Mean over images and pixels.
    pub mean: Vec<f32>,
    /// Variance over images and pixels, divided by their number (biased).
    pub variance: Vec<f32>,
}

/// The affine part of a batch norm, and its epsilon.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    /// Scale of each channel.
    pub weight: &'a [f32],
    /// Offset of each channel.
    pub bias: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
}

/// What the backward pass writes.
pub struct NormPoolGradients<'a> {
    /// Gradient of the input, N x H x W x C; `None` where nobody needs it (the data).
    pub input: Option<&'a mut [f32]>,
    /// Gradient of the convolution's weights, 9 x inputs x outputs.
    pub weights: &'a mut [f32],
    /// Gradient of the norm's scale.
    pub norm_weight: &'a mut [f32],
    /// Gradient of the norm's offset.
    pub norm_bias: &'a mut [f32],
}

impl NormPool {
    /// Training: from `x` (N x H x W x C) to `out` (N x H/2 x W/2 x outputs) and one code a number of `out`.
    ///
    /// # Panics
    /// If the lengths do not fit each other.
    #[expect(clippy::too_many_arguments, reason = "the operands of one operator")]
    pub fn forward(
        &mut self,
        step: Step,
        grid: Grid,
        x: &[f32],
        weights: &[f32],
        norm: Norm<'_>,
        out: &mut [f32],
        codes: &mut [u8],
    ) -> Statistics {
        let full = grid.with_channels(norm.weight.len());
        let pooled = full.pooled();
        assert!(
            x.len() == grid.len()
                && weights.len() == 9 * grid.channels * full.channels
                && out.len() == pooled.len()
                && codes.len() == out.len()
        );
        let x = Dense { grid, values: x };
        self.layer.prepare(step, &x, weights, full.channels);
        let windows = Windows::covering(grid);
        let blocks = self.layer.block_pixels(step, windows);
        let z = self.z.numbers::<f32>(full.len());
        let moments = self.moments.numbers::<f32>(2 * blocks.len() * full.channels);
        let (store, collected) = (Shared::new(z), Shared::new(moments));
        self.layer.forward(step, &x, weights, windows, |windows| StoreWithMoments {
            store: Store { windows, out: store, channels: full.channels },
            moments: collected,
        });
        let statistics = combine(moments, &blocks, full.channels);
        let (scale, shift) = affine(&statistics, norm);
        let lines = pooled.images * pooled.height;
        run_all(step, &Pool { z, grid: full, scale: &scale, shift: &shift, out: Shared::new(out), codes: Shared::new(codes) }, lines);
        statistics
    }

    /// Evaluation with given (running) statistics; codes are written but mean nothing.
    ///
    /// # Panics
    /// If the lengths do not fit each other.
    #[expect(clippy::too_many_arguments, reason = "the operands of one operator")]
    pub fn evaluate(
        &mut self,
        step: Step,
        grid: Grid,
        x: &[f32],
        weights: &[f32],
        norm: Norm<'_>,
        statistics: &Statistics,
        out: &mut [f32],
        codes: &mut [u8],
    ) {
        let outputs = norm.weight.len();
        let pooled = grid.with_channels(outputs).pooled();
        assert!(x.len() == grid.len() && weights.len() == 9 * grid.channels * outputs);
        assert!(out.len() == pooled.len() && codes.len() == out.len());
        let (scale, shift) = affine(statistics, norm);
        self.folded.clear();
        self.folded.extend(weights.chunks_exact(outputs).flat_map(|row| row.iter().zip(&scale).map(|(w, s)| w * s)));
        let x = Dense { grid, values: x };
        self.layer.prepare(step, &x, &self.folded, outputs);
        let (out, codes) = (Shared::new(out), Shared::new(codes));
        self.layer.forward(step, &x, &self.folded, Windows::pooled(grid), |windows| BiasReluPool { windows, bias: &shift, out, codes });
    }

    /// All gradients from that of the output of the last [`forward`](Self::forward), whose results are given back.
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
        norm: Norm<'_>,
        statistics: &Statistics,
        gradient: &[f32],
        codes: &[u8],
        to: NormPoolGradients<'_>,
    ) {
        let full = grid.with_channels(norm.weight.len());
        assert!(gradient.len() == full.pooled().len() && codes.len() == gradient.len() && to.weights.len() == weights.len());
        let z = self.z.numbers::<f32>(full.len());
        let (scale, _) = affine(statistics, norm);
        let pooled = Pooled { grid: full, gradient, codes };
        let deviations: Vec<f32> = statistics.variance.iter().map(|variance| (variance + norm.epsilon).sqrt()).collect();
        norm_gradient(step, z, &pooled, &statistics.mean, &deviations, &mut self.moments, (to.norm_weight, to.norm_bias));
        let pixels = (full.len() / full.channels) as f32;
        let slope: Vec<f32> = (0..full.channels).map(|c| -scale[c] / deviations[c] * to.norm_weight[c] / pixels).collect();
        let offset: Vec<f32> = (0..full.channels).map(|c| -scale[c] * to.norm_bias[c] / pixels - slope[c] * statistics.mean[c]).collect();
        let x = Dense { grid, values: x };
        let line = Line { pooled, scale: &scale, slope: &slope, offset: &offset };
        if Layer::reads_once(step, grid.channels, full.channels, to.input.is_some()) {
            return self.layer.backward(step, &x, weights, &Spread { line, z }, to.input, to.weights);
        }
        run_all(step, &SpreadAll { line, z: Shared::new(z) }, full.images * full.height);
        self.layer.backward(step, &x, weights, &Dense { grid: full, values: z }, to.input, to.weights);
    }
}

/// Scale and shift of each channel: `weight (z - mean) / sqrt(var + eps) + bias = scale z + shift`.
fn affine(statistics: &Statistics, norm: Norm<'_>) -> (Vec<f32>, Vec<f32>) {
    let scale: Vec<f32> = norm.weight.iter().zip(&statistics.variance).map(|(w, v)| w / (v + norm.epsilon).sqrt()).collect();
    let shift = norm.bias.iter().zip(&statistics.mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
    (scale, shift)
}

/// Mean and variance from those of the blocks (Chan et al. 1983), whose pixels are given, in 64 bits.
fn combine(moments: &[f32], blocks: &[usize], channels: usize) -> Statistics {
    let mut statistics = Statistics { mean: Vec::with_capacity(channels), variance: Vec::with_capacity(channels) };
    for c in 0..channels {
        let (mut count, mut mean, mut squares) = (0.0f64, 0.0f64, 0.0f64);
        for (block, pixels) in blocks.iter().enumerate().filter(|(_, pixels)| **pixels > 0) {
            let n = *pixels as f64;
            let delta = f64::from(moments[2 * block * channels + c]) - mean;
            mean += delta * n / (count + n);
            squares += f64::from(moments[(2 * block + 1) * channels + c]) + delta * delta * count * n / (count + n);
            count += n;
        }
        statistics.mean.push(mean as f32);
        statistics.variance.push((squares / count) as f32);
    }
    statistics
}

/// Normalises, applies ReLU and pools.
struct Pool<'a> {
    z: &'a [f32],
    grid: Grid,
    scale: &'a [f32],
    shift: &'a [f32],
    out: Shared<f32>,
    codes: Shared<u8>,
}

impl Task for Pool<'_> {
    /// One line of windows.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, line: usize) {
        let (pooled, channels) = (self.grid.pooled(), self.grid.channels);
        let (image, y) = (line / pooled.height, line % pooled.height);
        let (scale, shift) = (&self.scale[..channels], &self.shift[..channels]);
        for x in 0..pooled.width {
            let pixel = (image * self.grid.height + 2 * y) * self.grid.width + 2 * x;
            let [a, b, c, d] =
                [pixel, pixel + 1, pixel + self.grid.width, pixel + self.grid.width + 1].map(|p| &self.z[p * channels..][..channels]);
            let at = (line * pooled.width + x) * channels;
            // SAFETY: the windows of this line, which are this piece's.
            let (out, codes) = unsafe { (self.out.part(at, channels), self.codes.part(at, channels)) };
            for first in (0..channels / LANES * LANES).step_by(LANES) {
                pool::<LANES>([a, b, c, d], scale, shift, first, out, codes);
            }
            for first in channels / LANES * LANES..channels {
                pool::<1>([a, b, c, d], scale, shift, first, out, codes);
            }
        }
    }
}

/// N channels of one window, from `first` on.
#[inline(always)]
fn pool<const N: usize>(corners: [&[f32]; 4], scale: &[f32], shift: &[f32], first: usize, out: &mut [f32], codes: &mut [u8]) {
    let [a, b, c, d] = corners.map(|corner| exactly::<f32, N>(corner, first));
    let (scale, shift) = (exactly::<f32, N>(scale, first), exactly::<f32, N>(shift, first));
    let (mut best, mut places) = ([0.0; N], [0; N]);
    for j in 0..N {
        let normal = |z: f32| z * scale[j] + shift[j];
        let (value, place) = largest([normal(a[j]), normal(b[j]), normal(c[j]), normal(d[j])]);
        // not `value > 0`: a NaN must stay one, so that the loss shows it
        best[j] = if value <= 0.0 { 0.0 } else { value };
        places[j] = if value <= 0.0 { DEAD } else { place };
    }
    out[first..first + N].copy_from_slice(&best);
    codes[first..first + N].copy_from_slice(&places);
}
