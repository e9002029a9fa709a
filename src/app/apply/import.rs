//! Actions on Galaxy10's HDF5 file.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::app::TuningForkApp;
use crate::app::import::{From, ImportAction, Imported, Importing, Wanted};
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};

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
            ImportAction::Stop => {
                self.state.importing.iter().for_each(Importing::stop);
            }
        }
    }

    fn start_import(&mut self, wanted: Wanted) {
        if let Some(importing) = &self.state.importing {
            let message = format!("{} is still being made; end that first, or wait for it.", importing.wanted.folder.display());
            return self.notify(NoticeKind::Failure, message);
        }
        if wanted.is_there() {
            let folder = wanted.folder.display();
            let message =
                format!("It was imported before, into {folder}, which is opened now. To import it anew, remove that folder first.");
            self.notify(NoticeKind::Info, message);
            return self.open_folder(&wanted.folder);
        }
        let progress = Arc::default();
        let (told, job) = (Arc::clone(&progress), wanted.clone());
        let started = self.start_task(Kind::Import, move || {
            let result = match job.make(&told) {
                // a server that was silent until it was too late for it is no news to who has ended the download
                Err(_) if told.stop.load(Ordering::Relaxed) => None,
                made => Some(made.map_err(|error| error.to_string())),
            };
            Answer::Imported(Imported { wanted: job, result })
        });
        if started {
            self.state.importing = Some(Importing { wanted, progress });
        }
    }

    pub(super) fn take_imported(&mut self, imported: Imported) {
        self.state.importing = None;
        let Imported { wanted: Wanted { from, folder }, result } = imported;
        let downloaded = match &from {
            From::Download(options) => Some(options.dir.display().to_string()),
            From::File(_) => None,
        };
        match (result, downloaded) {
            (Some(Ok(())), downloaded) => {
                let left = downloaded.map_or_else(String::new, |dir| format!(" What was downloaded is in {dir} and may be deleted."));
                self.notify(NoticeKind::Info, format!("The data folder {} is made.{left}", folder.display()));
                self.open_folder(&folder);
            }
            (Some(Err(message)), None) => self.notify(NoticeKind::Failure, format!("The file was not imported. {message}.")),
            (Some(Err(message)), Some(_)) => self.notify(NoticeKind::Failure, format!("Galaxy10 was not fetched. {message}.")),
            (None, None) => self.notify(NoticeKind::Info, "The import was ended; nothing of it is left.".into()),
            (None, Some(dir)) => {
                let message =
                    format!("The download was ended. What arrived is kept in {dir}: download into the same place to go on from there.");
                self.notify(NoticeKind::Info, message);
            }
        }
    }

    /// The import broke off by a fault of the program.
    pub(super) fn fail_import(&mut self, message: &str) {
        if let Some(importing) = self.state.importing.take() {
            self.take_imported(Imported { wanted: importing.wanted, result: Some(Err(message.to_owned())) });
        }
    }
}
