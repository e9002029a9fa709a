//! `tuning-fork report`: one page about a run that opens without a network.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;

use super::choice::Choice;
use super::evaluate::evaluate_and_keep;
use super::output;
use crate::data::{self, Dataset, Part};
use crate::files;
use crate::metrics::{Learning, Predictions, forgetting};
use crate::review::{Record, Subject, report};
use crate::train::epochs_in_words;

/// What `report` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The run folder
    #[arg(long, value_name = "RUN_DIR")]
    run: PathBuf,
    /// The HTML file to write; a file of that name is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The part to report on: valid, from the probabilities that the run kept; or test or train, on which the epoch's model is evaluated
    /// first if it was not yet
    #[arg(long, value_name = "PART", default_value = "valid", value_parser = Choice::<Part>::new())]
    split: Part,
    /// The epoch; the best one if it is left out. For test and train one that was evaluated, or whose model is kept (see `train
    /// --snapshots`)
    #[arg(long, value_name = "N")]
    epoch: Option<usize>,
    /// The run's data set, if it has moved. Without it the report has no pictures
    #[arg(long, value_name = "DIR|synthetic")]
    data: Option<String>,
}

/// Writes the page.
///
/// # Errors
/// If there is no run, it has no such epoch, or the file cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut record = Record::open(&arguments.run)?;
    let dataset = dataset(arguments, &record);
    if let Some(dataset) = &dataset {
        record.learn_labels(dataset);
    }
    let epochs = record.epochs();
    let best = record.best_epoch();
    let (Some(best), false) = (best, epochs.is_empty()) else {
        let path = arguments.run.display();
        bail!("{path} has no epoch to report on yet; go on with: tuning-fork train --resume {path}");
    };
    let epoch = arguments.epoch.unwrap_or(best);
    if !epochs.contains(&epoch) {
        bail!("this run has no epoch {epoch}; choose one of {}", epochs_in_words(&epochs));
    }
    let predictions = if arguments.split == Part::Valid || record.kept.of(arguments.split).contains(&epoch) {
        match record.predictions(arguments.split, epoch) {
            Ok(predictions) => Some(predictions),
            Err(error) => {
                output::note(format!("warning: {error}; the report has only what the run told"));
                None
            }
        }
    } else {
        Some(evaluate(arguments, &record, dataset.as_ref())?)
    };
    let learning = if arguments.split == Part::Valid { learning(&record) } else { None };
    let subject = Subject { record: &record, part: arguments.split, epoch, predictions, learning, dataset: dataset.as_deref() };
    files::write_whole(&arguments.out, report(&subject).as_bytes())
        .with_context(|| format!("{} cannot be written; choose another place or make room", arguments.out.display()))?;
    output::line(format!("wrote {}", arguments.out.display()))?;
    Ok(())
}

/// The run's data set, if it can be opened and is the run's; otherwise what that means is told.
fn dataset(arguments: &Arguments, record: &Record) -> Option<Arc<Dataset>> {
    let config = &record.config;
    let choice = arguments.data.as_ref().unwrap_or(&config.data);
    let found = data::load(choice, config.synthetic_images, config.size, config.seed).map_err(|error| error.to_string());
    match found.and_then(|dataset| record.difference(&dataset).map_or(Ok(dataset), Err)) {
        Ok(dataset) => Some(Arc::new(dataset)),
        Err(why) => {
            output::note(format!(
                "warning: without the run's data set {choice} the report has no pictures ({why}); name its folder with --data"
            ));
            None
        }
    }
}

fn evaluate(arguments: &Arguments, record: &Record, dataset: Option<&Arc<Dataset>>) -> anyhow::Result<Predictions> {
    let dataset = dataset.context("the model cannot be evaluated without the run's data set; name its folder with --data")?;
    Ok(evaluate_and_keep(&record.folder, arguments.epoch, arguments.split, dataset)?.predictions()?)
}

/// What became of each validation image, if every kept epoch can be read.
fn learning(record: &Record) -> Option<Vec<Learning>> {
    let epochs: Vec<Predictions> =
        record.kept.of(Part::Valid).iter().map(|&epoch| record.predictions(Part::Valid, epoch)).collect::<Result<_, _>>().ok()?;
    forgetting(&epochs)
}
