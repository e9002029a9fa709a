//! Opening a folder with one subfolder a class. Classes and files are in the order of their names, so the same folder is
//! the same data set everywhere. Only headers are read here; a file that is no whole picture is left out and listed, and
//! its label with it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::npy::invalid;
use super::{Catalogue, DataError, Dataset, ImageSource, Skipped};
use crate::imaging::{self, Image};

/// Pictures in files, read when asked for.
struct PictureFiles {
    paths: Vec<PathBuf>,
    size: Option<(usize, usize)>,
}

impl ImageSource for PictureFiles {
    fn len(&self) -> usize {
        self.paths.len()
    }

    fn size(&self) -> Option<(usize, usize)> {
        self.size
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        let path = self.paths.get(index).ok_or_else(|| {
            DataError::Request(format!("there is no image {index}: the data set has {} images, counted from 0", self.paths.len()))
        })?;
        imaging::open(path).map_err(|source| DataError::Image { path: path.clone(), source })
    }

    fn file(&self, index: usize) -> Option<&Path> {
        self.paths.get(index).map(PathBuf::as_path)
    }
}

/// Opens a folder of class folders.
pub(super) fn open(dir: &Path) -> Result<Dataset, DataError> {
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = visible(dir)?.into_iter().partition(|path| path.is_dir());
    if folders.is_empty() {
        let message = if files.iter().any(|path| imaging::is_picture(path)) {
            "there are pictures but no subfolders; put the pictures of each class into a subfolder with the name of the class"
        } else {
            "there is neither images.npy nor a subfolder with pictures; give the folder of a data set, with one subfolder a class"
        };
        return Err(invalid(dir, message));
    }
    let mut skipped: Vec<Skipped> = files
        .into_iter()
        .filter(|path| imaging::is_picture(path))
        .map(|path| Skipped { path, reason: "it is in no class folder, so it has no label; move it into one".to_owned() })
        .collect();
    let (mut paths, mut labels, mut sizes, mut classes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (label, folder) in folders.iter().enumerate() {
        classes.push(folder.file_name().unwrap_or_default().to_string_lossy().into_owned());
        let files = visible(folder)?;
        let sizes_or_reasons: Vec<Result<(usize, usize), String>> = files.par_iter().map(|path| inspect(path)).collect();
        for (path, size_or_reason) in files.into_iter().zip(sizes_or_reasons) {
            match size_or_reason {
                Ok(size) => {
                    paths.push(path);
                    labels.push(label as u32);
                    sizes.push(size);
                }
                Err(reason) => skipped.push(Skipped { path, reason }),
            }
        }
    }
    if paths.is_empty() {
        return Err(no_pictures(dir, &skipped));
    }
    let size = sizes.first().copied().filter(|first| sizes.iter().all(|size| size == first));
    Ok(Dataset {
        name: super::folder_name(dir),
        location: Some(dir.to_owned()),
        images: Arc::new(PictureFiles { paths, size }),
        labels,
        classes,
        catalogue: Catalogue::default(),
        given_split: None,
        skipped,
    })
}

/// The size of a picture file, or in words why it is left out.
fn inspect(path: &Path) -> Result<(usize, usize), String> {
    if path.is_dir() {
        return Err("a folder inside a class folder is not read; move its pictures up".to_owned());
    }
    if !imaging::is_picture(path) {
        return Err(format!("its name does not end in that of a picture ({})", imaging::EXTENSIONS.join(", ")));
    }
    if !path.is_file() {
        return Err("it is no ordinary file, or a link that leads nowhere".to_owned());
    }
    imaging::check(path).map_err(|error| error.to_string())
}

fn no_pictures(dir: &Path, skipped: &[Skipped]) -> DataError {
    let example = skipped
        .first()
        .map_or_else(String::new, |file| format!(" ({} left out; the first is {}: {})", skipped.len(), file.path.display(), file.reason));
    invalid(dir, format!("its subfolders hold no readable picture{example}; each subfolder must directly hold the pictures of one class"))
}

/// The entries of a folder in the order of their names, without hidden ones and those that macOS leaves in archives.
fn visible(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let io = |source| DataError::Io { path: dir.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(io)? {
        let entry = entry.map_err(io)?;
        let name = entry.file_name();
        if !name.as_encoded_bytes().starts_with(b".") && name != OsStr::new("__MACOSX") {
            paths.push(entry.path());
        }
    }
    paths.sort_unstable();
    Ok(paths)
}
