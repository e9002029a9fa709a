//! What a listener knows of a run: a pure fold over its events.
//!
//! The window, the command line, the replay of an old run and the tests all see a run through this and nothing else.

use super::{EpochReport, Event, Outcome, Started, Steps};

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
    /// Every report of training steps, in order (merged steps are one entry).
    pub steps: Vec<Steps>,
    /// Every epoch, in order.
    pub epochs: Vec<EpochReport>,
    /// The last words of the run, once it ended.
    pub message: Option<String>,
    /// The last thing that could not be saved, if any.
    pub save_error: Option<String>,
}

impl Session {
    /// Takes one event in.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Started(started) => {
                self.status = Status::Running;
                self.message = None;
                self.started = Some(started);
            }
            Event::Steps(steps) => {
                self.status = Status::Running;
                self.steps.push(steps);
            }
            Event::Epoch(report) => self.epochs.push(report),
            Event::Saved(saved) => self.save_error = saved.error,
            Event::Paused(_) => self.status = Status::Paused,
            Event::Ended(ended) => {
                self.status = Status::Ended(ended.outcome);
                self.message = Some(ended.message);
            }
        }
    }

    /// The best epoch so far.
    #[must_use]
    pub fn best_epoch(&self) -> Option<&EpochReport> {
        self.epochs.iter().rev().find(|e| e.best)
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
}
