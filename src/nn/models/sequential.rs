//! A plan with its tensors: the one thing in this room that runs.
//!
//! The blocks up to the features run as one fused operator. The single operators are kept for what it cannot do: a
//! backward pass to the images in evaluation mode.

use std::ops::Range;
use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var, bail};

use super::super::layer::{self, LayerKind, Plan, TensorPlan};
use super::super::{Buffer, Mode, Network, NetworkOptions, Parameter};
use crate::nn::ops::{self, Block, ConvOptions, LinearLayer, Running, Step, Tail, Trunk};

/// A network whose layers stand in one line.
#[derive(Debug)]
pub struct Sequential {
    options: NetworkOptions,
    features: Vec<Module>,
    trunk: Arc<Trunk>,
    head: Vec<Module>,
    parameters: Vec<Parameter>,
    buffers: Vec<Buffer>,
}

/// A layer with its tensors, which it shares with the lists of the network.
#[derive(Debug)]
struct Module {
    kind: LayerKind,
    /// In the order of [`LayerKind::tensors`].
    tensors: Vec<Var>,
    /// The position in the whole network, which tells dropout masks apart.
    position: usize,
    /// A linear layer's operator.
    linear: Option<Arc<LinearLayer>>,
}

impl Sequential {
    /// The network of `options`, each tensor made by `tensor` from its number, its name and its plan.
    ///
    /// # Errors
    /// If the options make no network, the device is not the processor, or `tensor` fails or returns another shape.
    pub fn new(
        options: &NetworkOptions,
        device: &Device,
        mut tensor: impl FnMut(usize, &str, &TensorPlan) -> Result<Tensor>,
    ) -> Result<Self> {
        if !device.is_cpu() {
            bail!("the networks run on the processor only: choose the CPU as device");
        }
        let plan = super::plan(options)?;
        let mut modules: Vec<Module> = plan
            .layers()
            .enumerate()
            .map(|(position, layer)| Module { kind: layer.kind, tensors: Vec::new(), position, linear: None })
            .collect();
        let (mut parameters, mut buffers) = (Vec::new(), Vec::new());
        for (number, (position, name, tensor_plan)) in plan.tensors().enumerate() {
            let initial = tensor(number, &name, &tensor_plan)?;
            if initial.dims() != tensor_plan.shape {
                bail!("{name} has the shape {:?}, not {:?}", initial.dims(), tensor_plan.shape);
            }
            let var = Var::from_tensor(&layer::to_memory(&initial)?)?;
            modules[position].tensors.push(var.clone());
            if tensor_plan.trained {
                parameters.push(Parameter { name, var, decay: tensor_plan.decay });
            } else {
                buffers.push(Buffer { name, var });
            }
        }
        for module in modules.iter_mut().filter(|module| matches!(module.kind, LayerKind::Linear { .. })) {
            module.linear = Some(Arc::new(LinearLayer::new(module.tensors[0].clone(), module.tensors[1].clone())?));
        }
        let Plan { features, .. } = plan;
        let head = modules.split_off(features.len());
        let trunk = Arc::new(Trunk::new(blocks(&modules)?)?);
        Ok(Self { options: options.clone(), features: modules, trunk, head, parameters, buffers })
    }
}

impl Network for Sequential {
    fn options(&self) -> &NetworkOptions {
        &self.options
    }

    fn features(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        let NetworkOptions { size, channels, .. } = self.options;
        match images.dims() {
            &[n, c, h, w] if n > 0 && (c, h, w) == (channels, size, size) => match mode {
                Mode::Eval if images.track_op() => run(&self.features, images, mode),
                _ => self.trunk.forward(images, mode != Mode::Eval),
            },
            other => bail!("the network takes N x {channels} x {size} x {size} images, not {other:?}"),
        }
    }

    fn head(&self, features: &Tensor, mode: Mode) -> Result<Tensor> {
        run(&self.head, features, mode)
    }

    fn run_layers(&self, range: Range<usize>, input: &Tensor) -> Result<Tensor> {
        let (split, count) = (self.features.len(), self.features.len() + self.head.len());
        if range.start > range.end || range.end > count {
            bail!("the network has layers 0 to {count}, not {range:?}");
        }
        let mut features = &self.features[range.start.min(split)..range.end.min(split)];
        let mut x = input.clone();
        // whole blocks that nothing is to be differentiated through run fused
        let fused = features.iter().rposition(|module| module.kind == LayerKind::MaxPool2d).map_or(0, |last| last + 1);
        if range.start == 0 && fused > 0 && !input.track_op() {
            let part = Trunk::new(blocks(&features[..fused])?)?;
            part.set_step(self.step());
            x = Arc::new(part).forward(&x, false)?;
            features = &features[fused..];
        }
        x = run(features, &x, Mode::Eval)?;
        run(&self.head[range.start.max(split) - split..range.end.max(split) - split], &x, Mode::Eval)
    }

