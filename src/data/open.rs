//! Which kind of data set a path is.

use std::path::Path;

use super::npy::invalid;
use super::{DataError, Dataset, class_folder, npy_folder};

/// Opens a data set: a folder with `images.npy` and `labels.npy`, or one with a subfolder of pictures for each class.
///
/// Nothing is written, and no pixels are read: arrays are memory-mapped, of picture files only the headers are looked at.
/// Pictures that cannot be read are left out and listed in [`Dataset::skipped`]. A class without pictures is kept; only
/// splitting such a data set is an error.
///
/// # Errors
/// [`DataError`] with what is wrong and what to do about it.
pub fn open(path: &Path) -> Result<Dataset, DataError> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => invalid(path, "there is no such folder; check the path"),
        _ => DataError::Io { path: path.to_owned(), source: error },
    })?;
    if !metadata.is_dir() {
        return Err(invalid(
            path,
            if is_hdf5(path) {
                "this is an HDF5 file, not a folder; make a folder of it with: tuning-fork data import FILE.h5 DIR"
            } else {
                "this is a file; give the folder of the data set instead"
            },
        ));
    }
    if path.join(npy_folder::IMAGES).exists() || path.join(npy_folder::LABELS).exists() {
        npy_folder::open(path)
    } else {
        class_folder::open(path)
    }
}

/// Whether a path is a folder of arrays, as an import makes it.
#[must_use]
pub fn is_data_folder(path: &Path) -> bool {
    path.join(npy_folder::IMAGES).is_file()
}

/// Whether a path is meant as an HDF5 file.
#[must_use]
pub fn is_hdf5(path: &Path) -> bool {
    path.extension().is_some_and(|e| ["h5", "hdf5"].iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// The name of a folder, also of `.` and `..`.
pub(super) fn folder_name(dir: &Path) -> String {
    let full = dir.canonicalize();
    let name = full.as_deref().unwrap_or(dir).file_name();
    name.map_or_else(|| dir.display().to_string(), |name| name.to_string_lossy().into_owned())
}
