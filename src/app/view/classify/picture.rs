//! The picture under its map, with the crop box and the colour bar; beside it the map of the second model, where there is one.

use egui::{Align2, Color32, FontId, Image, Rect, Sense, TextureHandle, Ui, WidgetInfo, pos2, vec2};

use crate::app::inspect::{MapState, Question, Shown};
use crate::app::state::{Picture, State, Subject};
use crate::app::theme;
use crate::explain::{number, ticks};
use crate::imaging::Frame;

/// Sides of the handle that sizes the crop box, points.
const HANDLE: f32 = 14.0;
/// The smallest crop box, pixels of the picture.
const SMALLEST_BOX: f32 = 8.0;
/// The width of a colour bar with its numbers, points.
const BAR: f32 = theme::COLOUR_BAR + 42.0;
/// The height of its heading, points.
const HEADING: f32 = 14.0;
/// The least height of its colours, also beside a picture that is a strip, points.
const LEAST_BAR: f32 = 24.0;
/// The height of one of its numbers, points.
const NUMBER: f32 = 11.0;
/// The longer side of a picture, points.
const LONGEST: f32 = 520.0;
const SHORTEST: f32 = 80.0;
/// What is left below a picture for the line that tells what it is, points.
const CAPTION: f32 = 60.0;

/// What is being dragged.
#[derive(Clone, Default)]
pub struct PictureView {
    /// The crop box while it is dragged: left, top and side in pixels of the picture.
    dragged: Option<[f32; 3]>,
}

impl PictureView {
    /// Shows the picture, and that of the second model, within `room`.
    pub fn show(&mut self, ui: &mut Ui, state: &State, subject: &Subject, picture: &Picture, question: &mut Question, room: egui::Vec2) {
        let shown = match &state.inspect.map {
            MapState::Ready(shown) if state.inspect.explainer.as_ref().is_some_and(|explainer| shown.of(explainer)) => Some(&**shown),
            _ => None,
        };
        let (compares, gap) = (compares(state), ui.spacing().item_spacing.x);
        let (count, below) = if compares { (2.0, CAPTION) } else { (1.0, 0.0) };
        let longer = ((room.x - gap) / count - BAR - 2.0 * gap).min(room.y - below).clamp(SHORTEST, LONGEST);
        let size = vec2(picture.image.width() as f32, picture.image.height() as f32);
        let size = size * (longer / size.max_elem());
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_max_width(size.x + gap + BAR);
                let alt = match shown {
                    Some(shown) => format!("picture {} with map: {}", subject.name, shown.legend.join("; ")),
                    None => format!("picture {}", subject.name),
                };
                let texture = shown.map_or(&picture.texture, |shown| &shown.texture);
                let response = with_bar(ui, texture, shown, size, alt);
                if question.marked.is_some() {
                    self.crop_box(ui, response.rect, size.x / picture.image.width() as f32, question);
                } else {
                    self.dragged = None;
                }
                if let Some(shown) = shown.filter(|_| compares) {
                    ui.label(theme::muted(ui, format!("this model: {}", words(shown))).small());
                }
            });
            if !compares {
                return;
            }
            ui.vertical(|ui| {
                ui.set_max_width(size.x + gap + BAR);
                let Some(shown) = second(state) else {
                    ui.add(egui::Spinner::new().size(14.0));
                    return;
                };
                let name = &state.inspect.rival.name;
                with_bar(ui, &shown.texture, Some(shown), size, format!("map of {name}: {}", words(shown)));
                ui.label(theme::muted(ui, format!("{name}: {}", words(shown))).small());
            });
        });
    }

    /// The crop box: drag it to move it, drag its corner to size it. It takes effect when it is let go.
    fn crop_box(&mut self, ui: &mut Ui, rect: Rect, scale: f32, question: &mut Question) {
        let Some(frame) = question.marked else { return };
        let [mut x, mut y, mut side] = self.dragged.unwrap_or([frame.x as f32, frame.y as f32, frame.width as f32]);
        let on_screen = |x: f32, y: f32, side: f32| Rect::from_min_size(rect.min + vec2(x, y) * scale, vec2(side, side) * scale);
        let id = ui.scope_id().with("crop box");
        let here = on_screen(x, y, side);
        let body = ui.interact(here.intersect(rect), id, Sense::drag());
        let corner = Rect::from_center_size(here.max - vec2(HANDLE / 4.0, HANDLE / 4.0), vec2(HANDLE, HANDLE));
        let handle = ui.interact(corner, id.with("size"), Sense::drag());
        for (response, label) in [(&body, "Move the crop box"), (&handle, "Size the crop box")] {
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Unknown, true, label));
        }
        // the pointer's way to where it was pressed is no part of the drag
        let started = handle.drag_started() || body.drag_started();
        if started {
            self.dragged = Some([x, y, side]);
        } else if handle.dragged() {
            let delta = handle.drag_delta();
            side = (side + delta.x.max(delta.y) / scale).max(SMALLEST_BOX);
        } else if body.dragged() {
            x += body.drag_delta().x / scale;
            y += body.drag_delta().y / scale;
        }
        if handle.dragged() || body.dragged() {
            self.dragged = Some([x, y, side]);
        } else if self.dragged.take().is_some() {
            question.marked =
                Some(Frame { x: x.round() as i64, y: y.round() as i64, width: side.round() as usize, height: side.round() as usize });
        }
        let palette = theme::palette(ui.visuals());
        let painter = ui.painter().with_clip_rect(rect.expand(HANDLE));
        let here = on_screen(x, y, side);
        painter.rect_stroke(here, 0.0, egui::Stroke::new(3.0, palette.background), egui::StrokeKind::Middle);
        painter.rect_stroke(here, 0.0, egui::Stroke::new(1.5, palette.warn), egui::StrokeKind::Middle);
        painter.rect_filled(Rect::from_center_size(here.max, vec2(HANDLE * 0.6, HANDLE * 0.6)), 1.0, palette.warn);
        if body.hovered() {
            ui.ctx().set_cursor_icon(egui::CursorIcon::Move);
        }
        if handle.hovered() {
            ui.ctx().set_cursor_icon(egui::CursorIcon::ResizeNwSe);
        }
    }
}

