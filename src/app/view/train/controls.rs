//! Start, Pause, Resume, Stop; how far the run is; what it said when it failed.

use egui::{ProgressBar, RichText, Ui};

use crate::app::action::Action;
use crate::app::experiments::Change;
use crate::app::state::{Run, State};
use crate::app::theme;
use crate::app::view::words;
use crate::train::{Command, DeviceChoice, Outcome, Status, energy_in_words};

/// Shows the controls, and the run below them.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    buttons(ui, state, actions);
    match &state.run {
        Some(run) => {
            progress(ui, run);
            ending(ui, state, run, actions);
            if let Some(error) = &run.session.save_error {
                let palette = theme::palette(ui.visuals());
                ui.label(RichText::new(format!("Not saved: {error}")).color(palette.warn));
            }
        }
        None if state.starting => {
            ui.label(theme::muted(ui, "Setting up the run"));
        }
        None => {
            let words = match state.start_blocked() {
                None => "Ready when you are: Start trains with the values below.".to_owned(),
                Some(_) if !state.config.errors().is_empty() => "Correct the values that are marked below, then press Start.".to_owned(),
                Some(why) => why,
            };
            ui.label(theme::muted(ui, words));
            interrupted(ui, state, actions);
        }
    }
}

/// The last run, if a crash or a power cut ended it: what it learned is not lost.
fn interrupted(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let Some(last) = state.experiments.interrupted() else { return };
    let palette = theme::palette(ui.visuals());
    let words = format!("{} was interrupted after {} of {} epochs.", last.name(), last.epochs, last.epochs_wanted());
    ui.label(RichText::new(words).color(palette.warn));
    let blocked = state.search_blocked();
    if rest_button(ui, "Go on with it", "Train the rest of its epochs, from its last checkpoint", blocked.as_deref()) {
        actions.push(Action::Experiments(Change::GoOn(last.folder.clone())));
    }
}

fn buttons(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let running = state.run.as_ref().filter(|run| !run.is_over());
    ui.horizontal(|ui| {
        let Some(run) = running else {
            let blocked = state.start_blocked();
            let start = theme::main_button(ui, "Start", blocked.is_none());
            if start.clicked() {
                actions.push(Action::Start);
            }
            match blocked {
                Some(why) => start.on_disabled_hover_text(why),
                None => start.on_hover_text("Train with these values (Space)"),
            };
            return;
        };
        let asked = run.asked;
        if run.session.status == Status::Paused {
            if theme::main_button(ui, "Resume", asked.is_none()).on_hover_text("Go on (Space)").clicked() {
                actions.push(Action::Resume);
            }
        } else if theme::main_button(ui, "Pause", asked.is_none()).on_hover_text("Hold after this batch (Space)").clicked() {
            actions.push(Action::Pause);
        }
        let stop = ui.add_enabled(asked != Some(Command::Stop), egui::Button::new("Stop").min_size(egui::vec2(64.0, 28.0)));
        if stop.on_hover_text("End after this batch and keep what was learned").clicked() {
            actions.push(Action::Stop);
        }
        let waiting = match asked {
            Some(Command::Pause) => "pausing after this batch",
            Some(Command::Resume) => "going on",
            Some(Command::Stop) => "stopping after this batch",
            None => "",
        };
        ui.label(theme::muted(ui, waiting));
    });
}

