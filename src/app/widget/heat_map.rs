//! A matrix of numbers as coloured cells, with names on both axes and a colour bar. A cell is chosen by a click, or by the
//! arrow keys and Enter.

use egui::{Align2, Color32, FontId, Key, Pos2, Rect, Response, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::app::theme::{self, Palette};

/// What to show.
pub struct HeatMap<'a> {
    /// Names of rows and columns; their number is the side of the matrix.
    pub names: &'a [String],
    /// Row by row from the top; `names.len()` squared.
    pub values: &'a [f64],
    /// The colour of a value.
    pub colour: &'a dyn Fn(f64) -> Color32,
    /// The value at a share (0 to 1, from below) of the colour bar.
    pub at: &'a dyn Fn(f64) -> f64,
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
    /// The cell that the keys move, row and column.
    pub cursor: (usize, usize),
    /// Whether its galaxies are shown.
    pub opened: bool,
}

/// What was done with the matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeatMapResponse {
    /// The cell that the keys moved to.
    pub moved: Option<(usize, usize)>,
    /// The cell that was opened by a click or the Enter key.
    pub opened: Option<(usize, usize)>,
}

/// With more classes than this the cells have no names of their own for those who cannot see them; the keys still say where they are.
const NAMED: usize = 24;

/// Widest that the names of the rows may get, as a share of the width.
const NAME_SHARE: f32 = 0.3;
/// Below this height, pixels, columns have numbers instead of names.
const NUMBERED: f32 = 300.0;
/// The smallest and the largest font of a cell's number: where only a smaller one fits, there are none.
const READABLE: f32 = 8.5;
const LARGEST: f32 = 14.0;
/// The smallest and the largest font of a name.
const SMALL_NAME: f32 = 7.0;
const NAME: f32 = 11.0;
/// Width of a digit below a column, and of the gap between two numbers, as shares of their font.
const DIGIT: f32 = 0.6;
const NUMBER_GAP: f32 = 0.3;
/// The slant of the columns' names.
const SLANT: f32 = -std::f32::consts::FRAC_PI_4;

/// What a name below a column needs from side to side, as a share of its font: a slanted one its height at that slant.
fn across(numbered: bool, side: usize) -> f32 {
    if numbered { NUMBER_GAP + DIGIT * side.saturating_sub(1).to_string().len() as f32 } else { std::f32::consts::SQRT_2 }
}

/// Where everything goes.
struct Plan {
    cells: Rect,
    bar: Rect,
    side: usize,
    font: FontId,
    /// So many rows or columns share one name, which is the first one's: where they are narrow, all names would lie on each other.
    every: [usize; 2],
    /// Where it is low, columns have the numbers of their classes, and rows have them before their names.
    numbered: bool,
}

