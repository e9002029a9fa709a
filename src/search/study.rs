//! A study that this process works on, whatever it is kept in.
//!
//! Every change is a transaction: read what others added, decide, write. So several processes, on one machine or on many, Optuna's
//! Python among them, share a study without ever deciding twice.

use std::path::Path;

use super::changes::Changes;
use super::journal::Journal;
use super::replay::Replay;
use super::storage::{self, Keeper, Opening, Scope, Storage};
use super::{SearchError, StudyRecord, Trial};

/// The studies in a journal, as it is now; nothing is changed. A torn last line is left out.
///
/// # Errors
/// If the file cannot be read, or a line of it is not Optuna's.
pub fn read(path: &Path) -> Result<Vec<StudyRecord>, SearchError> {
    let mut replay = Replay::default();
    std::fs::metadata(path).map_err(|e| SearchError::io(path, e))?;
    Journal::new(path).read_new(|line| replay.apply(line))?;
    Ok(replay.into_studies())
}

/// A study, open for more trials.
#[derive(Debug)]
pub(super) struct Study {
    keeper: Box<dyn Keeper>,
}

impl Study {
    /// Opens a study; makes what is not there.
    ///
    /// # Errors
    /// If what it is kept in cannot be read or written, or the study goes for another direction.
    pub fn open(storage: &Storage, opening: Opening<'_>) -> Result<Self, SearchError> {
        let study = Self { keeper: storage::open(storage, opening)? };
        if study.record()?.direction != opening.objective.direction() {
            return Err(SearchError::other_study(opening.study, "makes its objective better in the other direction"));
        }
        Ok(study)
    }

    /// The study as of the last look.
    ///
    /// # Errors
    /// If somebody deleted it.
    pub fn record(&self) -> Result<&StudyRecord, SearchError> {
        self.keeper.record().ok_or_else(SearchError::deleted)
    }

    /// A transaction in which `decide` chooses what to write; it is asked again where another process was faster.
    ///
    /// # Errors
    /// If what it is kept in cannot be read or written.
    pub fn update<T>(&mut self, scope: Scope, mut decide: impl FnMut(&StudyRecord, &[usize], &mut Changes) -> T) -> Result<T, SearchError> {
        let mut decided = None;
        self.keeper.update(scope, &mut |record, left, changes| decided = Some(decide(record, left, changes)))?;
        decided.ok_or_else(SearchError::deleted)
    }

    /// A sign of life of this process, which trains the trial of this id.
    ///
    /// # Errors
    /// If what it is kept in cannot be written.
    pub fn beat(&mut self, trial: usize) -> Result<(), SearchError> {
        self.keeper.beat(trial)
    }

    /// A trial as of the last look.
    ///
    /// # Errors
    /// If somebody deleted the study.
    pub fn trial(&self, number: usize) -> Result<&Trial, SearchError> {
        let record = self.record()?;
        record.trials.get(number).ok_or_else(|| SearchError::other_study(&record.name, format!("has no trial {number}")))
    }
}

#[cfg(test)]
mod tests;
