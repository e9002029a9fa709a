//! Decisions beside Optuna's; `tests/reference/search/pruners.py` made them.

use std::collections::BTreeMap;

use serde_json::Map;

use super::*;
use crate::search::{Direction, Params};

const REFERENCE: &str = include_str!("../../../tests/reference/search/pruners.json");

fn trial(number: usize) -> Trial {
    Trial {
        id: number,
        number,
        state: TrialState::Running,
        params: Params::new(),
        value: None,
        intermediate: BTreeMap::new(),
        user_attrs: Map::new(),
        system_attrs: Map::new(),
        started: None,
        ended: None,
    }
}

/// The epoch after which each trial is stopped, if it is.
fn stops(pruner: Pruner, name: &str, curves: &[Vec<f64>], direction: Direction) -> Vec<Option<i64>> {
    let mut study =
        StudyRecord { id: 0, name: name.into(), direction, user_attrs: Map::new(), system_attrs: Map::new(), trials: Vec::new() };
    let mut stopped = Vec::new();
    for (number, curve) in curves.iter().enumerate() {
        study.trials.push(trial(number));
        let mut at = None;
        for (epoch, &value) in (1..).zip(curve) {
            let mut now = study.trials[number].clone();
            now.intermediate.insert(epoch, if direction == Direction::Maximize { value } else { -value });
            let verdict = pruner.decide(&study, &now);
            now.system_attrs.extend(verdict.notes.into_iter().map(|(key, value)| (key, value.into())));
            study.trials[number] = now;
            if verdict.prune {
                at = Some(epoch);
                break;
            }
        }
        let diverged = curve.last().is_some_and(|value| value.is_nan());
        study.trials[number].state = match at {
            Some(_) => TrialState::Pruned,
            None if diverged => TrialState::Fail,
            None => TrialState::Complete,
        };
        stopped.push(at);
    }
    stopped
}

#[test]
fn trials_are_stopped_exactly_where_optuna_stops_them() {
    let reference: Value = serde_json::from_str(REFERENCE).expect("the reference");
    let curves: Vec<Vec<Option<f64>>> = serde_json::from_value(reference["curves"].clone()).expect("curves");
    let curves: Vec<Vec<f64>> = curves.into_iter().map(|c| c.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect()).collect();
    let name = reference["study"].as_str().expect("a name");
    for (key, pruner) in [
        ("hyperband", Pruner::Hyperband { least: 2, most: 30, factor: 3 }),
        ("hyperband_seed", Pruner::Hyperband { least: 5, most: 100, factor: 3 }),
        ("median", Pruner::Median { startup: 5, warmup: 4 }),
    ] {
        for (way, direction) in [("maximize", Direction::Maximize), ("minimize", Direction::Minimize)] {
            let theirs: Vec<Option<i64>> = serde_json::from_value(reference["stopped"][key][way].clone()).expect("epochs");
            assert_eq!(stops(pruner, name, &curves, direction), theirs, "{key}, {way}");
        }
    }
    assert_eq!(stops(Pruner::None, name, &curves, Direction::Maximize), vec![None; curves.len()]);
}

#[test]
fn settings_without_sense_stop_nothing_too_early_and_never_panic() {
    let curves = vec![vec![0.5; 3]; 5];
    for pruner in [
        Pruner::Hyperband { least: 0, most: 0, factor: 0 },
        Pruner::Hyperband { least: 100, most: 5, factor: 3 },
        Pruner::Hyperband { least: 1, most: usize::MAX, factor: 2 },
        Pruner::Median { startup: 0, warmup: -5 },
    ] {
        assert_eq!(stops(pruner, "s", &curves, Direction::Maximize)[0], None, "{pruner:?}");
    }
}
