//! What follows a convolution, against the operators of the processor and their autograd.

use candle_core::{Device, Tensor, Var};

use super::lab::{Lab, Result, broken, channels_last, flat, planes};
use crate::nn::ops::accelerator::Memory;
use crate::nn::ops::accelerator::calls::{Maps, NormGradient, NormStatistics};
use crate::nn::ops::{self, BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM, Running};

pub fn run(lab: &mut Lab) -> Result<()> {
    for maps in [Maps { images: 2, height: 8, width: 6, channels: 32 }, Maps { images: 3, height: 9, width: 11, channels: 40 }] {
        bias(lab, maps)?;
        norm(lab, maps)?;
    }
    Ok(())
}

fn name(maps: Maps, what: &str) -> String {
    let Maps { images, height, width, channels } = maps;
    format!("{what}, {images} x {height} x {width} x {channels}")
}

fn var(values: &[f32]) -> Result<Var> {
    Tensor::from_slice(values, values.len(), &Device::Cpu).and_then(|t| Var::from_tensor(&t)).map_err(broken)
}

/// The gradients of `y` times `seed` with respect to the variables.
fn gradients(y: &Tensor, seed: &Tensor, of: &[&Var]) -> Result<Vec<Tensor>> {
    let all = y.mul(seed).and_then(|t| t.sum_all()).and_then(|t| t.backward()).map_err(broken)?;
    of.iter().map(|var| all.get(var).cloned().ok_or_else(|| broken("no gradient"))).collect()
}

/// Bias, ReLU and pooling.
fn bias(lab: &mut Lab, maps: Maps) -> Result<()> {
    let (pooled, channels) = (maps.pooled(), maps.channels);
    let Maps { images, height, width, .. } = maps;
    let (z, bias, dy) = (lab.numbers(maps.len(), 21)?, lab.numbers(channels, 22)?, lab.numbers(pooled.len(), 23)?);
    let tz = Var::from_tensor(&planes(&z, [images, height, width, channels])?).map_err(broken)?;
    let tb = var(&bias)?;
    let sum = tb.reshape((1, channels, 1, 1)).and_then(|b| tz.broadcast_add(&b)).map_err(broken)?;
    let y = ops::relu_max_pool2d(&sum).map_err(broken)?;
    let seed = planes(&dy, [images, pooled.height, pooled.width, channels])?;
    let expected = gradients(&y, &seed, &[&tz, &tb])?;

    let (mz, mb, out, codes) = (lab.store(&z)?, lab.wide(&bias)?, lab.room(pooled.len())?, lab.device.allocate(pooled.len())?);
    let (mdy, dz, db) = (lab.store(&dy)?, lab.room(maps.len())?, lab.wide_room(channels)?);
    let partial = lab.device.allocate(maps.partial_bytes())?;
    lab.calls().relu_pool_forward(mz.all(), mb.all(), maps, out.all(), codes.all())?;
    lab.compare(&name(maps, "bias, ReLU, pooling: forward"), &channels_last(&y)?, &lab.read(out.all(), pooled.len())?);
    lab.calls().relu_pool_backward(mdy.all(), codes.all(), maps, dz.all())?;
    lab.compare(&name(maps, "bias, ReLU, pooling: backward"), &channels_last(&expected[0])?, &lab.read(dz.all(), maps.len())?);
    lab.calls().bias_gradient(mdy.all(), Some(codes.all()), pooled.pixels(), channels, partial.all(), db.all(), true)?;
    lab.compare(&name(maps, "bias, ReLU, pooling: of the bias"), &flat(&expected[1])?, &lab.read_wide(db.all(), channels)?);
    Ok(())
}

/// The vectors of a norm on the device.
struct Vectors {
    weight: Memory,
    bias: Memory,
    running: [Memory; 2],
    of_batch: [Memory; 4],
    gradient: [Memory; 4],
}

impl Vectors {
    fn new(lab: &Lab, channels: usize, weight: &[f32], bias: &[f32]) -> Result<Self> {
        let room = || lab.wide_room(channels);
        Ok(Self {
            weight: lab.wide(weight)?,
            bias: lab.wide(bias)?,
            running: [lab.wide(&vec![0.2; channels])?, lab.wide(&vec![1.5; channels])?],
            of_batch: [room()?, room()?, room()?, room()?],
            gradient: [room()?, room()?, room()?, room()?],
        })
    }

