//! What a search costs beyond its training: opening a study of 1,000 trials, choosing the next values there, writing an epoch down.
//!
//! `cargo bench --bench search`

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tuning_fork::data::synth;
use tuning_fork::search::{self, Budget, Direction, Event, Objective, OnRestart, Plan, Pruner, Sampler, Space, Storage, StudyRecord};
use tuning_fork::train::{self, Config, Job, RunFolder, Session};

const TRIALS: usize = 1_000;
const EPOCHS: usize = 20;

/// A journal of many trials of the built-in space.
fn journal() -> String {
    let space = Space::default();
    let empty = StudyRecord {
        id: 0,
        name: "many".into(),
        direction: Direction::Maximize,
        user_attrs: serde_json::Map::new(),
        system_attrs: serde_json::Map::new(),
        trials: Vec::new(),
    };
    let mut text = String::from("{\"op_code\":0,\"worker_id\":\"w-0\",\"study_name\":\"many\",\"directions\":[2]}\n");
    for trial in 0..TRIALS {
        let time = "2026-11-23T20:15:03.000042+00:00";
        let mut line = |fields: String| writeln!(text, "{{\"worker_id\":\"w-0\",{fields}}}").expect("a text");
        line(format!("\"op_code\":4,\"study_id\":0,\"datetime_start\":\"{time}\""));
        for (name, param) in Sampler::Random.sample(&space, &empty, trial as u64) {
            let distribution = serde_json::Value::String(param.distribution.to_json());
            let internal = param.internal;
            line(format!(
                "\"op_code\":5,\"trial_id\":{trial},\"param_name\":\"{name}\",\"param_value_internal\":{internal},\"distribution\":{distribution}"
            ));
        }
        for epoch in 1..=EPOCHS {
            line(format!("\"op_code\":7,\"trial_id\":{trial},\"step\":{epoch},\"intermediate_value\":0.{epoch:02}{trial:04}"));
        }
        line(format!("\"op_code\":6,\"trial_id\":{trial},\"state\":1,\"values\":[0.5{trial:04}],\"datetime_complete\":\"{time}\""));
    }
    text
}

fn milliseconds(name: &str, repeats: u32, mut work: impl FnMut()) {
    let start = Instant::now();
    for _ in 0..repeats {
        work();
    }
    println!("{name}: {:.2} ms", start.elapsed().as_secs_f64() * 1e3 / f64::from(repeats));
}

fn main() {
    let folder = std::env::temp_dir().join(format!("tuning-fork-bench-search-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("many.log");
    std::fs::write(&path, journal()).expect("room");
    milliseconds("open a study of 1,000 trials of 20 epochs", 5, || drop(search::read(&path).expect("a journal")));
    let studies = search::read(&path).expect("a journal");
    milliseconds("choose the values of its next trial (TPE)", 5, || drop(Sampler::Tpe.sample(&Space::default(), &studies[0], 1)));
    milliseconds("choose them by CMA-ES", 5, || drop(Sampler::CmaEs.sample(&Space::default(), &studies[0], 1)));
    milliseconds("importances of its parameters", 5, || drop(search::importances(&studies[0])));
    overhead(&folder);
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

/// Seconds of a search of tiny trials that are not seconds of their runs.
fn overhead(folder: &std::path::Path) {
    let mut plan = Plan {
        storage: Storage::Journal(folder.join("tiny.log")),
        study: "tiny".into(),
        space: Space::default(),
        base: Config { synthetic_images: 100, size: 32, epochs: 2, threads: 1, snapshots: 0, ..Config::default() },
        objective: Objective::MacroF1,
        sampler: Sampler::Tpe,
        pruner: Pruner::None,
        budget: Budget { trials: Some(15), time: None },
        on_restart: OnRestart::Resume,
        heartbeat: search::HEARTBEAT,
        wait: search::WAIT,
    };
    let dataset = Arc::new(synth::dataset(100, 32, 1).expect("galaxies"));
    plan.fit(&dataset).expect("a usable space");
    let (_keep, commands) = crossbeam_channel::unbounded();
    let (mut between, mut last) = (0.0, Instant::now());
    let mut tell = |event: Event| {
        if matches!(event, Event::TrialStarted(_)) {
            between += last.elapsed().as_secs_f64();
        }
        last = Instant::now();
    };
    let start = Instant::now();
    search::run(&plan, &dataset, &commands, &mut tell).expect("a search");
    let seconds = start.elapsed().as_secs_f64();
    println!("between two trials: {:.2} ms", between * 1e3 / 15.0);
    // batches, steps and validation; the rest is setting up, checkpoints, models, the journal
    let trained: f64 = runs_of(&plan).iter().map(|(_, run)| run.epochs.iter().map(|epoch| epoch.seconds).sum::<f64>()).sum();
    println!("a trial beyond its epochs: {:.2} ms", (seconds - trained) * 1e3 / 15.0);
    // the same runs once more, without a search
    let start = Instant::now();
    for (number, config) in runs_of(&plan).into_iter().map(|(config, _)| config).enumerate() {
        let run = RunFolder::create(folder.join(format!("alone-{number}"))).expect("a folder");
        let handle = train::spawn(Job { config, dataset: Arc::clone(&dataset), folder: run }, None);
        while !matches!(handle.next(Duration::from_mins(1)), Some(train::Event::Ended(_)) | None) {}
    }
    println!("a trial beyond the same run without a search: {:.2} ms", (seconds - start.elapsed().as_secs_f64()) * 1e3 / 15.0);
}

/// The runs of the trials: what they were to do, and what they told.
fn runs_of(plan: &Plan) -> Vec<(Config, Session)> {
    let Storage::Journal(journal) = &plan.storage else { panic!("the bench keeps its study in a journal") };
    let studies = search::read(journal).expect("a journal");
    let home = plan.storage.home();
    let run = |trial: &search::Trial| search::run_of(trial).map(|run| home.join(run));
    let folders = studies[0].trials.iter().filter_map(run);
    folders.map(|folder| RunFolder::open(folder).and_then(|run| Ok((run.config()?, run.outline()?))).expect("a run")).collect()
}
