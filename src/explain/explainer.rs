//! One picture inside one network: its logits, and maps of where the network looked. Activations are kept, so that another
//! class or method costs little. Draws nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Device, Tensor, Var};

use super::map::{self, Map, TURNS};
use super::numbers::mean;
use super::request::{Explanation, Request, Target};
use super::{Classifier, ExplainError, Method, formula, score_cam};
use crate::imaging::Image;
use crate::nn::models::{MapLayer, map_layers};

/// From so many cells a side on a map says where in a galaxy the evidence is.
const FINE: usize = 8;

/// A picture with its logits and activations in a network.
pub struct Explainer {
    classifier: Arc<Classifier>,
    /// The picture as the network takes it, and (with averaging) its flips and turns.
    views: Vec<Image>,
    layers: Vec<MapLayer>,
    /// The logits, mean over the views.
    logits: Vec<f32>,
    probabilities: Vec<f32>,
    /// What the last layer gets of the picture as it is.
    penultimate: Vec<f32>,
    /// By the number of layers run: one tensor of 1 x K x h x w a view.
    activations: Mutex<HashMap<usize, Vec<Tensor>>>,
}

impl Explainer {
    /// Runs `image` (of any size; stretched to the network's square: cut or pad it before, [`Classifier::fit`]) through the network; with `averaged` all eight flips and turns.
    ///
    /// # Errors
    /// If the network fails or answers with numbers that are not finite.
    pub fn new(classifier: Arc<Classifier>, image: &Image, averaged: bool) -> Result<Self, ExplainError> {
        let layers = map_layers(classifier.network().options())?;
        let prepared = classifier.scale(image);
        let views: Vec<Image> = if averaged { (0..TURNS).map(|k| turned(&prepared, k)).collect() } else { vec![prepared] };
        let mut all = Vec::new();
        let mut last = Vec::new();
        for view in &views {
            let features = classifier.features(std::slice::from_ref(view))?;
            all.push(classifier.logits(&features)?.remove(0));
            last.push(features);
        }
        if !all.iter().flatten().all(|z| z.is_finite()) {
            return Err(ExplainError::NotFinite);
        }
        let penultimate = classifier.penultimate(&last[0])?.remove(0);
        let logits = mean(&all);
        let softmaxes: Vec<Vec<f32>> = all.iter().map(|logits| classifier.probabilities(logits)).collect();
        let probabilities = mean(&softmaxes);
        let end = layers.last().map_or(0, |layer| layer.end);
        let activations = Mutex::new(HashMap::from([(end, last)]));
        Ok(Self { classifier, views, layers, logits, probabilities, penultimate, activations })
    }

    /// The model.
    #[must_use]
    pub fn classifier(&self) -> &Arc<Classifier> {
        &self.classifier
    }

    /// The picture as the network takes it.
    #[must_use]
    pub fn prepared(&self) -> &Image {
        &self.views[0]
    }

    /// Whether flips and turns are averaged over.
    #[must_use]
    pub fn averaged(&self) -> bool {
        self.views.len() > 1
    }

    /// The layers at which maps can be taken, from the picture on.
    #[must_use]
    pub fn layers(&self) -> &[MapLayer] {
        &self.layers
    }

    /// CAM if the network has a layer for it, else Grad-CAM.
    #[must_use]
    pub fn best_method(&self) -> Method {
        if Method::Cam.best_layer(&self.layers).is_some() { Method::Cam } else { Method::GradCam }
    }

    /// The deepest layer whose maps are fine enough to say where: a rectifier of at least 8 cells a side. Its maps are read by
    /// `LayerCAM`, which weighs cell by cell. `None` if the network has none.
    #[must_use]
    pub fn fine_layer(&self) -> Option<&MapLayer> {
        self.layers.iter().rev().find(|layer| layer.rectified && layer.width.min(layer.height) >= FINE)
    }

    /// The logit of each class (mean over the views).
    #[must_use]
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// The probability of each class (mean over the views).
    #[must_use]
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// The input of the last layer for the picture as it is, not flipped or turned.
    #[must_use]
    pub fn penultimate(&self) -> &[f32] {
        &self.penultimate
    }

