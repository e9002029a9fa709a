//! Where events go: first to the log and the summary of the run folder, then to the listener.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use super::log::EventLog;
use super::outbox::Outbox;
use super::summary;
use super::{Ended, Event, RunError, RunFolder, Saved, Session};
use crate::files;

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
        let failure = self.write_down(&event);
        self.outbox.push(event);
        if let Some(failure) = failure {
            self.tell(failure);
        }
    }

    /// Writes an event to the log and takes it into the session. Returns what is to be told about a log that cannot be written.
    fn write_down(&mut self, event: &Event) -> Option<Event> {
        let written = self.log.as_mut().map_or(Ok(()), |log| log.write(event));
        self.session.apply(event.clone());
        let told_before = std::mem::replace(&mut self.log_failed, written.is_err());
        let error = written.err().filter(|_| !told_before)?;
        Some(Event::Saved(Saved {
            epoch: self.session.epoch(),
            path: "events.jsonl".into(),
            best: false,
            error: Some(format!("{error}; make room on the disk, the run goes on")),
        }))
    }

    /// Rewrites `summary.txt`.
    pub fn save_summary(&self, folder: &RunFolder) -> Result<(), RunError> {
        let text = summary::text(&self.session);
        let path = folder.summary_path();
        files::replace(&path, |file| file.write_all(text.as_bytes())).map_err(|e| RunError::io(&path, e))
    }

    /// Whether the run's folder has a log, so that the run is more than an attempt.
    pub fn has_begun(&self) -> bool {
        self.log.is_some()
    }

    pub fn best_epoch(&self) -> Option<usize> {
        self.session.best_epoch().map(|e| e.epoch)
    }

    /// Writes down the last event and the summary, tells the event, then waits until the listener has taken everything or is gone.
    pub fn end(mut self, folder: &RunFolder, ended: Ended, finished: &AtomicBool) {
        let event = Event::Ended(ended);
        // Nothing comes after Ended, so what cannot be written now is not told; a full disk was told before.
        let _ = self.write_down(&event);
        if self.log.is_some() {
            let _ = self.save_summary(folder);
        }
        finished.store(true, Ordering::Release);
        self.outbox.push(event);
        self.outbox.finish();
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::train::Paused;

    #[test]
    fn a_full_disk_is_told_once_and_stops_nothing() {
        let (send, receive) = crossbeam_channel::bounded(16);
        let mut recorder = Recorder::new(Outbox::new(send, None));
        recorder.log = Some(EventLog::on_a_full_disk());
        for step in 1..=3 {
            recorder.tell(Event::Paused(Paused { epoch: 1, step }));
        }
        let heard: Vec<Event> = receive.try_iter().collect();
        let refused = |e: &&Event| matches!(e, Event::Saved(s) if s.error.as_deref().is_some_and(|e| e.contains("the run goes on")));
        assert_eq!((heard.len(), heard.iter().filter(refused).count()), (4, 1), "{heard:?}");
    }
}
