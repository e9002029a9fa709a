//! Losses against PyTorch's autograd (`tests/reference/train/losses.py`), finite differences, and logits that break softmax.

use candle_core::{Device, Tensor, Var};
use serde::Deserialize;
use tuning_fork::train::{Config, Loss, LossKind, Mixed, class_weights};

#[derive(Deserialize)]
struct Case {
    loss: LossKind,
    beta: f64,
    gamma: f64,
    smoothing: f64,
    counts: Vec<usize>,
    logits: Vec<f64>,
    targets: Vec<u32>,
    value: f64,
    gradient: Vec<f64>,
    weights: Vec<f64>,
}

fn config(loss: LossKind, beta: f64, gamma: f64, label_smoothing: f64) -> Config {
    Config { loss, beta, gamma, label_smoothing, ..Config::default() }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../../reference/train/losses.json")).expect("the reference is JSON")
}

#[test]
fn values_and_gradients_are_those_of_pytorch() {
    for case in cases() {
        let loss = Loss::new(&config(case.loss, case.beta, case.gamma, case.smoothing), &case.counts);
        let logits: Vec<f32> = case.logits.iter().map(|&z| z as f32).collect();
        let got = loss.evaluate(&logits, &case.targets);
        assert!((got.mean() - case.value).abs() <= 1e-12 * case.value.abs().max(1.0), "{} is not {}", got.mean(), case.value);
        let largest = case.gradient.iter().fold(0.0f64, |a, g| a.max(g.abs()));
        for (got, want) in got.gradient.iter().zip(&case.gradient) {
            assert!((f64::from(*got) - want).abs() <= 1e-7 * largest, "{got} is not {want}");
        }
        if case.loss == LossKind::Focal {
            for (got, want) in class_weights(&case.counts, case.beta).iter().zip(&case.weights) {
                assert!((got - want).abs() <= 1e-9 * want, "{got} is not {want}");
            }
        }
    }
}

#[derive(Deserialize)]
struct MixedCase {
    loss: LossKind,
    beta: f64,
    gamma: f64,
    smoothing: f64,
    counts: Vec<usize>,
    share: f64,
    logits: Vec<f64>,
    targets: Vec<u32>,
    partners: Vec<u32>,
    value: f64,
    gradient: Vec<f64>,
}

#[test]
fn losses_of_mixed_batches_are_those_of_pytorch_for_soft_targets() {
    let cases: Vec<MixedCase> = serde_json::from_str(include_str!("../../reference/train/mixed_losses.json")).expect("JSON");
    for case in cases {
        let loss = Loss::new(&config(case.loss, case.beta, case.gamma, case.smoothing), &case.counts);
        let logits: Vec<f32> = case.logits.iter().map(|&z| z as f32).collect();
        let mixed = Mixed { partners: case.partners, share: case.share };
        let got = loss.evaluate_mixed(&logits, &case.targets, Some(&mixed));
        assert!((got.mean() - case.value).abs() <= 1e-12 * case.value.abs().max(1.0), "{} is not {}", got.mean(), case.value);
        let largest = case.gradient.iter().fold(0.0f64, |a, g| a.max(g.abs()));
        for (got, want) in got.gradient.iter().zip(&case.gradient) {
            assert!((f64::from(*got) - want).abs() <= 1e-7 * largest, "{got} is not {want}");
        }
        // a share of 1 is no mixture
        let whole = loss.evaluate_mixed(&logits, &case.targets, Some(&Mixed { share: 1.0, ..mixed }));
        assert_eq!(whole, loss.evaluate(&logits, &case.targets));
    }
}

#[test]
fn candle_back_propagates_exactly_that_gradient() {
    let case = cases().swap_remove(0);
    let loss = Loss::new(&config(case.loss, case.beta, case.gamma, case.smoothing), &case.counts);
    let classes = case.counts.len();
    let logits: Vec<f32> = case.logits.iter().map(|&z| z as f32).collect();
    let var = Var::from_vec(logits, (case.targets.len(), classes), &Device::Cpu).expect("logits");
    // twice the variable is twice the gradient, at twice the logits
    let halved = (var.as_tensor() * 2.0).expect("scales");
    let (value, seed) = loss.forward(&halved, &case.targets, None).expect("computes");
    let gradients = seed.backward().expect("differentiates");
    let got: Vec<f32> = gradients.get(&var).expect("has a gradient").flatten_all().and_then(|g| g.to_vec1()).expect("reads");
    for (got, want) in got.iter().zip(&value.gradient) {
        assert!((got - 2.0 * want).abs() <= 1e-6 * want.abs(), "{got} is not twice {want}");
    }
    let narrow = Tensor::zeros((2, classes - 1), candle_core::DType::F32, &Device::Cpu).expect("zeros");
    assert!(loss.forward(&narrow, &[0, 1], None).is_err());
}

