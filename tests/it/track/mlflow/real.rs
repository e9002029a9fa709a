//! The real mlflow reads what we wrote, brings it up to date, and we go on writing.

use std::process::Command;

use tuning_fork::track::Registry;
use tuning_fork::track::mlflow::{Settings, Target};

use super::{add_steps, mirror, runs};

/// A Python that has mlflow.
pub fn python() -> Option<String> {
    let named = std::env::var("TUNING_FORK_PYTHON").unwrap_or_else(|_| "python3".into());
    let there =
        Command::new(&named).args(["-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('mlflow') is None)"]).output();
    let there = there.is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: {named} has no mlflow (pip install mlflow, or name another Python in TUNING_FORK_PYTHON)");
    }
    there.then_some(named)
}

const SCRIPT: &str = r#"
import json, sys
import mlflow
from mlflow import MlflowClient
mlflow.set_tracking_uri(sys.argv[1])
runs = mlflow.search_runs(experiment_names=["galaxies"], output_format="list")
client = MlflowClient()
told = []
for run in runs:
    history = client.get_metric_history(run.info.run_id, "step_loss")
    told.append({
        "name": run.info.run_name, "status": run.info.status, "lr": run.data.params.get("lr"), "tags": run.data.tags,
        "f1": run.data.metrics.get("valid_macro_f1"), "steps": [[m.step, m.value] for m in history],
        "data": [[i.dataset.name, i.dataset.digest, i.tags[0].value] for i in run.inputs.dataset_inputs],
        "artifacts": sorted(f.path for f in client.list_artifacts(run.info.run_id)),
    })
names = {run.info.run_id: run.info.run_name for run in runs}
version = client.get_model_version_by_alias("galaxies", "champion")
print(json.dumps({
    "runs": sorted(told, key=lambda run: run["name"]),
    "trials": sorted(r.info.run_name for r in runs if names.get(r.data.tags.get("mlflow.parentRunId")) == "study"),
    "best": [r.info.run_name for r in mlflow.search_runs(experiment_names=["galaxies"], output_format="list",
             filter_string="params.lr = '0.003' and metrics.valid_macro_f1 > 0", order_by=["metrics.valid_macro_f1 DESC"])],
    "version": [version.version, names.get(version.run_id), version.source, version.status],
}))
"#;

pub fn read(python: &str, address: &str) -> serde_json::Value {
    let output = Command::new(python).args(["-W", "ignore", "-c", SCRIPT, address]).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    serde_json::from_str(text.lines().last().expect("a line")).expect("JSON")
}

/// What mlflow must say of the runs of [`runs`].
pub fn check(told: &serde_json::Value, steps: usize) {
    let names: Vec<_> = told["runs"].as_array().expect("runs").iter().map(|run| run["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["The first", "second", "study", "trial-0000", "trial-0001"]);
    let first = &told["runs"][0];
    assert_eq!((&first["status"], &first["lr"]), (&"FINISHED".into(), &"0.003".into()));
    assert_eq!((&first["tags"]["mlflow.note.content"], &first["tags"]["tag.final_"]), (&"wide".into(), &"final!".into()));
    assert_eq!((&first["data"][0][0], &first["data"][0][2]), (&"plain".into(), &"training".into()));
    assert_eq!(first["data"][0][1].as_str().map(str::len), Some(36));
    assert!(first["f1"].as_f64().is_some_and(|f1| f1 > 0.5 && f1 < 1.0));
    let second = &told["runs"][1];
    assert_eq!(second["steps"].as_array().map(Vec::len), Some(steps));
    assert_eq!(second["steps"][1], serde_json::json!([2, 0.5]));
    assert_eq!(told["trials"], serde_json::json!(["trial-0000", "trial-0001"]));
    assert_eq!(told["best"].as_array().map(Vec::len), Some(4));
    for name in ["confusion.png", "config.json"] {
        assert!(first["artifacts"].as_array().expect("files").iter().any(|file| file == name), "{first}");
    }
    assert_eq!((&told["version"][1], &told["version"][3]), (&"The first".into(), &"READY".into()));
}

#[test]
fn mlflow_reads_what_we_wrote_brings_it_up_to_date_and_we_go_on() {
    let Some(python) = python() else { return };
    let (folder, settings) = runs();
    add_steps(&settings.runs.join("second"), 1..6);
    Registry::of(&settings.runs).register(&settings.runs.join("first"), "galaxies", "", None).expect("registers");
    mirror(&settings);
    let address = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    check(&read(&python, &address), 5);
    // the file has the schema of this mlflow now
    add_steps(&settings.runs.join("second"), 6..9);
    mirror(&settings);
    check(&read(&python, &address), 8);
    // and a file that mlflow made itself is taken too
    let theirs = folder.path().join("theirs.db");
    let address = format!("sqlite:///{}", theirs.display());
    let make = "import sys, mlflow; mlflow.set_tracking_uri(sys.argv[1]); mlflow.search_experiments()";
    let output = Command::new(&python).args(["-W", "ignore", "-c", make, &address]).current_dir(folder.path()).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    mirror(&Settings { target: Target::Database(theirs), ..settings });
    check(&read(&python, &address), 8);
}
