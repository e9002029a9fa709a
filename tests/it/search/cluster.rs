//! Workers that share a study through PostgreSQL: several of ours, Optuna's Python among them, killed and cut off.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tuning_fork::search::{Address, DatabaseReader, TrialState, run_of};

use super::*;
use crate::postgres::{PASSWORD, Server};

/// A worker's process.
pub fn worker(folder: &Path, address: &str, arguments: &[&str]) -> Process {
    let mut command = Process::new(env!("CARGO_BIN_EXE_tuning-fork"));
    command.current_dir(folder).args(["search", "--worker", "--study", address]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_LOG").env_remove("PGPASSWORD");
    command
}

pub const TINY: &[&str] =
    &["--synthetic-images=50", "--size=32", "--threads=1", "--space=space.toml", "--pruner=hyperband", "--least-epochs=1"];

fn words(child: Child) -> (bool, String) {
    let output = child.wait_with_output().expect("an end");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout))
}

pub fn database(address: &str, folder: &Path) -> Storage {
    Storage::Database { address: Address::parse(address).expect("an address"), folder: folder.into() }
}

fn read(storage: &Storage) -> StudyRecord {
    search::studies(storage, "galaxies").expect("a readable database").pop().expect("the study")
}

/// A Python that has Optuna and a driver.
fn python() -> Option<String> {
    let named = std::env::var("TUNING_FORK_PYTHON").unwrap_or_else(|_| "python3".into());
    let there = Process::new(&named).args(["-c", "import optuna, psycopg2"]).output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!(
            "skipped in part: {named} has no optuna or psycopg2 (pip install optuna psycopg2-binary, or name another Python in TUNING_FORK_PYTHON)"
        );
    }
    there.then_some(named)
}

const PYTHON: &str = r#"
import json, sys, time
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
what, url = sys.argv[1:]
storage = optuna.storages.RDBStorage(url.replace("postgresql://", "postgresql+psycopg2://"), heartbeat_interval=60)
if what == "make":
    sys.exit()
study = optuna.load_study(study_name="galaxies", storage=storage)
if what == "queue":
    study.enqueue_trial({"lr": 0.00321, "optimizer": "adamw"}, user_attrs={"asked": "by Python"})
    study.enqueue_trial({"batch": 7})
elif what == "work":
    study.sampler = optuna.samplers.TPESampler(multivariate=True, seed=1)
    def objective(trial):
        trial.suggest_float("lr", 1e-4, 1e-2, log=True)
        trial.suggest_categorical("batch", [8, 16])
        if trial.suggest_categorical("optimizer", ["adamw", "sgd"]) == "sgd":
            trial.suggest_float("momentum", 0.5, 0.9)
        for step in (1, 2):
            trial.report(0.1 * step, step)
            time.sleep(0.05)
        return 0.2
    study.optimize(objective, n_trials=8)
trials = [[t.number, t.state.name, t.value, t.params, sorted(t.intermediate_values.items()), t.user_attrs] for t in study.trials]
print(json.dumps({"trials": trials, "direction": study.direction.name, "names": study.metric_names}))
"#;

