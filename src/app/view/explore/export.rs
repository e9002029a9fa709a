//! The sheet that writes a table: which one, and where.

use std::path::{Path, PathBuf};

use egui::{Context, Id, Key, Modal, RichText, TextEdit};

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
    /// The path that was looked up last, and whether a file is there: not asked of the disk in every frame.
    looked_up: (String, bool),
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
                // Enter replaces nothing: that takes the button which says so
                write = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter)) && !self.exists();
                if ui.button("Browse…").clicked() {
                    actions.push(Action::Explore(Change::BrowseExport(self.table)));
                    self.open = false;
                }
            });
            if self.exists() {
                let palette = theme::palette(ui.visuals());
                ui.label(RichText::new("There is a file of this name. It would be replaced.").color(palette.warn));
            }
            ui.add_space(theme::SECTION_GAP);
            ui.horizontal(|ui| {
                let word = if self.exists() { "Replace" } else { "Write" };
                write |= theme::main_button(ui, word, !self.path.trim().is_empty()).clicked();
                if ui.button("Cancel").clicked() {
                    self.open = false;
                }
            });
            // one that came meanwhile is asked about too
            if write {
                let asked = std::mem::take(&mut self.looked_up).1;
                write = asked || !self.exists();
            }
            if write && !self.path.trim().is_empty() {
                actions.push(Action::Explore(Change::Export(self.table, PathBuf::from(self.path.trim()))));
                self.open = false;
            }
        });
        self.open &= !modal.should_close();
        if !self.open {
            self.looked_up = Default::default();
        }
    }

    /// Whether there is a file at the path.
    fn exists(&mut self) -> bool {
        if self.looked_up.0 != self.path {
            self.looked_up = (self.path.clone(), Path::new(self.path.trim()).is_file());
        }
        self.looked_up.1
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
