//! What a study is kept in: the file of a journal, or a database that machines share.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

use super::changes::Changes;
use super::database::{DatabaseReader, DatabaseStudy};
use super::journaled::JournalStudy;
use super::{Address, Closing, HEARTBEAT, Objective, SearchError, StudyRecord};

/// What studies are kept in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Storage {
    /// A journal in Optuna's format; the runs of its studies are in folders beside it.
    Journal(PathBuf),
    /// A PostgreSQL database with Optuna's tables; the runs of its studies are in a folder of this machine, or one that all share.
    Database {
        /// Where it is.
        address: Address,
        /// The folder that the folders of studies are in.
        folder: PathBuf,
    },
}

impl Storage {
    /// The folder from which a trial says where its run is.
    #[must_use]
    pub fn home(&self) -> &Path {
        match self {
            Self::Journal(path) => path.parent().unwrap_or(Path::new("")),
            Self::Database { folder, .. } => folder,
        }
    }

    /// What `optuna-dashboard` is given to open it.
    #[must_use]
    pub fn dashboard(&self) -> String {
        match self {
            Self::Journal(path) => path.display().to_string(),
            // since SQLAlchemy 2.1 the plain scheme means another driver than most have
            Self::Database { address, .. } => address.to_string().replacen("postgresql://", "postgresql+psycopg2://", 1),
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(path) => path.display().fmt(f),
            Self::Database { address, .. } => address.fmt(f),
        }
    }
}

/// How much of a study a transaction is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The whole of it: no other process chooses a trial meanwhile.
    Study,
    /// The trial of this id: no other process takes it over meanwhile.
    Trial(usize),
}

/// What a transaction decides by: the study as it is, and the numbers of the trials that a process left unfinished that is gone.
pub(super) type Decide<'a> = dyn FnMut(&StudyRecord, &[usize], &mut Changes) + 'a;

/// A study, open for more trials, in whatever it is kept.
pub(super) trait Keeper: fmt::Debug {
    /// The study as of the last look.
    fn record(&self) -> Option<&StudyRecord>;

    /// Reads, lets `decide` choose what to write, writes it, reads it back, all as if nobody else were there. `decide` is asked again
    /// where another process was faster; nothing is written if this fails, unless the connection was lost while it said so.
    fn update(&mut self, scope: Scope, decide: &mut Decide<'_>) -> Result<(), SearchError>;

    /// A sign of life of this process, which trains the trial of this id.
    fn beat(&mut self, trial: usize) -> Result<(), SearchError>;
}

/// What opening a study needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening<'a> {
    pub study: &'a str,
    pub objective: Objective,
    /// What a new study notes of itself.
    pub notes: &'a Map<String, Value>,
    /// The name of this process.
    pub worker: &'a str,
    /// Without a sign of life for so long a process counts as gone.
    pub grace: Duration,
    /// Whether somebody waits for the end of the search.
    pub closing: &'a Closing,
}

/// The study of this name (of a journal: all of its studies), as it is now; nothing is changed.
///
/// # Errors
/// If the storage cannot be read.
pub fn studies(storage: &Storage, name: &str) -> Result<Vec<StudyRecord>, SearchError> {
    match storage {
        Storage::Journal(path) => super::read(path),
        Storage::Database { address, .. } => {
            let read = DatabaseReader::new(&address.with_study(name)).read(HEARTBEAT)?;
            if let Some(problem) = read.damaged.into_iter().next() {
                return Err(SearchError::Study(problem));
            }
            Ok(read.studies.into_iter().map(|(study, _)| study).collect())
        }
    }
}

/// Opens a study; makes what is not there.
pub(super) fn open(storage: &Storage, opening: Opening<'_>) -> Result<Box<dyn Keeper>, SearchError> {
    Ok(match storage {
        Storage::Journal(path) => Box::new(JournalStudy::open(path, opening)?),
        Storage::Database { address, .. } => Box::new(DatabaseStudy::open(address, opening)?),
    })
}
