//! The mirror in MLflow: rows of the database, what happens twice, live, against a will of its own; and what the real mlflow reads
//! in it (skipped with a word where there is none: `TUNING_FORK_PYTHON` may name a Python that has it).

mod maps;
mod real;
mod rest;
mod server;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use tuning_fork::track::mlflow::{MirrorError, PATIENCE, Settings, Target, Told, once};
use tuning_fork::track::{About, Registry, Rule, Trash};
use tuning_fork::train::{Event, Steps};

use super::write;
use crate::folders::write_model;

/// Two runs and a search of two trials, of which one has a model; where they are, and where their mirror shall be.
pub fn runs() -> (TempDir, Settings) {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = folder.path().join("runs");
    for (seed, name) in ["first", "second", "study/trial-0000", "study/trial-0001"].into_iter().enumerate() {
        write(&runs.join(name), seed as u64, |_| {});
    }
    write_model(&runs.join("first"), 4, 1);
    let about = About { name: "The first".into(), notes: "wide".into(), tags: vec!["final!".into()] };
    about.write(&runs.join("first")).expect("writes");
    let target = Target::Database(folder.path().join("mlflow.db"));
    (folder, Settings { runs, target, experiment: "galaxies".into(), rebuild: false, patience: PATIENCE, draw_maps: None })
}

/// Adds training steps to what a run told.
pub fn add_steps(run: &Path, steps: std::ops::Range<usize>) {
    let mut file = fs::OpenOptions::new().append(true).open(run.join("events.jsonl")).expect("a file");
    for step in steps {
        let event = Event::Steps(Steps {
            epoch: 5,
            step,
            step_in_epoch: step,
            count: 1,
            images: 32,
            loss: 1.0 / step as f64,
            accuracy: 0.5,
            learning_rate: 1e-3,
            gradient_norm: 1.0,
            seconds: 0.25,
            wait: 0.0,
        });
        writeln!(file, "{}", serde_json::to_string(&event).expect("JSON")).expect("a line");
    }
}

pub fn mirror(settings: &Settings) -> Vec<Told> {
    let mut told = Vec::new();
    once(settings, &mut |words| told.push(words)).unwrap_or_else(|error| panic!("{error}"));
    told
}

fn database(settings: &Settings) -> PathBuf {
    let Target::Database(path) = &settings.target else { panic!("a database") };
    path.clone()
}