    /// The classes, the most probable first.
    #[must_use]
    pub fn ranking(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.probabilities.len()).collect();
        order.sort_by(|&a, &b| self.probabilities[b].total_cmp(&self.probabilities[a]));
        order
    }

    /// The map that `request` asks for. With averaging it is the mean of the maps of the eight views, each turned back, before
    /// negative evidence is dropped.
    ///
    /// # Errors
    /// If there is no such class or layer, the method cannot be used there, or the network fails.
    pub fn explain(&self, request: &Request) -> Result<Explanation, ExplainError> {
        let (class, against) = self.classes(request)?;
        let layer = self.layer(request)?.clone();
        if let Some(reason) = request.method.refuses(&layer) {
            return Err(ExplainError::Refused(reason));
        }
        let target = Target { class, against };
        let activations = self.activations(&layer)?;
        let (side, cells) = (layer.width, layer.width * layer.height);
        let mut sum = vec![0.0; cells];
        for (number, (view, activation)) in self.views.iter().zip(&activations).enumerate() {
            let values = self.one(request.method, &layer, target, view, activation)?;
            map::add_turned_back(&mut sum, number, side, &values);
        }
        let values: Vec<f32> = sum.iter().map(|v| (v / self.views.len() as f64) as f32).collect();
        if !values.iter().all(|v| v.is_finite()) {
            return Err(ExplainError::NotFinite);
        }
        let map = Map { width: layer.width, height: layer.height, values };
        Ok(Explanation {
            method: request.method,
            class,
            against,
            signed: request.signed,
            averaged: self.averaged(),
            score: target.of(&self.logits),
            bias: if request.method == Method::Cam { target.of(&self.classifier.last_layer()?.1) } else { 0.0 },
            map: if request.signed { map } else { map.positive() },
            layer,
        })
    }

    /// The map of one view, signed.
    fn one(&self, method: Method, layer: &MapLayer, target: Target, view: &Image, activation: &Tensor) -> Result<Vec<f32>, ExplainError> {
        let cells = layer.width * layer.height;
        let values: Vec<f32> = activation.flatten_all()?.to_vec1()?;
        let gradients = if method.takes_gradient() { self.gradients(layer, target, activation)? } else { Vec::new() };
        Ok(match method {
            Method::Cam => {
                let classes: Vec<usize> = std::iter::once(target.class).chain(target.against).collect();
                if let Some(maps) = self.classifier.device_maps(view, &classes) {
                    let cell = |cell: usize| maps[0][cell] - maps.get(1).map_or(0.0, |against| against[cell]);
                    return Ok((0..cells).map(cell).collect());
                }
                let (rows, _) = self.classifier.last_layer()?;
                let weights: Vec<f64> = (0..layer.channels).map(|k| target.difference(|c| f64::from(rows[c][k]))).collect();
                formula::weighted(&values, &weights)
            }
            Method::GradCam | Method::FinerCam => formula::grad_cam(&values, &gradients, cells),
            Method::HiResCam => formula::hires_cam(&values, &gradients, cells),
            Method::GradCamPlusPlus => formula::grad_cam_plus_plus(&values, &gradients, cells),
            Method::LayerCam => formula::layer_cam(&values, &gradients, cells),
            Method::XGradCam => formula::xgrad_cam(&values, &gradients, cells),
            Method::EigenCam => formula::eigen_cam(&values, cells),
            Method::ScoreCam => score_cam::map(&self.classifier, view, layer, &values, |logits| target.of(logits))?,
        })
    }

    /// The gradient of the target with respect to the activations of one view.
    fn gradients(&self, layer: &MapLayer, target: Target, activation: &Tensor) -> Result<Vec<f32>, ExplainError> {
        let variable = Var::from_tensor(activation)?;
        let network = self.classifier.network();
        let rest = crate::nn::models::plan(network.options())?.layers().count();
        let logits = network.run_layers(layer.end..rest, variable.as_tensor())?;
        let factors: Vec<f32> = (0..self.logits.len()).map(|c| target.factor(c)).collect();
        let factors = Tensor::from_vec(factors, logits.shape(), &Device::Cpu)?;
        let score = (logits * factors)?.sum_all()?;
        let gradients = score.backward()?;
        match gradients.get(variable.as_tensor()) {
            Some(gradient) => Ok(gradient.flatten_all()?.to_vec1()?),
            // nothing of the activations reaches the logits
            None => Ok(vec![0.0; activation.elem_count()]),
        }
    }

    /// The activations at a layer, one tensor a view.
    fn activations(&self, layer: &MapLayer) -> Result<Vec<Tensor>, ExplainError> {
        let known = || self.activations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(activations) = known().get(&layer.end) {
            return Ok(activations.clone());
        }
        let run = |view: &Image| -> Result<Tensor, ExplainError> {
            let input = self.classifier.input(std::slice::from_ref(view))?;
            Ok(self.classifier.network().run_layers(0..layer.end, &input)?)
        };
        let activations = self.views.iter().map(run).collect::<Result<Vec<_>, _>>()?;
        known().insert(layer.end, activations.clone());
        Ok(activations)
    }

    fn layer(&self, request: &Request) -> Result<&MapLayer, ExplainError> {
        let names = || self.layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join(", ");
        match &request.layer {
            Some(name) => {
                let found = self.layers.iter().find(|layer| layer.name == *name);
                found.ok_or_else(|| ExplainError::NoLayer { name: name.clone(), known: names() })
            }
            None => request.method.best_layer(&self.layers).ok_or_else(|| {
                ExplainError::Refused(format!(
                    "this network has no layer for {}: no average and single linear layer make its logits",
                    request.method
                ))
            }),
        }
    }

    /// The class and the one it is compared with.
    fn classes(&self, request: &Request) -> Result<(usize, Option<usize>), ExplainError> {
        let ranking = self.ranking();
        let class = request.class.unwrap_or(ranking[0]);
        let other = || ranking.iter().copied().find(|&c| c != class);
        let against = request.against.or_else(|| if request.method == Method::FinerCam { other() } else { None });
        let count = ranking.len();
        for number in [Some(class), against].into_iter().flatten() {
            if number >= count {
                return Err(ExplainError::NoClass { number, count });
            }
        }
        if against == Some(class) {
            return Err(ExplainError::Refused("a class cannot be compared with itself; choose another one".into()));
        }
        Ok((class, against))
    }
}

/// A square picture, flipped and turned.
pub(super) fn turned(image: &Image, number: usize) -> Image {
    let side = image.width();
    let pixels = map::turn(number, side, 3, image.pixels());
    Image::new(side, side, pixels).expect("turning keeps the number of bytes")
}
