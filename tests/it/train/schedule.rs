//! Schedules against `torch.optim.lr_scheduler` (`tests/reference/train/schedules.py`), and early stopping.

use serde::Deserialize;
use tuning_fork::train::{Config, EarlyStopping, Schedule, ScheduleKind};

#[derive(Deserialize)]
struct Reference {
    lr: f64,
    one_cycle: Vec<Steps>,
    cosine: Vec<Steps>,
    plateau: Vec<Epochs>,
}

#[derive(Deserialize)]
struct Steps {
    #[serde(rename = "steps")]
    total: usize,
    rates: Vec<f64>,
    #[serde(default)]
    momenta: Vec<f64>,
}

#[derive(Deserialize)]
struct Epochs {
    patience: usize,
    losses: Vec<f64>,
    rates: Vec<f64>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../reference/train/schedules.json")).expect("the reference is JSON")
}

fn config(reference: &Reference, schedule: ScheduleKind) -> Config {
    Config { lr: reference.lr, schedule, ..Config::default() }
}

fn close(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * want.abs().max(1e-3), "{got} is not {want}");
}

#[test]
fn one_cycle_is_that_of_pytorch_at_every_step() {
    let reference = reference();
    for case in &reference.one_cycle {
        let schedule = Schedule::new(&config(&reference, ScheduleKind::OneCycle), case.total);
        for step in 0..case.total {
            close(schedule.learning_rate(step), case.rates[step]);
            close(schedule.momentum(step).expect("cycles"), case.momenta[step]);
        }
        let fixed = Config { cycle_momentum: false, ..config(&reference, ScheduleKind::OneCycle) };
        assert_eq!(Schedule::new(&fixed, case.total).momentum(0), None);
    }
}

#[test]
fn cosine_is_that_of_pytorch_at_every_step() {
    let reference = reference();
    for case in &reference.cosine {
        let schedule = Schedule::new(&config(&reference, ScheduleKind::Cosine), case.total);
        for step in 0..case.total {
            close(schedule.learning_rate(step), case.rates[step]);
            assert_eq!(schedule.momentum(step), None);
        }
    }
}

#[test]
fn plateau_is_that_of_pytorch_after_every_epoch() {
    let reference = reference();
    for case in &reference.plateau {
        let config = Config { patience: case.patience * 3, ..config(&reference, ScheduleKind::Plateau) };
        let mut schedule = Schedule::new(&config, 100);
        close(schedule.learning_rate(0), reference.lr);
        for (&loss, &want) in case.losses.iter().zip(&case.rates) {
            schedule.epoch_ended(loss);
            let got = schedule.learning_rate(1);
            // PyTorch stops cutting once a cut would change less than 1e-8
            assert!((got - want).abs() < 1.1e-8, "{got} is not {want}");
        }
    }
}

#[test]
fn constant_is_constant() {
    let schedule = Schedule::new(&config(&reference(), ScheduleKind::Constant), 10);
    for step in 0..10 {
        assert_eq!((schedule.learning_rate(step), schedule.momentum(step)), (3e-3, None));
    }
}

#[test]
fn early_stopping_waits_for_its_patience_and_ignores_small_falls() {
    let run = |losses: &[f64], patience| {
        let mut stopping = EarlyStopping::default();
        losses.iter().position(|&loss| stopping.epoch_ended(loss, patience, 0.01))
    };
    assert_eq!(run(&[1.0, 0.9, 0.895, 0.893, 0.85, 0.849, 0.848], 2), Some(3));
    assert_eq!(run(&[1.0, 0.9, 0.895, 0.88, 0.875, 0.86, 0.87], 2), None);
    assert_eq!(run(&[1.0, 2.0, 3.0, 4.0], 0), None);
    assert_eq!(run(&[1.0, 2.0, 3.0, 4.0], 3), Some(3));
}
