//! A run folder: what a run leaves on disk, and how it is read back.
//!
//! | file                    | what                                                                                   |
//! |-------------------------|----------------------------------------------------------------------------------------|
//! | `config.json`           | the [`Config`]                                                                         |
//! | `split.json`            | which images trained, validated and test ([`RecordedSplit`])                           |
//! | `events.jsonl`          | the stream of events, one JSON object a line                                           |
//! | `summary.txt`           | how the run stands, for people                                                         |
//! | `best.safetensors`      | the model of the best epoch, complete                                                  |
//! | `last.safetensors`      | everything that a resumed run needs: weights, optimiser, position                      |
//! | `snapshots/`            | `epoch_0001.safetensors` ...: the models of some epochs, complete                       |
//! | `predictions/`          | `epoch_0001.npy` ...: validation probabilities, images (in the order of the split) x classes, f16; `test_0004.npy`, `train_0004.npy`: those of the other parts, once the best model was evaluated on them |
//! | `lock`                  | held while a process trains here                                                       |

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Config, Event, RunError, Session};
use crate::data::{Dataset, Split};
use crate::files;
use crate::nn::Architecture;

/// The split of a run, with enough about the data set to notice that another one is offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedSplit {
    /// The digest of the split (hexadecimal).
    pub digest: String,
    /// The digest of the data set (hexadecimal, [`Dataset::digest`]); empty in runs of older programs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub data_digest: String,
    /// Images in the data set.
    pub images: usize,
    /// Class names in label order.
    pub classes: Vec<String>,
    /// The split itself.
    pub split: Split,
    /// The label of each image of the data set as the run saw it; empty in runs of older programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<u32>,
}

impl RecordedSplit {
    /// What tells `dataset` from the one the split was made for, if anything does.
    #[must_use]
    pub fn difference(&self, dataset: &Dataset) -> Option<String> {
        if dataset.len() != self.images {
            return Some(format!("it has {} images instead of {}", dataset.len(), self.images));
        }
        (dataset.classes != self.classes).then(|| format!("its classes are {:?} instead of {:?}", dataset.classes, self.classes))
    }
}

/// The folder of one run. Cheap to clone: it is only the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

