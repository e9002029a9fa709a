//! The compact network: five conv-BN-ReLU-pool blocks, global average pooling and one linear layer.
//!
//! Because nothing but an average stands between the last activations and the logits, class activation maps (Zhou et al.
//! 2016) are exact.

use super::super::NetworkOptions;
use super::super::layer::{LayerKind, Plan};
use super::{blocks, head};

/// Filters of each block.
pub const CHANNELS: [usize; 5] = [32, 64, 128, 256, 512];

/// 1,574,698 parameters with three channels and ten classes, for any size. It has no dropout: batch normalisation and the
/// small head need none, so `options.dropout` is not used.
pub fn plan(options: &NetworkOptions) -> Plan {
    Plan {
        features: blocks(options.channels, &CHANNELS, true),
        head: head([
            ("pool", LayerKind::GlobalAveragePool),
            ("flatten", LayerKind::Flatten),
            ("linear", LayerKind::Linear { inputs: 512, outputs: options.classes, logits: true }),
        ]),
    }
}
