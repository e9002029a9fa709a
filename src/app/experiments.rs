//! The part of the state that the Experiments panel works with, and the slow work behind it. Errors are in words for the user.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::mirror::Mirror;
use super::models;
use crate::files;
use crate::track::mlflow::Target;
use crate::track::{self, About, EpochValues, Index, Listing, Models, Registry, RunFacts, RunState, Trash, Trashed};
use crate::train::{Config, RunFolder};

/// The most runs whose curves are drawn at once.
pub const MOST_COMPARED: usize = 12;

/// The epochs of runs, by folder.
pub type Curves = HashMap<String, Arc<Vec<EpochValues>>>;

/// What the list calls the folder of searches.
const SEARCHES: &str = "searches/";

/// Where what is listed lies.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The runs.
    pub runs: PathBuf,
    /// The searches, with the runs of their trials.
    pub searches: PathBuf,
}

impl Folders {
    /// The folder of a run or a trial by its name in the list.
    #[must_use]
    pub fn of(&self, name: &str) -> PathBuf {
        trial(name).map_or_else(|| self.runs.join(name), |trial| self.searches.join(trial))
    }
}

/// Where a trial lies below the searches, by its name in the list; `None` for a run. Runs lie at most two folders deep, so none of them
/// is called like a trial.
fn trial(name: &str) -> Option<&str> {
    name.strip_prefix(SEARCHES).filter(|trial| trial.contains('/'))
}

/// Whether the list means a trial of a search by this name.
#[must_use]
pub fn is_trial(name: &str) -> bool {
    trial(name).is_some()
}

/// What the Experiments panel works with.
#[derive(Default)]
pub struct Experiments {
    /// Whether the trials of searches are listed too.
    pub trials: bool,
    /// The runs where runs are kept, once they were listed, or why they cannot be.
    pub listing: Option<Result<Arc<Listing>, String>>,
    /// Counts up whenever the listing changes, so that what is made from it can tell.
    pub changes: u64,
    /// Whether they are being listed.
    pub reading: bool,
    /// How long that took the last time.
    pub took: Duration,
    /// Folders of the runs that are set side by side, in the order they were chosen.
    pub compared: Vec<String>,
    /// Their epochs.
    pub curves: Curves,
    /// The run whose details are shown.
    pub focus: Option<String>,
    /// The registered models, as they were listed last.
    pub models: Models,
    /// The model card that is shown.
    pub card: Option<models::Card>,
    /// The mirror in MLflow.
    pub mirror: Mirror,
    /// What is in the trash, once it was looked at.
    pub trash: Option<Vec<Trashed>>,
    /// What is still to be done to run folders, one after the other in the order it was asked for.
    pub jobs: VecDeque<Job>,
    /// Whether one of them is being done; meanwhile the runs are not listed, because the list would be old at once.
    pub working: bool,
}

/// Something that is done to run folders; what is told of it.
pub type Job = Box<dyn FnOnce() -> Result<String, String> + Send>;

impl Experiments {
    /// The runs, if they are listed.
    #[must_use]
    pub fn runs(&self) -> &[RunFacts] {
        match &self.listing {
            Some(Ok(listing)) => &listing.runs,
            _ => &[],
        }
    }

    /// A run by its folder.
    #[must_use]
    pub fn run(&self, folder: &str) -> Option<&RunFacts> {
        self.runs().iter().find(|run| run.folder == folder)
    }

    /// The run that was started last, if its process went away in the middle of it.
    #[must_use]
    pub fn interrupted(&self) -> Option<&RunFacts> {
        let last = self.runs().iter().filter(|run| !is_trial(&run.folder)).max_by_key(|run| run.started)?;
        (last.state == RunState::Interrupted).then_some(last)
    }

    /// Takes what a user says about a run at once; the folder has it in a moment.
    pub fn describe(&mut self, folder: &str, about: &About) {
        let Some(Ok(listing)) = &mut self.listing else { return };
        if let Some(run) = Arc::make_mut(listing).runs.iter_mut().find(|run| run.folder == folder) {
            run.about = about.clone();
            self.changes += 1;
        }
    }

    /// The runs that are set side by side.
    pub fn compared(&self) -> impl Iterator<Item = &RunFacts> {
        self.compared.iter().filter_map(|folder| self.run(folder))
    }
}

