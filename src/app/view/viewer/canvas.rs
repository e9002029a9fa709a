//! The picture itself: the wheel zooms about the pointer, dragging moves, dragging with the right button changes brightness
//! and contrast. With the value under the pointer, a scale bar, and where north and east are.

use std::sync::Arc;

use egui::{
    Align2, Color32, ColorImage, FontId, Painter, PointerButton, Pos2, Rect, Response, RichText, Sense, Stroke, TextureHandle,
    TextureOptions, Ui, Vec2, pos2, vec2,
};

use super::sky::ScaleBar;
use super::tone::Tone;
use crate::app::state::{Data, Opened};
use crate::app::theme;
use crate::imaging::Image;

/// The largest zoom, in sides of the picture.
const LARGEST_ZOOM: f32 = 64.0;
/// From so many points a pixel on, its edges are shown sharp.
const SHARP: f32 = 3.0;
/// Length of the arrows to north and east.
const ARROW: f32 = 26.0;

/// What part of the picture is seen, and the texture of it.
#[derive(Clone)]
pub struct Canvas {
    /// 1 is the whole picture.
    zoom: f32,
    /// The middle of what is seen, in sides of the picture (0.5, 0.5 is its middle).
    middle: Vec2,
    drawn: Option<Drawn>,
}

#[derive(Clone)]
struct Drawn {
    image: Arc<Image>,
    tone: Tone,
    sharp: bool,
    texture: TextureHandle,
}

impl Default for Canvas {
    fn default() -> Self {
        Self { zoom: 1.0, middle: Vec2::splat(0.5), drawn: None }
    }
}

impl Canvas {
    /// Back to the whole picture.
    pub fn reset(&mut self) {
        (self.zoom, self.middle) = (1.0, Vec2::splat(0.5));
    }

    /// Shows the picture in a square of `side` points, and the read-out below.
    pub fn show(&mut self, ui: &mut Ui, opened: &Opened, data: &Data, tone: &mut Tone, side: f32) {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::click_and_drag());
        let palette = theme::palette(ui.visuals());
        ui.painter().rect_filled(rect, 3.0, palette.background);
        let enabled = ui.is_enabled();
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, enabled, format!("image {} large (wheel zooms, drag moves)", opened.index))
        });
        let image = match &opened.picture {
            Some(Ok(picture)) => &picture.image,
            Some(Err(message)) => {
                ui.put(rect, egui::Label::new(RichText::new(message).color(palette.bad)).wrap());
                ui.label("");
                return;
            }
            None => {
                ui.put(rect, egui::Spinner::new());
                ui.label("");
                return;
            }
        };
        self.navigate(ui, &response, tone, rect);
        let shown = self.place(rect, image);
        let points_per_pixel = shown.width() / image.width() as f32;
        let texture = self.texture(ui, image, *tone, points_per_pixel >= SHARP);
        let painter = ui.painter_at(rect);
        painter.image(texture, shown, Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)), Color32::WHITE);
        marks(&painter, rect, data, opened.index, points_per_pixel, tone.inverted);
        if response.hovered() {
            ui.ctx().set_cursor_icon(egui::CursorIcon::Crosshair);
        }
        let under = response.hover_pos().and_then(|pointer| pixel(image, shown, pointer));
        let text = match under {
            Some((x, y, [r, g, b])) => format!("Pixel {x}, {y}:  r {r}  g {g}  b {b}"),
            None => format!("Zoom {:.0} %  ·  {} x {} px", 100.0 * points_per_pixel, image.width(), image.height()),
        };
        ui.label(RichText::new(text).monospace().color(palette.muted));
    }

    fn navigate(&mut self, ui: &Ui, response: &Response, tone: &mut Tone, rect: Rect) {
        if response.dragged_by(PointerButton::Secondary) {
            let drag = response.drag_delta() / rect.size();
            tone.drag(drag.x, drag.y);
        } else if response.dragged() {
            self.middle -= response.drag_delta() / rect.width() / self.zoom;
        }
        if response.double_clicked() {
            self.reset();
        }
        if let Some(pointer) = response.hover_pos() {
            let wheel = ui.input(|input| input.smooth_scroll_delta().y / 200.0 + input.zoom_delta().ln());
            let zoom = (self.zoom * wheel.exp()).clamp(1.0, LARGEST_ZOOM);
            // what is under the pointer stays there
            self.middle += (pointer - rect.center()) / rect.width() * (1.0 / self.zoom - 1.0 / zoom);
            self.zoom = zoom;
        }
        let margin = 0.5 / self.zoom;
        self.middle = self.middle.clamp(Vec2::splat(margin.min(0.5)), Vec2::splat((1.0 - margin).max(0.5)));
    }

    /// Where the whole picture lies on the screen, part of it outside of `rect` when it is zoomed.
    fn place(&self, rect: Rect, image: &Image) -> Rect {
        let longer = image.width().max(image.height()) as f32;
        let size = vec2(image.width() as f32, image.height() as f32) / longer * rect.width() * self.zoom;
        Rect::from_center_size(rect.center() + (Vec2::splat(0.5) - self.middle) * rect.width() * self.zoom, size)
    }

    /// The texture of the picture as it is seen, made anew when the picture or the tone changed.
    fn texture(&mut self, ui: &Ui, image: &Arc<Image>, tone: Tone, sharp: bool) -> egui::TextureId {
        let fresh = |drawn: &Drawn| Arc::ptr_eq(&drawn.image, image) && drawn.tone == tone && drawn.sharp == sharp;
        if let Some(drawn) = self.drawn.as_ref().filter(|drawn| fresh(drawn)) {
            return drawn.texture.id();
        }
        let pixels: ColorImage = tone.apply(image);
        let options = if sharp { TextureOptions::NEAREST } else { TextureOptions::LINEAR };
        let texture = match self.drawn.take() {
            Some(mut drawn) => {
                drawn.texture.set(pixels, options);
                drawn.texture
            }
            None => ui.ctx().load_texture("large picture", pixels, options),
        };
        let id = texture.id();
        self.drawn = Some(Drawn { image: Arc::clone(image), tone, sharp, texture });
        id
    }
}

