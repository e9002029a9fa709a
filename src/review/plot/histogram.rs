//! How often the numbers of a picture occur, for its three colours.

use super::axes::{Axes, legend};
use super::svg::Svg;
use super::{AREA, CORNER};

/// What to draw.
pub struct Histogram<'a> {
    /// Above the plot.
    pub title: &'a str,
    /// Below it.
    pub unit: &'a str,
    /// The range that the bars share.
    pub range: (f64, f64),
    /// How many numbers lie in each bar, for red, green and blue.
    pub counts: [&'a [u32]; 3],
}

/// The lines of red, green and blue: the vermilion, the green and the blue that colour-blind people tell apart.
const LINES: [usize; 3] = [1, 2, 0];

/// The plot; its upright axis is logarithmic, because most of a picture is sky.
#[must_use]
pub fn histogram(plot: &Histogram<'_>) -> String {
    let (w, h) = AREA;
    let mut svg = Svg::new(CORNER.0 + w + 90.0, h + 100.0);
    let height = |count: u32| (f64::from(count) + 1.0).log10();
    let most = plot.counts.iter().flat_map(|counts| counts.iter()).copied().max().unwrap_or(0).max(1);
    let axes = Axes {
        title: plot.title,
        labels: (plot.unit, "log10 (1 + pixels)"),
        x: plot.range,
        y: (0.0, height(most)),
        area: (CORNER.0, CORNER.1, w, h),
    };
    axes.draw(&mut svg);
    for (counts, line) in plot.counts.iter().zip(LINES) {
        let width = (plot.range.1 - plot.range.0) / counts.len().max(1) as f64;
        let steps = counts.iter().enumerate().flat_map(|(bar, count)| {
            let left = plot.range.0 + width * bar as f64;
            [(left, height(*count)), (left + width, height(*count))]
        });
        axes.curve(&mut svg, steps, line);
    }
    legend(&mut svg, (CORNER.0 + w + 20.0, CORNER.1 + 8.0), &["blue", "red", "green"].map(str::to_owned));
    svg.finish(plot.title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_colour_has_its_steps_and_an_empty_one_stays_at_nought() {
        let (red, green, blue) = ([0, 9, 99], [99, 0, 0], [0, 0, 0]);
        let svg = histogram(&Histogram { title: "a <b>", unit: "number", range: (-1.0, 1.0), counts: [&red, &green, &blue] });
        // 99 numbers reach the top of the area, 9 half of it, none the bottom
        let line = |colour: &str| {
            let at = svg.lines().find(|line| line.starts_with("<polyline") && line.contains(colour) && line.matches(',').count() == 6);
            at.unwrap_or_else(|| panic!("{colour} is not in {svg}")).to_owned()
        };
        let (left, right) = ("64.00", "484.00");
        let (top, middle, bottom) = ("40.00", "200.00", "360.00");
        assert!(line("#d55e00").contains(&format!("{left},{bottom} ")) && line("#d55e00").contains(&format!(",{middle} ")));
        assert!(line("#d55e00").contains(&format!("{right},{top}\"")), "{}", line("#d55e00"));
        assert!(line("#009e73").contains(&format!("{left},{top} ")));
        assert_eq!(line("#0072b2").matches(bottom).count(), 6);
        assert!(svg.contains("a &lt;b&gt;") && !svg.contains("NaN"));
    }
}
