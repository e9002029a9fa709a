//! Figures of maps: the overlay with its colour bar and legend, picture and overlay side by side, sheets of many maps.

use super::style::{Style, overlay};
use super::{Content, Explainer, Explanation, outline, shares};
use crate::imaging::{Canvas, Frame, Image, text_width, wrap};

const BACKGROUND: [u8; 3] = [255; 3];
const INK: [u8; 3] = [26, 34, 48];
const FAINT: [u8; 3] = [96, 106, 122];
/// Sizes at zoom 1, pixels.
const MARGIN: usize = 12;
const BAR: usize = 14;
const LINE: f32 = 15.0;
const SMALLEST: usize = 256;
const LARGEST: usize = 1024;
const TILE: usize = 150;

/// What is drawn, beside the map: the picture, what of it the network saw, and the network's answer.
pub struct Scene<'a> {
    /// What the picture is called.
    pub name: &'a str,
    /// The picture.
    pub picture: &'a Image,
    /// The part of it that was put into the explainer.
    pub frame: Frame,
    /// The network's answer.
    pub explainer: &'a Explainer,
}

impl Scene<'_> {
    /// The name of a class.
    fn class(&self, class: usize) -> &str {
        &self.explainer.classifier().spec().classes[class]
    }

    /// "Barred Spiral", or "Barred Spiral and not Round".
    #[must_use]
    pub fn target(&self, explanation: &Explanation) -> String {
        match explanation.against {
            Some(other) => format!("{} and not {}", self.class(explanation.class), self.class(other)),
            None => self.class(explanation.class).to_owned(),
        }
    }

    /// What the map is, in a few lines: method, layer with its grid, class, logit, scale, model; and what speaks against it.
    #[must_use]
    pub fn legend(&self, explanation: &Explanation, style: &Style) -> Vec<String> {
        let layer = &explanation.layer;
        let views = if explanation.averaged { ", mean of eight flips and turns" } else { "" };
        let class =
            if explanation.method.knows_classes() { self.target(explanation) } else { "every class (the method knows none)".into() };
        let what = if explanation.against.is_some() { "logit difference" } else { "logit" };
        let probability = 100.0 * self.explainer.probabilities()[explanation.class];
        let mut lines = vec![
            format!("{} at {} ({} x {} cells, {} maps){views}", explanation.method, layer.name, layer.width, layer.height, layer.channels),
            format!("for {class}: {what} {:.2}, probability {probability:.1} %", explanation.score),
        ];
        if let Some(cells) = explanation.too_coarse() {
            lines.push(format!("{cells} Choose an earlier layer (Grad-CAM, LayerCAM), or train with larger pictures."));
        }
        if !explanation.signed && !explanation.has_positive() {
            lines.push("No positive evidence for this class.".into());
        } else {
            let unit = if explanation.in_logits() { "logit; the mean of all cells and the bias are the logit" } else { "relative" };
            let own = if style.limit.is_some() { "the same for all classes" } else { "this map's own" };
            lines.push(format!("Scale: {unit}; {own}"));
        }
        let around = if style.regions { " (lines: white around the galaxy, orange around other sources)" } else { "" };
        lines.extend(shares(self.explainer.prepared(), &explanation.map).map(|shares| format!("{shares}{around}")));
        lines.push(format!("{}  ·  {}", self.explainer.classifier().title(), self.name));
        lines
    }

    /// The overlay with its colour bar and legend; with `beside`, the picture stands to its left.
    #[must_use]
    pub fn figure(&self, explanation: &Explanation, style: &Style, beside: bool) -> Image {
        let zoom = style.zoom.clamp(1, 4);
        let (margin, line) = (MARGIN * zoom, LINE * zoom as f32);
        let (picture, frame) = self.shown();
        let drawn = self.over(&picture, frame, explanation, style);
        let (low, high) = style.range(explanation);
        let ticks = ticks(low, high);
        let numbers = ticks.iter().map(|tick| text_width(line, &number(*tick))).max().unwrap_or(0);
        let panels = if beside { 2 } else { 1 };
        let width = margin + panels * (drawn.width() + margin) + BAR * zoom + 6 * zoom + numbers + margin;
        let legend: Vec<String> = self.legend(explanation, style).iter().flat_map(|text| wrap(line, width - 2 * margin, text)).collect();
        let height = 2 * margin + drawn.height() + margin / 2 + legend.len() * (line * 1.25) as usize + margin / 2;
        let mut canvas = Canvas::new(width, height, BACKGROUND);
        let mut x = margin;
        if beside {
            canvas.place(x as i64, margin as i64, &picture.resize(drawn.width(), drawn.height()));
            x += drawn.width() + margin;
        }
        canvas.place(x as i64, margin as i64, &drawn);
        x += drawn.width() + margin;
        colour_bar(&mut canvas, (x, margin), drawn.height(), explanation, style);
        let mut y = margin + drawn.height() + margin;
        for (number, text) in legend.iter().enumerate() {
            canvas.text(margin as i64, y as i64, line, if number == 0 { INK } else { FAINT }, text);
            y += (line * 1.25) as usize;
        }
        canvas.finish()
    }

    /// Small maps side by side, each with a line of text, and `heading` below them.
    #[must_use]
    pub fn sheet(&self, heading: &str, tiles: &[(String, Explanation)], style: &Style, content: Content) -> Image {
        let zoom = style.zoom.clamp(1, 4);
        let (margin, line) = (MARGIN * zoom, LINE * zoom as f32 * 0.9);
        let (style, scale) = style.for_sheet(content, tiles);
        let shared = style.limit.is_some();
        let (picture, frame) = fitted(self.picture, self.frame, TILE);
        let (tile_width, tile_height) = (picture.width() * zoom, picture.height() * zoom);
        let tile = tile_width.max(TILE * zoom);
        let captions: Vec<Vec<String>> =
            tiles.iter().map(|(caption, explanation)| caption_lines(caption, explanation, line, tile)).collect();
        let lines = captions.iter().map(Vec::len).max().unwrap_or(1);
        let step = tile_height + (lines as f32 * line * 1.2) as usize + margin;
        let columns = tiles.len().div_ceil(tiles.len().isqrt().max(1)).clamp(1, 6);
        let rows = tiles.len().div_ceil(columns).max(1);
        let bar = tiles.first().filter(|_| shared);
        let numbers = bar.map_or(0, |(_, first)| {
            let (low, high) = style.range(first);
            ticks(low, high).iter().map(|tick| text_width(line, &number(*tick))).max().unwrap_or(0) + (BAR + 6) * zoom + margin
        });
        let width = margin + columns * (tile + margin) + numbers;
        let said = format!("{heading}.  {scale}");
        let under: Vec<String> = [said, format!("{}  ·  {}", self.explainer.classifier().title(), self.name)]
            .iter()
            .flat_map(|text| wrap(line, width - 2 * margin, text))
            .collect();
        let height = margin + rows * step + under.len() * (line * 1.25) as usize + margin;
        let mut canvas = Canvas::new(width, height, BACKGROUND);
        for (i, ((_, explanation), caption)) in tiles.iter().zip(&captions).enumerate() {
            let (x, y) = (margin + i % columns * (tile + margin), margin + i / columns * step);
            canvas.place(x as i64, y as i64, &self.over(&picture, frame, explanation, &style));
            for (number, text) in caption.iter().enumerate() {
                let y = (y + tile_height + 2) as f32 + number as f32 * line * 1.2;
                canvas.text(x as i64, y as i64, line, INK, text);
            }
        }
        if let Some((_, first)) = bar {
            colour_bar(&mut canvas, (margin + columns * (tile + margin), margin), tile_height, first, &style);
        }
        for (i, text) in under.iter().enumerate() {
            canvas.text(margin as i64, (margin + rows * step) as i64 + (i as f32 * line * 1.25) as i64, line, FAINT, text);
        }
        canvas.finish()
    }

    /// [`overlay`] on the picture (or a copy of another size, with its frame), with the regions if the style has them.
    #[must_use]
    pub fn over(&self, picture: &Image, frame: Frame, explanation: &Explanation, style: &Style) -> Image {
        let drawn = overlay(picture, frame, explanation, style);
        if style.regions { outline(drawn, frame, style.zoom.clamp(1, 4), self.explainer.prepared()) } else { drawn }
    }

    /// The picture at a size that a figure can hold, and the frame on it.
    fn shown(&self) -> (Image, Frame) {
        let longer = self.picture.width().max(self.picture.height());
        fitted(self.picture, self.frame, longer.clamp(SMALLEST, LARGEST))
    }
}

