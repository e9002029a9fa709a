//! Actions on what was dropped, and on many pictures at once.

use std::path::PathBuf;
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::app::dropped::{Dropped, is_capsule, is_model, is_run, sort_dropped};
use crate::app::familiar::Familiar;
use crate::app::import::ImportAction;
use crate::app::layout::Pane;
use crate::app::pile::{Pile, PileAction};
use crate::app::pile_worker::{Asked, PileEvent, PileWorker};
use crate::app::reviewed::Change;
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::app::{Action, TuningForkApp};
use crate::data::is_hdf5;
use crate::explain::{Nearness, TableFormat};

impl TuningForkApp {
    /// A `.zip` file is a run that was exported, a `.safetensors` file or a run folder is a model, an HDF5 file is imported, another folder
    /// is a data set or a folder of pictures, anything else is taken for pictures. Three FITS files of one band each make one picture. One
    /// looked at at once, several on another thread.
    pub(super) fn take_dropped(&mut self, mut paths: Vec<PathBuf>) {
        let capsules: Vec<PathBuf> = paths.extract_if(.., |path| is_capsule(path)).collect();
        if !capsules.is_empty() {
            self.take_dropped_capsules(capsules);
        }
        match &paths[..] {
            [] => {}
            [model] if is_model(model) => self.take_dropped_model(Some(model.clone())),
            [file] if is_hdf5(file) && !file.is_dir() => self.import(ImportAction::File(file.clone())),
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
        if is_run(&model) {
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
        let familiar = match &self.state.model.familiar {
            Familiar::Known(known) => Some(Arc::clone(known)),
            _ => None,
        };
        let question = &self.state.inspect.question;
        let (rendering, average) = (question.rendering.of_any_file(), question.average);
        let pile = Pile {
            classes: classifier.spec().classes.clone(),
            model: classifier.title(),
            classifier: Some(Arc::clone(&classifier)),
            paths: paths.clone(),
            rendering,
            average,
            familiar: familiar.is_some(),
            running: true,
            open: true,
            generation,
            ..Pile::default()
        };
        match PileWorker::start(paths, Asked { classifier, familiar, rendering, average }, self.context.clone()) {
            Ok(worker) => {
                self.pile_worker = Some(worker);
                self.state.pile = pile;
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
        let mut over = None;
        for event in worker.events() {
            match event {
                PileEvent::Found(count, fits) => (self.state.pile.total, self.state.pile.fits) = (Some(count), fits),
                PileEvent::Rows(rows) => self.state.pile.take(rows),
                PileEvent::Done => over = Some(Ok(())),
                PileEvent::Broke(words) => over = Some(Err(words)),
            }
        }
        let Some(result) = over else { return };
        self.pile_worker = None;
        self.state.pile.running = false;
        if let Err(words) = result {
            let message = format!("Not all pictures were classified: the program has a fault there ({words}); please report it.");
            self.notify(NoticeKind::Failure, message);
        }
        if let Some(why) = self.state.pile.classifier.as_ref().and_then(|classifier| classifier.device_trouble()) {
            let message = format!("The processor did what the device should have done: {why}.");
            self.notify(NoticeKind::Info, message);
        }
        self.ask_distances();
    }

    /// Measures how near the pictures of the table are to the training pictures, if that is known by now and was not when they were
    /// classified.
    pub(super) fn ask_distances(&mut self) {
        let (Familiar::Known(known), Some(now)) = (&self.state.model.familiar, &self.state.model.classifier) else { return };
        let pile = &mut self.state.pile;
        if pile.running || pile.familiar || pile.classifier.as_ref().is_none_or(|then| !Arc::ptr_eq(then, now)) {
            return;
        }
        let (known, generation, features) = (Arc::clone(known), pile.generation, pile.take_features());
        if features.is_empty() {
            return;
        }
        self.start_task(Kind::Distances, move || {
            let distances = features.par_iter().map(|(number, features)| (*number, known.nearness(features))).collect();
            Answer::Distances(generation, distances)
        });
    }

    pub(super) fn take_distances(&mut self, generation: u64, distances: Vec<(usize, Option<Nearness>)>) {
        if self.state.pile.generation == generation {
            self.state.pile.take_distances(distances);
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
                self.ask_distances();
            }
            PileAction::Again => self.start_pile(self.state.pile.paths.clone()),
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
