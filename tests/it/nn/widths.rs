//! Networks of any width: as many parameters as there should be, and every step of the ladder computes them.

use candle_core::{DType, Device, Tensor};
use tuning_fork::nn::{Architecture, Mode, Network, NetworkOptions, Step, USUAL_WIDTH, build};

use super::build::options;
use super::networks::loss;
use super::reference::{distance, draw, values};

fn of_width(width: usize, architecture: Architecture, size: usize) -> NetworkOptions {
    NetworkOptions { width, dropout: 0.0, ..options(architecture, size) }
}

/// Convolutions from `w` filters on, with `extra` numbers a filter; inputs times outputs times nine.
fn convolutions(w: usize, blocks: u32, extra: usize) -> usize {
    let first = 3 * 9 * w + extra * w;
    (1..blocks).fold(first, |sum, block| sum + 9 * (w << (block - 1)) * (w << block) + extra * (w << block))
}

#[test]
fn parameters_follow_the_width() {
    for width in [1, 7, 16, 32, 48] {
        let count = |architecture, size| {
            let network = build(&of_width(width, architecture, size), 0, &Device::Cpu).expect("a network");
            network.parameters().iter().map(|p| p.var.elem_count()).sum::<usize>()
        };
        // a scale and a shift a filter; one linear layer
        assert_eq!(count(Architecture::Compact, 32), convolutions(width, 5, 2) + 16 * width * 10 + 10);
        // a bias a filter; 32 w filters on 2 x 2 pixels, then 16 w, 8 w and ten outputs
        let (last, first, second) = (32 * width, 16 * width, 8 * width);
        let linear = 4 * last * first + first + first * second + second + second * 10 + 10;
        assert_eq!(count(Architecture::Seed, 128), convolutions(width, 6, 1) + linear);
    }
}

#[test]
fn every_step_computes_any_width() {
    for (architecture, size, width) in [
        (Architecture::Compact, 33, 5),
        (Architecture::Compact, 40, 24),
        (Architecture::Compact, 64, 48),
        (Architecture::Seed, 64, 8),
        (Architecture::Seed, 70, 13),
    ] {
        let network = build(&of_width(width, architecture, size), 5, &Device::Cpu).expect("a network");
        let images = draw(&[3, 3, size, size], 1);
        network.set_step(Step::Portable);
        let expected = pass(&*network, &images);
        for step in Step::ALL.into_iter().filter(|step| step.available()) {
            network.set_step(step);
            let found = pass(&*network, &images);
            // bfloat16 keeps eight bits, norms of three images enlarge that, and a gradient jumps where rounding decides which of two
            // numbers a pooling takes; another product's gradient would be off by more than one
            let tolerance = if step.is_f32() { 2e-4 } else { 0.5 };
            for ((name, found), (_, expected)) in found.iter().zip(&expected) {
                let off = distance(found, expected);
                assert!(off < tolerance, "{architecture:?} of width {width} on {step}: {name} is off by {off:.1e}");
            }
        }
    }
}

/// Logits in training, and every gradient.
fn pass(network: &dyn Network, images: &Tensor) -> Vec<(String, Vec<f32>)> {
    let logits = network.forward(images, Mode::Train { seed: 1, step: 0 }).expect("logits");
    let labels = Tensor::new(&[1u32, 4, 9], &Device::Cpu).expect("labels");
    let gradients = network.backward(&loss(&logits, &labels).expect("a loss")).expect("gradients");
    let gradient = |p: &tuning_fork::nn::Parameter| (p.name.clone(), values(gradients.get(&p.var).expect("a gradient")));
    let mut all: Vec<_> = network.parameters().iter().map(gradient).collect();
    all.push(("logits".into(), values(&logits)));
    all
}

#[test]
fn a_width_is_written_where_it_is_not_the_usual_one() {
    let usual = serde_json::to_value(of_width(USUAL_WIDTH, Architecture::Seed, 64)).expect("JSON");
    assert!(usual.get("width").is_none(), "{usual}");
    assert_eq!(serde_json::from_value::<NetworkOptions>(usual).expect("options").width, 32);
    let wide = of_width(48, Architecture::Compact, 64);
    let written = serde_json::to_string(&wide).expect("JSON");
    assert_eq!(serde_json::from_str::<NetworkOptions>(&written).expect("options"), wide);
    assert_eq!((wide.name().as_str(), options(Architecture::Seed, 64).name().as_str()), ("compact of width 48", "seed"));
}

#[test]
fn a_width_out_of_range_is_refused() {
    for width in [0, 129, usize::MAX] {
        let refused = build(&of_width(width, Architecture::Compact, 32), 0, &Device::Cpu).map(|_| ()).expect_err("a refusal").to_string();
        assert!(refused.contains("1 to 128 filters"), "{refused}");
    }
    let network = build(&of_width(128, Architecture::Compact, 32), 0, &Device::Cpu).expect("the widest");
    let images = Tensor::zeros((1, 3, 32, 32), DType::F32, &Device::Cpu).expect("images");
    assert_eq!(network.forward(&images, Mode::Eval).expect("logits").dims(), [1, 10]);
}
