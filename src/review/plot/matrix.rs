//! A square matrix as coloured cells with numbers: a confusion matrix, or the difference of two.

use super::colour::{diverging, text_on, viridis};
use super::svg::{Anchor, INK, Svg, width};

/// How a value becomes a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// In proportion, from 0 to the largest.
    Linear,
    /// By the logarithm of 1 + value (of 1 + 100 value where the largest is at most 1), so that few images are seen too.
    Logarithmic,
    /// From minus the largest magnitude to plus it.
    Diverging,
}

impl Scale {
    /// The place of `value` in the colours, 0 to 1 (-1 to 1 if diverging), where `largest` (above 0) gets the last one.
    #[must_use]
    pub fn place(self, value: f64, largest: f64) -> f64 {
        match self {
            Self::Linear | Self::Diverging => value / largest,
            Self::Logarithmic => {
                let unit = if largest <= 1.0 { 100.0 } else { 1.0 };
                (unit * value).ln_1p() / (unit * largest).ln_1p()
            }
        }
    }

    /// The colour of `value`.
    #[must_use]
    pub fn colour(self, value: f64, largest: f64) -> [u8; 3] {
        let place = self.place(value, largest);
        if self == Self::Diverging { diverging(place) } else { viridis(place) }
    }
}

/// What to draw.
pub struct Matrix<'a> {
    /// Above it.
    pub title: &'a str,
    /// Names of rows and columns.
    pub names: &'a [String],
    /// Row by row, in the order of the names.
    pub values: &'a [f64],
    /// How a number is written; nought is left out.
    pub format: &'a dyn Fn(f64) -> String,
    /// How a number is coloured.
    pub scale: Scale,
}

/// Draws it; rows are true classes, columns predicted ones.
#[must_use]
pub fn matrix(plot: &Matrix<'_>) -> String {
    let side = plot.names.len();
    let cell = (460.0 / side.max(1) as f64).clamp(26.0, 70.0);
    let longest = plot.names.iter().map(|name| width(name, 12.0)).fold(40.0, f64::max);
    let (left, top) = (longest + 44.0, 44.0);
    let area = cell * side as f64;
    let below = longest * std::f64::consts::FRAC_1_SQRT_2 + 48.0;
    let title_width = width(plot.title, 14.0) + 24.0;
    let mut svg = Svg::new((left + area + 30.0).max(title_width), top + area + below);
    let largest = plot.values.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let largest = if largest > 0.0 { largest } else { 1.0 };
    svg.text((12.0, 24.0), 14.0, Anchor::Start, INK, plot.title);
    for (i, &value) in plot.values.iter().enumerate() {
        let (row, column) = (i / side, i % side);
        let at = (left + column as f64 * cell, top + row as f64 * cell);
        let fill = plot.scale.colour(value, largest);
        svg.rect((at.0 + 0.5, at.1 + 0.5), (cell - 1.0, cell - 1.0), fill);
        if value != 0.0 {
            let text = (plot.format)(value);
            let size = (cell * 0.36).min(1.6 * (cell - 4.0) / text.chars().count().max(1) as f64).clamp(6.0, 15.0);
            svg.text((at.0 + cell / 2.0, at.1 + cell / 2.0 + size * 0.35), size, Anchor::Middle, text_on(fill), &text);
        }
    }
    for (i, name) in plot.names.iter().enumerate() {
        let middle = (i as f64 + 0.5) * cell;
        svg.text((left - 8.0, top + middle + 4.0), 12.0, Anchor::End, INK, name);
        svg.turned((left + middle + 4.0, top + area + 14.0), -45.0, 12.0, Anchor::End, INK, name);
    }
    svg.turned((16.0, top + area / 2.0), -90.0, 12.0, Anchor::Middle, INK, "true class");
    svg.text((left + area / 2.0, top + area + below - 10.0), 12.0, Anchor::Middle, INK, "predicted class");
    svg.finish(plot.title)
}
