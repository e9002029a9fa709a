//! The part of the state that the Search panel works with, and the slow work behind it. Errors are in words for the user.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::shared::Opened;
use crate::data::Dataset;
use crate::search::{
    self, Budget, Event, HEARTBEAT, Handle, Kept, Objective, OnRestart, Plan, PrunerKind, Sampler, SearchEnded, Space, Storage,
    StudyRecord, TrialEpoch, TrialStarted, journal_of,
};
use crate::train::{Command, Config};

/// What the Search panel works with.
#[derive(Default)]
pub struct Searched {
    /// The journals where searches are kept, once they were read, or why they cannot be.
    pub journals: Option<Result<Arc<Journals>, String>>,
    /// Counts up whenever the journals or the study that is shown change, so that what is made from them can tell.
    pub changes: u64,
    /// Whether they are being read.
    pub reading: bool,
    /// Whether they may have changed since that began.
    pub again: bool,
    /// The study that is shown; `None` while a new one is set up.
    pub shown: Option<Place>,
    /// The trial whose details are shown.
    pub focus: Option<usize>,
    /// Whether a search is being set up.
    pub starting: bool,
    /// The search of this window, while it goes on.
    pub going: Option<Going>,
    /// Databases whose studies are shown, beside the journals.
    pub opened: Opened,
}

/// Where a study is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is kept in.
    pub storage: Storage,
    /// The study's name.
    pub study: String,
}

impl Place {
    /// A path that the study names, from where its runs are kept.
    #[must_use]
    pub fn resolve(&self, run: &Path) -> PathBuf {
        self.storage.home().join(run)
    }
}

/// A search that goes on in this window.
pub struct Going {
    /// Its study.
    pub place: Place,
    /// The trial that trains.
    pub trial: Option<TrialStarted>,
    /// Its last epoch.
    pub epoch: Option<TrialEpoch>,
    /// Whether it holds (or will, after this batch).
    pub paused: bool,
    /// Whether it was asked to stop.
    pub stopping: bool,
}

/// What was read of journals and databases.
pub type Journals = BTreeMap<Storage, JournalRead>;

/// A journal or a database as it was read.
#[derive(Clone, Debug)]
pub struct JournalRead {
    /// Length and time of the file, or the count of changes of a database: it is read again only if they differ.
    pub(super) stamp: (u64, Option<SystemTime>),
    /// Its studies, or why it cannot be read.
    pub studies: Result<Vec<Arc<StudyRecord>>, String>,
    /// Trials that a process left unfinished that is gone, by study.
    pub(super) left: BTreeMap<String, Vec<usize>>,
    /// Trials of a database whose run is in a folder that this machine sees, by study.
    pub(super) here: BTreeMap<String, BTreeSet<usize>>,
    /// The studies that cannot be read, where the others can.
    pub(super) damaged: Vec<String>,
}

impl JournalRead {
    /// Whether it is of the same state, with the same processes at work.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let facts = |read: &Self| (read.stamp, read.studies.as_ref().err().cloned());
        facts(self) == facts(other) && (&self.left, &self.here, &self.damaged) == (&other.left, &other.here, &other.damaged)
    }
}

impl Searched {
    /// What was read, journals first.
    fn read(&self) -> impl Iterator<Item = (&Storage, &JournalRead)> {
        let journals = self.journals.iter().flatten().flat_map(|journals| journals.iter());
        journals.chain(self.opened.read.iter())
    }

    /// All studies that can be read, with their places.
    pub fn studies(&self) -> impl Iterator<Item = (Place, &Arc<StudyRecord>)> {
        self.read().flat_map(|(storage, read)| {
            let place = |study: &StudyRecord| Place { storage: storage.clone(), study: study.name.clone() };
            read.studies.iter().flatten().map(move |study| (place(study), study))
        })
    }

    /// The journals and databases that cannot be read, and why.
    pub fn damaged(&self) -> impl Iterator<Item = (&Storage, &str)> {
        let away = self.opened.away.iter().map(|(storage, problem)| (storage, problem.as_str()));
        let damaged = self.read().flat_map(|(storage, read)| {
            let problems = read.studies.as_ref().err().into_iter().chain(&read.damaged);
            problems.map(move |problem| (storage, problem.as_str()))
        });
        damaged.chain(away)
    }

