//! Journals of Optuna's Python read and gone on with, and several writers at once. `tests/reference/search/journal.py` made the journal.

use serde_json::{Map, Value, json};

use super::*;
use crate::search::{Closing, Distribution, HEARTBEAT, Objective, Params, TrialState, configure};

const JOURNAL: &[u8] = include_bytes!("../../../tests/reference/search/study.log");
const TRIALS: &str = include_str!("../../../tests/reference/search/study.json");

fn try_open(path: &Path, worker: &str, objective: Objective) -> Result<Study, SearchError> {
    let notes = Map::from_iter([("note".into(), json!("ours"))]);
    let closing = Closing::default();
    let opening = Opening { study: "galaxy10", objective, notes: &notes, worker, grace: HEARTBEAT, closing: &closing };
    Study::open(&Storage::Journal(path.into()), opening)
}

fn open(path: &Path, worker: &str) -> Study {
    try_open(path, worker, Objective::MacroF1).expect("a study")
}

/// Begins a trial; returns its number and its id.
fn begin(study: &mut Study, params: &Params) -> (usize, usize) {
    let number = study.update(Scope::Study, |record, _, changes| {
        changes.create_trial(params.clone(), Map::new(), Map::new());
        record.trials.len()
    });
    let number = number.expect("room");
    (number, study.trial(number).expect("the trial").id)
}

fn params(lr: f64) -> Params {
    configure::params([("lr", lr, &Distribution::Float { low: 1e-4, high: 1e-1, log: true, step: None })])
}

#[test]
fn a_journal_that_optuna_wrote_reads_as_optuna_reads_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study.log");
    std::fs::write(&path, JOURNAL).expect("a file");
    let studies = read(&path).expect("a readable journal");
    assert_eq!(studies.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["another", "galaxy10"]);
    let expected: Vec<Value> = serde_json::from_str(TRIALS).expect("the reference");
    assert_eq!(studies[1].trials.len(), expected.len());
    for (trial, expected) in studies[1].trials.iter().zip(&expected) {
        let params: Map<String, Value> = trial.params.iter().map(|(name, param)| (name.clone(), param.value())).collect();
        let intermediate: Vec<(i64, Option<f64>)> = trial.intermediate.iter().map(|(&k, &v)| (k, (!v.is_nan()).then_some(v))).collect();
        let ours = json!({
            "number": trial.number, "state": trial.state, "value": trial.value, "intermediate": intermediate,
            "user_attrs": trial.user_attrs,
        });
        for key in ["number", "state", "value", "intermediate", "user_attrs"] {
            assert_eq!(ours[key], expected[key], "{key} of trial {}", trial.number);
        }
        assert_eq!(Some(params.len()), expected["params"].as_object().map(Map::len));
        assert!(params.iter().all(|(name, value)| expected["params"][name] == *value), "{params:?} {expected}");
    }
}

#[test]
fn a_study_that_optuna_began_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study.log");
    std::fs::write(&path, [JOURNAL, b"{\"op_code\":7,\"trial"].concat()).expect("a file");
    let mut study = open(&path, "us-0");
    let before = study.record().expect("a record").trials.len();
    let (number, id) = begin(&mut study, &params(0.01));
    study
        .update(Scope::Trial(0), |_, _, changes| {
            changes.intermediate(id, 1, 0.25);
            changes.system_attr(id, "completed_rung_0", 0.25);
            changes.user_attr(id, "run", "x");
            changes.end(id, TrialState::Complete, Some(0.5));
        })
        .expect("room");
    assert_eq!(number, before);
    let trial = study.trial(number).expect("the new trial");
    assert_eq!((trial.state, trial.value, trial.last()), (TrialState::Complete, Some(0.5), Some((1, 0.25))));
    assert!(trial.started.is_some() && trial.ended.is_some() && trial.params == params(0.01));
    // notes of ours go only into studies that we begin
    assert_eq!(study.record().expect("a record").user_attrs["note"], "made by Optuna");
    let again = read(&path).expect("a readable journal");
    assert_eq!(again[1].trials.len(), before + 1);
    assert!(std::fs::read(&path).expect("the file").starts_with(JOURNAL), "what Optuna wrote stays");
}

#[test]
fn what_comes_too_late_is_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study.log");
    let mut study = open(&path, "us-0");
    let (_, id) = begin(&mut study, &params(0.01));
    study
        .update(Scope::Trial(0), |_, _, changes| {
            changes.end(id, TrialState::Pruned, Some(0.5));
            changes.intermediate(id, 3, 0.75);
            changes.end(id, TrialState::Complete, Some(0.9));
            changes.user_attr(id, "late", true);
        })
        .expect("room");
    let trial = study.trial(0).expect("a trial");
    assert_eq!((trial.state, trial.value, trial.intermediate.len()), (TrialState::Pruned, Some(0.5), 0));
    assert!(trial.user_attrs.is_empty());
    // a parameter of another scale in a later trial
    let other = configure::params([("lr", 0.5, &Distribution::Float { low: 0.0, high: 1.0, log: false, step: None })]);
    begin(&mut study, &other);
    assert!(study.trial(1).expect("a trial").params.is_empty());
}

#[test]
fn writers_at_once_give_every_trial_its_own_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study.log");
    let workers = 4;
    let numbers: Vec<Vec<usize>> = std::thread::scope(|scope| {
        let work = |k: usize| {
            let mut study = open(&path, &format!("worker-{k}"));
            let one = |_| {
                let (number, id) = begin(&mut study, &params(0.01));
                study.update(Scope::Trial(0), |_, _, changes| changes.end(id, TrialState::Complete, Some(k as f64))).expect("room");
                number
            };
            (0..10).map(one).collect()
        };
        let threads: Vec<_> = (0..workers).map(|k| scope.spawn(move || work(k))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a worker")).collect()
    });
    let studies = read(&path).expect("a readable journal");
    assert_eq!(studies.len(), 1);
    let mut all: Vec<usize> = numbers.concat();
    all.sort_unstable();
    assert_eq!(all, (0..40).collect::<Vec<_>>());
    for (k, own) in numbers.iter().enumerate() {
        assert!(own.iter().all(|&n| studies[0].trials[n].value == Some(k as f64)));
    }
}

#[test]
fn a_study_for_the_other_direction_and_a_newer_journal_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("study.log");
    open(&path, "us-0");
    let error = try_open(&path, "us-0", Objective::Loss).expect_err("the other direction");
    assert!(error.to_string().contains("--study"), "{error}");
    std::fs::write(&path, "{\"op_code\":99}\n").expect("a file");
    assert!(read(&path).expect_err("a newer journal").to_string().contains("newer"));
    std::fs::write(&path, "[]\n").expect("a file");
    assert!(read(&path).expect_err("no object").to_string().contains("line 1"));
    assert!(read(&folder.path().join("none.log")).is_err());
}
