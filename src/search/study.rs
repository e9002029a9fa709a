//! A study that this process works on: what its journal tells, and how this process adds to it.
//!
//! Every change is a transaction: take the journal's lock, read what others added, decide, add lines. So several processes, Optuna's
//! Python among them, share a study without ever deciding twice.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::clock;
use super::journal::Journal;
use super::replay::{Operation, Replay};
use super::{Objective, Params, SearchError, StudyRecord, Trial, TrialState};

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
    journal: Journal,
    replay: Replay,
    id: usize,
    /// Who writes, on every line.
    worker: String,
}

/// Lines to add, with the names that they need.
pub(super) struct Lines<'a> {
    worker: &'a str,
    lines: Vec<Value>,
}

impl Study {
    /// Opens the study `name` in a journal; makes what is not there. A new study gets `notes`.
    ///
    /// # Errors
    /// If the journal cannot be read or written, or the study goes for another direction.
    pub fn open(path: &Path, name: &str, objective: Objective, worker: &str, notes: &Map<String, Value>) -> Result<Self, SearchError> {
        let journal = Journal::new(path);
        journal.create()?;
        let mut study = Self { journal, replay: Replay::default(), id: 0, worker: worker.into() };
        let lock = study.journal.lock()?;
        study.refresh()?;
        if study.replay.study(name).is_none() {
            let mut lines = Lines { worker, lines: Vec::new() };
            lines.push(Operation::CreateStudy, json!({ "study_name": name, "directions": [objective.direction() as u64] }));
            study.journal.append(&lock, &lines.lines)?;
            study.refresh()?;
            let id = study.replay.study(name).map_or(0, |record| record.id);
            let mut lines = Lines { worker, lines: Vec::new() };
            lines.push(Operation::StudySystemAttr, json!({ "study_id": id, "system_attr": { "study:metric_names": [objective.name()] } }));
            for (key, value) in notes {
                lines.push(Operation::StudyUserAttr, json!({ "study_id": id, "user_attr": { key: value } }));
            }
            study.journal.append(&lock, &lines.lines)?;
            study.refresh()?;
        }
        drop(lock);
        let record = study.replay.study(name).ok_or_else(|| SearchError::other_study(name, "is not in its journal"))?;
        if record.direction != objective.direction() {
            return Err(SearchError::other_study(name, "makes its objective better in the other direction"));
        }
        study.id = record.id;
        Ok(study)
    }

    /// The study as of the last look.
    ///
    /// # Errors
    /// If somebody deleted it.
    pub fn record(&self) -> Result<&StudyRecord, SearchError> {
        self.replay.study_by_id(self.id).ok_or_else(|| SearchError::other_study("", "was deleted by somebody"))
    }

    /// Reads what was added.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn refresh(&mut self) -> Result<(), SearchError> {
        let Self { journal, replay, .. } = self;
        journal.read_new(|line| replay.apply(line))
    }

    /// Under the lock: reads, lets `decide` choose lines to add, adds them, reads them back.
    ///
    /// # Errors
    /// If the journal cannot be read or written.
    pub fn update<T>(&mut self, decide: impl FnOnce(&StudyRecord, usize, &mut Lines) -> T) -> Result<T, SearchError> {
        let lock = self.journal.lock()?;
        self.refresh()?;
        let mut lines = Lines { worker: &self.worker, lines: Vec::new() };
        let decided = decide(self.record()?, self.replay.trials(), &mut lines);
        if !lines.lines.is_empty() {
            self.journal.append(&lock, &lines.lines)?;
        }
        drop(lock);
        self.refresh()?;
        Ok(decided)
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

impl Lines<'_> {
    fn push(&mut self, operation: Operation, fields: Value) {
        let mut line = Map::from_iter([("op_code".into(), json!(operation as u64)), ("worker_id".into(), json!(self.worker))]);
        if let Value::Object(fields) = fields {
            line.extend(fields);
        }
        self.lines.push(Value::Object(line));
    }

    /// A new trial that runs: `id` is that of the next trial of the journal.
    pub fn create_trial(&mut self, study: &StudyRecord, id: usize, params: &Params) {
        self.push(Operation::CreateTrial, json!({ "study_id": study.id, "datetime_start": clock::now() }));
        for (name, param) in params {
            let distribution = param.distribution.to_json();
            self.push(
                Operation::Param,
                json!({ "trial_id": id, "param_name": name, "param_value_internal": param.internal, "distribution": distribution }),
            );
        }
    }

    /// A note for people.
    pub fn user_attr(&mut self, id: usize, key: &str, value: impl Into<Value>) {
        let value: Value = value.into();
        self.push(Operation::TrialUserAttr, json!({ "trial_id": id, "user_attr": { key: value } }));
    }

    /// A note for programs.
    pub fn system_attr(&mut self, id: usize, key: &str, value: impl Into<Value>) {
        let value: Value = value.into();
        self.push(Operation::TrialSystemAttr, json!({ "trial_id": id, "system_attr": { key: value } }));
    }

    /// The objective after an epoch. What is no number cannot be written.
    pub fn intermediate(&mut self, id: usize, step: i64, value: f64) {
        if value.is_finite() {
            self.push(Operation::Intermediate, json!({ "trial_id": id, "step": step, "intermediate_value": value }));
        }
    }

    /// The end of a trial.
    pub fn end(&mut self, id: usize, state: TrialState, value: Option<f64>) {
        let values = value.filter(|value| value.is_finite()).map(|value| [value]);
        let fields = json!({ "trial_id": id, "state": state as u64, "values": values, "datetime_complete": clock::now() });
        self.push(Operation::State, fields);
    }
}

#[cfg(test)]
mod tests;
