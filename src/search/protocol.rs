//! What a search tells while it goes; `--json` on the command line prints it, the JSON tag is `"event"`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::TrialState;

/// What a search tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A trial begins, or goes on.
    TrialStarted(TrialStarted),
    /// An epoch of it ended.
    TrialEpoch(TrialEpoch),
    /// It ended.
    TrialEnded(TrialEnded),
    /// Something that the user should know; the search goes on.
    Notice(Notice),
    /// The last event, exactly once.
    SearchEnded(SearchEnded),
}

/// A trial begins, or goes on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialStarted {
    /// Its number in the study, counted from 0.
    pub number: usize,
    /// Its values by their names.
    pub params: Map<String, Value>,
    /// The same in words.
    pub words: String,
    /// The folder of its run.
    pub run: String,
    /// Whether it was begun by a process that is gone.
    pub resumed: bool,
}

/// An epoch of a trial ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialEpoch {
    /// The trial.
    pub number: usize,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// Epochs of a whole trial.
    pub epochs: usize,
    /// The objective after it.
    pub value: f64,
}

/// A trial ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrialEnded {
    /// The trial.
    pub number: usize,
    /// How.
    pub state: TrialState,
    /// The objective: of the best epoch of a complete trial, of the last epoch of a pruned one.
    pub value: Option<f64>,
    /// In words for the user.
    pub message: String,
}

/// Something that the user should know.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Notice {
    /// In words for the user.
    pub message: String,
}

/// A search ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchEnded {
    /// Why.
    pub ending: Ending,
    /// In words for the user.
    pub message: String,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The study has as many trials as it should.
    Trials,
    /// Its time is over.
    Time,
    /// It was stopped; a trial that ran then goes on when the search is started again.
    Stopped,
    /// It could not go on.
    Failed,
}
