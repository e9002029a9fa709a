//! The mirror on a tracking server: a tiny one on the loopback address that is away, fails, hangs and cuts lines off; and the real one
//! where there is a Python with mlflow.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tuning_fork::track::mlflow::{MirrorError, Settings, Target, Told, once, spawn};
use tuning_fork::track::{Registry, Trash};

use super::real::{check, python, read};
use super::server::{Mood, Server};
use super::{add_steps, mirror, runs};

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

fn remarks(told: &[Told]) -> Vec<String> {
    let mut remarks = told.iter().filter_map(|told| if let Told::Remarks(remarks) = told { Some(remarks.clone()) } else { None });
    remarks.next_back().unwrap_or_default()
}

#[test]
fn a_run_that_was_deleted_there_while_it_trains_comes_back_and_one_that_is_refused_keeps_no_others_out() {
    let (_folder, settings) = runs();
    let server = Server::start();
    let settings = server.settings(&settings);
    mirror(&settings);
    let delete = |name: &str| {
        server.change(|held| held.runs.values_mut().find(|run| run["name"] == name).expect("a run")["stage"] = "deleted".into());
    };
    delete("second");
    add_steps(&settings.runs.join("second"), 1..4);
    let said = remarks(&mirror(&settings));
    assert!(said.len() == 1 && said[0].contains("second: it was deleted on the server"), "{said:?}");
    assert_eq!(server.count("second", "step_loss"), 3);
    // one that makes no sense to the server is left out; it is no reason to hide it
    server.change(|held| held.disliked = Some("second".into()));
    for run in ["second", "first"] {
        add_steps(&settings.runs.join(run), 4..8);
    }
    let told = mirror(&settings);
    let said = remarks(&told);
    assert!(said.len() == 1 && said[0].contains("second is left out now"), "{said:?}");
    assert!(matches!(told.last(), Some(Told::UpToDate { written: 1, runs: 4 })), "{told:?}");
    assert_eq!((server.count("second", "step_loss"), server.count("The first", "step_loss")), (3, 4));
    assert!(server.held(|held| held.runs.values().all(|run| run["stage"] == "active")));
    server.change(|held| held.disliked = None);
    assert!(remarks(&mirror(&settings)).is_empty());
    assert_eq!(server.count("second", "step_loss"), 7);
}

#[test]
fn trials_wait_for_the_search_that_a_server_refused() {
    let (_folder, settings) = runs();
    let server = Server::start();
    let settings = server.settings(&settings);
    server.change(|held| held.barred = Some("study".into()));
    let told = mirror(&settings);
    let said = remarks(&told);
    for words in
        ["study/trial-0000 is left out now: the store did not take its search", "study/trial-0001 is left out", "a search is left out"]
    {
        assert!(said.iter().any(|why| why.contains(words)), "{words}: {said:?}");
    }
    assert!(matches!(told.last(), Some(Told::UpToDate { written: 2, runs: 4 })), "{told:?}");
    assert_eq!(
        (server.count("second", "valid_loss"), server.held(|held| held.runs.values().any(|run| run["name"] == "trial-0000"))),
        (4, false)
    );
    server.change(|held| held.barred = None);
    assert!(remarks(&mirror(&settings)).is_empty());
    let parent = server
        .held(|held| held.runs.values().find(|run| run["name"] == "trial-0000").expect("a trial")["tags"]["mlflow.parentRunId"].clone());
    assert!(server.held(|held| held.runs.get(parent.as_str().expect("a parent")).is_some_and(|run| run["name"] == "study")), "{parent}");
}

#[test]
fn what_is_too_large_for_a_server_is_left_out_and_the_rest_is_there() {
    let (_folder, settings) = runs();
    let server = Server::start();
    let settings = server.settings(&settings);
    server.change(|held| held.limit = Some(20_000));
    add_steps(&settings.runs.join("second"), 1..1200);
    Registry::of(&settings.runs).register(&settings.runs.join("first"), "galaxies", "", None).expect("registers");
    let told = mirror(&settings);
    let said = remarks(&told);
    assert!(said.iter().any(|why| why.contains("galaxies@1 is left out") && why.contains("too large")), "{said:?}");
    assert!(matches!(told.last(), Some(Told::UpToDate { written: 4, runs: 4 })), "{told:?}");
    // a thousand numbers are too many for one request, and go in several
    assert_eq!((server.count("second", "step_loss"), server.count("second", "valid_loss")), (1199, 4));
    assert_eq!(server.held(|held| held.models["galaxies"]["versions"].as_array().map(Vec::len)), Some(0));
}

#[test]
fn two_mirrors_of_one_folder_on_one_server_wait_for_each_other_and_what_is_left_out_is_said_once() {
    let (_folder, settings) = runs();
    let server = Server::start();
    let settings = server.settings(&settings);
    std::fs::write(settings.runs.join("second/about.json"), "{").expect("writes");
    let (sender, told) = std::sync::mpsc::channel();
    let handle = spawn(settings.clone(), move |words| drop(sender.send(words))).expect("a thread");
    let patience = Duration::from_mins(2);
    let hear = || told.recv_timeout(patience).expect("it tells");
    assert!(matches!(hear(), Told::Remarks(said) if said.len() == 1 && said[0].contains("second is left out now")));
    assert_eq!(hear(), Told::UpToDate { written: 3, runs: 3 });
    let error = once(&settings, &mut |_| {}).expect_err("another one is at work");
    assert!(matches!(&error, MirrorError::Away(why) if why.contains("another program mirrors these runs")), "{error:?}");
    assert_eq!(hear(), Told::UpToDate { written: 0, runs: 3 });
    std::fs::remove_file(settings.runs.join("second/about.json")).expect("removes");
    while hear() != Told::Remarks(Vec::new()) {}
    drop(handle);
    while told.recv_timeout(patience).is_ok() {}
    mirror(&settings);
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
            assert!(!matches!(words, Told::Off(_) | Told::Remarks(_)), "{words:?}");
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
