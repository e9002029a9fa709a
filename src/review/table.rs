//! Tables of a run: rows of text that become CSV or HTML.

use crate::data::{Dataset, Part};
use crate::metrics::{Averages, Confusion, Predictions};

use super::Analysis;
use crate::train::EpochReport;

/// A table with a heading for each column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// One entry a column.
    pub header: Vec<String>,
    /// One list of cells a row, as long as the header.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|&name| name.to_owned()).collect(), rows: Vec::new() }
    }

    /// As CSV (RFC 4180), header first.
    ///
    /// # Errors
    /// If a row is not as long as the header; a fault of the program.
    pub fn to_csv(&self) -> std::io::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.header)?;
        for row in &self.rows {
            writer.write_record(row)?;
        }
        writer.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// A number as tables have it.
fn number(x: f64) -> String {
    format!("{x:.4}")
}

/// What a run told of each epoch, as it was told: shares in 0 to 1, seconds, images a second.
#[must_use]
pub fn epochs(epochs: &[EpochReport]) -> Table {
    let mut table = Table::new(&[
        "epoch",
        "training loss",
        "training accuracy",
        "validation loss",
        "validation accuracy",
        "validation macro-F1",
        "learning rate",
        "gradient norm",
        "images per second",
        "seconds",
        "best so far",
    ]);
    table.rows.extend(epochs.iter().map(|e| {
        let accuracies = [e.train_loss, e.train_accuracy, e.valid_loss, e.valid_accuracy, e.valid_macro_f1];
        let others = [e.learning_rate, e.gradient_norm, e.images_per_s, e.seconds];
        let numbers = accuracies.into_iter().chain(others).map(|value| value.to_string());
        std::iter::once(e.epoch.to_string()).chain(numbers).chain([if e.best { "yes" } else { "no" }.to_owned()]).collect()
    }));
    table
}

/// Purity (precision), completeness (recall), F1 and support of each class with 95 % intervals, then the averages.
#[must_use]
pub fn classes(analysis: &Analysis, names: &[String]) -> Table {
    let mut table = Table::new(&[
        "class",
        "purity",
        "purity low",
        "purity high",
        "completeness",
        "completeness low",
        "completeness high",
        "F1",
        "F1 low",
        "F1 high",
        "support",
    ]);
    let scores = &analysis.scores;
    for (i, (name, class)) in names.iter().zip(&scores.classes).enumerate() {
        let (p, r, f) = (analysis.precision[i], analysis.recall[i], analysis.f1.classes[i]);
        let numbers = [class.precision, p.low, p.high, class.recall, r.low, r.high, class.f1, f.low, f.high].map(number);
        table.rows.push([vec![name.clone()], numbers.to_vec(), vec![class.support.to_string()]].concat());
    }
    let total = analysis.confusion.total().to_string();
    let mut line = |name: &str, cells: [Option<f64>; 9]| {
        let numbers = cells.map(|cell| cell.map(number).unwrap_or_default());
        table.rows.push([vec![name.to_owned()], numbers.to_vec(), vec![total.clone()]].concat());
    };
    let average = |a: &Averages| [Some(a.precision), None, None, Some(a.recall), None, None, Some(a.f1), None, None];
    let mut plain = average(&scores.macro_average);
    plain[7..].copy_from_slice(&[Some(analysis.f1.macro_f1.low), Some(analysis.f1.macro_f1.high)]);
    line("macro average", plain);
    line("weighted average", average(&scores.weighted_average));
    let only = |value: f64| [None, None, None, Some(value), None, None, None, None, None];
    let mut accuracy = only(scores.accuracy);
    accuracy[4..6].copy_from_slice(&[Some(analysis.accuracy.low), Some(analysis.accuracy.high)]);
    line("accuracy", accuracy);
    line("balanced accuracy", only(scores.balanced_accuracy));
    line("Cohen's kappa", only(analysis.kappa));
    table
}

/// The confusion matrix: a row a true class.
#[must_use]
pub fn matrix(confusion: &Confusion, names: &[String]) -> Table {
    let cells = confusion.counts().iter().map(ToString::to_string);
    square(cells, names, "true class \\ predicted")
}

