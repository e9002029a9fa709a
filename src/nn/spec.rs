//! What a model file says about itself, so that nothing about preprocessing lives anywhere else.

use serde::{Deserialize, Serialize};

use super::NetworkOptions;

/// Pixels in [0, 1] become `(x - mean) / std`, channel by channel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Subtracted, per channel.
    pub mean: [f32; 3],
    /// Divided by, per channel.
    pub std: [f32; 3],
}

impl Default for Normalisation {
    /// The seed project's: mean 0.5, standard deviation 0.5.
    fn default() -> Self {
        Self { mean: [0.5; 3], std: [0.5; 3] }
    }
}

/// A complete description of a model beside its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// The network and its options.
    pub network: NetworkOptions,
    /// Class names in label order; as many as `network.classes`.
    pub classes: Vec<String>,
    /// How pixels become the network's input.
    pub normalisation: Normalisation,
    /// The program's version that wrote the file.
    pub program_version: String,
}
