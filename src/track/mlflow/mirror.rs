//! One pass of the mirror: looks at a folder of runs and tells a store what is new. What was not taken is told again: the run
//! folders are the queue. A run that cannot be read, or that the store refuses, is left out; the others go on. Maps are drawn
//! between passes, never in one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::record::{self, Record, Study};
use super::store::{Batch, MirrorError, Model, Store, Version};
use super::told::{self, Position};
use super::{DrawMaps, Settings, Target, rest, sqlite};
use crate::track::{Index, Listing, RegisteredModel, Registry, RunFacts, TrackError};
use crate::train::RunFolder;

/// How long a run that the store refused is left alone.
const SULK: Duration = Duration::from_mins(1);

/// When the models were written whose maps were drawn or could not be, by run.
pub(super) type Tried = BTreeMap<String, SystemTime>;

/// What a pass did.
pub(super) struct Passed {
    /// Runs with something new.
    pub written: usize,
    /// Runs in all.
    pub runs: usize,
    /// What there is to say of the mirror as it is now, above all what is left out.
    pub remarks: Vec<String>,
}

/// A mirror of a folder of runs.
pub(super) struct Mirror {
    runs: PathBuf,
    /// The same as one whole path in words.
    whole: String,
    index: Index,
    store: Box<dyn Store>,
    draw_maps: Option<DrawMaps>,
    positions: BTreeMap<String, Position>,
    /// Runs as they were when the store had all of them.
    settled: BTreeMap<String, (RunFacts, Record)>,
    /// The runs that the store shows.
    shown: Vec<String>,
    /// What the store has of the registry; `None` before it was told.
    models: Option<Vec<RegisteredModel>>,
    /// What the store left out of the registry.
    models_left_out: Vec<String>,
    /// What the store said of a run when it took it last.
    said: BTreeMap<String, Vec<String>>,
    /// Runs that the store refused: when, and why.
    refused: BTreeMap<String, (Instant, String)>,
    /// Runs that are over, that the store took, and whose models have no maps yet; when these were written.
    undrawn: BTreeMap<String, SystemTime>,
    /// Whether a run was live in the last pass.
    live: bool,
}

impl Mirror {
    pub fn open(settings: &Settings) -> Result<Self, MirrorError> {
        let Settings { runs, target, experiment, rebuild, draw_maps, .. } = settings;
        let whole = record::whole(runs);
        let mut store: Box<dyn Store> = match target {
            Target::Database(path) => Box::new(sqlite::Database::open(path, experiment, &whole)?),
            Target::Server(address) => Box::new(rest::Server::open(address, settings, &whole)?),
        };
        if *rebuild {
            store.clear()?;
        }
        Ok(Self {
            runs: runs.clone(),
            whole,
            index: Index::open(runs).map_err(|error| away(&error))?,
            positions: store.positions()?,
            store,
            draw_maps: *draw_maps,
            settled: BTreeMap::new(),
            shown: Vec::new(),
            models: None,
            models_left_out: Vec::new(),
            said: BTreeMap::new(),
            refused: BTreeMap::new(),
            undrawn: BTreeMap::new(),
            live: false,
        })
    }

