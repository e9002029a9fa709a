//! Actions on Galaxy10's HDF5 file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::app::TuningForkApp;
use crate::app::import::{ImportAction, ImportProgress, Imported, Importing, Origin, Wanted};
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::data::DataError;

/// Where a folder cannot be made, the command line knows more places.
const ELSEWHERE: &str = "On the command line, `tuning-fork data import FILE DIR` makes any other folder";

impl TuningForkApp {
    pub(super) fn import(&mut self, action: ImportAction) {
        match action {
            ImportAction::File(file) => self.start_import(Wanted::of_file(file)),
            ImportAction::Browse => self.browse(|dialog| {
                let dialog = dialog.set_title("Import a Galaxy10 file").add_filter("HDF5", &["h5", "hdf5"]);
                Answer::ImportChosen(dialog.pick_file().map(ImportAction::File))
            }),
            ImportAction::Download(wanted) => self.start_import(*wanted),
            ImportAction::BrowseDownload => self.browse(|dialog| {
                let place = dialog.set_title("Where to download Galaxy10 (6.2 GB are needed)").pick_folder();
                Answer::ImportChosen(place.map(|place| ImportAction::Download(Box::new(Wanted::galaxy10(&place)))))
            }),
            ImportAction::Stop => self.state.importing.iter().for_each(Importing::stop),
        }
    }

    fn start_import(&mut self, wanted: Wanted) {
        let folder = wanted.folder.display();
        if let Some(importing) = &self.state.importing {
            let message = format!("{} is still being made; end that first, or wait for it.", importing.wanted.folder.display());
            return self.notify(NoticeKind::Failure, message);
        }
        if wanted.is_there() {
            let message =
                format!("There is a data folder {folder} already, which is opened now. To import anew, rename or remove it first.");
            self.notify(NoticeKind::Info, message);
            return self.open_folder(&wanted.folder);
        }
        if let Some(obstacle) = wanted.obstacle() {
            return self.notify(NoticeKind::Failure, format!("Nothing was imported. {obstacle}. {ELSEWHERE}."));
        }
        let progress = Arc::<ImportProgress>::default();
        let (told, job) = (Arc::clone(&progress), wanted.clone());
        let started = self.start_task(Kind::Import, move || {
            let result = match job.make(&told) {
                Err(DataError::Stopped) => None,
                // a server that was silent until it was too late for it is no news to who has ended the download
                Err(DataError::Download { .. }) if told.stop.load(Ordering::Relaxed) => None,
                made => Some(made.map_err(|error| error.to_string())),
            };
            Answer::Imported(Imported { wanted: job, result })
        });
        if started {
            let open = self.state.data.as_ref().map(|data| data.generation);
            self.state.importing = Some(Importing { wanted, progress, open });
        }
    }

    pub(super) fn take_imported(&mut self, imported: Imported) {
        let Some(importing) = self.state.importing.take() else { return };
        let Imported { wanted: Wanted { from, folder }, result } = imported;
        match (result, &from) {
            (Some(Ok(())), _) => self.take_made(&folder, &from, &importing),
            (Some(Err(message)), Origin::File(_)) => {
                self.notify(NoticeKind::Failure, format!("The file was not imported. {message}. {ELSEWHERE}."));
            }
            (Some(Err(message)), Origin::Download(options)) if importing.progress.is_downloaded() => {
                let message = format!("Galaxy10 is in {}, but was not imported. {message}. {ELSEWHERE}.", options.dir.display());
                self.notify(NoticeKind::Failure, message);
            }
            (Some(Err(message)), Origin::Download(_)) => {
                let options = if message.contains("--") { " (Options stand for those of `tuning-fork data fetch`.)" } else { "" };
                self.notify(NoticeKind::Failure, format!("Galaxy10 was not downloaded. {message}.{options}"));
            }
            (None, Origin::File(_)) => self.notify(NoticeKind::Info, "The import was ended; nothing of it is left.".into()),
            (None, Origin::Download(options)) => {
                let dir = options.dir.display();
                let message =
                    format!("The download was ended. What arrived is kept in {dir}: download into the same place to go on from there.");
                self.notify(NoticeKind::Info, message);
            }
        }
    }

    /// Opens the folder, unless the user works with something else by now.
    fn take_made(&mut self, folder: &Path, from: &Origin, importing: &Importing) {
        let state = &self.state;
        let same = state.data.as_ref().map(|data| data.generation) == importing.open;
        let free = same && state.loading.is_none() && !state.starting && !state.is_training();
        let open = if free && !importing.progress.stop.load(Ordering::Relaxed) { "" } else { "; open it on the Train panel" };
        let left = match from {
            Origin::Download(options) => format!(" What was downloaded is in {} and may be deleted.", options.dir.display()),
            Origin::File(_) => String::new(),
        };
        self.notify(NoticeKind::Info, format!("The data folder {} is made{open}.{left}", folder.display()));
        if open.is_empty() {
            self.open_folder(folder);
        }
    }

    /// The import broke off by a fault of the program.
    pub(super) fn fail_import(&mut self, message: &str) {
        if let Some(wanted) = self.state.importing.as_ref().map(|importing| importing.wanted.clone()) {
            self.take_imported(Imported { wanted, result: Some(Err(message.to_owned())) });
        }
    }
}
