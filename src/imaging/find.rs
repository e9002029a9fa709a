//! Finding picture files in folders.

use std::path::{Path, PathBuf};

use super::is_picture;

/// The pictures among `paths`: files as they are named, folders searched with their subfolders, each sorted by name. Links to
/// folders are not followed, so that a circle of links has an end. Folders that cannot be read are told to `failed`.
pub fn find_pictures(paths: &[PathBuf], mut failed: impl FnMut(&Path, &str)) -> Vec<PathBuf> {
    let mut pictures = Vec::new();
    for path in paths {
        if path.is_dir() { search(path, &mut pictures, &mut failed) } else { pictures.push(path.clone()) }
    }
    pictures
}

fn search(folder: &Path, pictures: &mut Vec<PathBuf>, failed: &mut impl FnMut(&Path, &str)) {
    let entries = match std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(entries) => entries,
        Err(error) => return failed(folder, &format!("the folder cannot be read ({error})")),
    };
    let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() {
            search(&path, pictures, failed);
        } else if is_picture(&path) {
            pictures.push(path);
        }
    }
}
