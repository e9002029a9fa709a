//! Parallel coordinates: an upright axis a value that differs among the runs, the macro-F1 at the right, a line a run.

use egui::Ui;

use super::rows::Rows;
use crate::app::action::Action;
use crate::app::experiments::{Change, Experiments};
use crate::app::theme;
use crate::app::widget::parallel::{self, Axis, Emphasis, MOST};
use crate::track::{Column, RunFacts, Value};

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
        let facts = |run: usize| experiments.runs().get(self.runs[run]);
        let emphasis = |run: usize| {
            let focus = facts(run).is_some_and(|facts| experiments.focus.as_ref() == Some(&facts.folder));
            if focus { Emphasis::Strong } else { Emphasis::Usual }
        };
        let summary = format!("{} runs on {} axes, macro-F1 at the right", self.runs.len(), axes.len());
        let lines = parallel::Parallel { axes, count: self.runs.len(), emphasis: &emphasis, summary: &summary };
        let (response, near) = parallel::show(ui, &lines);
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