fn progress(ui: &mut Ui, run: &Run) {
    let session = &run.session;
    let Some(started) = &session.started else {
        ui.label(theme::muted(ui, "Setting up the network"));
        return;
    };
    let palette = theme::palette(ui.visuals());
    let share = session.progress() as f32;
    let fill = if session.status == Status::Paused { palette.warn } else { palette.accent_fill };
    ui.add(ProgressBar::new(share).desired_height(8.0).fill(fill).corner_radius(4));
    let place =
        format!("Epoch {} of {}, batch {} of {}", session.epoch(), started.epochs, session.step_in_epoch(), started.steps_per_epoch);
    let mut pace = Vec::new();
    if let Some(speed) = session.images_per_s() {
        pace.push(format!("{speed:.0} images/s"));
    }
    if let Some(wait) = session.wait() {
        pace.push(format!("{:.0} % waiting for pictures", 100.0 * wait));
    }
    match session.status {
        Status::Running | Status::Waiting => pace.push(time_left(run)),
        Status::Paused => pace.push("paused".into()),
        Status::Ended(_) => {}
    }
    ui.label(place);
    ui.label(theme::muted(ui, pace.join("  ·  ")));
    // of the processor there is nothing to say that the form does not
    if !started.reason.is_empty() || !started.device.starts_with("CPU") {
        let words = [started.device.as_str(), &started.reason].into_iter().filter(|words| !words.is_empty());
        ui.label(theme::muted(ui, words.collect::<Vec<_>>().join("  ·  ")));
    }
    if let Some(last) = session.epochs.last() {
        let words = format!("Validation: {:.1} % right, macro-F1 {:.3}", 100.0 * last.valid_accuracy, last.valid_macro_f1);
        ui.label(theme::muted(ui, words));
        if let Some(joules) = session.energy() {
            let words = format!("{} so far, as the device counts it", energy_in_words(joules));
            ui.label(theme::muted(ui, words)).on_hover_text("The energy of its epochs; what else ran on the device is in it");
        }
        if last.skipped > 0 {
            ui.label(theme::muted(ui, format!("{} steps skipped: not finite in f16", last.skipped)));
        }
    }
}

fn time_left(run: &Run) -> String {
    match run.session.eta() {
        Some(time) if time.as_secs() < 1 => "almost done".into(),
        Some(time) => format!("about {} left", words::duration(time)),
        None => "time left not known yet".into(),
    }
}

fn ending(ui: &mut Ui, state: &State, run: &Run, actions: &mut Vec<Action>) {
    let (Status::Ended(outcome), Some(message)) = (run.session.status, &run.session.message) else { return };
    let palette = theme::palette(ui.visuals());
    let failed = matches!(outcome, Outcome::Failed | Outcome::Panicked);
    if !failed {
        let colour = if outcome == Outcome::Completed { palette.good } else { palette.text };
        ui.label(RichText::new(message).color(colour));
        ui.label(theme::muted(ui, format!("Kept in {}", run.folder.display())));
        go_on(ui, state, run, actions);
    } else if !run.dismissed {
        theme::failure_frame(&palette).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.label(RichText::new("The run failed").strong().color(palette.bad));
            ui.label(message);
            ui.label(format!("What was learned before is kept in {}", run.folder.display()));
            go_on(ui, state, run, actions);
            if ui.button("Close message").clicked() {
                actions.push(Action::DismissRun);
            }
        });
    }
}

/// The ways to the end of a run that ended before it.
fn go_on(ui: &mut Ui, state: &State, run: &Run, actions: &mut Vec<Action>) {
    if !run.has_rest() {
        return;
    }
    let blocked = state.search_blocked();
    let mut ask = |ui: &mut Ui, words: &str, hover: &str, device: Option<DeviceChoice>| {
        if rest_button(ui, words, hover, blocked.as_deref()) {
            actions.push(Action::GoOn(run.folder.clone(), device));
        }
    };
    ui.horizontal_wrapped(|ui| {
        ask(ui, "Go on", "Train the rest of its epochs, from its last checkpoint", None);
        if run.session.started.as_ref().is_some_and(|started| !started.device.starts_with("CPU")) {
            ask(ui, "Go on on the processor", "Train the rest of its epochs without the device", Some(DeviceChoice::Cpu));
        }
    });
}

/// A button that goes on with a run, or says why it cannot be pressed now; whether it was pressed.
fn rest_button(ui: &mut Ui, words: &str, hover: &str, blocked: Option<&str>) -> bool {
    let response = ui.add_enabled(blocked.is_none(), egui::Button::new(words));
    let response = match blocked {
        Some(why) => response.on_disabled_hover_text(why),
        None => response.on_hover_text(hover),
    };
    response.clicked()
}
