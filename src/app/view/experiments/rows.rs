//! The rows of the table, made again only when the runs, the filter or the order change.

use crate::app::experiments::Experiments;
use crate::track::{Column, Filter, Group, RunFacts, Value, Verdict, groups, select, verdict};

/// What the rows are made from, besides the runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wish {
    /// The filter as it was written.
    pub filter: String,
    /// The column that orders.
    pub by: Column,
    /// From the largest down.
    pub descending: bool,
    /// Whether repeated seeds are one row.
    pub grouped: bool,
}

/// One row: a run, or runs that repeat each other.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Places in the listing; the first is the run that the row is named after.
    pub runs: Vec<usize>,
}

/// The rows.
#[derive(Clone, Default)]
pub(super) struct Rows {
    made_for: Option<(u64, Wish)>,
    /// In their order.
    pub list: Vec<Row>,
    /// What is wrong with the filter.
    pub error: Option<String>,
    /// Counts up whenever the list is made again, so that what is made from it can tell.
    pub version: u64,
}

impl Rows {
    /// Brings the rows up to date.
    pub fn update(&mut self, experiments: &Experiments, wish: &Wish) {
        if self.made_for.as_ref().is_some_and(|(changes, made)| *changes == experiments.changes && made == wish) {
            return;
        }
        self.made_for = Some((experiments.changes, wish.clone()));
        // while a filter is being written the rows stay as they are
        let filter = match Filter::parse(&wish.filter) {
            Ok(filter) => filter,
            Err(error) => return self.error = Some(error),
        };
        self.error = None;
        self.version += 1;
        let runs = experiments.runs();
        let places = select(runs, &filter, &wish.by, wish.descending);
        self.list =
            if wish.grouped { grouped(runs, &places, wish) } else { places.into_iter().map(|run| Row { runs: vec![run] }).collect() };
    }
}

/// Repeated seeds as one row, ordered by the mean where the column has numbers.
fn grouped(runs: &[RunFacts], places: &[usize], wish: &Wish) -> Vec<Row> {
    let chosen: Vec<&RunFacts> = places.iter().map(|&place| &runs[place]).collect();
    let mut groups = groups(&chosen, &wish.by);
    if groups.iter().any(|group| group.count > 0) {
        groups.sort_by(|a, b| {
            let order = if wish.descending { b.mean.total_cmp(&a.mean) } else { a.mean.total_cmp(&b.mean) };
            (a.count == 0).cmp(&(b.count == 0)).then(order)
        });
    }
    groups.into_iter().map(|group| Row { runs: group.members.into_iter().map(|member| places[member]).collect() }).collect()
}

impl Row {
    /// The runs of the row.
    pub fn of<'a>(&self, runs: &'a [RunFacts]) -> Vec<&'a RunFacts> {
        self.runs.iter().filter_map(|&place| runs.get(place)).collect()
    }
}

/// The runs as one group with the values of a column.
pub(super) fn group(runs: &[&RunFacts], column: &Column) -> Group {
    let values: Vec<f64> = runs
        .iter()
        .filter_map(|run| match column.value(run) {
            Value::Number(value) => Some(value),
            _ => None,
        })
        .collect();
    Group::of(&values, (0..runs.len()).collect())
}

/// What is shown of several runs in a column: the mean and the spread of numbers that measure, what they have in common of the rest.
pub(super) fn cell(runs: &[&RunFacts], column: &Column) -> String {
    let [first, ..] = runs else { return String::new() };
    let text = column.text(first);
    if runs.len() == 1 {
        return text;
    }
    if column.largest_is_best().is_some() {
        let group = group(runs, column);
        return match group.deviation {
            Some(deviation) => format!("{:.4} ± {deviation:.4}", group.mean),
            None => text,
        };
    }
    if *column == Column::Name {
        return format!("{text}  (+ {} seeds)", runs.len() - 1);
    }
    if runs.iter().all(|run| column.text(run) == text) { text } else { "…".into() }
}

/// What the difference of two rows is worth in a column, in words.
pub(super) fn difference(a: &[&RunFacts], b: &[&RunFacts], column: &Column) -> Option<(Verdict, String)> {
    let images = a.first()?.images[1].min(b.first()?.images[1]);
    let verdict = verdict(&group(a, column), &group(b, column), images)?;
    let by = if verdict.repeated {
        "Welch's t test over the seeds"
    } else {
        "one run has one seed only, so this knows how many images were looked at, not how seeds differ"
    };
    let noise = if verdict.is_noise() { "within noise" } else { "more than noise" };
    let words = format!("{:+.4} ± {:.4} (95 %), {noise}: {by}", verdict.difference, verdict.half_width);
    Some((verdict, words))
}
