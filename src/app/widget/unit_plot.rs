//! A plot between 0 and 1 on both axes: bars, lines, and the diagonal if it means something.

use egui::{Align2, Color32, FontId, Rect, Response, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::app::theme;

/// A bar from the bottom up, with a line across it.
pub struct Bar {
    /// Its left and right end.
    pub x: (f64, f64),
    /// Its height.
    pub height: f64,
    /// Where the line lies.
    pub line: f64,
    /// What it says when the pointer is on it.
    pub words: String,
}

/// What to show.
pub struct UnitPlot<'a> {
    /// Above it.
    pub title: &'a str,
    /// Below and beside it.
    pub labels: (&'a str, &'a str),
    /// Bars.
    pub bars: &'a [Bar],
    /// Lines with colour and width, the last on top.
    pub lines: &'a [(Vec<[f64; 2]>, Color32, f32)],
    /// Whether the diagonal is drawn.
    pub diagonal: bool,
    /// The whole in words, for those who cannot see it.
    pub summary: &'a str,
    /// Width and height.
    pub size: egui::Vec2,
}

/// Room at the left, above, at the right and below.
const MARGIN: [f32; 4] = [44.0, 22.0, 10.0, 34.0];

/// Shows the plot.
pub fn show(ui: &mut Ui, plot: &UnitPlot<'_>) -> Response {
    let palette = theme::palette(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(plot.size, Sense::hover());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, enabled, plot.summary));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let area = Rect::from_min_max(rect.min + vec2(MARGIN[0], MARGIN[1]), rect.max - vec2(MARGIN[2], MARGIN[3]));
    let at = |x: f64, y: f64| pos2(area.left() + x as f32 * area.width(), area.bottom() - y as f32 * area.height());
    let painter = ui.painter();
    let font = FontId::proportional(11.0);
    painter.text(pos2(area.left(), rect.top()), Align2::LEFT_TOP, plot.title, FontId::proportional(12.0), palette.text);
    for mark in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        painter.line_segment([at(mark, 0.0), at(mark, 1.0)], Stroke::new(1.0, palette.line));
        painter.line_segment([at(0.0, mark), at(1.0, mark)], Stroke::new(1.0, palette.line));
        painter.text(at(mark, 0.0) + vec2(0.0, 3.0), Align2::CENTER_TOP, format!("{mark:.1}"), font.clone(), palette.muted);
        painter.text(at(0.0, mark) - vec2(4.0, 0.0), Align2::RIGHT_CENTER, format!("{mark:.1}"), font.clone(), palette.muted);
    }
    painter.text(pos2(area.center().x, rect.bottom()), Align2::CENTER_BOTTOM, plot.labels.0, font.clone(), palette.muted);
    let side = painter.layout_no_wrap(plot.labels.1.to_owned(), font, palette.muted);
    let start = pos2(rect.left(), area.center().y + side.size().x / 2.0);
    painter.add(egui::epaint::TextShape::new(start, side, palette.muted).with_angle(-std::f32::consts::FRAC_PI_2));
    for bar in plot.bars {
        let body = Rect::from_min_max(at(bar.x.0, bar.height) + vec2(1.0, 0.0), at(bar.x.1, 0.0) - vec2(1.0, 0.0));
        painter.rect_filled(body, 1.0, palette.train.gamma_multiply(0.7));
        painter.hline(body.x_range(), at(0.0, bar.line).y, Stroke::new(2.0, palette.valid));
    }
    if plot.diagonal {
        painter.extend(Shape::dashed_line(&[at(0.0, 0.0), at(1.0, 1.0)], Stroke::new(1.0, palette.muted), 4.0, 4.0));
    }
    for (points, colour, width) in plot.lines {
        let points: Vec<_> = points.iter().map(|[x, y]| at(*x, *y)).collect();
        painter.add(Shape::line(points, Stroke::new(*width, *colour)));
    }
    let column = |bar: &&Bar| {
        ui.ctx().pointer_hover_pos().is_some_and(|p| area.contains(p) && p.x >= at(bar.x.0, 0.0).x && p.x < at(bar.x.1, 0.0).x)
    };
    match plot.bars.iter().find(column) {
        Some(bar) => response.on_hover_text_at_pointer(&bar.words),
        None => response,
    }
}
