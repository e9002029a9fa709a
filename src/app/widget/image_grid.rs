//! A grid of thumbnails of which only the rows in sight exist, so that any number of pictures costs the same.

use egui::{Color32, Key, Rect, Response, ScrollArea, Sense, Stroke, StrokeKind, TextureId, Ui, WidgetInfo, pos2, vec2};

use super::in_sight::in_sight;
use crate::app::theme;

/// What to show.
pub struct ImageGrid<'a> {
    /// The number of pictures.
    pub count: usize,
    /// The least side of a picture on the screen.
    pub side: f32,
    /// The texture of the picture at a place, once there is one.
    pub texture: &'a dyn Fn(usize) -> Option<TextureId>,
    /// The picture at a place in words.
    pub label: &'a dyn Fn(usize) -> String,
    /// A coloured corner for the picture at a place.
    pub mark: &'a dyn Fn(usize) -> Option<Color32>,
    /// Whether the grid takes the keyboard now, and scrolls to the selection.
    pub take_focus: bool,
}

/// What was done with the grid.
#[derive(Debug, Default)]
pub struct GridResponse {
    /// The places in sight.
    pub visible: std::ops::Range<usize>,
    /// The place that was opened by a click or the Enter key.
    pub opened: Option<usize>,
    /// Whether the grid has the keyboard.
    pub focused: bool,
}

/// Shows the grid in all the space there is. `selected` is the place that the arrow keys move; it is scrolled to.
pub fn show(ui: &mut Ui, grid: &ImageGrid<'_>, selected: &mut usize) -> GridResponse {
    let bar = ui.spacing().scroll.bar_width + ui.spacing().scroll.bar_inner_margin;
    // as many columns as fit, widened to fill the row
    let width = ui.available_width() - bar + theme::THUMBNAIL_GAP;
    let columns = ((width / (grid.side + theme::THUMBNAIL_GAP)) as usize).max(1);
    let step = (width / columns as f32).floor();
    let side = step - theme::THUMBNAIL_GAP;
    let rows = grid.count.div_ceil(columns);
    let height = ui.available_height();
    let keys = ui.interact(ui.available_rect_before_wrap(), ui.scope_id().with("grid keys"), Sense::focusable_noninteractive());
    let enabled = ui.is_enabled();
    keys.widget_info(|| {
        WidgetInfo::labeled(egui::Role::ScrollView, enabled, "Pictures (arrow keys move, Enter opens, 0 to 9 relabel, T tags, U undoes)")
    });
    if grid.take_focus {
        keys.request_focus();
    }
    let moved = keys.has_focus() && move_selection(ui, &keys, selected, columns, grid.count, (height / step) as usize);
    let mut result = GridResponse { focused: keys.has_focus(), ..GridResponse::default() };
    if keys.has_focus() && ui.input(|i| i.key_pressed(Key::Enter)) && *selected < grid.count {
        result.opened = Some(*selected);
    }
    let mut area = ScrollArea::vertical().id_salt("grid").auto_shrink(false);
    if moved || grid.take_focus {
        let top = (*selected / columns) as f32 * step;
        let offset = area_offset(ui, top, top + side - height);
        area = area.vertical_scroll_offset(offset);
    }
    ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
    let output = area.show_viewport(ui, |ui, viewport| {
        ui.set_height((rows as f32 * step - theme::THUMBNAIL_GAP).max(0.0));
        ui.set_width(ui.available_width());
        result.visible = in_sight(viewport.y_range(), step, columns, grid.count);
        let origin = ui.max_rect().min;
        for place in result.visible.clone() {
            let at = origin + vec2((place % columns) as f32 * step, (place / columns) as f32 * step);
            let rect = Rect::from_min_size(at, vec2(side, side));
            if cell(ui, grid, place, rect, keys.has_focus() && *selected == place).clicked() {
                *selected = place;
                result.opened = Some(place);
                keys.request_focus();
            }
        }
    });
    ui.data_mut(|d| d.insert_temp(offset_id(ui), output.state.clamped_offset().y));
    result
}

fn offset_id(ui: &Ui) -> egui::Id {
    ui.scope_id().with("grid offset")
}

/// The scroll offset between `least` and `most` that is nearest to the present one.
fn area_offset(ui: &Ui, most: f32, least: f32) -> f32 {
    let now = ui.data(|d| d.get_temp(offset_id(ui))).unwrap_or(0.0_f32);
    now.clamp(least.clamp(0.0, most), most)
}

/// Moves the selection by the arrow keys; true if it moved.
fn move_selection(ui: &Ui, keys: &Response, selected: &mut usize, columns: usize, count: usize, page_rows: usize) -> bool {
    // without this the arrow keys would move the focus away
    let filter = egui::EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(keys.id, filter));
    let page = columns * page_rows.max(1);
    let last = count.saturating_sub(1);
    let before = *selected;
    let place = before.min(last);
    ui.input(|i| {
        let pressed = |key| i.key_pressed(key);
        *selected = if pressed(Key::ArrowRight) {
            (place + 1).min(last)
        } else if pressed(Key::ArrowLeft) {
            place.saturating_sub(1)
        } else if pressed(Key::ArrowDown) {
            if place + columns <= last { place + columns } else { place }
        } else if pressed(Key::ArrowUp) {
            if place >= columns { place - columns } else { place }
        } else if pressed(Key::PageDown) {
            (place + page).min(last)
        } else if pressed(Key::PageUp) {
            place.saturating_sub(page)
        } else if pressed(Key::Home) {
            0
        } else if pressed(Key::End) {
            last
        } else {
            before
        };
    });
    *selected != before
}

fn cell(ui: &Ui, grid: &ImageGrid<'_>, place: usize, rect: Rect, selected: bool) -> Response {
    let response = ui.interact(rect, ui.scope_id().with(("cell", place)), Sense::CLICK);
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, enabled, (grid.label)(place)));
    let palette = theme::palette(ui.visuals());
    match (grid.texture)(place) {
        Some(texture) => {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(texture, rect, whole, Color32::WHITE);
        }
        None => {
            ui.painter().rect_filled(rect, 3.0, palette.field);
        }
    }
    if let Some(colour) = (grid.mark)(place) {
        let (corner, side) = (rect.right_top(), (rect.width() * 0.22).min(18.0));
        let triangle = vec![corner, corner - vec2(side, 0.0), corner + vec2(0.0, side)];
        ui.painter().add(egui::Shape::convex_polygon(triangle, colour, Stroke::new(1.0, palette.panel)));
    }
    if selected {
        ui.painter().rect_stroke(rect, 3.0, Stroke::new(2.5, palette.accent), StrokeKind::Outside);
    } else if response.hovered() {
        ui.painter().rect_stroke(rect, 3.0, Stroke::new(1.5, palette.text), StrokeKind::Outside);
    }
    if response.hovered() { response.on_hover_text((grid.label)(place)) } else { response }
}
