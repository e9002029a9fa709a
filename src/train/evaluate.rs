//! How good a finished run is: its best model on a part of its split.

use std::sync::Arc;

use super::cache::ImageCache;
use super::loss::Loss;
use super::validate::Pass;
use super::{RunFolder, TrainError, device};
use crate::data::{Dataset, Part};
use crate::metrics::{Confusion, Interval, Scores, wilson};
use crate::nn::weights;

/// The best model of a run on one part of its split.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The part.
    pub part: Part,
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
    /// Their probabilities, one row of `classes` numbers an image.
    pub probabilities: Vec<f32>,
}

/// Evaluates the best model of a run on `part` of the split that the run recorded.
///
/// # Errors
/// If there is no model yet, the data set is another one than the run's, or a picture cannot be read.
pub fn evaluate(folder: &RunFolder, part: Part, dataset: &Arc<Dataset>) -> Result<Evaluation, TrainError> {
    let config = folder.config()?;
    let recorded = folder.split()?;
    if let Some(difference) = recorded.difference(dataset) {
        return Err(TrainError::OtherData(difference));
    }
    recorded.split.validate(dataset.len())?;
    let (device, instructions) = device::resolve(&config)?;
    device::pool(&config)?.install(|| {
        let (network, spec) = weights::load(folder.best_model(), &device)?;
        network.set_step(instructions);
        let images = recorded.split.part(part);
        let answers = Pass {
            network: &*network,
            loss: &Loss::new(&config, &class_counts(dataset, &recorded.split.train)),
            cache: &Arc::new(ImageCache::new(dataset.clone(), spec.network.size)),
            normalisation: spec.normalisation,
            device: &device,
            batch: config.batch,
            threads: device::threads(&config),
        }
        .run(images, || true)?;
        let Some(answers) = answers else { unreachable!("nobody asked to stop") };
        Ok(Evaluation {
            part,
            classes: spec.classes,
            scores: answers.confusion.scores(),
            accuracy_interval: wilson(answers.confusion.correct(), answers.confusion.total()),
            confusion: answers.confusion,
            loss: answers.loss,
            images: images.to_vec(),
            probabilities: answers.probabilities,
        })
    })
}

/// Images of each class among `images`.
pub(super) fn class_counts(dataset: &Dataset, images: &[u32]) -> Vec<usize> {
    let mut counts = vec![0; dataset.classes.len()];
    for &image in images {
        counts[dataset.labels[image as usize] as usize] += 1;
    }
    counts
}