    /// Writes what is new; `None` if it was stopped.
    pub fn pass(&mut self, stop: &AtomicBool) -> Result<Option<Passed>, MirrorError> {
        // the runs of a disk that is not there now are not deleted
        if !self.runs.is_dir() {
            return Err(MirrorError::Away(format!("{} is not there now; it is looked for again", self.whole)));
        }
        let listing = self.index.list().map_err(|error| away(&error))?;
        self.live = any_live(&listing);
        let mut remarks: Vec<String> = listing.damaged.iter().map(|(folder, why)| left_out(folder, why)).collect();
        let mut studies = record::studies(&listing.runs, &self.whole);
        // a trial names the search above it, so that comes first
        for (id, study) in &studies {
            if !self.positions.contains_key(id) {
                self.study(id, study)?;
            }
        }
        let (mut written, mut ids, mut all_read) = (0, Vec::new(), listing.damaged.is_empty());
        let (mut best_trials, mut trials): (BTreeMap<String, (f64, &str)>, BTreeSet<&str>) = Default::default();
        for facts in listing.runs.iter().rev() {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            match self.run(facts) {
                Ok(Some((record, new))) => {
                    written += usize::from(new);
                    ids.push(record.id.clone());
                    if let Some(study) = record.parent.as_ref().and_then(|parent| studies.get_mut(parent)) {
                        trials.insert(facts.folder.as_str());
                        let value = facts.best.map(|best| best.valid_macro_f1);
                        let best = record.parent.clone().zip(value).filter(|_| record.end.is_some());
                        if let Some((parent, value)) = best
                            && best_trials.get(&parent).is_none_or(|(best, _)| value > *best)
                        {
                            best_trials.insert(parent, (value, &facts.folder));
                        }
                        study.trials.push((record, value));
                    }
                }
                // it has not told anything yet
                Ok(None) => {}
                Err(Fault::Run(error)) => {
                    all_read = false;
                    remarks.push(left_out(&facts.folder, &error));
                }
                Err(Fault::Refused(id, why)) => {
                    ids.push(id);
                    remarks.push(left_out(&facts.folder, &why));
                }
                Err(Fault::Store(error)) => return Err(error),
            }
            remarks.extend(self.said.get(&facts.folder).into_iter().flatten().map(|said| format!("{}: {said}", facts.folder)));
        }
        // of a thousand trials, the best of each search is of interest
        self.undrawn.retain(|name, _| !trials.contains(name.as_str()));
        for (_, folder) in best_trials.into_values() {
            self.want_maps(folder);
        }
        for (id, study) in &studies {
            remarks.extend(self.study(id, study)?.map(|why| left_out("a search", &why)));
        }
        // what cannot be read is not gone
        if all_read {
            ids.extend(studies.into_keys());
            if ids != self.shown {
                self.store.hide_others(&ids)?;
                self.shown = ids;
            }
        }
        remarks.extend(self.models()?);
        Ok(Some(Passed { written, runs: listing.runs.len(), remarks }))
    }

    /// Draws the maps of one run, unless a run is live; gives whether there was one to draw. The next pass writes them.
    pub fn draw_one(&mut self, tried: &mut Tried) -> Result<bool, MirrorError> {
        let Some(draw) = self.draw_maps else { return Ok(false) };
        // what was tried in vain is wanted again in every pass
        self.undrawn.retain(|name, model| tried.get(name) != Some(model));
        // one may have started since
        if self.undrawn.is_empty() || self.live || any_live(&self.index.list().map_err(|error| away(&error))?) {
            return Ok(false);
        }
        while let Some((name, model)) = self.undrawn.pop_first() {
            if tried.insert(name.clone(), model) == Some(model) {
                continue;
            }
            // one that is gone needs none
            if let Ok(folder) = RunFolder::open(self.runs.join(&name)) {
                draw(&folder);
            }
            self.settled.remove(&name);
            return Ok(true);
        }
        Ok(false)
    }

    /// Writes the run above the trials of a search; gives why the store refused it, if so.
    fn study(&mut self, id: &str, study: &Study) -> Result<Option<String>, MirrorError> {
        let (record, metrics) = study.record(id, &self.whole);
        let position = Position { record: format!("{} {metrics:?}", record.digest()), ..Position::default() };
        if self.positions.get(id) == Some(&position) {
            return Ok(None);
        }
        let batch = Batch { record: &record, changed: true, metrics: &metrics, artifacts: &[], position: &position };
        match self.write(id, &batch) {
            Ok(_) => Ok(None),
            Err(MirrorError::Run(why)) => Ok(Some(why)),
            Err(error) => Err(error),
        }
    }

