//! Whether the picture is like what the model was trained on: the warning, or how to find out.

use egui::{RichText, Ui};

use crate::app::action::Action;
use crate::app::familiar::Familiar;
use crate::app::inspect::InspectAction;
use crate::app::state::State;
use crate::app::theme;
use crate::explain::{Likeness, Nearness};

/// Shows what is known; nothing where nothing can be.
pub fn show(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    match (&state.model.familiar, &state.inspect.nearness) {
        (Familiar::Known(_), Some((nearness, sentence))) => told(ui, *nearness, sentence),
        (Familiar::Working(progress), _) => {
            ui.horizontal(|ui| {
                ui.add(egui::Spinner::new().size(12.0));
                ui.label(theme::muted(ui, format!("looking at the training data once, {:.0} %", 100.0 * progress.share())));
                if ui.button("Stop looking").on_hover_text("Stop looking at the training data").clicked() {
                    actions.push(Action::Inspect(InspectAction::StopFamiliarity));
                }
            });
        }
        (Familiar::Absent(why, possible), _) => {
            if !why.is_empty() {
                ui.label(theme::muted(ui, why.as_str()).small());
            }
            if *possible {
                let what = "Lets the model see its training and validation pictures once, and compares this picture with them. \
                            The run folder keeps what was seen.";
                if ui.button("Is it like the training data?").on_hover_text(what).clicked() {
                    actions.push(Action::Inspect(InspectAction::FindFamiliarity));
                }
            }
        }
        (Familiar::OtherData(why, config), _) => {
            ui.label(theme::muted(ui, why.as_str()).small());
            let button = ui.add_enabled(!state.is_training(), egui::Button::new("Open the run's data set"));
            let what = format!("Trained on {}", config.data);
            if button.on_hover_text(what).on_disabled_hover_text("A run goes on with the data set that is open.").clicked() {
                actions.push(Action::Inspect(InspectAction::OpenModelsData));
            }
        }
        (Familiar::Known(_) | Familiar::Unknown, _) => {}
    }
}

fn told(ui: &mut Ui, nearness: Nearness, sentence: &str) {
    let palette = theme::palette(ui.visuals());
    let about = format!(
        "Distance {:.3} to the 10th nearest training picture, between the network's features before its last layer (Sun et al. 2022)",
        nearness.distance
    );
    match nearness.likeness() {
        Likeness::Usual => {
            ui.label(theme::muted(ui, sentence).small()).on_hover_text(about);
        }
        Likeness::Unusual => {
            ui.label(RichText::new(sentence).color(palette.warn)).on_hover_text(about);
        }
        Likeness::Strange => {
            theme::failure_frame(&palette).show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.label(sentence).on_hover_text(about);
            });
        }
    }
}
