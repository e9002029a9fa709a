//! Training in bfloat16 must not be further from 32-bit arithmetic than `PyTorch`'s autocast is: over five seeds, on every step of
//! the ladder with bfloat16 products that this machine has. (The 32-bit side is held to `PyTorch`'s by `networks.rs`.)

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use tuning_fork::nn::{Architecture, Network, Step};

use super::networks::{TRAIN, filled_from, loss, name, torch_names};
use super::reference::{distance, draw, path, values};

const SIZE: usize = 64;
const BATCH: usize = 8;
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;

/// `PyTorch`'s distances by network, seed and what (logits, gradient, or a parameter).
fn theirs() -> HashMap<(String, u64, String), f64> {
    let text = std::fs::read_to_string(path("autocast.txt")).expect("a reference file");
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [network, seed, what, distance] = words[..] else { panic!("four words in {line:?}") };
        ((network.to_owned(), seed.parse().expect("a seed"), what.to_owned()), distance.parse().expect("a number"))
    };
    text.lines().map(line).collect()
}

/// Logits and the gradient of every parameter.
fn results(network: &dyn Network, seed: u64, step: Step) -> Vec<Vec<f32>> {
    network.set_step(step);
    let labels: Vec<u32> = (0..BATCH as u32).map(|i| (i + seed as u32) * 3 % 10).collect();
    let labels = Tensor::from_vec(labels, BATCH, &Device::Cpu).expect("labels");
    let logits = network.forward(&draw(&[BATCH, 3, SIZE, SIZE], seed), TRAIN).expect("logits");
    let gradients = loss(&logits, &labels).and_then(|loss| network.backward(&loss)).expect("gradients");
    let gradient = |var: &candle_core::Var| values(gradients.get(var).expect("a gradient"));
    std::iter::once(values(&logits)).chain(network.parameters().iter().map(|p| gradient(&p.var))).collect()
}

/// Our distances in the order logits, gradient, parameters.
fn ours(architecture: Architecture, seed: u64, step: Step) -> Vec<f64> {
    let side = |step| results(&*filled_from(1000 * (seed + 1), architecture, SIZE, 3), seed, step);
    let (rounded, exact) = (side(step), side(Step::best_f32()));
    let all = distance(&rounded[1..].concat(), &exact[1..].concat());
    let mut distances: Vec<f64> = rounded.iter().zip(&exact).map(|(a, b)| distance(a, b)).collect();
    distances.insert(1, all);
    distances
}

#[test]
fn bfloat16_is_not_further_from_32_bits_than_pytorchs_autocast() {
    let theirs = theirs();
    for step in Step::ALL.into_iter().filter(|step| !step.is_f32()) {
        if !step.available() {
            eprintln!("skipped: this machine has no {step}");
            continue;
        }
        for architecture in [Architecture::Seed, Architecture::Compact] {
            let network = name(architecture);
            let (parameters, _) = torch_names(&format!("{network}_state_dict.txt"));
            let whats: Vec<String> = ["logits", "gradient"].map(str::to_owned).into_iter().chain(parameters).collect();
            let ours: Vec<Vec<f64>> = SEEDS.map(|seed| ours(architecture, seed, step)).collect();
            for (index, what) in whats.iter().enumerate() {
                let ours = ours.iter().map(|seed| seed[index]).sum::<f64>() / ours.len() as f64;
                let theirs = SEEDS.map(|seed| theirs[&(network.to_owned(), seed, what.clone())]).sum::<f64>() / SEEDS.count() as f64;
                eprintln!("{step} {network} {what}: {ours:.2e}, PyTorch {theirs:.2e}");
                // single parameters scatter from seed to seed
                let room = if index < 2 { 1.0 } else { 1.25 };
                assert!(ours <= room * theirs, "{step} {network} {what}: {ours:.2e} from 32 bits, PyTorch's autocast {theirs:.2e}");
            }
        }
    }
}
