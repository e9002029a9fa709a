//! What a network is made of, as data: the plan that building, saving, checking and summarising share.
//!
//! A plan is a straight line of layers, in the order and with the numbering of the same network written as a
//! `torch.nn.Sequential`.

use candle_core::{Result, Tensor};

/// One layer and its name, under which its tensors are saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Dotted, unique in the network: "block1.conv".
    pub name: String,
    /// What it does.
    pub kind: LayerKind,
}

/// What a layer does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LayerKind {
    /// 3 x 3 convolution with padding 1 and stride 1.
    Conv2d {
        /// Channels in.
        inputs: usize,
        /// Channels out.
        outputs: usize,
        /// Whether a bias is added.
        bias: bool,
    },
    /// Batch normalisation.
    BatchNorm2d {
        /// Channels.
        channels: usize,
    },
    /// Rectifier.
    Relu,
    /// 2 x 2 maximum, stride 2.
    MaxPool2d,
    /// Mean over all pixels.
    GlobalAveragePool,
    /// N x C x H x W to N x (C H W).
    Flatten,
    /// Linear layer with bias.
    Linear {
        /// Values in.
        inputs: usize,
        /// Values out.
        outputs: usize,
        /// Whether its outputs are the logits.
        logits: bool,
    },
    /// Dropout, in training only.
    Dropout {
        /// In [0, 1).
        probability: f32,
    },
}

/// How a tensor starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// Uniform in [-bound, bound).
    Uniform {
        /// The bound.
        bound: f64,
    },
    /// The same value everywhere.
    Constant(f32),
}

/// A tensor of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorPlan {
    /// Its own name: "weight".
    pub name: &'static str,
    /// Its shape in a file, which is that of `PyTorch`; see [`to_memory`] for the one in memory.
    pub shape: Vec<usize>,
    /// How it starts.
    pub initial: Initial,
    /// Whether it is trained; running statistics are not.
    pub trained: bool,
    /// Whether weight decay applies.
    pub decay: bool,
}

/// A tensor as `PyTorch` and the files have it, in the layout that the operators read: convolution weights outputs x inputs
/// x 3 x 3 become 3 x 3 x inputs x outputs; everything else stays as it is.
///
/// # Errors
/// If Candle cannot copy it.
pub fn to_memory(tensor: &Tensor) -> Result<Tensor> {
    if tensor.rank() == 4 { tensor.permute((2, 3, 1, 0))?.contiguous() } else { Ok(tensor.clone()) }
}

/// The inverse of [`to_memory`], for values and gradients alike.
///
/// # Errors
/// If Candle cannot copy it.
pub fn to_file(tensor: &Tensor) -> Result<Tensor> {
    if tensor.rank() == 4 { tensor.permute((3, 2, 0, 1))?.contiguous() } else { Ok(tensor.clone()) }
}

impl LayerKind {
    /// The name of the `PyTorch` module that does the same.
    #[must_use]
    pub fn module(self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "Conv2d",
            Self::BatchNorm2d { .. } => "BatchNorm2d",
            Self::Relu => "ReLU",
            Self::MaxPool2d => "MaxPool2d",
            Self::GlobalAveragePool => "AdaptiveAvgPool2d",
            Self::Flatten => "Flatten",
            Self::Linear { .. } => "Linear",
            Self::Dropout { .. } => "Dropout",
        }
    }

    /// Its tensors in order. Weights are Kaiming-uniform for rectifiers (He et al., arXiv 1502.01852: bound sqrt(6 / fan-in)),
    /// except those of the logits, which are `PyTorch`'s default for a linear layer (bound sqrt(1 / fan-in)): no rectifier
    /// follows them, and smaller first logits start the loss near log(classes). All biases start at 0.
    #[must_use]
    pub fn tensors(self) -> Vec<TensorPlan> {
        let weight = |shape: Vec<usize>, gain: f64| {
            let fan_in: usize = shape[1..].iter().product();
            let initial = Initial::Uniform { bound: (gain / fan_in as f64).sqrt() };
            TensorPlan { name: "weight", shape, initial, trained: true, decay: true }
        };
        let vector = |name, length, value, trained| {
            let initial = Initial::Constant(value);
            TensorPlan { name, shape: vec![length], initial, trained, decay: false }
        };
        match self {
            Self::Conv2d { inputs, outputs, bias } => {
                let mut tensors = vec![weight(vec![outputs, inputs, 3, 3], 6.0)];
                tensors.extend(bias.then(|| vector("bias", outputs, 0.0, true)));
                tensors
            }
            Self::BatchNorm2d { channels } => vec![
                vector("weight", channels, 1.0, true),
                vector("bias", channels, 0.0, true),
                vector("running_mean", channels, 0.0, false),
                vector("running_var", channels, 1.0, false),
            ],
            Self::Linear { inputs, outputs, logits } => {
                vec![weight(vec![outputs, inputs], if logits { 1.0 } else { 6.0 }), vector("bias", outputs, 0.0, true)]
            }
            Self::Relu | Self::MaxPool2d | Self::GlobalAveragePool | Self::Flatten | Self::Dropout { .. } => Vec::new(),
        }
    }

    /// The shape after the layer, batch first, of an `input` that fits it.
    #[must_use]
    pub fn output_shape(self, input: &[usize]) -> Vec<usize> {
        match self {
            Self::Conv2d { outputs, .. } => vec![input[0], outputs, input[2], input[3]],
            Self::MaxPool2d => vec![input[0], input[1], input[2] / 2, input[3] / 2],
            Self::GlobalAveragePool => vec![input[0], input[1], 1, 1],
            Self::Flatten => vec![input[0], input[1..].iter().product()],
            Self::Linear { outputs, .. } => vec![input[0], outputs],
            Self::BatchNorm2d { .. } | Self::Relu | Self::Dropout { .. } => input.to_vec(),
        }
    }
}

/// A network as its layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// From the images to the last activations.
    pub features: Vec<Layer>,
    /// From there to the logits.
    pub head: Vec<Layer>,
}

impl Plan {
    /// All layers in order. A layer's position is its number in the equivalent `torch.nn.Sequential`.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.features.iter().chain(&self.head)
    }

    /// All tensors in order, with their layer's position and their full name.
    pub fn tensors(&self) -> impl Iterator<Item = (usize, String, TensorPlan)> {
        self.layers().enumerate().flat_map(|(position, layer)| {
            layer.kind.tensors().into_iter().map(move |tensor| (position, format!("{}.{}", layer.name, tensor.name), tensor))
        })
    }
}
