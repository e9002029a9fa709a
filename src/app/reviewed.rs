//! What is true of the runs that the Confusion panel looks back on: their records, and what was worked out of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::explored::Progress;
use super::state::{Data, DataKey};
use crate::data::Part;
use crate::explain::Calibration;
use crate::metrics::{Comparison, Learning, Predictions};
use crate::review::{Analysis, Record};

/// The number of the run of this session; runs that were opened count from 1.
pub const SESSION: u64 = 0;
/// The most results of each kind that are kept.
const KEPT: usize = 24;

/// Names one table of predictions: a run, a part of its data, an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// [`SESSION`], or an opened run.
    pub run: u64,
    /// The part.
    pub part: Part,
    /// The epoch, counted from 1.
    pub epoch: usize,
}

/// Something that a panel needs and that is worked out on another thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Labels and probabilities.
    Predictions(Key),
    /// Everything that is read off them.
    Analysis(Key),
    /// What became of each validation image over so many epochs of a run.
    Learning(u64, usize),
    /// The second against the first.
    Comparison(Key, Key),
}

/// A result, if it is there: `Err` says in words why it cannot be.
pub type Ready<V> = Option<Result<Arc<V>, String>>;

/// Results by what they are of, the latest last; the oldest go.
pub struct Shelf<K, V> {
    items: Vec<(K, Result<Arc<V>, String>)>,
    /// What is being worked out.
    pub pending: Option<K>,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self { items: Vec::new(), pending: None }
    }
}

impl<K: PartialEq + Copy, V> Shelf<K, V> {
    /// The result, if it is there.
    #[must_use]
    pub fn get(&self, key: K) -> Ready<V> {
        self.items.iter().find(|(k, _)| *k == key).map(|(_, result)| result.clone())
    }

    /// Whether it is neither there nor being worked out.
    #[must_use]
    pub fn lacks(&self, key: K) -> bool {
        self.pending != Some(key) && !self.items.iter().any(|(k, _)| *k == key)
    }

    /// Takes a result.
    pub fn put(&mut self, key: K, result: Result<Arc<V>, String>) {
        if self.pending == Some(key) {
            self.pending = None;
        }
        self.items.retain(|(k, _)| *k != key);
        self.items.push((key, result));
        if self.items.len() > KEPT {
            drop(self.items.remove(0));
        }
    }

    /// What is being worked out could not be had.
    pub fn fail_pending(&mut self, message: &str) {
        if let Some(key) = self.pending {
            self.put(key, Err(message.to_owned()));
        }
    }

    /// Forgets what could not be had, because now it may be.
    pub fn forget_failures(&mut self) {
        self.items.retain(|(_, result)| result.is_ok());
    }

    /// Forgets the results that `gone` names.
    pub fn forget(&mut self, gone: impl Fn(&K) -> bool) {
        self.items.retain(|(key, _)| !gone(key));
        if self.pending.as_ref().is_some_and(&gone) {
            self.pending = None;
        }
    }
}

/// A run that was opened from its folder.
pub struct Opened {
    /// Its number.
    pub id: u64,
    /// Its record.
    pub record: Arc<Record>,
}

/// The evaluation of the model of an epoch of a run on a part of its data, going on.
pub struct Evaluating {
    /// The run.
    pub run: u64,
    /// The part.
    pub part: Part,
    /// The epoch, `None` for that of the best model.
    pub epoch: Option<usize>,
    /// How far it is.
    pub progress: Arc<Progress>,
}

/// What came out of it.
pub struct Evaluated {
    /// The epoch of the model, if that is known.
    pub epoch: Option<usize>,
    /// Labels and probabilities.
    pub predictions: Arc<Predictions>,
    /// Whether they are in the run's folder now, or why not.
    pub kept: Result<(), String>,
}

/// What the Confusion panel works with.
#[derive(Default)]
pub struct Reviewed {
    /// The record of this session's run as far as it is on disk, or why it cannot be read.
    pub session: Ready<Record>,
    /// The runs that were opened, in this order.
    pub opened: Vec<Opened>,
    /// How many were, so that numbers are not given twice.
    pub count: u64,
    /// The folder that is being opened.
    pub opening: Option<PathBuf>,
    /// The run that was opened last and has not been shown yet.
    pub show: Option<u64>,
    /// Run folders that were found where runs are kept, the newest first.
    pub found: Vec<PathBuf>,
    /// Labels and probabilities.
    pub predictions: Shelf<Key, Predictions>,
    /// What is read off them.
    pub analyses: Shelf<Key, Analysis>,
    /// What became of each validation image.
    pub learning: Shelf<(u64, usize), Vec<Learning>>,
    /// Comparisons.
    pub comparisons: Shelf<(Key, Key), Comparison>,
    /// A model of a run is being evaluated.
    pub evaluating: Option<Evaluating>,
    /// Temperatures that are stored with the models of runs.
    pub calibrations: Vec<(u64, Calibration)>,
}

