//! What the panel shows: a run, a part of its data, an epoch, with everything about it that is at hand.

use std::path::PathBuf;
use std::sync::Arc;

use egui::Ui;

use crate::app::action::Action;
use crate::app::reviewed::{Change, Key, Ready, SESSION, Wanted};
use crate::app::state::{Data, State};
use crate::app::theme;
use crate::data::Part;
use crate::metrics::{Confusion, Predictions};
use crate::review::{Analysis, Record};
use crate::train::{EpochReport, Session};

/// What is shown.
pub(super) struct Shown<'a> {
    pub state: &'a State,
    pub key: Key,
    /// What the run told.
    session: &'a Session,
    /// The run as it is on disk; not there before its first epoch was saved.
    pub record: Option<&'a Arc<Record>>,
    /// Class names.
    pub names: Vec<String>,
    /// The epochs that can be shown, ascending, at least one.
    pub epochs: Vec<usize>,
    /// The data set that is open, if it is the run's.
    pub data: Option<&'a Data>,
}

impl<'a> Shown<'a> {
    /// What there is of a run, a part and an epoch (`None`: the latest); `None` if the run has no epoch yet.
    pub fn new(state: &'a State, run: u64, part: Part, epoch: Option<usize>) -> Option<Self> {
        let record = state.review.record(run);
        let session = if run == SESSION { &state.run.as_ref()?.session } else { &record?.session };
        let mut epochs: Vec<usize> = session.epochs.iter().map(|e| e.epoch).collect();
        if let Some(record) = record.filter(|_| run != SESSION) {
            epochs = record.epochs();
        }
        let latest = *epochs.last()?;
        let epoch = match part {
            Part::Valid => epoch.filter(|epoch| epochs.contains(epoch)).unwrap_or(latest),
            _ => session.best_epoch().map_or(latest, |best| best.epoch),
        };
        let key = Key { run, part, epoch };
        let names = match (&session.started, record) {
            (Some(started), _) => started.classes.clone(),
            (None, Some(record)) => record.classes(),
            (None, None) => Vec::new(),
        };
        let data = state.data.as_ref().filter(|data| state.review.is_data_of(run, data));
        let mut shown = Self { state, key, session, record, names, epochs, data };
        let classes = shown.confusion().map_or(shown.names.len(), |confusion| confusion.classes());
        if shown.names.len() != classes {
            shown.names = (0..classes).map(|class| format!("class {class}")).collect();
        }
        Some(shown)
    }

