//! Searches with real, tiny runs: budgets, pruning, restarts, several processes, Optuna beside us.

mod away;
mod cluster;
mod cmaes;
mod command;
mod kill;
mod optuna;
mod run;
mod shared;

use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tuning_fork::data::{Dataset, synth};
use tuning_fork::search::{
    self, Budget, Ending, Event, Objective, OnRestart, Plan, Pruner, Sampler, SearchError, Space, Storage, StudyRecord,
};
use tuning_fork::train::{Command, Config};

/// Values that make runs of a second.
const SPACE: &str = r#"
lr = { low = 1e-4, high = 1e-2, log = true }
batch = { choices = [8, 16] }
optimizer = { choices = ["adamw", "sgd"] }
momentum = { low = 0.5, high = 0.9, when = { optimizer = "sgd" } }
"#;

fn plan(folder: &Path, trials: usize) -> Plan {
    plan_in(Storage::Journal(folder.join("study.log")), trials)
}

/// A search of so many tiny runs.
pub fn plan_in(storage: Storage, trials: usize) -> Plan {
    Plan {
        storage,
        study: "tiny".into(),
        space: Space::parse(SPACE).expect("a space"),
        base: Config { synthetic_images: 50, size: 32, epochs: 2, threads: 1, snapshots: 0, ..Config::default() },
        objective: Objective::MacroF1,
        sampler: Sampler::Tpe,
        pruner: Pruner::None,
        budget: Budget { trials: Some(trials), time: None },
        on_restart: OnRestart::Resume,
        heartbeat: search::HEARTBEAT,
        wait: search::WAIT,
    }
}

fn journal(plan: &Plan) -> &Path {
    let Storage::Journal(path) = &plan.storage else { panic!("a journal") };
    path
}

fn galaxies() -> Arc<Dataset> {
    Arc::new(synth::dataset(50, 32, 42).expect("galaxies"))
}

/// Runs a plan to its end; `hear` may send commands.
pub fn run(plan: &Plan, mut hear: impl FnMut(&Event, &Sender<Command>)) -> (Result<Ending, SearchError>, Vec<Event>) {
    let (send, receive): (Sender<Command>, Receiver<Command>) = unbounded();
    let mut events = Vec::new();
    let mut tell = |event: Event| {
        hear(&event, &send);
        events.push(event);
    };
    let result = search::run(plan, &galaxies(), &receive, &mut tell);
    (result, events)
}

fn study(plan: &Plan) -> StudyRecord {
    let studies = search::studies(&plan.storage, &plan.study).expect("a readable journal");
    studies.into_iter().find(|study| study.name == plan.study).expect("the study")
}