fn ask<T: rusqlite::types::FromSql>(settings: &Settings, query: &str) -> T {
    let connection = Connection::open(database(settings)).expect("SQLite");
    connection.query_row(query, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn count(settings: &Settings, of: &str) -> i64 {
    ask(settings, &format!("SELECT count(*) FROM {of}"))
}

/// Everything in the database, to be compared.
fn dump(settings: &Settings) -> Vec<String> {
    let connection = Connection::open(database(settings)).expect("SQLite");
    let mut lines = Vec::new();
    for table in
        ["experiments", "runs", "params", "tags", "metrics", "latest_metrics", "datasets", "inputs", "input_tags", "model_versions"]
    {
        let mut query = connection.prepare(&format!("SELECT * FROM {table}")).expect("a table");
        let columns = query.column_count();
        let mut rows = query.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let cells = (0..columns).map(|column| format!("{:?}", row.get_ref(column).expect("a cell")));
            lines.push(format!("{table} {}", cells.collect::<Vec<_>>().join(" ")));
        }
    }
    lines.sort();
    lines
}

#[test]
fn runs_are_rows_of_mlflow_and_twice_is_once() {
    let (folder, settings) = runs();
    add_steps(&settings.runs.join("first"), 1..2500);
    assert_eq!(mirror(&settings), [Told::UpToDate { written: 4, runs: 4 }]);
    // four runs, and the search above two of them
    assert_eq!((count(&settings, "runs"), count(&settings, "experiments")), (5, 2));
    let first = "run_uuid = (SELECT run_uuid FROM runs WHERE name = 'The first')";
    assert_eq!(ask::<String>(&settings, "SELECT status FROM runs WHERE name = 'The first'"), "FINISHED");
    assert_eq!(ask::<String>(&settings, &format!("SELECT value FROM params WHERE {first} AND key = 'lr'")), "0.003");
    assert_eq!(ask::<String>(&settings, &format!("SELECT value FROM tags WHERE {first} AND key = 'mlflow.note.content'")), "wide");
    assert_eq!(ask::<String>(&settings, &format!("SELECT value FROM tags WHERE {first} AND key = 'tag.final_'")), "final!");
    // every step and every epoch
    assert_eq!(count(&settings, &format!("metrics WHERE {first} AND key = 'step_loss'")), 2499);
    assert_eq!(count(&settings, &format!("metrics WHERE {first} AND key = 'valid_macro_f1'")), 4);
    assert_eq!(ask::<i64>(&settings, &format!("SELECT step FROM latest_metrics WHERE {first} AND key = 'step_loss'")), 2499);
    // six seconds an epoch, as the folder was written, and a quarter a step
    let last = format!("SELECT timestamp FROM latest_metrics WHERE {first} AND key =");
    assert_eq!(
        (ask::<i64>(&settings, &format!("{last} 'valid_loss'")), ask::<i64>(&settings, &format!("{last} 'step_loss'"))),
        (24_000, 648_750)
    );
    assert_eq!((count(&settings, "datasets"), count(&settings, "inputs"), count(&settings, "input_tags")), (1, 4, 4));
    let trials = "tags WHERE key = 'mlflow.parentRunId' AND value = (SELECT run_uuid FROM runs WHERE name = 'study')";
    assert_eq!(count(&settings, trials), 2);
    let artifacts: String = ask(&settings, "SELECT artifact_uri FROM runs WHERE name = 'The first'");
    assert!(Path::new(&artifacts).starts_with(folder.path().canonicalize().expect("a folder").join("mlartifacts")), "{artifacts}");
    let png = fs::read(Path::new(&artifacts).join("confusion.png")).expect("a picture");
    assert!(tuning_fork::imaging::decode(&png).expect("a picture").width() > 100);
    let before = dump(&settings);
    assert_eq!(mirror(&settings), [Told::UpToDate { written: 0, runs: 4 }]);
    assert_eq!(dump(&settings), before);
    // and once more from nothing
    mirror(&Settings { rebuild: true, ..settings.clone() });
    assert_eq!(dump(&settings), before);
}

#[test]
fn what_a_run_tells_later_is_added_and_a_half_written_line_waits() {
    let (_folder, settings) = runs();
    mirror(&settings);
    let run = settings.runs.join("second");
    let steps = |n| assert_eq!(count(&settings, "metrics WHERE key = 'step_loss'"), n);
    steps(0);
    add_steps(&run, 1..6);
    assert_eq!(mirror(&settings), [Told::UpToDate { written: 1, runs: 4 }]);
    steps(5);
    let whole = fs::read(run.join("events.jsonl")).expect("a file");
    add_steps(&run, 6..8);
    let all = fs::read(run.join("events.jsonl")).expect("a file");
    fs::write(run.join("events.jsonl"), &all[..all.len() - 20]).expect("writes");
    mirror(&settings);
    steps(6);
    fs::write(run.join("events.jsonl"), &all).expect("writes");
    mirror(&settings);
    steps(7);
    assert!(whole.len() < all.len());
    // in the trash it is hidden, and comes back
    let stage = || ask::<String>(&settings, "SELECT lifecycle_stage FROM runs WHERE name = 'second'");
    let trashed = Trash::of(&settings.runs).put("second").expect("goes");
    mirror(&settings);
    assert_eq!(stage(), "deleted");
    Trash::of(&settings.runs).restore(&trashed).expect("comes back");
    mirror(&settings);
    assert_eq!(stage(), "active");
    steps(7);
    // a tag that is taken away goes
    About { name: "The first".into(), ..About::default() }.write(&settings.runs.join("first")).expect("writes");
    mirror(&settings);
    assert_eq!(count(&settings, "tags WHERE key LIKE 'tag.%'"), 0);
}

#[test]
fn registered_models_have_versions_and_aliases_there_too() {
    let (_folder, settings) = runs();
    let registry = Registry::of(&settings.runs);
    registry.register(&settings.runs.join("first"), "galaxies", "", None).expect("registers");
    write_model(&settings.runs.join("second"), 4, 2);
    registry.register(&settings.runs.join("second"), "galaxies", "", None).expect("registers");
    registry.promote("galaxies", 2, "production", Rule::ByHand).expect("promotes");
    mirror(&settings);
    let source: String = ask(&settings, "SELECT source FROM model_versions WHERE version = 1");
    assert!(Path::new(&source).join("best.safetensors").is_file(), "{source}");
    let of_run = "model_versions v JOIN runs ON run_uuid = run_id WHERE v.version = 2 AND runs.name = 'second'";
    assert_eq!(count(&settings, of_run), 1);
    assert!(ask::<String>(&settings, "SELECT description FROM model_versions WHERE version = 1").contains("## Intended use"));
    assert_eq!(ask::<i64>(&settings, "SELECT version FROM registered_model_aliases WHERE alias = 'production'"), 2);
    // a model that cannot be read is not one that is gone
    let file = settings.runs.join("models/galaxies/model.json");
    let text = fs::read_to_string(&file).expect("text");
    fs::write(&file, "{").expect("writes");
    let told = mirror(&settings);
    assert!(told.iter().any(|told| matches!(told, Told::Remarks(all) if all.iter().any(|why| why.contains("model.json")))), "{told:?}");
    assert_eq!((count(&settings, "model_versions"), count(&settings, "registered_models")), (2, 1));
    fs::write(&file, text).expect("writes");
    registry.promote("galaxies", 1, "production", Rule::ByHand).expect("promotes");
    registry.delete("galaxies", 2, true).expect("goes");
    mirror(&settings);
    assert_eq!(ask::<i64>(&settings, "SELECT version FROM registered_model_aliases WHERE alias = 'production'"), 1);
    assert_eq!(count(&settings, "model_versions"), 1);
    registry.delete("galaxies", 1, true).expect("goes");
    mirror(&settings);
    assert_eq!((count(&settings, "model_versions"), count(&settings, "registered_models")), (0, 0));
    // a model of that name that somebody else made is left alone
    let theirs = Connection::open(database(&settings)).expect("SQLite");
    theirs.execute("INSERT INTO registered_models (name) VALUES ('mine')", []).expect("a row");
    write_model(&settings.runs.join("second"), 4, 3);
    registry.register(&settings.runs.join("second"), "mine", "", None).expect("registers");
    let told = mirror(&settings);
    assert!(
        told.iter().any(|told| matches!(told, Told::Remarks(all) if all.iter().any(|why| why.contains("mine is left out")))),
        "{told:?}"
    );
    assert_eq!(count(&settings, "model_versions"), 0);
}

fn refuse(settings: &Settings) -> MirrorError {
    once(settings, &mut |_| {}).expect_err("it cannot be written")
}

#[test]
fn a_database_that_cannot_be_used_is_refused_in_words() {
    let (folder, settings) = runs();
    let path = database(&settings);
    mirror(&settings);
    let change = |sql: &str| Connection::open(&path).expect("SQLite").execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let said = |part: &str| {
        let error = refuse(&settings);
        assert!(
            matches!(&error, MirrorError::Refused(why) if why.contains(part) && why.contains("The mirror is off")),
            "{part}: {error:?}"
        );
    };
    // more that need not be said is no matter
    change(
        "ALTER TABLE runs ADD COLUMN mood VARCHAR(20); ALTER TABLE metrics ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'; DELETE FROM alembic_version; INSERT INTO alembic_version VALUES ('from the future')",
    );
    add_steps(&settings.runs.join("second"), 1..3);
    mirror(&settings);
    assert_eq!(count(&settings, "metrics WHERE key = 'step_loss' AND colour = 'red'"), 2);
    change("ALTER TABLE tags RENAME COLUMN value TO worth");
    said("table tags has no column value");
    change(
        "ALTER TABLE tags RENAME COLUMN worth TO value; ALTER TABLE input_tags RENAME TO labels; CREATE TABLE input_tags (input_uuid, name, value, shade NOT NULL)",
    );
    said("table input_tags wants a column shade");
    change("DROP TABLE input_tags");
    said("no table input_tags");
    fs::write(&path, "this is no database, and longer than a header of one hundred bytes would be ".repeat(3)).expect("writes");
    said("no SQLite database");
    let nowhere = Settings { target: Target::Database(folder.path().join("nowhere/mlflow.db")), ..settings.clone() };
    assert!(refuse(&nowhere).to_string().contains("is not there; make it"));
    fs::remove_file(&path).expect("removes");
    fs::create_dir(&path).expect("a folder in its place");
    said("cannot be written");
}

#[test]
fn a_locked_database_is_tried_again() {
    let (_folder, settings) = runs();
    mirror(&settings);
    let other = Connection::open(database(&settings)).expect("SQLite");
    other.execute_batch("BEGIN EXCLUSIVE").expect("locks");
    add_steps(&settings.runs.join("second"), 1..3);
    let error = refuse(&settings);
    assert!(matches!(&error, MirrorError::Away(why) if why.contains("locked by another program")), "{error:?}");
    other.execute_batch("ROLLBACK").expect("lets go");
    mirror(&settings);
    assert_eq!(count(&settings, "metrics WHERE key = 'step_loss'"), 2);
    other.execute_batch("UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = 'galaxies'").expect("deletes");
    assert!(refuse(&settings).to_string().contains("the experiment galaxies"));
}

#[test]
fn what_a_broken_run_says_does_not_stop_the_others() {
    let (_folder, settings) = runs();
    let events = settings.runs.join("first/events.jsonl");
    let text = fs::read_to_string(&events).expect("text");
    fs::write(settings.runs.join("second/config.json"), "{").expect("writes");
    fs::write(&events, text.replacen("\"valid_loss\":", "\"valid_loss\":1e999,\"was\":", 1)).expect("writes");
    mirror(&settings);
    assert!(count(&settings, "runs") >= 3);
    // one that cannot be read any more is not gone
    mirror(&settings);
    assert_eq!(count(&settings, "runs WHERE lifecycle_stage = 'deleted'"), 0);
}

#[test]
fn runs_out_of_reach_are_not_deleted_there_and_another_experiment_takes_them() {
    let (_folder, settings) = runs();
    mirror(&settings);
    let elsewhere = settings.runs.with_file_name("unplugged");
    fs::rename(&settings.runs, &elsewhere).expect("moves");
    let why = refuse(&settings).to_string();
    assert!(why.contains("not there now"), "{why}");
    assert_eq!(count(&settings, "runs WHERE lifecycle_stage = 'deleted'"), 0);
    fs::rename(&elsewhere, &settings.runs).expect("moves");
    let other = Settings { experiment: "others".into(), ..settings.clone() };
    mirror(&other);
    let in_other = "runs r JOIN experiments e ON e.experiment_id = r.experiment_id WHERE e.name = 'others'";
    assert_eq!(count(&settings, in_other), count(&settings, "runs"));
    assert_eq!(count(&settings, "runs WHERE artifact_uri LIKE '%' || run_uuid || '%'"), count(&settings, "runs"));
}

#[test]
fn a_mirror_follows_runs_until_it_is_let_go() {
    let (_folder, settings) = runs();
    let (sender, told) = std::sync::mpsc::channel();
    let handle = tuning_fork::track::mlflow::spawn(settings.clone(), move |words| drop(sender.send(words))).expect("a thread");
    let patience = std::time::Duration::from_mins(2);
    assert_eq!(told.recv_timeout(patience), Ok(Told::UpToDate { written: 4, runs: 4 }));
    add_steps(&settings.runs.join("second"), 1..4);
    while told.recv_timeout(patience).expect("it goes on") != (Told::UpToDate { written: 1, runs: 4 }) {}
    assert_eq!(count(&settings, "metrics WHERE key = 'step_loss'"), 3);
    drop(handle);
    // its end hangs up
    while told.recv_timeout(patience).is_ok() {}
    assert_eq!(told.try_recv(), Err(std::sync::mpsc::TryRecvError::Disconnected));
}