/// Whether a part of a run is left to be trained by itself, or why not, in words for the user.
///
/// # Errors
/// If nothing is left, a process works on it, or it is a trial of a search.
pub fn may_go_on(run: &RunFacts) -> Result<(), &'static str> {
    if is_trial(&run.folder) {
        return Err("It goes on with its search.");
    }
    run.state.may_go_on()?;
    let nothing = run.state == RunState::Failed && run.epochs == 0;
    if nothing { Err("It failed before its first epoch; train a new run with its values.") } else { Ok(()) }
}

/// A change of what the panel works with.
pub enum Change {
    /// Lists the runs again.
    Refresh,
    /// Lists the trials of searches too, or no more.
    Trials(bool),
    /// Sets a run beside the others, or takes it away.
    Compare(String, bool),
    /// Sets exactly these runs side by side.
    CompareOnly(Vec<String>),
    /// Shows the details of a run, or of none.
    Focus(Option<String>),
    /// Says something about a run.
    Describe(String, About),
    /// Moves runs to the trash.
    Delete(Vec<String>),
    /// Moves runs back out of it.
    Restore(Vec<Trashed>),
    /// Removes for good what is in it.
    EmptyTrash,
    /// Asks for a run that was exported as one file.
    BrowseImport,
    /// Unpacks it.
    Import(PathBuf),
    /// Asks where a run shall be written as one file.
    BrowseExport(String),
    /// Writes it.
    Export(String, PathBuf),
    /// Writes a table of runs.
    SaveTable(PathBuf, String),
    /// Takes a run's configuration into the form.
    UseConfig(String),
    /// Goes on with a run that did not come to its end.
    GoOn(String),
    /// Opens a run in the Confusion panel.
    LookBack(String),
    /// Classifies with a run's best model.
    UseModel(String),
    /// A change of the registry of models.
    Models(models::Change),
    /// Mirrors runs and models in MLflow, or nowhere any more.
    Mirror(Option<Target>),
}

/// What a task answers.
pub enum Answer {
    /// The runs, the epochs of those that are compared, and the trash.
    Listed(Result<Box<Listed>, String>),
    /// A file was chosen to be unpacked (or the dialog was closed).
    ImportChosen(Option<PathBuf>),
    /// A place was chosen for a run (or the dialog was closed).
    ExportChosen(String, Option<PathBuf>),
    /// Something was done to runs; what is told of it.
    Done(Result<String, String>),
    /// Runs are in the trash; those that could not be moved are told.
    Deleted(Vec<Trashed>, Result<(), String>),
    /// Dropped runs were unpacked into these folders.
    Unpacked(Result<Vec<PathBuf>, String>),
    /// The card of a registered model.
    Card(Result<models::Card, String>),
    /// A place was chosen for it (or the dialog was closed).
    CardPlaceChosen(Option<PathBuf>),
    /// A run's configuration.
    Config(String, Result<Box<Config>, String>),
}

/// How long the runs in sight are left before they are listed again, so that those of other processes appear as they train: two
/// seconds, and longer (half a minute at most) where so many are listed that it would take more than a hundredth of a processor from a
/// training.
#[must_use]
pub fn listing_pause(took: Duration) -> Duration {
    (100 * took).clamp(Duration::from_secs(2), Duration::from_secs(30))
}

/// The runs of a folder.
pub struct Listed {
    /// The runs.
    pub listing: Listing,
    /// The epochs of those that are compared.
    pub curves: Curves,
    /// The registered models.
    pub models: Models,
    /// What is in the trash.
    pub trash: Vec<Trashed>,
    /// How long it took to find out.
    pub took: Duration,
}

fn said(error: impl Into<track::TrackError>) -> String {
    error.into().to_string()
}

