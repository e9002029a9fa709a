//! The seed project's network: six conv-ReLU-pool blocks and three linear layers with dropout between them.

use super::super::NetworkOptions;
use super::super::layer::{LayerKind, Plan};
use super::{blocks, head};

/// Filters of each block.
pub const CHANNELS: [usize; 6] = [32, 64, 128, 256, 512, 1024];

/// 14,811,210 parameters at 256 x 256 x 3 and ten classes. `options.dropout` stands after both hidden linear layers.
pub fn plan(options: &NetworkOptions) -> Plan {
    let side = options.size >> CHANNELS.len();
    let linear = |inputs, outputs| LayerKind::Linear { inputs, outputs, logits: false };
    let dropout = LayerKind::Dropout { probability: options.dropout };
    Plan {
        features: blocks(options.channels, &CHANNELS, false),
        head: head([
            ("flatten", LayerKind::Flatten),
            ("linear1", linear(1024 * side * side, 512)),
            ("relu1", LayerKind::Relu),
            ("dropout1", dropout),
            ("linear2", linear(512, 256)),
            ("relu2", LayerKind::Relu),
            ("dropout2", dropout),
            ("linear3", LayerKind::Linear { inputs: 256, outputs: options.classes, logits: true }),
        ]),
    }
}