    /// What the run told of the epoch (of the validation images).
    pub fn report(&self) -> Option<&'a EpochReport> {
        self.session.epochs.iter().find(|e| e.epoch == self.key.epoch && self.key.part == Part::Valid)
    }

    /// Everything that the run told.
    pub fn session(&self) -> &'a Session {
        self.session
    }

    /// The confusion matrix: from the probabilities if they are at hand, else as it was told.
    pub fn confusion(&self) -> Option<Confusion> {
        match self.state.review.predictions.get(self.key) {
            Some(Ok(predictions)) => Some(predictions.confusion()),
            _ => self.report().map(|report| report.confusion.clone()),
        }
    }

    /// Accuracy, macro-F1 and the number of images.
    pub fn figures(&self) -> Option<(f64, f64, usize)> {
        if let Some(report) = self.report() {
            return Some((report.valid_accuracy, report.valid_macro_f1, report.confusion.total() as usize));
        }
        let confusion = self.confusion()?;
        Some((confusion.accuracy(), confusion.scores().macro_average.f1, confusion.total() as usize))
    }

    /// The images of the part, as indices into the data set.
    pub fn images(&self) -> &'a [u32] {
        self.record.map_or(&[], |record| record.images(self.key.part))
    }

    /// Labels and probabilities; they are asked for if they are not there.
    pub fn predictions(&self, actions: &mut Vec<Action>) -> Ready<Predictions> {
        let ready = self.state.review.predictions.get(self.key);
        self.ask(ready.is_none() && self.state.review.predictions.lacks(self.key), Wanted::Predictions(self.key), actions);
        ready
    }

    /// Everything that is read off them; asked for if it is not there.
    pub fn analysis(&self, actions: &mut Vec<Action>) -> Ready<Analysis> {
        let ready = self.state.review.analyses.get(self.key);
        self.ask(ready.is_none() && self.state.review.analyses.lacks(self.key), Wanted::Analysis(self.key), actions);
        ready
    }

    /// Asks for something once the run's files can be read.
    pub fn ask(&self, lacking: bool, wanted: Wanted, actions: &mut Vec<Action>) {
        if lacking && self.record.is_some() {
            actions.push(Action::Review(Change::Want(wanted)));
        }
    }

    /// Shows why there is nothing yet. True if `ready` is there after all.
    pub fn waits<V>(&self, ui: &mut Ui, ready: Option<&Result<Arc<V>, String>>) -> bool {
        match ready {
            Some(Ok(_)) => return false,
            Some(Err(message)) => {
                let palette = theme::palette(ui.visuals());
                theme::failure_frame(&palette).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    ui.label(message);
                });
            }
            None => match (&self.record, &self.state.review.session) {
                (None, Some(Err(message))) if self.key.run == SESSION => {
                    ui.label(theme::muted(ui, format!("The run's folder cannot be read: {message}")));
                }
                (None, _) => {
                    ui.label(theme::muted(ui, "This comes as soon as the epoch is saved."));
                }
                _ => {
                    ui.spinner();
                }
            },
        }
        true
    }

    /// Asks for the evaluation of the test images if it is not there.
    pub fn evaluate_test(&self, actions: &mut Vec<Action>) {
        let key = Key { part: Part::Test, epoch: self.session.best_epoch().map_or(self.key.epoch, |best| best.epoch), ..self.key };
        if self.data.is_some() && self.state.review.predictions.lacks(key) && self.state.review.evaluating.is_none() {
            actions.push(Action::Review(Change::Evaluate(self.key.run, Part::Test)));
        }
    }

    /// Shows what is to be done while the test images were not evaluated. True if they were not.
    pub fn test_is_missing(&self, ui: &mut Ui, actions: &mut Vec<Action>) -> bool {
        if self.state.review.predictions.get(self.key).is_some() {
            return false;
        }
        if self.state.review.evaluating == Some(self.key.run) {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Evaluating the best model on the test images");
            });
        } else if self.data.is_none() {
            self.offer_data(ui, actions);
        } else if ui.button("Evaluate on the test images").clicked() {
            self.evaluate_test(actions);
        }
        true
    }

    /// Says that the run's data set is not open, and offers to open it.
    pub fn offer_data(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let Some(record) = self.record else { return };
        let what = self.state.data.as_ref().and_then(|data| record.difference(&data.set));
        let why = what.map_or(String::new(), |what| format!(" ({what})"));
        ui.horizontal_wrapped(|ui| {
            ui.label(theme::muted(ui, format!("The data set that is open is not the one of this run{why}.")));
            let text = format!("Trained on {}", record.config.data);
            if ui.button("Open the run's data set").on_hover_text(text).clicked() {
                actions.push(Action::Review(Change::OpenData(self.key.run)));
            }
        });
    }

    /// Where exports of this run go.
    pub fn export_folder(&self) -> PathBuf {
        let folder = self.record.map(|record| record.folder.path().to_owned());
        folder.or_else(|| self.state.run.as_ref().map(|run| run.folder.clone())).unwrap_or_default().join("exports")
    }

    /// The run's name.
    pub fn run_name(&self) -> String {
        run_name(self.state, self.key.run)
    }
}

/// The name of a run.
pub(super) fn run_name(state: &State, run: u64) -> String {
    match state.review.record(run) {
        Some(record) if run != SESSION => record.name.clone(),
        _ => "This session's run".into(),
    }
}
