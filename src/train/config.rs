//! Everything that decides what a run does. Same configuration, same data, same device: same run.

use serde::{Deserialize, Serialize};

use super::DeviceChoice;
use crate::augment::Augmentation;
use crate::imaging::Fit;
use crate::nn::{Architecture, USUAL_WIDTH, WIDEST};

/// The loss function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Class-balanced focal loss (Cui et al. 2019, Lin et al. 2017) with `beta` and `gamma`.
    #[default]
    Focal,
    /// Plain cross-entropy.
    CrossEntropy,
}

/// The optimiser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Rectified Adam (Liu et al. 2020), decoupled weight decay.
    Radam,
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
    #[default]
    Adamw,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// The learning-rate schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// One cycle up and down (Smith & Topin 2018), per step.
    #[default]
    OneCycle,
    /// Cosine from the learning rate to zero, per step.
    Cosine,
    /// Divide by ten when the validation loss has not fallen for a third of `patience` (5 epochs if that is 0).
    Plateau,
    /// The learning rate as it is.
    Constant,
}

/// What makes an epoch the best one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BestBy {
    /// Highest validation macro-F1.
    #[default]
    MacroF1,
    /// Lowest validation loss.
    Loss,
}

/// Arithmetic of the training step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// On the processor the fastest that keeps the accuracy of 32-bit floating point; on a CUDA device TF32, or f32 before Ampere.
    #[default]
    Auto,
    /// 32-bit floating point.
    F32,
    /// bfloat16 products with 32-bit accumulation and 32-bit master weights.
    Bf16,
    /// CUDA devices: 32-bit numbers, products rounded to TF32 (11 bits of mantissa) on tensor cores.
    Tf32,
    /// CUDA devices: as bfloat16, but in IEEE half precision with a scaled loss, for cards that have no bfloat16.
    F16,
}

/// The configuration of a run. Every field is a flag of `tuning-fork train` and a line of `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// "synthetic", or the folder of a data set.
    pub data: String,
    /// Images of the embedded synthetic data set (only with `data = "synthetic"`).
    pub synthetic_images: usize,
    /// The network.
    pub model: Architecture,
    /// Filters of the network's first block, 1 to 128; every other layer follows in proportion.
    pub width: usize,
    /// Height and width of the network's input, pixels; at least 32.
    pub size: usize,
    /// How images that are not square become squares.
    pub fit: Fit,
    /// Passes over the training images; at least 1.
    pub epochs: usize,
    /// Images in a step; at least 1.
    pub batch: usize,
    /// Peak learning rate; above 0.
    pub lr: f64,
    /// Weight decay, decoupled (SGD adds it to the gradient instead); at least 0. Biases and normalisation are exempt.
    pub weight_decay: f64,
    /// The optimiser.
    pub optimizer: OptimizerKind,
    /// Momentum of SGD, in [0, 1).
    pub momentum: f64,
    /// The learning-rate schedule.
    pub schedule: ScheduleKind,
    /// One cycle: let the momentum (beta1 of Adam and its kin) fall from 0.95 to 0.85 while the learning rate rises, and back.
    pub cycle_momentum: bool,
    /// The loss.
    pub loss: LossKind,
    /// Focal loss: class balance from 0 (none) to below 1 (full).
    pub beta: f64,
    /// Focal loss: focus on hard images; 0 is cross-entropy.
    pub gamma: f64,
    /// Share of the target spread over all classes, in [0, 1).
    pub label_smoothing: f64,
    /// Dropout probability in the head, in [0, 1).
    pub dropout: f64,
    /// Largest global norm of the gradient; 0 switches clipping off.
    pub clip: f64,
    /// Epochs without improvement of the validation loss before stopping early; 0 never stops early.
    pub patience: usize,
    /// The least fall of the validation loss that counts as improvement.
    pub min_delta: f64,
    /// What makes an epoch the best one.
    pub best_by: BestBy,
    /// Of how many epochs, about, the model is kept in the run folder, besides the best one; 0 keeps none. Each takes as much room as
    /// the best model.
    pub snapshots: usize,
    /// Augmentation of the training images.
    pub augmentation: Augmentation,
    /// The seed of everything random in the run.
    pub seed: u64,
    /// The seed of the split, apart from `seed` so that repeated runs see the same split.
    pub split_seed: u64,
    /// Compute threads; 0 means one a physical core.
    pub threads: usize,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Arithmetic of the training step.
    pub precision: Precision,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "synthetic".into(),
            synthetic_images: 2_000,
            model: Architecture::Compact,
            width: USUAL_WIDTH,
            size: 64,
            fit: Fit::Stretch,
            epochs: 10,
            batch: 32,
            lr: 3e-3,
            weight_decay: 1e-2,
            optimizer: OptimizerKind::Adamw,
            momentum: 0.9,
            schedule: ScheduleKind::OneCycle,
            cycle_momentum: true,
            loss: LossKind::Focal,
            beta: 0.931,
            gamma: 1.007,
            label_smoothing: 0.0,
            dropout: 0.5,
            clip: 1.0,
            patience: 15,
            min_delta: 5e-4,
            best_by: BestBy::MacroF1,
            snapshots: 10,
            augmentation: Augmentation::default(),
            seed: 42,
            split_seed: 42,
            threads: 0,
            device: DeviceChoice::Auto,
            precision: Precision::Auto,
        }
    }
}

