//! One training step, and where a run stands on the device.

use super::head::Dropout;
use super::{Engine, Result};
use crate::nn::ops::accelerator::calls::{LossViews, ParameterViews};
use crate::nn::ops::accelerator::kernels::layout;
use crate::nn::ops::accelerator::{AcceleratorError, Arithmetic, Memory, View};

/// The labels of a step, whose pictures lie in the input.
#[derive(Clone, Copy, Debug)]
pub struct TrainBatch<'a> {
    /// Images.
    pub images: usize,
    /// Labels on the device, u32, each below the number of classes; `None` for those of [`Engine::upload_targets`].
    pub targets: Option<View<'a>>,
    /// How the pictures are mixed: the header of their table.
    pub mixing: Option<View<'a>>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Steps in the whole run, skipped ones too.
    pub steps: u64,
    /// Changes of the weights.
    pub updates: u64,
    /// Steps that were left out because a gradient in f16 was not finite.
    pub skipped: u64,
    /// What the loss is multiplied by; 1 unless in f16.
    pub loss_scale: f32,
    /// Steps since the loss scale was changed; after many of them it is doubled.
    pub calm: u32,
    /// What was not finite, if something was: from then on nothing changes any more.
    pub failed: Option<&'static str>,
}

/// Sums over the steps since they were cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Of the images' losses.
    pub loss: f64,
    /// Images classified right.
    pub correct: u64,
    /// Images.
    pub images: u64,
    /// Steps, but for those that were left out.
    pub steps: u64,
    /// Of the steps' gradient norms.
    pub gradient_norm: f64,
    /// The last step's mean loss.
    pub last_loss: f64,
    /// The last step's norm.
    pub last_norm: f64,
}

/// Progress and sums that are still to be read.
pub type Report<'a> = Box<dyn FnOnce() -> Result<(Progress, Sums)> + 'a>;

impl Engine {
    /// Takes the labels of a batch.
    ///
    /// # Errors
    /// If there are too many, one is no class, or the device is lost.
    pub fn upload_targets(&self, targets: &[u32]) -> Result<()> {
        self.check_labels(targets)?;
        let bytes: Vec<u8> = targets.iter().flat_map(|target| target.to_le_bytes()).collect();
        self.device.upload(self.targets.part(0..bytes.len())?, &bytes)
    }

    /// Labels on the device, for as many steps as one likes.
    ///
    /// # Errors
    /// If one is no class, there is no room, or the device is lost.
    pub fn labels(&self, targets: &[u32]) -> Result<Memory> {
        self.check_labels(targets)?;
        let bytes: Vec<u8> = targets.iter().flat_map(|target| target.to_le_bytes()).collect();
        let memory = self.device.allocate(bytes.len())?;
        self.device.upload(memory.all(), &bytes)?;
        Ok(memory)
    }

    fn check_labels(&self, targets: &[u32]) -> Result<()> {
        let classes = self.options.classes;
        match targets.iter().find(|target| **target as usize >= classes) {
            Some(wrong) => Err(AcceleratorError::Misused(format!("label {wrong} of {classes}"))),
            None => Ok(()),
        }
    }

    /// Says where the run stands, and with which pairs of learning rate and momentum its next steps are to be done.
    ///
    /// # Errors
    /// If there is no room, or the device is lost.
    pub fn prepare(&mut self, progress: Progress, rates: &[[f64; 2]]) -> Result<()> {
        let bytes: Vec<u8> = rates.iter().flatten().flat_map(|rate| rate.to_le_bytes()).collect();
        if self.rates.as_ref().is_none_or(|memory| memory.bytes() < bytes.len()) {
            self.rates = Some(self.device.allocate(bytes.len().max(16))?);
        }
        if let Some(memory) = &self.rates {
            self.device.upload(memory.part(0..bytes.len())?, &bytes)?;
        }
        self.rates_left.set(rates.len());
        let control = layout::Control {
            step: progress.steps,
            updates: progress.updates,
            skipped: progress.skipped,
            loss_scale: if progress.loss_scale > 0.0 { progress.loss_scale } else { self.first_scale() },
            calm: progress.calm,
            ..layout::Control::START
        };
        self.device.upload(self.control.all(), &control.to_bytes())
    }

    /// The loss scale that a run begins with.
    fn first_scale(&self) -> f32 {
        if self.settings.arithmetic == Arithmetic::F16 { 65536.0 } else { 1.0 }
    }

