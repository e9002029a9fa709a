//! Pictures on the device: brought there once, as bytes, if they fit; augmented and normalised there from then on.

use std::collections::HashMap;

use rayon::prelude::*;

use super::super::TrainError;
use super::super::batches::Variation;
use super::super::cache::ImageCache;
use crate::augment::{Resident as Place, Table};
use crate::nn::Normalisation;
use crate::nn::accelerated::{Engine, Resident, TableShape};
use crate::nn::ops::accelerator::AcceleratorError;

/// The share of the free memory that pictures may take; the rest is for what their augmentation needs, and for others.
const SHARE: f64 = 0.7;
/// Pictures that are read at once.
const CHUNK: usize = 256;

/// The pictures of a run, as far as they are on the device.
#[derive(Debug, Default)]
pub struct Pictures {
    /// Those that are trained on.
    pub training: Option<Set>,
    /// Those that are looked at as they are.
    pub plain: Option<Set>,
    /// Whether it was tried to bring them.
    pub tried: bool,
}

/// Some pictures on the device.
#[derive(Debug)]
pub struct Set {
    resident: Resident,
    places: HashMap<u32, Place>,
    side: usize,
}

impl Set {
    /// Brings `images` to the device; `None` if they do not fit, or `go_on` says no.
    ///
    /// # Errors
    /// If a picture cannot be read, or the device is lost.
    pub fn bring(engine: &Engine, cache: &ImageCache, images: &[u32], go_on: &mut dyn FnMut() -> bool) -> Result<Option<Self>, TrainError> {
        let device = engine.device();
        let most = 3 * cache.largest() * cache.largest();
        let (free, _) = device.memory()?;
        let bytes = most * images.len();
        if bytes as f64 > SHARE * free as f64 {
            return Ok(None);
        }
        let resident = match Resident::new(device, bytes) {
            Ok(resident) => resident,
            Err(AcceleratorError::OutOfMemory { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut places = HashMap::with_capacity(images.len());
        let mut offset = 0;
        for chunk in images.chunks(CHUNK) {
            if !go_on() {
                return Ok(None);
            }
            let read = |index: &u32| cache.with(*index as usize, |image| (image.pixels().to_vec(), image.width(), image.height()));
            let pictures: Vec<_> = chunk.par_iter().map(read).collect::<Result<_, _>>()?;
            for (&index, (pixels, width, height)) in chunk.iter().zip(pictures) {
                resident.write(device, offset, &pixels)?;
                places.insert(index, Place { offset: offset as u64, width, height });
                offset += pixels.len();
            }
        }
        Ok(Some(Self { resident, places, side: cache.size() }))
    }

    /// Makes the input of the network from `images`, which are batch `number` of an epoch: varied, or as they are. Returns whether they were
    /// mixed.
    ///
    /// # Errors
    /// If one of them was never brought, there is no room, or the device is lost.
    pub fn batch(
        &mut self,
        engine: &Engine,
        images: &[u32],
        number: usize,
        variation: Option<&Variation>,
        normalisation: &Normalisation,
    ) -> Result<bool, TrainError> {
        let mix = variation.and_then(|variation| variation.mix(number, self.side));
        let mut table = Table::new(self.side, mix);
        for index in images {
            let place = self.places.get(index).ok_or_else(|| AcceleratorError::Misused(format!("picture {index} is not there")))?;
            match variation {
                None => table.plain(*place),
                Some(variation) => table.augmented(*place, &variation.draw(*index), variation.augmentation.is_exact()),
            }
        }
        let kernels = (table.weights(), table.taps());
        let shape = TableShape::of(images.len(), kernels, table.largest(), [table.contrast(), table.noisy()]);
        engine.augment(&mut self.resident, table.bytes(), &shape, normalisation)?;
        Ok(mix.is_some())
    }

    /// The header of the last batch's table.
    pub fn resident(&self) -> &Resident {
        &self.resident
    }
}
