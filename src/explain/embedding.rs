//! Many pictures at once: what a network answers and what it saw in each, as numbers for tables and maps.

use candle_core::Tensor;

use super::explainer::turned;
use super::map::TURNS;
use super::numbers::mean;
use super::{Classifier, ExplainError};
use crate::imaging::Image;

/// What a network says of a picture, and what it saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The probability of each class.
    pub probabilities: Vec<f32>,
    /// The mean over the picture of each channel after the last block ([`Classifier::read`]), or the input of the last layer
    /// ([`Classifier::look`]): the same for a network whose head is an average and one linear layer.
    pub features: Vec<f32>,
}

impl Classifier {
    /// Probabilities (those of [`Self::classify`]) and features of pictures, a bounded batch at a time.
    ///
    /// # Errors
    /// If the network fails or answers with numbers that are not finite.
    pub fn read(&self, images: &[Image]) -> Result<Vec<Reading>, ExplainError> {
        let mut readings = Vec::with_capacity(images.len());
        for batch in images.chunks(self.batch()) {
            let activations = self.features(batch)?;
            let means = activations.flatten_from(2)?.mean(2)?.to_vec2::<f32>()?;
            for (logits, features) in self.logits(&activations)?.into_iter().zip(means) {
                readings.push(Reading { probabilities: self.probabilities(&logits), features });
            }
        }
        finite(readings)
    }

    /// Probabilities (those of [`Self::classify`]) and the input of the last layer, a row of each for each picture,
    /// a bounded batch at a time. With `averaged` the probabilities are the mean over the eight flips and turns, as those of an
    /// [`Explainer`](super::Explainer); the features are those of the picture as it is.
    ///
    /// # Errors
    /// If the network fails or answers with numbers that are not finite.
    pub fn look(&self, images: &[Image], averaged: bool) -> Result<Vec<Reading>, ExplainError> {
        let mut readings = Vec::with_capacity(images.len());
        for batch in images.chunks(self.batch()) {
            let activations = self.features(batch)?;
            for (logits, features) in self.logits(&activations)?.into_iter().zip(self.penultimate(&activations)?) {
                readings.push(Reading { probabilities: self.probabilities(&logits), features });
            }
        }
        if averaged {
            self.average(images, &mut readings)?;
        }
        finite(readings)
    }

    /// Makes the probabilities of `images` the mean over their eight flips and turns.
    fn average(&self, images: &[Image], readings: &mut [Reading]) -> Result<(), ExplainError> {
        let prepared: Vec<Image> = images.iter().map(|image| self.prepare(image)).collect();
        let mut views: Vec<Vec<Vec<f32>>> = readings.iter().map(|reading| vec![reading.probabilities.clone()]).collect();
        for number in 1..TURNS {
            let turned: Vec<Image> = prepared.iter().map(|image| turned(image, number)).collect();
            for (views, probabilities) in views.iter_mut().zip(self.classify(&turned)?) {
                views.push(probabilities);
            }
        }
        for (reading, views) in readings.iter_mut().zip(&views) {
            reading.probabilities = mean(views);
        }
        Ok(())
    }

    /// What the linear layer that makes the logits gets: N rows of K' numbers, of N x K x h x w activations after the last block.
    pub(super) fn penultimate(&self, activations: &Tensor) -> Result<Vec<Vec<f32>>, ExplainError> {
        let network = self.network();
        let plan = crate::nn::models::plan(network.options())?;
        let (blocks, all) = (plan.features.len(), plan.layers().count());
        Ok(network.run_layers(blocks..all.saturating_sub(1).max(blocks), activations)?.flatten_from(1)?.to_vec2()?)
    }

    /// That the network was trained on these classes, in this order.
    ///
    /// # Errors
    /// Naming the first class that differs.
    pub fn check_classes(&self, classes: &[String]) -> Result<(), ExplainError> {
        let own = &self.spec().classes;
        if own == classes {
            return Ok(());
        }
        let difference = own.iter().zip(classes).find(|(a, b)| a != b).map_or_else(
            || format!("it has {} classes, the data set {}", own.len(), classes.len()),
            |(a, b)| format!("it has {a} where the data set has {b}"),
        );
        Err(ExplainError::Refused(format!(
            "the model was trained on other classes ({difference}); choose a model that was trained on data like this"
        )))
    }
}

/// The readings, if all their numbers are finite.
fn finite(readings: Vec<Reading>) -> Result<Vec<Reading>, ExplainError> {
    let finite = |reading: &Reading| reading.probabilities.iter().chain(&reading.features).all(|v| v.is_finite());
    if readings.iter().all(finite) { Ok(readings) } else { Err(ExplainError::NotFinite) }
}
