//! The sheet of keyboard shortcuts.

use egui::{Context, Grid, Id, Modal, RichText, ScrollArea, Ui};

use crate::app::action::Action;
use crate::app::keys::{self, LOCALS};
use crate::app::theme;

/// Shows the sheet.
pub fn show(context: &Context, actions: &mut Vec<Action>) {
    let frame = theme::sheet_frame(&theme::palette(&context.global_style().visuals));
    let room = context.content_rect().height() - 160.0;
    let modal = Modal::new(Id::unique("shortcuts")).frame(frame).show(context, |ui| {
        ui.heading("Keyboard shortcuts");
        ui.add_space(theme::GAP);
        ScrollArea::vertical().max_height(room).show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.vertical(window);
                ui.add_space(2.0 * theme::SECTION_GAP);
                ui.vertical(panels);
            });
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

/// The keys of the whole window.
fn window(ui: &mut Ui) {
    ui.label(theme::muted(ui, "In the whole window"));
    Grid::new("window keys").num_columns(2).spacing([24.0, 4.0]).show(ui, |ui| {
        let mut shown = Vec::new();
        for does in keys::globals().into_iter().map(|global| global.does) {
            // what has two keys is one line
            if !shown.contains(&does) {
                shown.push(does);
                row(ui, &does.keys(), &does.words());
            }
        }
    });
}

/// The keys of its parts.
fn panels(ui: &mut Ui) {
    for block in LOCALS.chunk_by(|a, b| a.place == b.place) {
        ui.label(theme::muted(ui, block[0].place));
        Grid::new(block[0].place).num_columns(2).min_col_width(150.0).spacing([24.0, 4.0]).show(ui, |ui| {
            for local in block {
                row(ui, local.shown, local.words);
            }
        });
        ui.add_space(theme::GAP);
    }
}

fn row(ui: &mut Ui, keys: &str, words: &str) {
    ui.label(RichText::new(keys).monospace());
    ui.label(words);
    ui.end_row();
}
