//! A tiny tracking server on the loopback address that is away, fails, hangs, cuts lines off and refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tuning_fork::track::mlflow::{Settings, Target};

/// What the server does with the next requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    Good,
    /// It answers 500.
    Broken,
    /// It takes the request and says nothing.
    Silent,
    /// It does what is asked and cuts the line off before the answer.
    Cut,
}

/// What the server has.
#[derive(Default)]
pub struct Held {
    /// Runs by their ids there: parameters, tags, status, the numbers without repetitions.
    pub runs: BTreeMap<String, Value>,
    pub metrics: BTreeMap<String, BTreeSet<String>>,
    pub files: BTreeMap<String, usize>,
    pub models: BTreeMap<String, Value>,
    pub requests: Vec<String>,
    /// The most numbers in one request.
    pub largest: usize,
    /// The most bytes of a request that it takes, if there is such a limit.
    pub limit: Option<usize>,
    /// A run whose numbers make no sense to it, by its name.
    pub disliked: Option<String>,
    /// A run that it does not make, by its name.
    pub barred: Option<String>,
}

pub struct Server {
    pub address: String,
    held: Arc<Mutex<Held>>,
    mood: Arc<Mutex<Vec<Mood>>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        listener.set_nonblocking(true).expect("a listener");
        let server = Self { address, held: Arc::default(), mood: Arc::default(), stop: Arc::default() };
        let (held, mood, stop) = (Arc::clone(&server.held), Arc::clone(&server.mood), Arc::clone(&server.stop));
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let (held, mood) = (Arc::clone(&held), Arc::clone(&mood));
                        std::thread::spawn(move || serve(stream, &held, &mood));
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(2)),
                }
            }
        });
        server
    }

    /// The next requests are answered so, those after them well.
    pub fn feel(&self, moods: &[Mood]) {
        *self.mood.lock().expect("a lock") = moods.iter().rev().copied().collect();
    }

    pub fn change(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.held.lock().expect("a lock"));
    }

    pub fn held<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.held.lock().expect("a lock"))
    }

    pub fn settings(&self, settings: &Settings) -> Settings {
        Settings { target: Target::Server(self.address.clone()), patience: Duration::from_secs(5), ..settings.clone() }
    }

    /// The numbers of this name of a run, by the run's name.
    pub fn count(&self, run: &str, key: &str) -> usize {
        self.held(|held| {
            let id = held.runs.iter().find(|(_, value)| value["name"] == run).map(|(id, _)| id).expect("a run");
            held.metrics.get(id).map_or(0, |metrics| metrics.iter().filter(|metric| metric.starts_with(&format!("{key} "))).count())
        })
    }
}

fn serve(stream: TcpStream, held: &Mutex<Held>, mood: &Mutex<Vec<Mood>>) {
    stream.set_nonblocking(false).expect("a stream");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a stream");
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).is_err() || line.is_empty() {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
            if head.is_empty() {
                head = line;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let mut parts = head.split(' ');
        let (method, path) = (parts.next().unwrap_or_default().to_owned(), parts.next().unwrap_or_default().to_owned());
        let mood = mood.lock().expect("a lock").pop().unwrap_or(Mood::Good);
        let (status, answer) = match mood {
            Mood::Broken => (500, json!({ "error_code": "INTERNAL_ERROR", "message": "out of order" })),
            Mood::Silent => {
                std::thread::sleep(Duration::from_secs(15));
                return;
            }
            Mood::Good | Mood::Cut => answer(&mut held.lock().expect("a lock"), &method, &path, &body),
        };
        if mood == Mood::Cut {
            return;
        }
        let text = answer.to_string();
        let head = format!("HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", text.len());
        if reader.get_mut().write_all(format!("{head}{text}").as_bytes()).is_err() {
            return;
        }
    }
}

