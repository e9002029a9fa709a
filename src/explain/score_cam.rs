//! Score-CAM (Wang et al. 2020): each activation map, scaled to 0..1 and up to the picture, masks the network's input; the
//! logits that are left, through a softmax over the channels, are the weights of the maps.

use candle_core::{Device, Tensor};

use super::map::Map;
use super::numbers::softmax;
use super::{Classifier, ExplainError, formula};
use crate::imaging::Image;
use crate::nn::Mode;
use crate::nn::models::MapLayer;

/// The map of one picture; `score` is what of the logits counts. The masked pictures go through the network a bounded batch at
/// a time. The mask lies on the normalised input, so what is masked away becomes the mean colour, as in pytorch-grad-cam.
pub fn map(
    classifier: &Classifier,
    picture: &Image,
    layer: &MapLayer,
    activations: &[f32],
    score: impl Fn(&[f32]) -> f64,
) -> Result<Vec<f32>, ExplainError> {
    let (width, height) = (picture.width(), picture.height());
    let cells = layer.width * layer.height;
    let input: Vec<f32> = classifier.input(std::slice::from_ref(picture))?.flatten_all()?.to_vec1()?;
    let planes: Vec<&[f32]> = activations.chunks_exact(cells).collect();
    let mut scores = Vec::with_capacity(planes.len());
    for batch in planes.chunks(classifier.batch()) {
        let mut masked = Vec::with_capacity(batch.len() * input.len());
        for plane in batch {
            let mask = mask(plane, layer, width, height);
            masked.extend(input.chunks_exact(width * height).flat_map(|channel| channel.iter().zip(&mask).map(|(x, m)| x * m)));
        }
        let masked = Tensor::from_vec(masked, (batch.len(), 3, height, width), &Device::Cpu)?;
        let logits = classifier.network().forward(&masked, Mode::Eval)?.to_vec2::<f32>()?;
        scores.extend(logits.iter().map(|logits| score(logits) as f32));
    }
    let weights: Vec<f64> = softmax(&scores).into_iter().map(f64::from).collect();
    Ok(formula::weighted(activations, &weights))
}

/// One activation map on the picture's pixels, from 0 to 1; a constant one masks everything.
fn mask(plane: &[f32], layer: &MapLayer, width: usize, height: usize) -> Vec<f32> {
    let map = Map { width: layer.width, height: layer.height, values: plane.to_vec() }.upsample(width, height);
    let (low, high) = map.range();
    map.values.into_iter().map(|v| (v - low) / (high - low + 1e-8)).collect()
}
