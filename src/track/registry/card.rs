//! The model card of a version, in Markdown (Mitchell et al. 2019, "Model cards for model reporting", FAT*): what it learned
//! from, how good it is and how sure that is, what it confuses, what it is for and what it is not for. Everything in it is
//! read off the version's folder.

use std::fmt::Write as _;

use super::ModelVersion;
use crate::data::Part;
use crate::metrics::{Confusion, F1Intervals, Interval, Predictions, wilson};
use crate::nn::{ModelSpec, weights};
use crate::random::{Purpose, Random};
use crate::track::{TrackError, parameters};
use crate::train::{RecordedSplit, RunFolder, Session, energy_in_words, timestamp};

/// The file in the version's folder.
pub(super) const FILE: &str = "card.md";
/// Rounds of the bootstrap.
const ROUNDS: usize = 1_000;
/// The seed of the bootstrap: that of everything else that draws these intervals, so that they are the same.
const SEED: u64 = 0;
/// A class with fewer validation images than this has scores that say little.
const FEW: u64 = 30;
/// Confused pairs that are named.
const PAIRS: usize = 3;

const PARTS: [Part; 3] = [Part::Train, Part::Valid, Part::Test];

/// The card of the version in `folder`.
pub(super) fn card(folder: &RunFolder, version: &ModelVersion) -> Result<String, TrackError> {
    let spec = weights::describe(folder.best_model()).map_err(|error| TrackError::Request(error.to_string()))?;
    let session = folder.outline()?;
    let split = folder.split().ok();
    let report = session.epochs.iter().find(|report| report.epoch == version.epoch);
    let confusion = report.map_or_else(|| Confusion::new(spec.classes.len()), |report| report.confusion.clone());
    let test = split.as_ref().and_then(|split| on_test(folder, split, version.epoch));
    let mut card = format!("# {version}\n\n");
    card.push_str(&about(version, &spec, &session));
    card.push_str(&intended());
    card.push_str(&data(version, &spec, &session, split.as_ref()));
    card.push_str(&scores(&confusion, test.as_ref(), version));
    let _ = write!(card, "## Classes on the validation images\n\n{}", classes(&confusion, &spec.classes));
    let _ = write!(card, "## Confusion on the validation images\n\n{}", matrix(&confusion, &spec.classes));
    if let Some(test) = &test {
        let _ = write!(card, "## Confusion on the test images\n\n{}", matrix(test, &spec.classes));
    }
    card.push_str(&limits(&confusion, &spec.classes, test.is_some()));
    card.push_str("## Hyper-parameters\n\n| name | value |\n|---|---|\n");
    for (name, value) in parameters(&folder.config()?) {
        let _ = writeln!(card, "| {} | {} |", cell(&name), cell(&value.to_string()));
    }
    Ok(card)
}

/// Text that stays inside its cell.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ")
}

fn about(version: &ModelVersion, spec: &ModelSpec, session: &Session) -> String {
    let network = &spec.network;
    let name = network.name();
    let registered = timestamp(std::time::UNIX_EPOCH + std::time::Duration::from_secs(version.registered));
    let started = session.started.as_ref();
    let mut text = String::new();
    if !version.note.is_empty() {
        let _ = write!(text, "{}\n\n", version.note);
    }
    let size = network.size;
    let _ = write!(text, "- network: {name}, {size} x {size} pixels, {} classes", spec.classes.len());
    if let Some(started) = started {
        let _ = write!(text, ", {} trainable numbers", started.parameters);
    }
    if let Some(joules) = session.energy() {
        let _ = write!(text, "\n- energy of the training, as its device counted it: {}", energy_in_words(joules));
    }
    let _ = write!(
        text,
        "\n- model file: `best.safetensors`, {} bytes, SHA-256 `{}`\n- run: `{}`, epoch {} of {}, on {}\n- program: {}\n- registered: {} UTC\n\n",
        version.bytes,
        version.sha256,
        version.run,
        version.epoch,
        session.epochs.last().map_or(0, |last| last.epoch),
        started.map_or("a device that is not known", |started| started.device.as_str()),
        spec.program_version,
        registered.replacen('_', " ", 1),
    );
    text
}

