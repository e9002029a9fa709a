//! `tuning-fork bench --device cuda`: a training step on a device, alone or with its input pipeline (pictures on the device as bytes,
//! gathered, augmented and normalised there), and with that a whole epoch. Steps are asked for in groups, and only the end of a group is
//! waited for. `--device host` runs the same on the twin, to see that it works; its times mean nothing.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use candle_core::Device;
use serde::Serialize;

use super::floor::{Floor, floor};
use super::pipeline::Pipeline;
use super::{Arguments, CLASSES, SEED, median, name, peak_memory, round};
use crate::cli::output;
use crate::nn::accelerated::{Engine, Progress, Settings, TrainBatch};
use crate::nn::{self, NetworkOptions, models};
use crate::random::{Purpose, Random};
use crate::train::{Config, Loss, Optimizer, device};

/// Steps that are asked for before the host waits.
const GROUP: usize = 10;
/// Steps between two reports of an epoch, which are read one late, as in a run.
const REPORT: usize = 16;

/// The figures, with the keys of the `PyTorch` peer and what only a device has.
#[derive(Serialize)]
struct Figures {
    framework: String,
    model: String,
    device: String,
    size: usize,
    batch: usize,
    layout: &'static str,
    precision: &'static str,
    pipeline: Option<String>,
    optimizer: String,
    inference: bool,
    step_ms: f64,
    /// Milliseconds that the host needs to ask for a step.
    host_ms: f64,
    /// Milliseconds that the device alone needs for a step, all of which was asked for before it began; `None` where that means nothing.
    device_ms: Option<f64>,
    /// The share of a step's time in which the device waits for the host.
    waits: Option<f64>,
    images_per_s: f64,
    /// Images of an epoch, and its seconds: measured with the pipeline, else worked out from the step.
    epoch_images: usize,
    epoch_s: f64,
    epoch_measured: bool,
    /// What a training step must cost at least, and how far the step is from that.
    floor: Floor,
    times_the_floor: Option<f64>,
    device_mb: usize,
    peak_rss_mb: Option<u64>,
}

/// Measures, and prints the figures as one JSON object.
///
/// # Errors
/// If the device cannot be had, or has no room.
pub fn run(arguments: &Arguments, config: &Config) -> anyhow::Result<()> {
    let chosen = device::choose(config)?;
    let Some(opened) = chosen.opened else { anyhow::bail!("{}; there is no device to measure", chosen.reason) };
    let options = NetworkOptions {
        architecture: arguments.model,
        size: arguments.size,
        channels: 3,
        classes: CLASSES,
        width: config.width,
        dropout: config.dropout as f32,
    };
    let network = nn::build(&options, SEED, &Device::Cpu)?;
    let optimizer = Optimizer::new(config, network.parameters());
    let settings = Settings {
        arithmetic: opened.arithmetic,
        batch: arguments.batch,
        micro: arguments.batch,
        loss: Loss::new(config, &[1; CLASSES]).rule(),
        update: optimizer.update_rule(config.clip),
        seed: SEED,
    };
    let (free, _) = opened.device.memory()?;
    let engine = Engine::new(Rc::clone(&opened.device), &options, settings)?;
    engine.load(&*network)?;
    engine.rehearse()?;
    let mut random = Random::new(SEED, Purpose::Test, &[]);
    let targets = (0..arguments.batch).map(|_| random.below(CLASSES) as u32).collect();
    let mut bench = Bench { engine, pipeline: None, inference: arguments.inference, targets, step: 0 };
    if let Some(preset) = arguments.pipeline {
        bench.pipeline = Some(Pipeline::new(&bench.engine, preset.augmentation(), arguments.images, &mut random)?);
    } else {
        let numbers = arguments.batch * 3 * arguments.size * arguments.size;
        let planes: Vec<f32> = (0..numbers).map(|_| random.uniform() as f32).collect();
        bench.engine.upload_planes(&planes, arguments.batch)?;
    }
    let Times { step, host, device } = bench.measure(arguments)?;
    let measured = if bench.pipeline.is_some() && !arguments.inference { Some(bench.epoch(arguments.images)?) } else { None };
    let (left, _) = opened.device.memory()?;
    let plan = models::plan(&options)?;
    let floor = floor(&plan, arguments.size, arguments.batch, opened.arithmetic, &opened.device.name());
    let least = if arguments.inference { None } else { floor.arithmetic_ms.zip(floor.memory_ms) };
    output::json(&Figures {
        framework: format!("tuning-fork {}", crate::VERSION),
        model: name(&arguments.model),
        device: opened.device.name(),
        size: arguments.size,
        batch: arguments.batch,
        layout: "channels_last",
        precision: opened.arithmetic.name(),
        pipeline: arguments.pipeline.as_ref().map(name),
        optimizer: name(&arguments.optimizer),
        inference: arguments.inference,
        step_ms: round(step * 1e3),
        host_ms: round(host * 1e3),
        device_ms: device.map(|device| round(device * 1e3)),
        waits: device.map(|device| round((1.0 - device / step).max(0.0))),
        images_per_s: round(arguments.batch as f64 / step),
        epoch_images: arguments.images,
        epoch_s: round(measured.unwrap_or(step * arguments.images.div_ceil(arguments.batch) as f64)),
        epoch_measured: measured.is_some(),
        times_the_floor: least.map(|(arithmetic, memory)| round(step * 1e3 / arithmetic.max(memory))),
        floor,
        device_mb: free.saturating_sub(left) >> 20,
        peak_rss_mb: peak_memory(),
    })?;
    Ok(())
}

