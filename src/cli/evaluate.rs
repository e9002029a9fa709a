//! `tuning-fork evaluate`: how good the best or another epoch of a run is on a part of the run's own split. The answers stay in the run folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;

use super::choice::Choice;
use super::model::registered;
use super::{output, report};
use crate::data::{self, Dataset, Part};
use crate::train::{self, Evaluation, RunFolder};

/// What `evaluate` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The run folder
    #[arg(long, value_name = "RUN_DIR", required_unless_present = "model", conflicts_with = "model")]
    run: Option<PathBuf>,
    /// A registered model by version or alias, such as galaxy-classifier@champion: on the split of the run that trained it
    #[arg(long, value_name = "NAME@ALIAS", conflicts_with = "epoch")]
    model: Option<String>,
    /// The folder where runs are kept, and registered models in it
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
    /// The part of the run's split to score
    #[arg(long, value_name = "PART", default_value = "test", value_parser = Choice::<Part>::new())]
    split: Part,
    /// The epoch to score, one whose model is kept (see `train --snapshots`); the best one if it is left out
    #[arg(long, value_name = "N")]
    epoch: Option<usize>,
    /// The run's data set, if it has moved. Another data set is refused: the split is that of the run, image by image
    #[arg(long, value_name = "DIR|synthetic")]
    data: Option<String>,
    /// Print one JSON object instead of the tables
    #[arg(long)]
    json: bool,
}

/// Scores the run and prints tables or JSON.
///
/// # Errors
/// If there is no run, no model in it yet, or the data set is not the run's.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let named = arguments.model.as_ref().map(|name| registered(&arguments.runs, name)).transpose()?;
    let run = named.as_ref().or(arguments.run.as_ref()).context("name a run with --run, or a registered model with --model")?;
    let folder = RunFolder::open(run)?;
    if let Some(epoch) = arguments.epoch {
        folder.model_of(epoch)?;
    } else if !folder.best_model().is_file() {
        let path = run.display();
        bail!("{path} has no model yet, because its first epoch is not done; go on with: tuning-fork train --resume {path}");
    }
    let config = folder.config()?;
    let choice = arguments.data.as_ref().unwrap_or(&config.data);
    let dataset = data::load(choice, config.synthetic_images, config.size, config.seed)
        .with_context(|| format!("the run's data set {choice} cannot be opened; if it has moved, name its folder with --data"))?;
    super::tell_skipped(&dataset);
    let evaluation = evaluate_and_keep(&folder, arguments.epoch, arguments.split, &Arc::new(dataset))?;
    if arguments.json {
        output::json(&as_json(run, &evaluation))?;
    } else {
        output::line(tables(arguments, run, &evaluation))?;
    }
    Ok(())
}

/// Evaluates the model of an epoch (`None`: the best one) with a bar, and keeps the answers in the run folder, where the window finds them; that they could not be
/// kept is told.
pub(super) fn evaluate_and_keep(
    folder: &RunFolder,
    epoch: Option<usize>,
    part: Part,
    dataset: &Arc<Dataset>,
) -> anyhow::Result<Evaluation> {
    let images = folder.split()?.split.part(part).len();
    let bar = ProgressBar::new(images as u64).with_style(super::data::image_style());
    let evaluation = train::evaluate(folder, epoch, part, dataset, |done| {
        bar.set_position(done as u64);
        true
    });
    bar.finish_and_clear();
    let evaluation = evaluation?.context("the evaluation was stopped")?;
    if let Err(error) = evaluation.keep(folder) {
        output::note(format!("warning: the probabilities were not kept in the run folder ({error}); the scores are right all the same"));
    }
    Ok(evaluation)
}

fn tables(arguments: &Arguments, run: &Path, evaluation: &Evaluation) -> String {
    let (confusion, classes) = (&evaluation.confusion, &evaluation.classes);
    format!(
        "{}, {} part{}\n\n{}\n\n{}\n\n{}",
        run.display(),
        arguments.split.title(),
        evaluation.epoch.map_or_else(String::new, |epoch| format!(", epoch {epoch}")),
        report::scores(confusion, evaluation.loss),
        report::classes(&evaluation.scores, classes),
        report::matrix(confusion, classes),
    )
}

fn as_json(run: &Path, evaluation: &Evaluation) -> serde_json::Value {
    let scores = &evaluation.scores;
    let classes: Vec<_> = evaluation
        .classes
        .iter()
        .zip(&scores.classes)
        .map(|(name, class)| {
            json!({
                "class": name, "precision": class.precision, "recall": class.recall, "f1": class.f1, "support": class.support,
            })
        })
        .collect();
    json!({
        "run": run,
        "split": evaluation.part,
        "epoch": evaluation.epoch,
        "images": evaluation.confusion.total(),
        "accuracy": scores.accuracy,
        "accuracy_interval_95": [evaluation.accuracy_interval.low, evaluation.accuracy_interval.high],
        "balanced_accuracy": scores.balanced_accuracy,
        "macro_f1": scores.macro_average.f1,
        "loss": evaluation.loss,
        "classes": classes,
        "confusion": evaluation.confusion,
    })
}
