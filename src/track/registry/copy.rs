//! What a version keeps of its run: everything that looking at it, classifying with it and evaluating it takes, so that the
//! run itself may go to the trash. What it has from the run is a run folder again, without checkpoints and training steps.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::data::Part;
use crate::track::{TrackError, about, capsule};
use crate::train::RunFolder;

/// What makes a folder a run's.
const CONFIG: &str = "config.json";
/// Files that go along if they are there. What the run finds familiar is worth a look at all training pictures.
const BESIDE: [&str; 4] = ["split.json", "calibration.json", "familiarity.bin", about::FILE];

/// Makes the version's folder a run folder with the best model; gives that, its size in bytes and its SHA-256.
pub(super) fn begin(run: &RunFolder, to: &Path) -> Result<(RunFolder, u64, String), TrackError> {
    copy(&run.path().join(CONFIG), &to.join(CONFIG))?;
    let folder = RunFolder::open(to)?;
    let (bytes, sha256) = copy(&run.best_model(), &folder.best_model())?;
    Ok((folder, bytes, sha256))
}

/// Copies what belongs to the model of `epoch`.
pub(super) fn rest(run: &RunFolder, to: &RunFolder, epoch: usize) -> Result<(), TrackError> {
    for name in BESIDE {
        copy_if_there(&run.path().join(name), &to.path().join(name))?;
    }
    let kept = run.kept_epochs()?;
    for part in [Part::Valid, Part::Test, Part::Train] {
        if kept.of(part).contains(&epoch) {
            let place = to.prediction_path(part, epoch);
            let folder = place.parent().unwrap_or(to.path());
            fs::create_dir_all(folder).map_err(|error| TrackError::io(folder, error))?;
            copy_if_there(&run.prediction_path(part, epoch), &place)?;
        }
    }
    told(run, to)
}

/// What the run told, but for its training steps.
fn told(run: &RunFolder, to: &RunFolder) -> Result<(), TrackError> {
    let path = run.events_path();
    let events = fs::read(&path).map_err(|error| TrackError::io(&path, error))?;
    let place = to.events_path();
    let write = || -> io::Result<()> {
        let mut file = File::create_new(&place)?;
        for line in events.split_inclusive(|&byte| byte == b'\n').filter(|line| !RunFolder::is_step(line) && line.ends_with(b"\n")) {
            file.write_all(line)?;
        }
        file.sync_all()
    };
    write().map_err(|error| TrackError::io(&place, error))
}

fn copy_if_there(from: &Path, to: &Path) -> Result<(), TrackError> {
    if from.is_file() { copy(from, to).map(|_| ()) } else { Ok(()) }
}

fn copy(from: &Path, to: &Path) -> Result<(u64, String), TrackError> {
    let mut source = File::open(from).map_err(|error| TrackError::io(from, error))?;
    let write = |source: &mut File| {
        let mut file = File::create_new(to)?;
        let copied = capsule::copy(source, &mut file, u64::MAX)?;
        file.sync_all()?;
        Ok::<_, io::Error>(copied)
    };
    write(&mut source).map_err(|error| TrackError::io(to, error))
}
