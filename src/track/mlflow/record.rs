//! A run in MLflow's words: everything but its metrics.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::told::Metric;
use crate::track::{RunFacts, RunState};
use crate::train::{Event, RunFolder, confusion_png};

/// The longest value of a parameter or tag that every MLflow takes.
const LONGEST: usize = 5_000;
/// The tag that says which folder of runs is mirrored.
pub const RUNS: &str = "tuning_fork.runs";
/// What the tags of the user's own tags begin with.
pub const USER_TAG: &str = "tag.";

/// A run without its metrics.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// 32 hexadecimal digits, always the same for the same run.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of the search that it is a trial of.
    pub parent: Option<String>,
    /// One of MLflow's words.
    pub status: &'static str,
    /// Milliseconds since 1970-01-01 UTC.
    pub start: i64,
    /// Milliseconds since 1970-01-01 UTC, once it is over.
    pub end: Option<i64>,
    /// Its configuration.
    pub params: Vec<(String, String)>,
    /// What else there is to say.
    pub tags: Vec<(String, String)>,
    /// What it was trained on.
    pub data: Option<Data>,
}

/// A data set.
#[derive(Clone, Debug, Serialize)]
pub struct Data {
    /// Its name.
    pub name: String,
    /// The first 36 digits of its digest.
    pub digest: String,
    /// Where it is, as JSON.
    pub source: String,
    /// How large it is, as JSON.
    pub profile: String,
}

impl Record {
    /// A run of the folder `runs` (the whole path, in words), trained as the first line of its events says.
    pub fn of(facts: &RunFacts, folder: &RunFolder, runs: &str, end: i64) -> Option<Self> {
        let first = folder.first_line()?;
        let id = id_of(&facts.folder, &first);
        let (study, leaf) = facts.folder.rsplit_once('/').map_or((None, facts.folder.as_str()), |(study, leaf)| (Some(study), leaf));
        let name = if facts.about.name.is_empty() { leaf } else { &facts.about.name };
        let parent = study.map(|study| study_id(runs, study));
        let mut tags = vec![
            ("mlflow.runName", name.to_owned()),
            ("mlflow.source.name", "tuning-fork".to_owned()),
            ("mlflow.source.type", "LOCAL".to_owned()),
            ("mlflow.note.content", facts.about.notes.clone()),
            ("mlflow.parentRunId", parent.clone().unwrap_or_default()),
            (RUNS, runs.to_owned()),
            ("tuning_fork.folder", facts.folder.clone()),
            ("tuning_fork.device", facts.device.clone()),
            ("tuning_fork.version", facts.version.clone()),
            ("tuning_fork.split_digest", facts.split_digest.clone()),
            ("tuning_fork.data_digest", facts.data_digest.clone()),
            ("tuning_fork.message", facts.message.clone().unwrap_or_default()),
        ];
        tags.retain(|(_, value)| !value.is_empty());
        let own = facts.about.tags.iter().map(|tag| (format!("{USER_TAG}{}", plain(tag)), tag.clone()));
        let tags = tags.into_iter().map(|(key, value)| (key.to_owned(), value)).chain(own);
        let params = facts.parameters.iter().map(|(name, value)| (name.clone(), words(value)));
        // a resumed run was started when it was started first
        let started = serde_json::from_slice(&first).ok().and_then(|event| if let Event::Started(s) = event { Some(s.time) } else { None });
        let start = i64::try_from(started.or(facts.started).unwrap_or(0)).unwrap_or(i64::MAX).saturating_mul(1000);
        Some(Self {
            id,
            name: short(name),
            parent,
            status: status(facts.state),
            start,
            end: (!facts.state.is_live()).then_some(end.max(start)),
            params: params.map(|(name, value)| (name, short(&value))).collect(),
            tags: tags.map(|(key, value)| (key, short(&value))).collect(),
            data: data(facts),
        })
    }

    /// What tells it from what a mirror had before.
    pub fn digest(&self) -> String {
        hex(&[&serde_json::to_vec(self).unwrap_or_default()])
    }

    /// The same with the sheet of maps. A run that has none is told as before there were sheets, so that it is not written again.
    pub fn digest_with_maps(&self, folder: &RunFolder) -> String {
        let Ok(sheet) = std::fs::metadata(folder.maps_path()) else { return self.digest() };
        let time = sheet.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        hex(&[self.digest().as_bytes(), &sheet.len().to_le_bytes(), &time.as_nanos().to_le_bytes()])
    }
}

/// A search that runs are trials of.
#[derive(Clone, Debug)]
pub struct Study {
    /// Its folder.
    pub name: String,
    /// When its first trial was started, milliseconds since 1970-01-01 UTC.
    pub start: i64,
    /// Its trials, and their best values.
    pub trials: Vec<(Record, Option<f64>)>,
}

