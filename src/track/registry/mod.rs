//! The registry: models that are kept under a name, version by version, with aliases such as `champion` for the one that is
//! meant. Plain files beside the runs, for people and for programs:
//!
//! | file                                | what                                                                            |
//! |-------------------------------------|---------------------------------------------------------------------------------|
//! | `models/NAME/model.json`            | aliases, what makes a version the better one, the highest number that was given |
//! | `models/NAME/NAME@3/`               | a version: a run folder with the model of the run's best epoch and what belongs to it, copied, so that the run may go to the trash |
//! | `models/NAME/NAME@3/card.md`         | its model card, for people; it may be edited                                     |
//! | `models/NAME/NAME@3/version.json`   | where it is from and how good it is ([`ModelVersion`])                            |
//! | `models/NAME/NAME@3/aliases.json`   | only in the trash: the aliases that it had                                       |
//! | `models/.lock`                      | held by the process that changes something                                      |
//!
//! A version appears whole or not at all, by a rename; a reader needs no lock.

mod card;
mod copy;
mod model;
mod name;
mod store;

pub use model::{Measure, ModelVersion, RegisteredModel};
pub use name::{At, ModelReference};

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use self::model::FORMAT;
use self::name::{check_alias, check_name};
use self::store::names_in;
use super::{TrackError, Trash, Trashed};
use crate::files;
use crate::nn::weights;
use crate::train::RunFolder;

/// The alias of the best version.
pub const CHAMPION: &str = "champion";
/// The folder beside the runs.
const FOLDER: &str = "models";
/// What the names of versions on their way begin with.
const PARTIAL: &str = ".register-";

/// The registry beside the runs of a folder. Cheap to clone: it is only the path.
#[derive(Clone, Debug)]
pub struct Registry {
    runs: PathBuf,
}

/// All registered models.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Models {
    /// In the order of the alphabet.
    pub models: Vec<RegisteredModel>,
    /// What cannot be read, each with what is wrong and what to do.
    pub damaged: Vec<String>,
}

/// How an alias may be given to a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Only if the version is better than the one that has the alias, on the same validation images.
    IfBetter,
    /// As the user says.
    ByHand,
}

/// What became of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// It names the version now; before, it named that one.
    Done {
        /// The version that it named before, if there was one.
        before: Option<u32>,
    },
    /// It stays where it was; in words, why.
    Kept(String),
}

/// A new version, and whether it is the champion.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// The version.
    pub version: ModelVersion,
    /// What became of the alias [`CHAMPION`].
    pub champion: Promotion,
}

impl Registry {
    /// The registry beside the runs in `runs`.
    #[must_use]
    pub fn of(runs: &Path) -> Self {
        Self { runs: runs.to_owned() }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.runs.join(FOLDER)
    }

    /// The folder of a version: a run folder.
    #[must_use]
    pub fn version_folder(&self, name: &str, version: u32) -> PathBuf {
        self.folder().join(name).join(format!("{name}@{version}"))
    }

    /// All models with their versions.
    ///
    /// # Errors
    /// If the folder is there and cannot be listed.
    pub fn list(&self) -> Result<Models, TrackError> {
        let mut all = Models::default();
        for name in names_in(&self.folder())? {
            if check_name(&name).is_ok() && self.folder().join(&name).is_dir() {
                match self.read(&name, &mut all.damaged) {
                    Ok(model) if model.versions.is_empty() => {}
                    Ok(model) => all.models.push(model),
                    Err(error) => all.damaged.push(error.to_string()),
                }
            }
        }
        Ok(all)
    }

