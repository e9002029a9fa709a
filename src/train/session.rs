//! What a listener knows of a run: a pure fold over its events.
//!
//! The window, the command line, the replay of an old run and the tests all see a run through this and nothing else. It
//! reads no clock, so the same events always give the same session, and it stays small however long a run is.

use std::collections::VecDeque;
use std::time::Duration;

use super::{EpochReport, Event, Outcome, Started, Steps};

/// The most entries of [`Session::steps`].
const HISTORY: usize = 4096;
/// The most entries of [`Session::recent`].
const RECENT: usize = 512;
/// Speed is the mean over about this many seconds of steps.
const SPEED_WINDOW: f64 = 20.0;
/// What validating an image costs, in training images, while no epoch has shown it.
const VALIDATION_COST: f64 = 0.35;

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// No event yet.
    #[default]
    Waiting,
    /// Steps are being taken.
    Running,
    /// Holding.
    Paused,
    /// Over.
    Ended(Outcome),
}

/// The state of a run as its events tell it.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Where it stands.
    pub status: Status,
    /// The facts of the run, once it started.
    pub started: Option<Started>,
    /// The whole history of training steps in at most 4,096 entries, in order. While a run is short every report is an
    /// entry; as it grows, neighbours merge, so that entries stay about equally long (they may then span epochs).
    pub steps: Vec<Steps>,
    /// The latest reports as they came, at most 512.
    pub recent: VecDeque<Steps>,
    /// Every epoch, in order.
    pub epochs: Vec<EpochReport>,
    /// The last words of the run, once it ended.
    pub message: Option<String>,
    /// The last thing that could not be saved, if any.
    pub save_error: Option<String>,
    /// Seconds of all epochs that were spent on anything but training steps (validation, saving).
    between: f64,
    /// Seconds of training steps since the last epoch ended.
    stepping: f64,
    /// Epochs that `between` was measured over.
    measured: usize,
}

