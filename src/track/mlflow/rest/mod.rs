//! The mirror on a tracking server, over MLflow's REST interface (version 2.0). Numbers go in batches of a thousand. What the
//! server has is kept in a small file ([`known`]); whatever it lacks stands in the run folders until it is back. All of it may be told
//! twice: a server keeps equal numbers once.

mod http;
mod known;
mod models;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use serde_json::{Value, json};

use self::http::{Http, HttpError};
use self::known::{Known, KnownRun};
use super::Settings;
use super::record::{Record, USER_TAG};
use super::store::{Batch, MirrorError, Model, Store};
use super::told::{Metric, Position};

/// The tag with our own id of a run, or our digest of a model.
const ID: &str = "tuning_fork.id";
/// The most numbers in a request.
const METRICS: usize = 1_000;
/// The most parameters, and the most tags, in a request.
const WORDS: usize = 100;

/// A server.
pub struct Server {
    http: Http,
    experiment: String,
    known: Known,
    place: PathBuf,
    /// The folder of runs that is mirrored, as one whole path in words.
    whole: String,
    _lock: File,
}

impl Server {
    /// Asks the server for the experiment, and makes it if it is not there.
    pub fn open(address: &str, settings: &Settings, whole: &str) -> Result<Self, MirrorError> {
        let Settings { runs, experiment, patience, .. } = settings;
        let http = Http::new(address, *patience)?;
        let find = || http.get("experiments/get-by-name", &[("experiment_name", experiment)]);
        let found = match find() {
            Err(HttpError::Missing(_)) => {
                match http.post("experiments/create", &json!({ "name": experiment })) {
                    // another process may have been faster
                    Ok(_) | Err(HttpError::Exists) => {}
                    Err(error) => return Err(error.into()),
                }
                find()?
            }
            found => found?,
        };
        let found = &found["experiment"];
        let Some(id) = found["experiment_id"].as_str() else {
            let message = format!("{address} does not answer as an MLflow server does. The mirror is off; correct the address");
            return Err(MirrorError::Refused(message));
        };
        if found["lifecycle_stage"] == "deleted" {
            let message = format!("the experiment {experiment} of {address} is deleted; restore it in MLflow, or name another one");
            return Err(MirrorError::Refused(message));
        }
        let place = Known::place(runs, address, experiment);
        let lock = known::lock(&place)?;
        let mut known = Known::read(&place);
        if known.experiment != id {
            // another server answers there now
            known = Known { address: address.to_owned(), experiment: id.to_owned(), ..Known::default() };
        }
        Ok(Self { http, experiment: id.to_owned(), known, place, whole: whole.to_owned(), _lock: lock })
    }

    fn keep(&self) -> Result<(), MirrorError> {
        self.known.write(&self.place)
    }

    /// The run there, found by our id or made.
    fn run(&mut self, record: &Record) -> Result<KnownRun, HttpError> {
        if let Some(known) = self.known.runs.get(&record.id) {
            return Ok(known.clone());
        }
        let filter = format!("tags.`{ID}` = '{}'", record.id);
        let search = json!({ "experiment_ids": [self.experiment], "filter": filter, "max_results": 1 });
        let mut found = self.http.post("runs/search", &search)?.pointer("/runs/0").cloned().unwrap_or_default();
        if found.is_null() {
            let tags = [("mlflow.runName", &record.name), (ID, &record.id)].map(|(key, value)| json!({ "key": key, "value": value }));
            let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME")).unwrap_or_default();
            let new = json!({ "experiment_id": self.experiment, "start_time": record.start, "run_name": record.name, "user_id": user, "tags": tags });
            found = self.http.post("runs/create", &new)?.get("run").cloned().unwrap_or_default();
        }
        let word = |name: &str| found["info"][name].as_str().unwrap_or_default().to_owned();
        let run = KnownRun { id: word("run_id"), artifacts: word("artifact_uri"), ..KnownRun::default() };
        if run.id.is_empty() {
            let message =
                format!("{} does not answer as an MLflow server does. The mirror is off; correct the address", self.http.address());
            return Err(HttpError::Mirror(MirrorError::Refused(message)));
        }
        self.known.runs.insert(record.id.clone(), run.clone());
        Ok(run)
    }

