//! Scores as text: tables for people.

use std::fmt::Write as _;

use crate::metrics::{Confusion, Scores, wilson};

/// The figures of one part of the data in a few lines.
#[must_use]
pub fn scores(confusion: &Confusion, loss: f64) -> String {
    let scores = confusion.scores();
    format!(
        "accuracy           {}\nbalanced accuracy  {:.4}\nmacro-F1           {:.4}\nloss               {loss:.4}",
        accuracy(confusion),
        scores.balanced_accuracy,
        scores.macro_average.f1
    )
}

/// "0.8290 (95 % interval 0.8083 to 0.8479, 1322 images)"
#[must_use]
pub fn accuracy(confusion: &Confusion) -> String {
    let interval = wilson(confusion.correct(), confusion.total());
    format!("{:.4} (95 % interval {:.4} to {:.4}, {} images)", confusion.accuracy(), interval.low, interval.high, confusion.total())
}

/// Precision, recall, F1 and support of each class.
#[must_use]
pub fn classes(scores: &Scores, names: &[String]) -> String {
    let width = column(names, "class");
    let mut text = format!("{:<width$}  precision  recall      F1  support", "class");
    for (name, class) in names.iter().zip(&scores.classes) {
        let _ = write!(text, "\n{name:<width$}  {:>9.4}  {:>6.4}  {:>6.4}  {:>7}", class.precision, class.recall, class.f1, class.support);
    }
    text
}

/// The confusion matrix: a row a true class, a column a predicted one, numbered as the rows.
#[must_use]
pub fn matrix(confusion: &Confusion, names: &[String]) -> String {
    let width = column(names, "true class");
    let cell = confusion.counts().iter().max().map_or(1, |most| most.to_string().len()).max(names.len().to_string().len()) + 2;
    let mut text = format!("{:>3} {:<width$}  predicted class, by number\n{:>3} {:<width$}", "", "true class", "", "");
    for column in 0..names.len() {
        let _ = write!(text, "{column:>cell$}");
    }
    for (row, name) in names.iter().enumerate() {
        let _ = write!(text, "\n{row:>3} {name:<width$}");
        for column in 0..names.len() {
            let _ = write!(text, "{:>cell$}", confusion.count(row, column));
        }
    }
    text
}

/// The width of a column of `names` under `heading`, characters.
#[must_use]
pub fn column(names: &[String], heading: &str) -> usize {
    names.iter().map(|name| name.chars().count()).chain([heading.len()]).max().unwrap_or(0)
}

/// `text` with each line moved in by two spaces.
#[must_use]
pub fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
