//! The matrix itself, and the galaxies of a cell beside or below it.

use egui::{Ui, vec2};
use serde::{Deserialize, Serialize};

use super::export::{self, Offer};
use super::galaxies::{Galaxies, Which};
use super::shown::Shown;
use crate::app::action::Action;
use crate::app::page::Press;
use crate::app::theme;
use crate::app::thumbnails::Thumbnails;
use crate::app::widget::heat_map::{self, HeatMap};
use crate::metrics::Confusion;
use crate::review::plot::{self, Matrix, Scale};
use crate::review::table;

/// What a cell counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Measure {
    /// Images.
    #[default]
    Counts,
    /// Shares of the true class: rows add up to 1, recall stands on the diagonal.
    ByRow,
    /// Shares of what was called so: columns add up to 1, precision stands on the diagonal.
    ByColumn,
}

/// The page's own state.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct MatrixView {
    measure: Measure,
    logarithmic: bool,
    clustered: bool,
    /// The cell that the keys move: true class, predicted class.
    #[serde(skip)]
    cell: (usize, usize),
    /// Whether its galaxies are shown.
    #[serde(skip)]
    opened: bool,
}

/// Narrower than this, pixels, the galaxies stand below the matrix.
const BESIDE: f32 = 620.0;
/// And in less height than this, pixels, they stand instead of it.
const BELOW: f32 = 430.0;

