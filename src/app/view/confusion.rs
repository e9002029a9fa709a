//! The Confusion panel: which class was called which on the validation images, at any epoch so far.

use egui::{Slider, Ui};
use serde::{Deserialize, Serialize};

use crate::app::state::State;
use crate::app::theme;
use crate::app::view::words;
use crate::app::widget::heat_map::{self, HeatMap};
use crate::metrics::Confusion;
use crate::train::EpochReport;

/// The panel's own state.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfusionView {
    /// Shares of each row instead of counts.
    normalised: bool,
    /// The place of the epoch in the list; `None` follows the latest.
    #[serde(skip)]
    chosen: Option<usize>,
    /// The run that `chosen` belongs to.
    #[serde(skip)]
    run: u64,
}

impl ConfusionView {
    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, state: &State) {
        let Some(run) = state.run.as_ref().filter(|run| !run.session.epochs.is_empty()) else {
            let training = state.is_training();
            let advice = if training {
                "The matrix comes with the first validation, at the end of this epoch."
            } else {
                "Press Start on the Train panel: after each epoch you see here which class was taken for which."
            };
            theme::empty(ui, "No confusion matrix yet", advice);
            return;
        };
        if self.run != run.generation {
            (self.run, self.chosen) = (run.generation, None);
        }
        let epochs = &run.session.epochs;
        self.controls(ui, epochs);
        let shown = &epochs[self.chosen.unwrap_or(epochs.len() - 1).min(epochs.len() - 1)];
        ui.label(format!(
            "Epoch {}: accuracy {:.1} %, macro-F1 {:.3} on {} validation images",
            shown.epoch,
            100.0 * shown.valid_accuracy,
            shown.valid_macro_f1,
            words::thousands(shown.confusion.counts().iter().sum::<u64>() as usize),
        ));
        let names: Vec<String> = match &run.session.started {
            Some(started) if started.classes.len() == shown.confusion.classes() => started.classes.clone(),
            _ => (0..shown.confusion.classes()).map(|i| format!("class {i}")).collect(),
        };
        self.matrix(ui, shown, &names);
    }

    fn controls(&mut self, ui: &mut Ui, epochs: &[EpochReport]) {
        ui.horizontal(|ui| {
            ui.selectable_value(&mut self.normalised, false, "Counts");
            ui.selectable_value(&mut self.normalised, true, "Share of row")
                .on_hover_text("Each row adds up to 100 %: the recall stands on the diagonal");
            ui.add_space(theme::SECTION_GAP);
            let last = epochs.len() - 1;
            let mut place = self.chosen.unwrap_or(last).min(last);
            let label = ui.label(theme::muted(ui, "Epoch"));
            ui.spacing_mut().slider_width = (ui.available_width() - 120.0).clamp(60.0, 160.0);
            let slider = Slider::new(&mut place, 0..=last)
                .custom_formatter(|at, _| epochs[(at as usize).min(last)].epoch.to_string())
                .custom_parser(|text| {
                    let epoch: usize = text.trim().parse().ok()?;
                    epochs.iter().position(|e| e.epoch == epoch).map(|at| at as f64)
                });
            let response = ui.add_enabled(last > 0, slider).labelled_by(label.id);
            if response.changed() {
                self.chosen = (place < last).then_some(place);
            }
            response.on_hover_text("Any epoch so far; all the way to the right follows the latest");
            if self.chosen.is_some() && ui.button("Latest").clicked() {
                self.chosen = None;
            }
        });
    }

    fn matrix(&self, ui: &mut Ui, shown: &EpochReport, names: &[String]) {
        let confusion = &shown.confusion;
        let values = values(confusion, self.normalised);
        let largest = if self.normalised { 1.0 } else { values.iter().copied().fold(1.0, f64::max) };
        let percent = |v: f64| format!("{:.0}", 100.0 * v);
        let count = |v: f64| format!("{v:.0}");
        let map = HeatMap {
            names,
            values: &values,
            largest,
            format: if self.normalised { &percent } else { &count },
            row_title: "true class",
            column_title: if self.normalised { "predicted class (cells: % of the row)" } else { "predicted class" },
            explain: &|row, column| explain(confusion, names, row, column),
            summary: &summary(shown, names),
        };
        heat_map::show(ui, &map);
    }
}

/// The cells: counts, or shares of their row (0 in an empty row).
fn values(confusion: &Confusion, normalised: bool) -> Vec<f64> {
    let side = confusion.classes().max(1);
    let row = |row: &[u64]| {
        let sum = if normalised { row.iter().sum::<u64>().max(1) as f64 } else { 1.0 };
        row.iter().map(|&n| n as f64 / sum).collect::<Vec<_>>()
    };
    confusion.counts().chunks(side).flat_map(row).collect()
}

fn explain(confusion: &Confusion, names: &[String], row: usize, column: usize) -> String {
    let n = confusion.count(row, column);
    let all: u64 = (0..confusion.classes()).map(|c| confusion.count(row, c)).sum();
    let share = if all == 0 { 0.0 } else { 100.0 * n as f64 / all as f64 };
    let verb = if row == column { "rightly called" } else { "called" };
    format!("{n} of {all} {} were {verb} {} ({share:.0} %)", names[row], names[column])
}

/// The matrix in a sentence.
fn summary(shown: &EpochReport, names: &[String]) -> String {
    let confusion = &shown.confusion;
    let cells = (0..confusion.classes()).flat_map(|r| (0..confusion.classes()).map(move |c| (r, c))).filter(|(r, c)| r != c);
    let worst = cells.max_by_key(|&(r, c)| (confusion.count(r, c), std::cmp::Reverse((r, c))));
    let confused = worst.filter(|&(r, c)| confusion.count(r, c) > 0).map(|(r, c)| explain(confusion, names, r, c));
    let confused = confused.map(|words| format!("; most often confused: {words}")).unwrap_or_default();
    format!("Confusion matrix of epoch {}{confused}", shown.epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_normalised_and_an_empty_row_stays_nought() {
        let mut confusion = Confusion::new(3);
        for (truth, predicted) in [(0, 0), (0, 0), (0, 1), (0, 2), (1, 1)] {
            confusion.add(truth, predicted);
        }
        assert_eq!(values(&confusion, false), [2.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(values(&confusion, true), [0.5, 0.25, 0.25, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        let names = ["A", "B", "C"].map(str::to_owned);
        assert_eq!(explain(&confusion, &names, 0, 1), "1 of 4 A were called B (25 %)");
        assert_eq!(explain(&confusion, &names, 2, 2), "0 of 0 C were rightly called C (0 %)");
    }
}
