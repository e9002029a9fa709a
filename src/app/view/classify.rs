//! The Classify panel: one picture and what the model says of it.

use std::path::PathBuf;

use egui::{Image, Key, RichText, ScrollArea, TextEdit, Ui, vec2};
use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::state::{State, Subject, Verdict};
use crate::app::theme;
use crate::app::widget;
use crate::app::widget::probability_bars;

/// The panel's own state.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClassifyView {
    /// What stands in the path field.
    path: String,
}

impl ClassifyView {
    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        model_line(ui, state, actions);
        ui.horizontal(|ui| {
            if ui.button("Picture…").on_hover_text("Choose a picture").clicked() {
                actions.push(Action::BrowsePicture);
            }
            let field = TextEdit::singleline(&mut self.path)
                .hint_text("or the path of a picture, model or run")
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
        match &state.subject {
            Some(subject) => show_subject(ui, state, subject),
            None if state.model.classifier.is_some() => {
                theme::empty(ui, "Drop a picture anywhere", "or open one in Explore and press Classify there.");
            }
            None => theme::empty(ui, "No model yet", "Train one (it is used from its first epoch on), or choose a model file above."),
        }
    }
}

/// Which model answers, and how to take another.
fn model_line(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        let model = &state.model;
        ui.label(theme::muted(ui, "Model"));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("Model…").on_hover_text("Choose a model file (.safetensors)").clicked() {
                actions.push(Action::BrowseModel);
            }
            if model.chosen.is_some()
                && state.run.is_some()
                && ui.button("Follow run").on_hover_text("Use the best epoch of the present run").clicked()
            {
                actions.push(Action::FollowRun);
            }
            if model.loading {
                ui.add(egui::Spinner::new().size(14.0));
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let text = if model.classifier.is_some() { model.description.as_str() } else { "none yet" };
                ui.add(egui::Label::new(text).truncate());
            });
        });
    });
}

fn show_subject(ui: &mut Ui, state: &State, subject: &Subject) {
    let palette = theme::palette(ui.visuals());
    ScrollArea::vertical().id_salt("verdict").auto_shrink(false).show(ui, |ui| {
        ui.horizontal_top(|ui| {
            if let Some(picture) = &subject.picture {
                let side = (ui.available_width() * 0.34).clamp(80.0, 220.0);
                let alt = format!("picture {}", subject.name);
                ui.add(
                    Image::new(&picture.texture)
                        .fit_to_exact_size(vec2(side, side))
                        .maintain_aspect_ratio(true)
                        .corner_radius(4)
                        .alt_text(alt),
                );
            }
            ui.vertical(|ui| {
                if let Verdict::Ready(bars) = &subject.verdict
                    && let Some((name, p)) = bars.first()
                {
                    ui.label(RichText::new(name).size(17.0).strong().color(palette.accent));
                    ui.label(format!("probability {:.1} %", 100.0 * p));
                }
                ui.label(theme::muted(ui, &subject.name));
            });
        });
        ui.add_space(theme::GAP);
        match &subject.verdict {
            Verdict::Ready(bars) => {
                probability_bars::show(ui, bars);
            }
            Verdict::Working => {
                ui.spinner();
            }
            Verdict::Failed(message) => {
                theme::failure_frame(&palette).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    ui.label(message);
                });
            }
            Verdict::Waiting if state.model.classifier.is_none() => {
                ui.label("No model yet: train one, or choose a model file above. The picture is classified as soon as there is one.");
            }
            Verdict::Waiting => {}
        }
    });
}
