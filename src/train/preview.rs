//! What a run would see of one picture, without running: the same draws, batches and mixtures that training makes.

use super::Config;
use super::batches::{self, Variation};
use crate::augment::{Canvas, Draw, Mix};
use crate::imaging::Image;
use crate::nn::Normalisation;

/// A run that is looked at, not carried out.
#[derive(Clone, Debug)]
pub struct Preview {
    config: Config,
    train: Vec<u32>,
}

/// Where a training image comes in an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The batch, counted from 0.
    pub batch: usize,
    /// The image that it is mixed with, if its batch is mixed.
    pub partner: u32,
    /// How its batch is mixed.
    pub mix: Option<Mix>,
}

impl Preview {
    /// A run of `config` whose training images are `train`, in the order of its split.
    #[must_use]
    pub fn new(config: Config, train: Vec<u32>) -> Self {
        Self { config, train }
    }

    /// How image `index` is augmented in `epoch` (counted from 1), if it is a training image; how it would be, if it is not.
    #[must_use]
    pub fn draw(&self, epoch: usize, index: u32) -> Draw {
        self.variation(epoch).draw(index)
    }

    /// A picture as a run keeps it, before augmentation.
    #[must_use]
    pub fn source(&self, image: Image) -> Image {
        self.config.augmentation.source(image.squared(self.config.fit), self.config.size)
    }

    /// Writes image `index` as the network takes it in `epoch` (counted from 1): 3 x size x size numbers, normalised, not mixed yet.
    /// `image` is the picture as it is kept ([`Self::source`]).
    pub fn write(&self, epoch: usize, index: u32, image: &Image, canvas: &mut Canvas, planes: &mut [f32]) {
        self.variation(epoch).write(image, index, &self.normalisation(), canvas, planes);
    }

    /// How the run normalises its pictures.
    #[must_use]
    pub fn normalisation(&self) -> Normalisation {
        Normalisation::default()
    }

    /// Where image `index` comes in `epoch` (counted from 1); `None` if it is no training image.
    #[must_use]
    pub fn place(&self, epoch: usize, index: u32) -> Option<Place> {
        let order = batches::order(&self.train, self.config.seed, epoch);
        let at = order.iter().position(|&image| image == index)?;
        let size = self.config.batch.max(1);
        let batch = at / size;
        let images = &order[batch * size..(batch * size + size).min(order.len())];
        let within = at % size;
        let partner = images[(within + images.len() - 1) % images.len()];
        Some(Place { batch, partner, mix: self.variation(epoch).mix(batch, self.config.size) })
    }

    fn variation(&self, epoch: usize) -> Variation {
        Variation { augmentation: self.config.augmentation, seed: self.config.seed, epoch }
    }
}
