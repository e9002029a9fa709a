//! What a model finds familiar, for `predict`: read from its run folder, or worked out of the run's data set.

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use super::output;
use crate::data::{self, Dataset};
use crate::explain::{Classifier, Familiarity};
use crate::review::{Kept, kept_familiarity, measure_familiarity, run_of};
use crate::train::Config;

/// Reads what is kept, or works it out and keeps it. `data` names the run's data set if it has moved.
///
/// # Errors
/// If the model is of no run, or the run's data set is needed and cannot be had.
pub fn familiarity(classifier: &Classifier, data: Option<&str>) -> anyhow::Result<Familiarity> {
    let Some(run) = run_of(classifier) else {
        bail!("--distance needs the run that trained the model, for its split: name the run folder with --run");
    };
    let config = run.0.config()?;
    let named = data.map(|data| open(data, &config)).transpose()?;
    match kept_familiarity(classifier, &run, named.as_ref())? {
        Kept::Known(known) => return Ok(*known),
        Kept::Nothing => {}
        Kept::Unusable(why) => output::note(format!("{why}; it is made again")),
    }
    let dataset = match named {
        Some(dataset) => dataset,
        None => open(&config.data, &config)?,
    };
    let pictures = run.1.split.train.len() + run.1.split.valid.len();
    output::note(format!("looking at the {pictures} training and validation pictures of the run once"));
    let bar = ProgressBar::new(pictures as u64).with_style(super::data::image_style());
    let measured = measure_familiarity(classifier, &run, &dataset, &mut |done| {
        bar.set_position(done as u64);
        true
    });
    bar.finish_and_clear();
    let (known, unkept) = measured?.context("nobody asked to stop")?;
    if let Some(why) = unkept {
        output::note(format!("warning: it is not kept for the next time: {why}"));
    }
    Ok(known)
}

fn open(choice: &str, config: &Config) -> anyhow::Result<Dataset> {
    data::load(choice, config.synthetic_images, config.size, config.seed)
        .with_context(|| format!("the run's data set {choice} cannot be opened; if it has moved, name its folder with --data"))
}