    /// One optimiser step on the images of the input. Nothing is read back; rates must have been [prepared](Self::prepare).
    ///
    /// # Errors
    /// If the device is lost, or mixed pictures would have to be split.
    pub fn train(&self, batch: TrainBatch) -> Result<()> {
        // the device counts the rates itself and would read on behind the last
        let (Some(rates), left @ 1..) = (&self.rates, self.rates_left.get()) else {
            return Err(AcceleratorError::Misused("a step without a learning rate".into()));
        };
        let images = batch.images;
        if images == 0 || images > self.settings.batch {
            return Err(AcceleratorError::Misused(format!("a step of {images} images, of at most {}", self.settings.batch)));
        }
        if batch.mixing.is_some() && images > self.settings.micro {
            return Err(AcceleratorError::Misused("a part of a batch whose pictures are mixed".into()));
        }
        for first in (0..images).step_by(self.settings.micro) {
            self.part(batch, first, self.settings.micro.min(images - first), true)?;
        }
        let views = ParameterViews {
            parameters: self.parameters.records.all(),
            tiles: self.parameters.tiles.all(),
            count: self.parameters.tile_count,
            partial: self.partial.all(),
            control: self.control.all(),
            tally: self.tally.all(),
        };
        let scaling = self.settings.arithmetic == Arithmetic::F16;
        self.rates_left.set(left - 1);
        self.calls().update(self.settings.update, rates.all(), scaling, views)
    }

    /// Does the work of a step on whatever lies in the input, and forgets it: afterwards everything is there that steps and evaluation need
    /// (algorithms, kernels, working memory), or it is known that there is no room.
    ///
    /// # Errors
    /// If there is no room, or the device is lost.
    pub fn rehearse(&self) -> Result<()> {
        let count = self.settings.micro;
        self.device.clear(self.targets.all())?;
        self.part(TrainBatch { images: self.settings.batch, targets: None, mixing: None }, 0, count, false)?;
        self.device.clear(self.tally.all())?;
        self.device.upload(self.control.all(), &layout::Control::START.to_bytes())?;
        self.evaluate(count)?()?;
        self.device.synchronise()
    }

    /// The gradients of `count` images of a batch, from number `first` on.
    fn part(&self, batch: TrainBatch, first: usize, count: usize, track: bool) -> Result<()> {
        let (run, input, maps) = (self.run(count), self.input_from(first)?, self.maps(count));
        let dropout = Dropout { seed: self.settings.seed, control: self.control.all(), first };
        self.blocks.forward(run, input, true, track)?;
        let features = self.blocks.output();
        self.head.forward(run, features, maps, Some(dropout))?;
        let targets = batch.targets.unwrap_or(self.targets.all()).part(4 * first..4 * (first + count))?;
        let views = LossViews {
            logits: self.head.logits(),
            targets,
            mixing: batch.mixing.unwrap_or(View::NONE),
            partners: View::NONE,
            weights: self.class_weights.all(),
            control: self.control.all(),
            gradient: self.head.logits_gradient(),
        };
        self.calls().focal_loss(&self.settings.loss, count, batch.images, views)?;
        self.head.backward(run, features, maps, dropout, self.blocks.output_gradient(), first == 0)?;
        self.blocks.backward(run, input, first == 0)
    }

    /// Takes progress and sums in their turn and clears the sums; they may be read later, when the device is at the next steps.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn report(&self) -> Result<Report<'_>> {
        let (control, tally) = (self.device.fetch(self.control.all())?, self.device.fetch(self.tally.all())?);
        self.device.clear(self.tally.all())?;
        Ok(Box::new(move || {
            let (control, tally) = (control()?, tally()?);
            let (Some(control), Some(tally)) = (control.first_chunk(), tally.first_chunk()) else {
                return Err(AcceleratorError::Misused("a report that is too short".into()));
            };
            let (control, tally) = (layout::Control::from_bytes(control), layout::Tally::from_bytes(tally));
            let failed = control.failed.map(|failed| match failed {
                layout::Failure::Loss => "training loss",
                layout::Failure::Gradient => "gradient",
            });
            let progress = Progress {
                steps: control.step,
                updates: control.updates,
                skipped: control.skipped,
                loss_scale: control.loss_scale,
                calm: control.calm,
                failed,
            };
            let sums = Sums {
                loss: tally.loss,
                correct: tally.correct,
                images: tally.images,
                steps: tally.steps,
                gradient_norm: tally.gradient_norm,
                last_loss: tally.last_loss,
                last_norm: tally.last_norm,
            };
            Ok((progress, sums))
        }))
    }
}
