//! The Train panel: the data set, the form of the next run, its controls and its progress.

pub mod choice;
mod controls;
mod data;
mod field;
pub mod form;

use egui::{ScrollArea, Ui};
use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::state::State;
use crate::app::theme;

/// The panel's own state.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainView {
    /// What stands in the field for a data folder.
    folder: String,
}

impl TrainView {
    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        controls::show(ui, state, actions);
        ui.add_space(theme::GAP);
        ui.separator();
        ScrollArea::vertical().id_salt("form").auto_shrink(false).show(ui, |ui| {
            ui.set_width(ui.available_width() - theme::GAP);
            data::show(ui, state, &mut self.folder, actions);
            let mut config = state.config.clone();
            form::show(ui, state, &mut config, actions);
            if config != state.config {
                actions.push(Action::Configure(Box::new(config)));
            }
        });
    }
}
