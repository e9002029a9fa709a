//! A study in a journal. A transaction takes the journal's lock, reads what others added, decides, adds lines.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::changes::{Change, Changes};
use super::journal::Journal;
use super::replay::{Operation, Replay};
use super::storage::{Decide, Keeper, Opening, Scope};
use super::{Closing, Params, SearchError, StudyRecord, TrialState, clock, plan, runner, worker};

/// A study in a journal, open for more trials.
#[derive(Debug)]
pub(super) struct JournalStudy {
    journal: Journal,
    replay: Replay,
    id: usize,
    /// Who writes, on every line.
    worker: String,
    /// The folder where workers register.
    workers: PathBuf,
    grace: Duration,
    closing: Closing,
    /// The file of this worker, if it had to be made again: the open file is the lock.
    again: Option<File>,
}

impl JournalStudy {
    /// Opens a study in a journal; makes what is not there.
    pub fn open(path: &Path, opening: Opening<'_>) -> Result<Self, SearchError> {
        let Opening { study: name, objective, notes, worker, grace, closing } = opening;
        let journal = Journal::new(path);
        journal.create()?;
        let workers = plan::workers(path, name);
        let (worker_name, closing) = (worker.to_owned(), closing.clone());
        let mut study = Self { journal, replay: Replay::default(), id: 0, worker: worker_name, workers, grace, closing, again: None };
        let lock = study.journal.lock(&study.closing)?;
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
        study.id = record.id;
        Ok(study)
    }

    fn refresh(&mut self) -> Result<(), SearchError> {
        let Self { journal, replay, .. } = self;
        journal.read_new(|line| replay.apply(line))
    }
}

impl Keeper for JournalStudy {
    fn record(&self) -> Option<&StudyRecord> {
        self.replay.study_by_id(self.id)
    }

    fn update(&mut self, scope: Scope, decide: &mut Decide<'_>) -> Result<(), SearchError> {
        let lock = self.journal.lock(&self.closing)?;
        self.refresh()?;
        let record = self.record().ok_or_else(SearchError::deleted)?;
        let left = if scope == Scope::Study { runner::left(record, &self.workers, self.grace) } else { Vec::new() };
        let mut changes = Changes::default();
        decide(record, &left, &mut changes);
        let mut lines = Lines { worker: &self.worker, lines: Vec::new() };
        let mut next_trial = self.replay.trials();
        for change in changes.list() {
            lines.change(record.id, &mut next_trial, change);
        }
        if !lines.lines.is_empty() {
            self.journal.append(&lock, &lines.lines)?;
        }
        drop(lock);
        self.refresh()
    }

    fn beat(&mut self, _trial: usize) -> Result<(), SearchError> {
        if let Some(file) = worker::beat(&self.workers, &self.worker)? {
            self.again = Some(file);
        }
        Ok(())
    }
}

/// Lines to add, with the names that they need.
struct Lines<'a> {
    worker: &'a str,
    lines: Vec<Value>,
}

impl Lines<'_> {
    fn push(&mut self, operation: Operation, fields: Value) {
        let mut line = Map::from_iter([("op_code".into(), json!(operation as u64)), ("worker_id".into(), json!(self.worker))]);
        if let Value::Object(fields) = fields {
            line.extend(fields);
        }
        self.lines.push(Value::Object(line));
    }

    /// The lines of a change; `next_trial` is the id of the next trial of the journal.
    fn change(&mut self, study: usize, next_trial: &mut usize, change: &Change) {
        match change {
            Change::StudyUserAttr { key, value } => {
                self.push(Operation::StudyUserAttr, json!({ "study_id": study, "user_attr": { key: value } }));
            }
            Change::Create { params, user_attrs, system_attrs } => {
                let id = *next_trial;
                *next_trial += 1;
                self.push(Operation::CreateTrial, json!({ "study_id": study, "datetime_start": clock::now() }));
                self.params(id, params);
                for (key, value) in system_attrs {
                    self.push(Operation::TrialSystemAttr, json!({ "trial_id": id, "system_attr": { key: value } }));
                }
                for (key, value) in user_attrs {
                    self.push(Operation::TrialUserAttr, json!({ "trial_id": id, "user_attr": { key: value } }));
                }
            }
            // who trains a trial shows that it lives by its file
            Change::Beat { .. } => {}
            Change::Take { id } => {
                let state = TrialState::Running as u64;
                self.push(Operation::State, json!({ "trial_id": id, "state": state, "values": null, "datetime_start": clock::now() }));
            }
            Change::Params { id, params } => self.params(*id, params),
            // JSON has no name for what is no number
            Change::Intermediate { value, .. } if !value.is_finite() => {}
            Change::Intermediate { id, step, value } => {
                self.push(Operation::Intermediate, json!({ "trial_id": id, "step": step, "intermediate_value": value }));
            }
            Change::UserAttr { id, key, value } => {
                self.push(Operation::TrialUserAttr, json!({ "trial_id": id, "user_attr": { key: value } }));
            }
            Change::SystemAttr { id, key, value } => {
                self.push(Operation::TrialSystemAttr, json!({ "trial_id": id, "system_attr": { key: value } }));
            }
            Change::End { id, state, value } => {
                let values = value.map(|value| [value]);
                let fields = json!({ "trial_id": id, "state": *state as u64, "values": values, "datetime_complete": clock::now() });
                self.push(Operation::State, fields);
            }
        }
    }

    fn params(&mut self, id: usize, params: &Params) {
        for (name, param) in params {
            let distribution = param.distribution.to_json();
            self.push(
                Operation::Param,
                json!({ "trial_id": id, "param_name": name, "param_value_internal": param.internal, "distribution": distribution }),
            );
        }
    }
}
