//! What can go wrong with a search. Each message says what happened and what to do.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::train::RunError;

/// Why a search cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum SearchError {
    /// A search space cannot be used; one line a fault.
    #[error("this search space cannot be used:\n  {}", faults.join("\n  "))]
    Space { faults: Vec<String> },
    /// The values of a trial give no configuration.
    #[error("these values give no configuration: {0}")]
    Values(String),
    /// A study holds what it should not.
    #[error("{0}")]
    Study(String),
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// A line of the journal is not what it should be.
    #[error("{path}, line {line}: {message}", path = path.display())]
    Journal { path: PathBuf, line: usize, message: String },
    /// Others kept the journal's lock too long.
    #[error(
        "{path} has been locked by another process for {seconds} s: wait until it ends, or remove the lock if no search runs",
        path = path.display()
    )]
    Locked { path: PathBuf, seconds: u64 },
    /// The study is not the one that was asked for.
    #[error("the study {name:?} {difference}; go on with it as it is, or choose another name with --study")]
    OtherStudy { name: String, difference: String },
    /// The folder of a trial could not be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A database, or the way to it, is away; it may come back.
    #[error("{place}: {message}")]
    Away { place: String, message: String },
    /// A database refuses to work with us.
    #[error("{place}: {message}")]
    Database { place: String, message: String },
    /// Trials fail one after another.
    #[error("{count} trials in a row failed, the last with: {message}")]
    AllFail { count: usize, message: String },
}

impl SearchError {
    /// A file could not be read or written; a full disk is told with what to do.
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), source: Self::advised(source) }
    }

    /// Says what to do about a full disk; other errors stay as they are.
    fn advised(error: std::io::Error) -> std::io::Error {
        if !crate::files::is_full(&error) {
            return error;
        }
        std::io::Error::new(error.kind(), format!("{error}; make room (a search that ended goes on where it was when it is started again)"))
    }

    pub(super) fn deleted() -> Self {
        Self::Study("the study was deleted by somebody; start a new one".into())
    }

    /// Whether waiting may help: a database may come back, and somebody may make room.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Away { .. } => true,
            // not a file that may not grow: room does not help it
            Self::Io { source, .. } => matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded),
            _ => false,
        }
    }

    pub(super) fn other_study(name: &str, difference: impl Into<String>) -> Self {
        Self::OtherStudy { name: name.into(), difference: difference.into() }
    }
}
