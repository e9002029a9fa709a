//! Probabilities on disk: one `NumPy` file a part and epoch, `numpy.load` reads it. Those of the validation images are
//! written by the run, those of the other parts when the best model is evaluated on them.
//!
//! Format 1.0 of `NumPy`: magic, version, length of the header, the header as a Python dictionary padded to a multiple of 64
//! bytes, then images x classes little-endian f16 in C order.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use half::f16;

use super::{RunError, RunFolder};
use crate::data::Part;
use crate::files;

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// Probabilities of a list of images, one row an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Probabilities {
    /// Numbers in a row.
    pub classes: usize,
    /// Row by row, each in 0 to 1.
    pub values: Vec<f16>,
}

impl Probabilities {
    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.classes).unwrap_or(0)
    }

    /// True if there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The probabilities of image `row` (its place in the list, not in the data set).
    #[must_use]
    pub fn row(&self, row: usize) -> &[f16] {
        &self.values[row * self.classes..(row + 1) * self.classes]
    }
}

/// The epochs of which a run folder keeps probabilities, counted from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptEpochs([Vec<usize>; 3]);

impl KeptEpochs {
    /// Those of a part, ascending.
    #[must_use]
    pub fn of(&self, part: Part) -> &[usize] {
        &self.0[part as usize]
    }

    /// Adds one that was written.
    pub fn add(&mut self, part: Part, epoch: usize) {
        let epochs = &mut self.0[part as usize];
        if let Err(place) = epochs.binary_search(&epoch) {
            epochs.insert(place, epoch);
        }
    }
}

/// What the names of a part's files begin with.
fn prefix(part: Part) -> &'static str {
    match part {
        Part::Valid => "epoch_",
        Part::Test => "test_",
        Part::Train => "train_",
    }
}

impl RunFolder {
    pub(super) fn predictions_path(&self) -> PathBuf {
        self.path().join("predictions")
    }

    /// Where the probabilities of the images of a part after an epoch (counted from 1) are kept.
    #[must_use]
    pub fn prediction_path(&self, part: Part, epoch: usize) -> PathBuf {
        self.predictions_path().join(format!("{}{epoch:04}.npy", prefix(part)))
    }

    /// The epochs whose probabilities are kept.
    pub fn kept_epochs(&self) -> Result<KeptEpochs, RunError> {
        let path = self.predictions_path();
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(KeptEpochs::default()),
            Err(e) => return Err(RunError::io(&path, e)),
        };
        let mut kept = KeptEpochs::default();
        for entry in entries {
            let name = entry.map_err(|e| RunError::io(&path, e))?.file_name();
            let Some(name) = name.to_str().and_then(|name| name.strip_suffix(".npy")) else { continue };
            for part in Part::ALL {
                if let Some(Ok(epoch)) = name.strip_prefix(prefix(part)).map(str::parse) {
                    kept.add(part, epoch);
                }
            }
        }
        Ok(kept)
    }

    /// The probabilities of a part after an epoch (counted from 1), one row an image in the order of the split.
    pub fn probabilities(&self, part: Part, epoch: usize) -> Result<Probabilities, RunError> {
        read(&self.prediction_path(part, epoch))
    }

    pub(super) fn has_probabilities(&self, part: Part, epoch: usize) -> bool {
        self.prediction_path(part, epoch).is_file()
    }

    pub(super) fn save_probabilities(&self, part: Part, epoch: usize, probabilities: &Probabilities) -> Result<(), RunError> {
        let (folder, path) = (self.predictions_path(), self.prediction_path(part, epoch));
        fs::create_dir_all(&folder).map_err(|e| RunError::io(&folder, e))?;
        write(&path, probabilities)
    }
}

fn write(path: &Path, probabilities: &Probabilities) -> Result<(), RunError> {
    let mut header = format!("{{'descr': '<f2', 'fortran_order': False, 'shape': ({}, {}), }}", probabilities.len(), probabilities.classes);
    let unpadded = MAGIC.len() + 2 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    files::replace(path, |file| {
        file.write_all(MAGIC)?;
        file.write_all(&(header.len() as u16).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        probabilities.values.iter().try_for_each(|p| file.write_all(&p.to_le_bytes()))
    })
    .map_err(|e| RunError::io(path, e))
}

/// Reads what [`write`] wrote (not any other `NumPy` file).
fn read(path: &Path) -> Result<Probabilities, RunError> {
    let bytes = fs::read(path).map_err(|e| RunError::io(path, e))?;
    parse(&bytes).ok_or_else(|| RunError::invalid(path, "not a table of f16 probabilities that a training run wrote"))
}

fn parse(bytes: &[u8]) -> Option<Probabilities> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (header, data) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    let shape = std::str::from_utf8(header).ok()?.strip_prefix("{'descr': '<f2', 'fortran_order': False, 'shape': (")?;
    let (images, classes) = shape.split_once(')')?.0.split_once(", ")?;
    let (images, classes): (usize, usize) = (images.parse().ok()?, classes.parse().ok()?);
    let (pairs, []) = data.as_chunks::<2>() else { return None };
    let values: Vec<f16> = pairs.iter().map(|b| f16::from_le_bytes(*b)).collect();
    (images.checked_mul(classes) == Some(values.len())).then_some(Probabilities { classes, values })
}
