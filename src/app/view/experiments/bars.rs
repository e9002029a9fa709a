//! The rows of the table as bars: the mean of repeated seeds with its spread, and what the distance to the best is worth.

use egui::{Align2, FontId, Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::rows::{Rows, difference, group};
use crate::app::theme;
use crate::track::{Column, Group, RunFacts, Verdict};

/// Height of a bar with its room.
const HEIGHT: f32 = 26.0;
/// Share of the width for the names.
const NAMES: f32 = 0.3;
/// Share of the width for the words at the right.
const WORDS: f32 = 0.28;

/// One bar, worked out.
#[derive(Clone)]
struct Bar {
    name: String,
    group: Group,
    /// What stands beside it.
    words: String,
    /// What the distance to the best bar is worth; nothing for that itself.
    verdict: Option<(Verdict, String)>,
}

/// What is drawn, made again only when the rows change.
#[derive(Clone, Default)]
pub(super) struct Bars {
    made_for: Option<u64>,
    /// The best first.
    bars: Vec<Bar>,
}

impl Bars {
    fn update(&mut self, runs: &[RunFacts], rows: &Rows) {
        if self.made_for == Some(rows.version) {
            return;
        }
        let column = Column::MacroF1;
        let members = rows.list.iter().map(|row| row.of(runs));
        let mut rows_with_values: Vec<(Vec<&RunFacts>, Group)> =
            members.map(|members| (group(&members, &column), members)).filter(|(group, _)| group.count > 0).map(|(g, m)| (m, g)).collect();
        rows_with_values.sort_by(|(_, a), (_, b)| b.mean.total_cmp(&a.mean));
        let best = rows_with_values.first().map(|(members, _)| members.clone()).unwrap_or_default();
        let bar = |(at, (members, group)): (usize, &(Vec<&RunFacts>, Group))| {
            let verdict = if at == 0 { None } else { difference(members, &best, &column) };
            Bar { name: members[0].name().to_owned(), group: group.clone(), words: words(group, at == 0, verdict.as_ref()), verdict }
        };
        *self = Self { made_for: Some(rows.version), bars: rows_with_values.iter().enumerate().map(bar).collect() };
    }

    /// Shows the page; `rows` are those of the table with repeated seeds as one.
    pub fn show(&mut self, ui: &mut Ui, runs: &[RunFacts], rows: &Rows) {
        self.update(runs, rows);
        let Some(best) = self.bars.first() else {
            let advice = "Runs appear here after their first epoch: the macro-F1 of their best epoch, repeated seeds as one bar.";
            theme::empty(ui, "No results yet", advice);
            return;
        };
        ui.label(theme::muted(
            ui,
            "Validation macro-F1 of the best epoch; whole runs that differ in their seed alone are one bar, with mean and standard deviation.",
        ));
        ScrollArea::vertical().id_salt("bars").auto_shrink(false).show_rows(ui, HEIGHT, self.bars.len(), |ui, seen| {
            for bar in &self.bars[seen] {
                draw(ui, bar, &best.name);
            }
        });
    }
}

/// "0.622 ± 0.020, 3 seeds; within noise of the best".
fn words(group: &Group, best: bool, verdict: Option<&(Verdict, String)>) -> String {
    let (spread, seeds) = match group.deviation {
        Some(deviation) => (format!(" ± {deviation:.3}"), format!(", {} seeds", group.count)),
        None => (String::new(), String::new()),
    };
    let worth = match verdict {
        _ if best => "; best",
        None => "",
        Some((verdict, _)) if verdict.is_noise() => "; within noise of the best",
        Some(_) => "; below the best",
    };
    format!("{:.3}{spread}{seeds}{worth}", group.mean)
}

fn draw(ui: &mut Ui, bar: &Bar, best: &str) {
    let Bar { name, group, words, verdict } = bar;
    let palette = theme::palette(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT - 4.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, format!("{name}: macro-F1 {words}")));
    let painter = ui.painter();
    let font = FontId::proportional(12.5);
    let mut job = egui::text::LayoutJob::simple_singleline(name.clone(), font.clone(), palette.text);
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
        response.on_hover_text(format!("Against {best}: {words}"));
    }
}
