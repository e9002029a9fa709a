//! A run on a device: its network, what is brought there and back, and its answers. The network and the optimiser of the processor
//! stay the ones that are saved; they are up to date after [`train_epoch`].
//!
//! Never run on a CUDA device; tested on the host twin, which runs the same kernels.

mod epoch;
mod resident;

pub(super) use epoch::train_epoch;

use std::collections::VecDeque;

use super::batches::Loader;
use super::device::Opened;
use super::loss::{Loss, probabilities};
use super::validate::{Answers, Pass};
use super::{Config, Optimizer, TrainError};
use crate::metrics::Confusion;
use crate::nn::Network;
use crate::nn::accelerated::{Engine, Logits, Settings, Tensors};
use crate::nn::ops::accelerator::AcceleratorError;
use crate::nn::ops::accelerator::calls::UpdateRule;
use resident::Pictures;

/// A network on a device.
pub(super) struct Accelerated {
    engine: Engine,
    /// Pictures on the device, if they fit.
    pictures: Pictures,
    /// Steps between two reports.
    interval: usize,
}

impl Accelerated {
    /// Brings a network and its optimiser to a device, and tries a step's worth of work there, so that what it needs is there before the
    /// run begins. Where the memory does not suffice, a batch goes through in parts whose gradients add up to the same;
    /// that is told in the second answer. Norms of a batch cannot be split, nor mixed pictures.
    ///
    /// # Errors
    /// If the device cannot do it.
    pub fn start(
        opened: &Opened,
        config: &Config,
        loss: &Loss,
        network: &dyn Network,
        optimizer: &Optimizer,
    ) -> Result<(Self, Option<String>), AcceleratorError> {
        let mixes = config.augmentation.mixup > 0.0 || config.augmentation.cutmix > 0.0;
        let splits = network.buffers().is_empty() && !mixes;
        let (free, _) = opened.device.memory()?;
        let settings = |batch, micro| Settings {
            arithmetic: opened.arithmetic,
            batch,
            micro,
            loss: loss.rule(),
            update: optimizer.update_rule(config.clip),
            seed: config.seed,
        };
        let mut micro = config.batch;
        loop {
            match Self::attempt(opened, network, optimizer, settings(config.batch, micro)) {
                Err(AcceleratorError::OutOfMemory { .. }) if splits && micro > 1 => micro = micro.div_ceil(2),
                Err(AcceleratorError::OutOfMemory { needed, .. }) => {
                    let needs = |batch, micro| Engine::needs(network.options(), settings(batch, micro));
                    return Err(too_large((config.batch, micro), needed, free, needs)?);
                }
                Err(error) => return Err(error),
                Ok(done) => {
                    let note = (micro < config.batch).then(|| {
                        format!("a batch goes through in parts of {micro}, for the device has no more memory; the result is the same")
                    });
                    return Ok((done, note));
                }
            }
        }
    }

    fn attempt(opened: &Opened, network: &dyn Network, optimizer: &Optimizer, settings: Settings) -> Result<Self, AcceleratorError> {
        let engine = Engine::new(opened.device.clone(), network.options(), settings)?;
        engine.load(network)?;
        engine.rehearse()?;
        let done = Self { engine, pictures: Pictures::default(), interval: 1 };
        done.push_moments(optimizer)?;
        Ok(done)
    }

    fn push_moments(&self, optimizer: &Optimizer) -> Result<(), AcceleratorError> {
        let [first, second] = optimizer.moments();
        self.engine.load_tensors(Tensors::First, &first)?;
        if second.is_empty() { Ok(()) } else { self.engine.load_tensors(Tensors::Second, &second) }
    }

    /// For evaluation only.
    ///
    /// # Errors
    /// If the device cannot do it.
    pub fn evaluator(opened: &Opened, config: &Config, loss: &Loss, network: &dyn Network) -> Result<Self, AcceleratorError> {
        let settings = Settings {
            arithmetic: opened.arithmetic,
            batch: config.batch,
            micro: config.batch,
            loss: loss.rule(),
            // nothing is trained; of all optimisers this one remembers the least
            update: UpdateRule { kind: UpdateRule::SGD, weight_decay: 0.0, clip: 0.0 },
            seed: config.seed,
        };
        let engine = Engine::new(opened.device.clone(), network.options(), settings)?;
        engine.load(network)?;
        Ok(Self { engine, pictures: Pictures::default(), interval: 1 })
    }

    /// What the network makes of pictures in evaluation mode; `go_on` is asked before each batch, and `None` comes back once it says no. The
    /// answers to a batch are read while the device is at the next.
    ///
    /// # Errors
    /// If a picture cannot be read, or the device is lost.
    pub fn answers(&mut self, pass: &Pass, images: &[u32], go_on: &mut dyn FnMut() -> bool) -> Result<Option<Answers>, TrainError> {
        let (engine, batch) = (&self.engine, pass.buffers.batch());
        let mut loader = if self.pictures.plain.is_some() { None } else { Some(pass.loader(images)?) };
        let mut answers = Answers { confusion: Confusion::new(engine.options().classes), loss: 0.0, probabilities: Vec::new() };
        let mut pending: VecDeque<(Logits, Vec<u32>)> = VecDeque::new();
        for (place, images) in images.chunks(batch.min(engine.settings().batch)).enumerate() {
            if !go_on() {
                return Ok(None);
            }
            if let Some(set) = &mut self.pictures.plain {
                set.batch(engine, images, place, None, &pass.normalisation)?;
            } else if let Some(batch) = loader.as_mut().map(Loader::next).transpose()?.flatten() {
                batch.with_planes(|planes| engine.upload_planes(planes, images.len()))??;
            }
            let targets = images.iter().map(|&image| pass.cache.label(image as usize)).collect();
            pending.push_back((engine.evaluate(images.len())?, targets));
            if pending.len() > 1 {
                judge(pass.loss, pending.pop_front(), &mut answers)?;
            }
        }
        while !pending.is_empty() {
            judge(pass.loss, pending.pop_front(), &mut answers)?;
        }
        answers.loss /= images.len().max(1) as f64;
        Ok(Some(answers))
    }
}

