//! One trial: its values, and what can be done with its run.

use egui::{DragValue, Grid, RichText, ScrollArea, Ui};

use super::Shown;
use super::axis;
use super::table::{colour, state_name};
use crate::app::action::Action;
use crate::app::experiments;
use crate::app::models::{self, FIRST_NAME};
use crate::app::searched::{Change, Place};
use crate::app::state::State;
use crate::app::theme;
use crate::search::{self, Storage, Trial};

/// Shows the trial that is chosen, or the best one; `epochs` is how long it is trained if it is trained longer.
pub(super) fn show(ui: &mut Ui, state: &State, shown: Shown<'_>, epochs: &mut usize, actions: &mut Vec<Action>) {
    let (study, place) = (shown.study, shown.place);
    let chosen = shown.focus.and_then(|number| study.trials.get(number));
    let Some(trial) = chosen.or_else(|| study.best()) else {
        theme::empty(ui, "No trial chosen", "Click a trial in the table or in a plot.");
        return;
    };
    ScrollArea::vertical().id_salt("trial").auto_shrink(false).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(format!("Trial {}", trial.number)).strong());
            theme::dot(ui, colour(ui, trial.state));
            ui.label(state_name(trial.state));
            if let Some(value) = axis::value(trial) {
                ui.label(format!("{} {value:.4}", shown.objective()));
            }
            if study.best().is_some_and(|best| best.number == trial.number) {
                ui.label(theme::muted(ui, "the best of the study"));
            }
        });
        buttons(ui, state, place, trial, epochs, actions);
        ui.add_space(theme::GAP);
        values(ui, trial);
        if let Some(error) = trial.user_attrs.get("error").and_then(|error| error.as_str()) {
            ui.label(RichText::new(error).color(theme::palette(ui.visuals()).bad));
        }
    });
}

fn buttons(ui: &mut Ui, state: &State, place: &Place, trial: &Trial, epochs: &mut usize, actions: &mut Vec<Action>) {
    let run = search::run_of(trial).map(|run| place.resolve(&run));
    let Some(run) = run.filter(|_| !trial.intermediate.is_empty()) else {
        ui.label(theme::muted(ui, "It has no run of this program to look at."));
        return;
    };
    if matches!(place.storage, Storage::Database { .. }) && !state.search.is_here(place, trial.number) {
        let host = trial.user_attrs.get("host").and_then(|host| host.as_str()).unwrap_or("another machine");
        ui.label(theme::muted(ui, format!("Its run is on {host}, in a folder that this machine does not see.")));
        return;
    }
    ui.horizontal_wrapped(|ui| {
        for (words, hover, change) in [
            ("Look back on it", "What it confuses, at any epoch, in the Confusion panel", Change::LookBack(run.clone())),
            ("Use its model", "Classify with its best epoch", Change::UseModel(run.clone())),
            ("Use its values", "Take its values into the form of the Train panel", Change::UseValues(run.clone())),
        ] {
            if ui.button(words).on_hover_text(hover).clicked() {
                actions.push(Action::Search(change));
            }
        }
        let hover = format!("Keep its best model as a version of {FIRST_NAME}, and as the champion if it is better than the present one");
        if ui.button("Register it").on_hover_text(hover).clicked() {
            // the registry would look for it among the runs
            let run = std::path::absolute(&run).unwrap_or_else(|_| run.clone());
            let note = format!("Trial {} of the search {}", trial.number, place.study);
            let register = models::Change::Register { run, name: FIRST_NAME.into(), note };
            actions.push(Action::Experiments(experiments::Change::Models(register)));
        }
    });
    ui.horizontal_wrapped(|ui| {
        let blocked = state.search_blocked();
        let button = ui.add_enabled(blocked.is_none(), egui::Button::new("Train it longer"));
        let button = match blocked {
            Some(why) => button.on_disabled_hover_text(why),
            None => button.on_hover_text("A new run with its values and as many epochs as stand here"),
        };
        if button.clicked() {
            actions.push(Action::Search(Change::TrainLonger(run.clone(), *epochs)));
        }
        let label = ui.label("for");
        ui.add(DragValue::new(epochs).range(1..=100_000).speed(0.3).suffix(" epochs")).labelled_by(label.id);
    });
    ui.label(theme::muted(ui, run.display().to_string()));
}

fn values(ui: &mut Ui, trial: &Trial) {
    Grid::new("trial values").num_columns(2).striped(true).spacing([theme::SECTION_GAP, 2.0]).show(ui, |ui| {
        for (name, param) in &trial.params {
            ui.label(theme::muted(ui, name.clone()));
            let value = param.value();
            ui.label(axis::word(&value)).on_hover_text(value.to_string());
            ui.end_row();
        }
        for (name, time) in [("started", &trial.started), ("ended", &trial.ended)] {
            if let Some(time) = time {
                ui.label(theme::muted(ui, name));
                ui.label(time.split('.').next().unwrap_or(time).replace('T', " "));
                ui.end_row();
            }
        }
    });
}