impl Reviewed {
    /// The record of a run.
    #[must_use]
    pub fn record(&self, run: u64) -> Option<&Arc<Record>> {
        if run == SESSION {
            return self.session.as_ref()?.as_ref().ok();
        }
        self.opened.iter().find(|opened| opened.id == run).map(|opened| &opened.record)
    }

    /// The same, to learn more of it.
    pub fn record_mut(&mut self, run: u64) -> Option<&mut Arc<Record>> {
        if run == SESSION {
            return self.session.as_mut()?.as_mut().ok();
        }
        self.opened.iter_mut().find(|opened| opened.id == run).map(|opened| &mut opened.record)
    }

    /// Whether the data set that is open is, as far as anybody can tell, the one of a run.
    #[must_use]
    pub fn is_data_of(&self, run: u64, data: &Data) -> bool {
        let Some(record) = self.record(run) else { return false };
        let drawn = DataKey::of(&record.config).synthetic;
        record.difference(&data.set).is_none() && (drawn.is_none() || data.key.synthetic == drawn)
    }

    /// The temperature that is stored with a run's model, if one is.
    #[must_use]
    pub fn calibration(&self, run: u64) -> Option<&Calibration> {
        self.calibrations.iter().find(|(of, _)| *of == run).map(|(_, calibration)| calibration)
    }

    /// Forgets what could not be had: more is on disk now, or another data set is open.
    pub fn forget_failures(&mut self) {
        self.predictions.forget_failures();
        self.analyses.forget_failures();
        self.learning.forget_failures();
        self.comparisons.forget_failures();
    }

    /// Forgets everything that was worked out of a run.
    pub fn forget(&mut self, run: u64) {
        self.predictions.forget(|key| key.run == run);
        self.analyses.forget(|key| key.run == run);
        self.learning.forget(|(of, _)| *of == run);
        self.comparisons.forget(|(a, b)| a.run == run || b.run == run);
        self.calibrations.retain(|(of, _)| *of != run);
        if self.evaluating.as_ref().is_some_and(|evaluating| evaluating.run == run) {
            self.stop_evaluating();
        }
    }

    /// Ends the evaluation that goes on.
    pub fn stop_evaluating(&mut self) {
        if let Some(evaluating) = self.evaluating.take() {
            evaluating.progress.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Makes the bytes of a file that is exported.
pub type Make = Box<dyn FnOnce() -> Result<Vec<u8>, String> + Send>;

/// A change of what the Confusion panel works with.
pub enum Change {
    /// Opens a run folder and brings it to the front.
    Open(PathBuf),
    /// Opens a run folder where it was left.
    Restore(PathBuf),
    /// Asks for a run folder with the system's dialog.
    Browse,
    /// Looks for run folders where runs are kept.
    List,
    /// Puts an opened run away.
    Close(u64),
    /// The last opened run is shown now.
    Seen,
    /// Works something out.
    Want(Wanted),
    /// Evaluates the model of an epoch of a run (`None`: the best one) on a part of its data.
    Evaluate(u64, Part, Option<usize>),
    /// Ends that early; nothing of it is kept.
    StopEvaluating,
    /// Opens the data set of a run.
    OpenData(u64),
    /// Stores the temperature that fits these predictions with the run's model.
    StoreTemperature(Key),
    /// Writes a file.
    Save(PathBuf, Make),
}

/// What a task answers.
pub enum Answer {
    /// A run folder was chosen (or the dialog was closed).
    Chosen(Option<PathBuf>),
    /// Run folders.
    Found(Vec<PathBuf>),
    /// A run was read.
    Opened(Result<Box<Record>, String>),
    /// This session's run was read again.
    Session(Result<Box<Record>, String>),
    /// Labels and probabilities.
    Predictions(Key, Result<Arc<Predictions>, String>),
    /// A model of a run was evaluated on a part, or that was ended early (`None`).
    Evaluated(u64, Part, Result<Option<Evaluated>, String>),
    /// What is read off them, and the temperature that is stored with the run's model.
    Analysis(Key, Result<Arc<Analysis>, String>),
    /// What became of each validation image.
    Learning((u64, usize), Result<Arc<Vec<Learning>>, String>),
    /// A comparison.
    Comparison((Key, Key), Result<Arc<Comparison>, String>),
    /// A temperature was stored.
    Stored(u64, Result<Calibration, String>),
    /// A file was written.
    Saved(PathBuf, Result<(), String>),
}
