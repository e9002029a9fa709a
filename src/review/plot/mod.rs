//! Plots of a run as SVG, for papers and for the report: dark on white, whatever the window looks like.

mod axes;
pub mod colour;
mod histogram;
mod matrix;
mod set;
mod svg;
mod sweep;

use crate::metrics::{ClassCurves, Reliability};
use crate::train::EpochReport;

use super::Analysis;
use axes::{Axes, colour, legend, legend_size};
pub use histogram::{Histogram, histogram};
pub use matrix::{Matrix, Scale, matrix};
pub use set::{Kind, Mark, balance, scatter};
pub use svg::escape;
use svg::{Anchor, FAINT, INK, Svg};
pub use sweep::{SweepPlot, sweep};

/// Width and height of the area of an ordinary plot, pixels.
const AREA: (f64, f64) = (420.0, 320.0);
/// Room at the left and above.
const CORNER: (f64, f64) = (64.0, 40.0);

/// Confidence against accuracy: bars with the gap to the diagonal, and how many images stand in each bin.
#[must_use]
pub fn reliability(analysis: &Analysis) -> String {
    let (w, h) = AREA;
    let mut svg = Svg::new(2.0 * (w + 76.0), h + 100.0);
    let parts = [
        ("As trained", &analysis.reliability, CORNER.0),
        (&*format!("Temperature {:.2}", analysis.temperature), &analysis.calibrated, CORNER.0 + w + 80.0),
    ];
    for (title, reliability, left) in parts {
        let title = format!("{title}: calibration error {:.3}", reliability.expected_error);
        let area = (left, CORNER.1, w - 20.0, h);
        let axes = Axes { title: &title, labels: ("confidence", "accuracy"), x: (0.0, 1.0), y: (0.0, 1.0), area };
        reliability_bars(&mut svg, &axes, reliability);
    }
    svg.finish(&format!(
        "Reliability diagram: expected calibration error {:.3}, with temperature {:.2} it is {:.3}",
        analysis.reliability.expected_error, analysis.temperature, analysis.calibrated.expected_error
    ))
}

fn reliability_bars(svg: &mut Svg, axes: &Axes<'_>, reliability: &Reliability) {
    axes.draw(svg);
    for bin in reliability.bins.iter().filter(|bin| bin.images > 0) {
        let (left, bottom) = axes.at(bin.low, 0.0);
        let (right, top) = axes.at(bin.high, bin.accuracy);
        svg.rect((left + 1.0, top), (right - left - 2.0, bottom - top), [0x8f, 0xb8, 0xde]);
        let (_, confidence) = axes.at(0.0, bin.confidence);
        svg.line((left + 1.0, confidence), (right - 1.0, confidence), [0xd5, 0x5e, 0x00], 2.0);
        svg.turned((f64::midpoint(left, right) + 3.0, bottom - 4.0), -90.0, 9.0, Anchor::Start, INK, &bin.images.to_string());
    }
    svg.polyline(&[axes.at(0.0, 0.0), axes.at(1.0, 1.0)], INK, 1.0, "4 4");
}

/// Precision against recall of each class.
#[must_use]
pub fn precision_recall(analysis: &Analysis, names: &[String]) -> String {
    let legends: Vec<String> =
        names.iter().zip(&analysis.curves).map(|(name, c)| format!("{name} (AP {:.3})", c.average_precision)).collect();
    let lines = analysis.curves.iter().map(ClassCurves::steps).collect();
    class_plot("Precision and recall", ("completeness (recall)", "purity (precision)"), &legends, lines, false)
}

/// The true against the false positive rate of each class.
#[must_use]
pub fn roc(analysis: &Analysis, names: &[String]) -> String {
    let area = |area: Option<f64>| area.map_or("no images".into(), |area| format!("AUC {area:.3}"));
    let legends: Vec<String> = names.iter().zip(&analysis.curves).map(|(name, c)| format!("{name} ({})", area(c.area))).collect();
    let points = |x: &[f64], y: &[f64]| x.iter().copied().zip(y.iter().copied()).collect();
    let lines = analysis.curves.iter().map(|c| points(&c.false_positive_rate, &c.recall)).collect();
    class_plot("Receiver operating characteristic", ("false positive rate", "true positive rate"), &legends, lines, true)
}

fn class_plot(title: &str, labels: (&str, &str), legends: &[String], lines: Vec<Vec<(f64, f64)>>, chance: bool) -> String {
    let (w, h) = (AREA.0.max(380.0), AREA.1.max(17.0 * legends.len() as f64));
    let (legend_width, _) = legend_size(legends);
    let mut svg = Svg::new(CORNER.0 + w + legend_width + 40.0, h + 100.0);
    let axes = Axes { title, labels, x: (0.0, 1.0), y: (0.0, 1.0), area: (CORNER.0, CORNER.1, w, h) };
    axes.draw(&mut svg);
    if chance {
        svg.polyline(&[axes.at(0.0, 0.0), axes.at(1.0, 1.0)], FAINT, 1.5, "4 4");
    }
    for (line, points) in lines.into_iter().enumerate() {
        axes.curve(&mut svg, points, line);
    }
    legend(&mut svg, (CORNER.0 + w + 20.0, CORNER.1 + 8.0), legends);
    svg.finish(&format!("{title}: {}", legends.join(", ")))
}

/// A number of an epoch.
type Value = fn(&EpochReport) -> f64;

/// Loss and accuracy over the epochs, training and validation, and the learning rate; `None` without epochs.
#[must_use]
pub fn training(epochs: &[EpochReport]) -> Option<String> {
    let (first, last) = (epochs.first()?, epochs.last()?);
    let (w, h) = (300.0, 260.0);
    let mut svg = Svg::new(3.0 * (w + 88.0), h + 124.0);
    let x = (first.epoch as f64, (last.epoch as f64).max(first.epoch as f64 + 1.0));
    let plots: [(&str, &[Value]); 3] = [
        ("Loss", &[|e| e.train_loss, |e| e.valid_loss]),
        ("Accuracy", &[|e| e.train_accuracy, |e| e.valid_accuracy]),
        ("Learning rate", &[|e| e.learning_rate]),
    ];
    for (i, (title, values)) in plots.into_iter().enumerate() {
        let all = || epochs.iter().flat_map(|e| values.iter().map(move |value| value(e))).filter(|v| v.is_finite());
        let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = if low < high { (low, high) } else { (low.min(0.0), low.max(1.0)) };
        let room = 0.05 * (high - low);
        let area = (CORNER.0 + i as f64 * (w + 84.0), CORNER.1, w, h);
        let axes = Axes { title, labels: ("epoch", ""), x, y: (low - room, high + room), area };
        axes.draw(&mut svg);
        for (line, value) in values.iter().enumerate() {
            axes.curve(&mut svg, epochs.iter().map(|e| (e.epoch as f64, value(e))).filter(|p| p.1.is_finite()), line);
        }
        if let (Some(best), Some(valid)) = (epochs.iter().rev().find(|e| e.best), values.get(1)) {
            svg.dot(axes.at(best.epoch as f64, valid(best)), 4.0, colour(1));
        }
    }
    let names = ["training", "validation (the dot is the best epoch)"].map(str::to_owned);
    legend(&mut svg, (CORNER.0, CORNER.1 + h + 54.0), &names);
    Some(svg.finish("Loss, accuracy and learning rate over the epochs"))
}
