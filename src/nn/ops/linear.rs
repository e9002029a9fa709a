//! The linear layer y = x W^T + b.

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};

use super::matrix::{Matrix, Threads, multiply};
use super::slices::{argument, operand, output, with_slice};

/// N x inputs times the transpose of outputs x inputs weights, plus a bias of length outputs: N x outputs.
///
/// # Errors
/// If the shapes do not fit each other, or a tensor is not f32.
pub fn linear(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (&[_, inputs], &[outputs, fan_in], &[length]) = (input.dims(), weight.dims(), bias.dims()) else {
        bail!("a linear layer cannot join {:?}, {:?} and {:?}", input.dims(), weight.dims(), bias.dims());
    };
    if inputs != fan_in || length != outputs {
        bail!("a linear layer with weights {outputs} x {fan_in} and {length} biases does not fit {inputs} inputs");
    }
    operand(input, "linear")?.apply_op3(&operand(weight, "linear")?, &operand(bias, "linear")?, Linear)
}

struct Linear;

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
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
        let (batch, inputs) = il.shape().dims2()?;
        let outputs = wl.dims()[0];
        // Every row starts as the bias; the product is added to it.
        let mut out = argument(bias, bl)?.repeat(batch);
        let input = Matrix::new(argument(input, il)?, batch, inputs);
        let weight = Matrix::new(argument(weight, wl)?, outputs, inputs);
        multiply(&mut out, input, weight.transposed(), true, Threads::All);
        Ok(output(out, (batch, outputs)))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (batch, inputs) = input.dims2()?;
        let outputs = weight.dim(0)?;
        let (dx, dw) = with_slice(gradient, |g| {
            let g = Matrix::new(g, batch, outputs);
            // dx = dy W, dW = dy^T x
            let dx = input.track_op().then(|| with_slice(weight, |w| product(g, Matrix::new(w, outputs, inputs))));
            let dw = weight.track_op().then(|| with_slice(input, |x| product(g.transposed(), Matrix::new(x, batch, inputs))));
            Ok((dx.transpose()?, dw.transpose()?))
        })?;
        let db = bias.track_op().then(|| gradient.sum(0)).transpose()?;
        Ok((dx, dw, db))
    }
}

fn product(left: Matrix, right: Matrix) -> Result<Tensor> {
    let shape = (left.rows(), right.columns());
    let mut values = vec![0.0; shape.0 * shape.1];
    multiply(&mut values, left, right, false, Threads::All);
    Tensor::from_vec(values, shape, &Device::Cpu)
}
