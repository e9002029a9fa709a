//! What happens before the first step: every check, and everything that a run works with.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use candle_core::Device;

use super::accelerated::Accelerated;
use super::batches::Variation;
use super::buffers::Buffers;
use super::cache::ImageCache;
use super::checkpoint::{self, Progress};
use super::device::Chosen;
use super::energy::Meter;
use super::evaluate::class_counts;
use super::folder::Lock;
use super::{
    Config, ConfigError, DeviceChoice, Job, Loss, Optimizer, RecordedSplit, RunError, RunFolder, Schedule, Started, Status, TrainError,
    device,
};
use crate::data::{Dataset, Part, Split};
use crate::imaging::Fit;
use crate::nn::{self, Framing, ModelSpec, Network, NetworkOptions, Normalisation};

/// What does not change during a run.
pub(super) struct Setup {
    pub config: Config,
    pub folder: RunFolder,
    pub split: Split,
    pub spec: ModelSpec,
    pub loss: Loss,
    /// Every picture as the network takes it.
    pub cache: Arc<ImageCache>,
    /// The pictures that are augmented; the same unless augmentation cuts out a part.
    pub training: Arc<ImageCache>,
    /// The memory of batches.
    pub buffers: Arc<Buffers>,
    pub threads: usize,
    /// Keeps other processes out of the folder.
    _lock: Lock,
}

/// What a run changes.
pub(super) struct State {
    pub network: Box<dyn Network>,
    pub optimizer: Optimizer,
    pub schedule: Schedule,
    pub progress: Progress,
    /// The network on a device, if the run computes on one.
    pub accelerated: Option<Accelerated>,
    /// Of what computes.
    pub meter: Meter,
}

impl Setup {
    /// How the training images vary in an epoch (counted from 1).
    pub fn variation(&self, epoch: usize) -> Variation {
        Variation { augmentation: self.config.augmentation, seed: self.config.seed, epoch }
    }
}

/// What can be said against a configuration without its data.
pub(super) fn check_values(config: &Config) -> Result<(), ConfigError> {
    config.errors().into_iter().next().map_or(Ok(()), Err)
}

/// Checks everything else and builds everything; what cannot work is refused here, before anything is written.
pub(super) fn prepare(job: &Job) -> Result<(Setup, State, Started), TrainError> {
    let config = &job.config;
    let resumed = RunFolder::open(job.folder.path()).is_ok();
    let mut chosen = if resumed { device::choose_again(config)? } else { device::choose(config)? };
    let lock = job.folder.lock()?;
    if resumed {
        check_same_run(&job.folder.config()?, config, &job.folder)?;
        check_checkpoint(&job.folder)?;
    }
    let recorded = recorded_split(job)?;
    check_split(&recorded.split, config)?;

    let spec = spec(config, &job.dataset);
    let network = nn::build(&spec.network, config.seed, &Device::Cpu)?;
    network.set_step(chosen.step);
    let steps_per_epoch = recorded.split.train.len().div_ceil(config.batch);
    let mut optimizer = Optimizer::new(config, network.parameters());
    let mut schedule = Schedule::new(config, steps_per_epoch * config.epochs);
    let last = job.folder.last_checkpoint();
    let progress = if last.exists() { checkpoint::load(&last, &*network, &mut optimizer)? } else { Progress::default() };
    schedule.plateau = progress.plateau;

    let loss = Loss::new(config, &class_counts(&job.dataset, &recorded.split.train));
    let accelerated = bring(config, &mut chosen, &loss, &*network, &optimizer)?;
    let meter = Meter::of(chosen.opened.as_ref().filter(|_| accelerated.is_some()));
    job.folder.save_config(config)?;
    job.folder.save_split(&recorded)?;
    let threads = device::threads(config);
    let started = Started {
        data: job.dataset.name.clone(),
        classes: job.dataset.classes.clone(),
        parameters: network.parameters().iter().map(|p| p.var.elem_count()).sum(),
        train_images: recorded.split.train.len(),
        valid_images: recorded.split.valid.len(),
        test_images: recorded.split.test.len(),
        steps_per_epoch,
        epochs: config.epochs,
        epochs_done: progress.epochs,
        steps_done: progress.step,
        device: chosen.name(),
        reason: chosen.reason,
        threads,
        split_digest: recorded.digest,
        version: crate::VERSION.into(),
        time: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs(),
    };
    let cache = Arc::new(ImageCache::new(job.dataset.clone(), config.size, config.fit));
    let largest = config.augmentation.source_side(config.size);
    let training = if largest == config.size {
        cache.clone()
    } else {
        Arc::new(ImageCache::larger(job.dataset.clone(), (config.size, largest), config.fit))
    };
    let setup = Setup {
        loss,
        cache,
        training,
        buffers: Buffers::new(config.batch, config.size),
        config: config.clone(),
        folder: job.folder.clone(),
        split: recorded.split,
        spec,
        threads,
        _lock: lock,
    };
    Ok((setup, State { network, optimizer, schedule, progress, accelerated, meter }, started))
}

