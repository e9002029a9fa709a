//! Where events go: first to the log and the summary of the run folder, then to the listener.

use std::sync::atomic::{AtomicBool, Ordering};

use super::log::EventLog;
use super::outbox::Outbox;
use super::summary;
use super::{Ended, Event, RunError, RunFolder, Saved, Session, files};

/// The one way out for events.
pub(super) struct Recorder {
    outbox: Outbox,
    log: Option<EventLog>,
    /// Whether the last attempt to write the log failed; told once, not with every event.
    log_failed: bool,
    /// The run as told so far, resumed epochs included.
    session: Session,
}

impl Recorder {
    pub fn new(outbox: Outbox) -> Self {
        Self { outbox, log: None, log_failed: false, session: Session::default() }
    }

    /// From here on events are written to the folder, after those that are there.
    pub fn open_log(&mut self, folder: &RunFolder) -> Result<(), RunError> {
        self.log = Some(EventLog::open(&folder.events_path())?);
        self.session = folder.session()?;
        Ok(())
    }

    /// Writes an event down and tells it. A log that cannot be written is told as [`Saved`] with an error, once until it works again.
    pub fn tell(&mut self, event: Event) {
        let written = self.log.as_mut().map_or(Ok(()), |log| log.write(&event));
        self.session.apply(event.clone());
        self.outbox.push(event);
        match written {
            Ok(()) => self.log_failed = false,
            Err(error) if !self.log_failed => {
                self.log_failed = true;
                self.tell(Event::Saved(Saved {
                    epoch: self.session.epoch(),
                    path: "events.jsonl".into(),
                    best: false,
                    error: Some(format!("{error}; make room on the disk, the run goes on")),
                }));
            }
            Err(_) => {}
        }
    }

    /// Rewrites `summary.txt`.
    pub fn save_summary(&self, folder: &RunFolder) -> Result<(), RunError> {
        let text = summary::text(&self.session);
        files::replace(&folder.summary_path(), |file| std::io::Write::write_all(file, text.as_bytes()))
    }

    pub fn best_epoch(&self) -> Option<usize> {
        self.session.best_epoch().map(|e| e.epoch)
    }

    /// Tells the last event, brings the summary up to date, then waits until the listener has taken everything or is gone.
    pub fn end(mut self, folder: &RunFolder, ended: Ended, finished: &AtomicBool) {
        self.tell(Event::Ended(ended));
        if self.log.is_some() {
            // Ended is the last event, so a summary that cannot be written is not told; the log has it all
            let _ = self.save_summary(folder);
        }
        finished.store(true, Ordering::Release);
        self.outbox.finish();
    }
}
