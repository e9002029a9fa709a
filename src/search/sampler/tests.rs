//! Ours beside Optuna's on functions whose minimum is known; `tests/reference/search/samplers.py` made the figures.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use serde_json::{Map, Value};

use super::*;
use crate::search::{Condition, Direction, Trial, TrialState};

const REFERENCE: &str = include_str!("../../../tests/reference/search/samplers.json");
const TRIALS: usize = 100;
const SEEDS: u64 = 40;

const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
const A: [[f64; 6]; 4] = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
];
const P: [[f64; 6]; 4] = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];

struct Function {
    name: &'static str,
    space: Space,
    noise: f64,
    value: fn(&Params) -> f64,
}

fn at(params: &Params, name: &str) -> f64 {
    params[name].internal
}

fn branin(params: &Params) -> f64 {
    let (x, y) = (at(params, "x"), at(params, "y"));
    let (b, c, t) = (5.1 / (4.0 * PI * PI), 5.0 / PI, 1.0 / (8.0 * PI));
    (y - b * x * x + c * x - 6.0).powi(2) + 10.0 * (1.0 - t) * x.cos() + 10.0
}

fn hartmann6(params: &Params) -> f64 {
    let x: Vec<f64> = (0..6).map(|i| at(params, &format!("x{i}"))).collect();
    -(0..4).map(|i| ALPHA[i] * (-(0..6).map(|j| A[i][j] * (x[j] - P[i][j]).powi(2)).sum::<f64>()).exp()).sum::<f64>()
}

fn noisy(params: &Params) -> f64 {
    let value = (at(params, "lr").log10() + 3.0).powi(2)
        + 0.03 * (at(params, "batch") / 32.0).log2().powi(2)
        + 0.05 * (at(params, "depth") - 5.0).powi(2)
        + 2.0 * (at(params, "dropout") - 0.2).powi(2);
    match at(params, "optimizer") as usize {
        0 => value,
        1 => value + 0.1,
        _ => value + 0.2 + 4.0 * (at(params, "momentum") - 0.9).powi(2),
    }
}

fn parameter(name: &str, distribution: Distribution) -> Parameter {
    Parameter { name: name.into(), distribution, when: None }
}

fn float(name: &str, low: f64, high: f64) -> Parameter {
    parameter(name, Distribution::Float { low, high, log: false, step: None })
}

fn functions() -> [Function; 3] {
    let space = |parameters| Space::new(parameters).expect("a space");
    let momentum =
        Parameter { when: Some(Condition { parameter: "optimizer".into(), values: vec!["sgd".into()] }), ..float("momentum", 0.5, 0.99) };
    let mixed = vec![
        parameter("lr", Distribution::Float { low: 1e-5, high: 1e-1, log: true, step: None }),
        parameter("batch", Distribution::Int { low: 8, high: 256, log: true, step: 1 }),
        parameter("depth", Distribution::Int { low: 1, high: 8, log: false, step: 1 }),
        parameter("dropout", Distribution::Float { low: 0.0, high: 0.5, log: false, step: Some(0.05) }),
        parameter("optimizer", Distribution::Categorical { choices: vec!["adamw".into(), "radam".into(), "sgd".into()] }),
        momentum,
    ];
    [
        Function { name: "branin", space: space(vec![float("x", -5.0, 10.0), float("y", 0.0, 15.0)]), noise: 0.0, value: branin },
        Function {
            name: "hartmann6",
            space: space((0..6).map(|i| float(&format!("x{i}"), 0.0, 1.0)).collect()),
            noise: 0.0,
            value: hartmann6,
        },
        Function { name: "noisy", space: space(mixed), noise: 0.05, value: noisy },
    ]
}

fn empty() -> StudyRecord {
    StudyRecord {
        id: 0,
        name: "test".into(),
        direction: Direction::Minimize,
        user_attrs: Map::new(),
        system_attrs: Map::new(),
        trials: Vec::new(),
    }
}

fn complete(number: usize, proposal: impl Into<Proposal>, value: f64) -> Trial {
    let Proposal { params, notes } = proposal.into();
    Trial {
        id: number,
        number,
        state: TrialState::Complete,
        params,
        value: Some(value),
        intermediate: BTreeMap::new(),
        user_attrs: Map::new(),
        system_attrs: notes.into_iter().collect(),
        started: None,
        ended: None,
    }
}

impl From<Params> for Proposal {
    fn from(params: Params) -> Self {
        Self { params, notes: Vec::new() }
    }
}

/// What the trial that looked best is truly worth.
fn best(function: &Function, sampler: Sampler, seed: u64) -> f64 {
    let mut study = empty();
    let mut noise = Random::new(seed, Purpose::Test, &[]);
    for number in 0..TRIALS {
        let proposal = sampler.propose(&function.space, &study, seed);
        let value = (function.value)(&proposal.params) + function.noise * noise.normal();
        study.trials.push(complete(number, proposal, value));
    }
    (function.value)(&study.best().expect("a trial").params)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    f64::midpoint(values[values.len() / 2], values[(values.len() - 1) / 2])
}

/// The standard error of a median of `n` from the quartiles of the values: 1.2533 sigma / sqrt(n), sigma = (q3 - q1) / 1.349.
fn median_error(figures: &Value, n: u64) -> f64 {
    let quartile = |i: usize| figures["quartiles"][i].as_f64().expect("a number");
    1.2533 * (quartile(1) - quartile(0)) / 1.349 / (n as f64).sqrt()
}

