//! Looking inside a network on a device: embeddings and class activation maps.

use super::{Engine, Result, floats};
use crate::nn::ops::accelerator::AcceleratorError;
use crate::nn::ops::accelerator::calls::Matrices;

impl Engine {
    /// The last activations of the `images` images of the input in evaluation mode: N x K x h x w.
    ///
    /// # Errors
    /// If there is no room, or the device is lost.
    pub fn features(&self, images: usize) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for first in (0..images).step_by(self.settings.micro) {
            let count = self.settings.micro.min(images - first);
            self.blocks.forward(self.run(count), self.input_from(first)?, false, false)?;
            let maps = self.maps(count);
            let memory = self.device.allocate(4 * maps.len())?;
            let matrices = Matrices { batch: count, rows: maps.height * maps.width, columns: maps.channels };
            self.calls().transpose_from_store(self.blocks.output(), matrices, memory.all())?;
            all.extend(floats(&self.device.download(memory.all())?));
        }
        Ok(all)
    }

    /// The exact class activation maps (Zhou et al. 2016) of the `images` images of the input for one class each: N x h x w.
    ///
    /// # Errors
    /// If the head is more than an average and a linear layer, a class is none, there is no room, or the device is lost.
    pub fn class_activation_maps(&self, chosen: &[u32]) -> Result<Vec<f32>> {
        let Some(weights) = self.head.averaged_weights(&self.parameters)? else {
            return Err(AcceleratorError::Unavailable("this network's class activation maps are not exact; compute on the CPU".into()));
        };
        let labels = self.labels(chosen)?;
        let mut all = Vec::new();
        for first in (0..chosen.len()).step_by(self.settings.micro) {
            let count = self.settings.micro.min(chosen.len() - first);
            self.blocks.forward(self.run(count), self.input_from(first)?, false, false)?;
            let maps = self.maps(count);
            let memory = self.device.allocate(4 * maps.pixels())?;
            let mine = labels.part(4 * first..4 * (first + count))?;
            self.calls().class_activation_map(self.blocks.output(), weights, self.options.classes, mine, maps, memory.all())?;
            all.extend(floats(&self.device.download(memory.all())?));
        }
        Ok(all)
    }
}
