//! What a step does besides: loss, optimiser, dropout; and the general operators, for shapes that have no fused block.

use candle_core::{Device, Tensor, Var};
use divan::Bencher;
use divan::counter::ItemsCount;
use tuning_fork::nn::ops::{self, ConvOptions};
use tuning_fork::nn::{self, Architecture, Mode, NetworkOptions, USUAL_WIDTH};
use tuning_fork::train::{Config, Loss, Optimizer, OptimizerKind, Update, gradient_norm};

use super::{SAMPLES, numbers};

const CLASSES: usize = 10;

fn tensor(shape: &[usize]) -> Tensor {
    Tensor::from_vec(numbers(shape.iter().product()), shape, &Device::Cpu).expect("as many numbers as the shape says")
}

#[divan::bench(args = [32, 1024])]
fn loss(bencher: Bencher, images: usize) {
    let (loss, logits) = (Loss::new(&Config::default(), &[100; CLASSES]), numbers(images * CLASSES));
    let targets: Vec<u32> = (0..images as u32).map(|image| image % CLASSES as u32).collect();
    bencher.counter(ItemsCount::new(images)).bench_local(|| loss.evaluate(&logits, &targets));
}

/// All 14.8 million parameters of the seed network at 256 x 256.
#[divan::bench(args = [OptimizerKind::Sgd, OptimizerKind::Adamw, OptimizerKind::Radam], sample_count = SAMPLES, sample_size = 1)]
fn optimizer(bencher: Bencher, kind: OptimizerKind) {
    with_gradients(kind, |optimizer, network, gradients| {
        let update = Update { learning_rate: 1e-6, momentum: 0.9, gradient_scale: 1.0 };
        bencher.bench_local(|| optimizer.step(network.parameters(), gradients, update).expect("a step"));
    });
}

#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn norm_of_all_gradients(bencher: Bencher) {
    with_gradients(OptimizerKind::Sgd, |_, network, gradients| {
        bencher.bench_local(|| gradient_norm(gradients, network.parameters()).expect("a number"));
    });
}

fn with_gradients(kind: OptimizerKind, bench: impl FnOnce(&mut Optimizer, &dyn nn::Network, &candle_core::backprop::GradStore)) {
    let options =
        NetworkOptions { architecture: Architecture::Seed, size: 256, channels: 3, classes: CLASSES, width: USUAL_WIDTH, dropout: 0.0 };
    let network = nn::build(&options, 0, &Device::Cpu).expect("a network");
    let logits = network.forward(&tensor(&[1, 3, 256, 256]), Mode::Train { seed: 0, step: 0 }).expect("logits");
    let gradients = logits.sum_all().and_then(|sum| network.backward(&sum)).expect("gradients");
    let config = Config { optimizer: kind, ..Config::default() };
    bench(&mut Optimizer::new(&config, network.parameters()), &*network, &gradients);
}

#[divan::bench(sample_count = SAMPLES)]
fn dropout(bencher: Bencher) {
    let input = tensor(&[32, 512]);
    bencher.bench_local(|| ops::dropout(&input, 0.5, 1, 2, 3).expect("a mask"));
}

#[divan::bench(sample_count = SAMPLES)]
fn global_average_pool(bencher: Bencher) {
    let input = tensor(&[64, 512, 8, 8]);
    bencher.bench_local(|| ops::global_average_pool(&input).expect("a mean"));
}

/// Kernel and stride of convolutions that no fused block has, 32 to 64 channels on 8 maps of 64 x 64.
const KERNELS: [(usize, usize); 4] = [(1, 1), (3, 2), (5, 1), (7, 2)];

#[divan::bench(args = KERNELS.map(|(kernel, stride)| format!("{kernel}x{kernel} stride {stride}")), sample_count = SAMPLES, sample_size = 1)]
fn general_convolution(bencher: Bencher, name: &str) {
    let convolution = Convolution::named(name);
    bencher.bench_local(|| convolution.forward());
}

#[divan::bench(args = KERNELS.map(|(kernel, stride)| format!("{kernel}x{kernel} stride {stride}")), sample_count = SAMPLES, sample_size = 1)]
fn general_convolution_backward(bencher: Bencher, name: &str) {
    let convolution = Convolution::named(name);
    let sum = || convolution.forward().sum_all().expect("a sum");
    bencher.with_inputs(sum).bench_local_values(|sum| sum.backward().expect("gradients"));
}

struct Convolution {
    input: Var,
    weight: Var,
    options: ConvOptions,
}

impl Convolution {
    fn named(name: &str) -> Self {
        let digits: Vec<usize> = name.chars().filter_map(|c| c.to_digit(10)).map(|digit| digit as usize).collect();
        let (kernel, stride) = (digits[0], digits[digits.len() - 1]);
        let variable = |shape: &[usize]| Var::from_tensor(&tensor(shape)).expect("a copy");
        let options = ConvOptions { stride, padding: kernel / 2 };
        Self { input: variable(&[8, 32, 64, 64]), weight: variable(&[64, 32, kernel, kernel]), options }
    }

    fn forward(&self) -> Tensor {
        ops::conv2d(&self.input, &self.weight, None, self.options).expect("they fit")
    }
}

/// 8 x 64 maps of 64 x 64, two by two.
#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn general_relu_max_pool_backward(bencher: Bencher) {
    let input = Var::from_tensor(&tensor(&[8, 64, 64, 64])).expect("a copy");
    let sum = || ops::relu_max_pool2d(&input).and_then(|out| out.sum_all()).expect("a sum");
    bencher.with_inputs(sum).bench_local_values(|sum| sum.backward().expect("gradients"));
}
