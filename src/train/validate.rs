//! A network's answers for a list of images, in evaluation mode.

use std::sync::Arc;

use candle_core::Device;
use half::f16;

use super::TrainError;
use super::batches::{Loader, Request};
use super::buffers::Buffers;
use super::cache::ImageCache;
use super::loss::{Loss, probabilities};
use super::predictions::Probabilities;
use crate::metrics::Confusion;
use crate::nn::{Mode, Network, Normalisation};

/// What a network made of a list of images.
pub(super) struct Answers {
    pub confusion: Confusion,
    /// Mean loss.
    pub loss: f64,
    /// Images x classes.
    pub probabilities: Vec<f32>,
}

impl Answers {
    /// The probabilities as they are kept on disk.
    pub fn to_f16(&self) -> Probabilities {
        to_f16(self.confusion.classes(), &self.probabilities)
    }
}

/// Rows of `classes` probabilities as they are kept on disk.
pub(super) fn to_f16(classes: usize, probabilities: &[f32]) -> Probabilities {
    Probabilities { classes, values: probabilities.iter().map(|&p| f16::from_f32(p)).collect() }
}

/// How a list of images is looked at.
pub(super) struct Pass<'a> {
    pub network: &'a dyn Network,
    pub loss: &'a Loss,
    pub cache: &'a Arc<ImageCache>,
    pub normalisation: Normalisation,
    /// The memory of batches.
    pub buffers: &'a Arc<Buffers>,
    /// Threads that prepare batches.
    pub threads: usize,
}

impl Pass<'_> {
    /// The pictures as the network takes them, batch by batch.
    pub fn loader(&self, images: &[u32]) -> Result<Loader, TrainError> {
        let request = Request { order: images.to_vec(), buffers: self.buffers.clone(), skip: 0, variation: None, threads: self.threads };
        Loader::start(self.cache, request, self.normalisation)
    }

    /// Looks at all `images`; `go_on` is asked before each batch, and `None` comes back once it says no.
    pub fn run(&self, images: &[u32], mut go_on: impl FnMut() -> bool) -> Result<Option<Answers>, TrainError> {
        let classes = self.network.options().classes;
        let mut loader = self.loader(images)?;
        let mut answers =
            Answers { confusion: Confusion::new(classes), loss: 0.0, probabilities: Vec::with_capacity(images.len() * classes) };
        while go_on() {
            let Some(batch) = loader.next()? else {
                answers.loss /= images.len().max(1) as f64;
                return Ok(Some(answers));
            };
            let targets = &batch.targets;
            let logits = self.network.forward(&batch.images(&Device::Cpu)?, Mode::Eval)?.flatten_all()?.to_vec1::<f32>()?;
            let value = self.loss.evaluate(&logits, targets);
            answers.loss += value.losses.iter().sum::<f64>();
            for (&target, &predicted) in targets.iter().zip(&value.predicted) {
                answers.confusion.add(target as usize, predicted);
            }
            answers.probabilities.extend(probabilities(&logits, classes));
        }
        Ok(None)
    }
}
