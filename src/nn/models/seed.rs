//! The seed project's network: six conv-ReLU-pool blocks and three linear layers with dropout between them.

use super::super::NetworkOptions;
use super::super::layer::{LayerKind, Plan};
use super::{blocks, head};

/// Blocks of convolutions.
pub const BLOCKS: usize = 6;

/// 14,811,210 parameters at 256 x 256 x 3, ten classes and the usual width: filters 32 to 1024, hidden layers of 512 and 256.
/// `options.dropout` stands after both hidden linear layers.
pub fn plan(options: &NetworkOptions) -> Plan {
    let side = options.size >> BLOCKS;
    let linear = |inputs, outputs| LayerKind::Linear { inputs, outputs, logits: false };
    let dropout = LayerKind::Dropout { probability: options.dropout };
    let (features, filters) = blocks(options, BLOCKS, false);
    let [first, second] = [filters / 2, filters / 4];
    Plan {
        features,
        head: head([
            ("flatten", LayerKind::Flatten),
            ("linear1", linear(filters * side * side, first)),
            ("relu1", LayerKind::Relu),
            ("dropout1", dropout),
            ("linear2", linear(first, second)),
            ("relu2", LayerKind::Relu),
            ("dropout2", dropout),
            ("linear3", LayerKind::Linear { inputs: second, outputs: options.classes, logits: true }),
        ]),
    }
}
