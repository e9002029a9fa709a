//! What a training step must at least cost a device: its operations, and the bytes that go to and from memory.

use serde::Serialize;

use crate::nn::layer::{LayerKind, Plan};
use crate::nn::ops::accelerator::Arithmetic;

/// The work of one training step, and the least time that it takes on a known card.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Floor {
    /// Operations of the products (a multiplication and an addition are two), 1e9.
    pub gflop: f64,
    /// Bytes to and from memory, if every pass over activations reads its input and writes its output once, 1e9.
    pub gbyte: f64,
    /// Milliseconds that the products take at the card's peak, if the card is known.
    pub arithmetic_ms: Option<f64>,
    /// Milliseconds that the bytes take at the card's peak, if the card is known.
    pub memory_ms: Option<f64>,
}

/// Peak rates of a card, as its maker gives them.
struct Card {
    /// What its name contains.
    name: &'static str,
    /// Dense products in 16 bits with sums in 32, 1e12 operations a second; TF32 has half of it.
    tera16: f64,
    /// f32 without tensor cores, 1e12.
    tera32: f64,
    /// 1e9 bytes a second.
    bandwidth: f64,
}

const CARDS: &[Card] = &[
    Card { name: "H200", tera16: 989.0, tera32: 67.0, bandwidth: 4800.0 },
    Card { name: "H100 PCIe", tera16: 756.0, tera32: 51.0, bandwidth: 2000.0 },
    Card { name: "H100", tera16: 989.0, tera32: 67.0, bandwidth: 3350.0 },
    Card { name: "A100", tera16: 312.0, tera32: 19.5, bandwidth: 1555.0 },
    Card { name: "RTX 4090", tera16: 165.0, tera32: 82.6, bandwidth: 1008.0 },
    Card { name: "RTX 3090", tera16: 71.0, tera32: 35.6, bandwidth: 936.0 },
    Card { name: "RTX 2060", tera16: 26.0, tera32: 6.5, bandwidth: 336.0 },
];

/// The floor of a step of `batch` pictures of `size` x `size` on the card of this name.
pub fn floor(plan: &Plan, size: usize, batch: usize, arithmetic: Arithmetic, card: &str) -> Floor {
    let (mut operations, mut bytes) = (0.0, 0.0);
    let number = arithmetic.storage().bytes() as f64;
    let (mut side, mut parameters, mut first) = (size, 0.0, true);
    for layer in plan.layers() {
        parameters += layer.kind.tensors().iter().filter(|t| t.trained).map(|t| t.shape.iter().product::<usize>() as f64).sum::<f64>();
        match layer.kind {
            LayerKind::Conv2d { inputs, outputs, bias } => {
                let pixels = (batch * side * side) as f64;
                let (x, z) = (pixels * inputs as f64 * number, pixels * outputs as f64 * number);
                // forward and the weights' gradient; the input's, but for the pictures
                let products = if first { 2.0 } else { 3.0 };
                operations += products * 2.0 * 9.0 * pixels * (inputs * outputs) as f64;
                // pooled, and a byte each that says which
                let pooled = z / 4.0 + pixels * outputs as f64 / 4.0;
                let forward = x + z + z + pooled;
                let backward = pooled + z + x + z + if first { 0.0 } else { z + x };
                // a norm reads z once more for its statistics, and twice backwards
                let norm = if bias { 0.0 } else { 3.0 * z };
                bytes += forward + backward + norm;
                first = false;
            }
            LayerKind::MaxPool2d => side /= 2,
            LayerKind::Linear { inputs, outputs, .. } => {
                operations += 3.0 * 2.0 * (batch * inputs * outputs) as f64;
                bytes += (batch * (inputs + outputs)) as f64 * number * 3.0;
            }
            _ => {}
        }
    }
    // weight, gradient and two moments are read, three of them and the copy written; the gradient is written before and read for its norm
    bytes += parameters * (4.0 * 4.0 + 3.0 * 4.0 + number + 2.0 * 4.0);
    let card = CARDS.iter().find(|known| card.contains(known.name));
    let rate = |card: &Card| match arithmetic {
        Arithmetic::F32 => card.tera32,
        Arithmetic::Tf32 => card.tera16 / 2.0,
        Arithmetic::Bf16 | Arithmetic::F16 => card.tera16,
    };
    Floor {
        gflop: super::round(operations / 1e9),
        gbyte: super::round(bytes / 1e9),
        arithmetic_ms: card.map(|card| super::round(operations / rate(card) / 1e9)),
        memory_ms: card.map(|card| super::round(bytes / card.bandwidth / 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::models::plan;
    use crate::nn::{Architecture, NetworkOptions, USUAL_WIDTH};

    #[test]
    fn a_step_of_the_seed_by_hand() {
        let options =
            NetworkOptions { architecture: Architecture::Seed, size: 256, channels: 3, classes: 10, width: USUAL_WIDTH, dropout: 0.5 };
        let found = floor(&plan(&options).expect("a network"), 256, 128, Arithmetic::Bf16, "NVIDIA H200");
        // 9 x pixels x inputs x outputs of the six convolutions; the first has two products
        let channels = [3.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
        let one = |block: i32, products: f64| {
            let pixels = 128.0 * 65536.0 / 4f64.powi(block);
            products * 18.0 * pixels * channels[block as usize] * channels[block as usize + 1]
        };
        let linear = 6.0 * 128.0 * (16384.0 * 512.0 + 512.0 * 256.0 + 2560.0);
        let expected = one(0, 2.0) + (1..6).map(|block| one(block, 3.0)).sum::<f64>() + linear;
        assert!((found.gflop - expected / 1e9).abs() < 0.01, "{found:?}");
        assert!(found.arithmetic_ms.is_some_and(|ms| (ms - expected / 989e9).abs() < 0.01), "{found:?}");
        assert!(floor(&plan(&options).expect("a network"), 256, 128, Arithmetic::Bf16, "a card of tomorrow").memory_ms.is_none());
    }
}
