//! The rows of the table as bars: the mean of repeated seeds with its spread, and what the distance to the best is worth.

use egui::{Align2, FontId, Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::rows::{Row, difference, group};
use crate::app::theme;
use crate::track::{Column, RunFacts};

/// Height of a bar with its room.
const HEIGHT: f32 = 26.0;
/// Share of the width for the names.
const NAMES: f32 = 0.3;
/// Share of the width for the words at the right.
const WORDS: f32 = 0.28;

/// Shows the page; `rows` are those of the table with repeated seeds as one.
pub(super) fn show(ui: &mut Ui, runs: &[RunFacts], rows: &[Row]) {
    let column = Column::MacroF1;
    let mut bars: Vec<Vec<&RunFacts>> = rows.iter().map(|row| row.of(runs)).filter(|members| group(members, &column).count > 0).collect();
    bars.sort_by(|a, b| group(b, &column).mean.total_cmp(&group(a, &column).mean));
    let Some(best) = bars.first().cloned() else {
        theme::empty(
            ui,
            "No results yet",
            "Runs appear here after their first epoch: the macro-F1 of their best epoch, repeated seeds as one bar.",
        );
        return;
    };
    ui.label(theme::muted(
        ui,
        "Validation macro-F1 of the best epoch; runs that differ in their seed alone are one bar, with mean and standard deviation.",
    ));
    ScrollArea::vertical().id_salt("bars").auto_shrink(false).show_rows(ui, HEIGHT, bars.len(), |ui, seen| {
        for members in &bars[seen] {
            bar(ui, members, &best, &column);
        }
    });
}

fn bar(ui: &mut Ui, members: &[&RunFacts], best: &[&RunFacts], column: &Column) {
    let palette = theme::palette(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT - 4.0), Sense::hover());
    let group = group(members, column);
    let (spread, seeds) = match group.deviation {
        Some(deviation) => (format!(" ± {deviation:.3}"), format!(", {} seeds", group.count)),
        None => (String::new(), String::new()),
    };
    let is_best = members.iter().zip(best).all(|(a, b)| a.folder == b.folder);
    let verdict = if is_best { None } else { difference(members, best, column) };
    let worth = match &verdict {
        None => "best",
        Some((verdict, _)) if verdict.is_noise() => "within noise of the best",
        Some(_) => "below the best",
    };
    let name = members[0].name();
    let words = format!("{:.3}{spread}{seeds}; {worth}", group.mean);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, format!("{name}: macro-F1 {words}")));
    let painter = ui.painter();
    let font = FontId::proportional(12.5);
    let mut job = egui::text::LayoutJob::simple_singleline(name.to_owned(), font.clone(), palette.text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(NAMES * rect.width() - 8.0);
    let galley = painter.layout_job(job);
    painter.galley(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, palette.text);
    let left = rect.left() + NAMES * rect.width();
    let rail = Rect::from_min_max(pos2(left, rect.top() + 3.0), pos2(rect.right() - WORDS * rect.width(), rect.bottom() - 3.0));
    let at = |share: f64| rail.left() + rail.width() * share.clamp(0.0, 1.0) as f32;
    painter.rect_filled(rail, 3.0, palette.field);
    let colour = if verdict.as_ref().is_none_or(|(verdict, _)| verdict.is_noise()) { palette.train } else { palette.test };
    painter.rect_filled(rail.with_max_x(at(group.mean)), 3.0, colour.gamma_multiply(0.75));
    if let Some(deviation) = group.deviation {
        let (low, high) = (at(group.mean - deviation), at(group.mean + deviation));
        let stroke = egui::Stroke::new(1.5, palette.text);
        painter.hline(low..=high, rail.center().y, stroke);
        for end in [low, high] {
            painter.vline(end, rail.center().y - 4.0..=rail.center().y + 4.0, stroke);
        }
    }
    painter.text(pos2(rail.right() + 8.0, rect.center().y), Align2::LEFT_CENTER, words, font, palette.muted);
    if let Some((_, words)) = verdict {
        response.on_hover_text(format!("Against {}: {words}", best[0].name()));
    }
}
