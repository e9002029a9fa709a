//! Batch normalisation (Ioffe & Szegedy, arXiv 1502.03167) over N, H and W of each channel, as `torch.nn.BatchNorm2d`.

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, Var, bail};
use rayon::prelude::*;

use super::slices::{argument, operand, output, sum, with_slice};

/// Added to the variance before its square root is taken.
pub const BATCH_NORM_EPSILON: f64 = 1e-5;
/// The share of a new batch in the running statistics.
pub const BATCH_NORM_MOMENTUM: f64 = 0.1;

/// The running statistics of a layer, one value a channel.
#[derive(Clone, Debug)]
pub struct Running {
    /// Mean.
    pub mean: Var,
    /// Variance (unbiased).
    pub variance: Var,
}

/// Normalises each channel of an N x C x H x W tensor, then scales it by `weight` and shifts it by `bias` (length C).
///
/// In training the batch's own mean and (biased) variance are used, and the running statistics move towards its mean and
/// unbiased variance; otherwise the running statistics are used and stay as they are.
///
/// # Errors
/// If the shapes do not fit each other, a tensor is not f32, or a training batch has only one value a channel.
pub fn batch_norm(input: &Tensor, weight: &Tensor, bias: &Tensor, running: &Running, training: bool) -> Result<Tensor> {
    let (n, channels, height, width) = input.dims4()?;
    if [weight, bias, &running.mean, &running.variance].iter().any(|t| t.dims() != [channels]) {
        bail!("batch normalisation of {channels} channels needs as many weights, biases and running statistics");
    }
    let input = operand(input, "batch normalisation")?;
    let (mean, variance) = if training {
        let count = n * height * width;
        if count < 2 {
            bail!("batch normalisation cannot train on one value a channel: use larger images or a larger batch");
        }
        let (mean, variance) = with_slice(&input, |x| Ok(moments(x, channels, height * width)))?;
        let unbiased = count as f64 / (count - 1) as f64;
        follow(&running.mean, &mean, 1.0)?;
        follow(&running.variance, &variance, unbiased)?;
        (mean, variance)
    } else {
        (values(&running.mean)?, values(&running.variance)?)
    };
    let scale = variance.iter().map(|v| (1.0 / (v + BATCH_NORM_EPSILON).sqrt()) as f32).collect();
    let mean = mean.into_iter().map(|m| m as f32).collect();
    let operator = BatchNorm { mean, scale, of_batch: training };
    input.apply_op3(&operand(weight, "batch normalisation")?, &operand(bias, "batch normalisation")?, operator)
}

/// Mean and biased variance of each channel, from sums in f64 in a fixed order. Two passes, because one pass loses the
/// variance of activations far from zero.
fn moments(input: &[f32], channels: usize, pixels: usize) -> (Vec<f64>, Vec<f64>) {
    let count = (input.len() / channels) as f64;
    (0..channels)
        .into_par_iter()
        .map(|channel| {
            let planes = || input.chunks_exact(pixels).skip(channel).step_by(channels);
            let mean = planes().map(|p| sum(pixels, |i| f64::from(p[i]))).sum::<f64>() / count;
            let square = |x: f32| (f64::from(x) - mean).powi(2);
            (mean, planes().map(|p| sum(pixels, |i| square(p[i]))).sum::<f64>() / count)
        })
        .unzip()
}

