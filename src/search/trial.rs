//! One trial of a study, as its journal tells it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Direction, Params};

/// Where a trial stands; the numbers are Optuna's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    /// It trains, or did until its process was killed.
    Running = 0,
    /// It ran to its end.
    Complete = 1,
    /// It was not good enough to go on.
    Pruned = 2,
    /// It could not go on.
    Fail = 3,
    /// Somebody queued it.
    Waiting = 4,
}

impl TrialState {
    /// The state of Optuna's number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::Running, Self::Complete, Self::Pruned, Self::Fail, Self::Waiting].into_iter().find(|state| *state as u64 == number)
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned | Self::Fail)
    }
}

/// One trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Its number in the journal, counted from 0 over all studies.
    pub id: usize,
    /// Its number in the study, counted from 0.
    pub number: usize,
    /// Where it stands.
    pub state: TrialState,
    /// Its parameters.
    pub params: Params,
    /// The value of the objective, once it is complete; of a pruned trial the last one that it reported.
    pub value: Option<f64>,
    /// The objective by epoch, counted from 1.
    pub intermediate: BTreeMap<i64, f64>,
    /// What people and programs noted beside it ("run" is the folder of the run, from the journal's folder).
    pub user_attrs: Map<String, Value>,
    /// What samplers and pruners noted.
    pub system_attrs: Map<String, Value>,
    /// When it started, ISO 8601.
    pub started: Option<String>,
    /// When it ended, ISO 8601.
    pub ended: Option<String>,
}

impl Trial {
    /// The last reported epoch and the objective in it.
    #[must_use]
    pub fn last(&self) -> Option<(i64, f64)> {
        self.intermediate.last_key_value().map(|(&step, &value)| (step, value))
    }

    /// Seconds from its start to its end; `None` while it runs.
    #[must_use]
    pub fn seconds(&self) -> Option<f64> {
        super::clock::seconds_between(self.started.as_deref()?, self.ended.as_deref()?)
    }

    /// Whether samplers learn from it: it is complete with a number, or pruned.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        match self.state {
            TrialState::Complete => self.value.is_some_and(|value| !value.is_nan()),
            TrialState::Pruned => true,
            _ => false,
        }
    }
}

/// One study, as its journal tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyRecord {
    /// Its number in the journal.
    pub id: usize,
    /// Its name.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
    /// What people and programs noted beside it.
    pub user_attrs: Map<String, Value>,
    /// What samplers and the dashboard noted.
    pub system_attrs: Map<String, Value>,
    /// The trials by number.
    pub trials: Vec<Trial>,
}

impl StudyRecord {
    /// The complete trial with the best value; the first of several.
    #[must_use]
    pub fn best(&self) -> Option<&Trial> {
        let cost = |trial: &Trial| trial.value.map_or(f64::INFINITY, |value| self.direction.cost(value));
        let complete = self.trials.iter().filter(|t| t.state == TrialState::Complete && t.is_evidence());
        complete.min_by(|a, b| cost(a).total_cmp(&cost(b)))
    }

    /// The complete trials, best first.
    #[must_use]
    pub fn ranking(&self) -> Vec<&Trial> {
        let cost = |trial: &Trial| trial.value.map_or(f64::INFINITY, |value| self.direction.cost(value));
        let mut complete: Vec<&Trial> = self.trials.iter().filter(|t| t.state == TrialState::Complete && t.is_evidence()).collect();
        complete.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
        complete
    }

    /// How many trials are in a state.
    #[must_use]
    pub fn count(&self, state: TrialState) -> usize {
        self.trials.iter().filter(|trial| trial.state == state).count()
    }
}
