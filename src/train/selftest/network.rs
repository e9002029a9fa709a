//! Whole networks: answers, one training step with each optimiser, and three epochs.

use candle_core::{Device, Tensor};

use super::lab::{Lab, Result, broken, by_length, flat, largest};
use super::{EPOCHS_FACTOR, gradient_bound};
use crate::augment::{Mix, Table};
use crate::nn::accelerated::{Engine, Progress, Settings, Tensors, TrainBatch};
use crate::nn::ops::accelerator::Arithmetic;
use crate::nn::{self, Architecture, Mode, Network, NetworkOptions, USUAL_WIDTH};
use crate::random::{Purpose, Random};
use crate::train::{Config, Loss, Mixed, Optimizer, OptimizerKind, Update, clip_scale, gradient_norm};

const CLASSES: usize = 6;
const SEED: u64 = 9;
/// Batches among which one is looked for in f32.
const BATCHES: usize = 8;

pub fn run(lab: &mut Lab) -> Result<()> {
    step(lab, Architecture::Seed, OptimizerKind::Radam, 64, 6)?;
    step(lab, Architecture::Seed, OptimizerKind::Sgd, 79, 3)?;
    step(lab, Architecture::Compact, OptimizerKind::Adamw, 45, 5)?;
    step(lab, Architecture::Compact, OptimizerKind::Sgd, 32, 8)?;
    epochs(lab, Architecture::Compact, 32)?;
    epochs(lab, Architecture::Seed, 64)
}

/// The network on the processor with what trains it, and the same on the device.
struct Pair {
    config: Config,
    network: Box<dyn Network>,
    loss: Loss,
    optimizer: Optimizer,
    engine: Engine,
}

impl Pair {
    fn new(lab: &Lab, architecture: Architecture, kind: OptimizerKind, size: usize, batch: usize) -> Result<Self> {
        let options = NetworkOptions { architecture, size, channels: 3, classes: CLASSES, width: USUAL_WIDTH, dropout: 0.4 };
        let config = Config { optimizer: kind, label_smoothing: 0.1, weight_decay: 0.02, ..Config::default() };
        let network = nn::build(&options, 5, &Device::Cpu).map_err(broken)?;
        let loss = Loss::new(&config, &[4, 9, 2, 5, 7, 3]);
        let optimizer = Optimizer::new(&config, network.parameters());
        let update = optimizer.update_rule(config.clip);
        let settings = Settings { arithmetic: lab.arithmetic, batch, micro: batch, loss: loss.rule(), update, seed: SEED };
        let engine = Engine::new(lab.device.clone(), &options, settings)?;
        engine.load(&*network)?;
        Ok(Self { config, network, loss, optimizer, engine })
    }

    fn tensor(&self, planes: &[f32], images: usize) -> Result<Tensor> {
        let size = self.network.options().size;
        Tensor::from_slice(planes, (images, 3, size, size), &Device::Cpu).map_err(broken)
    }

    fn pictures(&self, images: usize, seed: u64) -> Batch {
        let (mut random, size) = (Random::new(seed, Purpose::Test, &[1]), self.network.options().size);
        let planes = (0..images * 3 * size * size).map(|_| random.range(-1.0, 1.0) as f32).collect();
        Batch { planes, targets: (0..images).map(|_| random.below(CLASSES) as u32).collect(), mixed: None }
    }

    /// One step on the processor. The optimiser works on `gradients` instead of its own, if they are given.
    fn processor(&mut self, batch: &Batch, step: u64, rates: [f64; 2], gradients: Option<&[Vec<f32>]>) -> Result<Step> {
        let images = self.tensor(&batch.planes, batch.targets.len())?;
        let parameters = self.network.parameters();
        let logits = self.network.forward(&images, Mode::Train { seed: SEED, step }).map_err(broken)?;
        let (value, seed) = self.loss.forward(&logits, &batch.targets, batch.mixed.as_ref()).map_err(broken)?;
        let mut store = self.network.backward(&seed).map_err(broken)?;
        let of = |p: &nn::Parameter| flat(store.get(p.var.as_tensor()).ok_or_else(|| broken("no gradient"))?);
        let list = parameters.iter().map(of).collect::<Result<_>>()?;
        let norm = gradient_norm(&store, parameters).map_err(broken)?;
        for (parameter, values) in parameters.iter().zip(gradients.unwrap_or_default()) {
            let tensor = Tensor::from_slice(values, parameter.var.shape(), &Device::Cpu).map_err(broken)?;
            store.insert(parameter.var.as_tensor(), tensor);
        }
        let clipped = clip_scale(gradient_norm(&store, parameters).map_err(broken)?, self.config.clip);
        let update = Update { learning_rate: rates[0], momentum: rates[1], gradient_scale: clipped };
        self.optimizer.step(parameters, &store, update).map_err(broken)?;
        Ok(Step { loss: value.mean(), norm, gradients: list })
    }