/// What to say of a batch that does not fit in `free` bytes, not even in parts of `micro`: what it `needs` by our own count, or if that is
/// less than there is, with the `wanted` MiB that were wanted last.
fn too_large(
    (batch, micro): (usize, usize),
    wanted: usize,
    free: usize,
    needs: impl Fn(usize, usize) -> Result<usize, AcceleratorError>,
) -> Result<AcceleratorError, AcceleratorError> {
    let mib = |bytes: usize| bytes.div_ceil(1 << 20);
    let (mut fits, mut smaller) = (None, batch);
    // half of it is left for what the libraries want where nothing is known of that
    let room = if needs(batch, micro)? > free { free } else { free / 2 };
    while fits.is_none() && smaller > 1 {
        smaller /= 2;
        let bytes = needs(smaller, smaller.min(micro))?;
        fits = (bytes <= room).then(|| (smaller, mib(bytes)));
    }
    let needed = mib(needs(batch, micro)?);
    let needed = if needed > mib(free) { needed } else { needed.max(mib(free) + wanted.max(1)) };
    Ok(AcceleratorError::TooLarge { needed, free: free >> 20, fits })
}

/// Brings weights, statistics and moments up to date on the processor, after `steps` steps of the optimiser.
fn pull(engine: &Engine, network: &dyn Network, optimizer: &mut Optimizer, steps: u64) -> Result<(), TrainError> {
    engine.save(network)?;
    let moments = [engine.save_tensors(Tensors::First)?, engine.save_tensors(Tensors::Second)?];
    optimizer.set_moments(moments, steps)?;
    Ok(())
}

/// Adds the answers to a batch.
fn judge(loss: &Loss, pending: Option<(Logits, Vec<u32>)>, answers: &mut Answers) -> Result<(), TrainError> {
    let Some((logits, targets)) = pending else { return Ok(()) };
    let logits = logits()?;
    let value = loss.evaluate(&logits, &targets);
    answers.loss += value.losses.iter().sum::<f64>();
    for (&target, &predicted) in targets.iter().zip(&value.predicted) {
        answers.confusion.add(target as usize, predicted);
    }
    answers.probabilities.extend(probabilities(&logits, answers.confusion.classes()));
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::rc::Rc;

    use candle_core::Device;

    use super::*;
    use crate::nn::ops::accelerator::Arithmetic;
    use crate::nn::ops::accelerator::host::Host;
    use crate::nn::{self, Architecture, NetworkOptions, USUAL_WIDTH};

    /// Tries a network on a device with `memory` bytes.
    fn start(architecture: Architecture, memory: usize) -> Option<Result<(usize, Option<String>), AcceleratorError>> {
        let device = match Host::with_memory(memory) {
            Ok(host) => Rc::new(host),
            Err(reason) => {
                println!("skipped: {reason}");
                return None;
            }
        };
        let options = NetworkOptions { architecture, size: 64, channels: 3, classes: 3, width: USUAL_WIDTH, dropout: 0.5 };
        let config = Config { batch: 12, ..Config::default() };
        let network = nn::build(&options, 1, &Device::Cpu).expect("a network");
        let (loss, optimizer) = (Loss::new(&config, &[1; 3]), Optimizer::new(&config, network.parameters()));
        let opened = Opened { device, arithmetic: Arithmetic::F32 };
        let started = Accelerated::start(&opened, &config, &loss, &*network, &optimizer);
        Some(started.map(|(accelerated, note)| (accelerated.engine.settings().micro, note)))
    }

    #[test]
    fn a_batch_that_does_not_fit_goes_through_in_parts_or_is_refused_with_advice() {
        let Some(whole) = start(Architecture::Seed, 2 << 30) else { return };
        assert_eq!(whole, Ok((12, None)));
        // the weights, moments and gradients of the seed at 64 x 64 are 106 MiB, what a convolution scratches in 18, a picture about 1
        let parts = start(Architecture::Seed, 134 << 20).expect("a compiler");
        let (micro, note) = parts.expect("room for parts");
        assert!(micro < 12 && note.as_ref().is_some_and(|note| note.contains(&format!("parts of {micro}"))), "{micro} {note:?}");
        let too_little = start(Architecture::Seed, 60 << 20).expect("a compiler").expect_err("not even the weights fit");
        let words = too_little.to_string();
        assert!(words.contains("60 MiB are free") && words.contains("smaller network"), "{words}");
        let norms = start(Architecture::Compact, 40 << 20).expect("a compiler").expect_err("norms need the whole batch");
        let AcceleratorError::TooLarge { needed, free: 40, fits: Some((batch, less)) } = norms else { panic!("{norms}") };
        assert!(needed > 40 && less <= 40 && batch < 12, "{norms}");
        assert!(norms.to_string().contains(&format!("a batch of at most {batch} (which needs {less} MiB)")), "{norms}");
    }
}