#[test]
fn gradients_are_finite_differences_of_the_value() {
    let loss = Loss::new(&config(LossKind::Focal, 0.99, 1.7, 0.05), &[30, 400, 7]);
    let logits = [0.3f32, -1.2, 0.8, 2.0, 1.0, -0.5];
    let targets = [2, 0];
    let exact = loss.evaluate(&logits, &targets);
    for place in 0..logits.len() {
        let at = |shift: f32| {
            let mut moved = logits;
            moved[place] += shift;
            loss.evaluate(&moved, &targets).mean()
        };
        let h = 1.0f32 / 1024.0;
        let slope = (at(h) - at(-h)) / (2.0 * f64::from(h));
        assert!((slope - f64::from(exact.gradient[place])).abs() < 1e-6, "{slope} is not {}", exact.gradient[place]);
    }
}

#[test]
fn huge_logits_give_a_finite_loss_and_gradient() {
    for gamma in [0.0, 0.3, 1.007, 5.0] {
        for smoothing in [0.0, 0.1] {
            for kind in [LossKind::Focal, LossKind::CrossEntropy] {
                let loss = Loss::new(&config(kind, 0.931, gamma, smoothing), &[10, 20, 30]);
                for row in [[1e4f32, -1e4, 0.0], [-1e4, 1e4, 1e4], [1e4, 1e4, 1e4], [60.0, 0.0, 0.0], [-60.0, 0.0, 0.0], [16.0, -1.0, -1.0]]
                {
                    for target in 0..3 {
                        let value = loss.evaluate(&row, &[target]);
                        assert!(value.mean().is_finite() && value.mean() >= 0.0, "{row:?} {target}: {}", value.mean());
                        assert!(value.gradient.iter().all(|g| g.is_finite()), "{row:?} {target}: {:?}", value.gradient);
                    }
                }
            }
        }
    }
    // p -> 1 costs nothing; p -> 0 pushes with the full weight
    let loss = Loss::new(&config(LossKind::Focal, 0.0, 2.0, 0.0), &[10, 10]);
    assert_eq!(loss.evaluate(&[1e4, -1e4], &[0]).losses, [0.0]);
    let wrong = loss.evaluate(&[1e4, -1e4], &[1]);
    assert_eq!((wrong.losses[0], wrong.gradient[0], wrong.gradient[1]), (2e4, 1.0, -1.0));
}

#[test]
fn logits_that_are_no_numbers_give_a_loss_that_is_none() {
    let loss = Loss::new(&config(LossKind::Focal, 0.931, 1.0, 0.0), &[10, 20]);
    assert!(loss.evaluate(&[f32::NAN, 0.0], &[1]).mean().is_nan());
    assert!(!loss.evaluate(&[f32::INFINITY, 0.0], &[1]).mean().is_finite());
}

#[test]
fn a_class_without_images_weighs_nothing() {
    for beta in [0.0, 0.9, 0.999_999] {
        let weights = class_weights(&[0, 5, 500], beta);
        assert_eq!(weights[..1], [0.0]);
        assert!((weights.iter().sum::<f64>() - 3.0).abs() < 1e-12, "{weights:?}");
        assert!(weights[1] >= weights[2]);
        let loss = Loss::new(&config(LossKind::Focal, beta, 1.0, 0.0), &[0, 5, 500]);
        let value = loss.evaluate(&[1.0, 2.0, 3.0], &[0]);
        assert_eq!(value.losses, [0.0]);
        assert!(value.gradient.iter().all(|&g| g == 0.0));
    }
    assert_eq!(class_weights(&[0, 0], 0.9), [0.0, 0.0]);
}
