//! The thread that trains, and the handle to it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::outbox::{CAPACITY, Outbox};
use super::recorder::Recorder;
use super::run::{self, Conclusion};
use super::{Command, Config, Ended, Event, Outcome, RunFolder, TrainError, device, setup};
use crate::data::Dataset;
use crate::nn::ops::accelerator::AcceleratorError;

/// What to train, on what, and where to keep it.
#[derive(Clone, Debug)]
pub struct Job {
    /// What to do. For a run that is resumed this is the configuration of its folder; `data`, `epochs`, `threads` and
    /// `device` may differ from it.
    pub config: Config,
    /// The data.
    pub dataset: Arc<Dataset>,
    /// [`RunFolder::create`] for a new run, [`RunFolder::open`] to resume one.
    pub folder: RunFolder,
}

/// A running (or finished) run. Dropping it stops the run after its current batch, keeps what was learned, and waits for that.
#[derive(Debug)]
pub struct Handle {
    commands: Option<Sender<Command>>,
    events: Option<Receiver<Event>>,
    thread: Option<JoinHandle<()>>,
    finished: Arc<AtomicBool>,
}

/// Starts a run on a thread of its own. Every outcome, bad input included, comes as an event; `waker` is called after each.
#[must_use = "dropping the handle stops the run"]
pub fn spawn(job: Job, waker: Option<Waker>) -> Handle {
    let (send_command, commands) = unbounded();
    let (send_event, events) = bounded(CAPACITY);
    let finished = Arc::new(AtomicBool::new(false));
    let outbox = Outbox::new(send_event.clone(), waker);
    let flag = finished.clone();
    let work = move || {
        work(&job, &commands, outbox, &flag);
    };
    let thread = match std::thread::Builder::new().name("tuning-fork-train".into()).spawn(work) {
        Ok(thread) => Some(thread),
        Err(e) => {
            finished.store(true, Ordering::Release);
            let message = format!("the system refused a thread to train on: {e}; close other programs and try again");
            // the channel is empty, so this finds room
            let _ = send_event.try_send(Event::Ended(Ended { outcome: Outcome::Failed, message, best_epoch: None, seconds: 0.0 }));
            None
        }
    };
    Handle { commands: Some(send_command), events: Some(events), thread, finished }
}

impl Handle {
    /// Asks the run for something; it obeys within one batch. After the end nothing happens.
    pub fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // the run may have ended in the meantime: then there is nothing left to command
            let _ = commands.send(command);
        }
    }

    /// The events that wait, without blocking. The last one ever is [`Event::Ended`].
    #[must_use]
    pub fn drain(&self) -> Vec<Event> {
        self.events.iter().flat_map(Receiver::try_iter).collect()
    }

    /// The next event, waiting at most `timeout` for it.
    #[must_use]
    pub fn next(&self, timeout: Duration) -> Option<Event> {
        self.events.as_ref()?.recv_timeout(timeout).ok()
    }

    /// Whether the run is over and everything it leaves is on disk. Events, [`Event::Ended`] too, may still wait here.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Without a sender of commands the run stops; without a receiver of events its last words do not block.
        self.commands = None;
        self.events = None;
        if let Some(thread) = self.thread.take() {
            // a panic inside the run was caught and told there
            let _ = thread.join();
        }
    }
}

/// The whole life of the worker thread.
fn work(job: &Job, commands: &Receiver<Command>, outbox: Outbox, finished: &AtomicBool) {
    let start = Instant::now();
    let mut recorder = Recorder::new(outbox);
    let run = || {
        setup::check_values(&job.config)?;
        device::pool(&job.config)?.install(|| run::run(job, commands, &mut recorder))
    };
    let ended = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(conclusion)) => ended(conclusion),
        Ok(Err(error)) => failed(Outcome::Failed, with_advice(&error, &job.folder, &recorder), &recorder, start),
        Err(panic) => failed(Outcome::Panicked, panic_message(&*panic), &recorder, start),
    };
    recorder.end(&job.folder, ended, finished);
}

/// What went wrong; where a device failed it, how to take the run to its end without it.
fn with_advice(error: &TrainError, folder: &RunFolder, recorder: &Recorder) -> String {
    let TrainError::Device(device) = error else { return error.to_string() };
    let path = folder.path().display();
    if folder.last_checkpoint().exists() {
        return format!(
            "{error}. The last checkpoint is kept; to go on from it on the processor: tuning-fork train --resume {path} --device cpu"
        );
    }
    if !recorder.has_begun() {
        // the others say themselves what to choose
        let lost = matches!(device, AcceleratorError::Lost(_));
        return if lost { format!("{error}. Start it again, with the device \"cpu\" if this one fails again") } else { error.to_string() };
    }
    format!(
        "{error}. No epoch was done, so there is nothing to go on from: start it again, with the device \"cpu\" if this one fails again"
    )
}

fn ended(Conclusion { outcome, message, best_epoch, seconds }: Conclusion) -> Ended {
    Ended { outcome, message, best_epoch, seconds }
}

fn failed(outcome: Outcome, message: String, recorder: &Recorder, start: Instant) -> Ended {
    Ended { outcome, message, best_epoch: recorder.best_epoch(), seconds: start.elapsed().as_secs_f64() }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!(
        "a fault in the program stopped the run: {}. The last checkpoint is kept and can be resumed; please report this",
        text.unwrap_or("no message")
    )
}
