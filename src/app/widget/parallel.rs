//! Parallel coordinates: an upright axis a value, a line a thing; the colour of a line is its place on the last axis.

use egui::{Align2, Color32, FontId, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::app::theme;

/// The most axes that can be read.
pub const MOST: usize = 9;
/// Room at the sides, above and below the axes.
const SIDE: f32 = 60.0;
const HEAD: f32 = 34.0;
const FOOT: f32 = 16.0;
/// Points within which a line is meant by the pointer.
const NEAR: f32 = 8.0;

/// An axis with where each thing lies on it, 0 at the bottom, 1 at the top.
#[derive(Clone)]
pub struct Axis {
    /// What stands above it.
    pub title: String,
    /// Text at the bottom and at the top.
    pub ends: [String; 2],
    /// A place a thing.
    pub places: Vec<Option<f32>>,
}

/// What to show.
pub struct Parallel<'a> {
    /// The axes, two or more.
    pub axes: &'a [Axis],
    /// How many things there are.
    pub count: usize,
    /// Which of them are set off, and which are drawn faint.
    pub emphasis: &'a dyn Fn(usize) -> Emphasis,
    /// The whole in words, for those who cannot see it.
    pub summary: &'a str,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emphasis {
    /// As most are.
    Usual,
    /// Chosen.
    Strong,
    /// In the background, in grey.
    Grey,
}

/// Shows them; gives the response and the thing under the pointer.
pub fn show(ui: &mut Ui, parallel: &Parallel<'_>) -> (Response, Option<usize>) {
    let palette = theme::palette(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, parallel.summary));
    let axes = parallel.axes;
    let inner = Rect::from_min_max(rect.min + vec2(SIDE, HEAD), rect.max - vec2(SIDE, FOOT));
    let x = |axis: usize| inner.left() + inner.width() * axis as f32 / (axes.len().max(2) - 1) as f32;
    let line = |thing: usize| -> Vec<Pos2> {
        let point = |(at, axis): (usize, &Axis)| axis.places[thing].map(|share| pos2(x(at), inner.bottom() - share * inner.height()));
        axes.iter().enumerate().filter_map(point).collect()
    };
    let near = response.hover_pos().and_then(|pointer| nearest(pointer, (0..parallel.count).map(line)));
    // neither the darkest colours can be seen as lines on a dark panel, nor the lightest on a light one
    let (low, span) = if ui.visuals().dark_mode { (0.3, 0.65) } else { (0.05, 0.7) };
    let place = |thing: usize| axes.last().and_then(|last| last.places[thing]).unwrap_or(0.0);
    let colour = |thing: usize| theme::heat(low + span * f64::from(place(thing)));
    let painter = ui.painter();
    for thing in (0..parallel.count).filter(|thing| Some(*thing) != near) {
        let (width, colour) = match (parallel.emphasis)(thing) {
            Emphasis::Strong => (2.5, colour(thing)),
            Emphasis::Grey => (1.0, palette.muted.gamma_multiply(if near.is_some() { 0.12 } else { 0.35 })),
            Emphasis::Usual => (1.2, colour(thing).gamma_multiply(if near.is_some() { 0.25 } else { 0.8 })),
        };
        painter.add(Shape::line(line(thing), Stroke::new(width, colour)));
    }
    for (at, axis) in axes.iter().enumerate() {
        draw_axis(painter, x(at), inner, axis, [palette.line, palette.text, palette.muted]);
    }
    if let Some(thing) = near {
        painter.add(Shape::line(line(thing), Stroke::new(2.5, palette.accent)));
    }
    (response, near)
}

fn draw_axis(painter: &egui::Painter, x: f32, inner: Rect, axis: &Axis, [line, text, muted]: [Color32; 3]) {
    painter.vline(x, inner.y_range(), Stroke::new(1.0, line));
    painter.text(pos2(x, inner.top() - 18.0), Align2::CENTER_BOTTOM, &axis.title, FontId::proportional(11.5), text);
    painter.text(pos2(x, inner.top() - 4.0), Align2::CENTER_BOTTOM, &axis.ends[1], FontId::proportional(10.5), muted);
    painter.text(pos2(x, inner.bottom() + 3.0), Align2::CENTER_TOP, &axis.ends[0], FontId::proportional(10.5), muted);
}

/// The line that is nearest to the pointer and near it.
fn nearest(pointer: Pos2, lines: impl Iterator<Item = Vec<Pos2>>) -> Option<usize> {
    let distance = |line: Vec<Pos2>| line.windows(2).map(|ends| to_segment(pointer, ends[0], ends[1])).fold(f32::INFINITY, f32::min);
    let nearest = lines.map(distance).enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
    (nearest.1 < NEAR).then_some(nearest.0)
}

fn to_segment(point: Pos2, a: Pos2, b: Pos2) -> f32 {
    let along = b - a;
    let share = ((point - a).dot(along) / along.length_sq().max(1e-6)).clamp(0.0, 1.0);
    (a + share * along).distance(point)
}