/// Refuses a run that has epochs and no checkpoint, as one that was exported and imported: it would begin anew and take the place of what
/// it learned. One that was killed between its first epoch and its first checkpoint does begin anew.
fn check_checkpoint(folder: &RunFolder) -> Result<(), RunError> {
    let path = folder.last_checkpoint();
    if path.exists() {
        return Ok(());
    }
    let session = folder.outline()?;
    let killed = !matches!(session.status, Status::Ended(_)) && session.epochs.len() <= 1;
    if killed || session.epochs.is_empty() {
        return Ok(());
    }
    let done = session.epochs.len();
    let message = format!("the checkpoint of its {done} epochs is not there (no export takes it along); train a new run with its values");
    Err(RunError::invalid(&path, message))
}

/// Brings the network to the device that was chosen, if it is not the processor. A device that was not asked for by name and cannot do it
/// is left alone: why, stands in the reason.
fn bring(
    config: &Config,
    chosen: &mut Chosen,
    loss: &Loss,
    network: &dyn Network,
    optimizer: &Optimizer,
) -> Result<Option<Accelerated>, TrainError> {
    let Some(opened) = &chosen.opened else { return Ok(None) };
    match Accelerated::start(opened, config, loss, network, optimizer) {
        Ok((accelerated, note)) => {
            if let Some(note) = note {
                chosen.reason = if chosen.reason.is_empty() { note } else { format!("{}; {note}", chosen.reason) };
            }
            Ok(Some(accelerated))
        }
        Err(error) if config.device == DeviceChoice::Auto => {
            let reason = format!("{} was not used: {error}", opened.device.name());
            *chosen = device::processor(config, reason)?;
            network.set_step(chosen.step);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn spec(config: &Config, dataset: &Dataset) -> ModelSpec {
    ModelSpec {
        network: NetworkOptions {
            architecture: config.model,
            size: config.size,
            channels: 3,
            classes: dataset.classes.len(),
            width: config.width,
            dropout: config.dropout as f32,
        },
        classes: dataset.classes.clone(),
        normalisation: Normalisation::default(),
        framing: match config.fit {
            Fit::Stretch => Framing::Stretch,
            Fit::Crop => Framing::Crop,
            Fit::Pad => Framing::Pad,
        },
        program_version: crate::VERSION.into(),
        epoch: None,
    }
}

/// The split of the run: the recorded one if there is one, else a new one.
fn recorded_split(job: &Job) -> Result<RecordedSplit, TrainError> {
    if job.folder.has_split() {
        let recorded = job.folder.split()?;
        if let Some(difference) = recorded.difference(&job.dataset) {
            return Err(TrainError::OtherData(difference));
        }
        recorded.split.validate(job.dataset.len())?;
        return Ok(recorded);
    }
    let split = job.dataset.split(job.config.split_seed)?;
    let Dataset { classes, labels, .. } = &*job.dataset;
    Ok(RecordedSplit {
        digest: split.digest(),
        data_digest: String::new(),
        images: labels.len(),
        classes: classes.clone(),
        split,
        labels: labels.clone(),
    })
}

/// Writes down which data set the run sees, if that is not known yet. Reads pictures, so it comes after the log is open: whatever they
/// do is told there.
pub(super) fn record_data(job: &Job) -> Result<(), RunError> {
    let recorded = job.folder.split()?;
    if recorded.data_digest.is_empty() {
        job.folder.save_split(&RecordedSplit { data_digest: job.dataset.digest(), ..recorded })?;
    }
    Ok(())
}

/// What only the data can tell about the configuration.
fn check_split(split: &Split, config: &Config) -> Result<(), ConfigError> {
    let (train, valid) = (split.part(Part::Train).len(), split.part(Part::Valid).len());
    if train == 0 || valid == 0 {
        let message =
            format!("the data set gives {train} training and {valid} validation images; choose one with more images in each class");
        return Err(ConfigError { field: "data", message });
    }
    if config.batch > train {
        let message = format!("{} is more than the {train} training images; choose at most {train}", config.batch);
        return Err(ConfigError { field: "batch", message });
    }
    Ok(())
}

/// A resumed run is the same run: only where it runs, how long, and where its data lie may change.
fn check_same_run(old: &Config, new: &Config, folder: &RunFolder) -> Result<(), RunError> {
    const FREE: [&str; 4] = ["data", "epochs", "threads", "device"];
    let fields = |config: &Config| serde_json::to_value(config).map_err(|e| RunError::invalid(folder.path(), e.to_string()));
    let (old, new) = (fields(old)?, fields(new)?);
    for (field, value) in new.as_object().into_iter().flatten() {
        let before = &old[field];
        if !FREE.contains(&field.as_str()) && before != value {
            let message = format!("this run has {field} = {before}, not {value}; resume it as it was, or start a new run in a new folder");
            return Err(RunError::invalid(folder.path(), message));
        }
    }
    Ok(())
}
