//! What a search is asked to do, and the folders it uses.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Objective, Pruner, Sampler, SearchError, Space, StudyRecord};
use crate::data::{self, DataError, Dataset, Part};
use crate::train::Config;

/// Notes of a study that say what it searches.
const SPACE: &str = "tuning_fork:space";
const CONFIG: &str = "tuning_fork:config";
const OBJECTIVE: &str = "tuning_fork:objective";

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
    /// The journal's file.
    pub journal: PathBuf,
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
        }))
    }

    /// The study `name` in a journal and what it says of itself, if both are there.
    ///
    /// # Errors
    /// If the journal cannot be read, or the study is of a newer version.
    pub fn find(journal: &Path, name: &str) -> Result<Option<Self>, SearchError> {
        if !journal.exists() {
            return Ok(None);
        }
        let studies = super::read(journal)?;
        studies.iter().find(|study| study.name == name).map_or(Ok(None), Self::of)
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
        let (None, Ok(split)) = (Kept::find(&self.journal, &self.study)?, dataset.split(self.base.split_seed)) else { return Ok(None) };
        let (space, words) = self.space.without_larger_batches(split.part(Part::Train).len())?;
        self.space = space;
        Ok(words)
    }

    /// What a new study notes of itself: texts, as the dashboard shows them best.
    pub(super) fn notes(&self) -> Map<String, Value> {
        let config = serde_json::to_string(&self.base).unwrap_or_default();
        let notes = json!({ SPACE: self.space.to_json().to_string(), CONFIG: config, OBJECTIVE: self.objective });
        if let Value::Object(notes) = notes { notes } else { Map::new() }
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

    /// The folder of the journal.
    pub(super) fn home(&self) -> PathBuf {
        home(&self.journal)
    }

    /// The folder of the study's runs, from the journal's folder.
    pub(super) fn runs(&self) -> String {
        runs(&self.journal, &self.study)
    }

    /// The folder where workers register.
    pub(super) fn workers(&self) -> PathBuf {
        workers(&self.journal, &self.study)
    }
}

/// The folder of a journal.
fn home(journal: &Path) -> PathBuf {
    journal.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The folder of the runs of a study, from its journal's folder.
fn runs(journal: &Path, study: &str) -> String {
    // a study's name may be anything; a folder's may not
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ') { c } else { '_' };
    let name: String = study.chars().map(safe).collect();
    let name = name.trim_matches(['.', ' ']);
    let stem = journal.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // never the journal itself, which has no extension if the user says so
    if name.is_empty() || name == stem { format!("{name}.trials") } else { name.to_owned() }
}

/// The folder where the workers of a study register.
pub(super) fn workers(journal: &Path, study: &str) -> PathBuf {
    home(journal).join(runs(journal, study)).join("workers")
}