impl Plan {
    fn new(rect: Rect, side: usize, longest: f32) -> Self {
        let bar_room = theme::COLOUR_BAR + 40.0;
        let numbered = rect.height() < NUMBERED;
        let most = rect.width() * NAME_SHARE;
        let name_width = if numbered { (longest + 18.0).min(most) } else { longest.min(most).min(rect.height() * 0.34) };
        let left = name_width + 22.0;
        let bottom = if numbered { 34.0 } else { name_width * std::f32::consts::FRAC_1_SQRT_2 + 26.0 };
        let cells = Rect::from_min_max(rect.min + vec2(left, 2.0), rect.max - vec2(bar_room, bottom));
        let bar = Rect::from_min_size(cells.right_top() + vec2(10.0, 0.0), vec2(theme::COLOUR_BAR, cells.height()));
        let cell = cells.size() / side as f32;
        let font = FontId::proportional((0.85 * cell.y).clamp(SMALL_NAME, NAME));
        let across = across(numbered, side);
        let every = [SMALL_NAME / cell.y, font.size * across / cell.x].map(|share| share.ceil().clamp(1.0, side as f32) as usize);
        Self { cells, bar, side, font, every, numbered }
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
pub fn show(ui: &mut Ui, map: &HeatMap<'_>) -> HeatMapResponse {
    let size = ui.available_size().max(vec2(160.0, 140.0));
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let enabled = ui.is_enabled();
    let mut result = HeatMapResponse::default();
    let side = map.names.len();
    if !ui.is_rect_visible(rect) || side == 0 {
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, enabled, map.summary));
        return result;
    }
    let words = format!("{} (arrow keys move, Enter shows the galaxies)", map.summary);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, enabled, &words));
    let palette = theme::palette(ui.visuals());
    let font = FontId::proportional(NAME);
    let longest = map.names.iter().map(|name| galley(ui, name, &font, f32::INFINITY).size().x).fold(0.0, f32::max);
    let plan = Plan::new(rect, side, longest);
    paint_cells(ui, map, &plan);
    paint_names(ui, map, &plan, &palette);
    paint_bar(ui, map, &plan, &palette);
    keys(ui, map, &response, &mut result);
    if side <= NAMED {
        result.opened = named_cells(ui, map, &plan).or(result.opened);
    }
    let hovered = response.interact_pointer_pos().and_then(|pointer| plan.at(pointer));
    if response.clicked() {
        result.opened = hovered.or(result.opened);
    }
    if result.opened.is_some() {
        response.request_focus();
    }
    let (row, column) = (map.cursor.0.min(side - 1), map.cursor.1.min(side - 1));
    if response.has_focus() || map.opened {
        let stroke = Stroke::new(2.5, if map.opened { palette.accent } else { palette.text });
        ui.painter().rect_stroke(plan.cell(row, column).expand(0.5), 2.0, stroke, StrokeKind::Outside);
    }
    if response.has_focus() && result.moved.is_some() {
        // the cell's words are read out and shown where the eye is
        ui.ctx().request_repaint();
    }
    let Some((row, column)) =
        ui.ctx().pointer_hover_pos().filter(|at| ui.rect_contains_pointer(rect) && plan.cells.contains(*at)).and_then(|at| plan.at(at))
    else {
        return result;
    };
    ui.painter().rect_stroke(plan.cell(row, column), 1.0, Stroke::new(2.0, palette.text), StrokeKind::Inside);
    result
}

/// Each cell as a button with words, over the picture.
fn named_cells(ui: &Ui, map: &HeatMap<'_>, plan: &Plan) -> Option<(usize, usize)> {
    let mut opened = None;
    let enabled = ui.is_enabled();
    for row in 0..plan.side {
        for column in 0..plan.side {
            // no stop for the Tab key: the matrix itself is one, and the arrow keys go on from there
            let cell = ui.interact(plan.cell(row, column), ui.scope_id().with(("cell", row, column)), Sense::CLICK);
            cell.widget_info(|| WidgetInfo::labeled(egui::Role::Button, enabled, (map.explain)(row, column)));
            if cell.clicked() {
                opened = Some((row, column));
            }
            if cell.hovered() {
                cell.on_hover_text_at_pointer((map.explain)(row, column));
            }
        }
    }
    opened
}

/// Arrow keys move the cursor, Enter opens its cell.
fn keys(ui: &Ui, map: &HeatMap<'_>, response: &Response, result: &mut HeatMapResponse) {
    if !response.has_focus() {
        return;
    }
    // without this the arrow keys would move the focus away
    let filter = egui::EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
    ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
    let last = map.names.len() - 1;
    let (row, column) = (map.cursor.0.min(last), map.cursor.1.min(last));
    ui.input(|i| {
        let steps = [
            (Key::ArrowLeft, (row, column.saturating_sub(1))),
            (Key::ArrowRight, (row, (column + 1).min(last))),
            (Key::ArrowUp, (row.saturating_sub(1), column)),
            (Key::ArrowDown, ((row + 1).min(last), column)),
        ];
        result.moved = steps.into_iter().find(|(key, to)| i.key_pressed(*key) && *to != (row, column)).map(|(_, to)| to);
        if i.key_pressed(Key::Enter) {
            result.opened = Some((row, column));
        }
    });
}

/// One line of text, cut with an ellipsis at `width`.
fn galley(ui: &Ui, text: &str, font: &FontId, width: f32) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font.clone(), Color32::PLACEHOLDER);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    ui.painter().layout_job(job)
}