fn ask(python: &str, what: &str, address: &str) -> Child {
    let command =
        Process::new(python).args(["-W", "ignore", "-c", PYTHON, what, address]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    command.expect("Python")
}

fn answer(child: Child) -> Value {
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn workers_of_ours_and_optunas_python_share_a_study_in_postgresql() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("space.toml"), SPACE).expect("a file");
    let address = server.database("ours");
    let storage = database(&address, &folder.path().join("searches"));
    // the first worker makes the tables and the study; a later one takes everything from there
    let first = worker(folder.path(), &address, &[TINY, &["--epochs=3", "--trials=1"]].concat()).spawn().expect("a worker");
    let (good, said) = words(first);
    assert!(good && !said.contains(PASSWORD), "{said}");
    let python = python();
    if let Some(python) = &python {
        let theirs = server.database("theirs");
        answer(ask(python, "make", &theirs));
        assert_eq!(server.schema("ours"), server.schema("theirs"));
        answer(ask(python, "queue", &address));
    }
    let others = python.as_ref().map(|python| ask(python, "work", &address));
    let most = if others.is_some() { 20 } else { 8 };
    let raise = format!("--trials={most}");
    let workers: Vec<Child> = [&[raise.as_str()][..], &["--trials", &most.to_string()]]
        .into_iter()
        .map(|arguments| worker(folder.path(), &address, arguments).spawn().expect("a worker"))
        .collect();
    for worker in workers {
        let (good, said) = words(worker);
        assert!(good && !said.contains(PASSWORD), "{said}");
    }
    if let Some(others) = others {
        answer(others);
    }
    let study = read(&storage);
    assert_eq!(study.trials.iter().map(|trial| trial.number).collect::<Vec<_>>(), (0..study.trials.len()).collect::<Vec<_>>());
    assert!(study.trials.iter().all(|trial| trial.state.is_finished()), "none is lost");
    let ours: Vec<_> = study.trials.iter().filter(|trial| run_of(trial).is_some()).collect();
    let runs: BTreeSet<_> = ours.iter().map(|trial| run_of(trial)).collect();
    let by: BTreeSet<String> = ours.iter().map(|trial| trial.system_attrs["tuning_fork:worker"].to_string()).collect();
    assert!(runs.len() == ours.len() && by.len() >= 2, "{by:?}");
    for trial in &ours {
        assert!(trial.seconds().is_some_and(|seconds| seconds > 0.0));
        let run = storage.home().join(run_of(trial).expect("a run"));
        assert_eq!(run.join("config.json").is_file(), trial.state != TrialState::Fail, "{}", run.display());
    }
    assert!(!holds(folder.path(), PASSWORD), "the password is nowhere on the disk");
    let Some(python) = python else { return };
    assert!(study.trials.len() >= 20 && study.trials.len() - ours.len() >= 8);
    let asked =
        study.trials.iter().find(|trial| trial.user_attrs.get("asked").is_some_and(|by| by == "by Python")).expect("the queued trial");
    assert_eq!((asked.params["lr"].value(), asked.params["optimizer"].value()), (0.00321.into(), "adamw".into()));
    let refused = study.trials.iter().find(|trial| trial.state == TrialState::Fail).expect("a queued batch of 7 is none of the space");
    assert!(refused.user_attrs["error"].as_str().is_some_and(|why| why.contains("batch 7")));
    let told = answer(ask(&python, "read", &address));
    assert_eq!((&told["direction"], &told["names"]), (&"MAXIMIZE".into(), &serde_json::json!(["val_macro_f1"])));
    for (trial, theirs) in study.trials.iter().zip(told["trials"].as_array().expect("trials")) {
        assert_eq!(theirs[0], trial.number);
        assert_eq!(theirs[1], format!("{:?}", trial.state).to_uppercase());
        assert_eq!(theirs[2].as_f64(), trial.value);
        assert!(trial.params.iter().all(|(name, param)| theirs[3][name] == param.value()), "{theirs}");
        let steps: Vec<(i64, f64)> = trial.intermediate.iter().map(|(&step, &value)| (step, value)).collect();
        assert_eq!(theirs[4], serde_json::json!(steps));
    }
}

/// Whether a text is in any file below a folder.
fn holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).expect("a folder").flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return holds(&path, text);
        }
        std::fs::read(&path).expect("a file").windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn the_trial_of_a_killed_worker_is_taken_up_or_fails_as_chosen() {
    let Some(server) = Server::start() else { return };
    for (name, on_restart) in [("resumed", "--on-restart=resume"), ("failed", "--on-restart=fail"), ("held", "--on-restart=resume")] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("space.toml"), SPACE).expect("a file");
        let address = server.database(name);
        let storage = database(&address, &folder.path().join("searches"));
        let arguments = [TINY, &["--epochs=12", "--pruner=none", "--patience=0", "--trials=1", "--heartbeat=1"]].concat();
        let mut child = worker(folder.path(), &address, &arguments).spawn().expect("a worker");
        let epochs =
            || search::studies(&storage, "galaxies").ok().and_then(|studies| Some(studies.first()?.trials.first()?.intermediate.len()));
        let start = Instant::now();
        while epochs().unwrap_or(0) < 2 {
            assert!(child.try_wait().expect("a child").is_none(), "it ended too early: {}", words(child).1);
            assert!(start.elapsed() < Duration::from_mins(3), "nothing happens");
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().expect("a child to kill");
        child.wait().expect("a dead child");
        let take = || worker(folder.path(), &address, &["--heartbeat=2", on_restart]).spawn().expect("a worker");
        // longer than those who take it up may be silent, too: they must not look as if they were
        std::thread::sleep(Duration::from_millis(4500));
        if name == "failed" {
            let silent = "INSERT INTO trials (study_id, number, state) VALUES (1, 1, 'RUNNING');
                INSERT INTO trial_heartbeats (trial_id, heartbeat) SELECT max(trial_id), localtimestamp - interval '1 day' FROM trials";
            server.sql(name, silent);
        }
        if name == "held" {
            let run = run_of(&read(&storage).trials[0]).expect("a run");
            let lock = std::fs::File::open(storage.home().join(run).join("lock")).expect("the lock of the run");
            lock.lock().expect("nobody has it");
            let (good, said) = words(take());
            assert!(good && said.contains("left alone"), "{said}");
            assert_eq!(read(&storage).trials[0].state, TrialState::Running);
        }
        let (start, mut taken) = (Instant::now(), 0);
        while read(&storage).trials[0].state == TrialState::Running {
            assert!(start.elapsed() < Duration::from_mins(3), "nobody takes it up");
            for worker in [take(), take(), take()] {
                let (good, said) = words(worker);
                assert!(good, "{said}");
                taken += said.matches(" goes on:").count();
            }
        }
        let study = read(&storage);
        let trial = &study.trials[0];
        assert_eq!(taken, usize::from(name != "failed"), "one takes it up, the others see that it lives");
        if name == "failed" {
            assert_eq!(study.trials[1].state, TrialState::Running, "a trial of another program is not ours to end");
            assert_eq!(trial.state, TrialState::Fail);
            assert!(trial.user_attrs["error"].as_str().is_some_and(|why| why.contains("ended")));
        } else {
            assert_eq!((trial.state, trial.intermediate.len()), (TrialState::Complete, 12));
            assert_eq!(server.sql(name, "SELECT count(*) FROM trials").trim(), "1");
        }
    }
}

