//! The sheet that writes a table: which one, and where.

use std::path::PathBuf;

use egui::{Context, Id, Key, Modal, TextEdit};

use crate::app::action::Action;
use crate::app::explored::{Change, Table};
use crate::app::state::State;
use crate::app::theme;
use crate::app::view::words;
use crate::app::widget;

/// The sheet's own state.
#[derive(Clone, Default)]
pub struct Sheet {
    /// Whether it is open.
    pub open: bool,
    table: Table,
    path: String,
}

impl Sheet {
    /// Shows the sheet if it is open.
    pub fn show(&mut self, context: &Context, state: &State, actions: &mut Vec<Action>) {
        if !self.open {
            return;
        }
        if self.path.is_empty() {
            self.path = "galaxies.csv".into();
        }
        let frame = theme::sheet_frame(&theme::palette(&context.global_style().visuals));
        let modal = Modal::new(Id::unique("export")).frame(frame).show(context, |ui| {
            ui.set_width(440.0);
            ui.heading("Export");
            ui.add_space(theme::GAP);
            for table in Table::ALL {
                if ui.radio(self.table == table, table.title()).clicked() {
                    self.table = table;
                    self.path = PathBuf::from(&self.path).with_extension(table.extension()).display().to_string();
                }
            }
            ui.label(theme::muted(ui, about(self.table, state)));
            ui.add_space(theme::GAP);
            let mut write = false;
            ui.horizontal(|ui| {
                let response = ui.add(TextEdit::singleline(&mut self.path).desired_width(340.0));
                widget::name(ui, &response, egui::Role::TextInput, "File to write");
                write = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
                if ui.button("Browse…").clicked() {
                    actions.push(Action::Explore(Change::BrowseExport(self.table)));
                    self.open = false;
                }
            });
            ui.add_space(theme::SECTION_GAP);
            ui.horizontal(|ui| {
                write |= theme::main_button(ui, "Write", !self.path.trim().is_empty()).clicked();
                if ui.button("Cancel").clicked() {
                    self.open = false;
                }
            });
            if write && !self.path.trim().is_empty() {
                actions.push(Action::Explore(Change::Export(self.table, PathBuf::from(self.path.trim()))));
                self.open = false;
            }
        });
        if modal.should_close() {
            self.open = false;
        }
    }
}

/// What will be in the table.
fn about(table: Table, state: &State) -> String {
    let explored = &state.explore;
    if table == Table::Changes {
        let marks = explored.marked.as_ref().map_or(0, |marked| marked.marks.len());
        return format!("Every picture that you relabelled or tagged: {}.", words::thousands(marks));
    }
    let probabilities = match &explored.predictions {
        Some(predictions) => {
            format!("all probabilities by {} ({} pictures classified)", predictions.origin(), words::thousands(predictions.count()))
        }
        None => "no probabilities, because no picture is classified".into(),
    };
    format!(
        "The {} pictures of the grid in their order, with labels, tags, catalogue columns and {probabilities}.",
        words::thousands(explored.selection.places.len())
    )
}