fn intended() -> String {
    "## Intended use\n\nTo sort pictures of single galaxies that are like those it was trained on (the same survey, bands, scale and \
     brightness) into the classes below, and to show where in a picture it looked. It is meant for looking through many galaxies, with \
     a person who looks at what matters.\n\nNot for pictures of other instruments without measuring it on them first, for pictures \
     of anything but a galaxy (it names a class for every picture), for positions, distances or brightness, or for counts of classes \
     without correcting for the confusion below.\n\n"
        .to_owned()
}

fn data(version: &ModelVersion, spec: &ModelSpec, session: &Session, split: Option<&RecordedSplit>) -> String {
    let known = |digest: &str| if digest.is_empty() { "not known (an older program)".to_owned() } else { format!("`{digest}`") };
    let mut text = format!(
        "## Data\n\n- data set: {}\n- digest of the data: {}\n- digest of the split: {}\n",
        version.data,
        known(&version.data_digest),
        known(&version.split_digest)
    );
    if let Some(started) = &session.started {
        let (train, valid, test) = (started.train_images, started.valid_images, started.test_images);
        let _ = writeln!(text, "- images: {train} trained it, {valid} chose the epoch, {test} are kept for the test");
    }
    text.push('\n');
    let Some(split) = split.filter(|split| split.labels.len() == split.images) else { return text };
    text.push_str("| class | training | validation | test |\n|---|---:|---:|---:|\n");
    let is = |index: u32, class: usize| split.labels.get(index as usize).is_some_and(|&label| label as usize == class);
    let count = |part: Part, class: usize| split.split.part(part).iter().filter(|&&index| is(index, class)).count();
    for (class, name) in spec.classes.iter().enumerate() {
        let [train, valid, test] = PARTS.map(|part| count(part, class));
        let _ = writeln!(text, "| {} | {train} | {valid} | {test} |", cell(name));
    }
    text.push('\n');
    text
}

/// The confusion on the test images, if the model was evaluated on them.
fn on_test(folder: &RunFolder, split: &RecordedSplit, epoch: usize) -> Option<Confusion> {
    let answers = folder.probabilities(Part::Test, epoch).ok()?;
    let images = split.split.part(Part::Test);
    if answers.len() != images.len() || answers.classes != split.classes.len() {
        return None;
    }
    let labels = images.iter().map(|&image| split.labels.get(image as usize).copied()).collect::<Option<Vec<u32>>>()?;
    let probabilities = answers.values.iter().map(|p| p.to_f32()).collect();
    Predictions::new(answers.classes, labels, probabilities).ok().map(|predictions| predictions.confusion())
}

fn intervals(confusion: &Confusion) -> F1Intervals {
    let mut random = Random::new(SEED, Purpose::Bootstrap, &[]);
    confusion.f1_intervals(ROUNDS, |n| random.below(n))
}

fn with(value: f64, Interval { low, high }: Interval) -> String {
    format!("{value:.4} ({low:.4} to {high:.4})")
}

fn scores(valid: &Confusion, test: Option<&Confusion>, version: &ModelVersion) -> String {
    let mut text = String::from("## Scores\n\n| images | accuracy | balanced accuracy | macro-F1 | loss |\n|---|---|---|---|---|\n");
    let loss = format!("{:.4}", version.loss);
    for (name, confusion, loss) in [("validation", Some(valid), loss.as_str()), ("test", test, "")] {
        let Some(confusion) = confusion.filter(|confusion| confusion.total() > 0) else { continue };
        let (total, scores) = (confusion.total(), confusion.scores());
        let _ = writeln!(
            text,
            "| {total} {name} | {} | {:.4} | {} | {loss} |",
            with(scores.accuracy, wilson(confusion.correct(), total)),
            scores.balanced_accuracy,
            with(scores.macro_average.f1, intervals(confusion).macro_f1),
        );
    }
    text.push_str(
        "\nIn brackets: 95 % intervals, Wilson's for shares, of 1,000 bootstrap draws of the images for F1. They tell how sure the number \
         is for these images, not what other seeds of the training would give.",
    );
    text.push_str(if test.is_some() {
        "\n\n"
    } else {
        " The epoch was chosen on the validation images, so their scores are a little too good; the model was not evaluated on the test images when it was registered.\n\n"
    });
    text
}

