//! `tuning-fork bench`: how long a training step takes here, and what it is made of. Random pictures in memory, and the
//! network, loss and optimiser of a real run; no files, no prefetching, and augmentation only by itself. (The share of a real run's time that
//! is spent waiting for pictures is told while it trains, and as `wait` in its events.) With `--device cuda` the same on a CUDA device.

mod augment;
mod floor;
mod gpu;
mod pipeline;

use std::time::Instant;

use candle_core::{Device, Tensor};
use clap::Args;
use serde::Serialize;

use super::choice::{Choice, kebab};
use super::{flags, output};
use crate::augment::Preset;
use crate::nn::{self, Architecture, Mode, Network, NetworkOptions, Step, USUAL_WIDTH};
use crate::random::{Purpose, Random};
use crate::train::{self, Config, DeviceChoice, Loss, LossKind, Optimizer, OptimizerKind, Precision, Update, device};

const CLASSES: usize = 10;
const SEED: u64 = 0;

/// What `bench` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The network
    #[arg(long, value_name = "NAME", default_value = "seed", value_parser = Choice::<Architecture>::new())]
    model: Architecture,
    /// Filters of the network's first block
    #[arg(long, value_name = "W", default_value_t = USUAL_WIDTH)]
    width: usize,
    /// Height and width of the pictures, pixels
    #[arg(long, value_name = "S", default_value_t = 64)]
    size: usize,
    /// Pictures in a step
    #[arg(long, value_name = "B", default_value_t = 32, value_parser = flags::count)]
    batch: usize,
    /// Steps that are measured; the median of each part is told
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = flags::count)]
    steps: usize,
    /// Steps before that, unmeasured
    #[arg(long, value_name = "N", default_value_t = 2)]
    warmup: usize,
    /// Compute threads; 0 means one a physical core
    #[arg(long, value_name = "T", default_value_t = 0)]
    threads: usize,
    /// Arithmetic of the training step
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = Choice::<Precision>::new())]
    precision: Precision,
    /// The optimiser
    #[arg(long, value_name = "NAME", default_value = "adamw", value_parser = Choice::<OptimizerKind>::new())]
    optimizer: OptimizerKind,
    /// Measure the forward pass in evaluation mode only
    #[arg(long)]
    inference: bool,
    /// Where to compute: cpu, cuda (the first CUDA device) or cuda:N
    #[arg(long, value_name = "NAME", default_value = "cpu")]
    device: DeviceChoice,
    /// On a CUDA device: make every batch there from pictures in its memory, augmented like this
    #[arg(long, value_name = "PRESET", value_parser = Choice::<Preset>::new())]
    pipeline: Option<Preset>,
    /// On a CUDA device: the images of an epoch, which with --pipeline is measured too
    #[arg(long, value_name = "N", default_value_t = 17_736, value_parser = flags::count)]
    images: usize,
    /// Measure the augmentation of 256 x 256 pictures to --size on one core instead
    #[arg(long, value_name = "PRESET", value_parser = Choice::<Preset>::new())]
    augmentation: Option<Preset>,
}

/// The figures, with the keys of the `PyTorch` peer, and the processor's instructions.
#[derive(Serialize)]
struct Figures {
    framework: String,
    model: String,
    device: &'static str,
    size: usize,
    batch: usize,
    layout: &'static str,
    amp: bool,
    instructions: String,
    compile: bool,
    optimizer: String,
    inference: bool,
    threads: usize,
    forward_ms: f64,
    backward_ms: f64,
    optimizer_ms: f64,
    step_ms: f64,
    images_per_s: f64,
    peak_rss_mb: Option<u64>,
}

/// Seconds of the parts of one step.
#[derive(Clone, Copy)]
struct Times {
    forward: f64,
    backward: f64,
    optimizer: f64,
}

/// Measures, and prints the figures as one JSON object.
///
/// # Errors
/// If the network cannot be built for these options or fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(preset) = arguments.augmentation {
        return augment::run(arguments, preset);
    }
    let config = Config {
        model: arguments.model,
        width: arguments.width,
        size: arguments.size,
        batch: arguments.batch,
        threads: arguments.threads,
        precision: arguments.precision,
        optimizer: arguments.optimizer,
        device: arguments.device,
        loss: LossKind::CrossEntropy,
        ..Config::default()
    };
    if arguments.device != DeviceChoice::Cpu {
        return gpu::run(arguments, &config);
    }
    if arguments.pipeline.is_some() {
        anyhow::bail!("the pipeline of a device can be measured on a device only: add --device cuda, or use --augmentation");
    }
    let (device, instructions) = (Device::Cpu, device::instructions(&config)?);
    let figures = device::pool(&config)?.install(|| measure(arguments, &config, &device, instructions))?;
    output::json(&figures)?;
    Ok(())
}

