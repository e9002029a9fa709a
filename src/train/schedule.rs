//! The learning rate (and, for one cycle, the momentum) of every step.
//!
//! One cycle, cosine and constant are functions of the step alone; plateau also remembers validation losses.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::{Config, ScheduleKind};

/// Share of the steps in which one cycle rises (PyTorch's default).
const PCT_START: f64 = 0.3;
/// One cycle starts at the peak divided by this (PyTorch's default).
const DIV_FACTOR: f64 = 25.0;
/// One cycle ends at its start divided by this (PyTorch's default).
const FINAL_DIV_FACTOR: f64 = 1e4;
/// Momentum at the ends and at the peak of one cycle (PyTorch's defaults).
const MOMENTUM: (f64, f64) = (0.95, 0.85);
/// What plateau multiplies the learning rate with (PyTorch's default).
const PLATEAU_FACTOR: f64 = 0.1;
/// Relative fall of the validation loss that counts as one (PyTorch's default).
const PLATEAU_THRESHOLD: f64 = 1e-4;
/// Epochs that plateau waits if early stopping is off.
const PLATEAU_PATIENCE: usize = 5;

/// What plateau remembers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// What the learning rate is multiplied with now.
    pub scale: f64,
    /// The lowest validation loss so far.
    pub best: Option<f64>,
    /// Epochs since then, or since the last cut.
    pub waited: usize,
}

impl Default for Plateau {
    fn default() -> Self {
        Self { scale: 1.0, best: None, waited: 0 }
    }
}

/// A learning-rate schedule over a whole run.
#[derive(Clone, Debug)]
pub struct Schedule {
    kind: ScheduleKind,
    peak: f64,
    steps: usize,
    cycle_momentum: bool,
    patience: usize,
    /// State of [`ScheduleKind::Plateau`]; part of a checkpoint.
    pub plateau: Plateau,
}

impl Schedule {
    /// The schedule of a run of `steps` steps. Plateau waits a third of the early-stopping patience (at least one epoch;
    /// five if early stopping is off), so that it acts before the run gives up.
    #[must_use]
    pub fn new(config: &Config, steps: usize) -> Self {
        let patience = if config.patience == 0 { PLATEAU_PATIENCE } else { (config.patience / 3).max(1) };
        Self { kind: config.schedule, peak: config.lr, steps, cycle_momentum: config.cycle_momentum, patience, plateau: Plateau::default() }
    }

    /// The learning rate of step `step`, counted from 0.
    #[must_use]
    pub fn learning_rate(&self, step: usize) -> f64 {
        match self.kind {
            ScheduleKind::OneCycle => {
                let low = self.peak / DIV_FACTOR;
                self.cycle(step, (low, self.peak, low / FINAL_DIV_FACTOR))
            }
            ScheduleKind::Cosine => self.peak * (1.0 + (PI * step as f64 / self.steps as f64).cos()) / 2.0,
            ScheduleKind::Plateau => self.peak * self.plateau.scale,
            ScheduleKind::Constant => self.peak,
        }
    }

    /// The momentum (beta1 of Adam and its kin) of step `step`, or `None` if the schedule leaves the optimiser's own.
    #[must_use]
    pub fn momentum(&self, step: usize) -> Option<f64> {
        let cycles = self.kind == ScheduleKind::OneCycle && self.cycle_momentum;
        cycles.then(|| self.cycle(step, (MOMENTUM.0, MOMENTUM.1, MOMENTUM.0)))
    }

    /// Tells the validation loss of an epoch.
    pub fn epoch_ended(&mut self, valid_loss: f64) {
        let p = &mut self.plateau;
        if p.best.is_none_or(|best| valid_loss < best * (1.0 - PLATEAU_THRESHOLD)) {
            p.best = Some(valid_loss);
            p.waited = 0;
        } else {
            p.waited += 1;
        }
        if p.waited > self.patience {
            p.scale *= PLATEAU_FACTOR;
            p.waited = 0;
        }
    }

    /// `torch.optim.lr_scheduler.OneCycleLR` with cosine annealing: from start to peak over the first `PCT_START` of the
    /// steps, then to the end.
    fn cycle(&self, step: usize, (start, peak, end): (f64, f64, f64)) -> f64 {
        let anneal = |from: f64, to: f64, share: f64| to + (from - to) / 2.0 * ((PI * share).cos() + 1.0);
        let (step, total) = (step as f64, self.steps as f64);
        let top = PCT_START * total - 1.0;
        if step <= top { anneal(start, peak, step / top) } else { anneal(peak, end, (step - top) / (total - 1.0 - top)) }
    }
}
