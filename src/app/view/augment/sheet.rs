//! The contact sheet, and one of its draws step by step.

use egui::{Align2, Color32, FontId, Key, Rect, Sense, Stroke, StrokeKind, TextureHandle, Ui, WidgetInfo, pos2, vec2};

use crate::app::lab::Shown;
use crate::app::lab::sheet::{Drawn, Partner};
use crate::app::state::{Data, State};
use crate::app::theme;
use crate::augment::{ColourStep, Draw, Step};

/// Smallest and largest side of a draw on the screen.
const CELL: [f32; 2] = [52.0, 152.0];
/// Space between draws.
const SPACE: f32 = 6.0;
/// Height of a line below a picture.
const CAPTION: f32 = 15.0;

/// Shows the draws. `chosen` is the one that a click chose; the way to another galaxy comes back if an arrow key asked for it.
pub fn show(ui: &mut Ui, state: &State, data: &Data, shown: &Shown, chosen: &mut usize) -> Option<isize> {
    let sheet = &shown.sheet;
    let run = sheet.key.seed == state.config.seed;
    ui.horizontal_wrapped(|ui| {
        ui.strong(format!("{} draws at {} x {} px", sheet.draws.len(), sheet.key.size, sheet.key.size));
        let epochs = state.config.epochs;
        let words = match (sheet.trains, run) {
            (true, true) if sheet.draws.len() > epochs => {
                format!("exactly what epochs 1 to {epochs} of the next run see, and what more of them would")
            }
            (true, true) => format!("exactly what epochs 1 to {} of the next run see", sheet.draws.len()),
            (true, false) => format!("what epochs 1 to {} would see with seed {}", sheet.draws.len(), sheet.key.seed),
            (false, _) => "not a training image: shown as if it were one, but never mixed".to_owned(),
        };
        ui.label(theme::muted(ui, words));
    });
    let mixes = sheet.draws.iter().any(|drawn| drawn.mixed.is_some());
    let width = ui.available_width();
    let columns = if width > 6.0 * 96.0 { 6 } else { 4 };
    let side = ((width + SPACE) / columns as f32 - SPACE).clamp(CELL[0], CELL[1]).floor();
    let step = vec2(side + SPACE, side + SPACE + if mixes { CAPTION } else { 0.0 });
    let rows = sheet.draws.len().div_ceil(columns);
    let (rect, _) = ui.allocate_exact_size(vec2(columns as f32 * step.x - SPACE, rows as f32 * step.y), Sense::hover());
    let keys = ui.interact(rect, ui.scope_id().with("sheet keys"), Sense::focusable_noninteractive());
    let enabled = ui.is_enabled();
    keys.widget_info(|| WidgetInfo::labeled(egui::Role::ScrollView, enabled, "Contact sheet (left and right change the galaxy)"));
    for (n, (drawn, texture)) in sheet.draws.iter().zip(&shown.draws).enumerate() {
        let corner = rect.min + vec2((n % columns) as f32 * step.x, (n / columns) as f32 * step.y);
        let cell = Rect::from_min_size(corner, vec2(side, side));
        let words = format!("draw {}: {}", n + 1, describe(drawn, data));
        if picture(ui, texture, cell, &words, n == *chosen) {
            *chosen = n;
            keys.request_focus();
        }
        if let Some(Partner { index, own }) = drawn.mixed {
            let label = |index: usize| &data.set.classes[data.set.labels[index] as usize];
            let text = format!("{:.0} %, {:.0} % {}", 100.0 * own, 100.0 * (1.0 - own), label(index));
            caption(ui, pos2(cell.left(), cell.bottom() + 1.0), side, text);
        }
    }
    if !keys.has_focus() {
        return None;
    }
    ui.painter().rect_stroke(rect.expand(3.0), 3.0, Stroke::new(1.0, theme::palette(ui.visuals()).accent), StrokeKind::Outside);
    // without this the arrow keys would move the focus away
    let filter = egui::EventFilter { horizontal_arrows: true, ..Default::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(keys.id, filter));
    ui.input(|i| match (i.key_pressed(Key::ArrowLeft), i.key_pressed(Key::ArrowRight)) {
        (true, false) => Some(-1),
        (false, true) => Some(1),
        _ => None,
    })
}

/// Shows a picture that can be clicked.
fn picture(ui: &Ui, texture: &TextureHandle, rect: Rect, words: &str, chosen: bool) -> bool {
    let response = ui.interact(rect, ui.scope_id().with(("draw", words)), Sense::CLICK);
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(egui::Role::Button, enabled, chosen, words));
    let palette = theme::palette(ui.visuals());
    image(ui, texture, rect);
    if chosen {
        ui.painter().rect_stroke(rect, 2.0, Stroke::new(2.5, palette.accent), StrokeKind::Outside);
    } else if response.hovered() {
        ui.painter().rect_stroke(rect, 2.0, Stroke::new(1.5, palette.text), StrokeKind::Outside);
    }
    response.on_hover_text(words).clicked()
}

/// A texture in the middle of a rectangle, in its own proportions.
pub fn image(ui: &Ui, texture: &TextureHandle, rect: Rect) {
    let size = texture.size_vec2();
    let scale = (rect.width() / size.x).min(rect.height() / size.y);
    let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().image(texture.id(), Rect::from_center_size(rect.center(), size * scale), whole, Color32::WHITE);
}

