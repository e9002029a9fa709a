//! Plots of a data set: how many pictures each class has, and a map of pictures.

use super::svg::{Anchor, FAINT, INK, Svg, width};

/// A picture on a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// To the right.
    pub x: f64,
    /// Up.
    pub y: f64,
    /// Which entry of the legend it belongs to; `None` stays in the background.
    pub number: Option<usize>,
}

/// An entry of a map's legend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// What it is called.
    pub name: String,
    /// The colour of its marks.
    pub colour: [u8; 3],
    /// Whether they are rings, because the colour is another one's already.
    pub ring: bool,
}

impl Kind {
    fn draw(&self, svg: &mut Svg, at: (f64, f64), radius: f64) {
        if self.ring { svg.ring(at, radius, self.colour) } else { svg.dot(at, radius, self.colour) }
    }
}

/// The colours of the parts of a split, apart for colour-blind people, too.
const PARTS: [[u8; 3]; 3] = [[0x00, 0x72, 0xb2], [0xe6, 0x9f, 0x00], [0x00, 0x9e, 0x73]];

/// Stacked bars: the pictures of each class in the three `parts`.
#[must_use]
pub fn balance(names: &[String], parts: &[&str; 3], counts: &[[usize; 3]]) -> String {
    let (bar, row, top) = (420.0, 20.0, 40.0);
    let left = names.iter().map(|name| width(name, 12.0)).fold(60.0, f64::max) + 16.0;
    let mut svg = Svg::new(left + bar + 170.0, top + row * names.len() as f64 + 16.0);
    for (n, (part, colour)) in parts.iter().zip(PARTS).enumerate() {
        let x = left + 110.0 * n as f64;
        svg.rect((x, 12.0), (10.0, 10.0), colour);
        svg.text((x + 15.0, 21.0), 11.0, Anchor::Start, INK, part);
    }
    let most = counts.iter().map(|parts| parts.iter().sum::<usize>()).max().unwrap_or(0).max(1) as f64;
    for (n, (name, counts)) in names.iter().zip(counts).enumerate() {
        let y = top + row * n as f64;
        svg.text((left - 8.0, y + 12.0), 12.0, Anchor::End, INK, name);
        let mut x = left;
        for (count, colour) in counts.iter().zip(PARTS) {
            let length = bar * *count as f64 / most;
            svg.rect((x, y + 2.0), (length, row - 6.0), colour);
            x += length;
        }
        let [train, valid, test] = counts;
        svg.text((x + 8.0, y + 12.0), 11.0, Anchor::Start, INK, &format!("{train} / {valid} / {test}"));
    }
    svg.finish("Pictures of each class in the parts of the split")
}

/// A map of pictures with a legend; both axes have the same scale, which means nothing.
#[must_use]
pub fn scatter(title: &str, legend: &[Kind], marks: &[Mark]) -> String {
    let (side, top) = (560.0, 40.0);
    let words = legend.iter().map(|kind| width(&kind.name, 11.0)).fold(0.0, f64::max);
    let mut svg = Svg::new((side + words + 60.0).max(width(title, 14.0) + 32.0), top + side + 16.0);
    svg.text((16.0, 24.0), 14.0, Anchor::Start, INK, title);
    let bounds = |of: fn(&Mark) -> f64| {
        let all = || marks.iter().map(of);
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max))
    };
    let (x, y) = (bounds(|mark| mark.x), bounds(|mark| mark.y));
    let span = (x.1 - x.0).max(y.1 - y.0).max(f64::MIN_POSITIVE);
    let radius = if marks.len() > 4000 { 1.0 } else { 2.2 };
    let place = |mark: &Mark| {
        let from_middle = |v: f64, (low, high): (f64, f64)| (v - f64::midpoint(low, high)) / span * (side - 12.0);
        (16.0 + side / 2.0 + from_middle(mark.x, x), top + side / 2.0 - from_middle(mark.y, y))
    };
    // what has no colour lies below
    for mark in marks.iter().filter(|mark| mark.number.is_none()) {
        svg.dot(place(mark), radius, FAINT);
    }
    for (mark, kind) in marks.iter().filter_map(|mark| Some((mark, legend.get(mark.number?)?))) {
        kind.draw(&mut svg, place(mark), radius);
    }
    for (n, kind) in legend.iter().enumerate() {
        let y = top + 8.0 + 17.0 * n as f64;
        kind.draw(&mut svg, (side + 30.0, y), 4.0);
        svg.text((side + 40.0, y + 4.0), 11.0, Anchor::Start, INK, &kind.name);
    }
    svg.finish(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_classes_are_large() {
        let names = ["Round", "Spiral <b>"].map(str::to_owned);
        let svg = balance(&names, &["train", "validation", "test"], &[[60, 20, 20], [30, 10, 10]]);
        assert!(svg.contains("60 / 20 / 20") && svg.contains("Spiral &lt;b&gt;"), "{svg}");
        // 60 of 100 is 252 of 420 pixels, 30 of 100 is 126
        assert_eq!((svg.matches("252.00").count() > 0, svg.matches("126.00").count() > 0), (true, true), "{svg}");
    }

    #[test]
    fn each_mark_has_its_colour_and_stays_inside() {
        let kind = |name: &str, colour, ring| Kind { name: name.to_owned(), colour, ring };
        let legend = [kind("right", [1, 2, 3], false), kind("wrong", [4, 5, 6], true)];
        let marks = [(-5.0, 0.0, Some(0)), (5.0, 1.0, Some(1)), (0.0, 9.0, None), (1.0, 1.0, Some(7))];
        let svg = scatter("A map", &legend, &marks.map(|(x, y, number)| Mark { x, y, number }));
        // one in the legend and one on the map; what no entry names is not drawn
        assert_eq!((svg.matches("#010203").count(), svg.matches("#040506").count(), svg.matches("#d4d9e1").count()), (2, 2, 1));
        assert_eq!(svg.matches("fill=\"none\" stroke=\"#040506\"").count(), 2, "rings");
        assert!(!svg.contains("NaN") && !scatter("none", &legend, &[]).contains("NaN"));
    }
}
