//! What is known of a run without opening it: a row of the index.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{About, TrackError};
use crate::train::{Config, EpochReport, Outcome, RunFolder, Session, Status};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It trains now.
    Running,
    /// It holds.
    Paused,
    /// It never took a step.
    NotStarted,
    /// Its process went away in the middle; it can be resumed.
    Interrupted,
    /// All its epochs, or stopped early by patience.
    Completed,
    /// Stopped by its user; it can be resumed.
    Stopped,
    /// It could not go on.
    Failed,
}

impl RunState {
    /// In one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::NotStarted => "new",
            Self::Interrupted => "interrupted",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }

    /// Whether a process works on it.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }

    /// Whether a part of it is left to be trained, or why not, in words for the user.
    ///
    /// # Errors
    /// If nothing is left, or a process works on it.
    pub fn may_go_on(self) -> Result<(), &'static str> {
        match self {
            Self::Running | Self::Paused => Err("It trains now."),
            Self::Completed => Err("It came to its end."),
            Self::NotStarted | Self::Interrupted | Self::Stopped | Self::Failed => Ok(()),
        }
    }

    fn of(status: Status) -> Self {
        match status {
            Status::Waiting => Self::NotStarted,
            Status::Running => Self::Running,
            Status::Paused => Self::Paused,
            Status::Ended(Outcome::Completed) => Self::Completed,
            Status::Ended(Outcome::Stopped) => Self::Stopped,
            Status::Ended(Outcome::Failed | Outcome::Panicked) => Self::Failed,
        }
    }
}

/// The numbers of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochValues {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Mean training loss.
    pub train_loss: f64,
    /// Training accuracy, 0 to 1.
    pub train_accuracy: f64,
    /// Mean validation loss.
    pub valid_loss: f64,
    /// Validation accuracy, 0 to 1.
    pub valid_accuracy: f64,
    /// Validation macro-F1, 0 to 1.
    pub valid_macro_f1: f64,
    /// The learning rate at its end.
    pub learning_rate: f64,
    /// Seconds of training up to its end, pauses left out.
    pub seconds: f64,
}

impl EpochValues {
    /// The values of reports, with the time added up.
    pub(super) fn of(reports: &[EpochReport]) -> Vec<Self> {
        let mut seconds = 0.0;
        let values = |report: &EpochReport| {
            seconds += report.seconds;
            Self {
                epoch: report.epoch,
                train_loss: report.train_loss,
                train_accuracy: report.train_accuracy,
                valid_loss: report.valid_loss,
                valid_accuracy: report.valid_accuracy,
                valid_macro_f1: report.valid_macro_f1,
                learning_rate: report.learning_rate,
                seconds,
            }
        };
        reports.iter().map(values).collect()
    }
}

/// A run as the index knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// Its folder, below the folder where runs are kept.
    pub folder: String,
    /// What its user says about it.
    pub about: About,
    /// What it was asked to do: [`parameters`] of its configuration.
    pub parameters: Map<String, Value>,
    /// Where it stands.
    pub state: RunState,
    /// Its last words.
    pub message: Option<String>,
    /// When it was started or last resumed, seconds since 1970-01-01 UTC.
    pub started: Option<u64>,
    /// Seconds of its epochs, pauses left out.
    pub seconds: f64,
    /// Joules that its epochs took, if the device told them of all.
    pub energy: Option<f64>,
    /// Epochs done.
    pub epochs: usize,
    /// The best epoch by the run's own measure.
    pub best: Option<EpochValues>,
    /// The data set's name.
    pub data: String,
    /// Images that train, validate and test.
    pub images: [usize; 3],
    /// Trainable numbers of the network.
    pub weights: usize,
    /// The device, in words.
    pub device: String,
    /// The program's version.
    pub version: String,
    /// Digest of the split (hexadecimal).
    pub split_digest: String,
    /// Digest of the data set (hexadecimal); empty in runs of older programs.
    pub data_digest: String,
    /// Optimiser steps in an epoch.
    pub steps_per_epoch: usize,
}

impl RunFacts {
    /// Reads a run folder; `name` is what the index calls it.
    pub(super) fn read(path: &Path, name: &str) -> Result<(Self, Vec<EpochValues>), TrackError> {
        let folder = RunFolder::open(path)?;
        let config = folder.config()?;
        let session: Session = folder.outline()?;
        let curve = EpochValues::of(&session.epochs);
        let best = session.best_epoch().and_then(|best| curve.iter().find(|values| values.epoch == best.epoch)).copied();
        let started = session.started.as_ref();
        let split = folder.split().ok();
        let facts = Self {
            folder: name.to_owned(),
            about: About::read(path)?,
            state: RunState::of(session.status),
            message: session.message.clone(),
            started: started.map(|s| s.time),
            seconds: curve.last().map_or(0.0, |last| last.seconds),
            energy: session.energy(),
            epochs: session.epochs.last().map_or(0, |last| last.epoch),
            best,
            data: started.map_or_else(|| config.data.clone(), |s| s.data.clone()),
            images: started.map_or([0; 3], |s| [s.train_images, s.valid_images, s.test_images]),
            weights: started.map_or(0, |s| s.parameters),
            device: started.map_or_else(String::new, |s| s.device.clone()),
            version: started.map_or_else(String::new, |s| s.version.clone()),
            split_digest: started.map_or_else(String::new, |s| s.split_digest.clone()),
            data_digest: split.map_or_else(String::new, |split| split.data_digest),
            steps_per_epoch: started.map_or(0, |s| s.steps_per_epoch),
            parameters: parameters(&config),
        };
        Ok((facts, curve))
    }

    /// Epochs it was asked for.
    #[must_use]
    pub fn epochs_wanted(&self) -> usize {
        self.parameters.get("epochs").and_then(Value::as_u64).unwrap_or(0) as usize
    }

    /// Its name, or its folder's.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.about.name.is_empty() { &self.folder } else { &self.about.name }
    }
}

/// Every value of a configuration by the name it has in `config.json`, in that order; what lies deeper is joined with dots, as
/// in `augmentation.rotation`.
#[must_use]
pub fn parameters(config: &Config) -> Map<String, Value> {
    let mut flat = Map::new();
    // a configuration is plain data, which always becomes JSON
    if let Ok(value) = serde_json::to_value(config) {
        flatten("", value, &mut flat);
    }
    flat
}

fn flatten(name: &str, value: Value, flat: &mut Map<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() { field } else { format!("{name}.{field}") };
                flatten(&name, value, flat);
            }
        }
        value => drop(flat.insert(name.to_owned(), value)),
    }
}