    fn backward(&self, loss: &Tensor) -> Result<GradStore> {
        let mut gradients = loss.backward()?;
        self.trunk.collect(&mut gradients);
        for linear in self.head.iter().filter_map(|module| module.linear.as_ref()) {
            linear.collect(&mut gradients);
        }
        Ok(gradients)
    }

    fn set_step(&self, step: Step) {
        self.trunk.set_step(step);
    }

    fn step(&self) -> Step {
        self.trunk.step()
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }
}

/// The modules up to the features as blocks: convolution, bias or norm, rectifier, pooling.
fn blocks(modules: &[Module]) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut rest = modules;
    loop {
        let kinds: Vec<LayerKind> = rest.iter().take(4).map(|module| module.kind).collect();
        let (tail, length) = match kinds[..] {
            [] => return Ok(blocks),
            [LayerKind::Conv2d { bias: true, .. }, LayerKind::Relu, LayerKind::MaxPool2d, ..] => {
                (Tail::Bias(rest[0].tensors[1].clone()), 3)
            }
            [LayerKind::Conv2d { bias: false, .. }, LayerKind::BatchNorm2d { .. }, LayerKind::Relu, LayerKind::MaxPool2d] => {
                let [weight, bias, mean, variance] = [0, 1, 2, 3].map(|i| rest[1].tensors[i].clone());
                (Tail::Norm { weight, bias, mean, variance }, 4)
            }
            _ => bail!("the layers {kinds:?} make no block of convolution, bias or norm, rectifier and pooling"),
        };
        blocks.push(Block { weight: rest[0].tensors[0].clone(), tail });
        rest = &rest[length..];
    }
}

/// Applies modules one after the other; a rectifier and the pooling after it are one pass.
fn run(modules: &[Module], input: &Tensor, mode: Mode) -> Result<Tensor> {
    let mut x = input.clone();
    let mut rest = modules;
    while let Some((module, after)) = rest.split_first() {
        rest = after;
        if module.kind == LayerKind::Relu && after.first().is_some_and(|next| next.kind == LayerKind::MaxPool2d) {
            x = ops::relu_max_pool2d(&x)?;
            rest = &after[1..];
        } else {
            x = module.forward(&x, mode)?;
        }
    }
    Ok(x)
}

impl Module {
    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        match self.kind {
            LayerKind::Conv2d { bias, .. } => {
                let bias = bias.then(|| self.weight(1, mode));
                ops::conv2d(x, &layer::to_file(&self.weight(0, mode))?, bias.as_ref(), ConvOptions { stride: 1, padding: 1 })
            }
            LayerKind::BatchNorm2d { .. } => {
                let running = Running { mean: self.tensors[2].clone(), variance: self.tensors[3].clone() };
                ops::batch_norm(x, &self.weight(0, mode), &self.weight(1, mode), &running, mode != Mode::Eval)
            }
            LayerKind::Relu => ops::relu(x),
            LayerKind::MaxPool2d => ops::max_pool2d(x),
            LayerKind::GlobalAveragePool => ops::global_average_pool(x),
            LayerKind::Flatten => x.flatten_from(1),
            LayerKind::Linear { .. } => match &self.linear {
                Some(linear) => linear.forward(x, mode != Mode::Eval),
                None => ops::linear(x, &self.weight(0, mode), &self.weight(1, mode)),
            },
            LayerKind::Dropout { probability } => match mode {
                Mode::Train { seed, step } => ops::dropout(x, probability, seed, step, self.position as u64),
                Mode::Eval => Ok(x.clone()),
            },
        }
    }

    /// A trained tensor: in evaluation a constant, so that nothing is kept for a backward pass nobody asks for.
    fn weight(&self, index: usize, mode: Mode) -> Tensor {
        match mode {
            Mode::Train { .. } => self.tensors[index].as_tensor().clone(),
            Mode::Eval => self.tensors[index].as_detached_tensor(),
        }
    }
}
