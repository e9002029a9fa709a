//! The linear layer y = x W^T + b.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Device, Layout, Result, Shape, Tensor, Var, bail};

use super::Step;
use super::few_rows::{self, Shape as Sizes};
use super::gradient::Gradients;
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
        Ok(forward(argument(input, il)?, argument(weight, wl)?, argument(bias, bl)?))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let sizes = sizes(input, weight)?;
        let (dx, dw) = with_slice(gradient, |g| {
            let dx = input.track_op().then(|| with_slice(weight, |w| input_gradient(sizes, g, w)));
            let dw = weight.track_op().then(|| {
                let mut dw = vec![0.0; weight.elem_count()];
                with_slice(input, |x| weight_gradient(sizes, g, x, &mut dw))?;
                Tensor::from_vec(dw, weight.shape(), &Device::Cpu)
            });
            Ok((dx.transpose()?, dw.transpose()?))
        })?;
        let db = bias.track_op().then(|| gradient.sum(0)).transpose()?;
        Ok((dx, dw, db))
    }
}

/// A linear layer that knows its parameters.
#[derive(Debug)]
pub struct LinearLayer {
    weight: Var,
    bias: Var,
    gradients: Mutex<Gradients>,
}

impl LinearLayer {
    /// The layer with weights of outputs x inputs and a bias of length outputs.
    ///
    /// # Errors
    /// If they do not fit each other.
    pub fn new(weight: Var, bias: Var) -> Result<Self> {
        if weight.rank() != 2 || bias.dims() != &weight.dims()[..1] {
            bail!("a linear layer cannot be made of {:?} and {:?}", weight.dims(), bias.dims());
        }
        Ok(Self { weight, bias, gradients: Mutex::default() })
    }

    /// N x inputs to N x outputs. In training a backward pass reaches the parameters, whose gradients are fetched with
    /// [`collect`](Self::collect), and the input; in evaluation only the input.
    ///
    /// # Errors
    /// If the input does not fit.
    pub fn forward(self: &Arc<Self>, input: &Tensor, training: bool) -> Result<Tensor> {
        if !training {
            return linear(input, &self.weight.as_detached_tensor(), &self.bias.as_detached_tensor());
        }
        let (outputs, inputs) = self.weight.dims2()?;
        if input.rank() != 2 || input.dim(1)? != inputs {
            bail!("a linear layer with weights {outputs} x {inputs} cannot take {:?}", input.dims());
        }
        operand(input, "linear")?.apply_op2(self.weight.as_tensor(), TrainedLinear(Arc::clone(self)))
    }

    /// Puts the parameters' gradients of the last backward pass into `gradients`; they share memory with the next pass's.
    pub fn collect(&self, gradients: &mut GradStore) {
        self.lock().collect(gradients);
    }

    /// The memory; a panic in another thread's pass leaves nothing that the next pass would not overwrite.
    fn lock(&self) -> MutexGuard<'_, Gradients> {
        self.gradients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The weight is an argument so that Candle comes back here also where the input is none of its variables.
struct TrainedLinear(Arc<LinearLayer>);

impl CustomOp2 for TrainedLinear {
    fn name(&self) -> &'static str {
        "linear layer"
    }

    fn cpu_fwd(&self, input: &CpuStorage, il: &Layout, weight: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        with_slice(&self.0.bias, |bias| Ok(forward(argument(input, il)?, argument(weight, wl)?, bias)))
    }

    fn bwd(&self, input: &Tensor, weight: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let sizes = sizes(input, weight)?;
        let mut gradients = self.0.lock();
        let dx = with_slice(gradient, |g| {
            gradients.write(&self.0.weight, |dw| with_slice(input, |x| weight_gradient(sizes, g, x, dw)))?;
            gradients.write(&self.0.bias, |db| {
                db.fill(0.0);
                for row in g.chunks_exact(sizes.outputs) {
                    for (sum, value) in db.iter_mut().zip(row) {
                        *sum += value;
                    }
                }
                Ok(())
            })?;
            input.track_op().then(|| with_slice(weight, |w| input_gradient(sizes, g, w))).transpose()
        })?;
        Ok((dx, None))
    }
}

/// What a layer with `weight` (outputs x inputs) makes of `input` (images x inputs).
fn sizes(input: &Tensor, weight: &Tensor) -> Result<Sizes> {
    let (images, inputs) = input.dims2()?;
    Ok(Sizes { images, inputs, outputs: weight.dim(0)? })
}

fn forward(input: &[f32], weight: &[f32], bias: &[f32]) -> (CpuStorage, Shape) {
    let outputs = bias.len();
    let inputs = weight.len() / outputs;
    let images = input.len() / inputs;
    // every row starts as the bias
    let mut out = bias.repeat(images);
    if few_rows::IMAGES.contains(&images) {
        few_rows::add_product(Step::best_f32(), Sizes { images, inputs, outputs }, input, weight, &mut out);
    } else {
        let weight = Matrix::new(weight, outputs, inputs);
        multiply(&mut out, Matrix::new(input, images, inputs), weight.transposed(), true, Threads::All);
    }
    output(out, (images, outputs))
}

/// dW = dy^T x
#[expect(clippy::unnecessary_wraps, reason = "its callers lend it a tensor's memory, which may fail")]
fn weight_gradient(sizes: Sizes, gradient: &[f32], input: &[f32], out: &mut [f32]) -> Result<()> {
    let Sizes { images, inputs, outputs } = sizes;
    let gradient = Matrix::new(gradient, images, outputs);
    multiply(out, gradient.transposed(), Matrix::new(input, images, inputs), false, Threads::All);
    Ok(())
}

/// dx = dy W
fn input_gradient(sizes: Sizes, gradient: &[f32], weight: &[f32]) -> Result<Tensor> {
    let Sizes { images, inputs, outputs } = sizes;
    let mut out = vec![0.0; images * inputs];
    multiply(&mut out, Matrix::new(gradient, images, outputs), Matrix::new(weight, outputs, inputs), false, Threads::All);
    Tensor::from_vec(out, (images, inputs), &Device::Cpu)
}
