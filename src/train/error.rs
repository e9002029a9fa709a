//! What can go wrong with a run or its folder. Each message says what happened and what to do.

use std::path::{Path, PathBuf};

use super::{ConfigError, epochs_in_words};
use crate::data::DataError;
use crate::nn::ops::accelerator::AcceleratorError;
use crate::nn::weights::WeightsError;

/// What can be wrong with a run folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum RunError {
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// There is something in the folder already.
    #[error(
        "{path} exists and is not empty: choose a new folder, or resume the run that is in it",
        path = path.display()
    )]
    Exists { path: PathBuf },
    /// There is no run in the folder.
    #[error("{path} holds no run (it has no config.json): choose the folder that a training run wrote", path = path.display())]
    NotARun { path: PathBuf },
    /// A file is not what it should be.
    #[error("{path}: {message}", path = path.display())]
    Invalid { path: PathBuf, message: String },
    /// The weights of an epoch are not there (any more).
    #[error(
        "{path} keeps no model of epoch {epoch} (epochs with a model: {have}): choose one of these, or train with more kept epochs \
         (--snapshots)",
        path = path.display(), have = epochs_in_words(have)
    )]
    NoModel { path: PathBuf, epoch: usize, have: Vec<usize> },
    /// Another process trains in the folder.
    #[error("{path} is in use by another training run: wait until it ends, or stop it first", path = path.display())]
    Busy { path: PathBuf },
}

impl RunError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    pub(super) fn invalid(path: &Path, message: impl Into<String>) -> Self {
        Self::Invalid { path: path.into(), message: message.into() }
    }
}

/// Why a run, or the evaluation of one, could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum TrainError {
    /// A value of the configuration cannot be used, by itself or with this data.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data could not be read, or do not fit.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The run folder could not be used.
    #[error(transparent)]
    Folder(#[from] RunError),
    /// The model file could not be used.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The data set is not the one that the run was made with.
    #[error("this is not the data set of the run: {0}; open the one it was trained on")]
    OtherData(String),
    /// Training diverged.
    #[error(
        "the {what} at step {step} (epoch {epoch}) is not a finite number, so training cannot go on; the last good checkpoint is kept. \
         Try a lower learning rate or a smaller clipping norm"
    )]
    NotFinite { what: &'static str, step: usize, epoch: usize },
    /// Arithmetic failed, for example for want of memory.
    #[error("the network could not be computed: {0}")]
    Compute(#[from] candle_core::Error),
    /// A device failed, or had no room.
    #[error(transparent)]
    Device(#[from] AcceleratorError),
    /// The system refused something that a run needs.
    #[error("the run could not be set up: {0}; close other programs, or choose fewer threads")]
    System(String),
}
