//! A search on a thread of its own, for a window.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::protocol::{Ending, Event, SearchEnded};
use super::{Closing, Plan, SearchError, runner};
use crate::data::Dataset;
use crate::train::Command;

/// So long a dropped search is waited for.
const LONGEST_END: Duration = Duration::from_secs(10);

/// A running (or finished) search. Dropping it stops the search after the current batch, and waits a while for that.
#[derive(Debug)]
pub struct Handle {
    commands: Option<Sender<Command>>,
    events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
    finished: Arc<AtomicBool>,
    closing: Closing,
}

/// Starts a search on a thread of its own. Every outcome comes as an event; `waker` is called after each.
#[must_use = "dropping the handle stops the search"]
pub fn spawn(plan: Plan, dataset: Arc<Dataset>, waker: Option<Waker>) -> Handle {
    let (send_command, commands) = unbounded();
    let (send_event, events) = unbounded();
    let finished = Arc::new(AtomicBool::new(false));
    let (flag, refused) = (finished.clone(), send_event.clone());
    let closing = Closing::default();
    let end = closing.clone();
    let work = move || {
        let mut tell = |event| {
            // a listener that is gone hears nothing
            let _ = send_event.send(event);
            waker.iter().for_each(Waker::wake_by_ref);
        };
        let search = AssertUnwindSafe(|| runner::run_until(&plan, &dataset, &commands, &end, &mut tell));
        let ended = catch_unwind(search).map_or_else(|panic| panicked(&*panic), ended);
        flag.store(true, Ordering::Release);
        tell(Event::SearchEnded(ended));
    };
    let thread = match std::thread::Builder::new().name("tuning-fork-search".into()).spawn(work) {
        Ok(thread) => Some(thread),
        Err(e) => {
            finished.store(true, Ordering::Release);
            let message = format!("the system refused a thread to search on: {e}; close other programs and try again");
            let _ = refused.send(Event::SearchEnded(SearchEnded { ending: Ending::Failed, message }));
            None
        }
    };
    Handle { commands: Some(send_command), events, thread, finished, closing }
}

/// The end of a search, in words.
#[must_use]
pub fn ended(result: Result<Ending, SearchError>) -> SearchEnded {
    let message = match &result {
        Ok(Ending::Trials) => "all trials done".into(),
        Ok(Ending::Time) => "the time is over".into(),
        Ok(Ending::Stopped | Ending::Failed) => "stopped; start it again to go on".into(),
        Err(error) => error.to_string(),
    };
    SearchEnded { ending: result.unwrap_or(Ending::Failed), message }
}

fn panicked(panic: &(dyn Any + Send)) -> SearchEnded {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("no message");
    let message = format!("a fault in the program stopped the search: {text}. The study is kept and can go on; please report this");
    SearchEnded { ending: Ending::Failed, message }
}

impl Handle {
    /// Asks the search for something; a run obeys within one batch. After the end nothing happens.
    pub fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // the search may have ended in the meantime: then there is nothing left to command
            let _ = commands.send(command);
        }
    }

    /// The events that wait, without blocking. The last one ever is [`Event::SearchEnded`].
    #[must_use]
    pub fn drain(&self) -> Vec<Event> {
        self.events.try_iter().collect()
    }

    /// Lets the search end after the present batch, without waiting long for what it is kept in. Nothing can be commanded any more.
    pub fn close(&mut self) {
        self.closing.begin();
        self.commands = None;
    }

    /// Whether the search is over and everything it leaves is on disk. Events may still wait here.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
        let Some(thread) = self.thread.take() else { return };
        // a batch that takes longer must not hold the window; whatever is broken off goes on another time
        let start = Instant::now();
        while !thread.is_finished() && start.elapsed() < LONGEST_END {
            std::thread::sleep(Duration::from_millis(5));
        }
        if thread.is_finished() {
            // a panic inside the search was caught and told there
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_program_is_told_as_the_end() {
        let fault = catch_unwind(|| panic!("index {} of 3", 7)).expect_err("a panic");
        let ended = panicked(&*fault);
        assert_eq!(ended.ending, Ending::Failed);
        assert!(ended.message.contains("index 7 of 3") && ended.message.contains("please report"), "{}", ended.message);
    }
}