impl Session {
    /// Takes one event in.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Started(started) => self.start(started),
            Event::Steps(steps) => self.take_steps(steps),
            Event::Epoch(report) => {
                self.between += (report.seconds - self.stepping).max(0.0);
                self.measured += 1;
                self.stepping = 0.0;
                self.epochs.push(report);
            }
            Event::Saved(saved) => self.save_error = saved.error,
            Event::Paused(_) => self.status = Status::Paused,
            Event::Ended(ended) => {
                self.status = Status::Ended(ended.outcome);
                self.message = Some(ended.message);
            }
        }
    }

    /// The session of a whole list of events, as `events.jsonl` holds it.
    #[must_use]
    pub fn replay(events: impl IntoIterator<Item = Event>) -> Self {
        let mut session = Self::default();
        for event in events {
            session.apply(event);
        }
        session
    }

    /// A resumed run goes on from its checkpoint; what an interrupted run did after that is forgotten.
    fn start(&mut self, started: Started) {
        self.steps.retain(|s| s.step <= started.steps_done);
        self.epochs.retain(|e| e.epoch <= started.epochs_done);
        self.recent.clear();
        self.stepping = 0.0;
        self.status = Status::Running;
        self.message = None;
        self.save_error = None;
        self.started = Some(started);
    }

    fn take_steps(&mut self, steps: Steps) {
        self.status = Status::Running;
        self.stepping += steps.seconds;
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(steps.clone());
        self.steps.push(steps);
        if self.steps.len() > HISTORY {
            self.shorten();
        }
    }

    /// Merges neighbours until the history is at most half full again.
    fn shorten(&mut self) {
        let total: usize = self.steps.iter().map(|s| s.count).sum();
        // with at least this many steps in an entry, half the entries are enough
        let length = total.div_ceil(HISTORY / 4);
        let mut merged: Vec<Steps> = Vec::with_capacity(HISTORY);
        for steps in self.steps.drain(..) {
            match merged.last_mut() {
                Some(last) if last.count + steps.count <= length => last.merge(&steps),
                _ => merged.push(steps),
            }
        }
        self.steps = merged;
    }

    /// The best epoch so far.
    #[must_use]
    pub fn best_epoch(&self) -> Option<&EpochReport> {
        self.epochs.iter().rev().find(|e| e.best)
    }

    /// Joules of all epochs, if the device told them of each; `None` before the first.
    #[must_use]
    pub fn energy(&self) -> Option<f64> {
        if self.epochs.is_empty() { None } else { self.epochs.iter().map(|e| e.energy).sum() }
    }

    /// Steps done over the whole run.
    #[must_use]
    pub fn steps_done(&self) -> usize {
        let at_start = self.started.as_ref().map_or(0, |s| s.steps_done);
        self.steps.last().map_or(at_start, |s| s.step.max(at_start))
    }

    /// Steps of the whole run, 0 before it started.
    #[must_use]
    pub fn steps_total(&self) -> usize {
        self.started.as_ref().map_or(0, |s| s.steps_per_epoch * s.epochs)
    }

    /// The epoch that the run is in, counted from 1; 0 before it started.
    #[must_use]
    pub fn epoch(&self) -> usize {
        let Some(started) = &self.started else { return 0 };
        (self.steps_done() / started.steps_per_epoch.max(1) + 1).min(started.epochs)
    }

    /// Steps done of [`epoch`](Self::epoch).
    #[must_use]
    pub fn step_in_epoch(&self) -> usize {
        let per_epoch = self.started.as_ref().map_or(0, |s| s.steps_per_epoch);
        self.steps_done() - self.epoch().saturating_sub(1) * per_epoch
    }

    /// Share of the run that is done, 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        match self.steps_total() {
            0 => 0.0,
            total => (self.steps_done() as f64 / total as f64).min(1.0),
        }
    }

    /// (steps, images, seconds, seconds of waiting) of the last twenty seconds or so of training.
    fn window(&self) -> (f64, f64, f64, f64) {
        let mut sum = (0.0, 0.0, 0.0, 0.0);
        for s in self.recent.iter().rev() {
            sum.0 += s.count as f64;
            sum.1 += s.images as f64;
            sum.2 += s.seconds;
            sum.3 += s.seconds * s.wait;
            if sum.2 >= SPEED_WINDOW {
                break;
            }
        }
        sum
    }

    /// Training images per second, smoothed over the last twenty seconds or so; `None` before the first step.
    #[must_use]
    pub fn images_per_s(&self) -> Option<f64> {
        let (_, images, seconds, _) = self.window();
        (seconds > 0.0).then(|| images / seconds)
    }

    /// Share of the training time spent waiting for input, 0 to 1, smoothed like the speed; `None` before the first step.
    #[must_use]
    pub fn wait(&self) -> Option<f64> {
        let (_, _, seconds, wait) = self.window();
        (seconds > 0.0).then(|| wait / seconds)
    }

    /// An honest guess of the time left if no epoch is saved by early stopping: the steps to come at the present speed, and for
    /// each epoch to come what validating and saving took so far. `None` before the first step; zero at the end.
    #[must_use]
    pub fn eta(&self) -> Option<Duration> {
        let started = self.started.as_ref()?;
        if matches!(self.status, Status::Ended(_)) {
            return Some(Duration::ZERO);
        }
        let (steps, images, seconds, _) = self.window();
        if steps == 0.0 {
            return None;
        }
        let between = match self.measured {
            0 => started.valid_images as f64 * seconds / images.max(1.0) * VALIDATION_COST,
            n => self.between / n as f64,
        };
        let steps_left = self.steps_total().saturating_sub(self.steps_done()) as f64;
        let epochs_left = started.epochs.saturating_sub(self.epochs.last().map_or(started.epochs_done, |e| e.epoch)) as f64;
        Duration::try_from_secs_f64(steps_left * seconds / steps + epochs_left * between).ok()
    }
}
