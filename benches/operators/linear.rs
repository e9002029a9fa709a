//! The linear layers of both networks. Forward, up to 64 images take one pass over the weights and more a general product.

use std::fmt;
use std::sync::Arc;

use candle_core::{Device, Tensor, Var};
use divan::Bencher;
use divan::counter::ItemsCount;
use tuning_fork::nn::ops::LinearLayer;

use super::{SAMPLES, numbers};

/// Sizes of a layer.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    images: usize,
    inputs: usize,
    outputs: usize,
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}to{}", self.images, self.inputs, self.outputs)
    }
}

fn sizes() -> impl Iterator<Item = Sizes> {
    let layers = [(16384, 512), (1024, 512), (512, 256), (512, 10)];
    layers.into_iter().flat_map(|(inputs, outputs)| [1, 8, 32, 64, 65].map(|images| Sizes { images, inputs, outputs }))
}

fn tensor(rows: usize, columns: usize) -> Tensor {
    Tensor::from_vec(numbers(rows * columns), (rows, columns), &Device::Cpu).expect("as many numbers as the shape says")
}

/// The layer, and an input that is a variable, so that it gets a gradient too.
fn layer(sizes: Sizes) -> (Arc<LinearLayer>, Var) {
    let variable = |tensor: &Tensor| Var::from_tensor(tensor).expect("a copy");
    let bias = Tensor::from_vec(numbers(sizes.outputs), sizes.outputs, &Device::Cpu).expect("a row");
    let layer = LinearLayer::new(variable(&tensor(sizes.outputs, sizes.inputs)), variable(&bias)).expect("they fit");
    (Arc::new(layer), variable(&tensor(sizes.images, sizes.inputs)))
}

#[divan::bench(args = sizes(), sample_count = 4 * SAMPLES, sample_size = 1)]
fn forward(bencher: Bencher, sizes: &Sizes) {
    let (layer, input) = layer(*sizes);
    let operations = 2 * sizes.images * sizes.inputs * sizes.outputs;
    bencher.counter(ItemsCount::new(operations)).bench_local(|| layer.forward(&input, true).expect("they fit"));
}

#[divan::bench(args = sizes(), sample_count = 4 * SAMPLES, sample_size = 1)]
fn backward(bencher: Bencher, sizes: &Sizes) {
    let (layer, input) = layer(*sizes);
    let operations = 4 * sizes.images * sizes.inputs * sizes.outputs;
    let sum = || layer.forward(&input, true).and_then(|output| output.sum_all()).expect("they fit");
    bencher.counter(ItemsCount::new(operations)).with_inputs(sum).bench_local_values(|sum| sum.backward().expect("gradients"));
}