#[test]
fn medians_after_100_trials_are_not_worse_than_optunas() {
    let reference: Value = serde_json::from_str(REFERENCE).expect("the reference");
    for function in functions() {
        for (sampler, name) in [(Sampler::Tpe, "tpe"), (Sampler::CmaEs, "cmaes"), (Sampler::Random, "random")] {
            let ours = median((0..SEEDS).map(|seed| best(&function, sampler, seed)).collect());
            let figures = &reference[name][function.name];
            let theirs = figures["median"].as_f64().expect("a number");
            // two standard errors of the difference of the two medians
            let error = figures["standard_error"].as_f64().expect("a number").hypot(median_error(figures, SEEDS));
            println!("{name} {}: ours {ours:.4}, Optuna's {theirs:.4} +- {error:.4}", function.name);
            assert!(ours <= theirs + 2.0 * error, "{name} on {}: {ours} instead of {theirs} +- {error}", function.name);
        }
    }
}

#[test]
fn the_same_study_and_seed_give_the_same_values_and_another_seed_others() {
    let function = &functions()[2];
    let mut study = empty();
    for number in 0..15 {
        let params = Sampler::Tpe.sample(&function.space, &study, 3);
        assert_eq!(params, Sampler::Tpe.sample(&function.space, &study, 3));
        assert_ne!(params, Sampler::Tpe.sample(&function.space, &study, 4));
        assert_eq!(params.contains_key("momentum"), params["optimizer"].value() == "sgd");
        let value = noisy(&params);
        study.trials.push(complete(number, params, value));
    }
}

#[test]
fn a_cloud_follows_from_the_trials_and_slow_workers_do_it_no_harm() {
    let function = &functions()[2];
    let mut study = empty();
    let generation = |proposal: &Proposal| proposal.notes.iter().find(|(key, _)| key == "cma:generation").and_then(|(_, g)| g.as_u64());
    for number in 0..60 {
        let proposal = Sampler::CmaEs.propose(&function.space, &study, 3);
        assert_eq!(proposal, Sampler::CmaEs.propose(&function.space, &study, 3));
        assert!(proposal.params.values().all(|param| param.distribution.contains(param.internal)), "{proposal:?}");
        assert_eq!(proposal.params.contains_key("momentum"), proposal.params["optimizer"].value() == "sgd");
        // lr, batch, depth and dropout are four numbers: eight points a generation
        let ended = study.trials.iter().filter(|trial| trial.is_evidence()).count();
        assert_eq!(generation(&proposal), Some(ended as u64 / 8), "trial {number}");
        let value = noisy(&proposal.params);
        let mut trial = complete(number, proposal, value);
        match number % 10 {
            // one fails, one goes on for ever, one is pruned
            3 => (trial.state, trial.value) = (TrialState::Fail, None),
            4 => (trial.state, trial.value) = (TrialState::Running, None),
            5 => {
                trial.state = TrialState::Pruned;
                trial.intermediate.insert(2, value + 1.0);
            }
            _ => {}
        }
        study.trials.push(trial);
    }
    // the one that went on for ever ends after all: its generation is full
    let numbers = |study: &StudyRecord| {
        let proposal = Sampler::CmaEs.propose(&function.space, study, 3);
        (["lr", "batch", "depth", "dropout"].map(|name| proposal.params[name].internal), proposal.notes)
    };
    let before = numbers(&study);
    study.trials.iter_mut().for_each(|trial| trial.ended = Some(format!("2026-01-01T00:00:{:02}", trial.number)));
    let slow = &mut study.trials[4];
    (slow.state, slow.value, slow.ended) = (TrialState::Complete, Some(-1e9), Some("2026-01-01T00:02:00".into()));
    assert_eq!(numbers(&study), before);
    // a space of choices alone has no cloud
    let choice = parameter("optimizer", Distribution::Categorical { choices: vec!["adamw".into(), "sgd".into()] });
    let choices = Space::new(vec![choice]).expect("a space");
    let proposal = Sampler::CmaEs.propose(&choices, &empty(), 1);
    assert!(proposal.notes.is_empty() && proposal.params.len() == 1);
}

#[test]
fn values_stay_in_range_and_trials_of_others_do_no_harm() {
    let function = &functions()[2];
    let mut study = empty();
    for number in 0..40 {
        let mut params = Sampler::Tpe.sample(&function.space, &study, 9);
        for (name, param) in &params {
            assert!(param.distribution.contains(param.internal), "{name}: {param:?}");
        }
        if number % 3 == 0 {
            // of a wider space, without one parameter, and one of another kind
            params.remove("depth");
            params.insert(
                "batch".into(),
                Param { internal: 1e6, distribution: Arc::new(Distribution::Int { low: 1, high: 1 << 20, log: true, step: 1 }) },
            );
            params.insert(
                "lr".into(),
                Param { internal: 0.0, distribution: Arc::new(Distribution::Categorical { choices: vec![1.into()] }) },
            );
        }
        let mut trial = complete(number, params, 1.0 / (1.0 + number as f64));
        trial.state = [TrialState::Complete, TrialState::Pruned, TrialState::Running][number % 3];
        study.trials.push(trial);
    }
}
