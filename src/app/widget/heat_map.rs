//! A matrix of numbers as coloured cells, with names on both axes and a colour bar.

use egui::{Align2, Color32, FontId, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::app::theme::{self, Palette};

/// What to show.
pub struct HeatMap<'a> {
    /// Names of rows and columns; their number is the side of the matrix.
    pub names: &'a [String],
    /// Row by row from the top; `names.len()` squared, at least 0.
    pub values: &'a [f64],
    /// The value that gets the last colour of the colour bar; above 0.
    pub largest: f64,
    /// How a value is written in its cell and at the colour bar.
    pub format: &'a dyn Fn(f64) -> String,
    /// Above and below the columns, beside the rows.
    pub row_title: &'a str,
    /// Below the columns.
    pub column_title: &'a str,
    /// What a cell says when the pointer is on it.
    pub explain: &'a dyn Fn(usize, usize) -> String,
    /// The whole in words, for those who cannot see it.
    pub summary: &'a str,
}

/// Widest that the names of the rows may get, as a share of the width.
const NAME_SHARE: f32 = 0.3;
/// The slant of the columns' names.
const SLANT: f32 = -std::f32::consts::FRAC_PI_4;

/// Where everything goes.
struct Plan {
    cells: Rect,
    bar: Rect,
    side: usize,
    font: FontId,
}

impl Plan {
    fn new(rect: Rect, side: usize, name_width: f32) -> Self {
        let font = FontId::proportional(11.0);
        let bar_room = theme::COLOUR_BAR + 40.0;
        let left = name_width + 22.0;
        let bottom = name_width * std::f32::consts::FRAC_1_SQRT_2 + 26.0;
        let cells = Rect::from_min_max(rect.min + vec2(left, 2.0), rect.max - vec2(bar_room, bottom));
        let bar = Rect::from_min_size(cells.right_top() + vec2(10.0, 0.0), vec2(theme::COLOUR_BAR, cells.height()));
        Self { cells, bar, side, font }
    }

    fn cell(&self, row: usize, column: usize) -> Rect {
        let size = self.cells.size() / self.side as f32;
        Rect::from_min_size(self.cells.min + vec2(column as f32 * size.x, row as f32 * size.y), size)
    }

    fn at(&self, pointer: Pos2) -> Option<(usize, usize)> {
        if !self.cells.contains(pointer) {
            return None;
        }
        let at = (pointer - self.cells.min) / self.cells.size() * self.side as f32;
        Some(((at.y as usize).min(self.side - 1), (at.x as usize).min(self.side - 1)))
    }
}

/// Shows the matrix in all the space there is.
pub fn show(ui: &mut Ui, map: &HeatMap<'_>) -> Response {
    let size = ui.available_size().max(vec2(160.0, 140.0));
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, enabled, map.summary));
    if !ui.is_rect_visible(rect) || map.names.is_empty() {
        return response;
    }
    let palette = theme::palette(ui.visuals());
    let font = FontId::proportional(11.0);
    let longest = map.names.iter().map(|name| galley(ui, name, &font, f32::INFINITY).size().x).fold(0.0, f32::max);
    let plan = Plan::new(rect, map.names.len(), longest.min(rect.width() * NAME_SHARE).min(rect.height() * 0.34));
    paint_cells(ui, map, &plan);
    paint_names(ui, map, &plan, &palette);
    paint_bar(ui, map, &plan, &palette);
    let Some((row, column)) = response.hover_pos().and_then(|pointer| plan.at(pointer)) else { return response };
    ui.painter().rect_stroke(plan.cell(row, column), 1.0, Stroke::new(2.0, palette.text), StrokeKind::Inside);
    response.on_hover_text_at_pointer((map.explain)(row, column))
}

/// One line of text, cut with an ellipsis at `width`.
fn galley(ui: &Ui, text: &str, font: &FontId, width: f32) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font.clone(), Color32::PLACEHOLDER);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    ui.painter().layout_job(job)
}

fn paint_cells(ui: &Ui, map: &HeatMap<'_>, plan: &Plan) {
    let size = plan.cells.size() / plan.side as f32;
    let font = FontId::proportional((size.y * 0.55).min(size.x * 0.36).clamp(7.0, 14.0));
    let readable = size.y >= 11.0 && size.x >= 15.0;
    for row in 0..plan.side {
        for column in 0..plan.side {
            let value = map.values[row * plan.side + column];
            let fill = theme::heat(value / map.largest);
            let cell = plan.cell(row, column);
            ui.painter().rect_filled(cell.shrink(0.5), 1.0, fill);
            // a matrix full of noughts is hard to read, so they are left out
            if readable && value > 0.0 {
                ui.painter().text(cell.center(), Align2::CENTER_CENTER, (map.format)(value), font.clone(), theme::text_on(fill));
            }
        }
    }
}

fn paint_names(ui: &Ui, map: &HeatMap<'_>, plan: &Plan, palette: &Palette) {
    let room = plan.cells.left() - (ui.min_rect().left().max(plan.cells.left() - 400.0)) - 22.0;
    for (i, name) in map.names.iter().enumerate() {
        let text = galley(ui, name, &plan.font, room);
        let row = plan.cell(i, 0);
        let at = pos2(row.left() - 6.0 - text.size().x, row.center().y - text.size().y / 2.0);
        ui.painter().galley_with_override_text_color(at, text.clone(), palette.text);
        // slanted, ending under the middle of its column
        let column = plan.cell(plan.side - 1, i);
        let (sin, cos) = SLANT.sin_cos();
        let (w, h) = (text.size().x, text.size().y);
        let end = pos2(column.center().x, column.bottom() + 5.0);
        let start = end - vec2(w * cos - h * sin / 2.0, w * sin + h * cos / 2.0) - vec2(0.0, -h * 0.35);
        let shape = egui::epaint::TextShape::new(start, text, palette.text).with_override_text_color(palette.text).with_angle(SLANT);
        ui.painter().add(shape);
    }
    let rect = ui.min_rect();
    let title = FontId::proportional(11.0);
    ui.painter().text(pos2(plan.cells.center().x, rect.bottom()), Align2::CENTER_BOTTOM, map.column_title, title.clone(), palette.muted);
    let text = galley(ui, map.row_title, &title, f32::INFINITY);
    let at = pos2(rect.left(), plan.cells.center().y + text.size().x / 2.0);
    let upright = egui::epaint::TextShape::new(at, text, palette.muted)
        .with_override_text_color(palette.muted)
        .with_angle(-std::f32::consts::FRAC_PI_2);
    ui.painter().add(upright);
}

fn paint_bar(ui: &Ui, map: &HeatMap<'_>, plan: &Plan, palette: &Palette) {
    const STEPS: usize = 48;
    let height = plan.bar.height() / STEPS as f32;
    for step in 0..STEPS {
        let top = plan.bar.bottom() - (step + 1) as f32 * height;
        let strip = Rect::from_min_size(pos2(plan.bar.left(), top), vec2(plan.bar.width(), height + 0.5));
        ui.painter().rect_filled(strip, 0.0, theme::heat((step as f64 + 0.5) / STEPS as f64));
    }
    for (share, align) in [(0.0, Align2::LEFT_BOTTOM), (0.5, Align2::LEFT_CENTER), (1.0, Align2::LEFT_TOP)] {
        let at = pos2(plan.bar.right() + 5.0, plan.bar.bottom() - share * plan.bar.height());
        let label = (map.format)(map.largest * f64::from(share));
        ui.painter().text(at, align, label, plan.font.clone(), palette.muted);
    }
}
