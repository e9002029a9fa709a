//! The file that keeps the user's marks: beside the data folder (`galaxies.marks.json` beside `galaxies`), or, where that
//! cannot be written and for data without a folder, in the user's own folder under the digest of the data set.
//!
//! A file is written whole or not at all. One that cannot be used (cut off, or about another data set) is never
//! overwritten: it is given another name, and the user is told.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Marks;
use super::file::{File, Unfit};
use crate::data::Dataset;
use crate::files::replace;

/// Where the marks of a data set are kept.
#[derive(Debug)]
pub struct Sidecar {
    digest: String,
    /// The places for it, the first choice first.
    places: Vec<PathBuf>,
    /// Which of them is in the user's own folder, which is made when it is needed.
    owned: Option<usize>,
    /// The revision that was read or written last.
    revision: u64,
    /// The change that was written last; changes are counted by the caller.
    written: u64,
}

/// What [`Sidecar::open`] found.
#[derive(Debug)]
pub struct Loaded {
    /// Where the marks are kept from now on.
    pub sidecar: Sidecar,
    /// The marks.
    pub marks: Marks,
    /// What the user should know: files that could not be used, and what became of them.
    pub messages: Vec<String>,
}

/// Why marks could not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum SidecarError {
    /// No place can be written.
    #[error("labels and tags could not be kept in {}: {source}. Make room or make the folder writable; they are lost when the window closes or another data set opens", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    /// There is no place at all.
    #[error("there is no folder to keep labels and tags in; they are lost when the window closes or another data set opens")]
    NoPlace,
}

/// The user's own folder for marks that cannot be kept beside the data; the folder of `TUNING_FORK_MARKS` if that is set.
#[must_use]
pub fn marks_folder() -> Option<PathBuf> {
    let chosen = std::env::var_os("TUNING_FORK_MARKS").map(PathBuf::from);
    chosen.or_else(|| Some(dirs::data_dir()?.join("tuning-fork").join("marks")))
}

impl Sidecar {
    /// Looks for the marks of a data set. `own` is the user's own folder for those that cannot be kept beside the data; it is
    /// made when it is needed. Where there are two files, the one that was written more often counts. Takes the data set's
    /// digest, so it is no work for a frame.
    #[must_use]
    pub fn open(dataset: &Dataset, own: Option<&Path>) -> Loaded {
        let digest = dataset.digest();
        let beside = dataset.location.as_deref().and_then(beside);
        let in_own = own.map(|folder| folder.join(format!("{digest}.json")));
        let owned = in_own.as_ref().map(|_| usize::from(beside.is_some()));
        let places: Vec<PathBuf> = beside.into_iter().chain(in_own).collect();
        let mut best: Option<(u64, Marks)> = None;
        let mut messages = Vec::new();
        for place in &places {
            match read(place, dataset, &digest) {
                Found::Marks(revision, marks) if best.as_ref().is_none_or(|(other, _)| revision > *other) => best = Some((revision, marks)),
                Found::Marks(..) | Found::Nothing => {}
                Found::SetAside(message) | Found::Unusable(message) => messages.push(message),
            }
        }
        let (revision, marks) = best.unwrap_or_default();
        Loaded { sidecar: Self { digest, places, owned, revision, written: 0 }, marks, messages }
    }

    /// The data set's digest.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Where the marks are written if that is possible.
    #[must_use]
    pub fn place(&self) -> Option<&Path> {
        self.places.first().map(PathBuf::as_path)
    }

    /// Writes the marks as they are after `change` (counted up by the caller); does nothing if those or later ones were
    /// written already. `Some` says what the user should know.
    ///
    /// # Errors
    /// If no place can be written.
    pub fn save(&mut self, marks: &Marks, change: u64, dataset: &Dataset) -> Result<Option<String>, SidecarError> {
        if change <= self.written {
            return Ok(None);
        }
        let mut failed = SidecarError::NoPlace;
        let mut messages = Vec::new();
        for (n, place) in self.places.iter().enumerate() {
            match self.keep_stranger(place, dataset) {
                Ok(message) => messages.extend(message),
                // a file that is not ours and cannot be moved away stays as it is
                Err(message) => {
                    messages.push(message);
                    continue;
                }
            }
            match self.write(place, self.owned == Some(n), marks, dataset) {
                Ok(()) => {
                    self.revision += 1;
                    self.written = change;
                    return Ok((!messages.is_empty()).then(|| messages.join(" ")));
                }
                Err(source) => failed = SidecarError::Write { path: place.clone(), source },
            }
        }
        Err(failed)
    }

    fn write(&self, place: &Path, make_folder: bool, marks: &Marks, dataset: &Dataset) -> std::io::Result<()> {
        let text = serde_json::to_vec_pretty(&File::of(marks, dataset, &self.digest, self.revision + 1))?;
        if let Some(folder) = place.parent().filter(|_| make_folder) {
            fs::create_dir_all(folder)?;
        }
        replace(place, |file| file.write_all(&text))
    }

    /// Another window may have written the file since it was read: what it says is kept under another name. `Err` if that
    /// was not possible.
    fn keep_stranger(&self, place: &Path, dataset: &Dataset) -> Result<Option<String>, String> {
        match read(place, dataset, &self.digest) {
            Found::Marks(revision, marks) if revision > self.revision && !marks.is_empty() => {
                set_aside(place, "other-window", "another window wrote it too").map(Some)
            }
            Found::Marks(..) | Found::Nothing => Ok(None),
            Found::SetAside(message) => Ok(Some(message)),
            Found::Unusable(message) => Err(message),
        }
    }
}

/// `galaxies.marks.json` beside the folder `galaxies`.
fn beside(folder: &Path) -> Option<PathBuf> {
    let folder = fs::canonicalize(folder).ok()?;
    let mut name = folder.file_name()?.to_owned();
    name.push(".marks.json");
    Some(folder.with_file_name(name))
}

/// What is at a place.
enum Found {
    Nothing,
    /// A good file: its revision, and what it says.
    Marks(u64, Marks),
    /// A file that cannot be used was given another name; what to tell the user.
    SetAside(String),
    /// A file that cannot be used is still there.
    Unusable(String),
}

fn read(place: &Path, dataset: &Dataset, digest: &str) -> Found {
    let bytes = match fs::read(place) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Found::Nothing,
        Err(error) => return Found::Unusable(format!("The labels and tags in {} cannot be read: {error}.", place.display())),
    };
    let aside = match File::read(&bytes, dataset, digest) {
        Ok((file, marks)) => return Found::Marks(file.revision, marks),
        Err(Unfit::Damaged(why)) => set_aside(place, "damaged", &format!("it is damaged ({why})")),
        Err(Unfit::OtherData(name)) => set_aside(place, "other-data", &format!("it is about another data set, {name}")),
    };
    aside.map_or_else(Found::Unusable, Found::SetAside)
}

/// Gives a file another name, which no other file has; what to tell the user either way.
fn set_aside(place: &Path, why: &str, reason: &str) -> Result<String, String> {
    let told = format!("The file of labels and tags {} was not used: {reason}.", place.display());
    let free = (1..1000).map(|n| {
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{why}-{n}"));
        place.with_file_name(name)
    });
    let Some(aside) = free.into_iter().find(|aside| !aside.exists()) else { return Err(format!("{told} Move it away.")) };
    match fs::rename(place, &aside) {
        Ok(()) => Ok(format!("{told} It is kept as {}.", aside.display())),
        Err(error) => Err(format!("{told} It stays where it is, because it cannot be renamed ({error}).")),
    }
}
