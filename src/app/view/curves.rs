//! The Curves panel: loss, accuracy and learning rate over the epochs, live.

use std::path::Path;
use std::sync::Arc;

use egui::{Slider, Ui, vec2};
use egui_plot::PlotPoint;
use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::reviewed::Change;
use crate::app::state::State;
use crate::app::theme;
use crate::app::view::offer::{self, Offer};
use crate::app::widget::curve_plot::{self, Curve, CurvePlot};
use crate::review::{plot, table};
use crate::train::Session;

/// The panel's own state.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct CurvesView {
    /// How much of the past a smoothed point keeps, 0 (nothing) to 0.99.
    smoothing: f64,
    #[serde(skip)]
    cache: Lines,
}

impl Default for CurvesView {
    fn default() -> Self {
        Self { smoothing: 0.85, cache: Lines::default() }
    }
}

/// Narrower than this, points, the slider stands below the legend.
const WITH_SMOOTHING: f32 = 500.0;

/// The lines of a run, made again only when something changed.
#[derive(Clone, Default)]
struct Lines {
    key: Option<Key>,
    train_loss: Vec<PlotPoint>,
    train_loss_smooth: Vec<PlotPoint>,
    train_accuracy: Vec<PlotPoint>,
    train_accuracy_smooth: Vec<PlotPoint>,
    valid_loss: Vec<PlotPoint>,
    valid_accuracy: Vec<PlotPoint>,
    learning_rate: Vec<PlotPoint>,
}

/// The run whose curves are shown: the session's, or before there is one, the run that was opened last to look back on.
struct Source<'a> {
    session: &'a Session,
    folder: &'a Path,
    /// Whether it was opened, and its number.
    key: (bool, u64),
    /// Its name, if it was opened.
    name: Option<&'a str>,
}

impl<'a> Source<'a> {
    fn of(state: &'a State) -> Option<Self> {
        let told = |session: &Session| !session.steps.is_empty() || !session.epochs.is_empty();
        if let Some(run) = &state.run {
            let source = Self { session: &run.session, folder: &run.folder, key: (false, run.generation), name: None };
            return told(&run.session).then_some(source);
        }
        let opened = state.review.opened.iter().rev().find(|opened| told(&opened.record.session))?;
        let record = &opened.record;
        Some(Self { session: &record.session, folder: record.folder.path(), key: (true, opened.id), name: Some(&record.name) })
    }
}

#[derive(Clone, Copy, PartialEq)]
struct Key {
    run: (bool, u64),
    steps: usize,
    entries: usize,
    epochs: usize,
    smoothing: f64,
}

impl CurvesView {
    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(run) = Source::of(state) else {
            let advice = "Press Start on the Train panel: loss, accuracy and learning rate grow here. Or open a run in Confusion.";
            theme::empty(ui, "No curves yet", advice);
            return;
        };
        if let Some(name) = run.name {
            ui.label(theme::muted(ui, format!("The run {name}, opened to look back on")));
        }
        let beside = ui.available_width() >= WITH_SMOOTHING;
        ui.horizontal(|ui| {
            let palette = theme::palette(ui.visuals());
            for (name, colour) in [("training", palette.train), ("validation", palette.valid), ("best epoch", palette.good)] {
                theme::dot(ui, colour);
                ui.label(theme::muted(ui, name));
                ui.add_space(theme::GAP);
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                exports(ui, &run, actions);
                if beside {
                    self.smoothing(ui);
                }
            });
        });
        if !beside {
            // from right to left as above, in a line of its own
            ui.allocate_ui_with_layout(
                vec2(ui.available_width(), ui.spacing().interact_size.y),
                egui::Layout::right_to_left(egui::Align::Center),
                |ui| self.smoothing(ui),
            );
        }
        self.cache.update(&run, self.smoothing);
        self.plots(ui, &run);
    }

    fn smoothing(&mut self, ui: &mut Ui) {
        ui.spacing_mut().slider_width = 80.0;
        let slider = Slider::new(&mut self.smoothing, 0.0..=0.99).fixed_decimals(2);
        let response = ui.add(slider);
        let label = ui.label(theme::muted(ui, "Smoothing"));
        response.labelled_by(label.id).on_hover_text("How much of the past each point of the bright training line keeps");
    }

    fn plots(&self, ui: &mut Ui, run: &Source<'_>) {
        let palette = theme::palette(ui.visuals());
        let lines = &self.cache;
        let smooth = |curve| if self.smoothing > 0.0 { curve } else { &[][..] };
        let best = run.session.best_epoch().map(|e| e.epoch as f64);
        let last = run.session.epochs.last();
        let summary = |name: &str, value: Option<f64>| match value {
            Some(value) => format!("{name} over the epochs; validation now {value:.4}"),
            None => format!("{name} over the epochs"),
        };
        let space = ui.available_size();
        let (upper, lower) = (space.y * 0.56, space.y * 0.44 - theme::GAP);
        let train = |raw, smooth| Curve { name: "training", colour: palette.train, raw, smooth, dots: false };
        let valid = |raw| Curve { name: "validation", colour: palette.valid, raw, smooth: &[], dots: true };
        let common = CurvePlot { title: "Loss", curves: &[], best, format: &|v| number(v), summary: "", size: vec2(space.x, upper) };
        curve_plot::show(
            ui,
            &CurvePlot {
                curves: &[train(&lines.train_loss, smooth(&lines.train_loss_smooth)), valid(&lines.valid_loss)],
                summary: &summary("Loss", last.map(|e| e.valid_loss)),
                ..common
            },
        );
        ui.horizontal(|ui| {
            let size = vec2((space.x - theme::GAP) / 2.0, lower);
            curve_plot::show(
                ui,
                &CurvePlot {
                    title: "Accuracy",
                    curves: &[train(&lines.train_accuracy, smooth(&lines.train_accuracy_smooth)), valid(&lines.valid_accuracy)],
                    format: &|v| format!("{:.0} %", 100.0 * v),
                    summary: &summary("Accuracy", last.map(|e| e.valid_accuracy)),
                    size,
                    ..common
                },
            );
            let rate = Curve { name: "learning rate", colour: palette.muted, raw: &lines.learning_rate, smooth: &[], dots: false };
            let words = "Learning rate over the epochs";
            curve_plot::show(ui, &CurvePlot { title: "Learning rate", curves: &[rate], summary: words, size, ..common });
        });
    }
}

