//! Two runs or two epochs: the difference of their matrices, what was fixed and broken, and whether that is more than chance.

use egui::{Color32, ComboBox, Slider, Ui, vec2};

use super::export::{self, Offer};
use super::galaxies::{Galaxies, Which};
use super::matrix::title;
use super::shown::{Shown, run_name};
use crate::app::action::Action;
use crate::app::reviewed::{Key, SESSION, Wanted};
use crate::app::state::State;
use crate::app::theme;
use crate::app::thumbnails::Thumbnails;
use crate::app::widget;
use crate::app::widget::heat_map::{self, HeatMap};
use crate::data::Part;
use crate::metrics::{Comparison, Predictions};
use crate::review::plot::{self, Matrix, Scale};
use crate::review::table;

/// Which galaxies are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum List {
    #[default]
    Fixed,
    Broken,
    BothWrong,
    /// What came into the chosen cell or left it.
    Cell,
}

/// The page's own state.
#[derive(Clone, Default)]
pub(super) struct CompareTab {
    /// The run to compare with; `None` is the same run.
    run: Option<u64>,
    /// Its epoch; `None` is the best one of another run, the first one of the same run.
    epoch: Option<usize>,
    list: List,
    /// The cell that the keys move: true class, predicted class.
    cell: (usize, usize),
}