/// The picture with its longer side scaled to `side`, and the frame with it.
#[must_use]
pub fn fitted(picture: &Image, frame: Frame, side: usize) -> (Image, Frame) {
    let longer = picture.width().max(picture.height());
    if longer == side {
        return (picture.clone(), frame);
    }
    let ratio = side as f64 / longer as f64;
    let scaled = |length: usize| ((length as f64 * ratio).round() as usize).max(1);
    let start = |at: i64| (at as f64 * ratio).round() as i64;
    let frame = Frame { x: start(frame.x), y: start(frame.y), width: scaled(frame.width), height: scaled(frame.height) };
    (picture.resize(scaled(picture.width()), scaled(picture.height())), frame)
}

/// The lines under a map of a sheet.
fn caption_lines(caption: &str, explanation: &Explanation, line: f32, width: usize) -> Vec<String> {
    let mut lines = wrap(line, width, caption);
    if !explanation.signed && !explanation.has_positive() {
        lines.extend(wrap(line, width, "no positive evidence"));
    }
    lines
}

/// A colour bar of `height` pixels with numbers to its right.
fn colour_bar(canvas: &mut Canvas, (x, y): (usize, usize), height: usize, explanation: &Explanation, style: &Style) {
    let zoom = style.zoom.clamp(1, 4);
    let (width, line) = (BAR * zoom, LINE * zoom as f32 * 0.9);
    let (low, high) = style.range(explanation);
    let colours = style.colours_of(explanation);
    for row in 0..height {
        let share = 1.0 - (row as f32 + 0.5) / height as f32;
        canvas.fill(x as i64, (y + row) as i64, width, 1, colours.at(share));
    }
    let mut above = f32::INFINITY;
    for tick in ticks(low, high) {
        let at = y as f32 + (1.0 - (tick - low) / (high - low)) * height as f32;
        canvas.fill((x + width) as i64, at.round().min((y + height - 1) as f32) as i64, 3 * zoom, 1, FAINT);
        let (first, last) = (y as f32 - line / 3.0, (y + height) as f32 - line * 0.8);
        let top = (at - line / 2.0).clamp(first, last.max(first));
        // numbers that would lie on each other, as beside a strip, are left out
        if above - top < line {
            continue;
        }
        above = top;
        canvas.text((x + width + 6 * zoom) as i64, top as i64, line, INK, &number(tick));
    }
}