fn classes(confusion: &Confusion, names: &[String]) -> String {
    let (scores, f1) = (confusion.scores(), intervals(confusion));
    let mut text = String::from("| class | precision | recall | F1 | images |\n|---|---|---|---|---:|\n");
    for (class, (name, row)) in names.iter().zip(&scores.classes).enumerate() {
        let hits = confusion.count(class, class);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            cell(name),
            with(row.precision, wilson(hits, confusion.predicted(class))),
            with(row.recall, wilson(hits, confusion.support(class))),
            with(row.f1, f1.classes[class]),
            row.support
        );
    }
    text.push('\n');
    text
}

fn matrix(confusion: &Confusion, names: &[String]) -> String {
    let numbers = 0..confusion.classes();
    let row = |cell: &dyn Fn(usize) -> String| numbers.clone().map(cell).collect::<Vec<_>>().join(" | ");
    let mut text = format!(
        "Rows are true classes, columns predicted ones, by number.\n\n| | true class | {} |\n|---:|---|{}",
        row(&|column| column.to_string()),
        "---:|".repeat(confusion.classes())
    );
    for truth in numbers.clone() {
        let name = names.get(truth).map_or_else(String::new, |name| cell(name));
        let _ = write!(text, "\n| {truth} | {name} | {} |", row(&|column| confusion.count(truth, column).to_string()));
    }
    text.push_str("\n\n");
    text
}

fn limits(confusion: &Confusion, names: &[String], tested: bool) -> String {
    let mut text = String::from("## Limits\n\n");
    let k = names.len().min(confusion.classes());
    let few: Vec<&str> = (0..k).filter(|&class| confusion.support(class) < FEW).map(|class| names[class].as_str()).collect();
    if !few.is_empty() {
        let _ = writeln!(text, "- Fewer than {FEW} validation images, so the scores say little: {}.", few.join(", "));
    }
    let never: Vec<&str> = (0..k).filter(|&class| confusion.predicted(class) == 0).map(|class| names[class].as_str()).collect();
    if !never.is_empty() {
        let _ = writeln!(text, "- No validation image was given these classes: {}.", never.join(", "));
    }
    let cells = (0..k).flat_map(|truth| (0..k).map(move |called| (truth, called))).filter(|(truth, called)| truth != called);
    let mut pairs: Vec<(u64, usize, usize)> = cells.map(|(truth, called)| (confusion.count(truth, called), truth, called)).collect();
    pairs.sort_by_key(|&(count, ..)| std::cmp::Reverse(count));
    for &(count, truth, called) in pairs.iter().filter(|&&(count, ..)| count > 0).take(PAIRS) {
        let share = 100.0 * confusion.share_of_row(truth, called);
        let _ = writeln!(text, "- {count} of {} {} ({share:.0} %) were called {}.", confusion.support(truth), names[truth], names[called]);
    }
    if !tested {
        text.push_str("- It was not measured on images that had no part in choosing it.\n");
    }
    text.push_str(
        "- The labels are people's votes; some are wrong, and the scores are measured against them.\n- The probabilities mean what they say only \
         if a temperature is stored with the model (`calibration.json`).\n- Whether a picture is like the training data is a question of its \
         own: `predict --distance`.\n\n",
    );
    text
}
