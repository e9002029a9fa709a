//! The mirror on a tracking server: a tiny one on the loopback address that is away, fails, hangs and cuts lines off; and the real one
//! where there is a Python with mlflow.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tuning_fork::track::mlflow::{MirrorError, Settings, Target, Told, once, spawn};
use tuning_fork::track::{Registry, Trash};

use super::real::{check, python, read};
use super::{add_steps, mirror, runs};

/// What the server does with the next requests.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
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
struct Held {
    /// Runs by their ids there: parameters, tags, status, the numbers without repetitions.
    runs: BTreeMap<String, Value>,
    metrics: BTreeMap<String, BTreeSet<String>>,
    files: BTreeMap<String, usize>,
    models: BTreeMap<String, Value>,
    requests: Vec<String>,
    /// The most numbers in one request.
    largest: usize,
}

struct Server {
    address: String,
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
    fn start() -> Self {
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
    fn feel(&self, moods: &[Mood]) {
        *self.mood.lock().expect("a lock") = moods.iter().rev().copied().collect();
    }

    fn held<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.held.lock().expect("a lock"))
    }

    fn settings(&self, settings: &Settings) -> Settings {
        Settings { target: Target::Server(self.address.clone()), patience: Duration::from_secs(5), ..settings.clone() }
    }

    /// The numbers of this name of a run, by the run's name.
    fn count(&self, run: &str, key: &str) -> usize {
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
        "runs/create" => {
            let id = format!("run{}", held.runs.len());
            let mut run = json!({ "name": body["run_name"], "tags": {}, "params": {}, "status": "RUNNING", "stage": "active" });
            put(&mut run["tags"], &body["tags"]);
            held.runs.insert(id.clone(), run);
            (200, json!({ "run": { "info": { "run_id": id, "artifact_uri": format!("mlflow-artifacts:/7/{id}/artifacts") } } }))
        }
        "runs/log-batch" => {
            let Some(run) = held.runs.get_mut(&id) else { return missing() };
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

#[test]
fn a_server_gets_runs_numbers_in_batches_files_and_models_once() {
    let (_folder, settings) = runs();
    let server = Server::start();
    let settings = server.settings(&settings);
    add_steps(&settings.runs.join("second"), 1..1200);
    Registry::of(&settings.runs).register(&settings.runs.join("first"), "galaxies", "", None).expect("registers");
    assert_eq!(mirror(&settings), [Told::UpToDate { written: 4, runs: 4 }]);
    assert_eq!((server.count("second", "step_loss"), server.count("second", "valid_loss")), (1199, 4));
    let requests = server.held(|held| {
        assert_eq!(held.largest, 1000);
        let named = |name: &str| held.runs.iter().find(|(_, run)| run["name"] == name).expect("a run");
        let (study, trial) = (named("study"), named("trial-0000").1);
        assert_eq!(trial["tags"]["mlflow.parentRunId"], study.0.as_str());
        assert_eq!((&study.1["status"], &trial["status"]), (&"FINISHED".into(), &"FINISHED".into()));
        let (id, first) = named("The first");
        assert_eq!((&first["params"]["lr"], &first["tags"]["tag.final_"]), (&"0.003".into(), &"final!".into()));
        assert!(held.files[&format!("7/{id}/artifacts/confusion.png")] > 500);
        assert!(held.files[&format!("7/{id}/artifacts/model-galaxies-1/best.safetensors")] > 100_000);
        let model = &held.models["galaxies"];
        assert_eq!(model["versions"][0]["source"], format!("mlflow-artifacts:/7/{id}/artifacts/model-galaxies-1"));
        assert_eq!(model["aliases"], json!([{ "alias": "champion", "version": "4" }]));
        held.requests.len()
    });
    // the second time there is nothing to tell
    mirror(&settings);
    assert!(server.held(|held| held.requests[requests..].iter().all(|request| !request.contains("runs/"))));
    let trashed = Trash::of(&settings.runs).put("second").expect("goes");
    mirror(&settings);
    let stage = || server.held(|held| held.runs.values().find(|run| run["name"] == "second").expect("a run")["stage"].clone());
    assert_eq!(stage(), "deleted");
    Trash::of(&settings.runs).restore(&trashed).expect("comes back");
    mirror(&settings);
    assert_eq!(stage(), "active");
}

#[test]
fn what_a_server_missed_is_told_when_it_is_back() {
    let (_folder, settings) = runs();
    let server = Server::start();
    let settings = server.settings(&settings);
    // each of these ends a try, at another request
    server.feel(&[Mood::Broken, Mood::Good, Mood::Good, Mood::Good, Mood::Good, Mood::Cut, Mood::Good, Mood::Silent]);
    let told = mirror(&settings);
    let away = told.iter().filter(|told| matches!(told, Told::Away(why) if why.contains("it is tried again"))).count();
    assert_eq!(away, 3, "{told:?}");
    assert!(matches!(told.last(), Some(Told::UpToDate { runs: 4, .. })), "{told:?}");
    for run in ["The first", "second", "trial-0000", "trial-0001"] {
        assert_eq!(server.count(run, "valid_loss"), 4, "{run}");
    }
    // no run is there twice, although the answer to its creation may have been cut off
    assert_eq!(server.held(|held| held.runs.len()), 5);
    // while it is away, training goes on; another process tells the rest
    server.feel(&[Mood::Broken; 100]);
    add_steps(&settings.runs.join("second"), 1..4);
    let error = once(&settings, &mut |_| {}).expect_err("it is away");
    assert!(matches!(&error, MirrorError::Away(why) if why.contains("answers 500")), "{error:?}");
    server.feel(&[]);
    add_steps(&settings.runs.join("second"), 4..6);
    mirror(&settings);
    assert_eq!(server.count("second", "step_loss"), 5);
}

#[test]
fn a_watched_server_that_comes_back_gets_everything() {
    let (_folder, settings) = runs();
    let server = Server::start();
    let settings = server.settings(&settings);
    server.feel(&[Mood::Broken, Mood::Broken]);
    let (sender, told) = std::sync::mpsc::channel();
    let handle = spawn(settings, move |words| drop(sender.send(words))).expect("a thread");
    let patience = Duration::from_mins(2);
    for _ in 0..2 {
        assert!(matches!(told.recv_timeout(patience).expect("it tells"), Told::Away(_)));
    }
    assert_eq!(told.recv_timeout(patience), Ok(Told::UpToDate { written: 4, runs: 4 }));
    drop(handle);
}

#[test]
fn what_is_no_tracking_server_is_refused_in_words() {
    let (_folder, settings) = runs();
    let server = Server::start();
    let elsewhere = Settings { target: Target::Server(format!("{}/elsewhere", server.address)), ..server.settings(&settings) };
    let error = once(&elsewhere, &mut |_| {}).expect_err("there is nothing");
    assert!(matches!(&error, MirrorError::Refused(why) if why.contains("there is no such thing")), "{error:?}");
    drop(server);
}

/// A real tracking server, ended with this value.
struct Real(Child);

impl Drop for Real {
    fn drop(&mut self) {
        // its workers end with their standard input's process group, which is its own
        let _ = Command::new("kill").args(["--", &format!("-{}", self.0.id())]).status();
        let _ = self.0.wait();
    }
}

#[test]
fn a_real_server_receives_a_live_run() {
    let Some(python) = python() else { return };
    let (folder, settings) = runs();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
    let address = format!("http://127.0.0.1:{port}");
    let backend = format!("sqlite:///{}", folder.path().join("server.db").display());
    let files = folder.path().join("files");
    let mut command = Command::new(&python);
    command.args([
        "-m",
        "mlflow",
        "server",
        "--workers",
        "1",
        "--host",
        "127.0.0.1",
        "--port",
        &port.to_string(),
        "--backend-store-uri",
        &backend,
    ]);
    command
        .arg("--artifacts-destination")
        .arg(&files)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let _server = Real(command.spawn().expect("a server"));
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < Duration::from_mins(4), "the server does not start");
        std::thread::sleep(Duration::from_millis(200));
    }
    let settings = Settings { target: Target::Server(address.clone()), ..settings };
    let run = settings.runs.join("second");
    add_steps(&run, 1..4);
    Registry::of(&settings.runs).register(&settings.runs.join("first"), "galaxies", "", None).expect("registers");
    let (sender, told) = std::sync::mpsc::channel();
    let handle = spawn(settings.clone(), move |words| drop(sender.send(words))).expect("a thread");
    let patience = Duration::from_mins(3);
    let up_to_date = |written: usize| {
        loop {
            let words = told.recv_timeout(patience).expect("it tells");
            assert!(!matches!(words, Told::Off(_) | Told::Note(_)), "{words:?}");
            if matches!(words, Told::UpToDate { written: now, .. } if now >= written) {
                break;
            }
        }
    };
    up_to_date(4);
    add_steps(&run, 4..1300);
    up_to_date(1);
    drop(handle);
    let told = read(&python, &address);
    check(&told, 1299);
    assert_eq!(told["version"][2].as_str().map(|source| source.starts_with("mlflow-artifacts:/")), Some(true));
    mirror(&settings);
    assert_eq!(read(&python, &address)["runs"], told["runs"]);
}