/// Whether the map of a second model stands beside the picture's, or will.
pub fn compares(state: &State) -> bool {
    let rival = &state.inspect.rival;
    let answers = matches!(rival.answer, Some(Ok(_))) || (rival.answer.is_none() && rival.asking);
    answers && state.inspect.question.map && rival.classifier.is_some() && state.inspect.explainer.is_some()
}

/// The map of the second model.
fn second(state: &State) -> Option<&Shown> {
    let answer = state.inspect.rival.answer.as_ref()?.as_ref().ok()?;
    answer.shown.as_deref()
}

/// What a map is, in a line.
fn words(shown: &Shown) -> String {
    let warnings = shown.legend.iter().skip(2).filter(|line| warns(line));
    shown.legend.iter().take(2).chain(warnings).map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Whether a line of the legend says that the map shows nothing, or little.
pub fn warns(line: &str) -> bool {
    line.starts_with("No positive") || line.starts_with("Only ")
}

/// A picture, and to its right the colours of its map.
fn with_bar(ui: &mut Ui, texture: &TextureHandle, shown: Option<&Shown>, size: egui::Vec2, alt: String) -> egui::Response {
    ui.horizontal_top(|ui| {
        let response = ui.add(Image::new(texture).fit_to_exact_size(size).alt_text(alt));
        if let Some(shown) = shown {
            colour_bar(ui, shown, size.y);
        }
        response
    })
    .inner
}

/// The colours of the map from top to bottom, with numbers.
fn colour_bar(ui: &mut Ui, shown: &Shown, height: f32) {
    const STEPS: usize = 64;
    let (explanation, style) = (&shown.explanation, &shown.scaled);
    let ((low, high), colours) = (style.range(explanation), style.colours_of(explanation));
    let (rect, response) = ui.allocate_exact_size(vec2(BAR, height.max(HEADING + LEAST_BAR)), Sense::hover());
    let unit = if explanation.in_logits() { "logit" } else { "relative" };
    let label = format!("Colour bar from {} to {}, {unit}", number(low), number(high));
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &label));
    let palette = theme::palette(ui.visuals());
    ui.painter().text(rect.min, Align2::LEFT_TOP, unit, FontId::proportional(11.0), palette.muted);
    let height = rect.height() - HEADING;
    let bar = Rect::from_min_size(rect.min + vec2(0.0, HEADING), vec2(theme::COLOUR_BAR, height));
    let row = height / STEPS as f32;
    for step in 0..STEPS {
        let [r, g, b] = colours.at(1.0 - (step as f32 + 0.5) / STEPS as f32);
        let top = bar.top() + step as f32 * row;
        ui.painter().rect_filled(Rect::from_min_size(pos2(bar.left(), top), vec2(bar.width(), row + 0.5)), 0.0, Color32::from_rgb(r, g, b));
    }
    let mut above = f32::INFINITY;
    for tick in ticks(low, high) {
        let y = bar.bottom() - (tick - low) / (high - low) * height;
        ui.painter().hline(bar.right()..=bar.right() + 3.0, y, egui::Stroke::new(1.0, palette.muted));
        let y = y.clamp(bar.top() + 5.0, bar.bottom() - 5.0);
        // numbers that would lie on each other are left out
        if above - y < NUMBER {
            continue;
        }
        above = y;
        ui.painter().text(pos2(bar.right() + 5.0, y), Align2::LEFT_CENTER, number(tick), FontId::proportional(11.0), palette.muted);
    }
}
