//! `tuning-fork track`: runs and registered models mirrored in MLflow.

use std::sync::atomic::AtomicBool;

use anyhow::bail;
use clap::Args;

use super::output;
use super::runs::Place;
use crate::review;
use crate::track::mlflow::{self, EXPERIMENT, PATIENCE, Settings, Target, Told};

/// What `track` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Where to: a database that `mlflow ui --backend-store-uri` opens (`sqlite:///mlflow.db` lies here, `sqlite:////data/mlflow.db` in
    /// /data), or a tracking server (`http://host:5000`)
    #[arg(long, value_name = "URI")]
    mlflow: Target,
    #[command(flatten)]
    place: Place,
    /// The experiment that the runs appear in
    #[arg(long, value_name = "NAME", default_value = EXPERIMENT)]
    experiment: String,
    /// Go on, and write what is new every two seconds, also of runs that train; end it with Ctrl-C
    #[arg(long)]
    watch: bool,
    /// Remove first what was written before from this folder of runs
    #[arg(long)]
    rebuild: bool,
}

/// Writes what is new, once or until Ctrl-C.
///
/// # Errors
/// If there is no such folder, or the database or server cannot be used; each message says what to do.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { mlflow, place, experiment, watch, rebuild } = arguments;
    if !place.runs.is_dir() {
        bail!("{} is no folder; name the one where runs are kept with --runs", place.runs.display());
    }
    if experiment.trim().is_empty() {
        bail!("an experiment needs a name; give one with --experiment");
    }
    let settings = Settings {
        runs: place.runs.clone(),
        target: mlflow.clone(),
        experiment: experiment.trim().to_owned(),
        rebuild: *rebuild,
        patience: PATIENCE,
        draw_maps: Some(review::draw_maps),
    };
    let (mut first, mut away, mut said) = (true, None, Vec::new());
    let mut tell = |told: Told| {
        match told {
            Told::UpToDate { written, runs } => {
                if written > 0 || first {
                    output::note(format!("{written} of {runs} runs written to {mlflow}"));
                }
                (first, away) = (false, None);
            }
            Told::Remarks(remarks) => {
                remarks.iter().filter(|words| !said.contains(*words)).for_each(|words| output::note(format!("warning: {words}")));
                said = remarks;
            }
            Told::Away(words) => {
                if away.as_ref() != Some(&words) {
                    output::note(format!("warning: {words}"));
                }
                away = Some(words);
            }
            // what ends the program is told by it
            Told::Off(_) => {}
        }
    };
    let done = if *watch { mlflow::watch(&settings, &AtomicBool::new(false), &mut tell) } else { mlflow::once(&settings, &mut tell) };
    Ok(done?)
}
