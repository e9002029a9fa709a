//! The input pipeline of a device: random pictures in its memory as bytes, and batches that are made of them there.

use crate::augment::{Augmentation, Resident as Place, Table};
use crate::nn::Normalisation;
use crate::nn::accelerated::{Engine, Resident, TableShape};
use crate::nn::ops::accelerator::AcceleratorError;
use crate::random::{Purpose, Random};

/// Pictures on the device, and how they are varied.
pub struct Pipeline {
    resident: Resident,
    pictures: usize,
    /// Height and width of the network's input, and of a picture.
    side: usize,
    source: usize,
    augmentation: Augmentation,
}

impl Pipeline {
    /// Brings `images` pictures to the device, or as many of them as fit: they are then used more than once.
    ///
    /// # Errors
    /// If there is no room for a few, or the device is lost.
    pub fn new(engine: &Engine, augmentation: Augmentation, images: usize, random: &mut Random) -> anyhow::Result<Self> {
        let side = engine.options().size;
        let source = augmentation.source_side(side);
        let length = 3 * source * source;
        let mut pictures = images;
        let resident = loop {
            match Resident::new(engine.device(), pictures * length) {
                Err(AcceleratorError::OutOfMemory { .. }) if pictures > 1 => pictures /= 2,
                result => break result?,
            }
        };
        let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        for number in 0..pictures {
            resident.write(engine.device(), number * length, &bytes)?;
        }
        Ok(Self { resident, pictures, side, source, augmentation })
    }

    /// Makes the network's input of `images` pictures, varied anew for each `step`.
    ///
    /// # Errors
    /// If there is no room, or the device is lost.
    pub fn batch(&mut self, engine: &Engine, images: usize, step: usize) -> anyhow::Result<()> {
        let mut table = Table::new(self.side, None);
        let exact = self.augmentation.is_exact();
        for index in 0..images {
            // far apart, as in a shuffled epoch
            let number = (step * images + index).wrapping_mul(7919) % self.pictures;
            let offset = (number * 3 * self.source * self.source) as u64;
            let mut random = Random::new(super::SEED, Purpose::Augment, &[step as u64, index as u64]);
            let draw = self.augmentation.draw(&mut random);
            table.augmented(Place { offset, width: self.source, height: self.source }, &draw, exact);
        }
        let kernels = (table.weights(), table.taps());
        let shape = TableShape::of(images, kernels, table.largest(), [table.contrast(), table.noisy()]);
        Ok(engine.augment(&mut self.resident, table.bytes(), &shape, &Normalisation::default())?)
    }
}