/// What a tracking server answers.
fn answer(held: &mut Held, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    held.requests.push(format!("{method} {path}"));
    if held.limit.is_some_and(|limit| body.len() > limit) {
        // as a proxy says it
        return (413, Value::Null);
    }
    if let Some(file) = path.strip_prefix("/api/2.0/mlflow-artifacts/artifacts/") {
        held.files.insert(file.to_owned(), body.len());
        return (200, json!({}));
    }
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let missing = || (404, json!({ "error_code": "RESOURCE_DOES_NOT_EXIST", "message": "there is no such thing" }));
    let id = body["run_id"].as_str().unwrap_or_default().to_owned();
    match path.strip_prefix("/api/2.0/mlflow/").unwrap_or_default() {
        "experiments/get-by-name" if held.requests.iter().any(|request| request.ends_with("experiments/create")) => {
            (200, json!({ "experiment": { "experiment_id": "7", "lifecycle_stage": "active" } }))
        }
        "experiments/create" => (200, json!({ "experiment_id": "7" })),
        "runs/search" => {
            let filter = body["filter"].as_str().unwrap_or_default();
            let found = held.runs.iter().find(|(_, run)| run["tags"]["tuning_fork.id"].as_str().is_some_and(|id| filter.contains(id)));
            let info = |(id, _): (&String, &Value)| json!({ "info": { "run_id": id, "artifact_uri": format!("mlflow-artifacts:/7/{id}/artifacts") } });
            (200, json!({ "runs": found.map(info).into_iter().collect::<Vec<_>>() }))
        }
        "runs/create" if body["run_name"].as_str().is_some_and(|name| held.barred.as_deref() == Some(name)) => {
            (400, json!({ "error_code": "INVALID_PARAMETER_VALUE", "message": "no run of this name" }))
        }
        "runs/create" => {
            let id = format!("run{}", held.runs.len());
            let mut run = json!({ "name": body["run_name"], "tags": {}, "params": {}, "status": "RUNNING", "stage": "active" });
            put(&mut run["tags"], &body["tags"]);
            held.runs.insert(id.clone(), run);
            (200, json!({ "run": { "info": { "run_id": id, "artifact_uri": format!("mlflow-artifacts:/7/{id}/artifacts") } } }))
        }
        "runs/get" => {
            let id = query.strip_prefix("run_id=").unwrap_or_default();
            let stage = |run: &Value| (200, json!({ "run": { "info": { "run_id": id, "lifecycle_stage": run["stage"] } } }));
            held.runs.get(id).map_or_else(missing, stage)
        }
        "runs/log-batch" => {
            let Some(run) = held.runs.get_mut(&id) else { return missing() };
            let disliked = body["metrics"].is_array() && run["name"].as_str() == held.disliked.as_deref();
            if run["stage"] == "deleted" || disliked {
                let message = format!("The run {id} must be in the 'active' state. Current state is {}.", run["stage"]);
                return (400, json!({ "error_code": "INVALID_PARAMETER_VALUE", "message": message }));
            }
            put(&mut run["tags"], &body["tags"]);
            put(&mut run["params"], &body["params"]);
            let metrics = body["metrics"].as_array().cloned().unwrap_or_default();
            held.largest = held.largest.max(metrics.len());
            let kept = held.metrics.entry(id).or_default();
            for metric in metrics {
                let line =
                    format!("{} {} {} {}", metric["key"].as_str().expect("a key"), metric["step"], metric["timestamp"], metric["value"]);
                // equal numbers are kept once
                kept.insert(line);
            }
            (200, json!({}))
        }
        "runs/update" => {
            let Some(run) = held.runs.get_mut(&id) else { return missing() };
            run["status"] = body["status"].clone();
            (200, json!({}))
        }
        "runs/delete" | "runs/restore" => {
            let Some(run) = held.runs.get_mut(&id) else { return missing() };
            run["stage"] = if path.ends_with("delete") { "deleted".into() } else { "active".into() };
            (200, json!({}))
        }
        "registered-models/create" => {
            let name = body["name"].as_str().expect("a name").to_owned();
            if held.models.contains_key(&name) {
                return (400, json!({ "error_code": "RESOURCE_ALREADY_EXISTS", "message": "there" }));
            }
            held.models.insert(name.clone(), json!({ "name": name, "tags": body["tags"], "aliases": [], "versions": [] }));
            (200, json!({}))
        }
        "registered-models/get" => {
            let name = query.strip_prefix("name=").unwrap_or_default();
            held.models.get(name).map_or_else(missing, |model| (200, json!({ "registered_model": model })))
        }
        "model-versions/create" => {
            let model = held.models.get_mut(body["name"].as_str().expect("a name")).expect("a model");
            let versions = model["versions"].as_array_mut().expect("versions");
            versions.push(body.clone());
            // its own count: three were there before
            (200, json!({ "model_version": { "version": (versions.len() + 3).to_string() } }))
        }
        "registered-models/alias" if method == "POST" => {
            let model = held.models.get_mut(body["name"].as_str().expect("a name")).expect("a model");
            model["aliases"].as_array_mut().expect("aliases").push(json!({ "alias": body["alias"], "version": body["version"] }));
            (200, json!({}))
        }
        "model-versions/search" | "runs/log-inputs" | "runs/delete-tag" | "registered-models/alias" | "registered-models/delete" => {
            (200, json!({}))
        }
        _ => missing(),
    }
}

fn put(object: &mut Value, pairs: &Value) {
    for pair in pairs.as_array().into_iter().flatten() {
        object[pair["key"].as_str().expect("a key")] = pair["value"].clone();
    }
}