/// A value of the configuration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct ConfigError {
    /// The field, as it is spelled in `config.json` and (with `-` for `_`) on the command line.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

/// One field's verdict.
fn check(errors: &mut Vec<ConfigError>, field: &'static str, ok: bool, message: impl Into<String>) {
    if !ok {
        errors.push(ConfigError { field, message: message.into() });
    }
}

impl Config {
    /// Every field that cannot be used, in the order of the fields; empty if the configuration is fine by itself.
    /// (What depends on the data, as a batch larger than the training part, is checked when the run starts.)
    #[must_use]
    pub fn errors(&self) -> Vec<ConfigError> {
        let mut e = Vec::new();
        let unit = |x: f64| (0.0..1.0).contains(&x);
        let in_unit = |x: f64| format!("{x} is not usable; choose 0 or more and less than 1");
        let least = if self.model == Architecture::Seed { 64 } else { 32 };
        check(&mut e, "data", !self.data.trim().is_empty(), "name a data folder, or \"synthetic\"");
        check(
            &mut e,
            "synthetic_images",
            self.data != "synthetic" || self.synthetic_images >= 50,
            "choose at least 50 synthetic galaxies, so that every part of the split has some of each class",
        );
        check(
            &mut e,
            "width",
            (1..=WIDEST).contains(&self.width),
            format!("{} is not usable; choose 1 to {WIDEST} filters for the first block, such as {USUAL_WIDTH}", self.width),
        );
        check(
            &mut e,
            "size",
            (least..=1024).contains(&self.size),
            format!("{} is not usable; this network takes images from {least} to 1024 pixels a side", self.size),
        );
        check(&mut e, "epochs", self.epochs >= 1, "choose at least 1");
        check(&mut e, "batch", self.batch >= 1, "choose at least 1");
        check(
            &mut e,
            "lr",
            self.lr.is_finite() && self.lr > 0.0,
            format!("{} is not a usable learning rate; choose a number above 0, such as 0.001", self.lr),
        );
        check(
            &mut e,
            "weight_decay",
            self.weight_decay.is_finite() && self.weight_decay >= 0.0,
            format!("{} is not usable; choose 0 or more", self.weight_decay),
        );
        check(&mut e, "momentum", unit(self.momentum), in_unit(self.momentum));
        check(&mut e, "beta", unit(self.beta), in_unit(self.beta));
        check(&mut e, "gamma", self.gamma.is_finite() && self.gamma >= 0.0, format!("{} is not usable; choose 0 or more", self.gamma));
        check(&mut e, "label_smoothing", unit(self.label_smoothing), in_unit(self.label_smoothing));
        check(&mut e, "dropout", unit(self.dropout), in_unit(self.dropout));
        check(
            &mut e,
            "clip",
            self.clip.is_finite() && self.clip >= 0.0,
            format!("{} is not usable; choose a norm above 0, or 0 for no clipping", self.clip),
        );
        check(
            &mut e,
            "min_delta",
            self.min_delta.is_finite() && self.min_delta >= 0.0,
            format!("{} is not usable; choose 0 or more", self.min_delta),
        );
        check(
            &mut e,
            "threads",
            self.threads <= 1024,
            format!("{} is not usable; choose at most 1024, or 0 for one a physical core", self.threads),
        );
        e.extend(self.augmentation.errors().into_iter().map(|(field, message)| ConfigError { field, message }));
        e
    }
}
