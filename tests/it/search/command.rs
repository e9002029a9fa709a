//! `tuning-fork search` from the command line.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const SMALL: &[&str] = &["--synthetic-images=50", "--size=32", "--epochs=2", "--threads=1", "--batch=16"];

fn search(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuning-fork"));
    command.current_dir(folder).arg("search").args(SMALL).args(arguments).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

fn finish(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = search(folder, arguments).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn json_lines_tell_the_trials_and_the_best_and_the_study_remembers_its_flags() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("space.json"),
        r#"{"lr": {"low": 1e-4, "high": 1e-2, "log": true}, "beta": {"low": 0, "high": 0.9}}"#,
    )
    .expect("a file");
    let (code, stdout, stderr) =
        finish(folder.path(), &["--space=space.json", "--trials=2", "--sampler=random", "--pruner=none", "--objective=accuracy", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    let one = ["trial_started", "trial_epoch", "trial_epoch", "trial_ended"];
    assert_eq!(kinds, [&one[..], &one, &["search_ended", "best"]].concat());
    let best = &lines[lines.len() - 1];
    assert_eq!((&best["counts"]["complete"], &best["counts"]["all"]), (&2.into(), &2.into()));
    assert!(folder.path().join(best["trials"][0]["run"].as_str().expect("a run")).join("best.safetensors").is_file());
    // the space and the objective are those of the study, without being named again
    let (code, stdout, stderr) = finish(folder.path(), &["--trials=3"]);
    assert_eq!(code, Some(0), "{stderr}");
    for words in ["3 trials, 3 complete", "val_accuracy", "lr ", "importance", "optuna-dashboard searches/galaxies.log"] {
        assert!(stdout.contains(words), "{words}: {stdout}");
    }
    assert!(stderr.contains("trial 2: epoch 1/2") && !stderr.contains("trial 1:"), "{stderr}");
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("space.toml"), "lr = { low = 1e-2, high = 1e-4 }\nspeed = { low = 1, high = 2 }\n").expect("a file");
    for (arguments, words) in [
        (&["--space=space.toml"][..], "swap"),
        (&["--space=space.toml"], "speed"),
        (&["--space=none.toml"], "none.toml"),
        (&["--hours=-1"], "--hours"),
        (&["--study="], "--study"),
        (&["--lr=-1"], "--lr"),
        (&["--trials=0"], "at least 1"),
    ] {
        let (code, _, stderr) = finish(folder.path(), arguments);
        assert!(code.is_some_and(|code| code != 0) && stderr.contains(words), "{arguments:?}: {stderr}");
        assert!(!folder.path().join("searches").exists());
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_the_trial_for_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("space.toml"), super::SPACE).expect("a file");
    let mut child = search(folder.path(), &["--space=space.toml", "--trials=1", "--epochs=60", "--pruner=none", "--patience=0"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let journal = folder.path().join("searches/galaxies.log");
    let epochs = || tuning_fork::search::read(&journal).ok().and_then(|s| Some(s.first()?.trials.first()?.intermediate.len())).unwrap_or(0);
    while epochs() == 0 {
        assert!(child.try_wait().expect("a child").is_none(), "it ended too early");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    let before = epochs();
    assert!(before < 60);
    let (code, _, stderr) = finish(folder.path(), &["--trials=1", "--on-restart=fail", "--epochs=60", "--patience=0"]);
    assert_eq!(code, Some(0), "{stderr}");
    let study = &tuning_fork::search::read(&journal).expect("a journal")[0];
    assert_eq!((study.trials.len(), study.trials[0].state), (1, tuning_fork::search::TrialState::Fail));
}
