//! The Classify panel: one picture, what the model says of it, and where it looked.

mod controls;
mod familiar;
mod picture;
mod pile;
mod registered;
mod rival;
mod subject;
mod tiles;
mod trust;

use std::path::PathBuf;

use egui::{Key, TextEdit, Ui};
use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::inspect::InspectAction;
use crate::app::pile::PileAction;
use crate::app::state::State;
use crate::app::theme;
use crate::app::widget;

/// From this width on, points, the controls of the model stand beside its name; while there is a run there are more of them.
const BESIDE: f32 = 300.0;
const BESIDE_RUN: f32 = 460.0;

/// The panel's own state.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClassifyView {
    /// What stands in the path field.
    path: String,
    /// Whether the menu of registered models was open in the last frame.
    #[serde(skip)]
    choosing: bool,
    #[serde(skip)]
    subject: subject::SubjectView,
    #[serde(skip)]
    pile: pile::PileView,
}

impl ClassifyView {
    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        model_line(ui, state, &mut self.choosing, actions);
        ui.horizontal(|ui| {
            if ui
                .button("Picture…")
                .on_hover_text("Choose one picture, or many at once; a folder of them goes into the field at the right, or is dropped")
                .clicked()
            {
                actions.push(Action::BrowsePicture);
            }
            if ui.button("Paste").on_hover_text("Take the picture, or the files, on the clipboard").clicked() {
                actions.push(Action::Inspect(InspectAction::Paste));
            }
            let field = TextEdit::singleline(&mut self.path)
                .hint_text("or the path of a picture, FITS file, folder, model or run")
                .desired_width(ui.available_width() - 58.0);
            let response = ui.add(field);
            widget::name(ui, &response, egui::Role::TextInput, "Picture or model path");
            let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            let named = !self.path.trim().is_empty();
            let open = ui.add_enabled(named, egui::Button::new("Go"));
            widget::name(ui, &open, egui::Role::Button, "Open path");
            if (open.clicked() || entered) && named {
                actions.push(Action::Drop(vec![PathBuf::from(self.path.trim())]));
            }
        });
        ui.separator();
        if state.pile.open {
            self.pile.show(ui, state, actions);
            return;
        }
        if state.pile.total.is_some() && ui.button("Back to the list").on_hover_text("The table of many pictures").clicked() {
            actions.push(Action::Pile(PileAction::Back));
        }
        match &state.subject {
            Some(subject) => self.subject.show(ui, state, subject, actions),
            None if state.model.classifier.is_some() => {
                theme::empty(
                    ui,
                    "Drop a picture anywhere",
                    "or a FITS file, many of them, or a folder; or open one in Explore and press Classify there.",
                );
            }
            None => theme::empty(ui, "No model yet", "Train one (it is used from its first epoch on), or choose a model file above."),
        }
    }
}

/// Which model answers, and how to take another. Where they do not fit beside its name, the controls stand below it.
fn model_line(ui: &mut Ui, state: &State, choosing: &mut bool, actions: &mut Vec<Action>) {
    let room = if state.run.is_some() { BESIDE_RUN } else { BESIDE };
    if ui.available_width() < room {
        ui.horizontal(|ui| model_name(ui, state));
        ui.horizontal_wrapped(|ui| model_controls(ui, state, choosing, actions));
        return;
    }
    ui.horizontal(|ui| {
        let end = egui::Layout::right_to_left(egui::Align::Center);
        ui.with_layout(end, |ui| {
            model_controls(ui, state, choosing, actions);
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| model_name(ui, state));
        });
    });
}

fn model_name(ui: &mut Ui, state: &State) {
    let model = &state.model;
    ui.label(theme::muted(ui, "Model"));
    let text = if model.classifier.is_some() { model.description.as_str() } else { "none yet" };
    ui.add(egui::Label::new(text).truncate());
}

fn model_controls(ui: &mut Ui, state: &State, choosing: &mut bool, actions: &mut Vec<Action>) {
    let model = &state.model;
    if ui.button("Model…").on_hover_text("Choose a model file (.safetensors)").clicked() {
        actions.push(Action::BrowseModel);
    }
    registered::choice(ui, state, choosing, actions);
    if model.chosen.is_some()
        && state.run.is_some()
        && ui.button("Follow run").on_hover_text("Use the best epoch of the present run").clicked()
    {
        actions.push(Action::FollowRun);
    }
    if model.chosen.is_none() && state.run.is_some() {
        let mut latest = state.inspect.latest;
        let what = "Answer with the last epoch whose model the run keeps, instead of the best one. It keeps about ten of all, spread \
                    evenly (\"Kept epochs\" on the Train panel), so the run is often further; which one answers stands beside \"Model\"";
        if ui.checkbox(&mut latest, "Latest kept epoch").on_hover_text(what).changed() {
            actions.push(Action::Inspect(InspectAction::Latest(latest)));
        }
    }
    if model.loading {
        ui.add(egui::Spinner::new().size(14.0));
    }
}