/// The searches among runs, by id, as the index knows them; without their trials.
pub fn studies(runs: &[RunFacts], whole: &str) -> BTreeMap<String, Study> {
    let mut studies: BTreeMap<String, Study> = BTreeMap::new();
    for facts in runs {
        let Some((name, _)) = facts.folder.rsplit_once('/') else { continue };
        let start = i64::try_from(facts.started.unwrap_or(0)).unwrap_or(i64::MAX).saturating_mul(1000);
        let study = studies.entry(study_id(whole, name)).or_insert_with(|| Study { name: name.to_owned(), start, trials: Vec::new() });
        study.start = study.start.min(start);
    }
    studies
}

impl Study {
    /// The run above its trials, with the best value so far by the number of trials.
    pub fn record(&self, id: &str, whole: &str) -> (Record, Vec<Metric>) {
        let Self { name, start, trials } = self;
        let live = trials.iter().any(|(trial, _)| trial.end.is_none());
        let end = trials.iter().filter_map(|(trial, _)| trial.end).max().unwrap_or(*start);
        let best = trials.iter().filter_map(|(_, best)| *best).reduce(f64::max);
        let tags = [
            ("mlflow.runName", name.as_str()),
            ("mlflow.source.name", "tuning-fork search"),
            ("mlflow.source.type", "LOCAL"),
            (RUNS, whole),
            ("tuning_fork.folder", name),
        ];
        let record = Record {
            id: id.to_owned(),
            name: short(name),
            parent: None,
            status: if live || trials.is_empty() { "RUNNING" } else { "FINISHED" },
            start: *start,
            end: (!live).then_some(end),
            params: Vec::new(),
            tags: tags.map(|(key, value)| (key.to_owned(), short(value))).into(),
            data: None,
        };
        let metric = |value| Metric { key: "best_valid_macro_f1", value, time: end, step: trials.len() as i64 };
        (record, best.map(metric).into_iter().collect())
    }
}

/// The id of a run: of its folder and of the first line that it told. `None` before it told any.
pub fn run_id(name: &str, folder: &RunFolder) -> Option<String> {
    folder.first_line().map(|first| id_of(name, &first))
}

fn id_of(name: &str, first: &[u8]) -> String {
    hex(&[name.as_bytes(), b"\n", first])[..32].to_owned()
}

/// The id of a search.
pub fn study_id(runs: &str, name: &str) -> String {
    hex(&[b"study\n", runs.as_bytes(), b"\n", name.as_bytes()])[..32].to_owned()
}

/// SHA-256 of parts, hexadecimal.
pub fn hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn status(state: RunState) -> &'static str {
    match state {
        RunState::Running | RunState::Paused => "RUNNING",
        RunState::NotStarted => "SCHEDULED",
        RunState::Completed => "FINISHED",
        RunState::Interrupted | RunState::Stopped => "KILLED",
        RunState::Failed => "FAILED",
    }
}

fn data(facts: &RunFacts) -> Option<Data> {
    // a run that has just begun is still reading its pictures for the digest, and inputs cannot be taken back
    if facts.data_digest.is_empty() && facts.state.is_live() {
        return None;
    }
    let digest = if facts.data_digest.is_empty() { &facts.split_digest } else { &facts.data_digest };
    if digest.is_empty() || facts.data.is_empty() {
        return None;
    }
    let uri = facts.parameters.get("data").and_then(Value::as_str).unwrap_or(&facts.data);
    let [train, valid, test] = facts.images;
    Some(Data {
        name: short(&facts.data).chars().take(500).collect(),
        digest: digest.chars().take(36).collect(),
        source: json!({ "uri": uri }).to_string(),
        profile: json!({ "training_images": train, "validation_images": valid, "test_images": test }).to_string(),
    })
}

/// A value as MLflow's users write it.
fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Only letters that MLflow takes in the name of a tag.
fn plain(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | '/') { c } else { '_' };
    text.chars().take(200).map(safe).collect()
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// Small files of a run that a mirror shows: the confusion of its best epoch, the summary, where its model looks, figures that were
/// exported.
pub fn artifacts(folder: &RunFolder) -> Vec<(String, Vec<u8>)> {
    /// The largest figure that goes along, bytes.
    const LARGEST: u64 = 5_000_000;
    let mut all = Vec::new();
    if let Ok(session) = folder.outline()
        && let Some(best) = session.best_epoch()
    {
        let names = session.started.as_ref().map_or(&[][..], |started| &started.classes);
        if let Ok(png) = confusion_png(&best.confusion, names) {
            all.push(("confusion.png".to_owned(), png));
        }
    }
    let mut add = |name: String, path: &Path| {
        if std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST)
            && let Ok(bytes) = std::fs::read(path)
        {
            all.push((name, bytes));
        }
    };
    add("summary.txt".into(), &folder.summary_path());
    add("config.json".into(), &folder.path().join("config.json"));
    add("maps.png".into(), &folder.maps_path());
    for entry in std::fs::read_dir(folder.path().join("exports")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().extension().is_some_and(|e| e == "png") && name == plain(&name) {
            add(format!("exports/{name}"), &entry.path());
        }
    }
    all
}

/// Where files lie, as one whole path in words.
pub fn whole(path: &Path) -> String {
    std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}