/// A short line, cut where it does not fit.
fn caption(ui: &Ui, at: egui::Pos2, width: f32, text: String) {
    let palette = theme::palette(ui.visuals());
    let mut job = egui::text::LayoutJob::simple_singleline(text, FontId::proportional(10.5), palette.muted);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(at, galley, palette.muted);
}

/// A picture of the strip.
struct Stop<'a> {
    name: &'static str,
    words: String,
    active: bool,
    texture: &'a TextureHandle,
}

/// The chosen draw, step by step.
pub fn strip(ui: &mut Ui, shown: &Shown) {
    let sheet = &shown.sheet;
    let chosen = sheet.key.chosen.min(sheet.draws.len() - 1);
    ui.add_space(theme::SECTION_GAP);
    ui.horizontal_wrapped(|ui| {
        ui.strong(format!("Draw {} step by step", chosen + 1));
        ui.label(theme::muted(ui, "steps that do nothing here are grey"));
    });
    let stages = sheet.stages.iter().zip(&shown.stages).map(|(stage, texture)| {
        let name = name(stage.step);
        let nothing = if stage.active { "" } else { ": nothing" };
        let words = format!("{name}, {} x {} px{nothing}", stage.image.width(), stage.image.height());
        Stop { name, words, active: stage.active, texture }
    });
    let drawn = &sheet.draws[chosen];
    let mixed = drawn.mixed.map(|partner| {
        let words = format!("mixed with image {}", partner.index);
        Stop { name: "mixed", words, active: true, texture: &shown.draws[chosen] }
    });
    stops(ui, &stages.chain(mixed).collect::<Vec<_>>());
}

fn stops(ui: &mut Ui, stops: &[Stop<'_>]) {
    let palette = theme::palette(ui.visuals());
    let count = stops.len();
    let side = ((ui.available_width() + SPACE) / count as f32 - SPACE).clamp(CELL[0], CELL[1]).floor();
    let (rect, _) = ui.allocate_exact_size(vec2(count as f32 * (side + SPACE) - SPACE, side + CAPTION + 4.0), Sense::hover());
    for (n, stop) in stops.iter().enumerate() {
        let cell = Rect::from_min_size(pos2(rect.left() + n as f32 * (side + SPACE), rect.top()), vec2(side, side));
        let response = ui.interact(cell, ui.scope_id().with(("stage", n)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, format!("step {}", stop.words)));
        ui.painter().rect_filled(cell, 2.0, palette.field);
        image(ui, stop.texture, cell);
        let colour = if stop.active { palette.text } else { palette.muted.gamma_multiply(0.7) };
        let at = pos2(cell.center().x, cell.bottom() + 2.0);
        ui.painter().text(at, Align2::CENTER_TOP, stop.name, FontId::proportional(11.0), colour);
        response.on_hover_text(&stop.words);
    }
}

/// A step in a word.
fn name(step: Step) -> &'static str {
    match step {
        Step::Source => "source",
        Step::Crop => "crop",
        Step::Colour => "colour",
        Step::Blur => "blur",
        Step::Geometry => "geometry",
        Step::Finish => "noise, erase",
    }
}

/// A draw in words.
fn describe(drawn: &Drawn, data: &Data) -> String {
    let mut parts = parameters(&drawn.draw);
    if let Some(Partner { index, own }) = drawn.mixed {
        let class = &data.set.classes[data.set.labels[index] as usize];
        parts.push(format!("mixed with image {index} ({class}), which counts {:.0} %", 100.0 * (1.0 - own)));
    }
    if parts.is_empty() { "as it is".into() } else { parts.join(", ") }
}

fn parameters(draw: &Draw) -> Vec<String> {
    let mut parts = Vec::new();
    let mut when = |on: bool, words: String| {
        if on {
            parts.push(words);
        }
    };
    for step in &draw.colour {
        let words = match step {
            ColourStep::Brightness(factor) => format!("brightness x {factor:.2}"),
            ColourStep::Contrast(factor) => format!("contrast x {factor:.2}"),
            ColourStep::Saturation(factor) => format!("saturation x {factor:.2}"),
            ColourStep::Hue(turn) => format!("hue {:+.0}°", 360.0 * turn),
        };
        when(true, words);
    }
    when(draw.dimming < 1.0, format!("light x {:.2}", draw.dimming));
    when(draw.blur > 0.0, format!("blur {:.2} px", draw.blur));
    when(draw.flip, "mirrored".into());
    when(!draw.quarter_turns.is_multiple_of(4), format!("turned {}°", 90 * (draw.quarter_turns % 4)));
    when(draw.angle != 0.0, format!("turned {:.0}°", draw.angle));
    when((draw.zoom - 1.0).abs() > 1e-9, format!("zoom x {:.2}", draw.zoom));
    let [right, down] = draw.shift.map(|share| 100.0 * share);
    when(right != 0.0 || down != 0.0, format!("moved {right:+.0} %, {down:+.0} %"));
    when(draw.noise > 0.0, format!("noise {:.3}", draw.noise));
    when(draw.erase.is_some(), "a rectangle erased".into());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_told_in_words() {
        assert!(parameters(&Draw::default()).is_empty());
        let draw =
            Draw { flip: true, angle: 33.4, zoom: 1.25, colour: vec![ColourStep::Hue(-0.1)], erase: Some([0.0; 4]), ..Draw::default() };
        assert_eq!(parameters(&draw).join(", "), "hue -36°, mirrored, turned 33°, zoom x 1.25, a rectangle erased");
    }
}