/// The pixel under the pointer and its values.
fn pixel(image: &Image, shown: Rect, pointer: Pos2) -> Option<(usize, usize, [u8; 3])> {
    let share = (pointer - shown.min) / shown.size();
    if !(0.0..1.0).contains(&share.x) || !(0.0..1.0).contains(&share.y) {
        return None;
    }
    let x = ((share.x * image.width() as f32) as usize).min(image.width() - 1);
    let y = ((share.y * image.height() as f32) as usize).min(image.height() - 1);
    let at = (y * image.width() + x) * 3;
    Some((x, y, [image.pixels()[at], image.pixels()[at + 1], image.pixels()[at + 2]]))
}

/// The scale bar, and arrows to north and east where the picture has a position (cut-outs of the Legacy Surveys have north
/// up and east left).
fn marks(painter: &Painter, rect: Rect, data: &Data, index: usize, points_per_pixel: f32, inverted: bool) {
    let catalogue = &data.set.catalogue;
    let known = |column: &[f64]| column.get(index).copied().filter(|v| v.is_finite());
    let (ink, edge) = if inverted { (Color32::BLACK, Color32::WHITE) } else { (Color32::WHITE, Color32::BLACK) };
    let line = |from: Pos2, to: Pos2| {
        painter.line_segment([from, to], Stroke::new(4.0, edge.gamma_multiply(0.6)));
        painter.line_segment([from, to], Stroke::new(2.0, ink));
    };
    let text = |at: Pos2, align: Align2, text: &str| {
        let font = FontId::proportional(12.0);
        for shift in [vec2(-1.0, 0.0), vec2(1.0, 0.0), vec2(0.0, -1.0), vec2(0.0, 1.0)] {
            painter.text(at + shift, align, text, font.clone(), edge.gamma_multiply(0.6));
        }
        painter.text(at, align, text, font, ink);
    };
    let room = f64::from(rect.width() * 0.4 / points_per_pixel);
    if let Some(bar) = ScaleBar::fitting(room, known(&catalogue.pxscale), known(&catalogue.redshift)) {
        let from = rect.left_bottom() + vec2(14.0, -14.0);
        line(from, from + vec2(bar.pixels as f32 * points_per_pixel, 0.0));
        text(from - vec2(0.0, 6.0), Align2::LEFT_BOTTOM, &bar.words());
    }
    if known(&catalogue.ra).is_some() && known(&catalogue.dec).is_some() {
        let from = rect.right_bottom() + vec2(-16.0, -16.0);
        for (direction, name, align) in [(vec2(0.0, -1.0), "N", Align2::CENTER_BOTTOM), (vec2(-1.0, 0.0), "E", Align2::RIGHT_CENTER)] {
            let to = from + direction * ARROW;
            line(from, to);
            for side in [-1.0, 1.0] {
                line(to, to - direction * 6.0 + direction.rot90() * 4.0 * side);
            }
            text(to + direction * 4.0, align, name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pixel_under_the_pointer_is_the_one_that_is_shown_there() {
        let image = Image::new(2, 1, vec![1, 2, 3, 4, 5, 6]).expect("two pixels");
        let canvas = Canvas { zoom: 2.0, middle: vec2(0.5, 0.5), drawn: None };
        let shown = canvas.place(Rect::from_min_size(pos2(10.0, 10.0), Vec2::splat(100.0)), &image);
        assert_eq!(shown, Rect::from_min_size(pos2(-40.0, 10.0), vec2(200.0, 100.0)));
        assert_eq!(pixel(&image, shown, pos2(59.0, 60.0)), Some((0, 0, [1, 2, 3])));
        assert_eq!(pixel(&image, shown, pos2(61.0, 60.0)), Some((1, 0, [4, 5, 6])));
        assert_eq!(pixel(&image, shown, pos2(61.0, 111.0)), None);
    }
}
