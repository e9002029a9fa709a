//! The button that writes the maps of many pictures of the data set, or how far that is.

use std::sync::Arc;

use egui::Ui;

use super::words;
use crate::app::action::Action;
use crate::app::inspect::InspectAction;
use crate::app::state::State;

/// Shows it for `indices` of the data set.
pub fn show(ui: &mut Ui, state: &State, indices: &[usize], actions: &mut Vec<Action>) {
    if let Some(progress) = &state.inspect.batch {
        ui.add(egui::ProgressBar::new(progress.share()).desired_width(80.0).text(format!("{:.0} %", 100.0 * progress.share())));
        if ui.button("Stop maps").on_hover_text("The maps that are written so far stay").clicked() {
            actions.push(Action::Inspect(InspectAction::StopMaps));
        }
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(200));
        return;
    }
    let why = if state.model.classifier.is_none() {
        Some("Train a model or load one on the Classify panel first.")
    } else if indices.is_empty() {
        Some("There are no pictures here.")
    } else {
        None
    };
    let button = ui.add_enabled(why.is_none(), egui::Button::new("Maps…"));
    let what = format!(
        "Write where the model looked at each of these {} pictures, one PNG file a picture, with the method and style of the Classify panel",
        words::thousands(indices.len())
    );
    if button.on_hover_text(what).on_disabled_hover_text(why.unwrap_or_default()).clicked() {
        actions.push(Action::Inspect(InspectAction::Maps(Arc::new(indices.to_vec()))));
    }
}