    fn statistics(&self) -> NormStatistics<'_> {
        let [mean, variance, scale, shift] = self.of_batch.each_ref().map(Memory::all);
        NormStatistics { mean, variance, scale, shift }
    }

    fn gradients(&self) -> NormGradient<'_> {
        let [weight, bias, slope, offset] = self.gradient.each_ref().map(Memory::all);
        NormGradient { weight, bias, slope, offset }
    }
}

/// Batch norm, ReLU and pooling.
fn norm(lab: &mut Lab, maps: Maps) -> Result<()> {
    let (pooled, channels) = (maps.pooled(), maps.channels);
    let Maps { images, height, width, .. } = maps;
    let (z, dy) = (lab.numbers(maps.len(), 31)?, lab.numbers(pooled.len(), 32)?);
    let (weight, bias) = (lab.numbers(channels, 33)?, lab.numbers(channels, 34)?);
    let tz = Var::from_tensor(&planes(&z, [images, height, width, channels])?).map_err(broken)?;
    let (tw, tb) = (var(&weight)?, var(&bias)?);
    let running = Running { mean: var(&vec![0.2; channels])?, variance: var(&vec![1.5; channels])? };
    let plain = ops::batch_norm(&tz, &tw, &tb, &running, false).and_then(|y| ops::relu_max_pool2d(&y)).map_err(broken)?;
    let y = ops::batch_norm(&tz, &tw, &tb, &running, true).and_then(|y| ops::relu_max_pool2d(&y)).map_err(broken)?;
    let seed = planes(&dy, [images, pooled.height, pooled.width, channels])?;
    let expected = gradients(&y, &seed, &[&tz, &tw, &tb])?;

    let vectors = Vectors::new(lab, channels, &weight, &bias)?;
    let (mz, out, codes) = (lab.store(&z)?, lab.room(pooled.len())?, lab.device.allocate(pooled.len())?);
    let (mdy, partial) = (lab.store(&dy)?, lab.device.allocate(maps.partial_bytes())?);
    let parameters = [vectors.weight.all(), vectors.bias.all()];
    let statistics = vectors.statistics();
    let affine = [statistics.scale, statistics.shift];
    let (epsilon, momentum) = (BATCH_NORM_EPSILON as f32, BATCH_NORM_MOMENTUM as f32);
    let moving = vectors.running.each_ref().map(Memory::all);
    lab.calls().norm_affine(moving, parameters, epsilon, channels, affine)?;
    lab.calls().norm_relu_pool_forward(mz.all(), affine, maps, out.all(), codes.all())?;
    lab.compare(&name(maps, "norm, ReLU, pooling: evaluation"), &channels_last(&plain)?, &lab.read(out.all(), pooled.len())?);
    lab.calls().norm_statistics(mz.all(), maps, parameters, [epsilon, momentum], Some(moving), partial.all(), statistics)?;
    for (what, running, found) in [("mean", &running.mean, moving[0]), ("variance", &running.variance, moving[1])] {
        lab.compare(&name(maps, &format!("norm: running {what}")), &flat(running)?, &lab.read_wide(found, channels)?);
    }
    lab.calls().norm_relu_pool_forward(mz.all(), affine, maps, out.all(), codes.all())?;
    lab.compare(&name(maps, "norm, ReLU, pooling: forward"), &channels_last(&y)?, &lab.read(out.all(), pooled.len())?);
    let to = vectors.gradients();
    lab.calls().norm_gradient(mz.all(), mdy.all(), codes.all(), maps, epsilon, statistics, partial.all(), to, true)?;
    lab.compare(&name(maps, "norm, ReLU, pooling: of the scale"), &flat(&expected[1])?, &lab.read_wide(to.weight, channels)?);
    lab.compare(&name(maps, "norm, ReLU, pooling: of the offset"), &flat(&expected[2])?, &lab.read_wide(to.bias, channels)?);
    let factors = [statistics.scale, to.slope, to.offset];
    lab.calls().norm_relu_pool_backward(mz.all(), mdy.all(), codes.all(), factors, maps, mz.all())?;
    lab.compare(&name(maps, "norm, ReLU, pooling: backward"), &channels_last(&expected[0])?, &lab.read(mz.all(), maps.len())?);
    Ok(())
}
