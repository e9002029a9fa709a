//! Actions on what was dropped, and on many pictures at once.

use std::path::PathBuf;

use crate::app::familiar::Familiar;
use crate::app::layout::Pane;
use crate::app::pile::{Asked, Dropped, Pile, PileAction, PileEvent, PileWorker, sort_dropped};
use crate::app::reviewed::Change;
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::app::{Action, TuningForkApp};
use crate::explain::TableFormat;
use crate::imaging;

impl TuningForkApp {
    /// A `.safetensors` file or a run folder is a model, another folder a data set or a folder of pictures, anything else is taken
    /// for pictures. Three FITS files of one band each make one picture.
    pub(super) fn take_dropped(&mut self, mut paths: Vec<PathBuf>) {
        let is_model =
            |path: &PathBuf| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors")) || path.join("config.json").is_file();
        let models: Vec<PathBuf> = paths.extract_if(.., |path| is_model(path)).collect();
        if let Some(model) = models.into_iter().next_back() {
            if model.join("config.json").is_file() {
                self.apply(Action::Review(Change::Restore(model.clone())));
            }
            self.load_model(Some(model));
        }
        match &paths[..] {
            [] => {}
            [file] if !file.is_dir() => self.classify_file(file.clone()),
            _ => {
                self.start_task(Kind::Dropped, move || Answer::Dropped(sort_dropped(paths)));
            }
        }
    }

    pub(super) fn take_sorted(&mut self, dropped: Dropped) {
        match dropped {
            Dropped::Data(folder) => self.open_folder(&folder),
            Dropped::Pictures(paths) => self.start_pile(paths),
            Dropped::One(source) => self.classify_source(source),
        }
    }

    fn start_pile(&mut self, paths: Vec<PathBuf>) {
        self.apply(Action::Show(Pane::Classify));
        let Some(classifier) = self.state.model.classifier.clone() else {
            let advice = "train one, or choose a model file on the Classify panel, then drop them again.";
            return self.notify(NoticeKind::Failure, format!("Many pictures need a model to classify them: {advice}"));
        };
        let generation = self.state.pile.generation + 1;
        let (classes, model) = (classifier.spec().classes.clone(), classifier.title());
        let familiar = match &self.state.model.familiar {
            Familiar::Known(known) => Some(std::sync::Arc::clone(known)),
            _ => None,
        };
        let known = familiar.is_some();
        match PileWorker::start(paths, Asked { classifier, familiar }, self.context.clone()) {
            Ok(worker) => {
                self.pile_worker = Some(worker);
                self.state.pile = Pile { classes, model, familiar: known, running: true, open: true, generation, ..Pile::default() };
            }
            Err(error) => self
                .notify(NoticeKind::Failure, format!("The system has no thread for this ({error}); close other programs and try again.")),
        }
    }

    /// Takes over what the worker has to tell.
    pub(in crate::app) fn receive_pile(&mut self) {
        let Some(worker) = &self.pile_worker else { return };
        let mut over = false;
        for event in worker.events() {
            match event {
                PileEvent::Found(count) => self.state.pile.total = Some(count),
                PileEvent::Rows(rows) => self.state.pile.take(rows),
                PileEvent::Done => over = true,
            }
        }
        if over {
            self.pile_worker = None;
            self.state.pile.running = false;
        }
    }

    pub(super) fn pile(&mut self, action: PileAction) {
        match action {
            PileAction::Sort(column) => self.state.pile.sort_by(column),
            PileAction::Look(row) => {
                let Some(source) = self.state.pile.rows.get(row).map(|row| row.source.clone()) else { return };
                self.classify_source(source);
            }
            PileAction::Back => self.state.pile.open = true,
            PileAction::Cancel => {
                self.pile_worker = None;
                self.state.pile.running = false;
            }
            PileAction::Clear => {
                self.pile_worker = None;
                self.state.pile = Pile { generation: self.state.pile.generation + 1, ..Pile::default() };
            }
            PileAction::Save(format) => self.browse(move |dialog| {
                let name = format!("classes.{}", format.extension());
                Answer::TableChosen(format, dialog.set_title("Save the table").set_file_name(name).save_file())
            }),
            PileAction::SaveTo(format, path) => self.save_table(format, path),
        }
    }

    fn save_table(&mut self, format: TableFormat, path: PathBuf) {
        let table = self.state.pile.table(format);
        self.start_task(Kind::Table, move || {
            let written =
                table.and_then(|bytes| imaging::write_file(&path, &bytes).map_err(|error| format!("{}: {error}", path.display())));
            Answer::TableSaved(written.map(|()| path))
        });
    }

    pub(super) fn take_table_saved(&mut self, result: Result<PathBuf, String>) {
        match result {
            Ok(path) => self.notify(NoticeKind::Info, format!("Saved: {}", path.display())),
            Err(message) => {
                self.notify(NoticeKind::Failure, format!("The table was not saved. {message}. Choose another place or make room."));
            }
        }
    }
}
