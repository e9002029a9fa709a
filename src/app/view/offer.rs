//! What a panel can write to files, and the menu that offers it. Bytes are made on a task thread.

use std::sync::Arc;

use egui::Ui;

use crate::app::action::Action;
use crate::app::lab::LabAction;
use crate::app::reviewed::Make;
use crate::app::{review_work as work, theme, widget};
use crate::review::Table;

/// A file that can be written.
pub struct Offer {
    /// What the menu says.
    pub label: String,
    /// The file's name.
    pub name: String,
    /// Makes its bytes.
    pub make: Make,
}

/// A plot as SVG and as PNG.
pub fn plot(what: &str, name: &str, draw: impl Fn() -> String + Send + Sync + 'static) -> [Offer; 2] {
    let draw = Arc::new(draw);
    let again = Arc::clone(&draw);
    let offer =
        |kind: &str, extension: &str, make: Make| Offer { label: format!("{what} as {kind}"), name: format!("{name}.{extension}"), make };
    [offer("PNG", "png", Box::new(move || work::png(&draw()))), offer("SVG", "svg", Box::new(move || Ok(again().into_bytes())))]
}

/// A table as CSV.
pub fn table(what: &str, name: &str, make: impl FnOnce() -> Table + Send + 'static) -> Offer {
    let make: Make = Box::new(move || make().to_csv().map_err(|error| error.to_string()));
    Offer { label: format!("{what} as CSV"), name: format!("{name}.csv"), make }
}

/// Writes into the folder of exports where runs are kept.
pub fn beside_runs(offer: Offer) -> Action {
    Action::Lab(LabAction::Save(offer.name, offer.make))
}

/// The menu; `offers` is asked while it is open. `into` says where files go, and `write` sends them there.
pub fn menu(ui: &mut Ui, into: &str, offers: impl FnOnce() -> Vec<Offer>, write: impl Fn(Offer) -> Action, actions: &mut Vec<Action>) {
    let response = ui.menu_button("Export", |ui| {
        ui.label(theme::muted(ui, into));
        for offer in offers() {
            if ui.button(&offer.label).clicked() {
                actions.push(write(offer));
                ui.close();
            }
        }
    });
    widget::name(ui, &response.response, egui::Role::Button, "Export");
    response.response.on_hover_text("Plots as PNG or SVG, tables as CSV");
}