fn values(var: &Var) -> Result<Vec<f64>> {
    Ok(var.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
}

/// `running = (1 - momentum) running + momentum * factor * batch`.
fn follow(running: &Var, batch: &[f64], factor: f64) -> Result<()> {
    let blend = |(old, new): (f64, &f64)| ((1.0 - BATCH_NORM_MOMENTUM) * old + BATCH_NORM_MOMENTUM * factor * new) as f32;
    let blended: Vec<f32> = values(running)?.into_iter().zip(batch).map(blend).collect();
    running.set(&Tensor::from_vec(blended, running.shape(), &Device::Cpu)?)
}

struct BatchNorm {
    /// One a channel.
    mean: Vec<f32>,
    /// 1 / sqrt(variance + epsilon), one a channel.
    scale: Vec<f32>,
    /// Whether mean and scale depend on the input (training) or are constants.
    of_batch: bool,
}

impl BatchNorm {
    /// The gradients of bias and weight: per channel the sums of dy and of dy * normalised x.
    fn sums(&self, input: &[f32], gradient: &[f32], pixels: usize) -> (Vec<f64>, Vec<f64>) {
        let channels = self.mean.len();
        let of_channel = |channel: usize| {
            let (mean, scale) = (self.mean[channel], self.scale[channel]);
            let planes = input.chunks_exact(pixels).zip(gradient.chunks_exact(pixels)).skip(channel).step_by(channels);
            planes.fold((0.0, 0.0), |(plain, weighted), (x, g)| {
                let normalised = |i: usize| f64::from((x[i] - mean) * scale);
                (plain + sum(pixels, |i| f64::from(g[i])), weighted + sum(pixels, |i| f64::from(g[i]) * normalised(i)))
            })
        };
        (0..channels).into_par_iter().map(of_channel).unzip()
    }

    /// dx = w s (dy - mean(dy) - x^ mean(dy x^)), without the means where the statistics are constants.
    fn input_gradient(&self, input: &[f32], gradient: &[f32], weight: &[f32], pixels: usize, sums: &(Vec<f64>, Vec<f64>)) -> Vec<f32> {
        let channels = self.mean.len();
        let count = (input.len() / channels) as f64;
        let mut dx = vec![0.0; input.len()];
        let planes = dx.par_chunks_mut(pixels).zip(input.par_chunks(pixels)).zip(gradient.par_chunks(pixels));
        planes.enumerate().for_each(|(plane, ((dx, x), g))| {
            let channel = plane % channels;
            let (mean, scale) = (self.mean[channel], self.scale[channel]);
            let factor = weight[channel] * scale;
            let of = |sums: &[f64]| if self.of_batch { (sums[channel] / count) as f32 } else { 0.0 };
            let (plain, weighted) = (of(&sums.0), of(&sums.1));
            for ((d, &x), &g) in dx.iter_mut().zip(x).zip(g) {
                *d = factor * (g - plain - (x - mean) * scale * weighted);
            }
        });
        dx
    }
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        il: &Layout,
        weight: &CpuStorage,
        wl: &Layout,
        bias: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, channels, height, width) = il.shape().dims4()?;
        let (input, weight, bias) = (argument(input, il)?, argument(weight, wl)?, argument(bias, bl)?);
        let mut out = vec![0.0; input.len()];
        out.par_chunks_mut(height * width).zip(input.par_chunks(height * width)).enumerate().for_each(|(plane, (out, x))| {
            let channel = plane % channels;
            let (mean, factor, shift) = (self.mean[channel], self.scale[channel] * weight[channel], bias[channel]);
            for (o, &x) in out.iter_mut().zip(x) {
                *o = (x - mean) * factor + shift;
            }
        });
        Ok(output(out, il.shape()))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, channels, height, width) = input.dims4()?;
        let pixels = height * width;
        let (sums, dx) = with_slice(input, |x| {
            with_slice(gradient, |g| {
                let sums = self.sums(x, g, pixels);
                let dx = input.track_op().then(|| with_slice(weight, |w| Ok(self.input_gradient(x, g, w, pixels, &sums)))).transpose()?;
                Ok((sums, dx))
            })
        })?;
        let dx = dx.map(|dx| Tensor::from_vec(dx, input.shape(), &Device::Cpu)).transpose()?;
        let narrow = |wide: Vec<f64>| Tensor::from_vec(wide.into_iter().map(|s| s as f32).collect::<Vec<_>>(), channels, &Device::Cpu);
        let (plain, weighted) = sums;
        let dw = weight.track_op().then(|| narrow(weighted)).transpose()?;
        let db = bias.track_op().then(|| narrow(plain)).transpose()?;
        Ok((dx, dw, db))
    }
}
