//! `tuning-fork bench --device cuda`: a training step on a device, alone or with its input pipeline: pictures on the device as bytes,
//! gathered, augmented and normalised there. Steps are asked for in groups, and only the end of a group is waited for.

use std::rc::Rc;
use std::time::Instant;

use candle_core::Device;
use serde::Serialize;

use super::floor::{Floor, floor};
use super::{Arguments, CLASSES, SEED, median, name, peak_memory, round};
use crate::augment::{Augmentation, Resident as Place, Table};
use crate::cli::output;
use crate::nn::accelerated::{Engine, Progress, Resident, Settings, TableShape, TrainBatch};
use crate::nn::{self, NetworkOptions, Normalisation, models};
use crate::random::{Purpose, Random};
use crate::train::{Config, Loss, Optimizer, device};

/// Steps that are asked for before the host waits.
const GROUP: usize = 10;
/// Pictures on the device for the pipeline, and the images of the training part that an epoch is worked out for.
const PICTURES: usize = 2048;
const EPOCH: usize = 17_736;

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
    /// Milliseconds that the host needs to ask for a step; the device waits for it where this is more than `step_ms`.
    host_ms: f64,
    images_per_s: f64,
    /// Seconds of an epoch of 17,736 images at this rate.
    epoch_s: f64,
    /// What a training step must cost at least.
    floor: Floor,
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
    let mut engine = Engine::new(Rc::clone(&opened.device), &options, settings)?;
    engine.load(&*network)?;
    engine.rehearse()?;
    let steps = arguments.warmup + arguments.steps * GROUP;
    engine.prepare(Progress::default(), &vec![[1e-4, 0.9]; steps])?;
    let mut random = Random::new(SEED, Purpose::Test, &[]);
    let mut bench = Bench { engine: &engine, pipeline: None, inference: arguments.inference, batch: arguments.batch, step: 0 };
    if let Some(preset) = arguments.pipeline {
        bench.pipeline = Some(Pipeline::new(&engine, preset.augmentation(), &mut random)?);
    } else {
        let numbers = arguments.batch * 3 * arguments.size * arguments.size;
        let planes: Vec<f32> = (0..numbers).map(|_| random.uniform() as f32).collect();
        engine.upload_planes(&planes, arguments.batch)?;
    }
    let targets: Vec<u32> = (0..arguments.batch).map(|_| random.below(CLASSES) as u32).collect();
    engine.upload_targets(&targets)?;
    let (step, host) = bench.measure(arguments)?;
    let (left, _) = opened.device.memory()?;
    let plan = models::plan(&options)?;
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
        images_per_s: round(arguments.batch as f64 / step),
        epoch_s: round(step * EPOCH.div_ceil(arguments.batch) as f64),
        floor: floor(&plan, arguments.size, arguments.batch, opened.arithmetic, &opened.device.name()),
        device_mb: free.saturating_sub(left) >> 20,
        peak_rss_mb: peak_memory(),
    })?;
    Ok(())
}

struct Bench<'a> {
    engine: &'a Engine,
    pipeline: Option<Pipeline>,
    inference: bool,
    batch: usize,
    step: usize,
}

impl Bench<'_> {
    /// Seconds of a step, and of asking for it: the medians over groups.
    fn measure(&mut self, arguments: &Arguments) -> anyhow::Result<(f64, f64)> {
        for _ in 0..arguments.warmup {
            self.one()?;
        }
        self.engine.device().synchronise()?;
        let mut times = Vec::new();
        for _ in 0..arguments.steps {
            let start = Instant::now();
            for _ in 0..GROUP {
                self.one()?;
            }
            let asked = start.elapsed().as_secs_f64();
            self.engine.device().synchronise()?;
            times.push((start.elapsed().as_secs_f64() / GROUP as f64, asked / GROUP as f64));
        }
        Ok((median(times.iter().map(|(step, _)| *step)), median(times.iter().map(|(_, asked)| *asked))))
    }

    fn one(&mut self) -> anyhow::Result<()> {
        if let Some(pipeline) = &mut self.pipeline {
            pipeline.batch(self.engine, self.batch, self.step)?;
        }
        self.step += 1;
        if self.inference {
            // the logits are read, as an evaluation would
            self.engine.evaluate(self.batch)?()?;
            return Ok(());
        }
        Ok(self.engine.train(TrainBatch { images: self.batch, targets: None, mixing: None })?)
    }
}

/// Pictures on the device, and how they are varied.
struct Pipeline {
    resident: Resident,
    side: usize,
    picture: usize,
    augmentation: Augmentation,
}

impl Pipeline {
    fn new(engine: &Engine, augmentation: Augmentation, random: &mut Random) -> anyhow::Result<Self> {
        let side = engine.options().size;
        let picture = augmentation.source_side(side);
        let length = 3 * picture * picture;
        let resident = Resident::new(engine.device(), PICTURES * length)?;
        let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        for number in 0..PICTURES {
            resident.write(engine.device(), number * length, &bytes)?;
        }
        Ok(Self { resident, side, picture, augmentation })
    }

    fn batch(&mut self, engine: &Engine, images: usize, step: usize) -> anyhow::Result<()> {
        let mut table = Table::new(self.side, None);
        let exact = self.augmentation.is_exact();
        for index in 0..images {
            let number = (step * images + index) % PICTURES;
            let offset = (number * 3 * self.picture * self.picture) as u64;
            let mut random = Random::new(SEED, Purpose::Augment, &[step as u64, index as u64]);
            let draw = self.augmentation.draw(&mut random);
            table.augmented(Place { offset, width: self.picture, height: self.picture }, &draw, exact);
        }
        let kernels = (table.weights(), table.taps());
        let shape = TableShape::of(images, kernels, table.largest(), [table.contrast(), table.noisy()]);
        Ok(engine.augment(&mut self.resident, table.bytes(), &shape, &Normalisation::default())?)
    }
}
