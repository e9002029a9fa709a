//! Actions on the run: start, commands, events.

use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use crate::app::TuningForkApp;
use crate::app::action::Action;
use crate::app::layout::Pane;
use crate::app::state::{NoticeKind, Run};
use crate::app::tasks::{Answer, Kind};
use crate::app::work::{self, StartedRun};
use crate::train::{Command, Config, DeviceChoice, Event, Session};

/// The most often that a run repaints the window: twenty times a second.
const REPAINT: Duration = Duration::from_millis(50);

/// Wakes the window from the worker's thread.
pub(super) struct WakeWindow(pub egui::Context);

impl Wake for WakeWindow {
    fn wake(self: Arc<Self>) {
        self.0.request_repaint_after(REPAINT);
    }
}

impl TuningForkApp {
    pub(super) fn start_run(&mut self) {
        if self.state.is_training() || self.state.start_blocked().is_some() {
            return;
        }
        let Some(data) = &self.state.data else { return };
        let (parent, config, set) = (self.runs_folder.clone(), self.state.config.clone(), Arc::clone(&data.set));
        let waker = Waker::from(Arc::new(WakeWindow(self.context.clone())));
        // a system without a thread for it has no answer either
        self.state.starting = self.start_task(Kind::Run, move || Answer::Run(work::start_run(&parent, &config, set, waker)));
    }

    pub(super) fn go_on(&mut self, folder: PathBuf, device: Option<DeviceChoice>) {
        if let Some(why) = self.state.search_blocked() {
            return self.notify(NoticeKind::Failure, format!("The run does not go on yet. {why}"));
        }
        let open = self.state.data.as_ref().map(|data| (data.key.clone(), Arc::clone(&data.set)));
        let waker = Waker::from(Arc::new(WakeWindow(self.context.clone())));
        self.apply(Action::Show(Pane::Train));
        self.state.starting = self.start_task(Kind::Run, move || Answer::Run(work::go_on(&folder, device, open, waker)));
    }

    pub(super) fn take_run(&mut self, result: Result<Box<StartedRun>, String>) {
        self.state.starting = false;
        match result {
            Ok(started) => {
                let StartedRun { handle, folder, config, session } = *started;
                let (goes_on, has_model) = (session.started.is_some(), session.best_epoch().is_some());
                self.show_run(config, folder);
                if let Some(run) = &mut self.state.run {
                    run.session = session;
                }
                self.handle = Some(handle);
                if goes_on {
                    // its epochs so far can be looked back on at once, and its best model answers
                    self.read_session_run();
                    if has_model && self.state.model.follows_run() && !self.state.inspect.latest {
                        self.load_model(None);
                    }
                }
            }
            Err(message) => self.notify(NoticeKind::Failure, format!("The run was not started. {message}")),
        }
    }

    /// Makes a new run the one that is shown; it is fed by [`Action::Event`](crate::app::Action::Event).
    pub fn show_run(&mut self, config: Config, folder: PathBuf) {
        self.forget_session_run();
        self.runs_made += 1;
        self.state.run =
            Some(Run { session: Session::default(), config, folder, asked: None, dismissed: false, generation: self.runs_made });
    }

    pub(super) fn command(&mut self, command: Command) {
        let Some(run) = self.state.run.as_mut().filter(|run| !run.is_over()) else { return };
        run.asked = Some(command);
        if let Some(handle) = &self.handle {
            handle.send(command);
        }
    }

    pub(super) fn take_event(&mut self, event: Event) {
        let Some(run) = &mut self.state.run else { return };
        let fulfilled = match &event {
            Event::Paused(_) => run.asked == Some(Command::Pause),
            Event::Steps(_) => run.asked == Some(Command::Resume),
            Event::Ended(_) => true,
            _ => false,
        };
        if fulfilled {
            run.asked = None;
        }
        let better_model = matches!(&event, Event::Saved(saved) if saved.best && saved.error.is_none());
        let kept = matches!(&event, Event::Saved(saved) if saved.error.is_none() && crate::train::is_snapshot(&saved.path));
        let over = matches!(event, Event::Ended(_));
        let on_disk = over || matches!(event, Event::Saved(_));
        run.session.apply(event);
        if over {
            self.handle = None;
        }
        if on_disk {
            self.read_session_run();
        }
        if better_model && self.state.model.follows_run() && !self.state.inspect.latest {
            self.load_model(None);
        }
        if kept {
            self.one_more_epoch();
        }
        if over {
            self.ask_familiarity_again();
            self.measure_now_idle();
        }
    }
}
