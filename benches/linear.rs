//! Time of a linear layer, forward and backward: `cargo bench --bench linear`.
//!
//! Forward, up to 64 images take one pass over the weights and more a general product: compare the lines of 64 and 65 images.

use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Result, Tensor, Var};
use tuning_fork::nn::ops::LinearLayer;

/// Each time is the least of so many.
const REPETITIONS: usize = 40;

fn numbers(rows: usize, columns: usize) -> Result<Tensor> {
    let values = (0..rows * columns).map(|i| (i * 7919 % 1000) as f32 / 1000.0 - 0.5).collect();
    Tensor::from_vec(values, (rows, columns), &Device::Cpu)
}

/// Milliseconds forward and backward.
fn times(images: usize, inputs: usize, outputs: usize) -> Result<[f64; 2]> {
    let weight = Var::from_tensor(&numbers(outputs, inputs)?)?;
    let layer = Arc::new(LinearLayer::new(weight, Var::from_tensor(&numbers(1, outputs)?.flatten_all()?)?)?);
    // a variable, so that the input gets a gradient too
    let input = Var::from_tensor(&numbers(images, inputs)?)?;
    let mut least = [f64::MAX; 2];
    for _ in 0..REPETITIONS {
        let start = Instant::now();
        let output = layer.forward(input.as_tensor(), true)?;
        least[0] = least[0].min(start.elapsed().as_secs_f64() * 1e3);
        let loss = output.sum_all()?;
        let start = Instant::now();
        loss.backward()?;
        least[1] = least[1].min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(least)
}

fn main() -> Result<()> {
    for (inputs, outputs) in [(16384, 512), (1024, 512), (512, 256), (512, 10)] {
        println!("{inputs} to {outputs}: ms forward, backward");
        for images in [1, 8, 32, 64, 65] {
            let [forward, backward] = times(images, inputs, outputs)?;
            println!("  {images:3} images {forward:8.3} {backward:8.3}");
        }
    }
    Ok(())
}
