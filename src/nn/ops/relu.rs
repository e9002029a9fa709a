//! The rectifier max(x, 0). Its gradient at exactly 0 is 0, as in `PyTorch` (Candle's is 1); NaN stays NaN.

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::slices::{TASK_ELEMENTS, argument, operand, output, with_slice};

/// `max(x, 0)` element by element.
///
/// # Errors
/// If the tensor is not f32.
pub fn relu(input: &Tensor) -> Result<Tensor> {
    operand(input, "relu")?.apply_op1(Relu)
}

struct Relu;

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let input = argument(storage, layout)?;
        // Not `x.max(0.0)`, which turns NaN into 0 and would hide a diverged run.
        let out = input.par_iter().with_min_len(TASK_ELEMENTS).map(|&x| if x <= 0.0 { 0.0 } else { x }).collect();
        Ok(output(out, layout.shape()))
    }

    fn bwd(&self, _: &Tensor, result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let dx: Vec<f32> = with_slice(result, |y| {
            with_slice(gradient, |g| {
                let pairs = y.par_iter().zip(g).with_min_len(TASK_ELEMENTS);
                Ok(pairs.map(|(&y, &g)| if y <= 0.0 { 0.0 } else { g }).collect())
            })
        })?;
        Ok(Some(Tensor::from_vec(dx, result.shape(), &Device::Cpu)?))
    }
}
