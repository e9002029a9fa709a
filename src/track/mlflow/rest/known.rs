//! What a server is known to have: a file in the folder of runs, so that whatever it lacks after any end of any program is told
//! when it is back.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::track::mlflow::MirrorError;
use crate::track::mlflow::record::hex;
use crate::track::mlflow::told::Position;

/// The folder in the folder of runs.
const FOLDER: &str = ".mlflow";

/// What a server has.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// The server.
    pub address: String,
    /// The number of the experiment there.
    pub experiment: String,
    /// Our runs, by our ids.
    pub runs: BTreeMap<String, KnownRun>,
    /// Our registered models: the numbers that the server gave to our versions.
    pub models: BTreeMap<String, BTreeMap<u32, String>>,
}

/// What a server has of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownRun {
    /// Its id there.
    pub id: String,
    /// Where its artifacts are.
    pub artifacts: String,
    /// How far it is there.
    pub position: Position,
    /// Tags of the user that it has there.
    pub tags: Vec<String>,
    /// Whether it is hidden there.
    pub hidden: bool,
}

impl Known {
    /// Where it is kept.
    pub fn place(runs: &Path, address: &str, experiment: &str) -> PathBuf {
        let name = &hex(&[address.as_bytes(), b"\n", experiment.as_bytes()])[..16];
        runs.join(FOLDER).join(format!("{name}.json"))
    }

    /// Reads it; what cannot be read is found out from the server again.
    pub fn read(place: &Path) -> Self {
        std::fs::read(place).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Keeps it.
    pub fn write(&self, place: &Path) -> Result<(), MirrorError> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let failed = |error| MirrorError::Away(format!("{} cannot be written ({error}); make room", place.display()));
        files::write_whole(place, text.as_bytes()).map_err(failed)
    }
}

/// Keeps other mirrors of these runs on this server out: two would each make what the other has not told yet. Held as long as the file
/// is open.
pub fn lock(place: &Path) -> Result<File, MirrorError> {
    let path = place.with_extension("lock");
    let folder = path.parent().unwrap_or(Path::new(""));
    let open = || {
        std::fs::create_dir_all(folder)?;
        OpenOptions::new().create(true).truncate(false).write(true).open(&path)
    };
    let file = open().map_err(|error| MirrorError::Away(format!("{} cannot be written ({error}); make room", path.display())))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let words = "another program mirrors these runs on this server already; this one waits until that ends";
            Err(MirrorError::Away(words.into()))
        }
        // a disk without locks has nobody to wait for
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}
