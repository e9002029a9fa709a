//! Which study is shown, how it stands, and the buttons that let it go on.

use egui::{ComboBox, ProgressBar, RichText, Ui};

use super::address::AddressField;
use super::history;
use crate::app::action::Action;
use crate::app::searched::{Change, Form, Going, Searched};
use crate::app::state::State;
use crate::app::{theme, widget};
use crate::search::{StudyRecord, TrialState};
use crate::train::Command;

/// Shows the head of the panel.
pub(super) fn show(ui: &mut Ui, state: &State, form: &Form, address: &mut AddressField, actions: &mut Vec<Action>) {
    let search = &state.search;
    ui.horizontal_wrapped(|ui| {
        choice(ui, search, actions);
        address.show(ui, search, actions);
        buttons(ui, state, form, actions);
    });
    if let Some(going) = &search.going {
        progress(ui, search, going, form, actions);
    }
    if let Some(study) = search.study() {
        ui.label(theme::muted(ui, standing(study)));
    }
}

/// Which study is shown.
fn choice(ui: &mut Ui, search: &Searched, actions: &mut Vec<Action>) {
    let text = search.shown.as_ref().map_or("New study", |place| place.study.as_str());
    let response = ComboBox::from_id_salt("study").width(170.0).selected_text(text).show_ui(ui, |ui| {
        if ui.selectable_label(search.shown.is_none(), "New study").clicked() {
            actions.push(Action::Search(Change::Show(None)));
        }
        for (place, study) in search.studies() {
            let words = format!("{} ({} trials)", study.name, study.trials.len());
            if ui.selectable_label(search.shown.as_ref() == Some(&place), words).on_hover_text(place.storage.to_string()).clicked() {
                actions.push(Action::Search(Change::Show(Some(place))));
            }
        }
    });
    widget::name(ui, &response.response, egui::Role::ComboBox, "Study");
}

fn buttons(ui: &mut Ui, state: &State, form: &Form, actions: &mut Vec<Action>) {
    let search = &state.search;
    let Some(going) = &search.going else {
        let blocked = state.search_blocked().or_else(|| spent(search, form));
        let words = if search.study().is_some() { "Go on" } else { "Start search" };
        let start = theme::main_button(ui, words, blocked.is_none());
        if start.clicked() {
            actions.push(Action::Search(Change::Start(Box::new(form.clone()))));
        }
        match blocked {
            Some(why) => start.on_disabled_hover_text(why),
            None => start.on_hover_text("One trial after another is trained, until the limits are reached"),
        };
        if search.starting {
            ui.label(theme::muted(ui, "setting up the search"));
        }
        return;
    };
    let (words, hover, command) =
        if going.paused { ("Go on", "Let the trial go on", Command::Resume) } else { ("Pause", "Hold after this batch", Command::Pause) };
    if theme::main_button(ui, words, !going.stopping).on_hover_text(hover).clicked() {
        actions.push(Action::Search(Change::Command(command)));
    }
    let stop = ui.add_enabled(!going.stopping, egui::Button::new("Stop").min_size(egui::vec2(64.0, 28.0)));
    if stop.on_hover_text("End after this batch; the trial goes on when the search is started again").clicked() {
        actions.push(Action::Search(Change::Command(Command::Stop)));
    }
    if going.stopping {
        ui.label(theme::muted(ui, "stopping after this batch"));
    }
}

/// Why the study that is shown has nothing left to do, if so.
fn spent(search: &Searched, form: &Form) -> Option<String> {
    let study = search.study()?;
    let unfinished = study.count(TrialState::Running) > 0;
    let most = form.trials.filter(|most| study.trials.len() >= *most && !unfinished)?;
    Some(format!("It has its {most} trials; raise the limit to go on."))
}

fn progress(ui: &mut Ui, search: &Searched, going: &Going, form: &Form, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui.visuals());
    if search.going_here().is_none() {
        ui.horizontal(|ui| {
            ui.label(theme::muted(ui, format!("The search “{}” is going on.", going.place.study)));
            if ui.button("Show it").clicked() {
                actions.push(Action::Search(Change::Show(Some(going.place.clone()))));
            }
        });
        return;
    }
    let done = search.study().map_or(0, |study| study.trials.iter().filter(|trial| trial.state.is_finished()).count());
    if let Some(most) = form.trials {
        let within = going.epoch.as_ref().map_or(0.0, |epoch| epoch.epoch as f32 / epoch.epochs.max(1) as f32);
        let share = (done as f32 + within.min(0.99)) / most.max(1) as f32;
        let fill = if going.paused { palette.warn } else { palette.accent_fill };
        ui.add(ProgressBar::new(share.min(1.0)).desired_height(8.0).fill(fill).corner_radius(4));
    }
    let words = match (&going.trial, &going.epoch) {
        (Some(trial), Some(epoch)) => {
            format!("Trial {}, epoch {} of {}: {:.4}  ·  {}", trial.number, epoch.epoch, epoch.epochs, epoch.value, trial.words)
        }
        (Some(trial), None) => format!("Trial {}: {}", trial.number, trial.words),
        (None, _) => "Choosing the next trial".into(),
    };
    ui.add(egui::Label::new(RichText::new(words)).truncate());
}

/// "30 trials: 12 complete, 17 pruned, 1 failed; best 0.8123 in trial 7; 12 min in all".
fn standing(study: &StudyRecord) -> String {
    let count = |state| study.count(state);
    let mut parts = vec![format!("{} complete", count(TrialState::Complete)), format!("{} pruned", count(TrialState::Pruned))];
    for (state, words) in [(TrialState::Fail, "failed"), (TrialState::Running, "unfinished"), (TrialState::Waiting, "waiting")] {
        if count(state) > 0 {
            parts.push(format!("{} {words}", count(state)));
        }
    }
    let best = study.best().and_then(|trial| Some((trial.number, trial.value?)));
    let best = best.map_or_else(String::new, |(number, value)| format!("; best {value:.4} in trial {number}"));
    let count = study.trials.len();
    let trials = if count == 1 { "trial" } else { "trials" };
    format!("{count} {trials}: {}{best}; {} in all", parts.join(", "), history::total(study))
}
