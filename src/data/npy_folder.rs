//! Opening the seed's folder:
//!
//! | file | content |
//! |---|---|
//! | `images.npy` | (N, H, W, 3) u8, C order; memory-mapped |
//! | `labels.npy` | (N,) of any integer type, classes counted from 0 |
//! | `classes.txt` | optional: one name a line, in label order |
//! | `ra.npy` `dec.npy` `redshift.npy` `pxscale.npy` | optional: (N,) real numbers |
//! | `train_indices.npy` `valid_indices.npy` `test_indices.npy` | optional, all three or none: (n,) integers |

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::mapped::MappedImages;
use super::npy::{self, invalid};
use super::{Catalogue, DataError, Dataset, ImageSource, Split, classes};

pub(super) const IMAGES: &str = "images.npy";
pub(super) const LABELS: &str = "labels.npy";
pub(super) const CLASSES: &str = "classes.txt";
pub(super) const RA: &str = "ra.npy";
pub(super) const DEC: &str = "dec.npy";
pub(super) const REDSHIFT: &str = "redshift.npy";
pub(super) const PXSCALE: &str = "pxscale.npy";
pub(super) const TRAIN: &str = "train_indices.npy";
pub(super) const VALID: &str = "valid_indices.npy";
pub(super) const TEST: &str = "test_indices.npy";

/// Opens a folder that has `images.npy` or `labels.npy`.
pub(super) fn open(dir: &Path) -> Result<Dataset, DataError> {
    for (needed, other) in [(IMAGES, LABELS), (LABELS, IMAGES)] {
        if !dir.join(needed).is_file() {
            return Err(invalid(dir, format!("there is {other} but no {needed} beside it; put both files into the folder")));
        }
    }
    let images = MappedImages::open(&dir.join(IMAGES))?;
    let labels_path = dir.join(LABELS);
    let labels = npy::integers(&labels_path)?;
    if labels.len() != images.len() {
        return Err(invalid(
            &labels_path,
            format!("there are {} labels for {} images; write both files from the same data", labels.len(), images.len()),
        ));
    }
    let labels = non_negative(&labels_path, "label", &labels)?;
    let classes = match read_classes(&dir.join(CLASSES))? {
        Some(classes) => classes,
        None => name_classes(&labels_path, &labels, images.size())?,
    };
    if let Some((image, &label)) = labels.iter().enumerate().find(|(_, label)| **label as usize >= classes.len()) {
        return Err(invalid(
            &labels_path,
            format!(
                "image {image} has label {label}, but {CLASSES} names {} classes, counted from 0; correct one of the two files",
                classes.len()
            ),
        ));
    }
    Ok(Dataset {
        name: super::folder_name(dir),
        location: Some(dir.to_owned()),
        catalogue: read_catalogue(dir, images.len())?,
        given_split: read_split(dir, images.len())?,
        images: Arc::new(images),
        labels,
        classes,
        skipped: Vec::new(),
    })
}

fn non_negative(path: &Path, what: &str, values: &[i128]) -> Result<Vec<u32>, DataError> {
    let wrong = |at: usize| {
        format!(
            "its {what} {} (at position {at}) is out of range; {what}s are whole numbers from 0 on, so write the file again",
            values[at]
        )
    };
    values.iter().enumerate().map(|(at, &v)| u32::try_from(v).map_err(|_| invalid(path, wrong(at)))).collect()
}

/// The names in `classes.txt`, or `None` if there is no such file.
fn read_classes(path: &Path) -> Result<Option<Vec<String>>, DataError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let names: Vec<String> = text.trim_start_matches('\u{feff}').trim_end().lines().map(|line| line.trim().to_owned()).collect();
    if let Some(line) = names.iter().position(String::is_empty) {
        return Err(invalid(path, format!("line {} is empty; write one class name a line, in label order", line + 1)));
    }
    if names.is_empty() {
        return Err(invalid(path, "it is empty; write one class name a line in label order, or delete it"));
    }
    if let Some(twice) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
        return Err(invalid(path, format!("\"{}\" stands in it twice; give each class its own name", names[twice])));
    }
    Ok(Some(names))
}

/// Names for labels without `classes.txt`: those of Galaxy10 if there are ten classes (of the older one if the pictures
/// have its 69 pixels), else "Class k".
fn name_classes(path: &Path, labels: &[u32], size: Option<(usize, usize)>) -> Result<Vec<String>, DataError> {
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let count = sorted.len();
    if let Some(missing) = (0..count).find(|&k| sorted[k] as usize != k) {
        return Err(invalid(
            path,
            format!(
                "no image has label {missing}, but some have label {}; count classes from 0 without a gap, or name them all in {CLASSES}",
                sorted[missing]
            ),
        ));
    }
    Ok(match (count, size) {
        (10, Some((69, 69))) => classes::GALAXY10_SDSS.map(str::to_owned).to_vec(),
        (10, _) => classes::GALAXY10.map(str::to_owned).to_vec(),
        _ => (0..count).map(|k| format!("Class {k}")).collect(),
    })
}

fn read_catalogue(dir: &Path, images: usize) -> Result<Catalogue, DataError> {
    let column = |name: &str| {
        let path = dir.join(name);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let values = npy::floats(&path)?;
        if values.len() == images {
            Ok(values)
        } else {
            Err(invalid(&path, format!("it has {} values for {images} images; write one value an image or delete it", values.len())))
        }
    };
    Ok(Catalogue { ra: column(RA)?, dec: column(DEC)?, redshift: column(REDSHIFT)?, pxscale: column(PXSCALE)? })
}

/// The split of the index files, or `None` if there are none. Indices may stand in any order.
fn read_split(dir: &Path, images: usize) -> Result<Option<Split>, DataError> {
    let names = [TRAIN, VALID, TEST];
    let (there, missing): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| dir.join(name).exists());
    if there.is_empty() {
        return Ok(None);
    }
    if !missing.is_empty() {
        let message =
            format!("there is {} but no {}; add what is missing, or delete the index files", there.join(" and "), missing.join(" and "));
        return Err(invalid(dir, message));
    }
    let indices = |name: &str| {
        let path = dir.join(name);
        let mut indices = non_negative(&path, "index", &npy::integers(&path)?)?;
        indices.sort_unstable();
        Ok::<_, DataError>(indices)
    };
    let split = Split { train: indices(TRAIN)?, valid: indices(VALID)?, test: indices(TEST)? };
    split.validate(images).map_err(|error| invalid(dir, format!("the index files are not right: {error}")))?;
    Ok(Some(split))
}
