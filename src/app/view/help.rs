//! The sheet of keyboard shortcuts.

use egui::{Context, Grid, Id, Modal, RichText};

use crate::app::action::Action;
use crate::app::theme;

/// What each key does, as it is shown; `shell::shortcuts` reads the keys.
const KEYS: &[(&str, &str)] = &[
    ("Space", "Start, pause or resume the run"),
    ("Ctrl+1 … Ctrl+6", "Train, Curves, Confusion, Explore, Classify, Augment"),
    ("Ctrl+Shift+1 … 6", "Let that panel fill the window"),
    ("Ctrl+O", "Open a data folder"),
    ("Ctrl+Plus, Ctrl+Minus", "Larger or smaller text"),
    ("Ctrl+K", "Find any command by its name"),
    ("Ctrl+Z", "Undo"),
    ("Tab, Shift+Tab", "To the next or previous control"),
    ("Arrows, Page, Home, End", "Move in the pictures"),
    ("Enter", "Open the picture large; in the confusion matrix: show the galaxies of the cell"),
    ("N, P", "In a list of galaxies: next, previous"),
    ("0 … 9, T, U", "In Explore and the large picture: give a label, give the tag, take the last one back"),
    ("Left, Right", "In the contact sheet of the lab: another galaxy"),
    ("Left, Right", "In the large picture: previous, next"),
    ("Escape", "Close the picture, this sheet or an enlarged panel"),
    ("F1 or ?", "This sheet"),
];

/// Shows the sheet.
pub fn show(context: &Context, actions: &mut Vec<Action>) {
    let frame = theme::sheet_frame(&theme::palette(&context.global_style().visuals));
    let modal = Modal::new(Id::unique("shortcuts")).frame(frame).show(context, |ui| {
        ui.heading("Keyboard shortcuts");
        ui.add_space(theme::GAP);
        Grid::new("keys").num_columns(2).spacing([24.0, 6.0]).show(ui, |ui| {
            for (key, what) in KEYS {
                ui.label(RichText::new(*key).monospace());
                ui.label(*what);
                ui.end_row();
            }
        });
        ui.add_space(theme::SECTION_GAP);
        ui.label(theme::muted(
            ui,
            "Pictures, FITS files, folders of them, data folders, models and runs can be dropped anywhere on the window.",
        ));
        ui.add_space(theme::GAP);
        ui.button("Close").clicked()
    });
    if modal.inner || modal.should_close() {
        actions.push(Action::Help(false));
    }
}