    fn batch(&mut self, batch: &Batch<'_>, notes: &mut Vec<String>) -> Result<(), HttpError> {
        let record = batch.record;
        let mut run = self.run(record)?;
        if batch.changed {
            self.describe(&mut run, record)?;
        }
        for metrics in batch.metrics.chunks(METRICS) {
            self.numbers(&run, metrics)?;
        }
        for (name, bytes) in batch.artifacts {
            match self.put(&run, name, bytes.clone()) {
                Err(HttpError::TooLarge(words)) => notes.push(format!("{name} is left out: {words}")),
                // a server that keeps no files shows none
                Ok(_) | Err(HttpError::Missing(_) | HttpError::Invalid(_) | HttpError::Exists) => {}
                Err(error) => return Err(error),
            }
        }
        if batch.changed {
            let mut update = json!({ "run_id": run.id, "status": record.status, "run_name": record.name });
            if let Some(end) = record.end {
                update["end_time"] = json!(end);
            }
            self.http.post("runs/update", &update)?;
        }
        run.position = batch.position.clone();
        self.known.runs.insert(record.id.clone(), run);
        Ok(())
    }

    /// Tells numbers of a run, in smaller batches where the server wants that.
    fn numbers(&self, run: &KnownRun, metrics: &[Metric]) -> Result<(), HttpError> {
        let all: Vec<Value> = metrics.iter().map(metric).collect();
        match self.http.post("runs/log-batch", &json!({ "run_id": run.id, "metrics": all })) {
            Err(HttpError::TooLarge(_)) if metrics.len() > 1 => {
                let (first, second) = metrics.split_at(metrics.len() / 2);
                self.numbers(run, first)?;
                self.numbers(run, second)
            }
            told => told.map(drop),
        }
    }

