//! Galaxies as cards: the picture and beside it what it was called and what it is labelled, with probabilities. Only the rows
//! in sight exist.

use egui::{Color32, FontId, Key, Rect, Response, ScrollArea, Sense, Stroke, StrokeKind, TextureId, Ui, WidgetInfo, pos2, vec2};

use super::in_sight::in_sight;
use crate::app::theme;

/// One galaxy.
pub struct Card {
    /// Its picture, once there is one.
    pub texture: Option<TextureId>,
    /// Names with probabilities: the called class first, then the label if it is another.
    pub lines: Vec<(String, f32)>,
    /// Below them.
    pub remark: String,
    /// The whole in words.
    pub words: String,
}

/// What to show.
pub struct Cards<'a> {
    /// The number of galaxies.
    pub count: usize,
    /// The galaxy at a place.
    pub card: &'a dyn Fn(usize) -> Card,
    /// Whether the list takes the keyboard now, and scrolls to the selection.
    pub take_focus: bool,
}

/// What was done with the cards.
#[derive(Debug, Default)]
pub struct CardsResponse {
    /// The places in sight.
    pub visible: std::ops::Range<usize>,
    /// The place whose picture is to be opened large.
    pub opened: Option<usize>,
}

/// Height of a card.
const HEIGHT: f32 = 64.0;
/// Least width of a card.
const WIDTH: f32 = 232.0;

/// Shows the cards in all the space there is. `selected` is the place that the keys move.
pub fn show(ui: &mut Ui, cards: &Cards<'_>, selected: &mut usize) -> CardsResponse {
    let bar = ui.spacing().scroll.bar_width + ui.spacing().scroll.bar_inner_margin;
    let width = ui.available_width() - bar + theme::THUMBNAIL_GAP;
    let columns = ((width / (WIDTH + theme::THUMBNAIL_GAP)) as usize).max(1);
    let step = vec2((width / columns as f32).floor(), HEIGHT + theme::THUMBNAIL_GAP);
    let rows = cards.count.div_ceil(columns);
    let height = ui.available_height();
    let keys = ui.interact(ui.available_rect_before_wrap(), ui.scope_id().with("card keys"), Sense::focusable_noninteractive());
    let enabled = ui.is_enabled();
    keys.widget_info(|| {
        WidgetInfo::labeled(egui::Role::ScrollView, enabled, "Galaxies (arrow keys move, N next, P previous, Enter opens)")
    });
    // the key that brought the keyboard here is not one of the list's own
    let has_focus = keys.has_focus();
    if cards.take_focus {
        keys.request_focus();
    }
    let mut result = CardsResponse::default();
    let moved = has_focus && move_selection(ui, &keys, selected, columns, cards.count);
    if has_focus && ui.input(|i| i.key_pressed(Key::Enter)) && *selected < cards.count {
        result.opened = Some(*selected);
    }
    let mut area = ScrollArea::vertical().id_salt("cards").auto_shrink(false);
    if moved || cards.take_focus {
        let top = (*selected / columns) as f32 * step.y;
        let now = ui.data(|d| d.get_temp(offset_id(ui))).unwrap_or(0.0_f32);
        area = area.vertical_scroll_offset(now.clamp((top + HEIGHT - height).clamp(0.0, top), top));
    }
    let output = area.show_viewport(ui, |ui, viewport| {
        ui.set_height((rows as f32 * step.y - theme::THUMBNAIL_GAP).max(0.0));
        ui.set_width(ui.available_width());
        result.visible = in_sight(viewport.y_range(), step.y, columns, cards.count);
        let origin = ui.max_rect().min;
        for place in result.visible.clone() {
            let at = origin + vec2((place % columns) as f32 * step.x, (place / columns) as f32 * step.y);
            let rect = Rect::from_min_size(at, vec2(step.x - theme::THUMBNAIL_GAP, HEIGHT));
            let response = card(ui, &(cards.card)(place), place, rect, *selected == place);
            if response.double_clicked() {
                result.opened = Some(place);
            }
            if response.clicked() {
                *selected = place;
                keys.request_focus();
            }
        }
    });
    ui.data_mut(|d| d.insert_temp(offset_id(ui), output.state.clamped_offset().y));
    result
}

fn offset_id(ui: &Ui) -> egui::Id {
    ui.scope_id().with("card offset")
}

/// Moves the selection by the keys; true if it moved.
fn move_selection(ui: &Ui, keys: &Response, selected: &mut usize, columns: usize, count: usize) -> bool {
    // without this the arrow keys would move the focus away
    let filter = egui::EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(keys.id, filter));
    let last = count.saturating_sub(1);
    let before = *selected;
    let place = before.min(last);
    ui.input(|i| {
        let pressed = |key| i.key_pressed(key);
        *selected = if pressed(Key::ArrowRight) || pressed(Key::N) {
            (place + 1).min(last)
        } else if pressed(Key::ArrowLeft) || pressed(Key::P) {
            place.saturating_sub(1)
        } else if pressed(Key::ArrowDown) && place + columns <= last {
            place + columns
        } else if pressed(Key::ArrowUp) && place >= columns {
            place - columns
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

fn card(ui: &Ui, card: &Card, place: usize, rect: Rect, selected: bool) -> Response {
    let response = ui.interact(rect, ui.scope_id().with(("card", place)), Sense::CLICK);
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, enabled, &card.words));
    let palette = theme::palette(ui.visuals());
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, palette.field);
    let picture = Rect::from_min_size(rect.min, vec2(HEIGHT, HEIGHT));
    painter.rect_filled(picture, 4.0, palette.line);
    if let Some(texture) = card.texture {
        painter.image(texture, picture, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
    }
    let (left, right) = (picture.right() + 8.0, rect.right() - 8.0);
    let font = FontId::proportional(11.5);
    let mut top = rect.top() + 4.0;
    for (rank, (name, p)) in card.lines.iter().enumerate() {
        let (text, fill) = if rank == 0 { (palette.text, palette.accent) } else { (palette.muted, palette.muted) };
        let percent = painter.layout_no_wrap(format!("{:.0} %", 100.0 * p), font.clone(), text);
        let mut job = egui::text::LayoutJob::simple_singleline(name.clone(), font.clone(), text);
        job.wrap = egui::text::TextWrapping::truncate_at_width(right - left - percent.size().x - 6.0);
        painter.galley(pos2(left, top), painter.layout_job(job), text);
        painter.galley(pos2(right - percent.size().x, top), percent, text);
        let rail = Rect::from_min_max(pos2(left, top + 15.0), pos2(right, top + 18.0));
        painter.rect_filled(rail, 1.0, palette.line);
        let share = Rect::from_min_size(rail.min, vec2(rail.width() * p.clamp(0.0, 1.0), rail.height()));
        painter.rect_filled(share, 1.0, fill);
        top += 21.0;
    }
    let remark = FontId::proportional(10.5);
    let mut job = egui::text::LayoutJob::simple_singleline(card.remark.clone(), remark, palette.muted);
    job.wrap = egui::text::TextWrapping::truncate_at_width(right - left);
    let galley = painter.layout_job(job);
    painter.galley(pos2(left, rect.bottom() - 3.0 - galley.size().y), galley, palette.muted);
    if selected {
        painter.rect_stroke(rect, 4.0, Stroke::new(2.0, palette.accent), StrokeKind::Inside);
    } else if response.hovered() {
        painter.rect_stroke(rect, 4.0, Stroke::new(1.0, palette.muted), StrokeKind::Inside);
    }
    if response.hovered() { response.on_hover_text(&card.words) } else { response }
}
