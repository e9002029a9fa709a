//! What the panel shows: a run, a part of its data, an epoch, with everything about it that is at hand.

use std::path::PathBuf;
use std::sync::Arc;

use egui::Ui;

use crate::app::action::Action;
use crate::app::reviewed::{Change, Evaluating, Key, Ready, SESSION, Wanted};
use crate::app::state::{Data, State};
use crate::app::theme;
use crate::app::widget;
use crate::data::Part;
use crate::metrics::{Confusion, Predictions};
use crate::review::{Analysis, Record};
use crate::train::{EpochReport, Session, epochs_in_words};

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
    /// The epochs of the part that can be shown, ascending, at least one.
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
        let mut latest = *epochs.last()?;
        if part != Part::Valid {
            // what is shown first is the best one; any other that was evaluated or can be is there, too
            latest = session.best_epoch().map_or(latest, |best| best.epoch);
            epochs.extend(record.iter().flat_map(|record| record.kept.of(part).iter().chain(&record.models)));
            epochs.sort_unstable();
            epochs.dedup();
        }
        let epoch = epoch.filter(|epoch| epochs.contains(epoch)).unwrap_or(latest);
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

    /// The epochs that can be shown without asking a model first.
    pub fn playable(&self) -> &[usize] {
        match self.key.part {
            Part::Valid => &self.epochs,
            part => self.record.map_or(&[], |record| record.kept.of(part)),
        }
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

    /// Shows how far the evaluation of a model of this run is, while it goes on.
    pub fn evaluation(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let Some(evaluating) = self.state.review.evaluating.as_ref().filter(|evaluating| evaluating.run == self.key.run) else { return };
        ui.horizontal(|ui| {
            let text = format!("Evaluating on the {} images", evaluating.part.title());
            let bar = egui::ProgressBar::new(evaluating.progress.share()).desired_width(180.0).show_percentage();
            let response = ui.add(bar);
            widget::name(ui, &response, egui::Role::ProgressIndicator, &text);
            ui.label(&text);
            if ui.button("Cancel").on_hover_text("End the evaluation; nothing of it is kept").clicked() {
                actions.push(Action::Review(Change::StopEvaluating));
            }
        });
        ui.ctx().request_repaint_after_secs(0.1);
    }

    /// Shows what is to be done while this part was not evaluated at this epoch. True if it was not.
    pub fn part_is_missing(&self, ui: &mut Ui, actions: &mut Vec<Action>) -> bool {
        let part = self.key.part;
        let kept = || self.record.is_some_and(|record| record.kept.of(part).contains(&self.key.epoch));
        if part == Part::Valid || self.state.review.predictions.get(self.key).is_some() || kept() {
            return false;
        }
        let evaluating = self.state.review.evaluating.as_ref();
        let asked = |evaluating: &Evaluating| {
            (evaluating.run, evaluating.part) == (self.key.run, part) && evaluating.epoch.is_none_or(|epoch| epoch == self.key.epoch)
        };
        if evaluating.is_some_and(asked) {
            ui.label(theme::muted(ui, "The matrix comes when all images are done; the answers are kept in the run's folder."));
        } else if self.data.is_none() {
            self.offer_data(ui, actions);
        } else {
            self.offer_evaluation(ui, actions);
        }
        true
    }

    /// Offers to evaluate the model of the epoch on the part, or says why that cannot be.
    fn offer_evaluation(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let Some(record) = self.record else { return };
        let (Key { run, part, epoch }, part_name) = (self.key, self.key.part.title());
        let best = self.session.best_epoch().map(|best| best.epoch);
        let there = record.models.contains(&epoch);
        // of a run without events nobody knows which epoch the best model is of; the file itself says it
        let blind = best.is_none() && !there;
        let words = if best == Some(epoch) {
            format!("The best model, that of epoch {epoch}, was not evaluated on the {part_name} images yet.")
        } else if blind {
            format!("The best model was not evaluated on the {part_name} images yet.")
        } else {
            format!("The model of epoch {epoch} was not evaluated on the {part_name} images yet.")
        };
        ui.label(theme::muted(ui, words));
        let why = if there || blind {
            None
        } else {
            let have = epochs_in_words(&record.models);
            let words = format!(
                "Its weights are not kept (epochs with weights: {have}). Choose one of these; a run keeps more with a larger value of “Kept epochs” on the Train panel (--snapshots)."
            );
            ui.add(egui::Label::new(theme::muted(ui, &words)).wrap());
            Some(words)
        };
        let free = self.state.review.evaluating.is_none();
        let button = ui.add_enabled(free && why.is_none(), egui::Button::new(format!("Evaluate on the {part_name} images")));
        if button.on_disabled_hover_text(why.as_deref().unwrap_or("Another evaluation goes on")).clicked() {
            actions.push(Action::Review(Change::Evaluate(run, part, there.then_some(epoch))));
        }
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
