//! The registry's files: reading them, replacing them, the lock.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::model::FORMAT;
use super::{Measure, ModelVersion, RegisteredModel, Registry, now};
use crate::files;
use crate::track::TrackError;
use crate::train::RunFolder;

const MODEL: &str = "model.json";
const VERSION: &str = "version.json";
const ALIASES: &str = "aliases.json";
/// How long another process may take for a change.
const PATIENCE: Duration = Duration::from_secs(20);

/// Held while the registry is changed.
pub(super) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl Registry {
    /// A model as its files tell it; without versions if there are none. A version that cannot be read is told in `damaged`.
    pub(super) fn read(&self, name: &str, damaged: &mut Vec<String>) -> Result<RegisteredModel, TrackError> {
        let home = self.folder().join(name);
        let path = home.join(MODEL);
        let mut model = match read_json::<RegisteredModel>(&path) {
            Ok(Some(model)) if model.format > FORMAT => {
                return Err(TrackError::Request(format!("{} was written by a newer program; use that", path.display())));
            }
            Ok(Some(model)) => model,
            Ok(None) => RegisteredModel {
                format: FORMAT,
                name: String::new(),
                created: now(),
                measure: Measure::default(),
                last: 0,
                aliases: BTreeMap::new(),
                versions: Vec::new(),
            },
            Err(error) => return Err(error),
        };
        name.clone_into(&mut model.name);
        for entry in names_in(&home)? {
            if entry.strip_prefix(name).is_none_or(|rest| !rest.starts_with('@')) {
                continue;
            }
            match read_json::<ModelVersion>(&home.join(&entry).join(VERSION)) {
                Ok(Some(version)) if version.format > FORMAT => damaged.push(format!("{version} was written by a newer program; use that")),
                Ok(Some(version)) if version.to_string() == entry => model.versions.push(version),
                Ok(_) => damaged.push(format!("{} is no version of {name}; move it elsewhere", home.join(&entry).display())),
                Err(error) => damaged.push(error.to_string()),
            }
        }
        model.versions.sort_by_key(|version| version.version);
        Ok(model)
    }

    pub(super) fn write(&self, model: &RegisteredModel) -> Result<(), TrackError> {
        write_json(&self.folder().join(&model.name).join(MODEL), model)
    }

    /// Waits until nobody else changes the registry.
    pub(super) fn lock(&self) -> Result<Lock, TrackError> {
        let folder = self.folder();
        if RunFolder::open(&folder).is_ok() {
            let message = format!("{} is a run, but registered models are kept under that name; move the run elsewhere", folder.display());
            return Err(TrackError::Request(message));
        }
        fs::create_dir_all(&folder).map_err(|error| TrackError::io(&folder, error))?;
        let path = folder.join(".lock");
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(|error| TrackError::io(&path, error))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                // a file system without locks has one process, or its user's care
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => return Ok(Lock(file)),
                Err(TryLockError::Error(error)) => return Err(TrackError::io(&path, error)),
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::WouldBlock) => {
                    let message = format!("another process has been changing {} for long; try again when it is done", folder.display());
                    return Err(TrackError::Request(message));
                }
            }
        }
    }
}

/// Names of what is in a folder, in order; none if that is not there.
pub(super) fn names_in(folder: &Path) -> Result<Vec<String>, TrackError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(TrackError::io(folder, error)),
    };
    let mut names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, TrackError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| TrackError::Request(format!("{} is damaged ({error}); correct it or move it elsewhere", path.display()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TrackError::io(path, error)),
    }
}

/// Writes down a version in its folder.
pub(super) fn write_version(folder: &Path, version: &ModelVersion) -> Result<(), TrackError> {
    write_json(&folder.join(VERSION), version)
}

/// Writes down which aliases a version had, for the day it comes back.
pub(super) fn write_aliases(folder: &Path, aliases: &[&str]) -> Result<(), TrackError> {
    if aliases.is_empty() { Ok(()) } else { write_json(&folder.join(ALIASES), &aliases) }
}

/// Which aliases a version had; none if that is not known.
pub(super) fn read_aliases(folder: &Path) -> Vec<String> {
    read_json(&folder.join(ALIASES)).ok().flatten().unwrap_or_default()
}

/// Removes what [`write_aliases`] wrote.
pub(super) fn forget_aliases(folder: &Path) {
    // what stays says the same the next time
    let _ = fs::remove_file(folder.join(ALIASES));
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrackError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| TrackError::Request(error.to_string()))?;
    write_text(path, &text)
}

/// Replaces a file by a text; its folder must be there.
pub(super) fn write_text(path: &Path, text: &str) -> Result<(), TrackError> {
    files::replace(path, |file| file.write_all(text.as_bytes())).map_err(|error| TrackError::io(path, error))
}
