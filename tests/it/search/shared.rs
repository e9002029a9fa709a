//! Whose a trial of a database is: what the rows say while another process writes to them, after an outage, and of owners with other
//! habits. Rows are set by hand, so that nothing depends on how fast anybody is.

#![cfg(unix)]

use std::io::Write;
use std::process::Stdio;

use tuning_fork::search::{Address, DatabaseReader, TrialState};

use super::cluster::{TINY, database, worker};
use super::*;
use crate::postgres::Server;

/// A study of one trial that was trained, and then made one that still runs; the last sign of life of its owner was a day ago.
fn silent_trial(server: &Server, folder: &Path, name: &str) -> (String, Storage) {
    std::fs::write(folder.join("space.toml"), SPACE).expect("a file");
    let address = server.database(name);
    let output = worker(folder, &address, &[TINY, &["--epochs=2", "--trials=1", "--pruner=none"]].concat()).output().expect("a worker");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    server.sql(
        name,
        "UPDATE trials SET state = 'RUNNING', datetime_complete = NULL; UPDATE trial_heartbeats SET heartbeat = localtimestamp - interval '1 day'",
    );
    let storage = database(&address, &folder.join("searches"));
    (address, storage)
}

fn state(storage: &Storage) -> TrialState {
    search::studies(storage, "galaxies").expect("a readable database")[0].trials[0].state
}

/// Waits until the server ran for longer than `seconds`: before, nobody has been silent for so long.
fn grow_old(server: &Server, seconds: u32) {
    let old = format!("SELECT localtimestamp - pg_postmaster_start_time()::timestamp > interval '{seconds} seconds'");
    while server.sql("postgres", &old).trim() != "t" {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// Sets how many seconds the owner of the trial says to be between two of its signs of life.
fn owner_says(server: &Server, name: &str, seconds: u32) {
    server.sql(name, &format!("UPDATE trial_system_attributes SET value_json = '{seconds}.0' WHERE key = 'tuning_fork:heartbeat'"));
}

#[test]
fn a_sign_of_life_that_is_being_written_keeps_others_from_taking_over() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (address, storage) = silent_trial(&server, folder.path(), "locked");
    owner_says(&server, "locked", 1);
    grow_old(&server, 3);
    // its owner, in the middle of a transaction: it holds the row of the trial, and what it writes nobody sees yet
    let mut owner = server.console("locked");
    let mut commands = owner.stdin.take().expect("a way in");
    let begin = "BEGIN; SELECT FROM trials FOR UPDATE; UPDATE trial_heartbeats SET heartbeat = localtimestamp + interval '1 hour';";
    writeln!(commands, "{begin}").expect("it listens");
    let waiting = |many: &str| {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'locked' AND state";
        while server.sql("postgres", &format!("{count} {many}")).trim() != "1" {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    waiting("= 'idle in transaction'");
    let mut other = worker(folder.path(), &address, &["--trials=1"]);
    let other = other.stderr(Stdio::piped()).spawn().expect("a worker");
    waiting("= 'active' AND wait_event_type = 'Lock'");
    writeln!(commands, "COMMIT;").expect("it listens");
    drop(commands);
    let output = other.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("goes on"), "it lives: {said}");
    assert_eq!(state(&storage), TrialState::Running);
    assert!(owner.wait().expect("an end").success());
}

#[test]
fn an_owner_is_as_silent_as_it_said_it_would_be_whatever_others_are() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (address, storage) = silent_trial(&server, folder.path(), "slow");
    // for a day, but it said that it speaks once in ten days
    owner_says(&server, "slow", 864_000);
    grow_old(&server, 3);
    let look = || {
        let output = worker(folder.path(), &address, &["--trials=1", "--heartbeat=1"]).output().expect("a worker");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said.contains("goes on")
    };
    assert!(!look() && state(&storage) == TrialState::Running);
    owner_says(&server, "slow", 1);
    assert!(look() && state(&storage) == TrialState::Complete);
}

#[test]
fn after_an_outage_nobody_counts_as_gone_before_it_could_be_heard() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (address, _) = silent_trial(&server, folder.path(), "outage");
    owner_says(&server, "outage", 10);
    grow_old(&server, 22);
    let mut reader = DatabaseReader::new(&Address::parse(&address).expect("an address"));
    let mut left = || reader.read(search::HEARTBEAT).map(|read| read.studies[0].1.clone());
    assert_eq!(left().expect("a readable database"), [0]);
    // only our way to it is cut, so the server itself cannot tell
    server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'outage'");
    // the first question may be the one that finds out
    let now = left().or_else(|_| left()).expect("it is back");
    assert!(now.is_empty(), "its owner may have lost the database too");
}
