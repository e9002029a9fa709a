//! A small sheet of where a run's best model looks, kept in the run folder, for those who look at the run elsewhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ReviewError;
use crate::data::{self, Part, synth};
use crate::explain::{Classifier, sheet};
use crate::files::write_whole;
use crate::imaging::Image;
use crate::train::{Config, RecordedSplit, RunFolder};

/// The most pictures on the sheet.
const MOST: usize = 10;

/// Draws the maps of a validation picture of each class (of the first ten) by the best model, unless the sheet of that model is there.
///
/// # Errors
/// If the model or the data are gone or are others, or the network has no maps; the run folder stays as it is.
pub fn store_maps(folder: &RunFolder) -> Result<PathBuf, ReviewError> {
    let (place, model) = (folder.maps_path(), folder.best_model());
    if is_newer(&place, &model) {
        return Ok(place);
    }
    let (config, split) = (folder.config()?, folder.split()?);
    let pictures = pictures(&config, &split)?;
    let classifier = Classifier::load(&model).map_err(|error| said(&error))?;
    let png = sheet(&Arc::new(classifier), &pictures).map_err(|error| said(&error))?;
    write_whole(&place, &png).map_err(|error| ReviewError::Request(format!("{}: {error}; make room", place.display())))?;
    Ok(place)
}

/// The same, for those who do without what cannot be drawn.
pub fn draw_maps(folder: &RunFolder) {
    if let Err(error) = store_maps(folder) {
        tracing::debug!("{}: no maps: {error}", folder.path().display());
    }
}

fn said(error: &impl ToString) -> ReviewError {
    ReviewError::Request(error.to_string())
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let time = |path: &Path| std::fs::metadata(path).and_then(|facts| facts.modified()).ok();
    time(file).zip(time(than)).is_some_and(|(file, than)| file >= than)
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
