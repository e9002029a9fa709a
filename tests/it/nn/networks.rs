//! Both whole networks against `PyTorch`; the same bits for any number of threads; what evaluation does not touch.

use candle_core::{Device, Result, Tensor, Var, backprop::GradStore};
use tuning_fork::nn::layer::{to_file, to_memory};
use tuning_fork::nn::{Architecture, Mode, Network, NetworkOptions, Step, build, weights};
use tuning_fork::train::{Config, Optimizer, OptimizerKind, Update};

use super::build::options;
use super::reference::{Reference, assert_close, distance, draw, formula, path, values};

/// Of a result on a step with 32-bit accuracy, relative to its norm.
const TOLERANCE: f64 = 2e-5;
pub const TRAIN: Mode = Mode::Train { seed: 1, step: 0 };

/// A network filled as `fill` in make.py, without dropout (its masks cannot be those of `PyTorch`).
pub fn filled(architecture: Architecture, size: usize) -> Box<dyn Network> {
    filled_for(architecture, size, 3)
}

fn filled_for(architecture: Architecture, size: usize, channels: usize) -> Box<dyn Network> {
    filled_from(1000, architecture, size, channels)
}

/// A network filled from stream `first` on.
pub fn filled_from(first: u64, architecture: Architecture, size: usize, channels: usize) -> Box<dyn Network> {
    let options = NetworkOptions { dropout: 0.0, channels, ..options(architecture, size) };
    let network = build(&options, 0, &Device::Cpu).expect("a network");
    let parameters = network.parameters().iter().map(|p| (&p.name, &p.var));
    let buffers = network.buffers().iter().map(|b| (&b.name, &b.var));
    for (stream, (name, var)) in (first..).zip(parameters.chain(buffers)) {
        let in_file = to_file(var.as_tensor()).expect("a copy");
        let mut values = formula(var.elem_count(), stream);
        let around_one = name.contains("norm.weight") || name.contains("running_var");
        let scale = if var.rank() > 1 { (6.0 / in_file.dims()[1..].iter().product::<usize>() as f64).sqrt() as f32 } else { 0.125 };
        for v in &mut values {
            *v = *v * scale + if around_one { 1.0 } else { 0.0 };
        }
        let filled = Tensor::from_vec(values, in_file.shape(), &Device::Cpu).expect("a tensor");
        var.set(&to_memory(&filled).expect("a copy")).expect("same shape");
    }
    network
}

/// Mean cross-entropy.
pub fn loss(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    candle_nn::loss::cross_entropy(logits, labels)
}

fn labels(batch: usize) -> Tensor {
    Tensor::from_vec((0..batch as u32).map(|i| i * 3 % 10).collect::<Vec<_>>(), batch, &Device::Cpu).expect("labels")
}

/// The names of a `state_dict` in its order: parameters, and running statistics.
pub fn torch_names(file: &str) -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(path(file)).expect("a reference file");
    let names = text.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.contains("tracked"));
    names.map(str::to_owned).partition(|name| !name.contains("running"))
}

/// The name in make.py.
pub fn name(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Seed => "seed",
        Architecture::Compact => "compact",
    }
}

/// Does it on every step of the ladder with 32-bit accuracy that this machine has.
fn on_every_accurate_step(mut check: impl FnMut(Step)) {
    for step in Step::ALL.into_iter().filter(|s| s.is_f32()) {
        if step.available() {
            check(step);
        } else {
            eprintln!("skipped: this machine has no {step}");
        }
    }
}

/// Images of the shape N x channels x size x size against the reference of that name.
fn compare_with_pytorch(name: &str, architecture: Architecture, shape: [usize; 4]) {
    on_every_accurate_step(|step| compare_step_with_pytorch(step, name, architecture, shape));
}

