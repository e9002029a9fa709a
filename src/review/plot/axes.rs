//! Two axes with round numbers, and lines between them.

use super::colour::LINES;
use super::svg::{Anchor, FAINT, INK, Svg, width};

/// The frame of a plot: ranges, titles, and where it lies in the drawing.
pub struct Axes<'a> {
    /// Above the plot.
    pub title: &'a str,
    /// Below it, and beside it.
    pub labels: (&'a str, &'a str),
    /// The range of the flat axis.
    pub x: (f64, f64),
    /// The range of the upright axis.
    pub y: (f64, f64),
    /// Left, top, width and height of the area between the axes, pixels.
    pub area: (f64, f64, f64, f64),
}

impl Axes<'_> {
    /// Where a point lies in the drawing.
    #[must_use]
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (left, top, w, h) = self.area;
        let share = |v: f64, (low, high): (f64, f64)| if high > low { (v - low) / (high - low) } else { 0.5 };
        (left + w * share(x, self.x), top + h * (1.0 - share(y, self.y)))
    }

    /// Draws grid, numbers and titles.
    pub fn draw(&self, svg: &mut Svg) {
        let (left, top, w, h) = self.area;
        for value in marks(self.x, w / 70.0) {
            let (x, _) = self.at(value, self.y.0);
            svg.line((x, top), (x, top + h), FAINT, 1.0);
            svg.text((x, top + h + 16.0), 11.0, Anchor::Middle, INK, &written(value));
        }
        for value in marks(self.y, h / 40.0) {
            let (_, y) = self.at(self.x.0, value);
            svg.line((left, y), (left + w, y), FAINT, 1.0);
            svg.text((left - 6.0, y + 4.0), 11.0, Anchor::End, INK, &written(value));
        }
        svg.polyline(&[(left, top), (left, top + h), (left + w, top + h)], INK, 1.0, "");
        svg.text((left, top - 10.0), 14.0, Anchor::Start, INK, self.title);
        svg.text((left + w / 2.0, top + h + 36.0), 12.0, Anchor::Middle, INK, self.labels.0);
        svg.turned((left - 44.0, top + h / 2.0), -90.0, 12.0, Anchor::Middle, INK, self.labels.1);
    }

    /// Draws a line through points of the plot.
    pub fn curve(&self, svg: &mut Svg, points: impl IntoIterator<Item = (f64, f64)>, line: usize) {
        let points: Vec<(f64, f64)> = points.into_iter().map(|(x, y)| self.at(x, y)).collect();
        svg.polyline(&points, colour(line), 1.8, dash(line));
    }
}

/// The colour of line number `line`; they repeat with another dash.
#[must_use]
pub fn colour(line: usize) -> [u8; 3] {
    LINES[line % LINES.len()]
}

fn dash(line: usize) -> &'static str {
    ["", "6 3", "2 3", "8 3 2 3"][line / LINES.len() % 4]
}

/// Names of lines under each other, with a piece of each.
pub fn legend(svg: &mut Svg, (x, y): (f64, f64), names: &[String]) {
    for (line, name) in names.iter().enumerate() {
        let y = y + 17.0 * line as f64;
        svg.polyline(&[(x, y), (x + 22.0, y)], colour(line), 2.0, dash(line));
        svg.text((x + 28.0, y + 4.0), 11.0, Anchor::Start, INK, name);
    }
}

/// The room that a legend needs, pixels: width and height.
#[must_use]
pub fn legend_size(names: &[String]) -> (f64, f64) {
    let widest = names.iter().map(|name| width(name, 11.0)).fold(0.0, f64::max);
    (widest + 36.0, 17.0 * names.len() as f64)
}

/// At most about `most` numbers in a range, at 1, 2 or 5 times a power of ten.
#[must_use]
pub fn marks((low, high): (f64, f64), most: f64) -> Vec<f64> {
    let least = (high - low) / most.clamp(2.0, 10.0);
    if !least.is_finite() || least <= 0.0 {
        return vec![low];
    }
    let power = 10_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power);
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    (first..=last).map(|i| i as f64 * step).collect()
}

/// A mark's number without needless noughts.
fn written(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.4}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".into() } else { short.into() }
}