impl MatrixView {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, shown: &Shown<'_>, galaxies: &mut Galaxies, thumbnails: &Thumbnails, actions: &mut Vec<Action>) {
        // from here on a click shows its galaxies at once
        let predictions = shown.predictions(actions);
        let Some(confusion) = shown.confusion() else {
            shown.waits(ui, predictions.as_ref());
            return;
        };
        let alone = ui.available_width() < BESIDE && ui.available_height() < BELOW;
        self.controls(ui, alone);
        let size = ui.available_size();
        if !self.opened {
            self.matrix(ui, shown, &confusion, galaxies);
            return;
        }
        let beside = size.x >= BESIDE;
        let matrix = if beside { vec2(size.x * 0.54, size.y) } else { vec2(size.x, size.y * 0.56) };
        let layout = if beside { egui::Layout::left_to_right(egui::Align::Min) } else { egui::Layout::top_down(egui::Align::Min) };
        ui.with_layout(layout, |ui| {
            if !alone {
                ui.allocate_ui(matrix, |ui| {
                    ui.set_min_size(matrix);
                    self.matrix(ui, shown, &confusion, galaxies);
                });
            }
            ui.vertical(|ui| {
                let (truth, predicted) = self.cell;
                ui.push_id("cell", |ui| match &predictions {
                    Some(Ok(predictions)) if truth < confusion.classes() && predicted < confusion.classes() => {
                        let title = title(&shown.names, truth, predicted);
                        let rows = || predictions.cell(truth, predicted).into_iter().map(|place| (place, String::new())).collect();
                        galaxies.set(Which::Cell(shown.key, truth, predicted), &title, shown.images(), rows);
                        galaxies.show(ui, shown, predictions, thumbnails, actions);
                    }
                    other => {
                        shown.waits(ui, other.as_ref());
                    }
                });
            });
        });
    }

    /// Presses a button.
    pub fn press(&mut self, press: Press) {
        match press {
            Press::Counts => self.measure = Measure::Counts,
            Press::ByRow => self.measure = Measure::ByRow,
            Press::ByColumn => self.measure = Measure::ByColumn,
            Press::LogColour => self.logarithmic = !self.logarithmic,
            Press::Clustered => self.clustered = !self.clustered,
            Press::Play | Press::DrawAgain => {}
        }
    }

    /// `alone`: the galaxies stand instead of the matrix.
    fn controls(&mut self, ui: &mut Ui, alone: bool) {
        ui.horizontal_wrapped(|ui| {
            if self.opened && alone {
                if ui.button("Back to the matrix").clicked() {
                    self.opened = false;
                }
                return;
            }
            ui.selectable_value(&mut self.measure, Measure::Counts, "Counts");
            ui.selectable_value(&mut self.measure, Measure::ByRow, "By row")
                .on_hover_text("Percent of the true class: completeness stands on the diagonal");
            ui.selectable_value(&mut self.measure, Measure::ByColumn, "By column")
                .on_hover_text("Percent of what was called so: purity stands on the diagonal");
            ui.add_space(theme::GAP);
            ui.toggle_value(&mut self.logarithmic, "Log colour").on_hover_text("Colours by the logarithm, so that few images are seen too");
            ui.toggle_value(&mut self.clustered, "Clustered").on_hover_text("Classes that are confused with each other stand together");
            if self.opened && ui.button("Hide galaxies").clicked() {
                self.opened = false;
            }
        });
    }

    /// The places of the classes.
    fn order(&self, confusion: &Confusion) -> Vec<usize> {
        if self.clustered { confusion.clustered_order() } else { (0..confusion.classes()).collect() }
    }

    fn scale(&self) -> Scale {
        if self.logarithmic { Scale::Logarithmic } else { Scale::Linear }
    }

    fn matrix(&mut self, ui: &mut Ui, shown: &Shown<'_>, confusion: &Confusion, galaxies: &mut Galaxies) {
        let order = self.order(confusion);
        let names = ordered(&shown.names, &order);
        let values = values(confusion, self.measure, &order);
        let largest = if self.measure == Measure::Counts { values.iter().copied().fold(1.0, f64::max) } else { 1.0 };
        let scale = self.scale();
        let colour = |value: f64| theme::heat(scale.place(value, largest));
        let at = |share: f64| match scale {
            Scale::Logarithmic => {
                let unit = if largest <= 1.0 { 100.0 } else { 1.0 };
                (share * (unit * largest).ln_1p()).exp_m1() / unit
            }
            _ => share * largest,
        };
        let place = |class: usize| order.iter().position(|&c| c == class).unwrap_or(0);
        let percent = |v: f64| format!("{:.0}", 100.0 * v);
        let count = |v: f64| format!("{v:.0}");
        let map = HeatMap {
            names: &names,
            values: &values,
            colour: &colour,
            at: &at,
            format: if self.measure == Measure::Counts { &count } else { &percent },
            row_title: "true class",
            column_title: match self.measure {
                Measure::Counts => "predicted class",
                Measure::ByRow => "predicted class (cells: % of the row)",
                Measure::ByColumn => "predicted class (cells: % of the column)",
            },
            explain: &|row, column| explain(confusion, &shown.names, order[row], order[column]),
            summary: &summary(shown, confusion),
            cursor: (place(self.cell.0), place(self.cell.1)),
            opened: self.opened,
        };
        let response = heat_map::show(ui, &map);
        if let Some((row, column)) = response.moved.or(response.opened) {
            self.cell = (order[row], order[column]);
        }
        if response.opened.is_some() {
            self.opened = true;
            galaxies.focus();
        }
    }

    /// What this page can write.
    pub fn exports(&self, shown: &Shown<'_>, galaxies: &Galaxies) -> Vec<Offer> {
        let Some(confusion) = shown.confusion() else { return Vec::new() };
        let (names, measure, scale, order) = (shown.names.clone(), self.measure, self.scale(), self.order(&confusion));
        let (what, name) = match measure {
            Measure::Counts => ("images", "confusion"),
            Measure::ByRow => ("percent of the true class", "confusion_by_row"),
            Measure::ByColumn => ("percent of what was called so", "confusion_by_column"),
        };
        let title = format!("{}, epoch {}, {} images: {what}", shown.run_name(), shown.key.epoch, shown.key.part.title());
        let (all, table_names) = (confusion.clone(), shown.names.clone());
        let draw = move || {
            let values = values(&confusion, measure, &order);
            let count = |v: f64| format!("{v:.0}");
            let percent = |v: f64| format!("{:.0}", 100.0 * v);
            let format: &dyn Fn(f64) -> String = if measure == Measure::Counts { &count } else { &percent };
            plot::matrix(&Matrix { title: &title, names: &ordered(&names, &order), values: &values, format, scale })
        };
        let mut offers: Vec<Offer> = export::plot("Matrix", name, draw).into();
        offers.push(export::table("Matrix", "confusion", move || table::matrix(&all, &table_names)));
        if self.opened {
            offers.extend(galaxies.export(shown));
        }
        offers
    }
}