/// Offers the curves and the numbers of the epochs that are done.
fn exports(ui: &mut Ui, run: &Source<'_>, actions: &mut Vec<Action>) {
    let folder = run.folder.join("exports");
    let offers = || {
        let epochs = Arc::new(run.session.epochs.clone());
        let drawn = Arc::clone(&epochs);
        let mut offers: Vec<Offer> = offer::plot("Curves", "curves", move || plot::training(&drawn).unwrap_or_default()).into();
        offers.push(offer::table("Epochs", "epochs", move || table::epochs(&epochs)));
        offers
    };
    let into = format!("Into {}", folder.display());
    let write = |offer: Offer| Action::Review(Change::Save(folder.join(&offer.name), offer.make));
    ui.add_enabled_ui(!run.session.epochs.is_empty(), |ui| offer::menu(ui, &into, offers, write, actions))
        .response
        .on_disabled_hover_text("The first epoch is not done yet.");
}

/// A number in few signs: 0.25, 3e-4.
fn number(v: f64) -> String {
    if v == 0.0 {
        "0".into()
    } else if v.abs() < 1e-2 || v.abs() >= 1e4 {
        format!("{v:.1e}").replace(".0e", "e")
    } else {
        let text = format!("{v:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

impl Lines {
    fn update(&mut self, run: &Source<'_>, smoothing: f64) {
        let session = &run.session;
        let key = Key { run: run.key, steps: session.steps_done(), entries: session.steps.len(), epochs: session.epochs.len(), smoothing };
        if self.key == Some(key) {
            return;
        }
        let per_epoch = session.started.as_ref().map_or(1, |s| s.steps_per_epoch).max(1) as f64;
        let steps = |value: fn(&crate::train::Steps) -> f64| -> Vec<PlotPoint> {
            session.steps.iter().map(|s| PlotPoint::new(s.step as f64 / per_epoch, value(s))).collect()
        };
        let epochs = |value: fn(&crate::train::EpochReport) -> f64| -> Vec<PlotPoint> {
            session.epochs.iter().map(|e| PlotPoint::new(e.epoch as f64, value(e))).collect()
        };
        *self = Self {
            key: Some(key),
            train_loss: steps(|s| s.loss),
            train_accuracy: steps(|s| s.accuracy),
            learning_rate: steps(|s| s.learning_rate),
            valid_loss: epochs(|e| e.valid_loss),
            valid_accuracy: epochs(|e| e.valid_accuracy),
            ..Self::default()
        };
        self.train_loss_smooth = smoothed(&self.train_loss, smoothing);
        self.train_accuracy_smooth = smoothed(&self.train_accuracy, smoothing);
    }
}

/// The exponential moving average without the pull towards zero at its start (as Adam's moments, arXiv 1412.6980).
pub(super) fn smoothed(points: &[PlotPoint], keep: f64) -> Vec<PlotPoint> {
    let (mut mean, mut weight) = (0.0, 0.0);
    let step = |p: &PlotPoint| {
        if p.y.is_finite() {
            mean = keep * mean + (1.0 - keep) * p.y;
            weight = keep * weight + (1.0 - keep);
        }
        PlotPoint::new(p.x, if weight > 0.0 { mean / weight } else { p.y })
    };
    points.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_a_constant_and_leaves_out_what_is_not_finite() {
        let points: Vec<_> = [2.0, 2.0, f64::NAN, 2.0].iter().enumerate().map(|(i, &y)| PlotPoint::new(i as f64, y)).collect();
        assert!(smoothed(&points, 0.9).iter().all(|p| (p.y - 2.0).abs() < 1e-12));
        let steps: Vec<_> = [0.0, 1.0].iter().map(|&y| PlotPoint::new(y, y)).collect();
        // weights 0.45 and 0.5 after the second point
        assert!((smoothed(&steps, 0.9)[1].y - 0.1 / 0.19).abs() < 1e-12);
        assert!((smoothed(&steps, 0.0)[1].y - 1.0).abs() < 1e-12);
    }

    #[test]
    fn axis_numbers_are_short() {
        assert_eq!([0.0, 0.25, 3e-4, 1.0, 0.125].map(number), ["0", "0.25", "3e-4", "1", "0.125"]);
    }
}
