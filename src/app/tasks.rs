//! Slow work on other threads. Each kind of work has a generation number: a newer request makes the answers to older ones
//! stale, and stale answers are ignored.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use super::dropped::Dropped;
use super::experiments;
use super::explored::Found;
use super::import::{ImportAction, Imported};
use super::inspect::{Answered, InspectAnswer};
use super::lab::sheet::Sheet;
use super::lab::sweep::{ClassSurvey, Swept};
use super::reviewed;
use super::searched;
use super::state::{Data, DataKey};
use super::work::StartedRun;
use crate::augment::Sweep;
use crate::explain::{Classifier, Nearness, TableFormat};
use crate::imaging::{Bands, Image};

/// A kind of work; within a kind only the latest request counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Kind {
    /// Opening a data set.
    Data,
    /// Making a data folder of an HDF5 file.
    Import,
    /// Setting up a run.
    Run,
    /// Reading a model.
    Model,
    /// Decoding the picture to classify.
    Subject,
    /// Classifying it.
    Verdict,
    /// Finding out what the model finds familiar.
    Familiarity,
    /// Measuring how near the picture is to that.
    Nearness,
    /// Reading the second model.
    RivalModel,
    /// Asking it about the picture.
    Rival,
    /// Reading the picture that is open large.
    Opened,
    /// Making a contact sheet of the lab.
    Sheet,
    /// Asking the model along a change of a picture.
    Sweep,
    /// Asking the model for turned pictures of a class.
    Survey,
    /// Drawing the map of where the model looked.
    Activation,
    /// Finding out what dropped files are.
    Dropped,
    /// Measuring how near the pictures of a table are to what the model finds familiar.
    Distances,
    /// Writing a table to a file.
    Table,
    /// Measuring how far the map can be believed.
    Trust,
    /// Checking a model with random weights.
    Check,
    /// Drawing a sheet of small maps.
    Tiles,
    /// Writing the maps of many pictures.
    Maps,
    /// Writing a map to a file.
    Save,
    /// Reading the clipboard.
    Paste,
    /// A dialog of the system.
    Dialog,
    /// Choosing the pictures of the grid.
    Select,
    /// Reading the user's marks.
    Marks,
    /// Keeping them.
    SaveMarks,
    /// Letting a model go through pictures.
    Read,
    /// Reading what a run said of the pictures.
    Answers,
    /// Looking for duplicates.
    Integrity,
    /// Making the map, or looking for neighbours on it.
    Map,
    /// Writing a table.
    Export,
    /// Reading a run folder.
    ReviewOpen,
    /// Reading this session's run folder.
    ReviewSession,
    /// Looking for run folders.
    ReviewList,
    /// Reading probabilities.
    ReviewPredictions,
    /// Working out what is read off them.
    ReviewAnalysis,
    /// Following images over the epochs.
    ReviewLearning,
    /// Comparing two tables of predictions.
    ReviewComparison,
    /// Evaluating a run's best model.
    ReviewEvaluate,
    /// Writing a file.
    ReviewSave,
    /// Reading the card of a registered model.
    ModelCard,
    /// Listing runs.
    RunsList,
    /// Doing something to run folders.
    Runs,
    /// Moving runs to the trash.
    RunsDelete,
    /// Unpacking dropped runs.
    RunsImport,
    /// Reading a run's configuration.
    RunsConfig,
    /// Setting up a search.
    Search,
    /// Reading the journals of searches.
    SearchRead,
    /// Reading the studies in databases.
    SearchOpened,
    /// Reading a trial's configuration.
    SearchValues,
}

const KINDS: usize = Kind::SearchValues as usize + 1;

/// What a task answers. Errors are in words for the user.
pub enum Answer {
    /// A data set, and the configuration's `data` that it was opened for.
    Data(DataKey, Result<Box<Data>, String>),
    /// A run that is on its way, where it is kept, and its configuration.
    Run(Result<Box<StartedRun>, String>),
    /// A model and where it came from (`None`: the run).
    Model(Option<PathBuf>, Result<Arc<Classifier>, String>),
    /// The picture to classify, and the numbers that it was made from if it is of a FITS file.
    Subject(Result<(Image, Option<Arc<Bands>>), String>),
    /// The picture inside the network, with probabilities.
    Verdict(Result<Answered, String>),
    /// The last model among dropped files, and what the others are.
    Dropped(Option<PathBuf>, Dropped),
    /// A place for the table was chosen (or the dialog was closed).
    TableChosen(TableFormat, Option<PathBuf>),
    /// The table was written.
    TableSaved(Result<PathBuf, String>),
    /// About the map of where the model looked.
    Inspect(InspectAnswer),
    /// The picture that is open large.
    Opened(Result<Image, String>),
    /// A contact sheet of the lab.
    Sheet(Result<Box<Sheet>, String>),
    /// The model's answers along a change of the lab's picture.
    Sweep(Sweep, Box<Result<Swept, String>>),
    /// The model's answers for turned pictures of a class.
    Survey(u32, Result<ClassSurvey, String>),
    /// A data folder was chosen (or the dialog was closed).
    DataChosen(Option<PathBuf>),
    /// An HDF5 file was chosen, or a place for a download (or the dialog was closed).
    ImportChosen(Option<ImportAction>),
    /// A data folder was made, or not.
    Imported(Imported),
    /// Pictures were chosen (or, with none, the dialog was closed).
    PicturesChosen(Vec<PathBuf>),
    /// A model was chosen.
    ModelChosen(Option<PathBuf>),
    /// Something for the Explore panel.
    Explore(Found),
    /// Something for the Confusion panel.
    Review(reviewed::Answer),
    /// The distances of pictures of this pile (its generation) to the training pictures, by row.
    Distances(u64, Vec<(usize, Option<Nearness>)>),
    /// This kind of work broke off: a fault of the program, in its own words.
    Panicked(Kind, String),
    /// Something for the Experiments panel.
    Experiments(experiments::Answer),
    /// Something for the Search panel.
    Search(searched::Answer),
}

