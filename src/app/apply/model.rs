//! Actions on the model and the picture that it classifies.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::layout::Pane;
use crate::app::state::{NoticeKind, Run, Subject, Verdict};
use crate::app::tasks::{Answer, Kind};
use crate::app::{TuningForkApp, inspect, work};
use crate::explain::{BEST_MODEL, Classifier};
use crate::imaging::{Bands, Image, Source};

impl TuningForkApp {
    /// Reads the model that the user chose, or (`None`) the best one of the present run.
    pub(super) fn load_model(&mut self, chosen: Option<PathBuf>) {
        let path = match (&chosen, &self.state.run) {
            (Some(path), _) => path.clone(),
            (None, Some(run)) => run.folder.clone(),
            (None, None) => return,
        };
        self.state.model.loading = true;
        let latest = chosen.is_none() && self.state.inspect.latest;
        let device = self.state.config.device;
        self.start_task(Kind::Model, move || Answer::Model(chosen, work::load_model(&path, latest, device)));
    }

    /// Reads the model of the last session again. Unlike one that the user chooses, it makes room for a new run's.
    pub(in crate::app) fn restore_model(&mut self, path: Option<PathBuf>) {
        if path.is_some() {
            self.state.model.restored.clone_from(&path);
            self.load_model(path);
        }
    }

    /// What is to be read again after a restart: the model that answers, as a path that means the same everywhere.
    pub(in crate::app) fn model_to_restore(&self) -> Option<PathBuf> {
        let model = &self.state.model;
        let own = self.state.run.as_ref().filter(|_| model.classifier.is_some()).map(|run| &run.folder);
        let path = model.chosen.as_ref().or(model.restored.as_ref()).or(own)?;
        Some(std::path::absolute(path).unwrap_or_else(|_| path.clone()))
    }

    pub(super) fn take_model(&mut self, chosen: Option<PathBuf>, result: Result<Arc<Classifier>, String>) {
        self.state.model.loading = false;
        match result {
            Ok(classifier) => {
                let model = &mut self.state.model;
                let spec = classifier.spec();
                let run = self.state.run.as_ref().filter(|_| chosen.is_none() && self.state.inspect.latest);
                let origin = origin(chosen.as_deref(), &classifier, run);
                let size = spec.network.size;
                let calibrated = classifier.calibration().map(|c| format!(", temperature {:.2}", c.temperature)).unwrap_or_default();
                model.description = format!("{origin}  ·  {size} x {size} px, {} classes{calibrated}", spec.classes.len());
                // the panel cuts or pads as the model was trained, until the user says otherwise
                if model.classifier.as_ref().map(|before| before.fit()) != Some(classifier.fit()) {
                    self.state.inspect.question.fit = classifier.fit();
                }
                model.restored = model.restored.take().filter(|restored| Some(restored) == chosen.as_ref());
                model.classifier = Some(classifier);
                model.chosen = chosen;
                self.ask_familiarity(false);
                self.ask_verdict();
            }
            Err(message) => {
                let waited = std::mem::take(&mut self.state.pile.waiting);
                let pile = if waited.is_empty() { "" } else { " The pictures were not classified; drop them again with a model." };
                let last = self.state.model.restored.take_if(|restored| Some(&*restored) == chosen.as_ref());
                let which = if last.is_some() { "The model of the last session" } else { "The model" };
                self.notify(NoticeKind::Failure, format!("{which} was not loaded. {message}{pile}"));
            }
        }
        self.start_waiting_pile();
    }

    pub(super) fn classify_file(&mut self, path: PathBuf) {
        self.classify_source(Source::File(path));
    }

    pub(super) fn classify_source(&mut self, source: Source) {
        self.new_subject(source.name());
        let rendering = self.state.inspect.question.rendering;
        self.start_task(Kind::Subject, move || Answer::Subject(work::open_picture(&source, &rendering)));
    }

    pub(super) fn classify_image(&mut self, index: usize) {
        let Some(data) = self.state.data.as_ref().filter(|data| index < data.set.len()) else { return };
        let set = Arc::clone(&data.set);
        self.new_subject(crate::app::map_batch::subject_name(&set, index));
        self.start_task(Kind::Subject, move || Answer::Subject(work::read_picture(&set, index).map(|image| (image, None))));
    }

    pub(super) fn new_subject(&mut self, name: String) {
        // an answer about the picture before would be taken for one about this
        self.tasks.cancel(Kind::Verdict);
        self.tasks.cancel(Kind::Subject);
        self.forget_map();
        self.state.pile.open = false;
        self.state.subject = Some(Subject { name, picture: None, verdict: Verdict::Working });
        self.apply(crate::app::Action::Show(Pane::Classify));
    }

    pub(super) fn take_subject(&mut self, result: Result<(Image, Option<Arc<Bands>>), String>) {
        let result = result.map(|(image, bands)| {
            self.state.inspect.bands = bands;
            self.picture(image)
        });
        let Some(subject) = &mut self.state.subject else { return };
        match result {
            Ok(picture) => {
                subject.picture = Some(picture);
                self.ask_verdict();
            }
            Err(message) => subject.verdict = Verdict::Failed(message),
        }
    }

    /// Classifies the picture that is there with the model that is there.
    pub(super) fn ask_verdict(&mut self) {
        let Some(subject) = &mut self.state.subject else { return };
        let Some(picture) = &subject.picture else { return };
        let Some(classifier) = self.state.model.classifier.clone() else {
            subject.verdict = Verdict::Waiting;
            return;
        };
        let image = Arc::clone(&picture.image);
        // while a run improves its model, the last verdict stays until the next one is there
        if !matches!(subject.verdict, Verdict::Ready(_)) {
            subject.verdict = Verdict::Working;
        }
        let question = &self.state.inspect.question;
        let (frame, average) = (question.frame(&image), question.average);
        self.start_task(Kind::Verdict, move || Answer::Verdict(inspect::answer(&classifier, &image, frame, average)));
    }
}

/// Where a model comes from, and of which epoch it is by its own word: the run may be further by now. `latest` is the run whose last kept
/// epoch is to answer; which it keeps next is said while it trains.
fn origin(chosen: Option<&Path>, classifier: &Classifier, latest: Option<&Run>) -> String {
    let name = chosen.map_or_else(|| "this run".to_owned(), name_of);
    let Some(epoch) = classifier.spec().epoch else { return name };
    let kept = crate::train::snapshot_epoch(classifier.path()).is_some();
    let which = match (chosen, latest) {
        (Some(_), _) => String::new(),
        (None, Some(run)) if kept => {
            let next = (epoch + 1..=run.config.epochs).find(|epoch| run.config.keeps(*epoch)).filter(|_| !run.is_over());
            next.map_or_else(|| ", the latest that is kept".into(), |next| format!(", the latest that is kept; {next} is the next"))
        }
        (None, None) if kept => ", the latest that is kept".into(),
        (None, Some(run)) if run.config.snapshots == 0 => ", the best so far (the run keeps no others: its \"Kept epochs\" are 0)".into(),
        (None, Some(_)) => ", the best so far (no latest is kept yet)".into(),
        (None, None) => ", the best so far".into(),
    };
    format!("{name}, epoch {epoch}{which}")
}

/// A path's last part; the best model of a run is called as the run is.
pub(super) fn name_of(path: &Path) -> String {
    let best = path.file_name().is_some_and(|name| name == BEST_MODEL);
    let path = path.parent().filter(|folder| best && folder.file_name().is_some()).unwrap_or(path);
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
