//! Widgets that any panel may use: `fn(ui, &data) -> Response`. They know numbers, names and textures, not the state.

mod at_least;
pub mod curve_plot;
pub mod galaxy_cards;
pub mod heat_map;
pub mod image_grid;
mod in_sight;
pub mod parallel;
pub mod probability_bars;
pub mod unit_plot;

pub use at_least::at_least;

/// Gives a control the name by which screen readers and tests know it.
pub fn name(ui: &egui::Ui, response: &egui::Response, role: egui::Role, label: &str) {
    let enabled = ui.is_enabled();
    response.widget_info(|| egui::WidgetInfo::labeled(role, enabled, label));
}