/// The tasks of a window.
pub struct Tasks {
    generations: [u64; KINDS],
    sender: Sender<(Kind, u64, Answer)>,
    receiver: Receiver<(Kind, u64, Answer)>,
    context: egui::Context,
}

impl Tasks {
    /// No tasks yet; `context` is woken by each answer.
    #[must_use]
    pub fn new(context: egui::Context) -> Self {
        let (sender, receiver) = crossbeam_channel::unbounded();
        Self { generations: [0; KINDS], sender, receiver, context }
    }

    /// Starts `work` on its own thread and makes older requests of this kind stale. If it panics, the answer says so.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(&mut self, kind: Kind, work: impl FnOnce() -> Answer + Send + 'static) -> std::io::Result<()> {
        self.cancel(kind);
        let generation = self.generations[kind as usize];
        let (sender, context) = (self.sender.clone(), self.context.clone());
        std::thread::Builder::new().name(format!("app-{kind:?}").to_lowercase()).spawn(move || {
            // nothing that the work borrowed is looked at again, so nothing half changed can be seen
            let answer = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Answer::Panicked(kind, words_of(&*panic)));
            // the window may be gone by now; then nobody waits for the answer
            if sender.send((kind, generation, answer)).is_ok() {
                context.request_repaint();
            }
        })?;
        Ok(())
    }

    /// Makes all requests of this kind stale.
    pub fn cancel(&mut self, kind: Kind) {
        self.generations[kind as usize] += 1;
    }

    /// The answers that came and are not stale.
    pub fn answers(&self) -> Vec<Answer> {
        let fresh = |(kind, generation, answer): (Kind, u64, Answer)| (self.generations[kind as usize] == generation).then_some(answer);
        self.receiver.try_iter().filter_map(fresh).collect()
    }
}

/// What a panic said.
#[must_use]
pub fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no reason was given".into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Waits until the channel holds `n` answers.
    fn wait(tasks: &Tasks, n: usize) {
        let start = Instant::now();
        while tasks.receiver.len() < n {
            assert!(start.elapsed() < Duration::from_secs(10), "the tasks never answered");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn stale_answers_are_ignored() {
        let mut tasks = Tasks::new(egui::Context::default());
        for name in ["old", "new"] {
            tasks.start(Kind::Dialog, move || Answer::DataChosen(Some(name.into()))).expect("a thread");
        }
        tasks.start(Kind::Opened, || Answer::Opened(Err("no".into()))).expect("a thread");
        wait(&tasks, 3);
        let answers = tasks.answers();
        assert_eq!(answers.len(), 2);
        assert!(answers.iter().any(|a| matches!(a, Answer::DataChosen(Some(p)) if p.ends_with("new"))));
        tasks.start(Kind::Opened, || Answer::Opened(Err("no".into()))).expect("a thread");
        wait(&tasks, 1);
        tasks.cancel(Kind::Opened);
        assert!(tasks.answers().is_empty());
    }

    #[test]
    fn a_panic_is_an_answer_of_its_kind() {
        let mut tasks = Tasks::new(egui::Context::default());
        tasks.start(Kind::Opened, || panic!("on purpose, number {}", 7)).expect("a thread");
        wait(&tasks, 1);
        let answers = tasks.answers();
        assert!(matches!(&answers[..], [Answer::Panicked(Kind::Opened, words)] if words == "on purpose, number 7"));
        // nobody waits for the failure of something older
        tasks.start(Kind::Sheet, || panic!("on purpose")).expect("a thread");
        wait(&tasks, 1);
        tasks.cancel(Kind::Sheet);
        assert!(tasks.answers().is_empty());
    }
}