    /// The study that is shown.
    #[must_use]
    pub fn study(&self) -> Option<&Arc<StudyRecord>> {
        let place = self.shown.as_ref()?;
        self.read_of(place)?.studies.as_ref().ok()?.iter().find(|study| study.name == place.study)
    }

    /// Whether a trial of the study that is shown was left unfinished, and nobody trains it.
    #[must_use]
    pub fn is_interrupted(&self, trial: usize) -> bool {
        let place = self.shown.as_ref();
        let left = place.and_then(|place| self.read_of(place)?.left.get(&place.study));
        left.is_some_and(|left| left.contains(&trial))
    }

    /// Whether the run of a trial of a database is in a folder that this machine sees, as of the last look.
    #[must_use]
    pub fn is_here(&self, place: &Place, trial: usize) -> bool {
        self.read_of(place).and_then(|read| read.here.get(&place.study)).is_some_and(|here| here.contains(&trial))
    }

    fn read_of(&self, place: &Place) -> Option<&JournalRead> {
        let journal = || self.journals.as_ref()?.as_ref().ok()?.get(&place.storage);
        self.opened.read.get(&place.storage).or_else(journal)
    }

    /// The search of this window if it is that of the study that is shown.
    #[must_use]
    pub fn going_here(&self) -> Option<&Going> {
        self.going.as_ref().filter(|going| Some(&going.place) == self.shown.as_ref())
    }
}

/// What a search shall be, as the form has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Form {
    /// The name of a new study.
    pub study: String,
    /// What a new study searches: the text of a space, TOML or JSON.
    pub space: String,
    /// What a new study optimises.
    pub objective: Objective,
    /// The most epochs of a trial of a new study.
    pub epochs: usize,
    /// Trials of the study in all; `None` for no such limit.
    pub trials: Option<usize>,
    /// Hours after which no new trial starts; `None` for no such limit.
    pub hours: Option<f64>,
    /// How values are chosen.
    pub sampler: Sampler,
    /// Which trials are stopped early.
    pub pruner: PrunerKind,
    /// Epochs before a trial may be stopped early.
    pub least_epochs: usize,
    /// What becomes of trials whose process was killed.
    pub on_restart: OnRestart,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            study: "galaxies".into(),
            space: Space::default().to_toml(),
            objective: Objective::default(),
            epochs: 20,
            trials: Some(30),
            hours: None,
            sampler: Sampler::default(),
            pruner: PrunerKind::default(),
            least_epochs: 5,
            on_restart: OnRestart::default(),
        }
    }
}

impl Form {
    /// A new study in `folder`, whose trials have `base` in common.
    ///
    /// # Errors
    /// If the form names no study, one that is there already, or no usable space.
    pub fn new_plan(&self, folder: &Path, base: &Config) -> Result<Plan, String> {
        let study = self.study.trim();
        if study.is_empty() {
            return Err("Give the study a name.".into());
        }
        let journal = journal_of(folder, study);
        if journal.exists() {
            return Err(format!(
                "There is a study in {} already: choose it above to go on with it, or give another name.",
                journal.display()
            ));
        }
        self.begun(Storage::Journal(journal), study.to_owned(), base)
    }

    /// The first trials of this program in a study, with what the form has.
    fn begun(&self, storage: Storage, study: String, base: &Config) -> Result<Plan, String> {
        let space = Space::parse(&self.space).map_err(|error| error.to_string())?;
        // a thousand trials need not keep ten models each
        let base = Config { epochs: self.epochs, snapshots: 0, best_by: self.objective.best_by(), ..base.clone() };
        if let Some(fault) = base.errors().into_iter().find(|error| space.parameters().iter().all(|p| p.name != error.field)) {
            return Err(format!("Correct this on the Train panel first: {fault}"));
        }
        space.check(&base).map_err(|error| error.to_string())?;
        Ok(self.plan(storage, study, (space, base, self.objective)))
    }

    /// A study that is there already, further: with what it says of itself, or, if another program began it, with what the form has and
    /// trials that have `base` in common.
    ///
    /// # Errors
    /// If the study is of a newer version of this program, or the form has no usable space.
    pub fn old_plan(&self, place: &Place, study: &StudyRecord, base: &Config) -> Result<Plan, String> {
        match Kept::of(study) {
            Ok(Some(kept)) => Ok(self.plan(place.storage.clone(), place.study.clone(), (kept.space, kept.base, kept.objective))),
            Ok(None) => self.begun(place.storage.clone(), place.study.clone(), base),
            Err(error) => Err(error.to_string()),
        }
    }

