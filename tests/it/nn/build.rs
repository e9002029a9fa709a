//! Networks are built as described, reproducibly, and refuse what they cannot take.

use candle_core::{DType, Device, Tensor};
use tuning_fork::nn::{Architecture, Mode, Network, NetworkOptions, USUAL_WIDTH, build, predict};

pub fn options(architecture: Architecture, size: usize) -> NetworkOptions {
    NetworkOptions { architecture, size, channels: 3, classes: 10, width: USUAL_WIDTH, dropout: 0.5 }
}

fn parameters(network: &dyn Network) -> usize {
    network.parameters().iter().map(|p| p.var.elem_count()).sum()
}

pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("f32 values")
}

#[test]
fn parameter_counts_are_those_of_the_tables() {
    let count = |architecture, size| parameters(&*build(&options(architecture, size), 0, &Device::Cpu).expect("a network"));
    assert_eq!(count(Architecture::Seed, 256), 14_811_210);
    assert_eq!(count(Architecture::Compact, 32), 1_574_698);
    assert_eq!(count(Architecture::Compact, 69), 1_574_698);
}

#[test]
fn decay_applies_to_weights_of_linear_and_convolution_only() {
    for architecture in [Architecture::Seed, Architecture::Compact] {
        let network = build(&options(architecture, 64), 0, &Device::Cpu).expect("a network");
        for p in network.parameters() {
            assert_eq!(p.decay, p.var.rank() > 1, "{}", p.name);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_weights_and_another_seed_others() {
    let weights = |seed| -> Vec<Vec<f32>> {
        let network = build(&options(Architecture::Compact, 32), seed, &Device::Cpu).expect("a network");
        network.parameters().iter().map(|p| values(&p.var)).collect()
    };
    let (a, b, c) = (weights(1), weights(1), weights(2));
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn weights_fill_the_kaiming_interval() {
    let network = build(&options(Architecture::Seed, 64), 3, &Device::Cpu).expect("a network");
    for p in network.parameters() {
        let values = values(&p.var);
        if !p.decay {
            assert!(values.iter().all(|&v| v == 0.0), "{}", p.name);
            continue;
        }
        let in_file = tuning_fork::nn::layer::to_file(p.var.as_tensor()).expect("a copy");
        let fan_in: usize = in_file.dims()[1..].iter().product();
        let gain = if p.name == "head.linear3.weight" { 1.0 } else { 6.0 };
        let bound = (gain / fan_in as f64).sqrt();
        let largest = values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        let variance = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / values.len() as f64;
        assert!(f64::from(largest) <= bound * 1.000_001 && f64::from(largest) > 0.98 * bound, "{}: {largest} of {bound}", p.name);
        assert!((variance / (bound * bound / 3.0) - 1.0).abs() < 0.1, "{}: variance {variance}", p.name);
    }
}

#[test]
fn sizes_that_are_no_power_of_two_work() {
    for (architecture, size) in
        [(Architecture::Compact, 32), (Architecture::Compact, 69), (Architecture::Seed, 64), (Architecture::Seed, 100)]
    {
        let network = build(&options(architecture, size), 0, &Device::Cpu).expect("a network");
        let images = Tensor::zeros((2, 3, size, size), DType::F32, &Device::Cpu).expect("images");
        for mode in [Mode::Train { seed: 1, step: 0 }, Mode::Eval] {
            assert_eq!(network.forward(&images, mode).expect("logits").dims(), [2, 10]);
        }
    }
}

#[test]
fn impossible_options_and_images_are_refused_in_words() {
    let refused = |o: NetworkOptions| build(&o, 0, &Device::Cpu).map(|_| ()).expect_err("a refusal").to_string();
    assert!(refused(options(Architecture::Seed, 63)).contains("from 64"));
    assert!(refused(options(Architecture::Compact, 31)).contains("from 32"));
    assert!(refused(options(Architecture::Compact, usize::MAX)).contains("pixels"));
    assert!(refused(NetworkOptions { classes: 0, ..options(Architecture::Compact, 32) }).contains("classes"));
    assert!(refused(NetworkOptions { dropout: 1.0, ..options(Architecture::Seed, 64) }).contains("dropout"));
    assert!(refused(NetworkOptions { dropout: f32::NAN, ..options(Architecture::Seed, 64) }).contains("dropout"));
    let network = build(&options(Architecture::Compact, 32), 0, &Device::Cpu).expect("a network");
    let images = Tensor::zeros((1, 3, 64, 64), DType::F32, &Device::Cpu).expect("images");
    assert!(network.forward(&images, Mode::Eval).expect_err("a refusal").to_string().contains("32 x 32"));
}

#[test]
fn predictions_are_probabilities_however_large_the_logits() {
    let network = build(&options(Architecture::Compact, 32), 5, &Device::Cpu).expect("a network");
    let images = Tensor::full(1e30f32, (2, 3, 32, 32), &Device::Cpu).expect("images");
    let rows = predict(&*network, &images).and_then(|p| p.to_vec2::<f32>()).expect("probabilities");
    for row in rows {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
        assert!(row.iter().all(|p| (0.0..=1.0).contains(p)), "{row:?}");
    }
}

#[test]
fn nan_in_the_images_reaches_the_logits() {
    for architecture in [Architecture::Seed, Architecture::Compact] {
        let network = build(&options(architecture, 64), 5, &Device::Cpu).expect("a network");
        let images = Tensor::full(f32::NAN, (1, 3, 64, 64), &Device::Cpu).expect("images");
        let logits = network.forward(&images, Mode::Eval).expect("logits");
        assert!(values(&logits).iter().all(|x| x.is_nan()));
    }
}
