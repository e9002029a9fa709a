//! The networks: each a plan, all run by the same [`Sequential`].

mod compact;
mod inspect;
mod seed;
mod sequential;

pub use inspect::{MapLayer, map_layers};
pub use sequential::Sequential;

use candle_core::{Result, bail};

use super::layer::{Layer, LayerKind, Plan};
use super::{Architecture, NetworkOptions, WIDEST};

/// The largest side of a picture, pixels, and the largest number of channels or classes: far above any use, far below
/// what overflows.
const LARGEST: usize = 8192;

/// The layers of the network that `options` describe.
///
/// # Errors
/// If an option is out of range or the images are too small for the network; the message says which and what to do.
pub fn plan(options: &NetworkOptions) -> Result<Plan> {
    let (name, blocks) = match options.architecture {
        Architecture::Seed => ("seed", seed::BLOCKS),
        Architecture::Compact => ("compact", compact::BLOCKS),
    };
    let smallest = 1 << blocks;
    if !(smallest..=LARGEST).contains(&options.size) {
        bail!("the {name} network takes images from {smallest} to {LARGEST} pixels a side, not {}", options.size);
    }
    if !(1..=LARGEST).contains(&options.channels) || !(1..=LARGEST).contains(&options.classes) {
        bail!("a network needs 1 to {LARGEST} channels and classes, not {} and {}", options.channels, options.classes);
    }
    if !(1..=WIDEST).contains(&options.width) {
        bail!("a network has 1 to {WIDEST} filters in its first block, not {}", options.width);
    }
    if !(0.0..1.0).contains(&options.dropout) {
        bail!("a dropout probability of {} is not in [0, 1)", options.dropout);
    }
    Ok(match options.architecture {
        Architecture::Seed => seed::plan(options),
        Architecture::Compact => compact::plan(options),
    })
}

/// Blocks of convolution, normalisation (or a bias instead), rectifier and pooling: each halves the sides and has twice the filters of the
/// one before. The second value is the filters of the last.
fn blocks(options: &NetworkOptions, count: usize, normalise: bool) -> (Vec<Layer>, usize) {
    let mut layers = Vec::new();
    let mut inputs = options.channels;
    for block in 1..=count {
        let outputs = options.width << (block - 1);
        let mut push = |part: &str, kind| layers.push(Layer { name: format!("block{block}.{part}"), kind });
        push("conv", LayerKind::Conv2d { inputs, outputs, bias: !normalise });
        if normalise {
            push("norm", LayerKind::BatchNorm2d { channels: outputs });
        }
        push("relu", LayerKind::Relu);
        push("pool", LayerKind::MaxPool2d);
        inputs = outputs;
    }
    (layers, inputs)
}

/// Names the layers of a head.
fn head<const N: usize>(layers: [(&str, LayerKind); N]) -> Vec<Layer> {
    layers.map(|(part, kind)| Layer { name: format!("head.{part}"), kind }).into()
}
