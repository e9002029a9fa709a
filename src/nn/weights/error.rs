//! What can be wrong with weights.

use std::path::{Path, PathBuf};

/// What can be wrong with a model file. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum WeightsError {
    /// The file cannot be opened, read, written or renamed.
    #[error("{path}: {source}", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// The bytes are not a whole safetensors file.
    #[error("{path} is not a complete safetensors file ({message}): copy it again, or save the model again", path = path.display())]
    Format { path: PathBuf, message: String },
    /// A safetensors file that is no model of ours.
    #[error(
        "{path} has weights but no description of the network, its classes and its preprocessing: it was not saved by this program. \
         Weights from PyTorch can be loaded into a network that exists already",
        path = path.display()
    )]
    NoSpec { path: PathBuf },
    /// The description cannot be understood.
    #[error("the description in {path} makes no network ({message}): it was written by another version, or changed", path = path.display())]
    Spec { path: PathBuf, message: String },
    /// The tensors are not those of the network.
    #[error("the weights in {path} are of another network: {message}", path = path.display())]
    Tensors { path: PathBuf, message: String },
    /// Something was to be saved that would not load again.
    #[error("{path} was not written: {message}", path = path.display())]
    Options { path: PathBuf, message: String },
    /// The network refused.
    #[error("{path}: {message}", path = path.display())]
    Network { path: PathBuf, message: String },
}

impl WeightsError {
    /// A failure inside Candle while working for `path`.
    pub(super) fn network(path: &Path, source: &candle_core::Error) -> Self {
        Self::Network { path: path.into(), message: source.to_string() }
    }

    /// A failure of the file system at `path`.
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}