    /// The same on the device, without looking.
    fn device(&self, batch: &Batch) -> Result<()> {
        let Batch { planes, targets, mixed } = batch;
        self.engine.upload_planes(planes, targets.len())?;
        self.engine.upload_targets(targets)?;
        let table = mixed.as_ref().map(|mixed| Table::new(1, Some(Mix::Blend(mixed.share))));
        let mixing = table.as_ref().map(|table| self.engine.upload_mixing(table.bytes())).transpose()?;
        self.engine.train(TrainBatch { images: targets.len(), targets: None, mixing })
    }

    fn weights(&self) -> Result<Vec<Vec<f32>>> {
        self.network.parameters().iter().map(|p| flat(&p.var)).collect()
    }
}

/// Pictures with their labels.
struct Batch {
    planes: Vec<f32>,
    targets: Vec<u32>,
    mixed: Option<Mixed>,
}

/// What a step came to.
struct Step {
    loss: f64,
    norm: f64,
    gradients: Vec<Vec<f32>>,
}

/// Answers, then one step on pictures that are mixed.
fn step(lab: &mut Lab, architecture: Architecture, kind: OptimizerKind, size: usize, images: usize) -> Result<()> {
    let bound = lab.arithmetic.bound();
    let name = |what: &str| format!("{architecture:?} {images} x {size} x {size}, {kind:?}: {what}").to_lowercase();
    let pair = Pair::new(lab, architecture, kind, size, images)?;
    inspect(lab, &pair, images, name)?;
    // in f32 a batch is looked for in which rounding decides nothing
    let batches = if lab.arithmetic == Arithmetic::F32 { BATCHES } else { 1 };
    let (mut outcome, mut batch) = (Outcome::default(), 0);
    while batch < batches {
        batch += 1;
        outcome = one_step(lab, architecture, kind, size, [images, batch])?;
        if outcome.gradients.iter().all(|(_, error)| *error <= gradient_bound(lab.arithmetic)) {
            break;
        }
    }
    let which = format!("a step was done (batch {batch} of {batches})");
    lab.note(&name(&which), if outcome.done { 0.0 } else { f64::INFINITY }, 0.0);
    lab.note(&name("loss"), outcome.loss, bound);
    lab.note(&name("gradient norm"), outcome.norm, bound);
    for (parameter, error) in outcome.gradients {
        lab.note(&name(&format!("gradient of {parameter}")), error, gradient_bound(lab.arithmetic));
    }
    lab.note(&name("weights after it"), outcome.weights, Arithmetic::F32.bound());
    Ok(())
}

/// Answers, activations and class activation maps in evaluation mode.
fn inspect(lab: &mut Lab, pair: &Pair, images: usize, name: impl Fn(&str) -> String) -> Result<()> {
    let bound = lab.arithmetic.bound();
    let planes = pair.pictures(images, 1).planes;
    pair.engine.upload_planes(&planes, images)?;
    let tensor = pair.tensor(&planes, images)?;
    let logits = flat(&pair.network.forward(&tensor, Mode::Eval).map_err(broken)?)?;
    lab.note(&name("answers"), largest(&logits, &pair.engine.evaluate(images)?()?), bound);
    let features = pair.network.features(&tensor, Mode::Eval).map_err(broken)?;
    lab.note(&name("activations after the last block"), largest(&flat(&features)?, &pair.engine.features(images)?), bound);
    // where the logits are more than averages and a linear layer there are no exact maps
    let (Architecture::Compact, [.., weights, _]) = (pair.network.options().architecture, pair.network.parameters()) else { return Ok(()) };
    let chosen: Vec<u32> = (0..images).map(|image| (image % CLASSES) as u32).collect();
    let rows = Tensor::from_slice(&chosen, images, &Device::Cpu).and_then(|chosen| weights.var.index_select(&chosen, 0));
    let maps =
        rows.and_then(|rows| rows.unsqueeze(2)?.unsqueeze(3)).and_then(|rows| features.broadcast_mul(&rows)?.sum(1)).map_err(broken)?;
    lab.note(&name("class activation maps"), largest(&flat(&maps)?, &pair.engine.class_activation_maps(&chosen)?), bound);
    Ok(())
}