fn measure(arguments: &Arguments, config: &Config, device: &Device, instructions: Step) -> anyhow::Result<Figures> {
    let options = NetworkOptions {
        architecture: arguments.model,
        size: arguments.size,
        channels: 3,
        classes: CLASSES,
        width: config.width,
        dropout: config.dropout as f32,
    };
    let network = nn::build(&options, SEED, device)?;
    network.set_step(instructions);
    let mut bench = Bench {
        loss: Loss::new(config, &[1; CLASSES]),
        optimizer: Optimizer::new(config, network.parameters()),
        network,
        clip: config.clip,
        inference: arguments.inference,
    };
    let (images, targets) = pictures(arguments, device)?;
    for step in 0..arguments.warmup {
        bench.step(&images, &targets, step as u64)?;
    }
    let measured = arguments.warmup..arguments.warmup + arguments.steps;
    let times: Vec<Times> = measured.map(|step| bench.step(&images, &targets, step as u64)).collect::<anyhow::Result<_>>()?;
    Ok(figures(arguments, instructions, &times))
}

/// A network with what trains it.
struct Bench {
    network: Box<dyn Network>,
    loss: Loss,
    optimizer: Optimizer,
    clip: f64,
    inference: bool,
}

impl Bench {
    fn step(&mut self, images: &Tensor, targets: &[u32], step: u64) -> anyhow::Result<Times> {
        let mode = if self.inference { Mode::Eval } else { Mode::Train { seed: SEED, step } };
        let start = Instant::now();
        let logits = self.network.forward(images, mode)?;
        let (_, objective) = self.loss.forward(&logits, targets, None)?;
        let forward = start.elapsed().as_secs_f64();
        if self.inference {
            return Ok(Times { forward, backward: 0.0, optimizer: 0.0 });
        }
        let start = Instant::now();
        let gradients = self.network.backward(&objective)?;
        let backward = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let norm = train::gradient_norm(&gradients, self.network.parameters())?;
        let update = Update { learning_rate: 1e-4, momentum: 0.9, gradient_scale: train::clip_scale(norm, self.clip) };
        self.optimizer.step(self.network.parameters(), &gradients, update)?;
        Ok(Times { forward, backward, optimizer: start.elapsed().as_secs_f64() })
    }
}

/// Uniform noise in [0, 1) and labels.
fn pictures(arguments: &Arguments, device: &Device) -> candle_core::Result<(Tensor, Vec<u32>)> {
    let mut random = Random::new(SEED, Purpose::Test, &[]);
    let shape = (arguments.batch, 3, arguments.size, arguments.size);
    let values: Vec<f32> = (0..arguments.batch * 3 * arguments.size * arguments.size).map(|_| random.uniform() as f32).collect();
    let targets = (0..arguments.batch).map(|_| random.below(CLASSES) as u32).collect();
    Ok((Tensor::from_vec(values, shape, device)?, targets))
}

fn figures(arguments: &Arguments, instructions: Step, times: &[Times]) -> Figures {
    let ms = |part: fn(&Times) -> f64| round(median(times.iter().map(part)) * 1e3);
    let step = median(times.iter().map(|t| t.forward + t.backward + t.optimizer));
    Figures {
        framework: format!("tuning-fork {}", crate::VERSION),
        model: name(&arguments.model),
        device: "cpu",
        size: arguments.size,
        batch: arguments.batch,
        layout: "contiguous",
        amp: !instructions.is_f32(),
        instructions: instructions.to_string(),
        compile: false,
        optimizer: name(&arguments.optimizer),
        inference: arguments.inference,
        threads: rayon::current_num_threads(),
        forward_ms: ms(|t| t.forward),
        backward_ms: ms(|t| t.backward),
        optimizer_ms: ms(|t| t.optimizer),
        step_ms: round(step * 1e3),
        images_per_s: round(arguments.batch as f64 / step),
        peak_rss_mb: peak_memory(),
    }
}

/// How the command line spells a value of an enum.
fn name(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(kebab)).unwrap_or_default()
}

/// The median; 0 of nothing.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// To two decimals.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The most memory that was resident, in MiB, where the system tells (Linux).
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? / 1024)
}
