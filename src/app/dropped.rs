//! What dropped files are: models, a data set, one picture or many. Looks at the disk, on a task thread.

use std::path::{Path, PathBuf};

use crate::data::is_data_folder;
use crate::imaging::{self, Source, three_bands};
use crate::train::RunFolder;

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
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors")) || is_run(path)
}

/// Whether a path is the folder of a run: beside the configuration, which other programs call so too, it has something that a run leaves.
#[must_use]
pub fn is_run(path: &Path) -> bool {
    let left = |run: RunFolder| [run.events_path(), run.best_model(), run.last_checkpoint()].iter().any(|file| file.is_file());
    RunFolder::open(path).is_ok_and(left)
}

/// Whether a path is meant as a run that was exported as one file.
#[must_use]
pub fn is_capsule(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip"))
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
        if is_data_folder(folder) || !holds_pictures() {
            return Dropped::Data(folder.clone());
        }
    }
    match three_bands(&paths) {
        Some(source) => Dropped::One(source),
        None if paths.is_empty() => Dropped::Nothing,
        None => Dropped::Pictures(paths),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_configuration_alone_is_no_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        std::fs::write(path.join("config.json"), "{}").expect("a file");
        image::RgbImage::new(4, 4).save(path.join("galaxy.png")).expect("a picture");
        assert!(!is_model(path));
        let (model, dropped) = sort_dropped(vec![path.to_owned()]);
        assert!(model.is_none() && matches!(&dropped, Dropped::Pictures(paths) if *paths == [path.to_owned()]));
        std::fs::write(path.join("events.jsonl"), "").expect("a file");
        assert!(is_run(path) && is_model(path));
    }
}