/// The errors of a step.
#[derive(Default)]
struct Outcome {
    done: bool,
    loss: f64,
    norm: f64,
    gradients: Vec<(String, f64)>,
    weights: f64,
}

fn one_step(lab: &Lab, architecture: Architecture, kind: OptimizerKind, size: usize, [images, seed]: [usize; 2]) -> Result<Outcome> {
    let mut pair = Pair::new(lab, architecture, kind, size, images)?;
    let mut batch = pair.pictures(images, seed as u64);
    let mut partners = batch.targets.clone();
    partners.rotate_right(1);
    batch.mixed = Some(Mixed { partners, share: 0.7 });
    let rates = [1e-3, 0.9];
    pair.engine.prepare(Progress::default(), &[rates])?;
    pair.device(&batch)?;
    let (progress, sums) = pair.engine.report()?()?;
    // what the loss was multiplied with: a step that is the first cannot have raised it yet
    let scale = progress.loss_scale.max(1.0);
    let mut found = pair.engine.save_tensors(Tensors::Gradients)?;
    found.iter_mut().flatten().for_each(|value| *value /= scale);
    let expected = pair.processor(&batch, 0, rates, Some(&found))?;
    let names: Vec<_> = pair.network.parameters().iter().map(|p| p.name.clone()).collect();
    if found.len() != names.len() || expected.gradients.len() != names.len() {
        return Err(broken(format!("{} gradients of {} parameters", found.len(), names.len())));
    }
    let errors = expected.gradients.iter().zip(&found).map(|(expected, found)| by_length(expected, found));
    Ok(Outcome {
        done: progress.updates == 1 && progress.failed.is_none() && sums.images == images as u64,
        loss: (sums.last_loss / expected.loss - 1.0).abs(),
        norm: (sums.last_norm / expected.norm - 1.0).abs(),
        gradients: names.into_iter().zip(errors).collect(),
        weights: worst(&pair.weights()?, &pair.engine.save_tensors(Tensors::Weights)?),
    })
}

/// The worst of some tensors, by length.
fn worst(expected: &[Vec<f32>], found: &[Vec<f32>]) -> f64 {
    if expected.len() != found.len() {
        return f64::INFINITY;
    }
    expected.iter().zip(found).map(|(expected, found)| by_length(expected, found)).fold(0.0, f64::max)
}

/// Three epochs of three steps: rounding may grow from step to step, so what is compared is the loss of each epoch, and the answers at the end.
fn epochs(lab: &mut Lab, architecture: Architecture, size: usize) -> Result<()> {
    let (images, steps) = (8, 3);
    let mut pair = Pair::new(lab, architecture, OptimizerKind::Sgd, size, images)?;
    let batches: Vec<_> = (0..steps).map(|seed| pair.pictures(images, 10 + seed)).collect();
    // this optimiser changes little where the gradient is little, so that rounding grows slowly
    let rates = [[1e-3, 0.9]; 9];
    pair.engine.prepare(Progress::default(), &rates)?;
    let bound = lab.arithmetic.bound();
    for epoch in 0..3 {
        let mut loss = 0.0;
        for (number, batch) in batches.iter().enumerate() {
            pair.device(batch)?;
            let step = epoch * steps + number as u64;
            loss += pair.processor(batch, step, rates[0], None)?.loss * images as f64;
        }
        let (_, sums) = pair.engine.report()?()?;
        let name = format!("{architecture:?}: loss of epoch {}", epoch + 1).to_lowercase();
        lab.note(&name, (sums.loss / loss - 1.0).abs(), bound);
    }
    let planes = pair.pictures(images, 99).planes;
    pair.engine.upload_planes(&planes, images)?;
    let expected = flat(&pair.network.forward(&pair.tensor(&planes, images)?, Mode::Eval).map_err(broken)?)?;
    let found = pair.engine.evaluate(images)?()?;
    let name = format!("{architecture:?}: logits after three epochs").to_lowercase();
    lab.note(&name, largest(&expected, &found), EPOCHS_FACTOR * lab.arithmetic.bound());
    Ok(())
}
