//! The fused blocks of both networks.

use divan::Bencher;
use divan::counter::ItemsCount;
use tuning_fork::nn::ops::engine::{Norm, NormPool, NormPoolGradients, ReluPool, ReluPoolGradients, Statistics};

use super::{Layer, SAMPLES, compact_layers, numbers, seed_layers};

/// The operands of a block, forward and backward.
struct Operands {
    layer: Layer,
    x: Vec<f32>,
    weights: Vec<f32>,
    bias: Vec<f32>,
    out: Vec<f32>,
    codes: Vec<u8>,
    gradient: Vec<f32>,
    dx: Vec<f32>,
    dw: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Operands {
    fn new(layer: Layer) -> Self {
        let (weights, pooled) = (layer.weights(), layer.pooled().len());
        Self {
            layer,
            x: numbers(layer.grid.len()),
            bias: vec![0.1; layer.outputs],
            out: vec![0.0; pooled],
            codes: vec![0; pooled],
            gradient: numbers(pooled),
            dx: vec![0.0; layer.grid.len()],
            dw: vec![0.0; weights.len()],
            first: vec![0.0; layer.outputs],
            second: vec![0.0; layer.outputs],
            weights,
        }
    }

    fn norm(bias: &[f32]) -> Norm<'_> {
        Norm { weight: bias, bias, epsilon: 1e-5 }
    }

    /// The first layer needs no gradient of its input: those are the pictures.
    fn wants_input(&self) -> bool {
        self.layer.grid.channels > 3
    }

    fn relu_forward(&mut self, block: &mut ReluPool) {
        let Layer { step, grid, .. } = self.layer;
        block.forward(step, grid, &self.x, &self.weights, &self.bias, &mut self.out, &mut self.codes);
    }

    fn relu_backward(&mut self, block: &mut ReluPool) {
        let Layer { step, grid, .. } = self.layer;
        let input = self.wants_input().then_some(&mut self.dx[..]);
        let to = ReluPoolGradients { input, weights: &mut self.dw, bias: &mut self.first };
        block.backward(step, grid, &self.x, &self.weights, &self.gradient, &self.codes, to);
    }

    fn norm_forward(&mut self, block: &mut NormPool) -> Statistics {
        let Layer { step, grid, .. } = self.layer;
        block.forward(step, grid, &self.x, &self.weights, Self::norm(&self.bias), &mut self.out, &mut self.codes)
    }

    fn norm_backward(&mut self, block: &mut NormPool, statistics: &Statistics) {
        let Layer { step, grid, .. } = self.layer;
        let input = self.wants_input().then_some(&mut self.dx[..]);
        let to = NormPoolGradients { input, weights: &mut self.dw, norm_weight: &mut self.first, norm_bias: &mut self.second };
        block.backward(step, grid, &self.x, &self.weights, Self::norm(&self.bias), statistics, &self.gradient, &self.codes, to);
    }
}

#[divan::bench(args = seed_layers(), sample_count = SAMPLES, sample_size = 1)]
fn relu_pool_forward(bencher: Bencher, layer: &Layer) {
    let (mut operands, mut block) = (Operands::new(*layer), ReluPool::default());
    bencher.counter(ItemsCount::new(layer.operations())).bench_local(|| operands.relu_forward(&mut block));
}

#[divan::bench(args = seed_layers(), sample_count = SAMPLES, sample_size = 1)]
fn relu_pool_backward(bencher: Bencher, layer: &Layer) {
    let (mut operands, mut block) = (Operands::new(*layer), ReluPool::default());
    operands.relu_forward(&mut block);
    let products = if operands.wants_input() { 2 } else { 1 };
    bencher.counter(ItemsCount::new(products * layer.operations())).bench_local(|| operands.relu_backward(&mut block));
}

#[divan::bench(args = compact_layers(), sample_count = SAMPLES, sample_size = 1)]
fn norm_pool_forward(bencher: Bencher, layer: &Layer) {
    let (mut operands, mut block) = (Operands::new(*layer), NormPool::default());
    bencher.counter(ItemsCount::new(layer.operations())).bench_local(|| operands.norm_forward(&mut block));
}

#[divan::bench(args = compact_layers(), sample_count = SAMPLES, sample_size = 1)]
fn norm_pool_evaluate(bencher: Bencher, layer: &Layer) {
    let (mut operands, mut block) = (Operands::new(*layer), NormPool::default());
    let statistics = Statistics { mean: vec![0.1; layer.outputs], variance: vec![1.0; layer.outputs] };
    bencher.counter(ItemsCount::new(layer.operations())).bench_local(|| {
        let Operands { layer, x, weights, bias, out, codes, .. } = &mut operands;
        block.evaluate(layer.step, layer.grid, x, weights, Operands::norm(bias), &statistics, out, codes);
    });
}

#[divan::bench(args = compact_layers(), sample_count = SAMPLES, sample_size = 1)]
fn norm_pool_backward(bencher: Bencher, layer: &Layer) {
    let (mut operands, mut block) = (Operands::new(*layer), NormPool::default());
    let products = if operands.wants_input() { 2 } else { 1 };
    let statistics = operands.norm_forward(&mut block);
    bencher.counter(ItemsCount::new(products * layer.operations())).bench_local(|| operands.norm_backward(&mut block, &statistics));
}
