//! `last.safetensors`: everything that a resumed run needs to go on as if it had never stopped.
//!
//! One file, so that weights, optimiser and position are always of the same moment. Random numbers need no state: every draw
//! is a function of the seed and the position.

use std::collections::HashMap;
use std::path::Path;

use candle_core::safetensors::load_buffer;
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use super::schedule::Plateau;
use super::stopping::EarlyStopping;
use super::{Optimizer, RunError};
use crate::files;
use crate::nn::{Network, weights};

/// The key of the metadata under which [`Progress`] stands as JSON.
const KEY: &str = "tuning_fork_progress";
/// What the names of the optimiser's tensors begin with.
const OPTIMIZER: &str = "optimizer.";
/// What the names of the network's tensors begin with.
const NETWORK: &str = "network.";

/// Sums over the steps of the current epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct EpochSums {
    /// Sum of the images' losses.
    pub loss: f64,
    /// Images classified right.
    pub correct: u64,
    pub images: u64,
    /// Steps that changed the network.
    pub steps: u64,
    /// Steps that were left out because a number in f16 was not finite.
    #[serde(default)]
    pub skipped: u64,
    /// Sum of the gradient norms.
    pub gradient_norm: f64,
    /// Seconds of the steps.
    pub seconds: f64,
    /// Joules, if all of them were measured; set in checkpoints only.
    #[serde(default)]
    pub energy: Option<f64>,
}

/// The best epoch whose model is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    pub epoch: usize,
    /// Larger is better.
    pub score: f64,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    /// Epochs whose validation is done.
    pub epochs: usize,
    /// Steps done of the epoch after those.
    pub step_in_epoch: usize,
    /// Steps done in all.
    pub step: usize,
    /// Steps that the optimiser took.
    pub optimizer_steps: u64,
    pub sums: EpochSums,
    pub plateau: Plateau,
    pub stopping: EarlyStopping,
    pub best: Option<Best>,
    /// Whether early stopping ended the run.
    pub stopped_early: bool,
    /// Seconds of the run, pauses left out.
    pub seconds: f64,
    /// What a device multiplies the loss with in f16; 0 before its first report.
    #[serde(default)]
    pub loss_scale: f32,
    /// Steps since that was changed.
    #[serde(default)]
    pub calm: u32,
}

/// Writes a checkpoint; the one before stays until this one is whole.
pub(super) fn save(path: &Path, network: &dyn Network, optimizer: &Optimizer, progress: &Progress) -> Result<(), RunError> {
    let variables = network.parameters().iter().map(|p| (&p.name, &p.var)).chain(network.buffers().iter().map(|b| (&b.name, &b.var)));
    let mut tensors: Vec<(String, Tensor)> = variables.map(|(name, var)| (format!("{NETWORK}{name}"), var.as_detached_tensor())).collect();
    let state = optimizer.state().map_err(|e| RunError::invalid(path, e.to_string()))?;
    tensors.extend(state.into_iter().map(|(name, tensor)| (format!("{OPTIMIZER}{name}"), tensor)));
    let json = serde_json::to_string(progress).map_err(|e| RunError::invalid(path, e.to_string()))?;
    let metadata = HashMap::from([(KEY.to_owned(), json)]);
    // tensor by tensor, so that the file never stands in memory as a whole
    files::replace_by(path, |temporary| safetensors::serialize_to_file(tensors, Some(metadata), temporary).map_err(std::io::Error::other))
        .map_err(|e| RunError::io(path, e))
}

/// Reads a checkpoint into a network and an optimiser of the same configuration.
pub(super) fn load(path: &Path, network: &dyn Network, optimizer: &mut Optimizer) -> Result<Progress, RunError> {
    let bytes = std::fs::read(path).map_err(|e| RunError::io(path, e))?;
    let damaged = |e: &dyn std::fmt::Display| {
        RunError::invalid(path, format!("not a checkpoint of this run ({e}); train again in a new folder, the best model is still good"))
    };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(&e))?;
    let json = header.metadata().as_ref().and_then(|m| m.get(KEY)).ok_or_else(|| damaged(&"it does not say where the run stood"))?;
    let progress: Progress = serde_json::from_str(json).map_err(|e| damaged(&e))?;
    let mut tensors = load_buffer(&bytes, &Device::Cpu).map_err(|e| damaged(&e))?;
    let mut take = |prefix: &str, name: &str| tensors.remove(&format!("{prefix}{name}"));

    let names = network.parameters().iter().map(|p| &p.name).chain(network.buffers().iter().map(|b| &b.name));
    let mut saved: Vec<(String, Tensor)> = Vec::new();
    for name in names {
        let tensor = take(NETWORK, name).ok_or_else(|| damaged(&format!("{name} is missing")))?;
        saved.push((name.clone(), tensor));
    }
    let state = tensors.into_iter().filter_map(|(name, tensor)| Some((name.strip_prefix(OPTIMIZER)?.to_owned(), tensor))).collect();
    optimizer.restore(&state, progress.optimizer_steps).map_err(|e| damaged(&e))?;
    weights::restore(network, &saved).map_err(|e| damaged(&e))?;
    Ok(progress)
}
