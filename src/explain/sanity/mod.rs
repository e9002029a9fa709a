//! Whether maps of a model show what it learned (Adebayo et al. 2018, arXiv 1810.03292): its weights are replaced by random ones, from
//! the last layer to the first, and each time the maps of a few pictures are compared with those of the model as it is. A method whose
//! maps hardly change draws edges, not evidence.

mod similarity;

use std::sync::Arc;

use candle_core::Tensor;

pub use similarity::{spearman, ssim};

use super::{Classifier, ExplainError, Explainer, Explanation, Method, Request};
use crate::imaging::Image;
use crate::nn::weights;

/// Above this rank correlation (without its sign) with random weights everywhere, the maps do not show what was learned. The paper draws
/// no line; half is where ranks are nearer to the same order than to none.
const SUSPICIOUS: f64 = 0.5;

/// How alike maps are after weights were replaced down to some layer, means over the pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The layer (or block) that was replaced last; all after it are random too.
    pub layer: String,
    /// Rank correlation of the signed maps, on the layer's grid (-1 to 1).
    pub spearman: f64,
    /// Structural similarity of the maps, on the picture's pixels (-1 to 1).
    pub ssim: f64,
}

/// The check of one model and method.
#[derive(Clone, Debug, PartialEq)]
pub struct Sanity {
    /// The method.
    pub method: Method,
    /// Where the maps were taken.
    pub layer: String,
    /// How many pictures were compared.
    pub pictures: usize,
    /// From the last layer to the first.
    pub stages: Vec<Stage>,
}

impl Sanity {
    /// Whether the maps change when nothing that was learned is left.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.stages.last().is_some_and(|stage| stage.spearman.abs() < SUSPICIOUS)
    }

    /// It in one sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let Some(end) = self.stages.last() else { return "no layer could be replaced".into() };
        let verdict = if self.passes() {
            "the maps show what the model learned"
        } else {
            "the maps are nearly the same without what the model learned; do not take them for its reasons"
        };
        let pictures = if self.pictures == 1 { "one picture".into() } else { format!("{} pictures", self.pictures) };
        format!(
            "with random weights {} at {} keeps a rank correlation of {:.2} and a structural similarity of {:.2} ({pictures}): {verdict}",
            self.method, self.layer, end.spearman, end.ssim
        )
    }
}

/// Checks the maps of `request`'s method and layer on `pictures`, each for its most probable class; the random weights are a function
/// of `seed`. As many forward passes for each picture as the network has layers with weights.
///
/// # Errors
/// If there is no picture, the method does not fit the network, or the network fails.
pub fn sanity(classifier: &Arc<Classifier>, pictures: &[Image], request: &Request, seed: u64) -> Result<Sanity, ExplainError> {
    Ok(sanity_while(classifier, pictures, request, seed, || true)?.expect("nothing stops it"))
}

/// [`sanity`], given up (`None`) once `wanted` says false; it is asked before each map.
///
/// # Errors
/// As [`sanity`].
pub fn sanity_while(
    classifier: &Arc<Classifier>,
    pictures: &[Image],
    request: &Request,
    seed: u64,
    wanted: impl Fn() -> bool,
) -> Result<Option<Sanity>, ExplainError> {
    let map = |classifier: &Arc<Classifier>, picture: &Image, class: Option<usize>| -> Result<Explanation, ExplainError> {
        let request = Request { class, against: None, signed: true, ..request.clone() };
        Explainer::new(Arc::clone(classifier), picture, false)?.explain(&request)
    };
    let mut before = Vec::with_capacity(pictures.len());
    for picture in pictures {
        if !wanted() {
            return Ok(None);
        }
        before.push(map(classifier, picture, None)?);
    }
    let Some(first) = before.first() else {
        return Err(ExplainError::Refused("the check needs at least one picture; drop one, or open a data set".into()));
    };
    let mut sanity = Sanity { method: request.method, layer: first.layer.name.clone(), pictures: pictures.len(), stages: Vec::new() };
    for (layer, weights) in cascade(classifier, seed)? {
        let changed = Arc::new(classifier.with_weights(&weights)?);
        let mut stage = Stage { layer, spearman: 0.0, ssim: 0.0 };
        for (picture, before) in pictures.iter().zip(&before) {
            if !wanted() {
                return Ok(None);
            }
            let after = map(&changed, picture, Some(before.class))?;
            let side = classifier.spec().network.size;
            let large = |explanation: &Explanation| explanation.map.upsample(side, side).values;
            stage.spearman += spearman(&before.map.values, &after.map.values) / pictures.len() as f64;
            stage.ssim += ssim(&large(before), &large(&after), side) / pictures.len() as f64;
        }
        sanity.stages.push(stage);
    }
    Ok(Some(sanity))
}

/// The weights of a network by name.
type Weights = Vec<(String, Tensor)>;

/// The weights after each replacement, with the name of the layer that was replaced last. A block's convolution and normalisation go
/// together: one without the other is no layer that could have been trained so.
fn cascade(classifier: &Classifier, seed: u64) -> Result<Vec<(String, Weights)>, ExplainError> {
    let mut weights = weights::snapshot(classifier.network())?;
    // training starts from the same generator, and a run's own first weights would not be random to it
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let random = weights::snapshot(crate::nn::build(classifier.network().options(), seed, &candle_core::Device::Cpu)?.as_ref())?;
    let plan = crate::nn::models::plan(classifier.network().options())?;
    let mut layers: Vec<String> = Vec::new();
    for layer in plan.layers().filter(|layer| !layer.kind.tensors().is_empty()) {
        let name = unit(&layer.name);
        if layers.last().is_none_or(|last| last != name) {
            layers.push(name.to_owned());
        }
    }
    let mut stages = Vec::new();
    for name in layers.into_iter().rev() {
        for ((own, tensor), (_, other)) in weights.iter_mut().zip(&random) {
            let layer = own.rsplit_once('.').map_or(own.as_str(), |(layer, _)| layer);
            if unit(layer) == name {
                *tensor = other.clone();
            }
        }
        stages.push((name, weights.clone()));
    }
    Ok(stages)
}

/// What is replaced at once: "block5" of "block5.conv", "head.linear" of itself.
fn unit(layer: &str) -> &str {
    if layer.starts_with("head.") { layer } else { layer.split('.').next().unwrap_or(layer) }
}
