//! Precision-recall and ROC curves: one class set off, the others faint behind it.

use egui::{ScrollArea, Ui, vec2};

use super::export::{self, Offer};
use super::shown::Shown;
use crate::app::action::Action;
use crate::app::theme;
use crate::app::widget::unit_plot::{self, UnitPlot};
use crate::metrics::ClassCurves;
use crate::review::{Analysis, plot, table};

/// The most points of a line; more than a screen has pixels is wasted.
const POINTS: usize = 400;

/// The points of a line.
type Points = fn(&ClassCurves) -> Vec<[f64; 2]>;

/// The page's own state.
#[derive(Clone, Default)]
pub(super) struct CurvesTab {
    /// The class that is set off.
    class: usize,
}

impl CurvesTab {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, shown: &Shown<'_>, actions: &mut Vec<Action>) {
        let ready = shown.analysis(actions);
        if shown.waits(ui, ready.as_ref()) {
            return;
        }
        let Some(Ok(analysis)) = ready else { return };
        self.class = self.class.min(analysis.curves.len().saturating_sub(1));
        let Some(curves) = analysis.curves.get(self.class) else { return };
        let name = &shown.names[self.class];
        ScrollArea::vertical().id_salt("curves").auto_shrink(false).show(ui, |ui| {
            let width = ui.available_width();
            let beside = width >= 520.0;
            let side = if beside { (width - theme::GAP) / 2.0 } else { width };
            let size = vec2(side, (ui.available_height() * 0.62).clamp(180.0, 400.0));
            let precision = format!("{name}: average precision {:.3}", curves.average_precision);
            let area = curves.area.map_or("no images to tell apart".to_owned(), |area| format!("area {area:.3}"));
            let roc = format!("{name}: ROC, {area}");
            let plots = [
                (precision, ("completeness", "purity"), false, steps as Points),
                (roc, ("false positive rate", "true positive rate"), true, rates),
            ];
            let one = |ui: &mut Ui, (title, labels, diagonal, points): &(String, (&str, &str), bool, Points)| {
                let lines = self.lines(ui, &analysis, *points);
                unit_plot::show(
                    ui,
                    &UnitPlot { title, labels: *labels, bars: &[], lines: &lines, diagonal: *diagonal, summary: title, size },
                );
            };
            if beside {
                ui.horizontal(|ui| {
                    for plot in &plots {
                        one(ui, plot);
                    }
                });
            } else {
                for plot in &plots {
                    one(ui, plot);
                }
            }
            self.list(ui, &analysis, &shown.names);
        });
    }

    /// The lines of all classes, that of the chosen one last and on top.
    fn lines(&self, ui: &Ui, analysis: &Analysis, points: Points) -> Vec<(Vec<[f64; 2]>, egui::Color32, f32)> {
        let palette = theme::palette(ui.visuals());
        let others = analysis.curves.iter().enumerate().filter(|(class, _)| *class != self.class);
        let faint = others.map(|(_, curves)| (thinned(points(curves)), palette.muted.gamma_multiply(0.35), 1.0));
        let chosen = (thinned(points(&analysis.curves[self.class])), palette.accent, theme::LINE + 0.4);
        faint.chain([chosen]).collect()
    }

    /// All classes with their numbers; a click sets one off.
    fn list(&mut self, ui: &mut Ui, analysis: &Analysis, names: &[String]) {
        egui::Grid::new("areas").num_columns(4).spacing([20.0, 3.0]).show(ui, |ui| {
            for title in ["Class", "Average precision", "Area under ROC", "Images"] {
                ui.label(theme::muted(ui, title));
            }
            ui.end_row();
            for (class, (name, curves)) in names.iter().zip(&analysis.curves).enumerate() {
                if ui.selectable_label(self.class == class, name).clicked() {
                    self.class = class;
                }
                ui.label(format!("{:.3}", curves.average_precision));
                ui.label(curves.area.map_or("–".into(), |area| format!("{area:.3}")));
                ui.label(curves.support.to_string());
                ui.end_row();
            }
        });
    }
}

/// The steps under which the area is the average precision.
fn steps(curves: &ClassCurves) -> Vec<[f64; 2]> {
    curves.steps().into_iter().map(|(recall, precision)| [recall, precision]).collect()
}

fn rates(curves: &ClassCurves) -> Vec<[f64; 2]> {
    curves.false_positive_rate.iter().zip(&curves.recall).map(|(&x, &y)| [x, y]).collect()
}

/// At most [`POINTS`] or so, first and last kept.
fn thinned(points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let every = points.len().div_ceil(POINTS).max(1);
    let last = points.last().copied();
    let mut few: Vec<[f64; 2]> = points.into_iter().step_by(every).collect();
    if few.last() != last.as_ref() {
        few.extend(last);
    }
    few
}

/// What this page can write.
pub(super) fn exports(shown: &Shown<'_>) -> Vec<Offer> {
    let Some(Ok(analysis)) = shown.state.review.analyses.get(shown.key) else { return Vec::new() };
    let names = std::sync::Arc::new(shown.names.clone());
    let (a, b, c, d) = (analysis.clone(), analysis.clone(), analysis.clone(), analysis);
    let (n, m, o, p) = (names.clone(), names.clone(), names.clone(), names);
    let mut offers: Vec<Offer> = export::plot("Precision and recall", "precision_recall", move || plot::precision_recall(&a, &n)).into();
    offers.extend(export::plot("ROC", "roc", move || plot::roc(&b, &m)));
    offers.push(export::table("Areas", "areas", move || table::areas(&c, &o)));
    offers.push(export::table("Curves", "curves", move || table::curves(&d, &p)));
    offers
}
