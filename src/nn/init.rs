//! Initial weights, from our own generator because Candle's cannot be seeded on the processor.

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

use super::layer::{Initial, TensorPlan};
use super::models::Sequential;
use super::{Network, NetworkOptions};
use crate::random::{Purpose, Random};

/// Elements drawn from one stream; large tensors have several, so that they can be drawn in parallel.
const STREAM: usize = 1 << 16;

/// A network with fresh weights: the same for the same `seed`, on any machine.
///
/// Convolutions and hidden linear layers are Kaiming-uniform (He et al., arXiv 1502.01852), the last linear layer uniform
/// within 1/sqrt(fan-in), biases 0, normalisation the identity.
///
/// # Errors
/// If the options make no network (the message says why), or the device is not the processor.
pub fn build(options: &NetworkOptions, seed: u64, device: &Device) -> Result<Box<dyn Network>> {
    Ok(Box::new(Sequential::new(options, device, |number, _, plan| initial(plan, seed, number as u64))?))
}

fn initial(plan: &TensorPlan, seed: u64, number: u64) -> Result<Tensor> {
    let mut values = vec![0.0f32; plan.shape.iter().product()];
    match plan.initial {
        Initial::Constant(value) => values.fill(value),
        Initial::Uniform { bound } => values.par_chunks_mut(STREAM).enumerate().for_each(|(stream, chunk)| {
            let mut random = Random::new(seed, Purpose::Init, &[number, stream as u64]);
            chunk.fill_with(|| random.range(-bound, bound) as f32);
        }),
    }
    Tensor::from_vec(values, plan.shape.as_slice(), &Device::Cpu)
}
