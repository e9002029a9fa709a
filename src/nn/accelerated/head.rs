//! The head of a network on a device: averages or flattening, linear layers with ReLU and dropout, logits in f32.

use super::blocks::Run;
use super::parameters::{LayerPlaces, Parameters};
use crate::nn::layer::{Layer, LayerKind};
use crate::nn::ops::accelerator::calls::{Maps, Matrices, pieces};
use crate::nn::ops::accelerator::{Accelerator, AcceleratorError, Arithmetic, Memory, Product, View};

type Result<T> = std::result::Result<T, AcceleratorError>;

/// The head and its memory.
#[derive(Debug)]
pub struct Head {
    arithmetic: Arithmetic,
    /// One number for each map, or all pixels map by map, as the linear layers of the processor take them; `None` where the features
    /// lie so already.
    entrance: Option<Entrance>,
    linear: Vec<Linear>,
    /// f32, images x classes.
    logits: Memory,
    /// The gradients of a linear layer's output and of its input, in turns.
    gradients: [Memory; 2],
    partial: Memory,
}

/// How features become rows.
#[derive(Debug)]
struct Entrance {
    averaged: bool,
    out: Memory,
}

/// A linear layer and what follows it.
#[derive(Debug)]
struct Linear {
    inputs: usize,
    outputs: usize,
    layer: usize,
    relu: bool,
    /// Probability, and the layer's place, which tells masks apart.
    dropout: Option<(f32, u64)>,
    /// Not for the logits.
    out: Option<Memory>,
}

/// Dropout in training.
#[derive(Clone, Copy)]
pub struct Dropout<'a> {
    pub seed: u64,
    pub control: View<'a>,
    /// The place of the first image in the whole batch.
    pub first: usize,
}

impl Head {
    /// The head that `layers` make, `before` of which are features, with memory for as many images as `features` says.
    pub fn new(device: &dyn Accelerator, layers: &[Layer], before: usize, features: Maps, arithmetic: Arithmetic) -> Result<Self> {
        let (images, bytes) = (features.images, arithmetic.storage().bytes());
        let (mut linear, mut averaged) = (Vec::<Linear>::new(), false);
        for (number, layer) in layers.iter().enumerate() {
            match (layer.kind, linear.last_mut()) {
                (LayerKind::GlobalAveragePool, None) => averaged = true,
                (LayerKind::Flatten, None) => {}
                (LayerKind::Linear { inputs, outputs, logits }, _) => {
                    let out = (!logits).then(|| device.allocate(images * outputs * bytes)).transpose()?;
                    linear.push(Linear { inputs, outputs, layer: before + number, relu: false, dropout: None, out });
                }
                (LayerKind::Relu, Some(last)) => last.relu = true,
                (LayerKind::Dropout { probability }, Some(last)) => last.dropout = Some((probability, (before + number) as u64)),
                (kind, _) => return Err(AcceleratorError::Misused(format!("a head with {kind:?}"))),
            }
        }
        let Some(last) = linear.last() else { return Err(AcceleratorError::Misused("a head without logits".into())) };
        let logits = device.allocate(images * last.outputs * 4)?;
        let first = linear[0].inputs;
        let entrance = if averaged || features.height * features.width > 1 {
            Some(Entrance { averaged, out: device.allocate(images * first * bytes)? })
        } else {
            None
        };
        let widest = linear.iter().map(|layer| layer.inputs.max(layer.outputs)).max().unwrap_or(1);
        let gradient = || device.allocate(images * widest * bytes);
        let gradients = [gradient()?, gradient()?];
        let partial = device.allocate(pieces(images) * widest * 8)?;
        Ok(Self { arithmetic, entrance, linear, logits, gradients, partial })
    }

