//! What one transaction writes into a study, whatever the study is kept in.

use serde_json::{Map, Value};

use super::{Params, TrialState};

/// One thing to write.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// A note of the study for people.
    StudyUserAttr { key: String, value: Value },
    /// A trial that runs from now on.
    Create { params: Params, user_attrs: Map<String, Value>, system_attrs: Map<String, Value> },
    /// A trial that waited runs from now on. If another process was faster the whole transaction is decided anew.
    Take { id: usize },
    /// A sign of life of the process that trains a trial, where the storage keeps them.
    Beat { id: usize },
    /// Parameters of a trial.
    Params { id: usize, params: Params },
    /// The objective after an epoch.
    Intermediate { id: usize, step: i64, value: f64 },
    /// A note for people.
    UserAttr { id: usize, key: String, value: Value },
    /// A note for programs.
    SystemAttr { id: usize, key: String, value: Value },
    /// The end of a trial.
    End { id: usize, state: TrialState, value: Option<f64> },
}

/// What one transaction writes, in this order. What comes too late, as a note of a trial that ended, is passed over.
#[derive(Debug, Default)]
pub(super) struct Changes(Vec<Change>);

impl Changes {
    pub fn list(&self) -> &[Change] {
        &self.0
    }

    /// A note of the study for people.
    pub fn study_user_attr(&mut self, key: &str, value: Value) {
        self.0.push(Change::StudyUserAttr { key: key.into(), value });
    }

    /// A new trial that runs.
    pub fn create_trial(&mut self, params: Params, user_attrs: Map<String, Value>, system_attrs: Map<String, Value>) {
        self.0.push(Change::Create { params, user_attrs, system_attrs });
    }

    /// A trial that waits shall run, with these parameters besides those that it has.
    pub fn take_trial(&mut self, id: usize, params: Params) {
        self.0.push(Change::Take { id });
        self.0.push(Change::Params { id, params });
    }

    /// A sign of life of the process that trains a trial: whoever takes one over must not seem silent.
    pub fn beat(&mut self, id: usize) {
        self.0.push(Change::Beat { id });
    }

    /// A note for people.
    pub fn user_attr(&mut self, id: usize, key: &str, value: impl Into<Value>) {
        self.0.push(Change::UserAttr { id, key: key.into(), value: value.into() });
    }

    /// A note for programs.
    pub fn system_attr(&mut self, id: usize, key: &str, value: impl Into<Value>) {
        self.0.push(Change::SystemAttr { id, key: key.into(), value: value.into() });
    }

    /// The objective after an epoch. A journal leaves out what is no number.
    pub fn intermediate(&mut self, id: usize, step: i64, value: f64) {
        self.0.push(Change::Intermediate { id, step, value });
    }

    /// The end of a trial.
    pub fn end(&mut self, id: usize, state: TrialState, value: Option<f64>) {
        self.0.push(Change::End { id, state, value: value.filter(|value| value.is_finite()) });
    }
}
