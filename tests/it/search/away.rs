//! Databases that are away, or silent, when a search begins, and searches that are to end meanwhile.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};

use tuning_fork::search::{Address, TrialState, spawn};

use super::cluster::{TINY, database, worker};
use super::*;
use crate::postgres::Server;

/// The address of a server that takes connections and never says a word; it is there as long as the listener.
fn silent_server() -> (TcpListener, String) {
    // the system takes connections for a listener that never asks for them
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, format!("postgresql://tuner@127.0.0.1:{port}/galaxies?connect_timeout=1"))
}

#[test]
fn a_worker_waits_for_a_database_that_starts_after_it() {
    let Some(mut server) = Server::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("space.toml"), SPACE).expect("a file");
    let address = server.database("late");
    server.stop();
    let arguments = [TINY, &["--epochs=1", "--trials=1", "--wait=600"]].concat();
    let mut child = worker(folder.path(), &address, &arguments).spawn().expect("a worker");
    let mut said = BufReader::new(child.stderr.take().expect("its words"));
    let mut first = String::new();
    said.read_line(&mut first).expect("a line");
    assert!(first.contains("can be reached") && first.contains("tried again for 600 s"), "{first}");
    server.resume();
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("text");
    assert!(child.wait().expect("an end").success(), "{rest}");
    let study = search::studies(&database(&address, folder.path()), "galaxies").expect("a readable database").pop().expect("the study");
    assert_eq!(study.trials.iter().map(|trial| trial.state).collect::<Vec<_>>(), [TrialState::Complete]);
}

#[test]
fn a_server_that_never_answers_holds_nobody_for_ever() {
    let (_listener, address) = silent_server();
    let folder = tempfile::tempdir().expect("a folder");
    let output = worker(folder.path(), &address, &["--wait=1"]).output().expect("a worker");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("did not answer") && said.contains("Look whether it hangs"), "{said}");
    let error = search::studies(&database(&address, folder.path()), "galaxies").expect_err("nobody answers");
    assert!(matches!(error, SearchError::Away { .. }), "{error}");
}

#[test]
fn a_search_that_is_closed_does_not_wait_for_a_database() {
    let (_listener, address) = silent_server();
    let folder = tempfile::tempdir().expect("a folder");
    // an hour for the connection, a day for the database
    let address = Address::parse(&address.replace("timeout=1", "timeout=3600")).expect("an address");
    let storage = Storage::Database { address, folder: folder.path().into() };
    let mut handle = spawn(Plan { wait: std::time::Duration::from_hours(24), ..plan_in(storage, 1) }, galaxies(), None);
    let start = std::time::Instant::now();
    handle.close();
    while !handle.is_finished() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(start.elapsed() < std::time::Duration::from_mins(30), "it waited for the connection");
    let ended = handle.drain().into_iter().any(|event| matches!(event, Event::SearchEnded(ended) if ended.ending == Ending::Stopped));
    assert!(ended, "it was stopped");
}

#[test]
fn a_search_that_is_closed_leaves_its_trial_for_the_next_although_its_journal_is_locked() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plan = plan(folder.path(), 1);
    plan.base.epochs = 10;
    plan.base.patience = 0;
    let mut handle = spawn(plan.clone(), galaxies(), None);
    while !handle.drain().iter().any(|event| matches!(event, Event::TrialEpoch(_))) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // another process that holds the lock, and writes from time to time, so that it lives
    let lock = folder.path().join("study.log.lock");
    while std::os::unix::fs::symlink(journal(&plan), &lock).is_err() {
        std::thread::yield_now();
    }
    let start = std::time::Instant::now();
    handle.close();
    while !handle.is_finished() {
        let file = std::fs::OpenOptions::new().append(true).open(journal(&plan)).expect("the journal");
        file.set_modified(std::time::SystemTime::now()).expect("a time");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    drop(handle);
    assert!(start.elapsed() < std::time::Duration::from_mins(5), "it waited for the lock");
    std::fs::remove_file(&lock).expect("the lock");
    let trial = &study(&plan).trials[0];
    assert_eq!(trial.state, TrialState::Running, "nobody could be told");
    let run = tuning_fork::train::RunFolder::open(folder.path().join(search::run_of(trial).expect("a run"))).expect("a run folder");
    assert!(run.last_checkpoint().is_file() && !run.is_busy());
    let (ending, events) = run_to_end(&plan);
    assert_eq!(ending, Ending::Trials);
    assert!(events.iter().any(|event| matches!(event, Event::TrialStarted(started) if started.resumed && started.number == 0)));
    assert_eq!(study(&plan).trials[0].state, TrialState::Complete);
}

fn run_to_end(plan: &Plan) -> (Ending, Vec<Event>) {
    let (ending, events) = run(plan, |_, _| {});
    (ending.expect("a good end"), events)
}
