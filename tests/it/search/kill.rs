//! The real program, killed in the middle.

#![cfg(unix)]

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tuning_fork::search::{self, StudyRecord, TrialState, run_of};

const TRIALS: usize = 6;

fn program(folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuning-fork"));
    command
        .current_dir(folder)
        .args(["search", "--study=kill", "--journal=study.log", "--pruner=median", "--least-epochs=2", "--space=space.toml"])
        .args(["--synthetic-images=50", "--size=32", "--epochs=3", "--threads=1", "--model=compact"])
        .arg(format!("--trials={TRIALS}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Waits until `ready` holds of the study, then kills the program.
fn kill_when(mut child: Child, journal: &std::path::Path, ready: impl Fn(&StudyRecord) -> bool) {
    let start = Instant::now();
    loop {
        let study = search::read(journal).ok().and_then(|mut studies| studies.pop());
        if study.is_some_and(|study| ready(&study)) {
            break;
        }
        assert!(child.try_wait().expect("a child").is_none(), "it ended before it could be killed");
        assert!(start.elapsed() < Duration::from_mins(5), "nothing happens");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("a child to kill");
    child.wait().expect("a dead child");
}

#[test]
fn a_search_that_is_killed_twice_ends_with_every_trial_accounted_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("study.log");
    std::fs::write(folder.path().join("space.toml"), super::SPACE).expect("a file");
    // in the middle of the first trial, then in that of a later one
    kill_when(program(folder.path()).spawn().expect("the program"), &journal, |study| {
        study.trials.first().is_some_and(|trial| !trial.intermediate.is_empty())
    });
    assert_eq!(search::read(&journal).expect("a journal")[0].trials[0].state, TrialState::Running);
    kill_when(program(folder.path()).spawn().expect("the program"), &journal, |study| {
        study.trials.iter().any(|trial| trial.number >= 2 && !trial.intermediate.is_empty())
    });
    // half a line, as a kill in the middle of a write leaves it
    let mut file = std::fs::OpenOptions::new().append(true).open(&journal).expect("the journal");
    file.write_all(b"{\"op_code\":7,\"worker_id\":\"").expect("room");
    let output = program(folder.path()).stderr(Stdio::piped()).output().expect("the program");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let studies = search::read(&journal).expect("a readable journal");
    let study = &studies[0];
    assert_eq!(study.trials.len(), TRIALS);
    let mut runs = std::collections::BTreeSet::new();
    for trial in &study.trials {
        assert!(matches!(trial.state, TrialState::Complete | TrialState::Pruned), "trial {} is {:?}", trial.number, trial.state);
        assert_eq!(trial.intermediate.keys().copied().collect::<Vec<_>>(), (1..=trial.intermediate.len() as i64).collect::<Vec<_>>());
        if trial.state == TrialState::Complete {
            assert_eq!(trial.intermediate.len(), 3);
            assert_eq!(trial.value, trial.intermediate.values().copied().reduce(f64::max));
        }
        assert!(runs.insert(run_of(trial).expect("a run")));
    }
    // nothing lies about: no lock, no worker
    assert!(std::fs::symlink_metadata(folder.path().join("study.log.lock")).is_err());
    assert_eq!(std::fs::read_dir(folder.path().join("kill/workers")).expect("a folder").count(), 0);
}
