//! The values of the runs that are set side by side: results first, then the configuration, differences marked.

use egui::{RichText, ScrollArea, Ui};

use super::rows::difference;
use crate::app::experiments::Experiments;
use crate::app::theme;
use crate::track::{Column, RunFacts, Value};

/// The page's own state.
#[derive(Clone, Copy, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Values {
    /// Show also what is the same in all.
    all: bool,
}

/// The results that stand above the values.
const RESULTS: [Column; 5] = [Column::State, Column::MacroF1, Column::Accuracy, Column::Loss, Column::BestEpoch];

impl Values {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, experiments: &Experiments) {
        let runs: Vec<&RunFacts> = experiments.compared().collect();
        if runs.is_empty() {
            theme::empty(ui, "No runs marked", "Mark runs at the left of the table: their values stand side by side here.");
            return;
        }
        ui.horizontal(|ui| {
            ui.checkbox(&mut self.all, "Also what is the same");
            if let [a, b] = runs[..]
                && let Some((_, words)) = difference(&[a], &[b], &Column::MacroF1)
            {
                ui.label(theme::muted(ui, format!("Macro-F1 {words}.")));
            }
        });
        let mut columns = RESULTS.to_vec();
        let all = Column::all();
        let differs = |column: &Column| {
            let first = column.value(runs[0]);
            runs.iter().any(|run| column.value(run) != first)
        };
        columns.extend(
            all.into_iter().filter(|column| matches!(column, Column::Parameter(_) | Column::DataDigest | Column::Split | Column::Version)),
        );
        ScrollArea::both().id_salt("values").auto_shrink(false).show(ui, |ui| {
            egui::Grid::new("side by side").striped(true).spacing([theme::SECTION_GAP, 4.0]).show(ui, |ui| {
                ui.label("");
                for (at, run) in runs.iter().enumerate() {
                    ui.horizontal(|ui| {
                        let palette = theme::palette(ui.visuals());
                        theme::mark(ui, theme::look(&palette, at));
                        ui.strong(run.name());
                    });
                }
                ui.end_row();
                for column in &columns {
                    let (result, differs) = (RESULTS.contains(column), runs.len() > 1 && differs(column));
                    if result || differs || self.all || runs.len() == 1 {
                        line(ui, column, &runs, differs && !result);
                    }
                }
            });
        });
    }
}

fn line(ui: &mut Ui, column: &Column, runs: &[&RunFacts], marked: bool) {
    let palette = theme::palette(ui.visuals());
    let colour = if marked { palette.warn } else { palette.muted };
    ui.label(RichText::new(if marked { format!("≠ {}", column.title()) } else { column.title().to_owned() }).color(colour));
    for run in runs {
        let text = match column.value(run) {
            Value::Missing => "–".to_owned(),
            _ => column.text(run),
        };
        ui.label(RichText::new(text).color(if marked { palette.text } else { palette.muted }));
    }
    ui.end_row();
}