/// Lists the runs, and if they are wanted the trials of searches, with the epochs of `compared`.
pub fn list(folders: &Folders, with_trials: bool, compared: &[String]) -> Result<Box<Listed>, String> {
    let start = Instant::now();
    let mut index = Index::open(&folders.runs).map_err(said)?;
    let mut listing = index.list().map_err(said)?;
    let mut trials = if with_trials { Some(Index::open(&folders.searches).map_err(said)?) } else { None };
    if let Some(trials) = &mut trials {
        add_trials(&mut listing, trials.list().map_err(said)?);
    }
    let curve = |name: &String| {
        let epochs = match (trial(name), &trials) {
            (None, _) => index.curve(name).map_err(said)?,
            (Some(trial), Some(trials)) => trials.curve(trial).map_err(said)?,
            (Some(_), None) => Vec::new(),
        };
        Ok((name.clone(), Arc::new(epochs)))
    };
    let curves = compared.iter().map(curve).collect::<Result<_, String>>()?;
    let trash = Trash::of(&folders.runs).list().map_err(said)?;
    // what is wrong with the registry is no reason to hide the runs
    let models = Registry::of(&folders.runs).list().unwrap_or_else(|error| Models { damaged: vec![said(error)], ..Models::default() });
    Ok(Box::new(Listed { listing, curves, models, trash, took: start.elapsed() }))
}

/// Puts the trials of searches among the runs.
fn add_trials(listing: &mut Listing, trials: Listing) {
    let name = |folder: &str| format!("{SEARCHES}{folder}");
    // what lies beside the studies is of none
    let of_a_study = |folder: &str| folder.contains('/');
    for mut run in trials.runs.into_iter().filter(|run| of_a_study(&run.folder)) {
        run.folder = name(&run.folder);
        listing.runs.push(run);
    }
    listing.runs.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.folder.cmp(&b.folder)));
    let damaged = trials.damaged.into_iter().filter(|(folder, _)| of_a_study(folder));
    listing.damaged.extend(damaged.map(|(folder, problem)| (name(&folder), problem)));
    let warnings: Vec<String> = listing.warning.take().into_iter().chain(trials.warning).collect();
    listing.warning = (!warnings.is_empty()).then(|| warnings.join(" "));
}

/// Keeps what a user says about a run.
pub fn describe(folder: &Path, about: &About) -> Result<String, String> {
    about.write(folder).map(|()| String::new()).map_err(said)
}

/// Moves runs to the trash, as many as can be moved.
pub fn delete(runs: &Path, names: &[String]) -> (Vec<Trashed>, Result<(), String>) {
    let trash = Trash::of(runs);
    let mut moved = Vec::new();
    for name in names {
        match trash.put(name) {
            Ok(trashed) => moved.push(trashed),
            Err(error) => return (moved, Err(format!("{name} was not deleted. {error}"))),
        }
    }
    (moved, Ok(()))
}

/// Moves runs back out of the trash, as many as can be moved.
pub fn restore(runs: &Path, trashed: &[Trashed]) -> Result<String, String> {
    let trash = Trash::of(runs);
    let (mut names, mut problems) = (Vec::new(), Vec::new());
    for trashed in trashed {
        match trash.restore(trashed) {
            Ok(name) => names.push(name),
            Err(error) => problems.push(said(error)),
        }
    }
    let back = format!("Back from the trash: {}", names.join(", "));
    if problems.is_empty() {
        return Ok(back);
    }
    Err(if names.is_empty() { problems.join("\n") } else { format!("{back}\n{}", problems.join("\n")) })
}

/// Removes for good what is in the trash.
pub fn empty_trash(runs: &Path) -> Result<String, String> {
    Trash::of(runs).empty().map(|freed| format!("The trash is empty; {} are free.", files::bytes(freed))).map_err(said)
}

/// Unpacks a run into the folder where runs are kept.
pub fn import(capsule: &Path, runs: &Path) -> Result<String, String> {
    track::import(capsule, runs).map(|folder| format!("The run is in {} now.", folder.display())).map_err(said)
}

/// Unpacks runs, and gives their folders.
pub fn import_all(capsules: &[PathBuf], runs: &Path) -> Result<Vec<PathBuf>, String> {
    capsules.iter().map(|capsule| track::import(capsule, runs).map_err(said)).collect()
}

/// Writes a run as one file.
pub fn export(run: &Path, out: &Path) -> Result<String, String> {
    track::export(run, out).map(|()| format!("Saved {}", out.display())).map_err(said)
}

/// Reads a run's configuration.
pub fn config(run: &Path) -> Result<Box<Config>, String> {
    RunFolder::open(run).and_then(|folder| folder.config()).map(Box::new).map_err(|error| error.to_string())
}
