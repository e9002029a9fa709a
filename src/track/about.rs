//! What a user says about a run: its name, notes and tags, in `about.json` in the run folder.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TrackError;
use crate::files;

/// The file in the run folder.
pub(super) const FILE: &str = "about.json";

/// Name, notes and tags of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The name; empty while the folder's name serves.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Notes (Markdown).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Tags, in the order they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl About {
    /// What is said of the run in `folder`; nothing if nobody said anything yet.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn read(folder: &Path) -> Result<Self, TrackError> {
        let path = folder.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                let path = path.display();
                TrackError::Request(format!("{path} is damaged ({error}); correct or delete it, it holds the run's name, notes and tags"))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(TrackError::io(&path, error)),
        }
    }

    /// Keeps it in the run folder.
    ///
    /// # Errors
    /// If the file cannot be written; what was said before stays.
    pub fn write(&self, folder: &Path) -> Result<(), TrackError> {
        let path = folder.join(FILE);
        let text = serde_json::to_string_pretty(self).map_err(|error| TrackError::Request(error.to_string()))?;
        // never makes a folder: where the run went away meanwhile there is nothing to say anything about
        files::replace(&path, |file| std::io::Write::write_all(file, text.as_bytes())).map_err(|error| TrackError::io(&path, error))
    }
}
