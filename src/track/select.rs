//! Which runs are shown, in which order, and the same as a table.

use super::{Column, Filter, RunFacts, Value};

/// The places in `runs` of those that pass, ordered by a column; runs without a value come last, and what is equal stays as it
/// is.
#[must_use]
pub fn select(runs: &[RunFacts], filter: &Filter, by: &Column, descending: bool) -> Vec<usize> {
    let mut chosen: Vec<(usize, Value)> =
        runs.iter().enumerate().filter(|(_, run)| filter.passes(run)).map(|(place, run)| (place, by.value(run))).collect();
    chosen.sort_by(|(_, a), (_, b)| {
        let order = a.order(b);
        if descending && *a != Value::Missing && *b != Value::Missing { order.reverse() } else { order }
    });
    chosen.into_iter().map(|(place, _)| place).collect()
}

/// A table of runs as CSV (RFC 4180): a line of column names, then a line a run, numbers in full.
#[must_use]
pub fn csv<'a>(runs: impl IntoIterator<Item = &'a RunFacts>, columns: &[Column]) -> String {
    let field =
        |text: &str| if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() };
    let line = |cells: Vec<String>| format!("{}\r\n", cells.join(","));
    let mut table = line(columns.iter().map(|column| field(column.key())).collect());
    for run in runs {
        let cell = |column: &Column| match column.value(run) {
            Value::Missing => String::new(),
            Value::Number(number) => number.to_string(),
            Value::Text(text) => field(&text),
        };
        table.push_str(&line(columns.iter().map(cell).collect()));
    }
    table
}
