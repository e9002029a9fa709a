//! Optuna's own Python opens what we wrote and works beside us. Skipped with a word where there is none: `TUNING_FORK_PYTHON` may name a
//! Python that has it.

use std::process::{Command, Stdio};

use tuning_fork::search::TrialState;

use super::*;

/// A Python that has Optuna.
pub fn python() -> Option<String> {
    let named = std::env::var("TUNING_FORK_PYTHON").unwrap_or_else(|_| "python3".into());
    let there = Command::new(&named).args(["-c", "import optuna"]).output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: {named} has no optuna (pip install optuna, or name another Python in TUNING_FORK_PYTHON)");
    }
    there.then_some(named)
}

const SCRIPT: &str = r#"
import json, sys
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(study_name="tiny", storage=JournalStorage(JournalFileBackend(sys.argv[1])))
before = [[t.number, t.state.name, t.value, t.params, sorted(t.intermediate_values.items())] for t in study.trials]
best = [study.best_trial.number, study.best_value]
store = optuna.artifacts.FileSystemArtifactStore(sys.argv[2])
files = {}
for meta in optuna.artifacts.get_all_artifact_meta(study.best_trial, storage=study._storage):
    with store.open_reader(meta.artifact_id) as file:
        files[meta.filename] = [meta.mimetype, len(file.read())]
study.sampler = optuna.samplers.TPESampler(multivariate=True, seed=1)
study.pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=2, reduction_factor=3)

def objective(trial):
    trial.suggest_float("lr", 1e-4, 1e-2, log=True)
    trial.suggest_categorical("batch", [8, 16])
    if trial.suggest_categorical("optimizer", ["adamw", "sgd"]) == "sgd":
        trial.suggest_float("momentum", 0.5, 0.9)
    trial.report(0.1, 1)
    return 0.1

study.optimize(objective, n_trials=12)
importances = optuna.importance.get_param_importances(study, params=["lr", "batch", "optimizer"])
print(json.dumps({"before": before, "best": best, "direction": study.direction.name, "attrs": sorted(study.user_attrs), "importances": sorted(importances), "files": files}))
"#;

#[test]
fn optuna_opens_our_study_and_adds_to_it_and_we_go_on() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mine = Plan { pruner: Pruner::Hyperband { least: 1, most: 2, factor: 3 }, ..plan(folder.path(), 3) };
    run(&mine, |_, _| {}).0.expect("a good end");
    let ours = study(&mine);
    let artifacts = search::artifacts_in(mine.storage.home());
    let output = Command::new(&python).args(["-c", SCRIPT]).arg(journal(&mine)).arg(&artifacts).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["direction"], "MAXIMIZE");
    assert_eq!(answer["importances"], serde_json::json!(["batch", "lr", "optimizer"]));
    for (trial, theirs) in ours.trials.iter().zip(answer["before"].as_array().expect("trials")) {
        assert_eq!(theirs[0], trial.number);
        assert_eq!(theirs[1], if trial.state == TrialState::Complete { "COMPLETE" } else { "PRUNED" });
        assert_eq!(theirs[2].as_f64(), trial.value);
        assert!(trial.params.iter().all(|(name, param)| theirs[3][name] == param.value()), "{theirs}");
        assert_eq!(theirs[4].as_array().map(Vec::len), Some(trial.intermediate.len()));
    }
    let best = ours.best().expect("a complete trial");
    assert_eq!((answer["best"][0].as_u64(), answer["best"][1].as_f64()), (Some(best.number as u64), best.value));
    assert_eq!(study(&mine).trials.len(), 15);
    let folder = mine.storage.home().join(search::run_of(best).expect("a run"));
    let summary = std::fs::metadata(folder.join("summary.txt")).expect("a summary").len();
    assert_eq!(answer["files"]["summary.txt"], serde_json::json!(["text/plain", summary]));
    assert_eq!(answer["files"]["confusion.png"][0], "image/png");
    // and both at once
    let more = Plan { budget: Budget { trials: Some(19), time: None }, ..mine };
    let child =
        Command::new(python).args(["-c", SCRIPT]).arg(journal(&more)).arg(&artifacts).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    run(&more, |_, _| {}).0.expect("a good end");
    let output = child.and_then(std::process::Child::wait_with_output).expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let both = study(&more);
    let theirs = both.trials.iter().filter(|trial| search::run_of(trial).is_none()).count();
    assert!(theirs == 24 && both.trials.len() >= 27, "{theirs} of {}", both.trials.len());
    assert!(both.trials.iter().all(|trial| trial.state.is_finished()), "none is lost");
}