    /// A model by its name.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn model(&self, name: &str) -> Result<RegisteredModel, TrackError> {
        check_name(name)?;
        let model = self.read(name, &mut Vec::new())?;
        if model.versions.is_empty() {
            let there: Vec<String> = self.list()?.models.into_iter().map(|model| model.name).collect();
            let there = if there.is_empty() { "none yet".to_owned() } else { there.join(", ") };
            let folder = self.folder();
            let folder = folder.display();
            return Err(TrackError::Request(format!("there is no model {name} in {folder}; there are: {there}")));
        }
        Ok(model)
    }

    /// A version of a model.
    ///
    /// # Errors
    /// If there is none, or it cannot be read; the message names those that are there.
    pub fn find(&self, reference: &ModelReference) -> Result<ModelVersion, TrackError> {
        let model = self.model(&reference.name)?;
        model.at(&reference.at).cloned().ok_or_else(|| {
            let aliases = model.aliases.iter().filter(|(_, number)| model.version(**number).is_some());
            let names = model.versions.iter().map(ToString::to_string);
            let all: Vec<String> = names.chain(aliases.map(|(alias, _)| format!("{}@{alias}", model.name))).collect();
            TrackError::Request(format!("there is no {reference}; there are: {}", all.join(", ")))
        })
    }

    /// The model card of a version (Markdown): what stands in its folder, or a new one if that is gone.
    ///
    /// # Errors
    /// If there is no such version, or its files cannot be read.
    pub fn card(&self, name: &str, version: u32) -> Result<String, TrackError> {
        let version = self.find(&ModelReference::version(name, version))?;
        let folder = self.version_folder(name, version.version);
        match fs::read_to_string(folder.join(card::FILE)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => card::card(&RunFolder::open(&folder)?, &version),
            read => read.map_err(|error| TrackError::io(&folder.join(card::FILE), error)),
        }
    }

    /// Keeps the best model of the run in the folder `run` as a new version of the model `name` with a note, and makes it the
    /// champion if there is none or it is better on the same validation images. What is better is said with the first version
    /// (`measure`, else macro-F1).
    ///
    /// # Errors
    /// If the run has no model yet, it is registered already, the name is none, another measure is named than before, or a file
    /// cannot be read or written; then there is no new version.
    pub fn register(&self, run: &Path, name: &str, note: &str, measure: Option<Measure>) -> Result<Registered, TrackError> {
        check_name(name)?;
        let folder = RunFolder::open(run)?;
        if !folder.best_model().is_file() {
            let path = run.display();
            return Err(TrackError::Request(format!("{path} has no model yet; train its first epoch to the end, then register it")));
        }
        let _lock = self.lock()?;
        let mut model = self.read(name, &mut Vec::new())?;
        match measure {
            Some(measure) if model.last == 0 => model.measure = measure,
            Some(measure) if measure != model.measure => {
                let (before, now) = (model.measure.title(), measure.title());
                let message = format!("the versions of {name} are compared by {before}, not by {now}; leave that out or take another name");
                return Err(TrackError::Request(message));
            }
            _ => {}
        }
        let version = self.add(&folder, &model, note)?;
        model.last = version.version;
        model.versions.push(version.clone());
        let champion = model.give(CHAMPION, &version, Rule::IfBetter);
        if let Err(error) = self.write(&model) {
            // without its place in the model the version would be registered, but never the champion
            let _ = fs::remove_dir_all(self.version_folder(name, version.version));
            return Err(error);
        }
        Ok(Registered { version, champion })
    }

    /// Gives an alias to a version.
    ///
    /// # Errors
    /// If there is no such version, the alias is none, or the file cannot be written.
    pub fn promote(&self, name: &str, version: u32, alias: &str, rule: Rule) -> Result<Promotion, TrackError> {
        check_alias(alias)?;
        let _lock = self.lock()?;
        let version = self.find(&ModelReference::version(name, version))?;
        let mut model = self.model(name)?;
        let promotion = model.give(alias, &version, rule);
        if matches!(promotion, Promotion::Done { .. }) {
            self.write(&model)?;
        }
        Ok(promotion)
    }

    /// Moves a version to the trash of the runs, from which it comes back with those of its aliases that no other version has by then. The
    /// model goes with its last version.
    ///
    /// # Errors
    /// If there is no such version, an alias names it and `aliases_too` is false, or it cannot be moved.
    pub fn delete(&self, name: &str, version: u32, aliases_too: bool) -> Result<Trashed, TrackError> {
        let _lock = self.lock()?;
        let mut model = self.model(name)?;
        let found = self.find(&ModelReference::version(name, version))?;
        let aliases: Vec<&str> = model.aliases_of(version).collect();
        if !(aliases.is_empty() || aliases_too) {
            let aliases = aliases.join(" and ");
            return Err(TrackError::Request(format!("{found} is {aliases}; promote another version first, or delete it by force")));
        }
        let place = self.version_folder(name, version);
        store::write_aliases(&place, &aliases)?;
        let before = model.clone();
        model.aliases.retain(|_, named| *named != version);
        // the alias goes first: one that names nothing is worse than a version without a name
        self.write(&model)?;
        let moved = Trash::of(&self.runs).put(&place.strip_prefix(&self.runs).unwrap_or(&place).to_string_lossy().replace('\\', "/"));
        if moved.is_err() {
            // the error that matters is the one that kept it here
            let _ = self.write(&before);
        }
        moved
    }

    /// Gives a version that is back from the trash its aliases again, but for those that other versions have now. `place` is what the
    /// index called its folder; what is no version's is left alone.
    ///
    /// # Errors
    /// If the registry cannot be written; the version is back all the same.
    pub(in crate::track) fn restored(&self, place: &str) -> Result<(), TrackError> {
        let version = place.strip_prefix(FOLDER).and_then(|rest| rest.strip_prefix('/')).and_then(|rest| rest.split_once('/'));
        let Some(reference) = version.and_then(|(_, version)| version.parse::<ModelReference>().ok()) else { return Ok(()) };
        let _lock = self.lock()?;
        let Ok(found) = self.find(&reference) else { return Ok(()) };
        let folder = self.version_folder(&found.model, found.version);
        let mut model = self.model(&found.model)?;
        let before = model.aliases.len();
        for alias in store::read_aliases(&folder) {
            if check_alias(&alias).is_ok() && model.named(&alias).is_none() {
                model.aliases.insert(alias, found.version);
            }
        }
        if model.aliases.len() > before {
            self.write(&model)?;
        }
        store::forget_aliases(&folder);
        Ok(())
    }

    /// Copies the run's best model into the next version's folder.
    fn add(&self, run: &RunFolder, model: &RegisteredModel, note: &str) -> Result<ModelVersion, TrackError> {
        let home = self.folder().join(&model.name);
        let io = |error| TrackError::io(&home, error);
        fs::create_dir_all(&home).map_err(io)?;
        for left in names_in(&home)?.iter().filter(|name| name.starts_with(PARTIAL)) {
            // under the lock: whoever made it is gone
            fs::remove_dir_all(home.join(left)).map_err(io)?;
        }
        let partial = home.join(format!("{PARTIAL}{}", std::process::id()));
        fs::create_dir(&partial).map_err(io)?;
        let made = self.fill(run, model, note, &partial).and_then(|version| {
            let place = self.version_folder(&model.name, version.version);
            files::move_folder(&partial, &place).map_err(|error| TrackError::io(&place, error))?;
            Ok(version)
        });
        if made.is_err() {
            // the error that matters is the one that stopped it
            let _ = fs::remove_dir_all(&partial);
        }
        made
    }

    fn fill(&self, run: &RunFolder, model: &RegisteredModel, note: &str, partial: &Path) -> Result<ModelVersion, TrackError> {
        let (folder, bytes, sha256) = copy::begin(run, partial)?;
        if let Some(same) = model.versions.iter().find(|version| version.sha256 == sha256) {
            return Err(TrackError::Request(format!("this model is registered already, as {same}")));
        }
        let spec = weights::describe(folder.best_model()).map_err(|error| TrackError::Request(error.to_string()))?;
        let session = run.outline()?;
        // the file says of which epoch it is, which a run that goes on may have left behind
        let report = spec.epoch.map_or_else(|| session.best_epoch(), |epoch| session.epochs.iter().find(|report| report.epoch == epoch));
        let Some(report) = report else {
            let path = run.events_path();
            return Err(TrackError::Request(format!(
                "{} does not tell how good the best epoch is; resume the run or wait",
                path.display()
            )));
        };
        copy::rest(run, &folder, report.epoch)?;
        let split = run.split().ok();
        let started = session.started.as_ref();
        let version = ModelVersion {
            format: FORMAT,
            model: model.name.clone(),
            version: model.last.max(model.versions.last().map_or(0, |last| last.version)) + 1,
            registered: now(),
            run: self.name_of(run.path()),
            epoch: report.epoch,
            data: started.map_or_else(String::new, |started| started.data.clone()),
            data_digest: split.as_ref().map_or_else(String::new, |split| split.data_digest.clone()),
            split_digest: split.map_or_else(String::new, |split| split.digest),
            macro_f1: report.valid_macro_f1,
            accuracy: report.valid_accuracy,
            loss: report.valid_loss,
            sha256,
            bytes,
            note: note.to_owned(),
        };
        store::write_version(partial, &version)?;
        store::write_text(&partial.join(card::FILE), &card::card(&folder, &version)?)?;
        Ok(version)
    }

    /// What the index calls a run, or its whole path if it lies elsewhere.
    fn name_of(&self, run: &Path) -> String {
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (run, runs) = (whole(run), whole(&self.runs));
        run.strip_prefix(&runs).unwrap_or(&run).to_string_lossy().replace('\\', "/")
    }
}

impl RegisteredModel {
    /// Gives an alias to a version, if the rule lets it.
    fn give(&mut self, alias: &str, version: &ModelVersion, rule: Rule) -> Promotion {
        let current = self.named(alias).filter(|current| current.version != version.version);
        if let (Some(current), Rule::IfBetter) = (current, rule)
            && let Some(why) = worse(self.measure, version, current)
        {
            return Promotion::Kept(format!("{current} stays {alias}: {why}"));
        }
        Promotion::Done { before: self.aliases.insert(alias.to_owned(), version.version) }
    }
}

/// Why a version is not better than another, in words; `None` if it is.
fn worse(measure: Measure, version: &ModelVersion, than: &ModelVersion) -> Option<String> {
    if !version.same_images(than) {
        return Some(format!("{version} was validated on other images, so nobody knows which is better; promote it by hand to say so"));
    }
    let (new, old) = (measure.of(version), measure.of(than));
    let title = measure.title();
    (!measure.is_better(new, old)).then(|| format!("the {title} of {version} is {new:.4}, that of {than} {old:.4}, on the same images"))
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