impl CompareTab {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, shown: &Shown<'_>, galaxies: &mut Galaxies, thumbnails: &Thumbnails, actions: &mut Vec<Action>) {
        let Some(first) = self.choice(ui, shown) else { return };
        let pair = (first, shown.key);
        if first == shown.key {
            ui.label(theme::muted(ui, "Choose another epoch, or open another run above, to compare with."));
            return;
        }
        let predictions = shown.predictions(actions);
        let ready = shown.state.review.comparisons.get(pair);
        let kept = || shown.state.review.record(first.run).is_some_and(|record| record.kept.of(first.part).contains(&first.epoch));
        let available = first.part == Part::Valid || shown.state.review.predictions.get(first).is_some() || kept();
        if !available {
            let (name, part) = (run_name(shown.state, first.run), first.part.title());
            ui.label(theme::muted(ui, format!("Show {name} and evaluate it on the {part} images first; then both can be compared.")));
            return;
        }
        shown.ask(shown.state.review.comparisons.lacks(pair), Wanted::Comparison(pair.0, pair.1), actions);
        if shown.waits(ui, ready.as_ref()) || shown.waits(ui, predictions.as_ref()) {
            return;
        }
        let (Some(Ok(comparison)), Some(Ok(predictions))) = (ready, predictions) else { return };
        let names = [first, shown.key].map(|key| key_name(shown.state, key, first.run != shown.key.run));
        ui.label(comparison.test.sentence(&names[0], &names[1]));
        self.lists(ui, &comparison);
        let size = ui.available_size();
        let beside = size.x >= 620.0;
        let matrix = if beside { vec2(size.x * 0.5, size.y) } else { vec2(size.x, (size.y * 0.5).max(160.0)) };
        let layout = if beside { egui::Layout::left_to_right(egui::Align::Min) } else { egui::Layout::top_down(egui::Align::Min) };
        ui.with_layout(layout, |ui| {
            ui.allocate_ui(matrix, |ui| {
                ui.set_min_size(matrix);
                self.difference(ui, &comparison, &shown.names, galaxies);
            });
            ui.vertical(|ui| {
                self.list(pair, &comparison, &predictions, shown, galaxies);
                ui.push_id("compare", |ui| galaxies.show(ui, shown, &predictions, thumbnails, actions));
            });
        });
    }

    /// Puts the galaxies of the chosen list together.
    fn list(&self, (first, second): (Key, Key), found: &Comparison, predictions: &Predictions, shown: &Shown<'_>, galaxies: &mut Galaxies) {
        let was = |place: usize| format!("was {}", shown.names[found.before[place] as usize]);
        let rows = |list: &[usize]| list.iter().map(|&place| (place, was(place))).collect();
        let images = shown.images();
        match self.list {
            List::Fixed => galaxies.set(Which::Fixed(first, second), "Fixed", images, || rows(&found.fixed)),
            List::Broken => galaxies.set(Which::Broken(first, second), "Broken", images, || rows(&found.broken)),
            List::BothWrong => galaxies.set(Which::BothWrong(first, second), "Wrong in both", images, || rows(&found.both_wrong)),
            List::Cell => {
                let last = shown.names.len() - 1;
                let (truth, predicted) = (self.cell.0.min(last), self.cell.1.min(last));
                let (came, left) = found.moved(predictions, truth, predicted);
                let title = format!("{}: {} came, {} left", title(&shown.names, truth, predicted), came.len(), left.len());
                galaxies.set(Which::Moved(first, second, truth, predicted), &title, images, || rows(&[came, left].concat()));
            }
        }
    }

    fn lists(&mut self, ui: &mut Ui, comparison: &Comparison) {
        ui.horizontal_wrapped(|ui| {
            let lists = [
                (List::Fixed, "Fixed", comparison.fixed.len(), "Wrong before, right now"),
                (List::Broken, "Broken", comparison.broken.len(), "Right before, wrong now"),
                (List::BothWrong, "Wrong in both", comparison.both_wrong.len(), "Neither has them right"),
            ];
            for (list, name, count, about) in lists {
                ui.selectable_value(&mut self.list, list, format!("{name}: {count}")).on_hover_text(about);
            }
        });
    }

    /// What to compare with: run and epoch.
    fn choice(&mut self, ui: &mut Ui, shown: &Shown<'_>) -> Option<Key> {
        let state = shown.state;
        let run = self.run.filter(|run| *run == SESSION || state.review.record(*run).is_some()).unwrap_or(shown.key.run);
        let mut chosen = run;
        let mut key = None;
        ui.horizontal_wrapped(|ui| {
            ui.label(theme::muted(ui, "Against"));
            let session = state.run.iter().map(|_| SESSION);
            let runs: Vec<u64> = session.chain(state.review.opened.iter().map(|opened| opened.id)).collect();
            let combo = ComboBox::from_id_salt("other run").width(150.0).truncate().selected_text(run_name(state, run));
            let response = combo.show_ui(ui, |ui| {
                for id in runs {
                    ui.selectable_value(&mut chosen, id, run_name(state, id));
                }
            });
            widget::name(ui, &response.response, egui::Role::ComboBox, "Run to compare with");
            if chosen != run {
                (self.run, self.epoch) = (Some(chosen), None);
            }
            let Some(other) = Shown::new(state, chosen, shown.key.part, None) else {
                ui.label(theme::muted(ui, "This run has no epoch yet."));
                return;
            };
            let epochs = offered(&other);
            let last = epochs.len() - 1;
            let best = other.session().best_epoch().map_or(epochs[last], |best| best.epoch);
            let default = if chosen == shown.key.run { epochs[0] } else { best };
            let epoch = self.epoch.filter(|epoch| epochs.contains(epoch)).unwrap_or(default);
            let mut place = epochs.iter().position(|&e| e == epoch).unwrap_or(last);
            let label = ui.label(theme::muted(ui, "at epoch"));
            ui.spacing_mut().slider_width = 110.0;
            let slider = Slider::new(&mut place, 0..=last).custom_formatter(|at, _| epochs[(at as usize).min(last)].to_string());
            let response = ui.add_enabled(last > 0, slider).labelled_by(label.id);
            widget::name(ui, &response, egui::Role::Slider, "Epoch to compare with");
            if response.changed() {
                self.epoch = Some(epochs[place]);
            }
            key = Some(Key { epoch: epochs[place], ..other.key });
        });
        key
    }

    /// The difference of the matrices; a cell shows what came into it and what left it.
    fn difference(&mut self, ui: &mut Ui, comparison: &Comparison, names: &[String], galaxies: &mut Galaxies) {
        let values: Vec<f64> = comparison.difference.iter().map(|&d| d as f64).collect();
        let largest = values.iter().fold(1.0, |most: f64, v| most.max(v.abs()));
        let colour = |value: f64| {
            let [r, g, b] = Scale::Diverging.colour(value, largest);
            Color32::from_rgb(r, g, b)
        };
        let explain = |row: usize, column: usize| {
            let more = comparison.difference[row * names.len() + column];
            let verb = if row == column { "rightly called" } else { "called" };
            format!("{more:+} {} {verb} {}", names[row], names[column])
        };
        let map = HeatMap {
            names,
            values: &values,
            colour: &colour,
            at: &|share| (2.0 * share - 1.0) * largest,
            format: &|v| if v == 0.0 { "0".into() } else { format!("{v:+.0}") },
            row_title: "true class",
            column_title: "predicted class (cells: more or fewer images than before)",
            explain: &explain,
            summary: "Difference of the two confusion matrices",
            cursor: self.cell,
            opened: self.list == List::Cell,
        };
        let response = heat_map::show(ui, &map);
        self.cell = response.moved.or(response.opened).unwrap_or(self.cell);
        if response.opened.is_some() {
            self.list = List::Cell;
            galaxies.focus();
        }
    }

    /// What this page can write.
    pub fn exports(&self, shown: &Shown<'_>, galaxies: &Galaxies) -> Vec<Offer> {
        let run = self.run.unwrap_or(shown.key.run);
        let Some(other) = Shown::new(shown.state, run, shown.key.part, None) else { return Vec::new() };
        let best = other.session().best_epoch().map(|best| best.epoch);
        let default = if run == shown.key.run { offered(&other).first().copied() } else { best };
        let first = Key { epoch: self.epoch.or(default).unwrap_or(other.key.epoch), ..other.key };
        let Some(Ok(comparison)) = shown.state.review.comparisons.get((first, shown.key)) else { return Vec::new() };
        let names = shown.names.clone();
        let title = format!("{} minus {}", key_name(shown.state, shown.key, true), key_name(shown.state, first, true));
        let (again, table_names) = (comparison.clone(), names.clone());
        let other = || format!("{}_", export::file_name(&run_name(shown.state, first.run)));
        let from = if first.run == shown.key.run { String::new() } else { other() };
        let file = format!("difference_from_{from}epoch_{:04}", first.epoch);
        let draw = move || {
            let values: Vec<f64> = again.difference.iter().map(|&d| d as f64).collect();
            let signed = |v: f64| format!("{v:+.0}");
            plot::matrix(&Matrix { title: &title, names: &names, values: &values, format: &signed, scale: Scale::Diverging })
        };
        let mut offers: Vec<Offer> = export::plot("Difference", &file, draw).into();
        offers.push(export::table("Difference", &file, move || table::difference(&comparison.difference, &table_names)));
        offers.extend(galaxies.export(shown));
        offers
    }
}

/// The epochs that can be compared with, at least one.
fn offered(other: &Shown<'_>) -> Vec<usize> {
    match other.playable() {
        [] => vec![other.key.epoch],
        epochs => epochs.to_vec(),
    }
}

/// How one side of a comparison is called.
fn key_name(state: &State, key: Key, with_run: bool) -> String {
    if with_run { format!("{}, epoch {}", run_name(state, key.run), key.epoch) } else { format!("epoch {}", key.epoch) }
}