    /// The logits as the last pass left them, f32.
    pub fn logits(&self) -> View<'_> {
        self.logits.all()
    }

    /// Where the gradient of the logits is to be put before [`backward`](Self::backward), in the format of activations.
    pub fn logits_gradient(&self) -> View<'_> {
        self.gradients[0].all()
    }

    /// The weights of the logits, if they stand right behind the averages.
    pub fn averaged_weights<'a>(&self, parameters: &'a Parameters) -> Result<Option<View<'a>>> {
        let exact = self.linear.len() == 1 && self.entrance.as_ref().is_some_and(|entrance| entrance.averaged);
        let weights = |layer: &Linear| parameters.wide(&parameters.places.layers[layer.layer].trained[0]);
        exact.then(|| weights(&self.linear[0])).transpose()
    }

    /// From features to logits; `dropout` in training.
    pub fn forward(&self, run: Run, features: View, maps: Maps, dropout: Option<Dropout>) -> Result<()> {
        let mut x = features;
        if let Some(entrance) = &self.entrance {
            x = entrance.out.all();
            if entrance.averaged {
                run.calls.average_pool_forward(features, maps, x)?;
            } else {
                let matrices = Matrices { batch: maps.images, rows: maps.height * maps.width, columns: maps.channels };
                run.calls.transpose_store(features, matrices, x)?;
            }
        }
        for layer in &self.linear {
            let LayerPlaces { trained, .. } = &run.parameters.places.layers[layer.layer];
            let (weights, bias) = (run.parameters.stored(&trained[0])?, run.parameters.wide(&trained[1])?);
            let out = layer.out.as_ref().map_or(self.logits.all(), Memory::all);
            let product = Product {
                rows: run.images,
                columns: layer.outputs,
                inner: layer.inputs,
                a_transposed: false,
                b_transposed: true,
                wide: layer.out.is_none(),
                accumulate: false,
            };
            run.calls.device.multiply(product, self.arithmetic, x, weights, out)?;
            if layer.out.is_none() {
                run.calls.bias_add_wide(out, bias, run.images, layer.outputs)?;
            } else {
                run.calls.bias_add(out, bias, run.images, layer.outputs, layer.relu)?;
                layer.drop(run, out, dropout)?;
            }
            x = out;
        }
        Ok(())
    }

    /// From the gradient of the logits to that of the features, which goes to `dfeatures`.
    pub fn backward(&self, run: Run, features: View, maps: Maps, dropout: Dropout, dfeatures: View, first: bool) -> Result<()> {
        let entrance = self.entrance.as_ref().map(|entrance| entrance.out.all());
        let mut turn = 0;
        for (number, layer) in self.linear.iter().enumerate().rev() {
            let dy = self.gradients[turn].all();
            if let Some(out) = &layer.out {
                layer.drop(run, dy, Some(dropout))?;
                if layer.relu {
                    run.calls.relu_backward(out.all(), dy, run.images * layer.outputs, dy)?;
                }
            }
            let before = number.checked_sub(1).and_then(|number| self.linear[number].out.as_ref()).map(Memory::all);
            let x = before.or(entrance).unwrap_or(features);
            // without an entrance the first layer's input is the features themselves
            let dx = if number == 0 && entrance.is_none() { dfeatures } else { self.gradients[1 - turn].all() };
            self.linear_backward(run, layer, [x, dy, dx], first)?;
            turn = 1 - turn;
        }
        let Some(entrance) = &self.entrance else { return Ok(()) };
        let drows = self.gradients[turn].all();
        if entrance.averaged {
            run.calls.average_pool_backward(drows, maps, dfeatures)
        } else {
            let matrices = Matrices { batch: maps.images, rows: maps.channels, columns: maps.height * maps.width };
            run.calls.transpose_store(drows, matrices, dfeatures)
        }
    }

    /// The gradients of weights and bias, and of the input.
    fn linear_backward(&self, run: Run, layer: &Linear, [x, dy, dx]: [View; 3], first: bool) -> Result<()> {
        let LayerPlaces { trained, .. } = &run.parameters.places.layers[layer.layer];
        let (dw, db) = (run.parameters.gradient(&trained[0])?, run.parameters.gradient(&trained[1])?);
        run.calls.bias_gradient(dy, None, run.images, layer.outputs, self.partial.all(), db, first)?;
        let of_weights = Product {
            rows: layer.outputs,
            columns: layer.inputs,
            inner: run.images,
            a_transposed: true,
            b_transposed: false,
            wide: true,
            accumulate: !first,
        };
        run.calls.device.multiply(of_weights, self.arithmetic, dy, x, dw)?;
        let of_input = Product {
            rows: run.images,
            columns: layer.inputs,
            inner: layer.outputs,
            a_transposed: false,
            b_transposed: false,
            wide: false,
            accumulate: false,
        };
        run.calls.device.multiply(of_input, self.arithmetic, dy, run.parameters.stored(&trained[0])?, dx)
    }
}

impl Linear {
    /// Applies the mask to the output, or to its gradient.
    fn drop(&self, run: Run, x: View, dropout: Option<Dropout>) -> Result<()> {
        let (Some((probability, layer)), Some(Dropout { seed, control, first })) = (self.dropout, dropout) else { return Ok(()) };
        if probability == 0.0 {
            return Ok(());
        }
        run.calls.dropout(x, run.images * self.outputs, first * self.outputs, probability, seed, control, layer)
    }
}
