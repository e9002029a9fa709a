//! CMA-ES goes on with what Optuna's `CmaEsSampler` did in the same study, and the other way round. Skipped with a word where there is no
//! Python with optuna and cmaes: `TUNING_FORK_PYTHON` may name one.

use std::process::Command;

use tuning_fork::search::TrialState;

use super::optuna::python;
use super::*;

const SCRIPT: &str = r#"
import sys
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(study_name="tiny", storage=JournalStorage(JournalFileBackend(sys.argv[1])), sampler=optuna.samplers.CmaEsSampler(seed=1))

def objective(trial):
    lr = trial.suggest_float("lr", 1e-4, 1e-2, log=True)
    beta = trial.suggest_float("beta", 0.0, 0.9)
    return 0.2 - (lr - 1e-3) ** 2 - (beta - 0.5) ** 2

study.optimize(objective, n_trials=7)
"#;

/// The generations of the trials.
fn generations(plan: &Plan) -> Vec<Option<u64>> {
    study(plan).trials.iter().map(|trial| trial.system_attrs.get("cma:generation").and_then(serde_json::Value::as_u64)).collect()
}

#[test]
fn ours_and_optunas_take_turns_in_one_study() {
    let Some(python) = python() else { return };
    if !Command::new(&python).args(["-c", "import cmaes"]).output().is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no cmaes (pip install cmaes)");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let space = "lr = { low = 1e-4, high = 1e-2, log = true }\nbeta = { low = 0.0, high = 0.9 }";
    let base = Config { epochs: 1, batch: 16, ..plan(folder.path(), 6).base };
    let mine = Plan { space: Space::parse(space).expect("a space"), sampler: Sampler::CmaEs, base, ..plan(folder.path(), 6) };
    run(&mine, |_, _| {}).0.expect("a good end");
    assert_eq!(study(&mine).count(TrialState::Complete), 6);
    // two numbers: six points a generation
    assert_eq!(generations(&mine), [Some(0); 6]);
    let output = Command::new(&python).args(["-c", SCRIPT]).arg(folder.path().join("study.log")).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(generations(&mine)[6..], [vec![Some(1); 6], vec![Some(2)]].concat());
    let more = Plan { budget: Budget { trials: Some(14), time: None }, ..mine };
    run(&more, |_, _| {}).0.expect("a good end");
    assert_eq!(generations(&more).last(), Some(&Some(2)));
}
