//! The trash: run folders that were deleted, in `.trash` beside the runs, until somebody empties it. To delete a run is to
//! rename its folder, so nothing is lost by it and it can be taken back.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{Registry, TrackError};
use crate::files;
use crate::train::{RunError, RunFolder};

/// The folder beside the runs.
const FOLDER: &str = ".trash";

/// The trash of a folder of runs.
#[derive(Clone, Debug)]
pub struct Trash {
    runs: PathBuf,
}

/// A run in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// What the index called it: where it goes back to.
    pub name: String,
    /// Where it is now.
    pub path: PathBuf,
    /// Bytes that it takes up.
    pub bytes: u64,
}

impl Trash {
    /// The trash of the runs in `runs`.
    #[must_use]
    pub fn of(runs: &Path) -> Self {
        Self { runs: runs.to_owned() }
    }

    /// Moves a run into the trash.
    ///
    /// # Errors
    /// If it trains now, or the folder cannot be moved; it is where it was then.
    pub fn put(&self, name: &str) -> Result<Trashed, TrackError> {
        let from = self.runs.join(name);
        if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) {
            let runs = self.runs.display();
            return Err(TrackError::Request(format!("{name} names no run in {runs}; write it as `runs list` shows it")));
        }
        if RunFolder::open(&from)?.is_busy() {
            return Err(RunError::Busy { path: from }.into());
        }
        let trash = self.runs.join(FOLDER);
        fs::create_dir_all(&trash).map_err(|error| TrackError::io(&trash, error))?;
        // the folder's place is its name, so that it finds back
        let stem = name.replace('%', "%25").replace('/', "%2F");
        let path = files::free_folder(&trash, &stem);
        fs::rename(&from, &path).map_err(|error| TrackError::io(&from, error))?;
        Ok(Trashed { name: name.to_owned(), bytes: size(&path), path })
    }

    /// Moves a run back to where it was; beside it if there is another one now. Gives its name. A registered version gets its aliases back
    /// that no other has now.
    ///
    /// # Errors
    /// If the folder cannot be moved (it stays in the trash then), or aliases not be given back (the message says that it is back).
    pub fn restore(&self, trashed: &Trashed) -> Result<String, TrackError> {
        let wanted = self.runs.join(&trashed.name);
        let (parent, stem) = (wanted.parent().unwrap_or(&self.runs), wanted.file_name().unwrap_or_default().to_string_lossy());
        fs::create_dir_all(parent).map_err(|error| TrackError::io(parent, error))?;
        let path = files::free_folder(parent, &stem);
        fs::rename(&trashed.path, &path).map_err(|error| TrackError::io(&trashed.path, error))?;
        let name = path.strip_prefix(&self.runs).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let aliases = Registry::of(&self.runs).restored(&name);
        aliases.map_err(|error| TrackError::Request(format!("{name} is back from the trash, but not its aliases: {error}")))?;
        Ok(name)
    }

    /// What is in it.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Trashed>, TrackError> {
        let trash = self.runs.join(FOLDER);
        let entries = match fs::read_dir(&trash) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(TrackError::io(&trash, error)),
        };
        let trashed = |entry: fs::DirEntry| {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().replace("%2F", "/").replace("%25", "%");
            Trashed { name, bytes: size(&path), path }
        };
        let mut all: Vec<Trashed> = entries.flatten().filter(|entry| entry.path().is_dir()).map(trashed).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Removes what is in it for good. Gives the bytes that became free.
    ///
    /// # Errors
    /// If a folder cannot be removed; what is left stays in the trash.
    pub fn empty(&self) -> Result<u64, TrackError> {
        let all = self.list()?;
        for trashed in &all {
            fs::remove_dir_all(&trashed.path).map_err(|error| TrackError::io(&trashed.path, error))?;
        }
        Ok(all.iter().map(|trashed| trashed.bytes).sum())
    }
}

/// Bytes of the files in a folder and the folders in it; links are not followed, what cannot be read counts nothing.
fn size(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return 0 };
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) if metadata.is_file() => metadata.len(),
        _ => 0,
    };
    entries.flatten().map(bytes).sum()
}
