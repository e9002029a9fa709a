//! Networks on Candle tensors. Knows nothing of galaxies, files of pictures, or windows.
//!
//! Images come in as N x C x H x W f32, already normalised; logits go out as N x classes.

pub mod accelerated;
mod init;
pub mod layer;
pub mod models;
pub mod ops;
mod predict;
mod spec;
pub mod summary;
pub mod weights;

pub use init::build;
pub use ops::Step;
pub use predict::predict;
pub use spec::{Framing, ModelSpec, Normalisation};

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};
use serde::{Deserialize, Serialize};

/// Which network. The numbers are those of the [usual width](USUAL_WIDTH).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// Six conv-ReLU-pool blocks 32..1024 and three linear layers: 14,811,210 parameters at 256 x 256 and ten classes.
    Seed,
    /// Five conv-BN-ReLU-pool blocks 32..512, global average pooling, one linear layer: class activation maps are exact.
    #[default]
    Compact,
}

/// Everything that fixes the shape of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkOptions {
    /// Which network.
    pub architecture: Architecture,
    /// Height and width of the input, pixels.
    pub size: usize,
    /// Channels of the input (3 for RGB).
    pub channels: usize,
    /// Number of classes.
    pub classes: usize,
    /// Filters of the first block, 1 to [`WIDEST`]: each block has twice those of the one before it, and hidden linear layers follow in
    /// proportion. Files of older programs do not say it: they mean [`USUAL_WIDTH`].
    #[serde(default = "usual_width", skip_serializing_if = "is_usual_width")]
    pub width: usize,
    /// Dropout probability in the head, in [0, 1). The compact network has no dropout and does not use it.
    pub dropout: f32,
}

/// Filters of the first block in the seed project's network, and by default.
pub const USUAL_WIDTH: usize = 32;

/// Most filters of the first block: the seed network has sixteen times its usual parameters then.
pub const WIDEST: usize = 128;

fn usual_width() -> usize {
    USUAL_WIDTH
}

/// The usual width is not written, so that descriptions, and what is made from them, stay those of older programs.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_usual_width(width: &usize) -> bool {
    *width == USUAL_WIDTH
}

impl NetworkOptions {
    /// "compact", or "compact of width 48": the network, and its width where that is not the usual one.
    #[must_use]
    pub fn name(&self) -> String {
        let name = match self.architecture {
            Architecture::Seed => "seed",
            Architecture::Compact => "compact",
        };
        if self.width == USUAL_WIDTH { name.into() } else { format!("{name} of width {}", self.width) }
    }
}

/// How a forward pass is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dropout on, batch statistics used and the running ones updated. The masks are a function of `seed` and `step`.
    Train {
        /// The run's seed.
        seed: u64,
        /// The optimiser step, counted over the whole run.
        step: u64,
    },
    /// Dropout off, running statistics used. Parameters count as constants: a backward pass reaches the images or the
    /// features (if they are variables), never the weights.
    Eval,
}

/// A trainable tensor with its name in the model file.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Dotted name, unique in the network.
    pub name: String,
    /// The tensor; the optimiser writes it in place. Convolution weights are 3 x 3 x inputs x outputs here and outputs x
    /// inputs x 3 x 3 in files ([`layer::to_file`]).
    pub var: Var,
    /// Whether weight decay applies: true for weights, false for biases and normalisation.
    pub decay: bool,
}

/// A tensor that is saved but not trained (running mean and variance).
#[derive(Clone, Debug)]
pub struct Buffer {
    /// Dotted name, unique in the network.
    pub name: String,
    /// The tensor; the forward pass in training mode writes it in place.
    pub var: Var,
}

/// A classifier in two halves, so that activation maps can be taken between them.
pub trait Network: Send + Sync {
    /// What it was built from.
    fn options(&self) -> &NetworkOptions;

    /// N x C x H x W images to N x K x h x w activations (after the last block).
    ///
    /// # Errors
    /// If the shape does not fit.
    fn features(&self, images: &Tensor, mode: Mode) -> Result<Tensor>;

    /// N x K x h x w activations to N x classes logits.
    ///
    /// # Errors
    /// If the shape does not fit.
    fn head(&self, features: &Tensor, mode: Mode) -> Result<Tensor>;

    /// Images to logits.
    ///
    /// # Errors
    /// If the shape does not fit.
    fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        self.head(&self.features(images, mode)?, mode)
    }

    /// Runs the layers numbered `range` of the plan on `input`, the output of the layer before, in evaluation mode. A backward
    /// pass reaches `input`, if it is a variable. Use it to look inside; [`Self::forward`] is faster.
    ///
    /// # Errors
    /// If there are no such layers, or the shape does not fit.
    fn run_layers(&self, range: std::ops::Range<usize>, input: &Tensor) -> Result<Tensor>;

    /// The gradients of all parameters (and of what else was tracked) from a scalar loss of a training pass. Use this
    /// rather than `loss.backward()`, which does not see the parameters of fused operators. The gradients share memory with those of the
    /// next call: use or copy them before.
    ///
    /// # Errors
    /// If an operator fails.
    fn backward(&self, loss: &Tensor) -> Result<GradStore>;

    /// Chooses which instructions the convolutions run on (and so their precision).
    fn set_step(&self, step: Step);

    /// Which instructions the convolutions run on.
    fn step(&self) -> Step;

    /// Trainable tensors in a fixed order.
    fn parameters(&self) -> &[Parameter];

    /// Saved but untrained tensors in a fixed order.
    fn buffers(&self) -> &[Buffer];
}
