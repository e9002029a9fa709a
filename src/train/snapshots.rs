//! The weights of some epochs, kept in the run folder as complete models, so that one can look back on what the network saw when.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Config, RunError, RunFolder};
use crate::nn::weights::{self, WeightsError};
use crate::nn::{ModelSpec, Network};

/// The folder's name inside a run folder.
const FOLDER: &str = "snapshots";

impl Config {
    /// Whether the weights after `epoch` (from 1) are kept: about [`Config::snapshots`] epochs in equal steps, and the first and the
    /// last. A run of more epochs keeps the same ones as long as the steps are as long.
    #[must_use]
    pub fn keeps(&self, epoch: usize) -> bool {
        if self.snapshots == 0 {
            return false;
        }
        let step = self.epochs.div_ceil(self.snapshots).max(1);
        epoch == 1 || epoch == self.epochs || epoch.is_multiple_of(step)
    }
}

impl RunFolder {
    /// The kept models with their epochs (from 1), the earliest first.
    ///
    /// # Errors
    /// If the folder is there but cannot be read.
    pub fn snapshots(&self) -> Result<Vec<(usize, PathBuf)>, RunError> {
        let folder = self.snapshots_folder();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(RunError::io(&folder, e)),
        };
        let mut snapshots = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| RunError::io(&folder, e))?.path();
            snapshots.extend(snapshot_epoch(&path).map(|epoch| (epoch, path)));
        }
        snapshots.sort_unstable();
        Ok(snapshots)
    }

    /// The file of the model of an epoch (from 1): the one that is kept of it, or the best one if that is of this epoch.
    ///
    /// # Errors
    /// If there is none; the message names the epochs that have one.
    pub fn model_of(&self, epoch: usize) -> Result<PathBuf, RunError> {
        let kept = self.snapshots()?;
        if let Some((_, path)) = kept.iter().find(|(of, _)| *of == epoch) {
            return Ok(path.clone());
        }
        let best = self.outline().ok().and_then(|session| session.best_epoch().map(|best| best.epoch));
        let best = best.filter(|_| self.best_model().is_file());
        if best == Some(epoch) {
            return Ok(self.best_model());
        }
        let mut have: Vec<usize> = kept.into_iter().map(|(epoch, _)| epoch).chain(best).collect();
        have.sort_unstable();
        have.dedup();
        Err(RunError::NoModel { path: self.path().into(), epoch, have })
    }

    /// The folder of the run that a model file belongs to, if it lies in one: the best model, or one that is kept of an epoch.
    #[must_use]
    pub fn of_model(model: &Path) -> Option<Self> {
        let folder = model.parent()?;
        let kept = folder.file_name().is_some_and(|name| name == FOLDER);
        Self::open(if kept { folder.parent()? } else { folder }).ok()
    }

    pub(super) fn snapshots_folder(&self) -> PathBuf {
        self.path().join(FOLDER)
    }

    /// The name, inside the folder, of the model that is kept of an epoch.
    pub(super) fn snapshot_name(epoch: usize) -> String {
        format!("{FOLDER}/epoch_{epoch:04}.safetensors")
    }

    /// Keeps the network as it is after an epoch.
    pub(super) fn save_snapshot(&self, epoch: usize, network: &dyn Network, spec: &ModelSpec) -> Result<(), WeightsError> {
        let path = self.path().join(Self::snapshot_name(epoch));
        let folder = self.snapshots_folder();
        fs::create_dir_all(&folder).map_err(|source| WeightsError::Io { path: folder, source })?;
        weights::save(path, network, spec)
    }
}

/// The epoch (from 1) of a kept model, by its file name.
#[must_use]
pub fn snapshot_epoch(path: &Path) -> Option<usize> {
    let in_folder = path.parent()?.file_name().is_some_and(|name| name == FOLDER);
    let name = path.file_name()?.to_str().filter(|_| in_folder)?;
    name.strip_prefix("epoch_")?.strip_suffix(".safetensors")?.parse().ok()
}

/// Epochs in words: "1 to 4", "1, 2 and 5".
#[must_use]
pub fn epochs_in_words(epochs: &[usize]) -> String {
    match epochs {
        [] => "none".into(),
        [only] => only.to_string(),
        [first, .., last] if last - first + 1 == epochs.len() && epochs.len() > 2 => format!("{first} to {last}"),
        [before @ .., last] => {
            let before: Vec<String> = before.iter().map(ToString::to_string).collect();
            format!("{} and {last}", before.join(", "))
        }
    }
}

/// Whether the file that an event tells of is a kept model.
#[must_use]
pub fn is_snapshot(path: &str) -> bool {
    path.strip_prefix(FOLDER).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_as_many_are_kept_as_asked() {
        let kept = |epochs, snapshots| {
            let config = Config { epochs, snapshots, ..Config::default() };
            (1..=epochs).filter(|&epoch| config.keeps(epoch)).collect::<Vec<_>>()
        };
        assert_eq!(kept(5, 10), [1, 2, 3, 4, 5]);
        assert_eq!(kept(10, 10), (1..=10).collect::<Vec<_>>());
        assert_eq!(kept(100, 10), [1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert_eq!(kept(15, 10), [1, 2, 4, 6, 8, 10, 12, 14, 15]);
        assert_eq!(kept(7, 1), [1, 7]);
        assert!(kept(7, 0).is_empty());
        for epochs in 1..200 {
            let count = kept(epochs, 10).len();
            assert!(count <= 12 && count >= epochs.min(6), "{epochs}: {count}");
        }
    }

    #[test]
    fn epochs_are_told_in_words() {
        for (epochs, words) in [(&[][..], "none"), (&[3], "3"), (&[1, 2], "1 and 2"), (&[1, 2, 3], "1 to 3"), (&[1, 2, 5], "1, 2 and 5")] {
            assert_eq!(epochs_in_words(epochs), words);
        }
    }

    #[test]
    fn snapshots_are_told_by_their_path() {
        assert!(is_snapshot(&RunFolder::snapshot_name(3)));
        assert_eq!(snapshot_epoch(&Path::new("runs/a").join(RunFolder::snapshot_name(12))), Some(12));
        assert_eq!(snapshot_epoch(Path::new("runs/a/snapshots/epoch_0001.safetensors.7.tmp")), None);
        assert_eq!(snapshot_epoch(Path::new("epoch_0001.safetensors")), None);
        assert!(!is_snapshot("best.safetensors") && !is_snapshot("snapshots"));
    }
}