fn paint_cells(ui: &Ui, map: &HeatMap<'_>, plan: &Plan) {
    let size = plan.cells.size() / plan.side as f32;
    let longest = map.values.iter().map(|&value| (map.format)(value).len()).max().unwrap_or(1).max(2) as f32;
    // digits are 0.7 as high as their font and 0.55 as wide
    let fitting = (size.y * 0.85).min(size.x * 1.6 / longest);
    let (font, readable) = (FontId::proportional(fitting.min(LARGEST)), fitting >= READABLE);
    for row in 0..plan.side {
        for column in 0..plan.side {
            let value = map.values[row * plan.side + column];
            let fill = (map.colour)(value);
            let cell = plan.cell(row, column);
            ui.painter().rect_filled(cell.shrink(0.5), 1.0, fill);
            // a matrix full of noughts is hard to read, so they are left out
            if readable && value != 0.0 {
                ui.painter().text(cell.center(), Align2::CENTER_CENTER, (map.format)(value), font.clone(), theme::text_on(fill));
            }
        }
    }
}

fn paint_names(ui: &Ui, map: &HeatMap<'_>, plan: &Plan, palette: &Palette) {
    let room = plan.cells.left() - (ui.min_rect().left().max(plan.cells.left() - 400.0)) - 22.0;
    for (i, name) in map.names.iter().enumerate() {
        let text = if plan.numbered { galley(ui, &format!("{i}  {name}"), &plan.font, room) } else { galley(ui, name, &plan.font, room) };
        let row = plan.cell(i, 0);
        let at = pos2(row.left() - 6.0 - text.size().x, row.center().y - text.size().y / 2.0);
        if i % plan.every[0] == 0 {
            ui.painter().galley_with_override_text_color(at, text.clone(), palette.text);
        }
        if i % plan.every[1] != 0 {
            continue;
        }
        let column = plan.cell(plan.side - 1, i);
        if plan.numbered {
            let at = pos2(column.center().x, column.bottom() + 3.0);
            ui.painter().text(at, Align2::CENTER_TOP, i.to_string(), plan.font.clone(), palette.text);
            continue;
        }
        // slanted, ending under the middle of its column
        let (sin, cos) = SLANT.sin_cos();
        let (w, h) = (text.size().x, text.size().y);
        let end = pos2(column.center().x, column.bottom() + 5.0);
        let start = end - vec2(w * cos - h * sin / 2.0, w * sin + h * cos / 2.0) - vec2(0.0, -h * 0.35);
        let shape = egui::epaint::TextShape::new(start, text, palette.text).with_override_text_color(palette.text).with_angle(SLANT);
        ui.painter().add(shape);
    }
    let rect = ui.min_rect();
    let title = FontId::proportional(NAME);
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
        ui.painter().rect_filled(strip, 0.0, (map.colour)((map.at)((step as f64 + 0.5) / STEPS as f64)));
    }
    for (share, align) in [(0.0, Align2::LEFT_BOTTOM), (0.5, Align2::LEFT_CENTER), (1.0, Align2::LEFT_TOP)] {
        let at = pos2(plan.bar.right() + 5.0, plan.bar.bottom() - share * plan.bar.height());
        let label = (map.format)((map.at)(f64::from(share)));
        ui.painter().text(at, align, label, FontId::proportional(NAME), palette.muted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_lie_on_each_other() {
        for (width, height) in [(300.0, 145.0), (420.0, 300.0), (900.0, 700.0)] {
            for side in [2, 10, 37, 120] {
                let plan = Plan::new(Rect::from_min_size(Pos2::ZERO, vec2(width, height)), side, 90.0);
                let cell = plan.cell(0, 0).size();
                assert!(plan.every[0] as f32 * cell.y >= SMALL_NAME - 0.01, "{side} in {width} x {height}");
                assert!(
                    plan.every[1] as f32 * cell.x >= plan.font.size * across(plan.numbered, side) - 0.01,
                    "{side} in {width} x {height}"
                );
                assert!(side > 10 || height < 200.0 || plan.every == [1, 1], "{side} in {width} x {height}: {:?}", plan.every);
            }
        }
    }
}
