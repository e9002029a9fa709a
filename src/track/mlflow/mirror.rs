//! The mirror itself: looks at a folder of runs and tells a store what is new. What was not taken is told again: the run
//! folders are the queue.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::record::{self, Record, Study};
use super::store::{Batch, MirrorError, Model, Store, Version};
use super::told::{self, Position};
use super::{Settings, Target, rest, sqlite};
use crate::track::{Index, RegisteredModel, Registry, RunFacts, TrackError};
use crate::train::RunFolder;

/// How often the runs are looked at.
const EVERY: Duration = Duration::from_secs(2);
/// How long a store that is away is left alone, at first ...
const SHORTEST: Duration = Duration::from_secs(1);
/// ... and at most.
const LONGEST: Duration = Duration::from_mins(1);

/// What a mirror tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is up to date; so many runs were written now, of so many.
    UpToDate {
        /// Runs with something new.
        written: usize,
        /// Runs in all.
        runs: usize,
    },
    /// Something was left out.
    Note(String),
    /// The store cannot be reached now; it is tried again.
    Away(String),
    /// The mirror is off.
    Off(String),
}

/// A mirror that goes on in a thread of its own until this is dropped.
#[derive(Debug)]
pub struct Handle(Arc<AtomicBool>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes everything that is new, once.
///
/// # Errors
/// If the store cannot be used or reached, or the runs cannot be listed.
pub fn once(settings: &Settings, tell: &mut dyn FnMut(Told)) -> Result<(), MirrorError> {
    let mut wait = SHORTEST;
    loop {
        match Mirror::open(settings).and_then(|mut mirror| mirror.pass(&AtomicBool::new(false), tell)) {
            // a database is waited for by itself
            Err(MirrorError::Away(why)) if matches!(settings.target, Target::Server(_)) && wait <= 4 * SHORTEST => {
                tell(Told::Away(why));
                std::thread::sleep(wait);
                wait *= 2;
            }
            done => return done,
        }
    }
}

/// Writes what is new again and again, until `stop` is true. A store that is away is tried again, ever more seldom.
///
/// # Errors
/// If the store refuses; that is told too.
pub fn watch(settings: &Settings, stop: &AtomicBool, tell: &mut dyn FnMut(Told)) -> Result<(), MirrorError> {
    let (mut mirror, mut wait, mut settings) = (None, SHORTEST, settings.clone());
    while !stop.load(Ordering::Relaxed) {
        let opened = match mirror.take() {
            Some(mirror) => Ok(mirror),
            None => Mirror::open(&settings),
        };
        let passed = opened.and_then(|mut mirror| {
            settings.rebuild = false;
            mirror.pass(stop, tell)?;
            Ok(mirror)
        });
        let pause = match passed {
            Ok(open) => {
                mirror = Some(open);
                wait = SHORTEST;
                EVERY
            }
            Err(MirrorError::Away(why)) => {
                tell(Told::Away(why));
                let now = wait;
                wait = (2 * wait).min(LONGEST);
                now
            }
            Err(refused @ MirrorError::Refused(_)) => {
                tell(Told::Off(refused.to_string()));
                return Err(refused);
            }
        };
        let start = Instant::now();
        while start.elapsed() < pause && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

/// [`watch`] in a thread of its own.
///
/// # Errors
/// If the system has no thread left.
pub fn spawn(settings: Settings, mut tell: impl FnMut(Told) + Send + 'static) -> std::io::Result<Handle> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    std::thread::Builder::new().name("mlflow".into()).spawn(move || {
        // nothing that the mirror borrowed is looked at again
        let watched = catch_unwind(AssertUnwindSafe(|| watch(&settings, &asked, &mut tell)));
        if watched.is_err() {
            tell(Told::Off("the mirror broke off by a fault of the program; switch it on again, and please report it".into()));
        }
    })?;
    Ok(Handle(stop))
}

/// A mirror of a folder of runs.
struct Mirror {
    runs: PathBuf,
    /// The same as one whole path in words.
    whole: String,
    index: Index,
    store: Box<dyn Store>,
    positions: BTreeMap<String, Position>,
    /// Runs as they were when the store had all of them.
    settled: BTreeMap<String, (RunFacts, Record)>,
    /// The runs that the store shows.
    shown: Vec<String>,
    /// What the store has of the registry; `None` before it was told.
    models: Option<Vec<RegisteredModel>>,
    /// What of the registry cannot be read, as it was told last.
    damaged: Vec<String>,
}

impl Mirror {
    fn open(settings: &Settings) -> Result<Self, MirrorError> {
        let Settings { runs, target, experiment, rebuild, .. } = settings;
        let whole = record::whole(runs);
        let mut store: Box<dyn Store> = match target {
            Target::Database(path) => Box::new(sqlite::Database::open(path, experiment, &whole)?),
            Target::Server(address) => Box::new(rest::Server::open(address, settings, &whole)?),
        };
        if *rebuild {
            store.clear()?;
        }
        let (positions, index) = (store.positions()?, Index::open(runs).map_err(|error| away(&error))?);
        let (settled, shown, models, damaged) = (BTreeMap::new(), Vec::new(), None, Vec::new());
        Ok(Self { runs: runs.clone(), whole, index, store, positions, settled, shown, models, damaged })
    }

    fn pass(&mut self, stop: &AtomicBool, tell: &mut dyn FnMut(Told)) -> Result<(), MirrorError> {
        // the runs of a disk that is not there now are not deleted
        if !self.runs.is_dir() {
            return Err(MirrorError::Away(format!("{} is not there now; it is looked for again", self.whole)));
        }
        let listing = self.index.list().map_err(|error| away(&error))?;
        let mut studies = record::studies(&listing.runs, &self.whole);
        // a trial names the search above it, so that comes first
        for (id, study) in &studies {
            if !self.positions.contains_key(id) {
                self.study(id, study)?;
            }
        }
        let (mut written, mut ids, mut all_read) = (0, Vec::new(), listing.damaged.is_empty());
        for facts in listing.runs.iter().rev() {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            match self.run(facts) {
                Ok(Some((record, new))) => {
                    written += usize::from(new);
                    ids.push(record.id.clone());
                    if let Some(study) = record.parent.as_ref().and_then(|parent| studies.get_mut(parent)) {
                        study.trials.push((record, facts.best.map(|best| best.valid_macro_f1)));
                    }
                }
                // it has not told anything yet
                Ok(None) => {}
                Err(Fault::Run(error)) => {
                    all_read = false;
                    tell(Told::Note(format!("{} is left out now: {error}", facts.folder)));
                }
                Err(Fault::Store(error)) => return Err(error),
            }
        }
        for (id, study) in &studies {
            self.study(id, study)?;
        }
        // what cannot be read is not gone
        if all_read {
            ids.extend(studies.into_keys());
            if ids != self.shown {
                self.store.hide_others(&ids)?;
                self.shown = ids;
            }
        }
        self.models(tell)?;
        tell(Told::UpToDate { written, runs: listing.runs.len() });
        Ok(())
    }

    fn study(&mut self, id: &str, study: &Study) -> Result<(), MirrorError> {
        let (record, metrics) = study.record(id, &self.whole);
        let position = Position { record: format!("{} {metrics:?}", record.digest()), ..Position::default() };
        if self.positions.get(id) != Some(&position) {
            let batch = Batch { record: &record, changed: true, metrics: &metrics, artifacts: &[], position: &position };
            self.store.write(&batch)?;
            self.positions.insert(id.to_owned(), position);
        }
        Ok(())
    }

    /// Writes what is new of a run; gives what it is, and whether there was anything.
    fn run(&mut self, facts: &RunFacts) -> Result<Option<(Record, bool)>, Fault> {
        let folder = RunFolder::open(self.runs.join(&facts.folder)).map_err(|error| Fault::Run(error.into()))?;
        let length = std::fs::metadata(folder.events_path()).map_or(0, |file| file.len());
        if let Some((known, record)) = self.settled.get(&facts.folder)
            && known == facts
            && self.positions.get(&record.id).is_some_and(|position| position.offset == length)
        {
            return Ok(Some((record.clone(), false)));
        }
        let Some(id) = record::run_id(&facts.folder, &folder) else { return Ok(None) };
        let mut new = false;
        loop {
            let before = self.positions.get(&id).cloned().unwrap_or_default();
            let mut position = before.clone();
            let metrics = told::read(&folder, &mut position).map_err(Fault::Run)?;
            let Some(record) = Record::of(facts, &folder, &self.whole, position.time()) else { return Ok(None) };
            position.record = record.digest();
            let changed = position.record != before.record;
            if position != before {
                let artifacts = if changed { record::artifacts(&folder) } else { Vec::new() };
                let batch = Batch { record: &record, changed, metrics: &metrics, artifacts: &artifacts, position: &position };
                self.store.write(&batch).map_err(Fault::Store)?;
                self.positions.insert(id.clone(), position.clone());
                new = true;
            }
            // a run that trains on does not keep the others waiting
            if position.offset >= length || position.offset == before.offset {
                self.settled.insert(facts.folder.clone(), (facts.clone(), record.clone()));
                return Ok(Some((record, new)));
            }
        }
    }

    fn models(&mut self, tell: &mut dyn FnMut(Told)) -> Result<(), MirrorError> {
        let registry = Registry::of(&self.runs);
        let listed = registry.list().map_err(|error| away(&error))?;
        // what cannot be read is not gone
        if !listed.damaged.is_empty() {
            if self.damaged != listed.damaged {
                listed.damaged.iter().cloned().for_each(|why| tell(Told::Note(why)));
            }
            self.damaged = listed.damaged;
            return Ok(());
        }
        self.damaged.clear();
        if self.models.as_ref() == Some(&listed.models) {
            return Ok(());
        }
        let milliseconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        let version = |version: &crate::track::ModelVersion| {
            let folder = registry.version_folder(&version.model, version.version);
            Version {
                number: version.version,
                run: RunFolder::open(&folder).ok().and_then(|folder| record::run_id(&version.run, &folder)),
                time: milliseconds(version.registered),
                source: record::whole(&folder),
                description: registry.card(&version.model, version.version).unwrap_or_else(|_| version.note.clone()),
                sha256: version.sha256.clone(),
            }
        };
        let model = |model: &RegisteredModel| Model {
            name: model.name.clone(),
            time: milliseconds(model.created),
            versions: model.versions.iter().map(version).collect(),
            aliases: model.aliases.iter().filter(|(_, n)| model.version(**n).is_some()).map(|(a, n)| (a.clone(), *n)).collect(),
        };
        let models: Vec<Model> = listed.models.iter().map(model).collect();
        for note in self.store.write_models(&models)? {
            tell(Told::Note(note));
        }
        self.models = Some(listed.models);
        Ok(())
    }
}

/// What went wrong with a run.
enum Fault {
    /// The run's own files; the others go on.
    Run(TrackError),
    /// The store.
    Store(MirrorError),
}

/// Runs that cannot be listed now may be listed later.
fn away(error: &TrackError) -> MirrorError {
    MirrorError::Away(error.to_string())
}
