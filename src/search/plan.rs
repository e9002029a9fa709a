//! What a search is asked to do, and the folders it uses.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Objective, Pruner, Sampler, SearchError, Space, Storage, StudyRecord, storage, worker};
use crate::data::{self, DataError, Dataset, Part};
use crate::train::Config;

/// Notes of a study that say what it searches.
const SPACE: &str = "tuning_fork:space";
const CONFIG: &str = "tuning_fork:config";
const OBJECTIVE: &str = "tuning_fork:objective";
/// Notes that say how it is searched; whoever goes on with the study may change them.
const SAMPLER: &str = "tuning_fork:sampler";
const PRUNER: &str = "tuning_fork:pruner";
const BUDGET: &str = "tuning_fork:budget";
/// The note of a study in a database that says which folder its runs are in.
const FOLDER: &str = "tuning_fork:folder";

/// Seconds between two signs of life, as Optuna's documentation has its `heartbeat_interval`.
pub const HEARTBEAT: Duration = Duration::from_mins(1);

/// What becomes of trials whose process was killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRestart {
    /// They go on from their last checkpoint.
    #[default]
    Resume,
    /// They count as failed.
    Fail,
}

/// When a search is over.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// So many trials of the study in all, those of other processes and of earlier starts included.
    pub trials: Option<usize>,
    /// After so long no new trial starts; the one that runs then is trained to its end.
    pub time: Option<Duration>,
}

/// A search.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the study is kept in.
    pub storage: Storage,
    /// The study's name.
    pub study: String,
    /// What is searched.
    pub space: Space,
    /// What all trials have in common. Its epochs are the most of a trial; its seed is also that of the sampler.
    pub base: Config,
    /// What is optimised.
    pub objective: Objective,
    /// How values are chosen.
    pub sampler: Sampler,
    /// Which trials are stopped early.
    pub pruner: Pruner,
    /// When it is over.
    pub budget: Budget,
    /// What becomes of trials whose process was killed.
    pub on_restart: OnRestart,
    /// Between two signs of life of a process that trains; one that is silent for twice as long counts as gone.
    pub heartbeat: Duration,
    /// A storage that is away when the search begins is waited for so long.
    pub wait: Duration,
}

/// What a study says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// What it searches.
    pub space: Space,
    /// What all its trials have in common.
    pub base: Config,
    /// What it optimises.
    pub objective: Objective,
    /// How its values are chosen, if it says so.
    pub sampler: Option<Sampler>,
    /// Which of its trials are stopped early, if it says so.
    pub pruner: Option<Pruner>,
    /// When it is over, if it says so.
    pub budget: Option<Budget>,
}

impl Kept {
    /// What the study says of itself; `None` of a study that another program began.
    ///
    /// # Errors
    /// If it is of a newer version of this program.
    pub fn of(study: &StudyRecord) -> Result<Option<Self>, SearchError> {
        let notes = &study.user_attrs;
        let (Some(space), Some(config), Some(objective)) = (notes.get(SPACE), notes.get(CONFIG), notes.get(OBJECTIVE)) else {
            return Ok(None);
        };
        let newer = |what: &str| SearchError::other_study(&study.name, format!("has a {what} that this version does not understand"));
        let texts = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
        Ok(Some(Self {
            space: Space::parse(&texts(space))?,
            base: serde_json::from_str(&texts(config)).map_err(|_| newer("configuration"))?,
            objective: serde_json::from_value(objective.clone()).map_err(|_| newer("objective"))?,
            // what a newer version chooses by is no matter of what was searched
            sampler: notes.get(SAMPLER).and_then(|note| serde_json::from_value(note.clone()).ok()),
            pruner: notes.get(PRUNER).and_then(|note| serde_json::from_value(note.clone()).ok()),
            budget: notes.get(BUDGET).map(Budget::of),
        }))
    }

    /// The study `name` in a storage and what it says of itself, if both are there.
    ///
    /// # Errors
    /// If the storage cannot be read, or the study is of a newer version.
    pub fn find(storage: &Storage, name: &str) -> Result<Option<Self>, SearchError> {
        if matches!(storage, Storage::Journal(path) if !path.exists()) {
            return Ok(None);
        }
        let studies = storage::studies(storage, name)?;
        studies.iter().find(|study| study.name == name).map_or(Ok(None), Self::of)
    }
}

impl Budget {
    /// As a study notes it.
    fn note(self) -> Value {
        let hours = self.time.map(|time| (time.as_secs_f64() / 3600.0 * 1e6).round() / 1e6);
        json!({ "trials": self.trials, "hours": hours })
    }

    fn of(note: &Value) -> Self {
        let time = note["hours"].as_f64().and_then(|hours| Duration::try_from_secs_f64(hours * 3600.0).ok());
        Self { trials: note["trials"].as_u64().map(|trials| trials as usize), time }
    }
}

/// Where the journal of a study of this name is kept, in the folder of searches.
#[must_use]
pub fn journal_of(folder: &Path, study: &str) -> PathBuf {
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    let name: String = study.chars().map(safe).collect();
    folder.join(format!("{name}.log"))
}

