//! Hyper-parameter search: which values to try next, which trials to stop early, and a journal that survives anything.
//! A trial is a training run in a folder of its own; nothing here draws, prints or parses arguments.
//!
//! A study lives in a journal in Optuna's format, or in a PostgreSQL database in Optuna's tables, which Optuna's dashboard opens and
//! Optuna's Python goes on with. Everything that is decided is read from it, so any number of processes, on one machine or on many, may
//! work on one study, and any of them may be killed.

mod artifacts;
mod background;
mod changes;
mod clock;
mod closing;
mod cmaes;
mod configure;
mod database;
mod distribution;
mod error;
mod evolution;
mod importance;
mod journal;
mod journaled;
mod lock;
mod objective;
mod parzen;
mod plan;
mod protocol;
mod pruner;
mod queue;
mod replay;
mod runner;
mod sampler;
mod space;
mod storage;
mod study;
mod tpe;
mod trainer;
mod trial;
mod waiting;
mod worker;

pub use artifacts::artifacts_in;
pub use background::{Handle, ended, spawn};
pub use closing::Closing;
pub use configure::{Param, Params, config, fields, words};
pub use database::{Address, DatabaseRead, DatabaseReader, StudyRead};
pub use distribution::Distribution;
pub use error::SearchError;
pub use importance::importances;
pub use objective::{Direction, Objective};
pub use plan::{Budget, HEARTBEAT, Kept, OnRestart, Plan, journal_of};
pub use protocol::{Ending, Event, Notice, SearchEnded, TrialEnded, TrialEpoch, TrialStarted};
pub use pruner::{Pruner, PrunerKind, Verdict};
pub use runner::{interrupted, run, run_of, run_until};
pub use sampler::{Proposal, Sampler};
pub use space::{Condition, Parameter, Space};
pub use storage::{Storage, studies};
pub use study::read;
pub use trial::{StudyRecord, Trial, TrialState};
pub use waiting::{WAIT, patiently};
