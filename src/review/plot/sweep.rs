//! The probabilities of each class while a picture is changed.

use super::axes::{Axes, legend, legend_size};
use super::svg::{INK, Svg};
use super::{AREA, CORNER};

/// A model's answers along a change of a picture.
#[derive(Clone, Debug)]
pub struct SweepPlot<'a> {
    /// Above the plot.
    pub title: &'a str,
    /// What is changed, with its unit.
    pub unit: &'a str,
    /// The positions, ascending.
    pub positions: &'a [f64],
    /// Each class with its probability at each position.
    pub classes: Vec<(String, Vec<f64>)>,
    /// Where the answer flips, if it does.
    pub flip: Option<f64>,
}

/// The plot; its upright axis goes from 0 to 1.
#[must_use]
pub fn sweep(plot: &SweepPlot<'_>) -> String {
    let names: Vec<String> = plot.classes.iter().map(|(name, _)| name.clone()).collect();
    let (w, h) = (1.4 * AREA.0, AREA.1.max(17.0 * names.len() as f64));
    let (legend_width, _) = legend_size(&names);
    let mut svg = Svg::new(CORNER.0 + w + legend_width + 40.0, h + 100.0);
    let ends = (plot.positions.first().copied().unwrap_or(0.0), plot.positions.last().copied().unwrap_or(1.0));
    let axes = Axes { title: plot.title, labels: (plot.unit, "probability"), x: ends, y: (0.0, 1.0), area: (CORNER.0, CORNER.1, w, h) };
    axes.draw(&mut svg);
    if let Some(at) = plot.flip {
        svg.polyline(&[axes.at(at, 0.0), axes.at(at, 1.0)], INK, 1.0, "4 4");
    }
    for (line, (_, values)) in plot.classes.iter().enumerate() {
        axes.curve(&mut svg, plot.positions.iter().copied().zip(values.iter().copied()), line);
    }
    legend(&mut svg, (CORNER.0 + w + 20.0, CORNER.1 + 8.0), &names);
    svg.finish(&format!("{}, {}: {}", plot.title, plot.unit, names.join(", ")))
}
