//! How a run looks while it goes: a bar on a terminal, a line an epoch elsewhere, the event stream as JSON lines.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use super::output;
use crate::train::{EpochReport, Event, Saved, Session, Started, Status};

/// The face of a run on the command line.
pub enum Progress {
    /// One JSON object a line on standard output: the events as `events.jsonl` has them, and nothing else.
    Json,
    /// A bar with the time left on standard error, and a line an epoch above it.
    Bar(ProgressBar),
    /// A line an epoch on standard error.
    Lines,
}

impl Progress {
    /// JSON if asked for, a bar if somebody watches, plain lines otherwise.
    #[must_use]
    pub fn new(json: bool) -> Self {
        if json {
            Self::Json
        } else if io::stderr().is_terminal() {
            Self::Bar(bar())
        } else {
            Self::Lines
        }
    }

    /// Shows `event`, which `session` has just taken in.
    ///
    /// # Errors
    /// If standard output cannot be written (JSON only).
    pub fn show(&self, event: &Event, session: &Session) -> io::Result<()> {
        if matches!(self, Self::Json) {
            return output::json(event);
        }
        match event {
            Event::Started(started) => self.start(started, session),
            Event::Steps(_) => self.move_on(session),
            Event::Epoch(report) => {
                self.note(&epoch_line(report, session));
                self.move_on(session);
            }
            Event::Saved(Saved { error: Some(error), .. }) => self.note(&format!("warning: {error}")),
            Event::Ended(_) => {
                if let Self::Bar(bar) = self {
                    bar.finish_and_clear();
                }
            }
            Event::Saved(_) | Event::Paused(_) => {}
        }
        Ok(())
    }

    /// A line on standard error that does not break the bar.
    pub fn note(&self, text: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| output::note(text)),
            Self::Json | Self::Lines => output::note(text),
        }
    }

    fn start(&self, started: &Started, session: &Session) {
        if let Self::Bar(bar) = self {
            bar.set_length(session.steps_total() as u64);
            bar.set_position(session.steps_done() as u64);
        }
        self.note(&headline(started));
        if let Self::Bar(bar) = self {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
    }

    fn move_on(&self, session: &Session) {
        let Self::Bar(bar) = self else { return };
        bar.set_position(session.steps_done() as u64);
        bar.set_message(moment(session));
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:20.cyan/blue} {percent:>3} %  {wide_msg}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// "epoch 3/10, step 12/38, 2 minutes left, loss 0.412, 812 images/s"; the most wanted first, for narrow terminals.
fn moment(session: &Session) -> String {
    let (Some(started), Some(last)) = (&session.started, session.recent.back()) else { return String::new() };
    let mut parts =
        vec![format!("epoch {}/{}", last.epoch, started.epochs), format!("step {}/{}", last.step_in_epoch, started.steps_per_epoch)];
    parts.extend(session.eta().filter(|_| session.status == Status::Running).map(|left| format!("{} left", HumanDuration(left))));
    parts.push(format!("loss {:.3}", last.loss));
    parts.extend(session.images_per_s().map(|speed| format!("{speed:.0} images/s")));
    parts.join(", ")
}

fn headline(started: &Started) -> String {
    let resumed = match started.steps_done {
        0 => String::new(),
        done => format!(" (going on after {} epochs, {done} steps)", started.epochs_done),
    };
    let line = format!(
        "{}: {} classes, {} + {} + {} images (train + validation + test); {} parameters; {}, threads: {}{resumed}",
        started.data,
        started.classes.len(),
        started.train_images,
        started.valid_images,
        started.test_images,
        started.parameters,
        started.device,
        started.threads,
    );
    if started.reason.is_empty() { line } else { format!("{line}\n{}", started.reason) }
}

fn epoch_line(report: &EpochReport, session: &Session) -> String {
    let epochs = session.started.as_ref().map_or(0, |s| s.epochs);
    let width = epochs.to_string().len();
    format!(
        "epoch {:>width$}/{epochs}  train loss {:.4} acc {:5.1} %  valid loss {:.4} acc {:5.1} % macro-F1 {:.3}  lr {:.2e}  {:.0} images/s  {:.1} s{}{}",
        report.epoch,
        report.train_loss,
        report.train_accuracy * 100.0,
        report.valid_loss,
        report.valid_accuracy * 100.0,
        report.valid_macro_f1,
        report.learning_rate,
        report.images_per_s,
        report.seconds,
        if report.best { "  best" } else { "" },
        if report.skipped > 0 { format!("  ({} steps skipped: not finite in f16)", report.skipped) } else { String::new() },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_says_why_this_device() {
        let json = r#"{"data": "plain", "classes": ["a"], "parameters": 1, "train_images": 1, "valid_images": 1, "test_images": 1,
            "steps_per_epoch": 1, "epochs": 1, "epochs_done": 0, "steps_done": 0, "device": "CPU, f32", "threads": 1,
            "split_digest": "0", "version": "0", "time": 0}"#;
        let plain: Started = serde_json::from_str(json).expect("a start as older programs told it");
        assert_eq!(headline(&plain).lines().count(), 1);
        let told = headline(&Started { reason: "no CUDA device: no driver".into(), ..plain });
        assert_eq!(told.lines().nth(1), Some("no CUDA device: no driver"));
    }
}