#[test]
fn a_database_that_goes_away_stops_no_training() {
    let Some(mut server) = Server::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let storage = database(&server.database("away"), folder.path());
    let mut plan = Plan { storage, heartbeat: Duration::from_secs(1), ..plan(folder.path(), 2) };
    plan.base.epochs = 4;
    plan.base.patience = 0;
    let (ending, events) = run(&plan, |event, _| match event {
        Event::TrialEpoch(epoch) if (epoch.number, epoch.epoch) == (0, 1) => server.stop(),
        Event::TrialEpoch(epoch) if (epoch.number, epoch.epoch) == (0, 4) => server.resume(),
        _ => {}
    });
    assert_eq!(ending.expect("a good end"), Ending::Trials);
    let told: Vec<&str> =
        events.iter().filter_map(|event| if let Event::Notice(notice) = event { Some(notice.message.as_str()) } else { None }).collect();
    assert!(
        told.iter().any(|words| words.contains("a trial that trains goes on")) && told.iter().any(|words| words.contains("is back")),
        "{told:?}"
    );
    let study = study(&plan);
    assert_eq!(study.trials.len(), 2);
    for trial in &study.trials {
        assert_eq!((trial.state, trial.intermediate.len()), (TrialState::Complete, 4));
    }
}

#[test]
fn what_a_database_refuses_is_told_with_what_to_do() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let good = server.database("good");
    let refused = |address: &str, word: &str| {
        let (good, said) = words(worker(folder.path(), address, &["--trials=1", "--wait=1"]).spawn().expect("a worker"));
        assert!(!good && said.contains(word) && !said.contains(PASSWORD) && !said.contains("wrong-password"), "{word}: {said}");
        assert!(!folder.path().join("searches").exists());
    };
    refused(&good.replace(PASSWORD, "wrong-password"), "PGPASSWORD");
    refused(&good.replace("/good", "/none"), "createdb");
    refused(&good.replace(&format!(":{PASSWORD}"), ""), "PGPASSWORD");
    refused("postgresql://tuner@127.0.0.1:1/good", "can be reached");
    refused("postgresql://tuner@nowhere.invalid/good?connect_timeout=3", "can be reached");
    refused("mysql://tuner@127.0.0.1/good", "postgresql://");
    refused(&format!("{good}?sslmode=require"), "sslmode");
    server.database("future");
    server.sql(
        "future",
        "CREATE TABLE studies (a int); CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('v9.0.0.a')",
    );
    refused(&server.address("future"), "newer");
    server.database("past");
    server.sql(
        "past",
        "CREATE TABLE studies (a int); CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('v3.0.0.d')",
    );
    refused(&server.address("past"), "optuna storage upgrade");
    // a study of another space
    std::fs::write(folder.path().join("space.toml"), SPACE).expect("a file");
    std::fs::write(folder.path().join("other.toml"), "lr = { low = 1e-5, high = 1e-3, log = true }").expect("a file");
    let (done, said) = words(worker(folder.path(), &good, &[TINY, &["--epochs=1", "--trials=1"]].concat()).spawn().expect("a worker"));
    assert!(done, "{said}");
    let (done, said) = words(worker(folder.path(), &good, &["--space=other.toml", "--trials=2"]).spawn().expect("a worker"));
    assert!(!done && said.contains("another space"), "{said}");
    // a study that holds nonsense does not hide the others
    let nonsense = "INSERT INTO studies (study_name) VALUES ('nonsense');
        INSERT INTO trials (study_id, number, state) SELECT max(study_id), 5, 'RUNNING' FROM studies";
    server.sql("good", nonsense);
    let read = DatabaseReader::new(&Address::parse(&good).expect("an address")).read(search::HEARTBEAT).expect("a readable database");
    assert!(read.studies.len() == 1 && read.damaged.len() == 1 && read.damaged[0].contains("nonsense"), "{:?}", read.damaged);
}
