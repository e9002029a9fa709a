//! The compact network: five conv-BN-ReLU-pool blocks, global average pooling and one linear layer.
//!
//! Because nothing but an average stands between the last activations and the logits, class activation maps (Zhou et al.
//! 2016) are exact.

use super::super::NetworkOptions;
use super::super::layer::{LayerKind, Plan};
use super::{blocks, head};

/// Blocks of convolutions.
pub const BLOCKS: usize = 5;

/// 1,574,698 parameters with three channels, ten classes and the usual width (filters 32 to 512), for any size. It has no dropout: batch
/// normalisation and the small head need none, so `options.dropout` is not used.
pub fn plan(options: &NetworkOptions) -> Plan {
    let (features, filters) = blocks(options, BLOCKS, true);
    Plan {
        features,
        head: head([
            ("pool", LayerKind::GlobalAveragePool),
            ("flatten", LayerKind::Flatten),
            ("linear", LayerKind::Linear { inputs: filters, outputs: options.classes, logits: true }),
        ]),
    }
}