    fn plan(&self, storage: Storage, study: String, (space, base, objective): (Space, Config, Objective)) -> Plan {
        let time = self.hours.and_then(|hours| Duration::try_from_secs_f64(hours * 3600.0).ok());
        Plan {
            storage,
            study,
            space,
            objective,
            sampler: self.sampler,
            pruner: self.pruner.pruner(self.least_epochs, base.epochs),
            base,
            budget: Budget { trials: self.trials, time },
            on_restart: self.on_restart,
            heartbeat: HEARTBEAT,
            wait: search::WAIT,
        }
    }
}

/// A change of what the panel works with.
pub enum Change {
    /// Reads the journals again, those that changed.
    Refresh,
    /// Shows the studies at the address of a database too.
    OpenAddress(String),
    /// Shows them no more.
    CloseAddress(Storage),
    /// Shows a study, or the form of a new one.
    Show(Option<Place>),
    /// Shows the details of a trial.
    Focus(Option<usize>),
    /// Starts a new study, or goes on with the one that is shown.
    Start(Box<Form>),
    /// Pauses the search, lets it go on, or stops it.
    Command(Command),
    /// Looks back on the run of a trial in the Confusion panel.
    LookBack(PathBuf),
    /// Classifies with the best model of a trial's run.
    UseModel(PathBuf),
    /// Takes the values of a trial's run into the form of the Train panel.
    UseValues(PathBuf),
    /// Trains with the values of a trial's run for so many epochs.
    TrainLonger(PathBuf, usize),
    /// What the search of this window tells.
    Event(Event),
}

/// What a task answers.
pub enum Answer {
    /// The journals.
    Read(Result<Journals, String>),
    /// What the opened databases hold.
    Opened(Result<Journals, String>),
    /// A search that is on its way.
    Started(Result<Started, String>),
    /// The configuration of a run, to be taken into the form; if it is to be trained, for so many epochs.
    Values(Result<Box<Config>, String>, Option<usize>),
}

/// A search that is on its way.
pub struct Started {
    /// The search.
    pub handle: Handle,
    /// Its study.
    pub place: Place,
    /// What was left out of its space, in words, if anything.
    pub left_out: Option<String>,
}

/// Reads the journals in `folder` that changed since they were `known`.
pub fn read(folder: &Path, known: &Journals) -> Result<Journals, String> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Journals::new()),
        Err(error) => return Err(format!("{}: {error}", folder.display())),
    };
    let mut journals = Journals::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(facts) = entry.metadata() else { continue };
        if !facts.is_file() || path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        let stamp = (facts.len(), facts.modified().ok());
        let storage = Storage::Journal(path.clone());
        let mut read = match known.get(&storage) {
            Some(known) if known.stamp == stamp => known.clone(),
            _ => JournalRead { stamp, studies: studies(&path), left: BTreeMap::new(), here: BTreeMap::new(), damaged: Vec::new() },
        };
        // a process that dies leaves no line in the journal
        let left = |study: &Arc<StudyRecord>| (study.name.clone(), search::interrupted(&path, study));
        read.left = read.studies.iter().flatten().map(left).collect();
        journals.insert(storage, read);
    }
    Ok(journals)
}

fn studies(path: &Path) -> Result<Vec<Arc<StudyRecord>>, String> {
    search::read(path).map(|studies| studies.into_iter().map(Arc::new).collect()).map_err(|error| error.to_string())
}

/// Whether two readings are of the same files in the same state, with the same processes at work.
pub fn are_same(a: &Journals, b: &Journals) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|((p, a), (q, b))| p == q && a.is_same(b))
}

/// Starts a search, on `open` if those are its data, else on data that are read first.
pub fn start(mut plan: Plan, open: Option<Arc<Dataset>>, waker: Waker) -> Result<Started, String> {
    let place = Place { storage: plan.storage.clone(), study: plan.study.clone() };
    let folder = plan.storage.home();
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let dataset = match open {
        Some(dataset) => dataset,
        None => Arc::new(plan.data().map_err(|error| error.to_string())?),
    };
    let left_out = plan.fit(&dataset).map_err(|error| error.to_string())?;
    Ok(Started { handle: search::spawn(plan, dataset, Some(waker)), place, left_out })
}

/// How a search that ended is told.
pub fn told(study: &str, ended: &SearchEnded) -> String {
    format!("The search “{study}” ended: {}", ended.message)
}
