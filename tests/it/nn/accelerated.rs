//! The network on a device computes what the network on the processor does: whole steps on the host twin, which runs the device's
//! kernels. Skipped with a word where there is no C++ compiler.

use std::rc::Rc;

use candle_core::{Device, Tensor};
use tuning_fork::nn::accelerated::{Engine, Progress, Settings, Tensors, TrainBatch};
use tuning_fork::nn::ops::accelerator::host::Host;
use tuning_fork::nn::ops::accelerator::{Accelerator, Arithmetic};
use tuning_fork::nn::{self, Architecture, Mode, Network, NetworkOptions, USUAL_WIDTH};
use tuning_fork::random::{Purpose, Random};
use tuning_fork::train::{Config, Loss, Optimizer, OptimizerKind, Update, clip_scale, gradient_norm};

const SEED: u64 = 7;
const CLASSES: usize = 5;

/// The twin, if this machine can compile it.
fn twin() -> Option<Rc<dyn Accelerator>> {
    match Host::new() {
        Ok(host) => Some(Rc::new(host)),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

fn options(architecture: Architecture, size: usize) -> NetworkOptions {
    NetworkOptions { architecture, size, channels: 3, classes: CLASSES, width: USUAL_WIDTH, dropout: 0.4 }
}

fn pictures(options: &NetworkOptions, images: usize, seed: u64) -> (Vec<f32>, Vec<u32>) {
    let mut random = Random::new(seed, Purpose::Test, &[]);
    let numbers = images * 3 * options.size * options.size;
    let planes = (0..numbers).map(|_| random.range(-1.0, 1.0) as f32).collect();
    (planes, (0..images).map(|_| random.below(CLASSES) as u32).collect())
}

/// The length of the difference, as a share of the length.
fn difference(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    assert!(b.iter().all(|x| x.is_finite()), "not finite");
    let length = a.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    let off = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>();
    (off / length.max(1e-40)).sqrt()
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("numbers")
}

/// The network on the processor, with what trains it.
struct Reference {
    network: Box<dyn Network>,
    loss: Loss,
    optimizer: Optimizer,
    config: Config,
}

impl Reference {
    fn new(options: &NetworkOptions, optimizer: OptimizerKind) -> Self {
        let config = Config { optimizer, label_smoothing: 0.1, weight_decay: 0.02, seed: SEED, ..Config::default() };
        let network = nn::build(options, 3, &Device::Cpu).expect("a network");
        let loss = Loss::new(&config, &[4, 9, 2, 5, 7]);
        let optimizer = Optimizer::new(&config, network.parameters());
        Self { network, loss, optimizer, config }
    }

    fn engine(&self, device: Rc<dyn Accelerator>, arithmetic: Arithmetic, batch: usize, micro: usize) -> Engine {
        let update = self.optimizer.update_rule(self.config.clip);
        let settings = Settings { arithmetic, batch, micro, loss: self.loss.rule(), update, seed: SEED };
        let engine = Engine::new(device, self.network.options(), settings).expect("an engine");
        engine.load(&*self.network).expect("weights");
        engine
    }

    /// One step; returns loss, norm and gradients.
    fn step(&mut self, planes: &[f32], targets: &[u32], number: u64, rates: [f64; 2]) -> (f64, f64, Vec<Vec<f32>>) {
        let size = self.network.options().size;
        let images = Tensor::from_slice(planes, (targets.len(), 3, size, size), &Device::Cpu).expect("images");
        let logits = self.network.forward(&images, Mode::Train { seed: SEED, step: number }).expect("logits");
        let (value, seed) = self.loss.forward(&logits, targets, None).expect("a loss");
        let gradients = self.network.backward(&seed).expect("gradients");
        let norm = gradient_norm(&gradients, self.network.parameters()).expect("a norm");
        let update = Update { learning_rate: rates[0], momentum: rates[1], gradient_scale: clip_scale(norm, self.config.clip) };
        let list = self.network.parameters().iter().map(|p| numbers(gradients.get(p.var.as_tensor()).expect("a gradient"))).collect();
        self.optimizer.step(self.network.parameters(), &gradients, update).expect("a step");
        (value.mean(), norm, list)
    }

    fn weights(&self) -> Vec<(String, Vec<f32>)> {
        let parameters = self.network.parameters().iter().map(|p| (p.name.clone(), numbers(&p.var)));
        parameters.chain(self.network.buffers().iter().map(|b| (b.name.clone(), numbers(&b.var)))).collect()
    }
}

/// Two numbers of a pooling may be so nearly equal that rounding decides which of them counts, and a gradient then changes in a jump. So
/// of some batches one must agree.
fn compare_steps(architecture: Architecture, optimizer: OptimizerKind, size: usize, images: usize, micro: usize) {
    compare_steps_of(&options(architecture, size), optimizer, images, micro);
}

fn compare_steps_of(options: &NetworkOptions, optimizer: OptimizerKind, images: usize, micro: usize) {
    let mut differences = Vec::new();
    for batch in 0..8 {
        let Some(device) = twin() else { return };
        match compare_batches(device, options, optimizer, [images, micro], 100 * batch) {
            Ok(()) => return,
            Err(difference) => differences.push(difference),
        }
    }
    panic!("{options:?}: {differences:#?}");
}

/// Three steps on both; gradients, losses, weights, statistics and moments must agree.
fn compare_batches(
    device: Rc<dyn Accelerator>,
    options: &NetworkOptions,
    optimizer: OptimizerKind,
    [images, micro]: [usize; 2],
    batch: u64,
) -> Result<(), String> {
    let mut reference = Reference::new(options, optimizer);
    let mut engine = reference.engine(device, Arithmetic::F32, images, micro);
    let rates = [[1e-3, 0.9], [2e-3, 0.88], [1e-3, 0.86]];
    engine.prepare(Progress::default(), &rates).expect("rates");
    let near = |what: &str, off: f64, bound: f64| if off < bound { Ok(()) } else { Err(format!("{what} is off by {off}")) };
    let (mut losses, mut norms) = (0.0, 0.0);
    for (number, rate) in (0..).zip(rates) {
        let (planes, targets) = pictures(options, images, batch + number);
        engine.upload_planes(&planes, images).expect("pictures");
        engine.upload_targets(&targets).expect("labels");
        engine.train(TrainBatch { images, targets: None, mixing: None }).expect("a step");
        let (loss, norm, gradients) = reference.step(&planes, &targets, number, rate);
        (losses, norms) = (losses + loss * images as f64, norms + norm);
        let found = engine.save_tensors(Tensors::Gradients).expect("gradients");
        for ((parameter, expected), found) in reference.network.parameters().iter().zip(&gradients).zip(&found) {
            near(&format!("step {number}: the gradient of {}", parameter.name), difference(expected, found), 2e-4)?;
        }
    }
    let (progress, sums) = engine.report().expect("a report")().expect("a report");
    assert_eq!((progress.steps, progress.updates, progress.failed), (3, 3, None));
    assert_eq!((sums.steps, sums.images), (3, 3 * images as u64));
    near("the loss", (sums.loss / losses - 1.0).abs(), 1e-5)?;
    near("the norm", (sums.gradient_norm / norms - 1.0).abs(), 1e-4)?;
    let expected = reference.weights();
    engine.save(&*reference.network).expect("weights");
    for ((name, expected), (_, found)) in expected.iter().zip(reference.weights()) {
        near(name, difference(expected, &found), 1e-3)?;
    }
    let moments = reference.optimizer.moments();
    for (what, expected) in [Tensors::First, Tensors::Second].into_iter().zip(moments) {
        let found = engine.save_tensors(what).expect("moments");
        assert_eq!(found.len(), expected.len());
        expected.iter().zip(&found).try_for_each(|(expected, found)| near(&format!("{what:?}"), difference(expected, found), 1e-3))?;
    }
    Ok(())
}

#[test]
fn steps_of_the_seed_are_those_of_the_processor() {
    compare_steps(Architecture::Seed, OptimizerKind::Radam, 64, 5, 5);
    compare_steps(Architecture::Seed, OptimizerKind::Adamw, 75, 2, 2);
}

#[test]
fn steps_of_the_compact_network_are_those_of_the_processor() {
    compare_steps(Architecture::Compact, OptimizerKind::Sgd, 32, 4, 4);
    compare_steps(Architecture::Compact, OptimizerKind::Adamw, 45, 3, 3);
}

#[test]
fn steps_of_other_widths_are_those_of_the_processor() {
    for (architecture, width) in [(Architecture::Compact, 24), (Architecture::Compact, 5), (Architecture::Seed, 8)] {
        compare_steps_of(&NetworkOptions { width, ..options(architecture, 64) }, OptimizerKind::Adamw, 3, 3);
    }
}

#[test]
fn parts_of_a_batch_add_up_to_it() {
    compare_steps(Architecture::Seed, OptimizerKind::Adamw, 64, 5, 2);
}

#[test]
fn answers_features_and_maps_are_those_of_the_processor() {
    for (architecture, size) in [(Architecture::Seed, 70), (Architecture::Compact, 47)] {
        let Some(device) = twin() else { return };
        let options = options(architecture, size);
        let reference = Reference::new(&options, OptimizerKind::Adamw);
        let engine = reference.engine(device, Arithmetic::F32, 5, 2);
        let (planes, _) = pictures(&options, 5, 1);
        engine.upload_planes(&planes, 5).expect("pictures");
        let images = Tensor::from_slice(&planes, (5, 3, size, size), &Device::Cpu).expect("images");
        let logits = reference.network.forward(&images, Mode::Eval).expect("logits");
        assert!(difference(&numbers(&logits), &engine.evaluate(5).expect("logits")().expect("logits")) < 1e-4);
        let features = reference.network.features(&images, Mode::Eval).expect("features");
        assert!(difference(&numbers(&features), &engine.features(5).expect("features")) < 1e-4);
        let maps = engine.class_activation_maps(&[0, 1, 2, 3, 4]);
        if architecture == Architecture::Seed {
            assert!(maps.expect_err("not exact").to_string().contains("not exact"));
            continue;
        }
        let weights = &reference.network.parameters().iter().find(|p| p.name == "head.linear.weight").expect("weights").var;
        // image i is asked for class i, whose row of weights is i
        let expected = features.broadcast_mul(&weights.reshape((5, 512, 1, 1)).expect("a shape")).and_then(|x| x.sum(1)).expect("maps");
        assert!(difference(&numbers(&expected), &maps.expect("maps")) < 1e-4);
    }
}

#[test]
fn the_loss_scale_of_f16_falls_and_rises_from_epoch_to_epoch() {
    let Some(device) = twin() else { return };
    let options = options(Architecture::Compact, 32);
    let reference = Reference::new(&options, OptimizerKind::Adamw);
    let mut engine = reference.engine(device, Arithmetic::F16, 2, 2);
    let (planes, targets) = pictures(&options, 2, 1);
    let mut step = |before: Progress| {
        engine.prepare(before, &[[1e-3, 0.9]]).expect("rates");
        engine.upload_planes(&planes, 2).expect("pictures");
        engine.upload_targets(&targets).expect("labels");
        let batch = TrainBatch { images: 2, targets: None, mixing: None };
        engine.train(batch).expect("a step");
        engine.train(batch).expect_err("there is no rate for another");
        engine.report().expect("a report")().expect("a report")
    };
    // an f16 ends at 65504
    let (after, sums) = step(Progress { loss_scale: 16_777_216.0, ..Progress::default() });
    assert_eq!((after.skipped, after.updates, after.calm, sums.steps, sums.images), (1, 0, 0, 0, 0));
    assert!((after.loss_scale - 8_388_608.0).abs() < 0.5);
    let (after, sums) = step(Progress { loss_scale: 64.0, calm: 7, ..Progress::default() });
    assert_eq!((after.skipped, after.updates, after.calm, sums.steps), (0, 1, 8, 1));
    let (after, _) = step(Progress { loss_scale: 64.0, calm: 1999, ..Progress::default() });
    assert!((after.loss_scale - 128.0).abs() < 1e-3 && after.calm == 0, "{after:?}");
}
