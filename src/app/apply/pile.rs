//! Actions on what was dropped, and on many pictures at once.

use std::path::PathBuf;

use crate::app::dropped::{Dropped, is_model, sort_dropped};
use crate::app::familiar::Familiar;
use crate::app::layout::Pane;
use crate::app::pile::{Asked, Pile, PileAction, PileEvent, PileWorker};
use crate::app::reviewed::Change;
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::app::{Action, TuningForkApp};
use crate::explain::TableFormat;

impl TuningForkApp {
    /// A `.safetensors` file or a run folder is a model, another folder a data set or a folder of pictures, anything else is taken
    /// for pictures. Three FITS files of one band each make one picture. One path is looked at at once, several on another thread.
    pub(super) fn take_dropped(&mut self, paths: Vec<PathBuf>) {
        match &paths[..] {
            [] => {}
            [model] if is_model(model) => self.take_dropped_model(Some(model.clone())),
            [file] if !file.is_dir() => self.classify_file(file.clone()),
            _ => {
                self.start_task(Kind::Dropped, move || {
                    let (model, dropped) = sort_dropped(paths);
                    Answer::Dropped(model, dropped)
                });
            }
        }
    }

    pub(super) fn take_dropped_model(&mut self, model: Option<PathBuf>) {
        let Some(model) = model else { return };
        if model.join("config.json").is_file() {
            self.apply(Action::Review(Change::Restore(model.clone())));
        }
        self.load_model(Some(model));
    }

    pub(super) fn take_sorted(&mut self, dropped: Dropped) {
        match dropped {
            Dropped::Nothing => {}
            Dropped::Data(folder) => self.open_folder(&folder),
            Dropped::Pictures(paths) => self.start_pile(paths),
            Dropped::One(source) => self.classify_source(source),
        }
    }

    fn start_pile(&mut self, paths: Vec<PathBuf>) {
        self.apply(Action::Show(Pane::Classify));
        // a model that was dropped with them comes first
        if self.state.model.loading {
            self.state.pile.waiting = paths;
            return;
        }
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

    /// Classifies the pictures that waited for a model.
    pub(super) fn start_waiting_pile(&mut self) {
        let waiting = std::mem::take(&mut self.state.pile.waiting);
        if !waiting.is_empty() {
            self.start_pile(waiting);
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
        let answers = self.state.pile.answers();
        self.start_task(Kind::Table, move || Answer::TableSaved(answers.save(format, &path).map(|()| path)));
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