    /// Writes something under a name of ours, unless that was refused a moment ago; gives what the store says of it.
    fn write(&mut self, name: &str, batch: &Batch<'_>) -> Result<Vec<String>, MirrorError> {
        if let Some((when, why)) = self.refused.get(name)
            && when.elapsed() < SULK
        {
            return Err(MirrorError::Run(why.clone()));
        }
        let written = self.store.write(batch);
        match &written {
            Ok(_) => {
                self.refused.remove(name);
                self.positions.insert(batch.record.id.clone(), batch.position.clone());
            }
            Err(MirrorError::Run(why)) => drop(self.refused.insert(name.to_owned(), (Instant::now(), why.clone()))),
            Err(_) => {}
        }
        written
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
        self.undrawn.remove(&facts.folder);
        let Some(id) = record::run_id(&facts.folder, &folder) else { return Ok(None) };
        let mut new = false;
        loop {
            let before = self.positions.get(&id).cloned().unwrap_or_default();
            let mut position = before.clone();
            let metrics = told::read(&folder, &mut position).map_err(Fault::Run)?;
            let Some(record) = Record::of(facts, &folder, &self.whole, position.time()) else { return Ok(None) };
            // what is told of a trial is not told again: it waits for the search above it
            if record.parent.as_ref().is_some_and(|parent| !self.positions.contains_key(parent)) {
                return Err(Fault::Refused(id, "the store did not take its search".into()));
            }
            position.record = record.digest_with_maps(&folder);
            let changed = position.record != before.record;
            if position != before {
                let artifacts = if changed { record::artifacts(&folder) } else { Vec::new() };
                let batch = Batch { record: &record, changed, metrics: &metrics, artifacts: &artifacts, position: &position };
                match self.write(&facts.folder, &batch) {
                    Ok(said) if said.is_empty() && !changed => {}
                    Ok(said) => drop(self.said.insert(facts.folder.clone(), said)),
                    Err(MirrorError::Run(why)) => return Err(Fault::Refused(id, why)),
                    Err(error) => return Err(Fault::Store(error)),
                }
                new = true;
            }
            // a run that trains on does not keep the others waiting
            if position.offset >= length || position.offset == before.offset {
                if record.end.is_some() && record.parent.is_none() {
                    self.want_maps(&facts.folder);
                }
                self.settled.insert(facts.folder.clone(), (facts.clone(), record.clone()));
                return Ok(Some((record, new)));
            }
        }
    }

    /// Notes that the maps of a run's model are to be drawn, if they are not there.
    fn want_maps(&mut self, name: &str) {
        let Ok(folder) = RunFolder::open(self.runs.join(name)) else { return };
        if let Ok(model) = folder.best_model_time()
            && !folder.has_maps_of(model)
        {
            self.undrawn.insert(name.to_owned(), model);
        }
    }

    /// Writes the registered models; gives what is left out.
    fn models(&mut self) -> Result<Vec<String>, MirrorError> {
        let registry = Registry::of(&self.runs);
        let listed = registry.list().map_err(|error| away(&error))?;
        // what cannot be read is not gone
        if !listed.damaged.is_empty() {
            return Ok(listed.damaged);
        }
        if self.models.as_ref() == Some(&listed.models) {
            return Ok(self.models_left_out.clone());
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
        self.models_left_out = self.store.write_models(&models)?;
        self.models = Some(listed.models);
        Ok(self.models_left_out.clone())
    }
}

/// What went wrong with a run.
enum Fault {
    /// The run's own files; the others go on.
    Run(TrackError),
    /// The store, but only this run, by its id.
    Refused(String, String),
    /// The store.
    Store(MirrorError),
}

fn left_out(what: &str, why: &impl std::fmt::Display) -> String {
    format!("{what} is left out now: {why}")
}

fn any_live(listing: &Listing) -> bool {
    listing.runs.iter().any(|run| run.state.is_live())
}

/// Runs that cannot be listed now may be listed later.
fn away(error: &TrackError) -> MirrorError {
    MirrorError::Away(error.to_string())
}
