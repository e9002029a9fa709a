//! `summary.txt`: how a run stands, for people who open its folder.

use std::fmt::Write;

use super::{EpochReport, Outcome, Session, Status, energy_in_words};

/// The summary of a session.
pub(super) fn text(session: &Session) -> String {
    let mut text = String::from("Tuning Fork training run\n\n");
    let mut line = |name: &str, value: String| {
        // writing to a string cannot fail
        let _ = writeln!(text, "{name:<22}{value}");
    };
    if let Some(started) = &session.started {
        line("data", format!("{} ({} classes)", started.data, started.classes.len()));
        line("images", format!("{} train, {} validation, {} test", started.train_images, started.valid_images, started.test_images));
        line("split", started.split_digest.clone());
        line("parameters", started.parameters.to_string());
        line("device", format!("{}, {} threads", started.device, started.threads));
        if !started.reason.is_empty() {
            line("why this device", started.reason.clone());
        }
        line("program", started.version.clone());
    }
    line("status", status(session.status).into());
    if let Some(message) = &session.message {
        line("message", message.clone());
    }
    if let Some(last) = session.epochs.last() {
        let total = session.started.as_ref().map_or(last.epoch, |s| s.epochs);
        line("epochs", format!("{} of {total}", last.epoch));
    }
    if let Some(joules) = session.energy() {
        line("energy", energy_in_words(joules));
    }
    if let Some(best) = session.best_epoch() {
        line("best epoch", format!("{}: {}", best.epoch, results(best)));
        text.push_str("\nClass                          precision  recall      F1  support  (validation, best epoch)\n");
        let names = session.started.as_ref().map_or(&[][..], |s| &s.classes);
        for (class, scores) in best.confusion.scores().classes.iter().enumerate() {
            let name = names.get(class).map_or_else(|| class.to_string(), Clone::clone);
            let _ = writeln!(text, "{name:<30} {:>9.3} {:>7.3} {:>7.3} {:>8}", scores.precision, scores.recall, scores.f1, scores.support);
        }
        text.push_str("\nEpoch  train loss  train acc.  valid loss  valid acc.  macro-F1  images/s\n");
        for e in &session.epochs {
            let _ = writeln!(
                text,
                "{:>5}  {:>10.4}  {:>10.4}  {:>10.4}  {:>10.4}  {:>8.4}  {:>8.1}{}",
                e.epoch,
                e.train_loss,
                e.train_accuracy,
                e.valid_loss,
                e.valid_accuracy,
                e.valid_macro_f1,
                e.images_per_s,
                if e.epoch == best.epoch { "  best" } else { "" }
            );
        }
    }
    text
}

fn results(e: &EpochReport) -> String {
    format!("validation accuracy {:.4}, macro-F1 {:.4}, loss {:.4}", e.valid_accuracy, e.valid_macro_f1, e.valid_loss)
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Waiting => "not started",
        Status::Running => "running",
        Status::Paused => "paused",
        Status::Ended(Outcome::Completed) => "completed",
        Status::Ended(Outcome::Stopped) => "stopped; it can be resumed",
        Status::Ended(Outcome::Failed) => "failed",
        Status::Ended(Outcome::Panicked) => "ended by a fault of the program",
    }
}
