//! Dots and lines on two axes of a study. A click on a dot chooses its trial.

use egui::{Color32, Response, Ui, WidgetInfo};
use egui_plot::{GridMark, Line, Plot, PlotImage, PlotPoint, PlotPoints, Points};

use super::axis::Axis;
use crate::app::theme;
use crate::app::widget::curve_plot::marks;

/// A trial as a dot.
#[derive(Clone)]
pub(super) struct Dot {
    /// Where.
    pub at: [f64; 2],
    /// Its colour.
    pub colour: Color32,
    /// Its trial.
    pub trial: usize,
}

/// A line.
pub(super) struct Thread<'a> {
    /// Its points.
    pub points: &'a [PlotPoint],
    /// Its colour.
    pub colour: Color32,
    /// Its width.
    pub width: f32,
    /// Its trial, if it is that of one.
    pub trial: Option<usize>,
}

/// What to show.
pub(super) struct Scatter<'a> {
    /// Unique in the window.
    pub id: &'a str,
    /// To the right and upwards.
    pub axes: [&'a Axis; 2],
    /// The lines, the last on top.
    pub lines: &'a [Thread<'a>],
    /// The dots, the last on top.
    pub dots: &'a [Dot],
    /// A picture behind them, from its corner at the left below to that at the right above.
    pub behind: Option<(egui::TextureId, [[f64; 2]; 2])>,
    /// The trial that is chosen.
    pub focus: Option<usize>,
    /// The whole in words, for those who cannot see it.
    pub summary: &'a str,
}

/// Points within which a dot or a line is meant by the pointer.
const NEAR: f32 = 9.0;

/// Shows the plot; gives its response and the trial under the pointer.
pub(super) fn show(ui: &mut Ui, scatter: &Scatter<'_>) -> (Response, Option<usize>) {
    let palette = theme::palette(ui.visuals());
    let size = ui.available_size();
    let [x, y] = scatter.axes;
    let plot = Plot::new(scatter.id)
        .height((size.y - 4.0).max(60.0))
        .allow_scroll(false)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .allow_zoom(false)
        .show_background(false)
        .set_margin_fraction(egui::vec2(0.03, 0.08))
        .x_grid_spacer(|input| spaced(&input, x, size.x / 90.0))
        .y_grid_spacer(|input| spaced(&input, y, size.y / 36.0))
        .grid_color(palette.line)
        .y_axis_min_width(48.0)
        .x_axis_formatter(|mark, _| x.text(mark.value))
        .y_axis_formatter(|mark, _| y.text(mark.value))
        .x_axis_label(x.name.as_str())
        .y_axis_label(y.name.as_str())
        .label_formatter(|_| None);
    let shown = plot.show(ui, |p| {
        if let Some((texture, [low, high])) = scatter.behind {
            let centre = PlotPoint::new(f64::midpoint(low[0], high[0]), f64::midpoint(low[1], high[1]));
            let size = [(high[0] - low[0]) as f32, (high[1] - low[1]) as f32];
            p.image(PlotImage::new("", texture, centre, size).allow_hover(false));
        }
        for line in scatter.lines {
            p.line(
                Line::new("", PlotPoints::Borrowed(line.points)).color(line.colour).width(line.width).allow_band(false).allow_hover(false),
            );
        }
        if scatter.behind.is_some() {
            // dots of the colour of what lies behind them would not be seen
            let all: Vec<[f64; 2]> = scatter.dots.iter().map(|dot| dot.at).collect();
            p.points(Points::new("", all).color(palette.text).radius(4.6).allow_hover(false));
        }
        for (colour, points) in by_colour(scatter.dots) {
            p.points(Points::new("", points).color(colour).radius(3.2).allow_hover(false));
        }
        let ring = scatter.dots.iter().filter(|dot| Some(dot.trial) == scatter.focus);
        for dot in ring {
            p.points(Points::new("", dot.at).color(palette.accent).radius(6.0).filled(false).allow_hover(false));
        }
    });
    let response = shown.response;
    let words = scatter.summary.to_owned();
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &words));
    let pointed = response.hover_pos().and_then(|pointer| {
        let on_screen = |at: [f64; 2]| shown.transform.position_from_point(&PlotPoint::from(at));
        nearest(pointer, scatter, on_screen)
    });
    (response, pointed)
}

/// The trial whose dot, or else whose line, is nearest to the pointer.
fn nearest(pointer: egui::Pos2, scatter: &Scatter<'_>, on_screen: impl Fn([f64; 2]) -> egui::Pos2) -> Option<usize> {
    let dots = scatter.dots.iter().map(|dot| (dot.trial, on_screen(dot.at).distance(pointer)));
    let of_line = |line: &Thread| {
        let points = line.points.iter().map(|point| on_screen([point.x, point.y]).distance(pointer));
        Some((line.trial?, points.fold(f32::INFINITY, f32::min)))
    };
    let all = dots.chain(scatter.lines.iter().filter_map(of_line));
    all.filter(|(_, distance)| *distance < NEAR).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(trial, _)| trial)
}

/// Marks at every choice, or at round numbers.
fn spaced(input: &egui_plot::GridInput, axis: &Axis, most: f32) -> Vec<GridMark> {
    if axis.choices.is_empty() {
        return marks(input, most, false);
    }
    (0..axis.choices.len()).map(|at| GridMark { value: at as f64, step_size: 1.0 }).collect()
}

/// The dots of each colour, so that there are few things to draw.
fn by_colour(dots: &[Dot]) -> Vec<(Color32, Vec<[f64; 2]>)> {
    let mut groups: Vec<(Color32, Vec<[f64; 2]>)> = Vec::new();
    for dot in dots {
        match groups.iter_mut().find(|(colour, _)| *colour == dot.colour) {
            Some((_, points)) => points.push(dot.at),
            None => groups.push((dot.colour, vec![dot.at])),
        }
    }
    groups
}
