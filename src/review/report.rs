//! One page about a run: how good it is and how sure that is, how it learned, what it confuses, which galaxies to look at.

use crate::data::{Dataset, Part};
use crate::imaging::{self, Image};
use crate::metrics::{Confusion, Learning, Predictions, most_forgotten};

use super::page::Page;
use super::plot::{self, Matrix, Scale};
use super::{Analysis, Record, Table, table};

/// Galaxies of each kind that are shown.
const SHOWN: usize = 24;
/// Largest side of a galaxy's picture on the page, pixels.
const SIDE: usize = 144;
/// Confused pairs that are listed.
const PAIRS: usize = 12;

/// What a report is about.
pub struct Subject<'a> {
    /// The run.
    pub record: &'a Record,
    /// The part of the data.
    pub part: Part,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// What the network made of that part at that epoch; without it only what the run told can be shown.
    pub predictions: Option<Predictions>,
    /// What became of each validation image over the epochs, if that is known.
    pub learning: Option<Vec<Learning>>,
    /// The run's data set, for pictures and positions.
    pub dataset: Option<&'a Dataset>,
}

/// The whole page as HTML.
#[must_use]
pub fn report(subject: &Subject<'_>) -> String {
    let record = subject.record;
    let names = record.classes();
    let mut page = Page::new(&format!("Run {}", record.name), &subtitle(subject));
    for problem in &record.problems {
        page.paragraph(problem);
    }
    let analysis = subject.predictions.clone().map(Analysis::new);
    if let Some(analysis) = &analysis {
        page.facts(&facts(analysis));
    }
    if let Some(plot) = plot::training(&record.session.epochs) {
        page.heading("How it learned");
        page.plots(&[plot]);
    }
    let told = record.report(subject.epoch).filter(|_| subject.part == Part::Valid).map(|report| &report.confusion);
    if let Some(confusion) = analysis.as_ref().map(|analysis| &analysis.confusion).or(told) {
        matrices(&mut page, confusion, &names);
    }
    match &analysis {
        Some(analysis) => {
            pairs(&mut page, analysis, &names);
            scores(&mut page, analysis, &names);
            galaxies(&mut page, subject, analysis, &names);
        }
        None => page.paragraph("The probabilities of this epoch are not at hand, so there is no more to say of it."),
    }
    settings(&mut page, record);
    page.paragraph(&format!("Written by Tuning Fork {}.", crate::VERSION));
    page.finish()
}

fn subtitle(subject: &Subject<'_>) -> String {
    let (part, epoch) = (subject.part.title(), subject.epoch);
    let best = if subject.record.session.best_epoch().is_some_and(|best| best.epoch == epoch) { ", the best one" } else { "" };
    let images = subject.record.images(subject.part).len();
    let data = subject.record.session.started.as_ref().map_or(subject.record.config.data.as_str(), |started| &started.data);
    format!("Data set {data}; {images} {part} images at epoch {epoch}{best}")
}

fn percent(x: f64) -> String {
    format!("{:.1} %", 100.0 * x)
}

fn facts(analysis: &Analysis) -> Vec<(String, String)> {
    let scores = &analysis.scores;
    let between = |low: f64, high: f64| format!("{:.1} to {:.1} %", 100.0 * low, 100.0 * high);
    let f1 = analysis.f1.macro_f1;
    vec![
        (percent(scores.accuracy), format!("accuracy, 95 %: {}", between(analysis.accuracy.low, analysis.accuracy.high))),
        (percent(scores.balanced_accuracy), "balanced accuracy".into()),
        (format!("{:.3}", scores.macro_average.f1), format!("macro-F1, 95 %: {:.3} to {:.3}", f1.low, f1.high)),
        (format!("{:.3}", analysis.kappa), "Cohen's kappa".into()),
        (format!("{:.3}", analysis.reliability.expected_error), "expected calibration error".into()),
        (format!("{:.2}", analysis.temperature), "temperature that fits best".into()),
    ]
}

fn matrices(page: &mut Page, confusion: &Confusion, names: &[String]) {
    page.heading("What it confuses");
    page.paragraph("Rows are true classes, columns predicted ones. Colours are logarithmic, so that few images are seen too.");
    let k = confusion.classes();
    let counts: Vec<f64> = confusion.counts().iter().map(|&n| n as f64).collect();
    let shares: Vec<f64> = (0..k * k).map(|i| confusion.share_of_row(i / k, i % k)).collect();
    let count = |v: f64| format!("{v:.0}");
    let share = |v: f64| format!("{:.0}", 100.0 * v);
    page.plots(&[
        plot::matrix(&Matrix { title: "Images", names, values: &counts, format: &count, scale: Scale::Logarithmic }),
        plot::matrix(&Matrix { title: "Percent of the true class", names, values: &shares, format: &share, scale: Scale::Linear }),
    ]);
}

