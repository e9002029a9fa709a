//! The fused blocks inside the networks against the single operators, which have their own oracle.

use candle_core::{Device, Tensor, Var};
use tuning_fork::nn::{self, Architecture, Mode, Step};
use tuning_fork::random::{Purpose, Random};

use super::build::{options, values};

fn images(batch: usize, size: usize) -> Tensor {
    let mut random = Random::new(5, Purpose::Test, &[size as u64]);
    let values: Vec<f32> = (0..batch * 3 * size * size).map(|_| random.normal() as f32).collect();
    Tensor::from_vec(values, (batch, 3, size, size), &Device::Cpu).expect("images")
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    let scale = b.iter().map(|b| b.abs()).fold(0.0, f32::max).max(1e-20);
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / scale
}

#[test]
fn evaluation_and_its_gradient_path_agree_on_every_step_of_the_ladder() {
    for (architecture, size) in [(Architecture::Compact, 37), (Architecture::Seed, 64)] {
        let network = nn::build(&options(architecture, size), 3, &Device::Cpu).expect("a network");
        let images = images(2, size);
        // images that are variables take the single operators
        let var = Var::from_tensor(&images).expect("a variable");
        let single = values(&network.forward(var.as_tensor(), Mode::Eval).expect("logits"));
        for step in Step::ALL.into_iter().filter(|s| s.available()) {
            network.set_step(step);
            let fused = values(&network.forward(&images, Mode::Eval).expect("logits"));
            let bound = if step.is_f32() { 1e-5 } else { 3e-2 };
            assert!(worst(&fused, &single) < bound, "{architecture:?} {step}: {}", worst(&fused, &single));
        }
    }
}

#[test]
fn a_backward_pass_after_another_forward_pass_gives_its_own_gradients() {
    let network = nn::build(&options(Architecture::Compact, 32), 3, &Device::Cpu).expect("a network");
    let mode = Mode::Train { seed: 1, step: 1 };
    let (first, second) = (images(3, 32), (images(3, 32) * 0.5).expect("images"));
    let gradients = |between: bool| {
        let loss = network.forward(&first, mode).expect("logits").sqr().expect("squares").sum_all().expect("a loss");
        if between {
            network.forward(&second, mode).expect("logits");
        }
        let store = network.backward(&loss).expect("gradients");
        network.parameters().iter().map(|p| values(store.get(p.var.as_tensor()).expect("a gradient"))).collect::<Vec<_>>()
    };
    assert!(gradients(false) == gradients(true));
}

#[test]
fn the_gradient_of_the_images_is_that_of_finite_differences() {
    let network = nn::build(&options(Architecture::Compact, 32), 3, &Device::Cpu).expect("a network");
    let var = Var::from_tensor(&images(2, 32)).expect("a variable");
    let mode = Mode::Train { seed: 1, step: 1 };
    let weights = Tensor::from_vec((0..20).map(|i| (i as f32).sin()).collect(), (2, 10), &Device::Cpu).expect("weights");
    let loss = |x: &Tensor| (network.forward(x, mode).expect("logits") * &weights).expect("product").sum_all().expect("a loss");
    let store = network.backward(&loss(var.as_tensor())).expect("gradients");
    let gradient = values(store.get(var.as_tensor()).expect("the gradient of the images"));
    let mut random = Random::new(9, Purpose::Test, &[]);
    let direction: Vec<f32> = gradient.iter().map(|_| random.normal() as f32).collect();
    let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
    let direction = Tensor::from_vec(direction, var.shape(), &Device::Cpu).expect("a direction");
    let moved = |h: f64| {
        let x = (var.as_detached_tensor() + (&direction * h).expect("a step")).expect("images");
        f64::from(loss(&x).to_scalar::<f32>().expect("a number"))
    };
    let h = 5e-5;
    let difference = (moved(h) - moved(-h)) / (2.0 * h);
    assert!((difference - along).abs() < 0.03 * along.abs().max(0.1), "{difference} against {along}");
}
