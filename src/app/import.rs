//! Galaxy10 into the window: a data folder is made of its HDF5 file, which may be downloaded first. The work runs on a task thread and can
//! be ended; what was opened before stays open meanwhile.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::data::fetch::{FetchOptions, FetchProgress, fetch};
use crate::data::{DataError, check_target, hdf5, is_data_folder};
use crate::files;

/// The name of the folder that a download makes.
const FOLDER: &str = "Galaxy10_DECals";
/// The longest that the end of the program waits for the end of an import; a download that a server keeps waiting goes on from what is on
/// disk.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// What is asked for.
pub enum ImportAction {
    /// Makes a data folder of this HDF5 file, beside it.
    File(PathBuf),
    /// Asks for such a file with the system's dialog.
    Browse,
    /// Downloads the file and makes a data folder of it.
    Download(Box<Wanted>),
    /// Asks for a place for that with the system's dialog.
    BrowseDownload,
    /// Ends it.
    Stop,
}

/// What becomes a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// A file that is downloaded first.
    Download(FetchOptions),
}

/// A data folder that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What of.
    pub from: Origin,
    /// The folder; it comes into being when it is whole.
    pub folder: PathBuf,
}

impl Wanted {
    /// The folder of an HDF5 file: beside it, with its name.
    #[must_use]
    pub fn of_file(file: PathBuf) -> Self {
        Self { folder: file.with_extension(""), from: Origin::File(file) }
    }

    /// Galaxy10 `DECaLS`, downloaded into `place`; what was downloaded stays beside the data folder.
    #[must_use]
    pub fn galaxy10(place: &Path) -> Self {
        let folder = place.join(FOLDER);
        Self { from: Origin::Download(FetchOptions::galaxy10(folder.with_added_extension("download"))), folder }
    }

    /// Whether the folder was made before.
    #[must_use]
    pub fn is_there(&self) -> bool {
        is_data_folder(&self.folder)
    }

    /// Why the folder cannot be made, in words; `None` if nothing is in its way.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        check_target(&self.folder).err().map(|error| error.to_string())
    }

    /// Makes the folder.
    ///
    /// # Errors
    /// [`DataError::Stopped`] if the progress says that nobody wants it any more; anything else in the words of download and import.
    pub fn make(&self, progress: &ImportProgress) -> Result<(), DataError> {
        let file = match &self.from {
            Origin::File(file) => file.clone(),
            Origin::Download(options) => fetch(options, &mut |stage| progress.tell(Stage::Fetch(stage)), &progress.stop)?,
        };
        hdf5::import(&file, &self.folder, &mut |done, all| progress.tell(Stage::Import(done, all)), &progress.stop)?;
        Ok(())
    }
}

/// How far it is.
#[derive(Clone, Debug)]
enum Stage {
    Fetch(FetchProgress),
    /// Images written, and in all.
    Import(usize, usize),
}

/// What the worker tells the window, and the window the worker.
#[derive(Debug, Default)]
pub struct ImportProgress {
    stage: Mutex<Option<Stage>>,
    /// Set to end the work.
    pub stop: AtomicBool,
}

impl ImportProgress {
    fn tell(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
    }

    /// Whether what was to be downloaded is there.
    #[must_use]
    pub fn is_downloaded(&self) -> bool {
        matches!(&*self.stage.lock().unwrap_or_else(PoisonError::into_inner), Some(Stage::Import(..)))
    }

    /// What is being done, in words, and the share of it that is done, 0 to 1, where that is known.
    #[must_use]
    pub fn words(&self) -> (String, Option<f32>) {
        let share = |done: u64, all: u64| Some(done as f32 / all.max(1) as f32);
        if self.stop.load(Ordering::Relaxed) {
            return ("Ending".into(), None);
        }
        match &*self.stage.lock().unwrap_or_else(PoisonError::into_inner) {
            None => ("Setting up".into(), None),
            Some(Stage::Fetch(FetchProgress::Downloading { done, total: Some(total) })) => {
                (format!("Downloading, {} of {}", files::bytes(*done), files::bytes(*total)), share(*done, *total))
            }
            Some(Stage::Fetch(FetchProgress::Downloading { done, total: None })) => (format!("Downloading, {}", files::bytes(*done)), None),
            Some(Stage::Fetch(FetchProgress::Waiting { reason, pause })) => {
                (format!("{reason}; trying again in {:.0} s", pause.as_secs_f64().ceil()), None)
            }
            Some(Stage::Fetch(FetchProgress::Checking { done, total })) => ("Checking the file".into(), share(*done, *total)),
            Some(Stage::Import(done, all)) => ("Making the data folder".into(), share(*done as u64, *all as u64)),
        }
    }
}

/// A data folder that is being made.
pub struct Importing {
    /// Which.
    pub wanted: Wanted,
    /// How far it is.
    pub progress: Arc<ImportProgress>,
    /// The data set that was open when it began (its generation): if another was opened meanwhile, that stays.
    pub open: Option<u64>,
}

impl Importing {
    /// Ends it soon.
    pub fn stop(&self) {
        self.progress.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until the worker has removed what it had written, if that does not take long.
    pub fn wait(&self) {
        let started = Instant::now();
        while Arc::strong_count(&self.progress) > 1 && started.elapsed() < LAST_WAIT {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What came of it.
pub struct Imported {
    /// What was asked for.
    pub wanted: Wanted,
    /// Whether it is there; the message says why not. `None`: it was ended.
    pub result: Option<Result<(), String>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_stand_beside_the_file() {
        let wanted = Wanted::of_file("/sky/Galaxy10.h5".into());
        assert_eq!(wanted.folder, Path::new("/sky/Galaxy10"));
        let wanted = Wanted::galaxy10(Path::new("/sky"));
        assert_eq!(wanted.folder, Path::new("/sky/Galaxy10_DECals"));
        let Origin::Download(options) = wanted.from else { panic!("a download") };
        assert_eq!(options.dir, Path::new("/sky/Galaxy10_DECals.download"));
    }

    #[test]
    fn progress_is_told_in_words() {
        let progress = ImportProgress::default();
        assert_eq!(progress.words(), ("Setting up".into(), None));
        progress.tell(Stage::Fetch(FetchProgress::Downloading { done: 500_000_000, total: Some(2_000_000_000) }));
        let (words, share) = progress.words();
        assert!(words.starts_with("Downloading, ") && words.contains(" of "), "{words}");
        assert_eq!(share, Some(0.25));
        let pause = Duration::from_millis(2500);
        progress.tell(Stage::Fetch(FetchProgress::Waiting { reason: "the server is busy".into(), pause }));
        assert_eq!(progress.words(), ("the server is busy; trying again in 3 s".into(), None));
        progress.tell(Stage::Import(3, 4));
        assert_eq!(progress.words(), ("Making the data folder".into(), Some(0.75)));
        progress.stop.store(true, Ordering::Relaxed);
        assert_eq!(progress.words(), ("Ending".into(), None));
    }
}
