//! Parallel coordinates: an upright axis a value that differs among the runs, the macro-F1 at the right, a line a run.

use egui::{Align2, Color32, FontId, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::rows::Rows;
use crate::app::action::Action;
use crate::app::experiments::{Change, Experiments};
use crate::app::theme;
use crate::track::{Column, RunFacts, Value};

/// The most axes that can be read.
const MOST: usize = 9;
/// Room above and below the axes.
const HEAD: f32 = 34.0;
const FOOT: f32 = 16.0;

/// An axis with where each run lies on it, 0 at the bottom, 1 at the top.
#[derive(Clone)]
struct Axis {
    title: String,
    /// Text at the bottom and at the top.
    ends: [String; 2],
    places: Vec<Option<f32>>,
}

/// What is drawn, made again only when the rows of the table change.
#[derive(Clone, Default)]
pub(super) struct Parallel {
    made_for: Option<u64>,
    /// Places of the runs in the listing.
    runs: Vec<usize>,
    columns: Vec<Column>,
    axes: Vec<Axis>,
}

impl Parallel {
    fn update(&mut self, experiments: &Experiments, rows: &Rows) {
        if self.made_for == Some(rows.version) {
            return;
        }
        let all = experiments.runs();
        let has_best = |place: &usize| all.get(*place).is_some_and(|run| run.best.is_some());
        let places: Vec<usize> = rows.list.iter().flat_map(|row| row.runs.iter().copied()).filter(has_best).collect();
        let runs: Vec<&RunFacts> = places.iter().map(|&place| &all[place]).collect();
        let columns = if runs.is_empty() { Vec::new() } else { columns(&runs) };
        let axes = columns.iter().map(|column| axis(&runs, column)).collect();
        *self = Self { made_for: Some(rows.version), runs: places, columns, axes };
    }

    /// Shows the page for the runs of the table.
    pub fn show(&mut self, ui: &mut Ui, experiments: &Experiments, rows: &Rows, actions: &mut Vec<Action>) {
        self.update(experiments, rows);
        let Self { axes, .. } = &*self;
        if self.runs.len() < 2 || axes.len() < 2 {
            let advice = "Two runs or more with different values are drawn here: which values go with a high macro-F1.";
            theme::empty(ui, "Nothing to set in parallel", advice);
            return;
        }
        let palette = theme::palette(ui.visuals());
        let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click());
        let inner = Rect::from_min_max(rect.min + vec2(60.0, HEAD), rect.max - vec2(60.0, FOOT));
        let x = |axis: usize| inner.left() + inner.width() * axis as f32 / (axes.len() - 1) as f32;
        let line = |run: usize| -> Vec<egui::Pos2> {
            let point = |(at, axis): (usize, &Axis)| axis.places[run].map(|share| pos2(x(at), inner.bottom() - share * inner.height()));
            axes.iter().enumerate().filter_map(point).collect()
        };
        let near = response.hover_pos().and_then(|pointer| nearest(pointer, (0..self.runs.len()).map(line)));
        let facts = |run: usize| experiments.runs().get(self.runs[run]);
        let painter = ui.painter();
        let last = &axes[axes.len() - 1];
        // neither the darkest colours can be seen as lines on a dark panel, nor the lightest on a light one
        let (low, span) = if ui.visuals().dark_mode { (0.3, 0.65) } else { (0.05, 0.7) };
        let colour = |run: usize| theme::heat(low + span * f64::from(last.places[run].unwrap_or(0.0)));
        for run in (0..self.runs.len()).filter(|run| Some(*run) != near) {
            let focus = facts(run).is_some_and(|facts| experiments.focus.as_ref() == Some(&facts.folder));
            let faint = if near.is_some() && !focus { 0.25 } else { 0.8 };
            painter.add(Shape::line(line(run), Stroke::new(if focus { 2.5 } else { 1.2 }, colour(run).gamma_multiply(faint))));
        }
        for (at, axis) in axes.iter().enumerate() {
            draw_axis(painter, x(at), inner, axis, [palette.line, palette.text, palette.muted]);
        }
        if let Some(run) = near {
            painter.add(Shape::line(line(run), Stroke::new(2.5, palette.accent)));
        }
        let words = format!("{} runs on {} axes, macro-F1 at the right", self.runs.len(), axes.len());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &words));
        if let Some(run) = near.and_then(facts) {
            self.tell(run, response, actions);
        }
    }

    /// Says what the run under the pointer is; a click shows its details.
    fn tell(&self, run: &RunFacts, response: egui::Response, actions: &mut Vec<Action>) {
        if response.clicked() {
            actions.push(Action::Experiments(Change::Focus(Some(run.folder.clone()))));
        }
        let values: Vec<String> = self.columns.iter().map(|column| format!("{}: {}", column.title(), column.text(run))).collect();
        response.on_hover_text(format!("{}\n{}", run.name(), values.join("\n")));
    }
}

