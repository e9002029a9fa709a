//! How a map came to be: the maps of one picture by the models of several epochs, for the same class.

use std::path::PathBuf;
use std::sync::Arc;

use super::figure::Scene;
use super::style::Style;
use super::{Classifier, Content, ExplainError, Explainer, Explanation, Request};
use crate::imaging::{self, Image};

/// One frame of the film.
#[derive(Clone, Debug, PartialEq)]
pub struct Still {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The probability that the model of that epoch gave to the class.
    pub probability: f32,
    /// Its map.
    pub explanation: Explanation,
}

impl Still {
    /// What stands below the frame.
    #[must_use]
    pub fn caption(&self) -> String {
        format!("epoch {}, {:.1} %", self.epoch, 100.0 * self.probability)
    }
}

/// The frames of `models` (epochs with their files) for `image`, the part of the picture that the network is to see. `wanted` is asked
/// before each; once it says false the film is given up (`None`).
///
/// # Errors
/// If there is no model, one cannot be read, or a map cannot be made. The request must name its class: each model alone would take
/// another one.
pub fn film(
    models: &[(usize, PathBuf)],
    image: &Image,
    averaged: bool,
    request: &Request,
    wanted: impl Fn() -> bool,
) -> Result<Option<Vec<Still>>, ExplainError> {
    if models.is_empty() {
        return Err(ExplainError::Refused("the run keeps no models of its epochs; train one with snapshots above 0".into()));
    }
    if request.class.is_none() {
        return Err(ExplainError::Refused("a film is of one class; name it".into()));
    }
    let mut stills = Vec::with_capacity(models.len());
    for (epoch, path) in models {
        if !wanted() {
            return Ok(None);
        }
        let explainer = Explainer::new(Arc::new(Classifier::load(path)?), image, averaged)?;
        let explanation = explainer.explain(request)?;
        stills.push(Still { epoch: *epoch, probability: explainer.probabilities()[explanation.class], explanation });
    }
    Ok(Some(stills))
}

impl Scene<'_> {
    /// A film as one PNG file. All frames have the same scale, unless each is to have its own. Its text chunks are those of the map of
    /// the present model, and "Epochs", "Scores" and "Probabilities" of the frames.
    ///
    /// # Errors
    /// If the drawing would be too large.
    pub fn film_png(&self, request: &Request, style: &Style, stills: &[Still]) -> Result<Vec<u8>, ExplainError> {
        let explanation = self.explainer.explain(request)?;
        let tiles: Vec<(String, Explanation)> = stills.iter().map(|still| (still.caption(), still.explanation.clone())).collect();
        // a temperature belongs to the model that it was fitted to, and the other epochs have none
        let raw = if self.explainer.classifier().calibration().is_some() { ", probabilities without the model's temperature" } else { "" };
        let (method, layer, target) = (&explanation.method, &explanation.layer.name, self.target(&explanation));
        let heading = format!("{method} at {layer} for {target}, over the epochs{raw}");
        let image = self.sheet(&heading, &tiles, style, Content::Classes);
        let list = |of: &dyn Fn(&Still) -> String| stills.iter().map(of).collect::<Vec<_>>().join(", ");
        let mut texts = self.texts(&explanation);
        texts.extend([
            ("Content", "film".into()),
            ("Epochs", list(&|still| still.epoch.to_string())),
            ("Scores", list(&|still| still.explanation.score.to_string())),
            ("Probabilities", list(&|still| still.probability.to_string())),
        ]);
        Ok(imaging::encode_png(&image, &texts)?)
    }
}
