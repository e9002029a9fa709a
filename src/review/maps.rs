//! A small sheet of where a run's best model looks, kept in the run folder, for those who look at the run elsewhere.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rayon::ThreadPoolBuilder;

use super::ReviewError;
use crate::data::{self, Part, synth};
use crate::explain::{Classifier, sheet};
use crate::files::replace;
use crate::imaging::Image;
use crate::train::{Config, RecordedSplit, RunFolder};

/// The most pictures on the sheet.
const MOST: usize = 10;

/// Draws the maps of a validation picture of each class (of the first ten) by the best model, unless the sheet of that model is there.
///
/// # Errors
/// If the model or the data are gone or are others, or the network has no maps; the run folder stays as it is, also if it is gone.
pub fn store_maps(folder: &RunFolder) -> Result<PathBuf, ReviewError> {
    let model = folder.best_model();
    let written =
        folder.best_model_time().map_err(|error| ReviewError::Request(format!("{}: {error}; train it first", model.display())))?;
    if folder.has_maps_of(written) {
        return Ok(folder.maps_path());
    }
    // before the data, which may be a large folder: a model that is of no use is known at once
    let classifier = Classifier::load(&model).map_err(|error| said(&error))?;
    let pictures = pictures(&folder.config()?, &folder.split()?)?;
    let png = sheet(&Arc::new(classifier), &pictures).map_err(|error| said(&error))?;
    keep(folder, written, &png)
}

/// The same on one thread, for those who do without what cannot be drawn.
pub fn draw_maps(folder: &RunFolder) {
    // the shared threads are for what trains
    let thread = ThreadPoolBuilder::new().num_threads(1).thread_name(|_| "maps".into()).build().map_err(|error| said(&error));
    if let Err(error) = thread.and_then(|thread| thread.install(|| store_maps(folder))) {
        tracing::info!("{}: no maps: {error}", folder.path().display());
    }
}

/// Writes the sheet of the model of that time. If the run or that model is gone by now, so is the sheet.
fn keep(folder: &RunFolder, model: SystemTime, png: &[u8]) -> Result<PathBuf, ReviewError> {
    let place = folder.maps_path();
    if folder.best_model_time().ok() != Some(model) {
        let words = "was replaced or removed while its maps were drawn; they are drawn again once the run is over";
        return Err(ReviewError::Request(format!("{} {words}", folder.best_model().display())));
    }
    replace(&place, |file| file.write_all(png))
        .map_err(|error| ReviewError::Request(format!("{}: {error}; make room", place.display())))?;
    Ok(place)
}

fn said(error: &impl ToString) -> ReviewError {
    ReviewError::Request(error.to_string())
}

/// The first validation picture of each class, with what it is.
fn pictures(config: &Config, split: &RecordedSplit) -> Result<Vec<(String, Image)>, ReviewError> {
    let first = |labels: &[u32]| -> Vec<usize> {
        let valid = split.split.part(Part::Valid);
        let of = |class: usize| valid.iter().map(|&image| image as usize).find(|&image| labels.get(image) == Some(&(class as u32)));
        (0..split.classes.len()).filter_map(of).take(MOST).collect()
    };
    let name = |image: usize, label: u32| format!("image {image}: {}", split.classes[label as usize]);
    if config.data == data::SYNTHETIC {
        // these few are drawn without the others
        let one = |image: usize| Ok((name(image, split.labels[image]), synth::picture(split.images, image, config.size, config.seed)?));
        return first(&split.labels).into_iter().map(one).collect::<Result<_, data::DataError>>().map_err(|error| said(&error));
    }
    let dataset = data::load(&config.data, config.synthetic_images, config.size, config.seed).map_err(|error| said(&error))?;
    if let Some(difference) = split.difference(&dataset) {
        return Err(ReviewError::Request(format!("{} is not what the run was trained on: {difference}", config.data)));
    }
    let one = |image: usize| Ok((name(image, dataset.labels[image]), dataset.images.image(image)?));
    first(&dataset.labels).into_iter().map(one).collect::<Result<_, data::DataError>>().map_err(|error| said(&error))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::Duration;

    use super::keep;
    use crate::train::RunFolder;

    #[test]
    fn the_sheet_of_a_model_that_is_replaced_or_deleted_meanwhile_is_not_kept() {
        let runs = tempfile::tempdir().expect("a folder");
        let run = RunFolder::create(runs.path().join("a")).expect("a run");
        let model = File::create(run.best_model()).expect("a file");
        let written = run.best_model_time().expect("a time");
        keep(&run, written, b"a sheet").expect("it is still the same");
        assert!(run.has_maps_of(written));
        fs::remove_file(run.maps_path()).expect("removes");
        model.set_modified(written + Duration::from_secs(1)).expect("a time");
        keep(&run, written, b"a sheet").expect_err("another model");
        assert!(!run.maps_path().exists());
        fs::remove_dir_all(run.path()).expect("removes");
        keep(&run, written, b"a sheet").expect_err("no model");
        assert!(!run.path().exists());
    }
}