fn draw_axis(painter: &egui::Painter, x: f32, inner: Rect, axis: &Axis, [line, text, muted]: [Color32; 3]) {
    painter.vline(x, inner.y_range(), Stroke::new(1.0, line));
    painter.text(pos2(x, inner.top() - 18.0), Align2::CENTER_BOTTOM, &axis.title, FontId::proportional(11.5), text);
    painter.text(pos2(x, inner.top() - 4.0), Align2::CENTER_BOTTOM, &axis.ends[1], FontId::proportional(10.5), muted);
    painter.text(pos2(x, inner.bottom() + 3.0), Align2::CENTER_TOP, &axis.ends[0], FontId::proportional(10.5), muted);
}

/// The line within 8 points of the pointer that is nearest to it.
fn nearest(pointer: egui::Pos2, lines: impl Iterator<Item = Vec<egui::Pos2>>) -> Option<usize> {
    let distance = |line: Vec<egui::Pos2>| line.windows(2).map(|ends| to_segment(pointer, ends[0], ends[1])).fold(f32::INFINITY, f32::min);
    let nearest = lines.map(distance).enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
    (nearest.1 < 8.0).then_some(nearest.0)
}

fn to_segment(point: egui::Pos2, a: egui::Pos2, b: egui::Pos2) -> f32 {
    let along = b - a;
    let share = ((point - a).dot(along) / along.length_sq().max(1e-6)).clamp(0.0, 1.0);
    (a + share * along).distance(point)
}

/// The values that differ, those of numbers first; then the macro-F1.
fn columns(runs: &[&RunFacts]) -> Vec<Column> {
    let mut varying: Vec<Column> = Column::all()
        .into_iter()
        .filter(|column| matches!(column, Column::Parameter(name) if name != "seed" && name != "threads"))
        .filter(|column| runs.iter().any(|run| column.value(run) != column.value(runs[0])))
        .collect();
    varying.sort_by_key(|column| !matches!(column.value(runs[0]), Value::Number(_)));
    varying.truncate(MOST - 1);
    varying.push(Column::MacroF1);
    varying
}

fn axis(runs: &[&RunFacts], column: &Column) -> Axis {
    let values: Vec<Value> = runs.iter().map(|run| column.value(run)).collect();
    let mut sorted: Vec<&Value> = values.iter().filter(|value| **value != Value::Missing).collect();
    sorted.sort_by(|a, b| a.order(b));
    sorted.dedup();
    let number = |value: &Value| if let Value::Number(number) = value { Some(*number) } else { None };
    let ends = (sorted.first().and_then(|value| number(value)), sorted.last().and_then(|value| number(value)));
    // values that span more than a factor of twenty are set out by their logarithms
    let place = |value: &Value| match (ends, number(value)) {
        ((Some(low), Some(high)), Some(value)) if high > low => {
            let log = low > 0.0 && high / low > 20.0;
            let share = if log { (value / low).ln() / (high / low).ln() } else { (value - low) / (high - low) };
            Some(share as f32)
        }
        _ if *value == Value::Missing => None,
        _ => Some(sorted.iter().position(|other| *other == value)? as f32 / (sorted.len().max(2) - 1) as f32),
    };
    let text = |value: Option<&&Value>| match value {
        Some(Value::Number(number)) => format!("{}", (number * 1e4).round() / 1e4),
        Some(Value::Text(text)) => text.chars().take(14).collect(),
        _ => String::new(),
    };
    let ends = [text(sorted.first()), text(sorted.last())];
    Axis { title: column.title().to_owned(), ends, places: values.iter().map(place).collect() }
}