/// Up to six round numbers in a range.
#[must_use]
pub fn ticks(low: f32, high: f32) -> Vec<f32> {
    let span = f64::from(high) - f64::from(low);
    if !span.is_finite() || span <= 0.0 {
        return vec![low];
    }
    let raw = span / 4.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|f| f * power).find(|step| *step >= raw).unwrap_or(raw);
    let first = (f64::from(low) / step).ceil() as i64;
    let last = (f64::from(high) / step + 1e-9).floor() as i64;
    (first..=last).map(|i| (i as f64 * step) as f32).collect()
}

/// A number as a colour bar shows it.
#[must_use]
pub fn number(value: f32) -> String {
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-3..1e5).contains(&magnitude) {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 1.0), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(ticks(-3.0, 3.0), [-2.0, 0.0, 2.0]);
        assert_eq!(ticks(0.0, 0.0), [0.0]);
        for high in [1e-6f32, 0.013, 7.7, 1234.0] {
            let ticks = ticks(0.0, high);
            assert!((2..=6).contains(&ticks.len()) && ticks.iter().all(|t| *t <= high * 1.0001), "{high}: {ticks:?}");
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, 0.25, -2.0, 12_345.0, 1e-6].map(number), ["0", "0.25", "-2", "12345", "1.0e-6"]);
    }
}
