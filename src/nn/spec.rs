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

impl Normalisation {
    /// Writes a picture (`height * width * 3` bytes, row-major, RGB) as three normalised planes
    /// (`3 * height * width` numbers): how every picture enters a network, in training and after.
    ///
    /// # Panics
    /// If the two lengths differ.
    pub fn write_planes(&self, pixels: &[u8], planes: &mut [f32]) {
        assert_eq!(pixels.len(), planes.len(), "one number for each byte");
        let area = (pixels.len() / 3).max(1);
        for (channel, plane) in planes.chunks_exact_mut(area).enumerate() {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            for (value, pixel) in plane.iter_mut().zip(pixels.chunks_exact(3)) {
                *value = (f32::from(pixel[channel]) / 255.0 - mean) / std;
            }
        }
    }

    /// Normalises three planes of numbers from 0 to 1 (`3 * height * width`).
    pub fn normalise(&self, planes: &mut [f32]) {
        let area = (planes.len() / 3).max(1);
        for (channel, plane) in planes.chunks_exact_mut(area).enumerate() {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            for value in plane {
                *value = (*value - mean) / std;
            }
        }
    }
}

/// How a picture that is not square becomes the network's input. Files of older programs do not say it: they mean `Stretch`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// The whole picture, stretched.
    #[default]
    Stretch,
    /// The largest square around its centre.
    Crop,
    /// The smallest square around it, black beyond its borders.
    Pad,
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
    /// How pictures that are not square became squares.
    #[serde(default)]
    pub framing: Framing,
    /// The program's version that wrote the file.
    pub program_version: String,
    /// The epoch of the run after which the weights were taken, counted from 1; files of older programs do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "all of them are exact")]
    fn planes_are_normalised_channel_by_channel() {
        let normalisation = Normalisation { mean: [0.0, 0.5, 0.0], std: [1.0, 0.5, 2.0] };
        let mut planes = [f32::NAN; 6];
        normalisation.write_planes(&[0, 255, 255, 255, 0, 0], &mut planes);
        assert_eq!(planes, [0.0, 1.0, 1.0, -1.0, 0.5, 0.0]);
    }
}