/// A difference of two matrices, row by row.
#[must_use]
pub fn difference(cells: &[i64], names: &[String]) -> Table {
    square(cells.iter().map(|cell| format!("{cell:+}")), names, "true class \\ predicted (second minus first)")
}

fn square(cells: impl Iterator<Item = String>, names: &[String], corner: &str) -> Table {
    let cells: Vec<String> = cells.collect();
    let header = [&[corner.to_owned()], names].concat();
    let rows = names.iter().zip(cells.chunks(names.len().max(1))).map(|(name, row)| [std::slice::from_ref(name), row].concat()).collect();
    Table { header, rows }
}

/// Confidence against accuracy, before and after the temperature.
#[must_use]
pub fn reliability(analysis: &Analysis) -> Table {
    let mut table = Table::new(&[
        "confidence above",
        "confidence up to",
        "images",
        "mean confidence",
        "accuracy",
        "images (calibrated)",
        "mean confidence (calibrated)",
        "accuracy (calibrated)",
    ]);
    for (a, b) in analysis.reliability.bins.iter().zip(&analysis.calibrated.bins) {
        let [low, high, confidence, accuracy, confidence_b, accuracy_b] =
            [a.low, a.high, a.confidence, a.accuracy, b.confidence, b.accuracy].map(number);
        table.rows.push(vec![low, high, a.images.to_string(), confidence, accuracy, b.images.to_string(), confidence_b, accuracy_b]);
    }
    table
}

/// Average precision and area under the ROC curve of each class.
#[must_use]
pub fn areas(analysis: &Analysis, names: &[String]) -> Table {
    let mut table = Table::new(&["class", "average precision", "area under ROC", "support"]);
    for (name, curves) in names.iter().zip(&analysis.curves) {
        let area = curves.area.map(number).unwrap_or_default();
        table.rows.push(vec![name.clone(), number(curves.average_precision), area, curves.support.to_string()]);
    }
    table
}

/// The points of all classes' curves.
#[must_use]
pub fn curves(analysis: &Analysis, names: &[String]) -> Table {
    let mut table = Table::new(&["class", "recall", "precision", "false positive rate"]);
    for (name, curves) in names.iter().zip(&analysis.curves) {
        for ((recall, precision), rate) in curves.recall.iter().zip(&curves.precision).zip(&curves.false_positive_rate) {
            table.rows.push(vec![name.clone(), number(*recall), number(*precision), number(*rate)]);
        }
    }
    table
}

/// Galaxies with all their probabilities and, if the data set is at hand, where they are on the sky. `list` has places in
/// `predictions` with a remark each; `images` are the indices into the data set.
#[must_use]
pub fn galaxies(
    predictions: &Predictions,
    images: &[u32],
    part: Part,
    list: &[(usize, String)],
    names: &[String],
    dataset: Option<&Dataset>,
) -> Table {
    let mut table = Table::new(&["image", "split", "label", "predicted", "confidence", "remark", "ra", "dec"]);
    table.header.extend(names.iter().map(|name| format!("p({name})")));
    let position = |column: Option<&Vec<f64>>, image: usize| {
        column.and_then(|column| column.get(image)).filter(|x| x.is_finite()).map(|x| format!("{x:.6}")).unwrap_or_default()
    };
    for (place, remark) in list {
        let Some(&image) = images.get(*place) else { continue };
        let name = |class: u32| names.get(class as usize).cloned().unwrap_or_else(|| class.to_string());
        let mut row = vec![
            image.to_string(),
            part.name().to_owned(),
            name(predictions.truth()[*place]),
            name(predictions.predicted()[*place]),
            number(f64::from(predictions.confidence(*place))),
            remark.clone(),
            position(dataset.map(|d| &d.catalogue.ra), image as usize),
            position(dataset.map(|d| &d.catalogue.dec), image as usize),
        ];
        row.extend(predictions.row(*place).iter().map(|&p| number(f64::from(p))));
        table.rows.push(row);
    }
    table
}
