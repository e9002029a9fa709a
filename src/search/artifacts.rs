//! Files of a trial as Optuna's artifacts, which `optuna-dashboard --artifact-dir` shows: copies in a folder, each named by an identity, and
//! a note of the trial for each (`optuna/artifacts/_upload.py`).

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{SearchError, Trial, run_of, worker};
use crate::files;
use crate::train::{RunFolder, Session, confusion_png};

/// What the note's name begins with.
const KEY: &str = "artifacts:";

/// The folder for a search that keeps its files in `home`.
#[must_use]
pub fn artifacts_in(home: &Path) -> PathBuf {
    home.join("artifacts")
}

/// Keeps what is worth a look of a trial's run: the confusion matrix of its best epoch, and the summary. Gives names and texts of the notes.
/// One that is kept again takes the place of the one before.
pub(super) fn keep(home: &Path, trial: &Trial, run: &RunFolder, session: &Session) -> Result<Vec<(String, String)>, SearchError> {
    let folder = artifacts_in(home);
    let names = session.started.as_ref().map_or(&[][..], |started| &started.classes);
    // a matrix that is too large for a picture is left out
    let matrix = session.best_epoch().and_then(|best| confusion_png(&best.confusion, names).ok());
    let summary = match std::fs::read(run.summary_path()) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(SearchError::io(&run.summary_path(), error)),
    };
    let all = [("confusion.png", "image/png", matrix), ("summary.txt", "text/plain", summary)];
    let mut notes = Vec::new();
    for (name, kind, bytes) in all {
        let Some(bytes) = bytes else { continue };
        let place = run_of(trial).unwrap_or_default();
        let identity = worker::identity(&format!("{}/{name}", place.display()));
        let path = folder.join(&identity);
        files::write_whole(&path, &bytes).map_err(|e| SearchError::io(&path, e))?;
        let meta = json!({ "artifact_id": identity, "filename": name, "mimetype": kind, "encoding": null });
        notes.push((format!("{KEY}{identity}"), meta.to_string()));
    }
    Ok(notes)
}