/// Seconds of a step: as a whole, of asking for it, and of the device alone.
struct Times {
    step: f64,
    host: f64,
    device: Option<f64>,
}

struct Bench {
    engine: Engine,
    pipeline: Option<Pipeline>,
    inference: bool,
    targets: Vec<u32>,
    step: usize,
}

impl Bench {
    /// The medians over groups.
    fn measure(&mut self, arguments: &Arguments) -> anyhow::Result<Times> {
        let steps = arguments.warmup + arguments.steps * (GROUP + 1);
        self.engine.prepare(Progress::default(), &vec![[1e-4, 0.9]; steps])?;
        let batch = self.targets.len();
        for _ in 0..arguments.warmup {
            self.one(batch)?;
        }
        self.engine.device().synchronise()?;
        let (mut times, mut alone) = (Vec::new(), Vec::new());
        for _ in 0..arguments.steps {
            let start = Instant::now();
            for _ in 0..GROUP {
                self.one(batch)?;
            }
            let asked = start.elapsed().as_secs_f64();
            self.engine.device().synchronise()?;
            times.push((start.elapsed().as_secs_f64() / GROUP as f64, asked / GROUP as f64));
        }
        // an evaluation waits for its answers, and the twin has no time of its own
        let separate = !self.inference && !self.engine.device().is_twin();
        for _ in 0..if separate { arguments.steps } else { 0 } {
            let hold = self.engine.device().hold()?;
            self.one(batch)?;
            let start = Instant::now();
            drop(hold);
            self.engine.device().synchronise()?;
            alone.push(start.elapsed().as_secs_f64());
        }
        Ok(Times {
            step: median(times.iter().map(|(step, _)| *step)),
            host: median(times.iter().map(|(_, asked)| *asked)),
            device: separate.then(|| median(alone.into_iter())),
        })
    }

    fn one(&mut self, images: usize) -> anyhow::Result<()> {
        let Self { engine, pipeline, targets, step, inference } = self;
        *step += 1;
        if !*inference {
            return train(engine, pipeline.as_mut(), &targets[..images], *step);
        }
        if let Some(pipeline) = pipeline {
            pipeline.batch(engine, images, *step)?;
        }
        // the logits are read, as an evaluation would
        engine.evaluate(images)?()?;
        Ok(())
    }

    /// Seconds of an epoch of `images` images, as a run goes through them: the last batch is what is left, and now and then losses are read.
    fn epoch(&mut self, images: usize) -> anyhow::Result<f64> {
        let batch = self.targets.len();
        let (steps, rest) = (images.div_ceil(batch), images % batch);
        self.engine.prepare(Progress::default(), &vec![[1e-4, 0.9]; steps + 1])?;
        // the algorithms for the last batch are looked for once in a run
        if rest > 0 {
            self.one(rest)?;
        }
        let Self { engine, pipeline, targets, .. } = self;
        engine.device().synchronise()?;
        let start = Instant::now();
        let mut reports = VecDeque::new();
        for number in 0..steps {
            let count = batch.min(images - number * batch);
            train(engine, pipeline.as_mut(), &targets[..count], number)?;
            if number % REPORT == REPORT - 1 {
                reports.push_back(engine.report()?);
            }
            if reports.len() > 1
                && let Some(report) = reports.pop_front()
            {
                report()?;
            }
        }
        reports.push_back(engine.report()?);
        for report in reports {
            report()?;
        }
        Ok(start.elapsed().as_secs_f64())
    }
}

/// Asks for a step on pictures of the pipeline, if there is one, else on what lies in the input.
fn train(engine: &Engine, pipeline: Option<&mut Pipeline>, targets: &[u32], step: usize) -> anyhow::Result<()> {
    if let Some(pipeline) = pipeline {
        pipeline.batch(engine, targets.len(), step)?;
    }
    engine.upload_targets(targets)?;
    Ok(engine.train(TrainBatch { images: targets.len(), targets: None, mixing: None })?)
}