impl Plan {
    /// The configuration that the data of all trials are loaded by: drawn galaxies have the largest size that is searched.
    #[must_use]
    pub fn data_config(&self) -> Config {
        let size = self.space.largest("size").map_or(self.base.size, |size| size as usize);
        Config { size, ..self.base.clone() }
    }

    /// The data of all trials.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn data(&self) -> Result<Dataset, DataError> {
        let config = self.data_config();
        data::load(&config.data, config.synthetic_images, config.size, config.seed)
    }

    /// Leaves out of a new study's space what no run on these data takes: batches of more images than train. What was left out in words,
    /// if anything.
    ///
    /// # Errors
    /// If nothing is left of it, or the journal cannot be read.
    pub fn fit(&mut self, dataset: &Dataset) -> Result<Option<String>, SearchError> {
        // a study that is there searches what it did; data that cannot be split say so when they are trained on
        let (None, Ok(split)) = (Kept::find(&self.storage, &self.study)?, dataset.split(self.base.split_seed)) else { return Ok(None) };
        let (space, words) = self.space.without_larger_batches(split.part(Part::Train).len())?;
        self.space = space;
        Ok(words)
    }

    /// What a new study notes of itself: texts, as the dashboard shows them best.
    pub(super) fn notes(&self) -> Map<String, Value> {
        let config = serde_json::to_string(&self.base).unwrap_or_default();
        let notes = json!({
            SPACE: self.space.to_json().to_string(), CONFIG: config, OBJECTIVE: self.objective,
            SAMPLER: self.sampler, PRUNER: self.pruner, BUDGET: self.budget.note(),
        });
        let mut notes = if let Value::Object(notes) = notes { notes } else { Map::new() };
        if matches!(self.storage, Storage::Database { .. }) {
            // two databases may have studies of one name, whose runs must not meet in one folder
            let unlike: String = worker::unique_name().chars().take(8).collect();
            notes.insert(FOLDER.into(), format!("{}-{unlike}", folder_name(&self.study)).into());
        }
        notes
    }

    /// The notes that a study lacks, or that say how it is searched otherwise than this plan.
    pub(super) fn missing_notes(&self, study: &StudyRecord) -> Map<String, Value> {
        let missing = |key: &String, value: &Value| match study.user_attrs.get(key) {
            None => true,
            Some(noted) => noted != value && [SAMPLER, PRUNER, BUDGET].contains(&key.as_str()),
        };
        self.notes().into_iter().filter(|(key, value)| missing(key, value)).collect()
    }

    /// Fails if the study is one of another space, objective or base configuration (where it runs may differ).
    pub(super) fn check_same(&self, study: &StudyRecord) -> Result<(), SearchError> {
        let other = |difference: String| Err(SearchError::other_study(&study.name, difference));
        for parameter in self.space.parameters() {
            let earlier = study.trials.iter().find_map(|trial| trial.params.get(&parameter.name));
            if earlier.is_some_and(|earlier| !earlier.distribution.is_compatible(&parameter.distribution)) {
                return other(format!("has other choices, or another scale, of {}", parameter.name));
            }
        }
        let Some(kept) = Kept::of(study)? else { return Ok(()) };
        if kept.space != self.space {
            return other("searches another space".into());
        }
        if kept.objective != self.objective {
            return other(format!("optimises {}", kept.objective.name()));
        }
        let same_place = Config { data: self.base.data.clone(), threads: self.base.threads, device: self.base.device, ..kept.base };
        if same_place != self.base {
            return other("has another base configuration".into());
        }
        Ok(())
    }

    /// The folder of the study's runs, from the home of the storage.
    pub(super) fn runs(&self, study: &StudyRecord) -> String {
        match &self.storage {
            Storage::Journal(path) => runs(path, &self.study),
            Storage::Database { .. } => {
                // names come from a database: they must not lead out of the folder
                let noted = study.user_attrs.get(FOLDER).and_then(Value::as_str).map(folder_name);
                noted.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("{}.trials", folder_name(&self.study)))
            }
        }
    }

    /// The folder where workers register; none where the storage itself knows who lives.
    pub(super) fn workers(&self) -> Option<PathBuf> {
        match &self.storage {
            Storage::Journal(path) => Some(workers(path, &self.study)),
            Storage::Database { .. } => None,
        }
    }

    /// How long a process may be silent before it counts as gone.
    pub(super) fn grace(&self) -> Duration {
        2 * self.heartbeat
    }
}

/// The name of a folder for a study, which may be called anything.
fn folder_name(study: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ') { c } else { '_' };
    let name: String = study.chars().map(safe).collect();
    name.trim_matches(['.', ' ']).to_owned()
}

/// The folder of the runs of a study, from its journal's folder.
fn runs(journal: &Path, study: &str) -> String {
    let name = folder_name(study);
    let stem = journal.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // never the journal itself, which has no extension if the user says so
    if name.is_empty() || name == stem { format!("{name}.trials") } else { name }
}

/// The folder where the workers of a study register.
pub(super) fn workers(journal: &Path, study: &str) -> PathBuf {
    journal.parent().unwrap_or(Path::new("")).join(runs(journal, study)).join("workers")
}
