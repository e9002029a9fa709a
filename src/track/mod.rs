//! What lasts of many runs: an index that lists thousands of run folders at once, what their user says about them, the
//! trash, a run as one file, the registry of models, and a mirror
//! of all that in MLflow. A run is its folder; all but the registry can be made again from the folders.

mod about;
mod capsule;
mod column;
mod compare;
mod facts;
mod filter;
mod index;
pub mod mlflow;
mod registry;
mod select;
mod trash;

pub use about::About;
pub use capsule::{export, import, is_capsule};
pub use column::{Column, Value};
pub use compare::{Group, Verdict, groups, verdict};
pub use facts::{EpochValues, RunFacts, RunState, parameters};
pub use filter::Filter;
pub use index::{Index, Listing};
pub use registry::{At, CHAMPION, Measure, ModelReference, ModelVersion, Models, Promotion, Registered, RegisteredModel, Registry, Rule};
pub use select::{csv, select};
pub use trash::{Trash, Trashed};

use std::io;
use std::path::{Path, PathBuf};

use crate::train::RunError;

/// What can go wrong here. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackError {
    /// A run folder cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The index cannot be used.
    #[error("the index of runs cannot be used ({0}); delete index.sqlite, it is made again from the run folders")]
    Index(#[from] rusqlite::Error),
    /// What was asked for cannot be done; the message says why and what to do.
    #[error("{0}")]
    Request(String),
}

impl TrackError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}
