//! How good a run is: the model of its best epoch, or of another one that is kept, on a part of its split.

use std::sync::Arc;

use candle_core::Device;

use super::accelerated::Accelerated;
use super::buffers::Buffers;
use super::cache::ImageCache;
use super::device::Chosen;
use super::loss::Loss;
use super::validate::{self, Pass};
use super::{Config, ConfigError, DeviceChoice, Precision, RunError, RunFolder, TrainError, device};
use crate::data::{Dataset, Part};
use crate::metrics::{Confusion, Interval, Predictions, PredictionsError, Scores, wilson};
use crate::nn::weights;

/// The model of an epoch of a run on one part of its split.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The part.
    pub part: Part,
    /// The epoch of the model, counted from 1, if that is known.
    pub epoch: Option<usize>,
    /// Class names in label order.
    pub classes: Vec<String>,
    /// One row a true class.
    pub confusion: Confusion,
    /// Scores of each class, accuracy, balanced accuracy, macro and weighted averages.
    pub scores: Scores,
    /// 95 % interval of the accuracy.
    pub accuracy_interval: Interval,
    /// Mean loss: that of the run, with its class weights.
    pub loss: f64,
    /// The images, as indices into the data set.
    pub images: Vec<u32>,
    /// Their labels.
    pub labels: Vec<u32>,
    /// Their probabilities, one row of `classes` numbers an image.
    pub probabilities: Vec<f32>,
}

impl Evaluation {
    /// Labels and probabilities as everything else is read off them.
    ///
    /// # Errors
    /// If a probability is none, as those of a model with numbers that are not finite.
    pub fn predictions(&self) -> Result<Predictions, PredictionsError> {
        Predictions::new(self.classes.len(), self.labels.clone(), self.probabilities.clone())
    }

    /// Keeps the probabilities in the run's folder, beside those of the epochs. What the run itself told of its validation images
    /// stays as it is.
    ///
    /// # Errors
    /// If the epoch of the model is not known, or the file cannot be written.
    pub fn keep(&self, folder: &RunFolder) -> Result<(), RunError> {
        let Some(epoch) = self.epoch else {
            return Err(RunError::invalid(&folder.best_model(), "nothing says which epoch this model is of, so its answers are not kept"));
        };
        if self.part == Part::Valid && folder.has_probabilities(self.part, epoch) {
            return Ok(());
        }
        folder.save_probabilities(self.part, epoch, &validate::to_f16(self.classes.len(), &self.probabilities))
    }
}

/// Evaluates the model of an epoch of a run (counted from 1; `None` is the best one) on `part` of the split that the run recorded.
/// `go_on` is asked before each batch with the number of images done; once it says no, the answer is `None`.
///
/// # Errors
/// If there is no model of that epoch, the data set is another one than the run's, or a picture cannot be read.
pub fn evaluate(
    folder: &RunFolder,
    epoch: Option<usize>,
    part: Part,
    dataset: &Arc<Dataset>,
    mut go_on: impl FnMut(usize) -> bool + Send,
) -> Result<Option<Evaluation>, TrainError> {
    let config = folder.config()?;
    let recorded = folder.split()?;
    if let Some(difference) = recorded.difference(dataset) {
        return Err(TrainError::OtherData(difference));
    }
    recorded.split.validate(dataset.len())?;
    let model = epoch.map_or_else(|| Ok(folder.best_model()), |epoch| folder.model_of(epoch))?;
    device::pool(&config)?.install(|| {
        let (network, spec) = weights::load(&model, &Device::Cpu)?;
        // a run that goes on may have put a better one in its place
        if let (Some(epoch), Some(found)) = (epoch, spec.epoch)
            && epoch != found
        {
            return Err(RunError::NoModel { path: folder.path().into(), epoch, have: vec![found] }.into());
        }
        let chosen = choose(&config)?;
        network.set_step(chosen.step);
        let images = recorded.split.part(part);
        let mut begun = 0;
        let loss = Loss::new(&config, &class_counts(dataset, &recorded.split.train));
        let pass = Pass {
            network: &*network,
            loss: &loss,
            cache: &Arc::new(ImageCache::new(dataset.clone(), spec.network.size, config.fit)),
            normalisation: spec.normalisation,
            buffers: &Buffers::new(config.batch, spec.network.size),
            threads: device::threads(&config),
        };
        let mut ask = |from_start: bool| {
            begun = if from_start { 0 } else { begun };
            let done = begun.min(images.len());
            begun += config.batch;
            go_on(done)
        };
        // a device that cannot do it is left alone, and one that is lost on the way
        let device = chosen.opened.and_then(|opened| Accelerated::evaluator(&opened, &config, &loss, &*network).ok());
        let answered = device.map(|mut device| device.answers(&pass, images, &mut || ask(false)));
        let answers = match answered {
            None | Some(Err(TrainError::Device(_))) => {
                let mut first = true;
                pass.run(images, || ask(std::mem::take(&mut first)))?
            }
            Some(answers) => answers?,
        };
        // files of older programs do not say which epoch they are of
        let epoch = epoch.or(spec.epoch).or_else(|| folder.outline().ok()?.best_epoch().map(|best| best.epoch));
        Ok(answers.map(|answers| Evaluation {
            part,
            epoch,
            classes: spec.classes,
            scores: answers.confusion.scores(),
            accuracy_interval: wilson(answers.confusion.correct(), answers.confusion.total()),
            confusion: answers.confusion,
            loss: answers.loss,
            images: images.to_vec(),
            labels: images.iter().map(|&image| dataset.labels[image as usize]).collect(),
            probabilities: answers.probabilities,
        }))
    })
}

/// The device of a run, or the processor where it is not to be had: a run may be evaluated on another machine.
fn choose(config: &Config) -> Result<Chosen, ConfigError> {
    let anywhere = || Config { device: DeviceChoice::Cpu, precision: Precision::Auto, ..config.clone() };
    // the twin is for tests of training: here it would only be slow
    if matches!(config.device, DeviceChoice::Host(_)) {
        return device::choose(&anywhere());
    }
    device::choose_again(config).or_else(|error| if config.device == DeviceChoice::Cpu { Err(error) } else { device::choose(&anywhere()) })
}

/// Images of each class among `images`.
pub(super) fn class_counts(dataset: &Dataset, images: &[u32]) -> Vec<usize> {
    let mut counts = vec![0; dataset.classes.len()];
    for &image in images {
        counts[dataset.labels[image as usize] as usize] += 1;
    }
    counts
}
