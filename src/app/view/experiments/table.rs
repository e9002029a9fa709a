//! The table of runs: a row a run (or a recipe with its seeds), a column a value; a click on a head orders.

use egui::{Align, Layout, RichText, Ui};
use egui_extras::{Column as Width, TableBuilder, TableRow};

use super::rows::{Row, cell};
use crate::app::action::Action;
use crate::app::experiments::{Change, Experiments};
use crate::app::{theme, widget};
use crate::track::{Column, RunFacts, RunState, Value};

/// Height of a row.
const ROW: f32 = 22.0;

/// What the table shows.
pub(super) struct Table<'a> {
    /// The runs.
    pub experiments: &'a Experiments,
    /// The rows.
    pub rows: &'a [Row],
    /// The columns.
    pub columns: &'a [Column],
    /// The column that orders, and whether from the largest down.
    pub order: (&'a Column, bool),
}

/// Shows the table; gives the column whose head was clicked.
pub(super) fn show(ui: &mut Ui, table: &Table<'_>, actions: &mut Vec<Action>) -> Option<Column> {
    let mut clicked = None;
    let mut builder = TableBuilder::new(ui)
        .id_salt("runs")
        .striped(true)
        .resizable(true)
        .sense(egui::Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Width::exact(22.0))
        .auto_shrink(false)
        .min_scrolled_height(0.0);
    for column in table.columns {
        let width = match column {
            Column::Name => 190.0,
            Column::Started => 126.0,
            _ => 84.0,
        };
        builder = builder.column(Width::initial(width).at_least(40.0).clip(true));
    }
    let builder = builder.header(ROW, |mut header| {
        header.col(|_| {});
        for column in table.columns {
            header.col(|ui| {
                if head(ui, column, table.order) {
                    clicked = Some(column.clone());
                }
            });
        }
    });
    let runs = table.experiments.runs();
    builder.body(|body| {
        body.rows(ROW, table.rows.len(), |mut row| {
            let members = table.rows[row.index()].of(runs);
            line(&mut row, table, &members, actions);
        });
    });
    clicked
}

fn head(ui: &mut Ui, column: &Column, (by, descending): (&Column, bool)) -> bool {
    let arrow = match (column == by, descending) {
        (false, _) => "",
        (true, false) => " ⏶",
        (true, true) => " ⏷",
    };
    let text = RichText::new(format!("{}{arrow}", column.title())).color(theme::palette(ui.visuals()).muted);
    let button = egui::Button::new(text).frame(false).truncate();
    let response = ui.add(button);
    widget::name(ui, &response, egui::Role::Button, &format!("Order by {}", column.title()));
    response.on_hover_text(format!("Order by this; in the filter it is called {}", column.key())).clicked()
}

fn line(row: &mut TableRow<'_, '_>, table: &Table<'_>, runs: &[&RunFacts], actions: &mut Vec<Action>) {
    let Some(first) = runs.first() else { return };
    let experiments = table.experiments;
    row.set_selected(experiments.focus.as_ref().is_some_and(|focus| runs.iter().any(|run| run.folder == *focus)));
    row.col(|ui| {
        // the stripes have the colour of an empty box
        let line = theme::palette(ui.visuals()).muted.gamma_multiply(0.6);
        ui.visuals_mut().widgets.inactive.bg_stroke = egui::Stroke::new(1.0, line);
        let mut compared = runs.iter().all(|run| experiments.compared.contains(&run.folder));
        let response = ui.checkbox(&mut compared, "");
        widget::name(ui, &response, egui::Role::CheckBox, &format!("Compare {}", first.name()));
        if response.on_hover_text("Set beside the other marked runs below").clicked() {
            actions.extend(runs.iter().map(|run| Action::Experiments(Change::Compare(run.folder.clone(), compared))));
        }
    });
    let focus = || Action::Experiments(Change::Focus(Some(first.folder.clone())));
    for column in table.columns {
        row.col(|ui| {
            let text = cell(runs, column);
            match column {
                Column::Name => {
                    let button = egui::Button::new(text).frame(false).truncate();
                    if ui.add(button).on_hover_text(&first.folder).clicked() {
                        actions.push(focus());
                    }
                }
                Column::State => state(ui, first),
                column if matches!(column.value(first), Value::Number(_)) => {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        ui.add(egui::Label::new(text).truncate().selectable(false));
                    });
                }
                _ => {
                    ui.add(egui::Label::new(text).truncate().selectable(false));
                }
            }
        });
    }
    if row.response().clicked() {
        actions.push(focus());
    }
}

fn state(ui: &mut Ui, run: &RunFacts) {
    let palette = theme::palette(ui.visuals());
    let colour = match run.state {
        RunState::Running | RunState::Paused => palette.accent,
        RunState::Completed => palette.good,
        RunState::Failed => palette.bad,
        RunState::Stopped | RunState::Interrupted => palette.warn,
        RunState::NotStarted => palette.muted,
    };
    theme::dot(ui, colour);
    let label = ui.add(egui::Label::new(run.state.name()).truncate().selectable(false));
    if let Some(message) = &run.message {
        label.on_hover_text(message);
    }
}