/// Held by the process that trains in a folder; let go when dropped, or when the process dies.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl RunFolder {
    /// A folder for a new run: made if it is not there, refused if there is anything in it.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, RunError> {
        let path = path.into();
        match fs::read_dir(&path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(RunError::Exists { path });
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                fs::create_dir_all(&path).map_err(|e| RunError::io(&path, e))?;
            }
            Err(e) => return Err(RunError::io(&path, e)),
        }
        Ok(Self { path })
    }

    /// A new folder in `parent` named after the time (UTC) and the network, such as `2026-11-23_20-15-03_compact`.
    pub fn unique(parent: &Path, config: &Config) -> Result<Self, RunError> {
        let model = match config.model {
            Architecture::Seed => "seed",
            Architecture::Compact => "compact",
        };
        let name = format!("{}_{model}", timestamp(SystemTime::now()));
        let mut number = 1;
        loop {
            let path = parent.join(if number == 1 { name.clone() } else { format!("{name}-{number}") });
            match Self::create(path) {
                Err(RunError::Exists { .. }) => number += 1,
                other => return other,
            }
        }
    }

    /// The folder of a run that was started before, to read it or to resume it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, RunError> {
        let folder = Self { path: path.into() };
        if folder.config_path().is_file() { Ok(folder) } else { Err(RunError::NotARun { path: folder.path }) }
    }

    /// Removes a new folder in which the run could not start (it has no `config.json`), so that the next try finds the name
    /// free. A folder with a run in it is left alone. True if there was no run.
    #[must_use]
    pub fn discard_unstarted(&self) -> bool {
        if self.config_path().exists() {
            return false;
        }
        // What cannot be removed only takes up a name, and `create` will say so.
        let _ = fs::remove_file(self.lock_path());
        let _ = fs::remove_dir(&self.path);
        true
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The model of the best epoch so far (it may not be there yet).
    #[must_use]
    pub fn best_model(&self) -> PathBuf {
        self.path.join("best.safetensors")
    }

    /// The checkpoint that a resumed run starts from (it may not be there yet).
    #[must_use]
    pub fn last_checkpoint(&self) -> PathBuf {
        self.path.join("last.safetensors")
    }

    /// The stream of events.
    #[must_use]
    pub fn events_path(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// The text for people.
    #[must_use]
    pub fn summary_path(&self) -> PathBuf {
        self.path.join("summary.txt")
    }

    /// The sheet of where the best model looks (it may not be there).
    #[must_use]
    pub fn maps_path(&self) -> PathBuf {
        self.path.join("maps.png")
    }

    /// When the model of the best epoch so far was written.
    ///
    /// # Errors
    /// If it is not there, or its time cannot be read.
    pub fn best_model_time(&self) -> io::Result<SystemTime> {
        fs::metadata(self.best_model())?.modified()
    }

    /// Whether there is a sheet of where a model of that time looks: one that is as new.
    #[must_use]
    pub fn has_maps_of(&self, model: SystemTime) -> bool {
        fs::metadata(self.maps_path()).and_then(|file| file.modified()).is_ok_and(|time| time >= model)
    }

    fn config_path(&self) -> PathBuf {
        self.path.join("config.json")
    }

    fn lock_path(&self) -> PathBuf {
        self.path.join("lock")
    }

    fn split_path(&self) -> PathBuf {
        self.path.join("split.json")
    }

    /// What the run was asked to do.
    pub fn config(&self) -> Result<Config, RunError> {
        read_json(&self.config_path())
    }

    /// Which images train, validate and test.
    pub fn split(&self) -> Result<RecordedSplit, RunError> {
        read_json(&self.split_path())
    }

    /// Everything the run told so far. A last line without its end (a process that was killed) is left out.
    pub fn events(&self) -> Result<Vec<Event>, RunError> {
        self.events_where(|_| true)
    }

    /// The events on the lines that `wanted` lets through.
    fn events_where(&self, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<Event>, RunError> {
        let path = self.events_path();
        let text = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(RunError::io(&path, e)),
        };
        let whole = text.iter().rposition(|&b| b == b'\n').map_or(0, |end| end);
        let lines = text[..whole].split(|&b| b == b'\n').enumerate().filter(|(_, line)| !line.is_empty() && wanted(line));
        let parse = |(number, line): (usize, &[u8])| {
            let invalid = |e: serde_json::Error| RunError::invalid(&path, format!("line {}: {e}; remove that line", number + 1));
            serde_json::from_slice(line).map_err(invalid)
        };
        lines.map(parse).collect()
    }

    /// The run as its events tell it.
    pub fn session(&self) -> Result<Session, RunError> {
        Ok(Session::replay(self.events()?))
    }

    /// The run as its events tell it, training steps left out: quick to read, however long the run was.
    pub fn outline(&self) -> Result<Session, RunError> {
        Ok(Session::replay(self.events_where(|line| !Self::is_step(line))?))
    }

    /// The first line of what the run told, without its end; `None` before that is whole.
    #[must_use]
    pub fn first_line(&self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        BufReader::new(File::open(self.events_path()).ok()?).read_until(b'\n', &mut line).ok()?;
        (line.pop() == Some(b'\n')).then_some(line)
    }

    /// Whether a line of `events.jsonl` tells training steps, the many.
    #[must_use]
    pub fn is_step(line: &[u8]) -> bool {
        // the tag is written first, so a line can be told by its beginning
        line.starts_with(br#"{"event":"steps""#)
    }

    pub(super) fn save_config(&self, config: &Config) -> Result<(), RunError> {
        write_json(&self.config_path(), config)
    }

    pub(super) fn save_split(&self, split: &RecordedSplit) -> Result<(), RunError> {
        write_json(&self.split_path(), split)
    }

    pub(super) fn has_split(&self) -> bool {
        self.split_path().exists()
    }

    /// Whether a process trains here now.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        // a shared lock is enough to know, and two that look at once do not see each other
        let file = File::open(self.lock_path());
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Takes the folder for training, and removes what killed runs left half written in it.
    pub(super) fn lock(&self) -> Result<Lock, RunError> {
        let path = self.lock_path();
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(|e| RunError::io(&path, e))?;
        match lock_soon(&file) {
            Ok(()) => {
                // under the lock: nobody else writes here
                for folder in [self.path.clone(), self.snapshots_folder(), self.predictions_path()] {
                    if folder.is_dir() {
                        files::remove_leftovers(&folder).map_err(|e| RunError::io(&folder, e))?;
                    }
                }
                Ok(Lock(file))
            }
            Err(TryLockError::WouldBlock) => Err(RunError::Busy { path: self.path.clone() }),
            Err(TryLockError::Error(e)) => Err(RunError::io(&path, e)),
        }
    }
}

/// Takes a lock that somebody who only looked ([`RunFolder::is_busy`]) may still hold for a moment.
fn lock_soon(file: &File) -> Result<(), TryLockError> {
    for _ in 0..20 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            other => return other,
        }
    }
    file.try_lock()
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let bytes = fs::read(path).map_err(|e| RunError::io(path, e))?;
    serde_json::from_slice(&bytes).map_err(|e| RunError::invalid(path, format!("not readable by this version of the program ({e})")))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RunError> {
    let text = serde_json::to_string_pretty(value).map_err(|e| RunError::invalid(path, e.to_string()))?;
    files::replace(path, |file| file.write_all(text.as_bytes())).map_err(|e| RunError::io(path, e))
}

/// `YYYY-MM-DD_hh-mm-ss` in UTC.
#[must_use]
pub fn timestamp(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}_{hour:02}-{minute:02}-{second:02}")
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01. Years are counted from March, so that the leap
/// day is the last of its year; an era is 400 years.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_calendar_dates() {
        // seconds from `date -u -d ... +%s`
        for (seconds, text) in [
            (0, "1970-01-01_00-00-00"),
            (951_782_399, "2000-02-28_23-59-59"),
            (951_782_400, "2000-02-29_00-00-00"),
            (951_868_800, "2000-03-01_00-00-00"),
            (1_795_464_903, "2026-11-23_20-15-03"),
            (4_107_542_400, "2100-03-01_00-00-00"),
        ] {
            assert_eq!(timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
