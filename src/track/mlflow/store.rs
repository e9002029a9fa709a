//! What a mirror writes to: a database or a server.

use std::collections::BTreeMap;

use super::record::Record;
use super::told::{Metric, Position};

/// Why a mirror does not go on. Each message says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// Not now: a database is locked, a server is away. What was not written is written the next time.
    #[error("{0}")]
    Away(String),
    /// Not this run; the others are taken.
    #[error("{0}")]
    Run(String),
    /// Not at all: the mirror is off.
    #[error("{0}")]
    Refused(String),
}

/// Something of a run that is written at once.
pub struct Batch<'a> {
    /// What the run is.
    pub record: &'a Record,
    /// Whether that is other than what the store has.
    pub changed: bool,
    /// New numbers.
    pub metrics: &'a [Metric],
    /// Files that the run's page shows.
    pub artifacts: &'a [(String, Vec<u8>)],
    /// How far the store has the run afterwards.
    pub position: &'a Position,
}

/// A version of a registered model.
pub struct Version {
    /// Its number here.
    pub number: u32,
    /// The id of the run that trained it, if that is known.
    pub run: Option<String>,
    /// When it was registered, milliseconds since 1970-01-01 UTC.
    pub time: i64,
    /// Where its files are: its folder.
    pub source: String,
    /// What there is to say of it (Markdown).
    pub description: String,
    /// SHA-256 of the model file.
    pub sha256: String,
}

/// A registered model.
pub struct Model {
    /// Its name.
    pub name: String,
    /// When it was made, milliseconds since 1970-01-01 UTC.
    pub time: i64,
    /// Its versions.
    pub versions: Vec<Version>,
    /// The versions that aliases name.
    pub aliases: BTreeMap<String, u32>,
}

/// A database or a server.
pub trait Store {
    /// How far it has each run, by id.
    fn positions(&mut self) -> Result<BTreeMap<String, Position>, MirrorError>;

    /// Writes something of a run, whole or not at all as far as the store can. Gives what there is to say of it, in words.
    fn write(&mut self, batch: &Batch<'_>) -> Result<Vec<String>, MirrorError>;

    /// Hides the runs of this folder that are not among these ids: they are in the trash.
    fn hide_others(&mut self, ids: &[String]) -> Result<(), MirrorError>;

    /// Writes the registered models; what the store had of them and is gone is removed. Gives what could not be written, in words.
    fn write_models(&mut self, models: &[Model]) -> Result<Vec<String>, MirrorError>;

    /// Removes everything that was written from this folder of runs.
    fn clear(&mut self) -> Result<(), MirrorError>;
}