fn compare_step_with_pytorch(step: Step, file: &str, architecture: Architecture, shape: [usize; 4]) {
    let [batch, channels, size, _] = shape;
    let reference = Reference::open(&format!("{file}.safetensors"));
    let network = filled_for(architecture, size, channels);
    network.set_step(step);
    let images = draw(&shape, 1);
    let logits = network.forward(&images, Mode::Eval).expect("logits");
    assert_close("logits in evaluation", &logits, reference.get("eval_logits"), TOLERANCE);
    let logits = network.forward(&images, TRAIN).expect("logits");
    assert_close("logits in training", &logits, reference.get("train_logits"), TOLERANCE);
    let loss = loss(&logits, &labels(batch)).expect("a loss");
    // a difference of logits: no more exact than they are, and for one picture small beside them
    let (ours, theirs) = (f64::from(loss.to_scalar::<f32>().expect("a number")), f64::from(values(reference.get("loss"))[0]));
    let size = values(&logits).iter().map(|&l| f64::from(l).powi(2)).sum::<f64>().sqrt();
    assert!((ours - theirs).abs() < TOLERANCE * size, "{step}: loss {ours} instead of {theirs}");
    let gradients = network.backward(&loss).expect("gradients");
    let (parameters, buffers) = torch_names(&format!("{}_state_dict.txt", name(architecture)));
    assert_eq!(parameters.len(), network.parameters().len());
    for (torch, ours) in parameters.iter().zip(network.parameters()) {
        let gradient = gradients.get(&ours.var).unwrap_or_else(|| panic!("no gradient of {}", ours.name));
        let gradient = values(&to_file(gradient).expect("a copy"));
        let theirs = values(reference.get(&format!("gradient.{torch}")));
        let norm = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        let sum = gradient.iter().map(|&g| f64::from(g)).sum::<f64>();
        let size = f64::from(theirs[0]);
        let sampled: Vec<f32> = (0..64).map(|i| gradient[i * 2_654_435_761 % gradient.len()]).collect();
        assert!((norm / size - 1.0).abs() < TOLERANCE, "{}: norm {norm} instead of {size}", ours.name);
        assert!((sum - f64::from(theirs[1])).abs() < TOLERANCE * size * (gradient.len() as f64).sqrt(), "{}: sum {sum}", ours.name);
        let error = distance(&sampled, &theirs[2..]);
        assert!(error < 5.0 * TOLERANCE, "{}: sampled entries differ by {error:.2e}", ours.name);
    }
    assert_eq!(buffers.len(), network.buffers().len());
    for (torch, ours) in buffers.iter().zip(network.buffers()) {
        assert_close(&ours.name, &ours.var, reference.get(&format!("buffer.{torch}")), TOLERANCE);
    }
}

#[test]
fn the_seed_network_is_pytorchs() {
    compare_with_pytorch("seed", Architecture::Seed, [2, 3, 64, 64]);
}

#[test]
fn the_compact_network_is_pytorchs() {
    compare_with_pytorch("compact", Architecture::Compact, [3, 3, 32, 32]);
}

#[test]
fn one_picture_of_one_channel_with_odd_maps_is_pytorchs() {
    compare_with_pytorch("seed_odd", Architecture::Seed, [1, 1, 70, 70]);
    compare_with_pytorch("compact_odd", Architecture::Compact, [1, 1, 37, 37]);
}

#[test]
fn twelve_steps_follow_pytorchs_losses() {
    let reference = Reference::open("twelve_steps.safetensors");
    for (architecture, size, batch) in [(Architecture::Seed, 64, 2), (Architecture::Compact, 40, 4)] {
        let theirs = values(reference.get(name(architecture)));
        on_every_accurate_step(|step| {
            let network = filled(architecture, size);
            network.set_step(step);
            let config = Config { optimizer: OptimizerKind::Adamw, weight_decay: 0.0, ..Config::default() };
            let mut optimizer = Optimizer::new(&config, network.parameters());
            let update = Update { learning_rate: 1e-4, momentum: optimizer.momentum(), gradient_scale: 1.0 };
            for (number, theirs) in theirs.iter().enumerate().take(if step == Step::Portable { 5 } else { 12 }) {
                let turn = number as u32 % 4;
                let labels: Vec<u32> = (0..batch as u32).map(|i| (i + turn) * 3 % 10).collect();
                let labels = Tensor::from_vec(labels, batch, &Device::Cpu).expect("labels");
                let logits = network.forward(&draw(&[batch, 3, size, size], 50 + u64::from(turn)), TRAIN).expect("logits");
                let loss = loss(&logits, &labels).expect("a loss");
                let gradients = network.backward(&loss).expect("gradients");
                optimizer.step(network.parameters(), &gradients, update).expect("a step");
                let ours = loss.to_scalar::<f32>().expect("a number");
                // rounding grows from step to step
                let bound = if number < 5 { 1e-3 } else { 2e-2 };
                assert!((ours - theirs).abs() < bound * theirs.max(0.1), "{architecture:?} {step}, step {number}: {ours}, not {theirs}");
            }
        });
    }
}

