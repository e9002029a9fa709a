//! `tuning-fork data export`: chosen images of a data set as a table, CSV or `VOTable`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;

use super::output;
use crate::data::export::{Format, export};
use crate::data::query::{Facts, Query};
use crate::data::{self, Dataset, Marks, Part, Predictions, Sidecar};
use crate::explain::Classifier;
use crate::review::{Record, answers};
use crate::train::Config;

/// What `data export` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A data folder, a folder with one subfolder a class, or `synthetic`
    #[arg(value_name = "DIR|synthetic")]
    data: String,
    /// The file to write: .csv, or .vot, .votable or .xml for a `VOTable`
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only these images, in this order: 'class:5 split:test wrong conf>0.9 sort:-loss'
    #[arg(long, value_name = "QUERY", default_value = "")]
    query: String,
    /// A run folder: its best epoch's probabilities go into the table
    #[arg(long, value_name = "RUN_DIR", conflicts_with = "model")]
    run: Option<PathBuf>,
    /// An epoch of the run, counted from 1: its kept probabilities go into the table, and the split is the run's. Images outside the
    /// parts that were looked at have none
    #[arg(long, value_name = "N", requires = "run")]
    epoch: Option<usize>,
    /// A model file, or a registered model by version or alias, such as galaxy-classifier@champion: its probabilities go into the table
    #[arg(long, value_name = "FILE.safetensors|NAME@ALIAS")]
    model: Option<PathBuf>,
    /// The folder where runs are kept, and registered models in it
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
    /// The seed of the split, if none came with the data
    #[arg(long, value_name = "K", default_value_t = Config::default().seed)]
    seed: u64,
}

/// Chooses the images, classifies them if a model is named, and writes the table.
///
/// # Errors
/// If the query makes no sense for the data, the model does not fit them, or the file cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Some(format) = Format::of(&arguments.out) else {
        bail!("{} does not say which form it should have; end its name with .csv or .vot", arguments.out.display());
    };
    let query =
        Query::parse(&arguments.query).map_err(|error| anyhow::anyhow!("the query cannot be used:\n{}", error.marked(&arguments.query)))?;
    let Config { synthetic_images, size, .. } = Config::default();
    let dataset = data::load(&arguments.data, synthetic_images, size, arguments.seed)?;
    super::tell_skipped(&dataset);
    let parts = parts(&dataset, arguments.seed);
    let loaded = Sidecar::open(&dataset, data::marks_folder().as_deref());
    loaded.messages.iter().for_each(output::note);
    let mut facts = Facts { dataset: &dataset, parts: &parts, predictions: None, marks: Some(&loaded.marks) };
    if let (Some(epoch), Some(run)) = (arguments.epoch, &arguments.run) {
        return export_epoch(arguments, (run, epoch), format, &query, &dataset, &loaded.marks);
    }
    let model = match (&arguments.run, &arguments.model) {
        (Some(run), _) => Some(run.clone()),
        (None, model) => model.as_ref().map(|model| super::model::named(&arguments.runs, model)).transpose()?,
    };
    let model = model.map(|path| Classifier::load(&path)).transpose()?;
    let choose = |facts: &Facts| choose(arguments, &query, facts);
    let predictions;
    let which = match &model {
        None if query.needs_predictions() => {
            bail!("the query \"{query}\" needs a model's answers; name a model with --run or --model");
        }
        None => choose(&facts)?,
        Some(model) => {
            // without a word about predictions only the chosen images need to be classified
            let which = if query.needs_predictions() { (0..dataset.len()).collect() } else { choose(&facts)? };
            predictions = classify(&dataset, model, &which)?;
            facts.predictions = Some(&predictions);
            if query.needs_predictions() { choose(&facts)? } else { which }
        }
    };
    write(arguments, format, &facts, &which)
}

/// The same with what a run kept of an epoch, which needs no model.
fn export_epoch(
    arguments: &Arguments,
    (run, epoch): (&Path, usize),
    format: Format,
    query: &Query,
    dataset: &Dataset,
    marks: &Marks,
) -> anyhow::Result<()> {
    let mut record = Record::open(run)?;
    record.learn_labels(dataset);
    let (predictions, missing) = answers(&record, epoch, dataset)?;
    for words in missing {
        output::note(words);
    }
    output::note(format!("{} of {} images have an answer of epoch {epoch}", predictions.count(), dataset.len()));
    let parts = record.split.as_ref().map_or_else(|| vec![None; dataset.len()], |recorded| recorded.split.parts(dataset.len()));
    let facts = Facts { dataset, parts: &parts, predictions: Some(&predictions), marks: Some(marks) };
    let which = choose(arguments, query, &facts)?;
    write(arguments, format, &facts, &which)
}

/// The images that pass.
fn choose(arguments: &Arguments, query: &Query, facts: &Facts) -> anyhow::Result<Vec<usize>> {
    query.run(facts).map_err(|error| anyhow::anyhow!("the query cannot be used:\n{}", error.marked(&arguments.query)))
}

/// Writes the table and says how long it is.
fn write(arguments: &Arguments, format: Format, facts: &Facts, which: &[usize]) -> anyhow::Result<()> {
    export(&arguments.out, format, facts, which)
        .with_context(|| format!("{} cannot be written; choose another place or make room", arguments.out.display()))?;
    output::note(format!("{} of {} images written to {}", which.len(), facts.dataset.len(), arguments.out.display()));
    Ok(())
}

/// The part of each image; none at all for data that cannot be split.
fn parts(dataset: &Dataset, seed: u64) -> Vec<Option<Part>> {
    match dataset.split(seed) {
        Ok(split) => split.parts(dataset.len()),
        Err(error) => {
            output::note(format!("warning: there is no split: {error}"));
            vec![None; dataset.len()]
        }
    }
}

fn classify(dataset: &Dataset, model: &Classifier, which: &[usize]) -> anyhow::Result<Predictions> {
    model.check_classes(&dataset.classes)?;
    let mut predictions = Predictions::new(model.path().display().to_string(), dataset.classes.len(), dataset.len());
    let bar = ProgressBar::new(which.len() as u64).with_style(super::data::image_style());
    for batch in which.chunks(model.batch()) {
        let mut readable = Vec::with_capacity(batch.len());
        let mut images = Vec::with_capacity(batch.len());
        for &index in batch {
            match dataset.images.image(index) {
                Ok(image) => {
                    readable.push(index);
                    images.push(image);
                }
                Err(error) => bar.suspend(|| output::note(format!("skipped image {index}: {error}"))),
            }
        }
        for (index, row) in readable.into_iter().zip(model.classify(&images)?) {
            predictions.set(index, &row);
        }
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(predictions)
}