fn pairs(page: &mut Page, analysis: &Analysis, names: &[String]) {
    let mut list = Table::new(&["true class", "called", "images", "percent of the true class"]);
    for (truth, predicted, n) in analysis.confused_pairs().into_iter().take(PAIRS) {
        let share = format!("{:.1}", 100.0 * analysis.confusion.share_of_row(truth, predicted));
        list.rows.push(vec![names[truth].clone(), names[predicted].clone(), n.to_string(), share]);
    }
    if !list.rows.is_empty() {
        page.table(&list);
    }
}

fn scores(page: &mut Page, analysis: &Analysis, names: &[String]) {
    page.heading("Each class");
    page.paragraph(
        "Purity is precision, completeness is recall. Low and high are the ends of 95 % intervals: Wilson's for purity, completeness and \
         accuracy, a bootstrap over the images for F1.",
    );
    page.table(&table::classes(analysis, names));
    page.heading("Do probabilities mean what they say?");
    page.paragraph(
        "Bars show which share is right among images of about equal confidence, lines their mean confidence, numbers how many images. Bars \
         below their lines: too sure of itself.",
    );
    page.plots(&[plot::reliability(analysis)]);
    page.heading("Each class against all others");
    page.plots(&[plot::precision_recall(analysis, names), plot::roc(analysis, names)]);
    page.table(&table::areas(analysis, names));
}

fn galaxies(page: &mut Page, subject: &Subject<'_>, analysis: &Analysis, names: &[String]) {
    let suspects: Vec<(usize, String)> =
        analysis.label_errors.suspects.iter().map(|s| (s.image, format!("probably {}", names[s.probably as usize]))).collect();
    let mistakes: Vec<(usize, String)> = analysis.predictions.mistakes().into_iter().map(|i| (i, String::new())).collect();
    let forgotten = subject.learning.as_ref().map_or_else(Vec::new, |learning| {
        most_forgotten(learning).into_iter().map(|i| (i, format!("forgotten {} times", learning[i].forgotten))).collect()
    });
    let parts = [
        ("Labels that are probably wrong", "By confident learning (Northcutt et al. 2021). Look at them before you believe it.", suspects),
        ("Most confident mistakes", "Wrong, and sure of it.", mistakes),
        ("Most often forgotten", "Right in one epoch, wrong in the next (Toneva et al. 2019): hard or ambiguous galaxies.", forgotten),
    ];
    for (title, about, list) in parts {
        if list.is_empty() {
            continue;
        }
        page.heading(title);
        let shown = list.len().min(SHOWN);
        page.paragraph(&format!("{about} {} in all, {shown} shown.", list.len()));
        let images = subject.record.images(subject.part);
        let figures: Vec<_> =
            list[..shown].iter().map(|(place, remark)| figure(subject, analysis, names, images, *place, remark)).collect();
        page.galaxies(&figures);
    }
}

fn figure(
    subject: &Subject<'_>,
    analysis: &Analysis,
    names: &[String],
    images: &[u32],
    place: usize,
    remark: &str,
) -> (Option<Vec<u8>>, String, String) {
    let predictions = &analysis.predictions;
    let image = images.get(place).copied().unwrap_or_default() as usize;
    let (truth, called) = (&names[predictions.truth()[place] as usize], &names[predictions.predicted()[place] as usize]);
    let picture = subject.dataset.and_then(|data| data.images.image(image).ok()).and_then(|picture| png(&picture));
    let remark = if remark.is_empty() { String::new() } else { format!("; {remark}") };
    let second = format!("image {image}, labelled {truth} ({:.1} %){remark}", 100.0 * predictions.self_confidence(place));
    (picture, format!("{called} {:.1} %", 100.0 * predictions.confidence(place)), second)
}

/// A small PNG file in memory.
fn png(picture: &Image) -> Option<Vec<u8>> {
    let small = if picture.width().max(picture.height()) > SIDE { &picture.thumbnail(SIDE) } else { picture };
    imaging::encode_png(small, &[]).ok()
}

fn settings(page: &mut Page, record: &Record) {
    page.heading("Settings");
    if let Some(started) = &record.session.started {
        page.paragraph(&format!(
            "{} parameters, {} training, {} validation and {} test images, {}, {} threads, program {}, split {}.",
            started.parameters,
            started.train_images,
            started.valid_images,
            started.test_images,
            started.device,
            started.threads,
            started.version,
            started.split_digest.get(..12).unwrap_or(&started.split_digest),
        ));
    }
    let mut list = Table::new(&["setting", "value"]);
    flatten(&serde_json::to_value(&record.config).unwrap_or_default(), "", &mut list);
    page.table(&list);
}

/// The fields of a configuration with those of its inner objects, one a row.
fn flatten(value: &serde_json::Value, name: &str, list: &mut Table) {
    match value {
        serde_json::Value::Object(fields) => {
            for (field, value) in fields {
                flatten(value, &if name.is_empty() { field.clone() } else { format!("{name}.{field}") }, list);
            }
        }
        serde_json::Value::String(text) => list.rows.push(vec![name.to_owned(), text.clone()]),
        other => list.rows.push(vec![name.to_owned(), other.to_string()]),
    }
}
