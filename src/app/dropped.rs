//! What dropped files are: models, a data set, one picture or many. Looks at the disk, on a task thread.

use std::path::{Path, PathBuf};

use crate::imaging::{self, Source, bands_by_header, group_bands};

/// What dropped files are.
pub enum Dropped {
    /// Nothing more.
    Nothing,
    /// A data set in a folder.
    Data(PathBuf),
    /// Many pictures, or folders of them.
    Pictures(Vec<PathBuf>),
    /// One picture.
    One(Source),
}

/// Whether a path is a model: a `.safetensors` file or a run folder.
#[must_use]
pub fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors")) || path.join("config.json").is_file()
}

/// Finds out what a folder or several files are: the last model among them, and the rest.
#[must_use]
pub fn sort_dropped(mut paths: Vec<PathBuf>) -> (Option<PathBuf>, Dropped) {
    let model = paths.extract_if(.., |path| is_model(path)).last();
    (model, sort_pictures(paths))
}

fn sort_pictures(paths: Vec<PathBuf>) -> Dropped {
    if let [one] = &paths[..]
        && !one.is_dir()
    {
        return Dropped::One(Source::File(one.clone()));
    }
    if let [folder] = &paths[..] {
        let holds_pictures = || {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).any(|path| imaging::is_picture(&path) && path.is_file())
        };
        if folder.join("images.npy").is_file() || !holds_pictures() {
            return Dropped::Data(folder.clone());
        }
    }
    match three_bands(&paths) {
        Some(source) => Dropped::One(source),
        None if paths.is_empty() => Dropped::Nothing,
        None => Dropped::Pictures(paths),
    }
}

/// Exactly three FITS files of one band and one size are one picture: its bands are those that names or headers say, else as given, to be
/// changed by hand.
fn three_bands(paths: &[PathBuf]) -> Option<Source> {
    let [a, b, c] = paths else { return None };
    if let Ok([source]) = <[Source; 1]>::try_from(group_bands(paths)) {
        return Some(source);
    }
    let given = || {
        let source = Source::Bands([a, b, c].map(Clone::clone));
        source.bands().is_ok().then_some(source)
    };
    bands_by_header(paths).or_else(given)
}
