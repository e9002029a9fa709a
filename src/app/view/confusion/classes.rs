//! Each class's scores with their intervals, and the averages.

use egui::{Align2, FontId, Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::export::{self, Offer};
use super::shown::Shown;
use crate::app::action::Action;
use crate::app::theme;
use crate::metrics::Interval;
use crate::review::{Analysis, table};

/// A score with its interval; `None` for what has none.
struct Score {
    value: f64,
    interval: Option<Interval>,
}

/// A row of the table.
struct Row<'a> {
    name: &'a str,
    scores: [Option<Score>; 3],
    support: Option<u64>,
}

/// Height of a row.
const ROW: f32 = 34.0;
/// Share of the width of the names, then of each score; the rest is for the support.
const SHARES: [f32; 4] = [0.27, 0.22, 0.22, 0.22];

/// Shows the page.
pub(super) fn show(ui: &mut Ui, shown: &Shown<'_>, actions: &mut Vec<Action>) {
    let ready = shown.analysis(actions);
    if shown.waits(ui, ready.as_ref()) {
        return;
    }
    let Some(Ok(analysis)) = ready else { return };
    ScrollArea::vertical().id_salt("classes").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        head(ui);
        for row in class_rows(&analysis, &shown.names) {
            line(ui, &row, false);
        }
        ui.separator();
        for row in averages(&analysis) {
            line(ui, &row, true);
        }
        ui.add_space(theme::GAP);
        ui.label(theme::muted(
            ui,
            "Bars and small numbers: 95 % intervals, Wilson's for purity and completeness, a bootstrap over the images for F1.",
        ));
    });
}

fn class_rows<'a>(analysis: &Analysis, names: &'a [String]) -> Vec<Row<'a>> {
    let scores = analysis.scores.classes.iter().enumerate();
    let row = |(name, (i, class)): (&'a String, (usize, &crate::metrics::ClassScores))| {
        let score = |value, interval| Some(Score { value, interval: Some(interval) });
        let scores = [
            score(class.precision, analysis.precision[i]),
            score(class.recall, analysis.recall[i]),
            score(class.f1, analysis.f1.classes[i]),
        ];
        Row { name, scores, support: Some(class.support) }
    };
    names.iter().zip(scores).map(row).collect()
}

fn averages(analysis: &Analysis) -> Vec<Row<'static>> {
    let scores = &analysis.scores;
    let plain = |value| Some(Score { value, interval: None });
    let total = analysis.confusion.total();
    let average =
        |name, a: &crate::metrics::Averages| Row { name, scores: [plain(a.precision), plain(a.recall), plain(a.f1)], support: Some(total) };
    let only = |name, score| Row { name, scores: [None, score, None], support: None };
    let mut macro_average = average("Macro average", &scores.macro_average);
    macro_average.scores[2] = Some(Score { value: scores.macro_average.f1, interval: Some(analysis.f1.macro_f1) });
    vec![
        macro_average,
        average("Weighted average", &scores.weighted_average),
        only("Accuracy", Some(Score { value: scores.accuracy, interval: Some(analysis.accuracy) })),
        only("Balanced accuracy", plain(scores.balanced_accuracy)),
        only("Cohen's kappa", plain(analysis.kappa)),
    ]
}

/// The left end of a column, as a share of the width.
fn left(column: usize) -> f32 {
    SHARES[..column].iter().sum()
}

fn head(ui: &mut Ui) {
    let palette = theme::palette(ui.visuals());
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), Sense::hover());
    // in a narrow panel the longest title is as wide as its column
    let font = FontId::proportional(if rect.width() < 400.0 { 11.0 } else { 12.0 });
    let titles = ["Class", "Purity", "Completeness", "F1"];
    for (column, title) in titles.into_iter().enumerate() {
        let at = pos2(rect.left() + left(column) * rect.width(), rect.center().y);
        ui.painter().text(at, Align2::LEFT_CENTER, title, font.clone(), palette.muted);
    }
    ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, "Images", font, palette.muted);
}

fn line(ui: &mut Ui, row: &Row<'_>, average: bool) {
    let palette = theme::palette(ui.visuals());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), if average { ROW - 8.0 } else { ROW }), Sense::hover());
    let words = spoken(row);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &words));
    let painter = ui.painter();
    let font = FontId::proportional(13.0);
    let mut name = egui::text::LayoutJob::simple_singleline(row.name.to_owned(), font.clone(), palette.text);
    name.wrap = egui::text::TextWrapping::truncate_at_width(SHARES[0] * rect.width() - 8.0);
    let galley = painter.layout_job(name);
    painter.galley(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, palette.text);
    for (column, score) in row.scores.iter().enumerate() {
        let Some(score) = score else { continue };
        let x = rect.left() + left(column + 1) * rect.width();
        let width = SHARES[column + 1] * rect.width() - 16.0;
        let number = format!("{:.3}", score.value);
        let Some(interval) = score.interval else {
            painter.text(pos2(x, rect.center().y), Align2::LEFT_CENTER, number, font.clone(), palette.text);
            continue;
        };
        let up = rect.center().y - if average { 2.0 } else { 5.0 };
        let end = painter.text(pos2(x, up), Align2::LEFT_CENTER, number, font.clone(), palette.text);
        let range = format!("{:.2} to {:.2}", interval.low, interval.high);
        if end.right() + 66.0 < x + width + 8.0 {
            painter.text(pos2(end.right() + 6.0, up), Align2::LEFT_CENTER, range, FontId::proportional(10.5), palette.muted);
        }
        let rail = Rect::from_min_size(pos2(x, rect.center().y + if average { 8.0 } else { 7.0 }), vec2(width, 4.0));
        painter.rect_filled(rail, 2.0, palette.field);
        let at = |share: f64| rail.left() + rail.width() * share.clamp(0.0, 1.0) as f32;
        painter.rect_filled(rail.with_min_x(at(interval.low)).with_max_x(at(interval.high)), 2.0, palette.train.gamma_multiply(0.6));
        painter.circle_filled(pos2(at(score.value), rail.center().y), 3.0, palette.accent);
    }
    if let Some(support) = row.support {
        painter.text(rect.right_center(), Align2::RIGHT_CENTER, support.to_string(), font, palette.muted);
    }
    response.on_hover_text(words);
}

fn spoken(row: &Row<'_>) -> String {
    let names = ["purity", "completeness", "F1"];
    let one = |(name, score): (&str, &Option<Score>)| {
        let score = score.as_ref()?;
        let name = if row.scores[0].is_none() { "" } else { name };
        let interval = score.interval.map_or(String::new(), |i| format!(" ({:.3} to {:.3})", i.low, i.high));
        Some(format!("{name} {:.3}{interval}", score.value).trim().to_owned())
    };
    let scores: Vec<String> = names.into_iter().zip(&row.scores).filter_map(one).collect();
    let support = row.support.map_or(String::new(), |n| format!(", {n} images"));
    format!("{}: {}{support}", row.name, scores.join(", "))
}

/// What this page can write.
pub(super) fn exports(shown: &Shown<'_>) -> Vec<Offer> {
    let Some(Ok(analysis)) = shown.state.review.analyses.get(shown.key) else { return Vec::new() };
    let names = shown.names.clone();
    vec![export::table("Scores", "classes", move || table::classes(&analysis, &names))]
}