    /// Restores a run that somebody deleted there while it goes on here; false if it was not deleted.
    fn bring_back(&mut self, record: &Record) -> Result<bool, HttpError> {
        let Some(mut run) = self.known.runs.get(&record.id).cloned() else { return Ok(false) };
        match self.http.get("runs/get", &[("run_id", &run.id)]) {
            Ok(found) if found["run"]["info"]["lifecycle_stage"] == "deleted" => {}
            Ok(_) | Err(HttpError::Missing(_) | HttpError::Invalid(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        self.show(&run, true)?;
        run.hidden = false;
        self.known.runs.insert(record.id.clone(), run);
        Ok(true)
    }

    fn describe(&self, run: &mut KnownRun, record: &Record) -> Result<(), HttpError> {
        let pair = |(key, value): &(String, String)| json!({ "key": key, "value": value });
        for params in record.params.chunks(WORDS) {
            let params: Vec<Value> = params.iter().map(pair).collect();
            match self.http.post("runs/log-batch", &json!({ "run_id": run.id, "params": params })) {
                // a parameter of a resumed run may be another one now, which no server takes
                Ok(_) | Err(HttpError::Invalid(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let parent = record.parent.as_ref().and_then(|parent| self.known.runs.get(parent));
        let tags: Vec<Value> = record
            .tags
            .iter()
            .filter(|(key, _)| key != PARENT)
            .map(pair)
            .chain(parent.map(|parent| json!({ "key": PARENT, "value": parent.id })))
            .chain([json!({ "key": ID, "value": record.id })])
            .collect();
        for tags in tags.chunks(WORDS) {
            self.http.post("runs/log-batch", &json!({ "run_id": run.id, "tags": tags }))?;
        }
        let own: Vec<String> = record.tags.iter().map(|(key, _)| key.clone()).filter(|key| key.starts_with(USER_TAG)).collect();
        for gone in run.tags.iter().filter(|key| !own.contains(key)) {
            match self.http.post("runs/delete-tag", &json!({ "run_id": run.id, "key": gone })) {
                Ok(_) | Err(HttpError::Missing(_)) => {}
                Err(error) => return Err(error),
            }
        }
        run.tags = own;
        if let Some(data) = &record.data {
            let dataset =
                json!({ "name": data.name, "digest": data.digest, "source_type": "local", "source": data.source, "profile": data.profile });
            let tags = [json!({ "key": "mlflow.data.context", "value": "training" })];
            self.http.post("runs/log-inputs", &json!({ "run_id": run.id, "datasets": [{ "tags": tags, "dataset": dataset }] }))?;
        }
        Ok(())
    }

    /// Stores a file of a run; false if the server keeps none.
    fn put(&self, run: &KnownRun, name: &str, bytes: Vec<u8>) -> Result<bool, HttpError> {
        let Some(folder) = run.artifacts.strip_prefix("mlflow-artifacts:") else { return Ok(false) };
        self.http.put_artifact(&format!("{}/{name}", folder.trim_matches('/')), bytes).map(|()| true)
    }

    fn show(&self, run: &KnownRun, shown: bool) -> Result<(), HttpError> {
        let what = if shown { "runs/restore" } else { "runs/delete" };
        match self.http.post(what, &json!({ "run_id": run.id })) {
            // somebody did so there
            Ok(_) | Err(HttpError::Missing(_) | HttpError::Invalid(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The tag with the id of the run above.
const PARENT: &str = "mlflow.parentRunId";

impl Store for Server {
    fn positions(&mut self) -> Result<BTreeMap<String, Position>, MirrorError> {
        Ok(self.known.runs.iter().map(|(id, run)| (id.clone(), run.position.clone())).collect())
    }

    fn write(&mut self, batch: &Batch<'_>) -> Result<Vec<String>, MirrorError> {
        let mut notes = Vec::new();
        let mut written = self.batch(batch, &mut notes);
        if matches!(written, Err(HttpError::Invalid(_))) && self.bring_back(batch.record)? {
            notes.push("it was deleted on the server while it goes on here, and is there again".into());
            written = self.batch(batch, &mut notes);
        }
        if matches!(written, Err(HttpError::Missing(_))) {
            // the run is gone there: it is made again
            self.known.runs.remove(&batch.record.id);
        }
        self.keep()?;
        match written {
            Ok(()) => Ok(notes),
            Err(HttpError::Missing(words)) => Err(MirrorError::Away(format!("{words}; it is written anew the next time"))),
            Err(HttpError::Invalid(words) | HttpError::TooLarge(words)) => Err(MirrorError::Run(words)),
            Err(error) => Err(error.into()),
        }
    }

    fn hide_others(&mut self, ids: &[String]) -> Result<(), MirrorError> {
        let changed: Vec<(String, KnownRun)> = self
            .known
            .runs
            .iter()
            .filter(|(id, run)| ids.contains(id) == run.hidden)
            .map(|(id, run)| (id.clone(), KnownRun { hidden: !run.hidden, ..run.clone() }))
            .collect();
        for (id, run) in changed {
            self.show(&run, !run.hidden)?;
            self.known.runs.insert(id, run);
            self.keep()?;
        }
        Ok(())
    }

    fn write_models(&mut self, models: &[Model]) -> Result<Vec<String>, MirrorError> {
        self.models(models)
    }

    fn clear(&mut self) -> Result<(), MirrorError> {
        self.models(&[])?;
        for run in self.known.runs.values() {
            self.show(run, false)?;
        }
        self.known.runs.clear();
        self.keep()
    }
}

/// A number as JSON; those that are none by their names.
fn metric(metric: &Metric) -> Value {
    let value = match metric.value {
        value if value.is_nan() => json!("NaN"),
        value if value.is_infinite() => json!(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        value => json!(value),
    };
    json!({ "key": metric.key, "value": value, "timestamp": metric.time, "step": metric.step })
}
