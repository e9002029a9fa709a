//! What a map is asked for, and the map with all that is needed to say what it is.

use super::Method;
use super::map::Map;
use crate::nn::models::MapLayer;

/// What a map is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// How it is made.
    pub method: Method,
    /// The layer's name; `None` takes the method's best.
    pub layer: Option<String>,
    /// The class; `None` takes the most probable.
    pub class: Option<usize>,
    /// Another class: the map is then of the difference of the two logits. `None` is no class, except for Finer-CAM, which
    /// takes the most probable other one.
    pub against: Option<usize>,
    /// Keeps negative evidence; otherwise it is set to 0.
    pub signed: bool,
}

impl Request {
    /// The map of the most probable class by `method`, positive evidence only.
    #[must_use]
    pub fn new(method: Method) -> Self {
        Self { method, layer: None, class: None, against: None, signed: false }
    }
}

/// A map with all that is needed to say what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What was asked for, with every choice filled in.
    pub method: Method,
    /// The layer the activations were taken at.
    pub layer: MapLayer,
    /// The class it is for.
    pub class: usize,
    /// The class it is compared with.
    pub against: Option<usize>,
    /// Whether negative evidence was kept.
    pub signed: bool,
    /// Whether it is the mean over the eight flips and turns.
    pub averaged: bool,
    /// The logit of the class (less the other class's).
    pub score: f64,
    /// The bias that CAM leaves out (less the other class's); 0 for other methods.
    pub bias: f64,
    /// One number a cell of the layer's grid.
    pub map: Map,
}

/// A map with fewer cells than this a side tells little of where, cells.
const COARSE: usize = 4;

impl Explanation {
    /// False if no cell speaks for the class.
    #[must_use]
    pub fn has_positive(&self) -> bool {
        self.map.range().1 > 0.0
    }

    /// What to say of a map that tells little of where.
    #[must_use]
    pub fn too_coarse(&self) -> Option<String> {
        let (width, height) = (self.layer.width, self.layer.height);
        (width.min(height) < COARSE).then(|| format!("Only {width} x {height} cells: too coarse to say where."))
    }

    /// Whether its numbers are logits, so that they can be compared between classes and pictures.
    #[must_use]
    pub fn in_logits(&self) -> bool {
        self.method == Method::Cam
    }
}

/// The logit, or difference of logits, that a map is for.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) class: usize,
    pub(super) against: Option<usize>,
}

impl Target {
    /// Some number of the class (less the other class's).
    pub(super) fn difference(self, of: impl Fn(usize) -> f64) -> f64 {
        of(self.class) - self.against.map_or(0.0, &of)
    }

    /// Its value among `values`, one a class.
    pub(super) fn of(self, values: &[f32]) -> f64 {
        self.difference(|c| f64::from(values[c]))
    }

    /// What it is multiplied by in the target: 1, -1 or 0.
    pub(super) fn factor(self, class: usize) -> f32 {
        f32::from(u8::from(class == self.class)) - f32::from(u8::from(Some(class) == self.against))
    }
}
