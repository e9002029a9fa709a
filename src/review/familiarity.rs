//! What a run's model finds familiar: worked out of the run's own training and validation pictures, kept beside the model.

use std::path::{Path, PathBuf};

use super::ReviewError;
use crate::data::{Dataset, Part};
use crate::explain::{Classifier, Familiarity, Origin};
use crate::files::write_whole;
use crate::train::{RecordedSplit, RunFolder, snapshot_epoch};

/// The file's name in the run folder, for the best model; those of the models of single epochs lie beside these.
pub const FAMILIARITY: &str = "familiarity.bin";

/// What is kept of a run's familiarity.
#[derive(Debug)]
pub enum Kept {
    /// It is there and belongs to the model.
    Known(Box<Familiarity>),
    /// There is none yet.
    Nothing,
    /// There is a file that cannot be used; the message says why.
    Unusable(String),
}

/// The run that a model is the best epoch of, or another one that was kept, with the split; `None` for a model file that lies anywhere else.
#[must_use]
pub fn run_of(classifier: &Classifier) -> Option<(RunFolder, RecordedSplit)> {
    let folder = RunFolder::of_model(classifier.path())?;
    let split = folder.split().ok()?;
    (split.classes == classifier.spec().classes).then_some((folder, split))
}

/// What tells `dataset` from the one of a run, in words; `None` if it is the same as far as its size, classes and labels tell.
#[must_use]
pub fn other_data(run: &(RunFolder, RecordedSplit), dataset: &Dataset) -> Option<String> {
    let labels = || (!run.1.labels.is_empty() && run.1.labels != dataset.labels).then(|| "its images have other labels".to_owned());
    run.1.difference(dataset).or_else(labels)
}

/// Where is kept what a run's model finds familiar.
fn familiarity_path(model: &Path) -> PathBuf {
    if snapshot_epoch(model).is_some() { model.with_extension(FAMILIARITY) } else { model.with_file_name(FAMILIARITY) }
}

/// Reads what is kept for a model. `dataset` is the run's, if it is at hand; then the pictures are compared too.
///
/// # Errors
/// If the model's numbers cannot be read.
pub fn kept_familiarity(classifier: &Classifier, run: &(RunFolder, RecordedSplit), dataset: Option<&Dataset>) -> Result<Kept, ReviewError> {
    let path = familiarity_path(classifier.path());
    let unusable = |why: String| Kept::Unusable(format!("{} cannot be used: {why}", path.display()));
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Kept::Nothing),
        Err(error) => return Ok(unusable(error.to_string())),
    };
    let model = classifier.fingerprint().map_err(request)?;
    let data = dataset.map(Dataset::digest);
    Ok(match Familiarity::from_bytes(&bytes, &model, &run.1.split.digest(), data.as_deref()) {
        Ok(known) => Kept::Known(Box::new(known)),
        Err(error) => unusable(error.to_string()),
    })
}

/// Lets the model go through the run's training and validation pictures, and keeps the result in the run folder; why it could not be
/// kept there comes back with it. `go_on` is told how many pictures are done, after each batch; when it says no, `None` comes back.
///
/// # Errors
/// If the data set is not the run's, or a picture cannot be read.
pub fn measure_familiarity(
    classifier: &Classifier,
    run: &(RunFolder, RecordedSplit),
    dataset: &Dataset,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<(Familiarity, Option<String>)>, ReviewError> {
    let recorded = &run.1;
    if let Some(difference) = other_data(run, dataset) {
        return Err(ReviewError::Request(format!("this data set is not the run's: {difference}; choose the one that it trained on")));
    }
    recorded.split.validate(dataset.len()).map_err(request)?;
    let mut done = 0;
    let mut rows = |part: Part| -> Result<Option<Vec<Vec<f32>>>, ReviewError> {
        let mut rows = Vec::new();
        for batch in recorded.split.part(part).chunks(classifier.batch()) {
            let read = |&index: &u32| dataset.images.image(index as usize).map(|image| classifier.prepare(&image));
            let images = batch.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(request)?;
            rows.extend(classifier.look(&images, false).map_err(request)?.into_iter().map(|reading| reading.features));
            done += batch.len();
            if !go_on(done) {
                return Ok(None);
            }
        }
        Ok(Some(rows))
    };
    let Some(train) = rows(Part::Train)? else { return Ok(None) };
    let Some(valid) = rows(Part::Valid)? else { return Ok(None) };
    let known = Familiarity::new(&train, &valid).ok_or_else(|| request("the run has no training or no validation pictures"))?;
    let origin = Origin { model: classifier.fingerprint().map_err(request)?, split: recorded.split.digest(), data: dataset.digest() };
    let path = familiarity_path(classifier.path());
    let unkept = write_whole(&path, &known.to_bytes(&origin)).err().map(|error| format!("{}: {error}", path.display()));
    Ok(Some((known, unkept)))
}

#[expect(clippy::needless_pass_by_value, reason = "map_err gives values")]
fn request(error: impl ToString) -> ReviewError {
    ReviewError::Request(error.to_string())
}
