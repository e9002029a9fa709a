//! Whether probabilities mean what they say, and the temperature that mends most of it.

use egui::{ScrollArea, Ui, vec2};

use super::export::{self, Offer};
use super::shown::Shown;
use crate::app::action::Action;
use crate::app::reviewed::Change;
use crate::app::theme;
use crate::app::widget::unit_plot::{self, Bar, UnitPlot};
use crate::data::Part;
use crate::metrics::Reliability;
use crate::review::{plot, table};

/// Shows the page.
pub(super) fn show(ui: &mut Ui, shown: &Shown<'_>, actions: &mut Vec<Action>) {
    let ready = shown.analysis(actions);
    if shown.waits(ui, ready.as_ref()) {
        return;
    }
    let Some(Ok(analysis)) = ready else { return };
    ScrollArea::vertical().id_salt("calibration").auto_shrink(false).show(ui, |ui| {
        let (before, after, temperature) = (&analysis.reliability, &analysis.calibrated, analysis.temperature);
        let verdict = if temperature > 1.02 {
            "the network is too sure of itself"
        } else if temperature < 0.98 {
            "the network is not sure enough of itself"
        } else {
            "its probabilities mean what they say"
        };
        ui.label(format!("The temperature that fits best is {temperature:.2}: {verdict}."));
        ui.horizontal_wrapped(|ui| {
            store(ui, shown, actions);
        });
        ui.add_space(theme::GAP);
        let width = ui.available_width();
        let beside = width >= 520.0;
        let side = if beside { (width - theme::GAP) / 2.0 } else { width };
        let height = if beside { (ui.available_height() - 90.0).clamp(190.0, 380.0) } else { 230.0 };
        let title = format!("Temperature {temperature:.2}");
        let both = [("As trained", before), (title.as_str(), after)];
        let diagram = |ui: &mut Ui, (title, reliability): (&str, &Reliability)| diagram(ui, title, reliability, vec2(side, height));
        if beside {
            ui.horizontal(|ui| {
                for one in both {
                    diagram(ui, one);
                }
            });
        } else {
            for one in both {
                diagram(ui, one);
            }
        }
        numbers(ui, before, after);
    });
}

/// The button that keeps the temperature with the model, or why it is not for this.
fn store(ui: &mut Ui, shown: &Shown<'_>, actions: &mut Vec<Action>) {
    let best = shown.session().best_epoch().map(|best| best.epoch);
    let fits = best == Some(shown.key.epoch) && shown.key.part == Part::Valid;
    let button = ui.add_enabled(fits && shown.record.is_some(), egui::Button::new("Store temperature with the model"));
    let why = match best {
        Some(best) => format!("The model is that of epoch {best}; choose that epoch of the validation images"),
        None => "The run has no best epoch yet".into(),
    };
    if button.on_disabled_hover_text(why).on_hover_text("Writes calibration.json beside the model; Classify and predict use it").clicked() {
        actions.push(Action::Review(Change::StoreTemperature(shown.key)));
    }
    if let Some(best) = best.filter(|_| !fits) {
        ui.label(theme::muted(ui, format!("for epoch {best}, the best one")));
    }
    if let Some(stored) = shown.state.review.calibration(shown.key.run) {
        ui.label(theme::muted(ui, format!("stored: {:.2}, fitted on epoch {}", stored.temperature, stored.epoch)));
    }
}

fn diagram(ui: &mut Ui, title: &str, reliability: &Reliability, size: egui::Vec2) {
    let bars: Vec<Bar> = reliability
        .bins
        .iter()
        .filter(|bin| bin.images > 0)
        .map(|bin| Bar {
            x: (bin.low, bin.high),
            height: bin.accuracy,
            line: bin.confidence,
            words: format!("{} images, mean confidence {:.3}, {:.3} of them right", bin.images, bin.confidence, bin.accuracy),
        })
        .collect();
    let title = format!("{title}: calibration error {:.3}", reliability.expected_error);
    let summary = format!("Reliability diagram, {title}");
    let plot = UnitPlot {
        title: &title,
        labels: ("confidence", "share that is right"),
        bars: &bars,
        lines: &[],
        diagonal: true,
        summary: &summary,
        size,
    };
    unit_plot::show(ui, &plot);
}

fn numbers(ui: &mut Ui, before: &Reliability, after: &Reliability) {
    egui::Grid::new("calibration numbers").num_columns(3).spacing([20.0, 3.0]).show(ui, |ui| {
        for title in ["", "as trained", "calibrated"] {
            ui.label(theme::muted(ui, title));
        }
        ui.end_row();
        let rows = [
            ("Expected calibration error", before.expected_error, after.expected_error),
            ("Largest error of a bar", before.largest_error, after.largest_error),
            ("Negative log likelihood", before.negative_log_likelihood, after.negative_log_likelihood),
            ("Brier score", before.brier, after.brier),
        ];
        for (name, before, after) in rows {
            ui.label(name);
            ui.label(format!("{before:.4}"));
            ui.label(format!("{after:.4}"));
            ui.end_row();
        }
    });
}

/// What this page can write.
pub(super) fn exports(shown: &Shown<'_>) -> Vec<Offer> {
    let Some(Ok(analysis)) = shown.state.review.analyses.get(shown.key) else { return Vec::new() };
    let again = std::sync::Arc::clone(&analysis);
    let mut offers: Vec<Offer> = export::plot("Reliability", "reliability", move || plot::reliability(&again)).into();
    offers.push(export::table("Reliability", "reliability", move || table::reliability(&analysis)));
    offers
}
