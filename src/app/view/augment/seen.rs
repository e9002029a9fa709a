//! What the network sees of the chosen draw: the numbers after normalisation, drawn back with their scale, and how often each
//! occurs.

use egui::{Align2, Color32, FontId, Pos2, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::sheet::image;
use crate::app::lab::Shown;
use crate::app::lab::sheet::{BARS, Seen};
use crate::app::theme;

/// Side of a picture.
const SIDE: f32 = 104.0;
/// Width of the grey scale beside the pictures.
const SCALE: f32 = 10.0;
/// Shades of the grey scale.
const STEPS: usize = 32;
/// Names of the planes.
const PLANES: [&str; 4] = ["colour", "red", "green", "blue"];

/// Shows the numbers.
pub fn show(ui: &mut Ui, shown: &Shown) {
    let seen = &shown.sheet.seen;
    ui.add_space(theme::SECTION_GAP);
    let [low, high] = seen.range;
    let [least, most] = seen.extent;
    ui.horizontal_wrapped(|ui| {
        ui.strong("What the network sees");
        let words = format!(
            "numbers after normalisation: from {least:.2} to {most:.2} here; black is {low:.2} and white {high:.2}, the same for every picture"
        );
        ui.label(theme::muted(ui, words));
    });
    ui.horizontal_wrapped(|ui| {
        let palette = theme::palette(ui.visuals());
        for (name, texture) in PLANES.iter().zip(&shown.seen) {
            let (rect, response) = ui.allocate_exact_size(vec2(SIDE, SIDE + 18.0), Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, format!("input of the network, {name}")));
            image(ui, texture, Rect::from_min_size(rect.min, vec2(SIDE, SIDE)));
            let at = pos2(rect.left() + SIDE / 2.0, rect.bottom());
            ui.painter().text(at, Align2::CENTER_BOTTOM, *name, FontId::proportional(11.0), palette.text);
        }
        scale(ui, seen);
        ui.add_space(theme::SECTION_GAP);
        histogram(ui, seen);
    });
}

/// The grey scale with its numbers.
fn scale(ui: &mut Ui, seen: &Seen) {
    let palette = theme::palette(ui.visuals());
    let (rect, _) = ui.allocate_exact_size(vec2(SCALE + 38.0, SIDE + 18.0), Sense::hover());
    let bar = Rect::from_min_size(rect.min, vec2(SCALE, SIDE));
    let height = bar.height() / STEPS as f32;
    for step in 0..STEPS {
        let grey = Color32::from_gray((255 * step / (STEPS - 1)) as u8);
        let top = bar.bottom() - (step + 1) as f32 * height;
        ui.painter().rect_filled(Rect::from_min_size(pos2(bar.left(), top), vec2(SCALE, height + 0.5)), 0.0, grey);
    }
    ui.painter().rect_stroke(bar, 0.0, Stroke::new(1.0, palette.line), egui::StrokeKind::Outside);
    let [low, high] = seen.range;
    for (value, y, align) in [
        (low, bar.bottom(), Align2::LEFT_BOTTOM),
        (f32::midpoint(low, high), bar.center().y, Align2::LEFT_CENTER),
        (high, bar.top(), Align2::LEFT_TOP),
    ] {
        ui.painter().text(pos2(bar.right() + 5.0, y), align, format!("{value:.2}"), FontId::proportional(11.0), palette.muted);
    }
}

/// How often the numbers occur, for each colour; the upright axis is logarithmic, because most of a picture is sky.
fn histogram(ui: &mut Ui, seen: &Seen) {
    let palette = theme::palette(ui.visuals());
    let width = ui.available_width().clamp(180.0, 360.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, SIDE + 18.0), Sense::hover());
    let plot = Rect::from_min_max(rect.min, pos2(rect.right(), rect.top() + SIDE));
    ui.painter().rect_filled(plot, 2.0, palette.field);
    let most = seen.histogram.iter().flatten().copied().max().unwrap_or(1).max(1);
    let full = f64::from(most).ln_1p() as f32;
    for (bars, colour) in seen.histogram.iter().zip(palette.bands) {
        let mut points: Vec<Pos2> = Vec::with_capacity(2 * BARS);
        for (n, count) in bars.iter().enumerate() {
            let y = plot.bottom() - 1.0 - (plot.height() - 4.0) * f64::from(*count).ln_1p() as f32 / full;
            let x = |n: usize| plot.left() + plot.width() * n as f32 / BARS as f32;
            points.extend([pos2(x(n), y), pos2(x(n + 1), y)]);
        }
        ui.painter().add(Shape::line(points, Stroke::new(1.3, colour)));
    }
    let [low, high] = seen.range;
    let font = FontId::proportional(11.0);
    ui.painter().text(rect.left_bottom(), Align2::LEFT_BOTTOM, format!("{low:.2}"), font.clone(), palette.muted);
    ui.painter().text(rect.right_bottom(), Align2::RIGHT_BOTTOM, format!("{high:.2}"), font.clone(), palette.muted);
    let title = "how often, logarithmic";
    ui.painter().text(pos2(plot.center().x, rect.bottom()), Align2::CENTER_BOTTOM, title, font, palette.muted);
    let colours = ["red", "green", "blue"].iter().zip(seen.moments);
    let words: Vec<String> = colours.map(|(name, [mean, deviation])| format!("{name} {mean:.2} ± {deviation:.2}")).collect();
    let words = format!("Histogram of the network's input; mean and standard deviation: {}", words.join(", "));
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &words));
    response.on_hover_text(&words);
}
