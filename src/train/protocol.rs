//! What goes in and out of a run: commands and events.
//!
//! `events.jsonl` in the run folder, `--json` on the command line and the window all speak this; the JSON tag is `"event"`.

use serde::{Deserialize, Serialize};

use crate::metrics::Confusion;

/// What a listener can ask of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Hold after the current batch.
    Pause,
    /// Go on.
    Resume,
    /// End after the current batch, keeping what was learned.
    Stop,
}

/// What a run tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run is set up and about to take its first step.
    Started(Started),
    /// One or more training steps (consecutive ones merge while the listener is busy).
    Steps(Steps),
    /// An epoch ended with its validation.
    Epoch(EpochReport),
    /// A checkpoint was written, or could not be.
    Saved(Saved),
    /// The run holds.
    Paused(Paused),
    /// The last event, exactly once.
    Ended(Ended),
}

/// The facts of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// The data set's name.
    pub data: String,
    /// Class names in label order.
    pub classes: Vec<String>,
    /// Trainable numbers of the network.
    pub parameters: usize,
    /// Images in the training part.
    pub train_images: usize,
    /// Images in the validation part.
    pub valid_images: usize,
    /// Images in the test part.
    pub test_images: usize,
    /// Steps in an epoch, the last partial batch included.
    pub steps_per_epoch: usize,
    /// Epochs of the whole run.
    pub epochs: usize,
    /// Epochs that were already done when this (resumed) run started; 0 for a fresh one.
    pub epochs_done: usize,
    /// Steps that were already done (also within an epoch); 0 for a fresh one.
    pub steps_done: usize,
    /// The device, and which arithmetic runs on it, in words for the user.
    pub device: String,
    /// Why this device, and what else is to be said of it; empty if nothing is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Compute threads.
    pub threads: usize,
    /// Digest of the split (hexadecimal).
    pub split_digest: String,
    /// The program's version.
    pub version: String,
    /// Seconds since 1970-01-01 UTC.
    pub time: u64,
}

/// One or more consecutive training steps of one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Steps {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The last of these steps, counted from 1 over the whole run.
    pub step: usize,
    /// The last of these steps, counted from 1 within the epoch.
    pub step_in_epoch: usize,
    /// How many steps are merged here.
    pub count: usize,
    /// Images in these steps.
    pub images: usize,
    /// Mean training loss over these images.
    pub loss: f64,
    /// Share of these images that were classified right.
    pub accuracy: f64,
    /// The learning rate of the last of these steps.
    pub learning_rate: f64,
    /// Global norm of the gradient before clipping, of the last of these steps.
    pub gradient_norm: f64,
    /// Seconds that these steps took.
    pub seconds: f64,
    /// Share of that time spent waiting for input, 0 to 1.
    pub wait: f64,
}

impl Steps {
    /// Takes in steps that came right after these: means are weighted by images and by time, the rest is of the last step.
    pub fn merge(&mut self, later: &Self) {
        let by_images = |a: f64, b: f64| mean((a, self.images as f64), (b, later.images as f64));
        *self = Self {
            loss: by_images(self.loss, later.loss),
            accuracy: by_images(self.accuracy, later.accuracy),
            wait: mean((self.wait, self.seconds), (later.wait, later.seconds)),
            count: self.count + later.count,
            images: self.images + later.images,
            seconds: self.seconds + later.seconds,
            ..*later
        };
    }
}

/// The mean of two numbers with their weights; the plain mean if both weigh nothing.
fn mean((a, wa): (f64, f64), (b, wb): (f64, f64)) -> f64 {
    if wa + wb > 0.0 { (a * wa + b * wb) / (wa + wb) } else { f64::midpoint(a, b) }
}

/// The result of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Mean training loss (in training mode, as the epoch went); if every step was skipped, it and the accuracy are those of the validation.
    pub train_loss: f64,
    /// Training accuracy (in training mode, as the epoch went).
    pub train_accuracy: f64,
    /// Mean validation loss.
    pub valid_loss: f64,
    /// Validation accuracy.
    pub valid_accuracy: f64,
    /// Validation macro-F1.
    pub valid_macro_f1: f64,
    /// Validation confusion matrix, one row a true class.
    pub confusion: Confusion,
    /// The learning rate at the end of the epoch.
    pub learning_rate: f64,
    /// Mean global norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Steps that changed nothing, because a number of the precision f16 was not finite; the loss scale was halved each time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// Training images per second, pauses left out.
    pub images_per_s: f64,
    /// Seconds of the epoch, validation included, pauses left out.
    pub seconds: f64,
    /// Joules that the device took meanwhile, pauses left out, with whatever else ran on it; `None` where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<f64>,
    /// Whether this is the best epoch so far.
    pub best: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A checkpoint was written, or could not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The epoch after which (or within which) it was taken, counted from 1.
    pub epoch: usize,
    /// The file or folder.
    pub path: String,
    /// Whether it holds the best weights so far.
    pub best: bool,
    /// Why it could not be written and what to do; `None` if it was. The run goes on.
    pub error: Option<String>,
}

/// The run holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// The epoch it holds in, counted from 1.
    pub epoch: usize,
    /// Steps done over the whole run.
    pub step: usize,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All epochs, or stopped early by patience.
    Completed,
    /// Stopped by its listener.
    Stopped,
    /// It could not go on; the message says why.
    Failed,
    /// A fault of the program; the message says what to report.
    Panicked,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// How it ended.
    pub outcome: Outcome,
    /// In words for the user.
    pub message: String,
    /// The best epoch, counted from 1, if there was any.
    pub best_epoch: Option<usize>,
    /// Seconds of the run, pauses left out (in a run that failed: since it was started or resumed, pauses included).
    pub seconds: f64,
}
