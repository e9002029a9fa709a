//! Where in a network activations form a map, for looking inside: names, sizes, and what stands behind them.
//! Runs nothing; see [`Network::run_layers`](crate::nn::Network::run_layers).

use candle_core::Result;

use super::super::NetworkOptions;
use super::super::layer::{LayerKind, Plan};

/// A layer whose output is a stack of maps: N x `channels` x `height` x `width`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapLayer {
    /// Its name in the plan: "block5.relu".
    pub name: String,
    /// How many layers of the network have run when its output is there.
    pub end: usize,
    /// Maps in the stack.
    pub channels: usize,
    /// Cells from top to bottom.
    pub height: usize,
    /// Cells from left to right.
    pub width: usize,
    /// Whether it is a rectifier: the output of a convolution, before it is pooled.
    pub rectified: bool,
    /// Whether the logits are a linear function of the mean of each of its maps, so that class activation maps are exact.
    pub averaged: bool,
}

/// The layers of the network of `options` whose output is a stack of maps worth looking at: each rectifier and each pooling
/// among the features, from the images on.
///
/// # Errors
/// If the options make no network.
pub fn map_layers(options: &NetworkOptions) -> Result<Vec<MapLayer>> {
    let plan = super::plan(options)?;
    let mut shape = vec![1, options.channels, options.size, options.size];
    let mut layers = Vec::new();
    for (position, layer) in plan.features.iter().enumerate() {
        shape = layer.kind.output_shape(&shape);
        let rectified = layer.kind == LayerKind::Relu;
        if rectified || layer.kind == LayerKind::MaxPool2d {
            let (channels, height, width) = (shape[1], shape[2], shape[3]);
            let end = position + 1;
            let averaged = end == plan.features.len() && averages(&plan);
            layers.push(MapLayer { name: layer.name.clone(), end, channels, height, width, rectified, averaged });
        }
    }
    Ok(layers)
}

/// Whether the head is an average over the pixels and one linear layer.
fn averages(plan: &Plan) -> bool {
    let kinds: Vec<LayerKind> = plan.head.iter().map(|layer| layer.kind).collect();
    matches!(kinds[..], [LayerKind::GlobalAveragePool, LayerKind::Flatten, LayerKind::Linear { .. }])
}