#[test]
fn images_that_are_not_contiguous_give_the_same() -> Result<()> {
    for architecture in [Architecture::Seed, Architecture::Compact] {
        let network = filled(architecture, 64);
        let turned = draw(&[4, 3, 64, 64], 1).transpose(2, 3)?.narrow(0, 1, 2)?;
        assert!(!turned.is_contiguous());
        let copied = turned.contiguous()?;
        for mode in [TRAIN, Mode::Eval] {
            assert_eq!(values(&network.forward(&turned, mode)?), values(&network.forward(&copied, mode)?), "{architecture:?}");
        }
        let gradients = |images: &Tensor| -> Result<Vec<Vec<f32>>> {
            let store = network.backward(&loss(&network.forward(images, TRAIN)?, &labels(2))?)?;
            Ok(network.parameters().iter().map(|p| values(store.get(p.var.as_tensor()).expect("a gradient"))).collect())
        };
        assert_eq!(gradients(&turned)?, gradients(&copied)?, "{architecture:?}");
    }
    Ok(())
}

/// Logits, all gradients and the buffers after one training step, as bits.
fn step(architecture: Architecture, size: usize, batch: usize) -> Vec<Vec<u32>> {
    let network = build(&options(architecture, size), 7, &Device::Cpu).expect("a network");
    let logits = network.forward(&draw(&[batch, 3, size, size], 1), TRAIN).expect("logits");
    let gradients: GradStore = loss(&logits, &labels(batch)).and_then(|l| network.backward(&l)).expect("gradients");
    let gradient = |var: &Var| gradients.get(var).expect("a gradient").clone();
    let tensors = network.parameters().iter().map(|p| gradient(&p.var)).chain(network.buffers().iter().map(|b| b.var.as_detached_tensor()));
    tensors.chain([logits.clone()]).map(|t| values(&t).into_iter().map(f32::to_bits).collect()).collect()
}

#[test]
fn a_step_gives_the_same_bits_on_any_number_of_threads() {
    // Sizes at which single-image tiles, joined images and several lanes all occur.
    for (architecture, size, batch) in [(Architecture::Compact, 64, 18), (Architecture::Seed, 64, 3), (Architecture::Compact, 32, 1)] {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| step(architecture, size, batch))
        };
        let one = on(1);
        assert!(one == on(2) && one == on(5), "{architecture:?} at {size} with batch {batch}");
    }
}

#[test]
fn features_and_head_make_the_whole() -> Result<()> {
    let network = build(&options(Architecture::Seed, 64), 7, &Device::Cpu)?;
    let images = draw(&[2, 3, 64, 64], 1);
    for mode in [TRAIN, Mode::Eval] {
        let features = network.features(&images, mode)?;
        assert_eq!(features.dims(), [2, 1024, 1, 1]);
        assert_eq!(values(&network.head(&features, mode)?), values(&network.forward(&images, mode)?));
    }
    Ok(())
}

#[test]
fn class_activation_maps_of_the_compact_network_are_exact() -> Result<()> {
    // Zhou et al. 2016: the mean over the map of sum_k w_ck A_k, plus the bias, is the logit.
    let network = filled(Architecture::Compact, 64);
    let features = network.features(&draw(&[1, 3, 64, 64], 1), Mode::Eval)?;
    let last = network.parameters();
    let (weight, bias) = (&last[last.len() - 2].var, &last[last.len() - 1].var);
    let maps = weight.as_detached_tensor().matmul(&features.reshape((512, 4))?)?;
    let from_maps = (maps.mean(1)? + bias.as_detached_tensor())?;
    let logits = network.forward(&draw(&[1, 3, 64, 64], 1), Mode::Eval)?;
    assert!(distance(&values(&from_maps), &values(&logits)) < 1e-6);
    Ok(())
}

#[test]
fn evaluation_reaches_the_images_but_neither_weights_nor_statistics() -> Result<()> {
    let network = filled(Architecture::Compact, 32);
    let before = weights::snapshot(&*network)?;
    let images = Var::from_tensor(&draw(&[2, 3, 32, 32], 1))?;
    let gradients = network.forward(&images, Mode::Eval)?.sum_all()?.backward()?;
    assert!(gradients.get(&images).is_some_and(|g| values(g).iter().any(|&v| v != 0.0)));
    assert!(network.parameters().iter().all(|p| gradients.get(&p.var).is_none()));
    for ((name, old), (_, new)) in before.iter().zip(weights::snapshot(&*network)?) {
        assert_eq!(values(old), values(&new), "{name}");
    }
    Ok(())
}

#[test]
fn pictures_get_no_gradient_in_training() -> Result<()> {
    let network = filled(Architecture::Seed, 64);
    let images = draw(&[1, 3, 64, 64], 1);
    let gradients = network.backward(&loss(&network.forward(&images, TRAIN)?, &labels(1))?)?;
    assert!(gradients.get(&images).is_none());
    Ok(())
}
