//! Optimisers against `torch.optim` over 100 steps (`tests/reference/train/optimizers.py`).

use candle_core::{Device, Tensor, Var};
use serde::Deserialize;
use tuning_fork::nn::Parameter;
use tuning_fork::train::{Config, Optimizer, OptimizerKind, Schedule, ScheduleKind, Update, clip_scale, gradient_norm};

const WEIGHTS: usize = 17;
const BIASES: usize = 5;

#[derive(Deserialize)]
struct Reference {
    lr: f64,
    weight_decay: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    optimizer: OptimizerKind,
    clip: f64,
    one_cycle: bool,
    cycle_momentum: bool,
    states: Vec<State>,
    norms: Vec<f64>,
}

#[derive(Deserialize)]
struct State {
    step: usize,
    weight: Vec<f64>,
    bias: Vec<f64>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../../reference/train/optimizers.json")).expect("the reference is JSON")
}

fn config(reference: &Reference, case: &Case) -> Config {
    Config {
        lr: reference.lr,
        weight_decay: reference.weight_decay,
        optimizer: case.optimizer,
        momentum: 0.9,
        clip: case.clip,
        schedule: if case.one_cycle { ScheduleKind::OneCycle } else { ScheduleKind::Constant },
        cycle_momentum: case.cycle_momentum,
        ..Config::default()
    }
}

/// The parameters that the script starts from.
fn parameters() -> Vec<Parameter> {
    let parameter = |name: &str, values: Vec<f32>, decay| {
        let var = Var::from_vec(values.clone(), values.len(), &Device::Cpu).expect("values");
        Parameter { name: name.into(), var, decay }
    };
    let weight = (0..WEIGHTS).map(|i| (0.5 * (1.7 * i as f64).cos() + 1.0) as f32).collect();
    let bias = (0..BIASES).map(|i| (0.3 * (0.9 * i as f64).sin() - 1.0) as f32).collect();
    vec![parameter("weight", weight, true), parameter("bias", bias, false)]
}

/// The gradient that the script uses.
fn gradient(step: usize, place: usize) -> f64 {
    let (step, place) = (step as f64, place as f64);
    (0.7 * place + 0.13 * step).sin() * (1.0 + 0.5 * (0.31 * step).cos()) + 0.2 * (2.1 * place).cos()
}

/// Takes one step, as the training loop does; returns the norm of the gradient.
fn step(optimizer: &mut Optimizer, schedule: &Schedule, parameters: &[Parameter], clip: f64, step: usize) -> f64 {
    // a store with our gradients in it: that of the sum of parameter * gradient
    let mut sum = Tensor::new(0f32, &Device::Cpu).expect("zero");
    for (parameter, first) in parameters.iter().zip([0, 100]) {
        let len = parameter.var.elem_count();
        let values: Vec<f32> = (0..len).map(|i| gradient(step, first + i) as f32).collect();
        let values = Tensor::from_vec(values, len, &Device::Cpu).expect("gradient");
        sum = (sum + (parameter.var.as_tensor() * values).and_then(|t| t.sum_all()).expect("sum")).expect("sum");
    }
    let gradients = sum.backward().expect("gradients");
    let norm = gradient_norm(&gradients, parameters).expect("norm");
    let update = Update {
        learning_rate: schedule.learning_rate(step),
        momentum: schedule.momentum(step).unwrap_or(optimizer.momentum()),
        gradient_scale: clip_scale(norm, clip),
    };
    optimizer.step(parameters, &gradients, update).expect("step");
    norm
}

fn values(parameter: &Parameter) -> Vec<f32> {
    parameter.var.to_vec1().expect("values")
}

#[test]
fn a_hundred_steps_follow_pytorch() {
    let reference = reference();
    for case in &reference.cases {
        let config = config(&reference, case);
        let parameters = parameters();
        let mut optimizer = Optimizer::new(&config, &parameters);
        let schedule = Schedule::new(&config, 100);
        let mut states = case.states.iter();
        for number in 0..100 {
            let norm = step(&mut optimizer, &schedule, &parameters, case.clip, number);
            if number % 10 == 0 {
                let want = case.norms[number / 10];
                assert!((norm - want).abs() < 1e-6 * want, "norm {norm} is not {want}");
            }
            if number % 10 == 9 || number < 6 {
                let state = states.next().expect("one more state");
                assert_eq!(state.step, number);
                for (parameter, want) in parameters.iter().zip([&state.weight, &state.bias]) {
                    let largest = want.iter().fold(0.0f64, |a, w| a.max(w.abs()));
                    for (got, want) in values(parameter).iter().zip(want) {
                        let error = (f64::from(*got) - want).abs() / largest;
                        assert!(error < 1e-6, "{:?} clip {} step {number}: {got} is not {want}", case.optimizer, case.clip);
                    }
                }
            }
        }
    }
}

#[test]
fn a_restored_optimizer_goes_on_to_the_bit() {
    let reference = reference();
    for case in &reference.cases {
        let config = config(&reference, case);
        let schedule = Schedule::new(&config, 100);
        let parameters = parameters();
        let mut optimizer = Optimizer::new(&config, &parameters);
        for number in 0..10 {
            step(&mut optimizer, &schedule, &parameters, case.clip, number);
        }
        let copies: Vec<Parameter> = parameters
            .iter()
            .map(|p| Parameter { var: Var::from_vec(values(p), p.var.elem_count(), &Device::Cpu).expect("copy"), ..p.clone() })
            .collect();
        let mut restored = Optimizer::new(&config, &copies);
        let state = optimizer.state().expect("state").into_iter().collect();
        restored.restore(&state, optimizer.steps()).expect("restores");
        for number in 10..20 {
            step(&mut optimizer, &schedule, &parameters, case.clip, number);
            step(&mut restored, &schedule, &copies, case.clip, number);
        }
        for (a, b) in parameters.iter().zip(&copies) {
            assert_eq!(values(a), values(b));
        }
        assert!(restored.restore(&std::collections::HashMap::new(), 1).is_err());
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            let values: Vec<f32> = (0..100_000).map(|i| (i as f32 * 0.37).sin()).collect();
            let var = Var::from_vec(values, 100_000, &Device::Cpu).expect("values");
            let parameters = [Parameter { name: "weight".into(), var, decay: true }];
            let mut optimizer = Optimizer::new(&Config::default(), &parameters);
            let gradients = parameters[0].var.sqr().and_then(|t| t.sum_all()).and_then(|t| t.backward()).expect("gradients");
            let norm = gradient_norm(&gradients, &parameters).expect("norm");
            let update = Update { learning_rate: 1e-2, momentum: 0.9, gradient_scale: clip_scale(norm, 1.0) };
            optimizer.step(&parameters, &gradients, update).expect("step");
            (norm, parameters[0].var.to_vec1::<f32>().expect("values"))
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn a_parameter_without_a_gradient_stays() {
    let parameters = parameters();
    let before = values(&parameters[1]);
    let gradients = parameters[0].var.sum_all().and_then(|t| t.backward()).expect("gradients");
    let mut optimizer = Optimizer::new(&Config::default(), &parameters);
    let update = Update { learning_rate: 0.1, momentum: 0.9, gradient_scale: 1.0 };
    optimizer.step(&parameters, &gradients, update).expect("step");
    assert_eq!(values(&parameters[1]), before);
    assert!(optimizer.step(&parameters[..1], &gradients, update).is_err());
}