fn ordered(names: &[String], order: &[usize]) -> Vec<String> {
    order.iter().map(|&class| names[class].clone()).collect()
}

/// What the list of a cell is called.
pub(super) fn title(names: &[String], truth: usize, predicted: usize) -> String {
    if truth == predicted { format!("{} called so", names[truth]) } else { format!("{} called {}", names[truth], names[predicted]) }
}

/// The cells row by row in the order of the classes: counts, or shares of their row or column (0 where that is empty).
fn values(confusion: &Confusion, measure: Measure, order: &[usize]) -> Vec<f64> {
    let cells = order.iter().flat_map(|&truth| order.iter().map(move |&predicted| (truth, predicted)));
    let value = |(truth, predicted)| {
        let whole = match measure {
            Measure::Counts => 1,
            Measure::ByRow => confusion.support(truth).max(1),
            Measure::ByColumn => confusion.predicted(predicted).max(1),
        };
        confusion.count(truth, predicted) as f64 / whole as f64
    };
    cells.map(value).collect()
}

fn explain(confusion: &Confusion, names: &[String], row: usize, column: usize) -> String {
    let n = confusion.count(row, column);
    let all = confusion.support(row);
    let share = 100.0 * confusion.share_of_row(row, column);
    let verb = if row == column { "rightly called" } else { "called" };
    format!("{n} of {all} {} were {verb} {} ({share:.0} %)", names[row], names[column])
}

/// The matrix in a sentence.
fn summary(shown: &Shown<'_>, confusion: &Confusion) -> String {
    let names = &shown.names;
    let cells = (0..confusion.classes()).flat_map(|r| (0..confusion.classes()).map(move |c| (r, c))).filter(|(r, c)| r != c);
    let worst = cells.max_by_key(|&(r, c)| (confusion.count(r, c), std::cmp::Reverse((r, c))));
    let confused = worst.filter(|&(r, c)| confusion.count(r, c) > 0).map(|(r, c)| explain(confusion, names, r, c));
    let confused = confused.map(|words| format!("; most often confused: {words}")).unwrap_or_default();
    format!("Confusion matrix of epoch {}{confused}", shown.key.epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_are_normalised_and_empty_ones_stay_nought() {
        let mut confusion = Confusion::new(3);
        for (truth, predicted) in [(0, 0), (0, 0), (0, 1), (0, 2), (1, 1)] {
            confusion.add(truth, predicted);
        }
        let order = [0, 1, 2];
        assert_eq!(values(&confusion, Measure::Counts, &order), [2.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(values(&confusion, Measure::ByRow, &order), [0.5, 0.25, 0.25, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(values(&confusion, Measure::ByColumn, &order), [1.0, 0.5, 1.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(values(&confusion, Measure::Counts, &[1, 0, 2]), [1.0, 0.0, 0.0, 1.0, 2.0, 1.0, 0.0, 0.0, 0.0]);
        let names = ["A", "B", "C"].map(str::to_owned);
        assert_eq!(explain(&confusion, &names, 0, 1), "1 of 4 A were called B (25 %)");
        assert_eq!(explain(&confusion, &names, 2, 2), "0 of 0 C were rightly called C (0 %)");
    }
}
