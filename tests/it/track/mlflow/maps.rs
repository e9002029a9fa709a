//! Where the model of a run looks, among the files of the run in MLflow.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use tuning_fork::data::{Part, synth};
use tuning_fork::imaging::decode;
use tuning_fork::review::{draw_maps, store_maps};
use tuning_fork::track::About;
use tuning_fork::track::mlflow::watch;
use tuning_fork::train::RunFolder;

use super::{Settings, Target, Told, fs, mirror, runs};
use crate::folders::write_model;

fn program(folder: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_tuning-fork")).current_dir(folder).args(arguments).output().expect("the program");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The files of that name below a folder.
fn files(folder: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path, name)
            } else if path.ends_with(name) {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}

#[test]
fn a_run_that_is_over_has_maps_of_validation_pictures_there_and_rebuilding_brings_them_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let small = ["--synthetic-images=60", "--size=32", "--epochs=1", "--batch=16", "--threads=1", "--model=compact"];
    program(folder.path(), &[&["train", "--out=runs/a"][..], &small].concat());
    program(folder.path(), &["track", "--mlflow=sqlite:///mlflow.db"]);
    let kept = fs::read(folder.path().join("runs/a/maps.png")).expect("in the run's folder");
    let there = files(&folder.path().join("mlartifacts"), "maps.png");
    assert!(there.len() == 1 && fs::read(&there[0]).expect("a file") == kept, "{there:?}");
    // ten classes, two a row, each a picture beside its map
    let sheet = decode(&kept).expect("a picture");
    assert!(sheet.width() == 10 + 2 * (2 * 128 + 20) && sheet.height() > 5 * 128, "{} x {}", sheet.width(), sheet.height());
    // the pictures are the first validation image of each class, and so not one of them is a training image
    let run = RunFolder::open(folder.path().join("runs/a")).expect("a run");
    let (config, split) = (run.config().expect("a configuration"), run.split().expect("a split"));
    let all = synth::dataset(split.images, config.size, config.seed).expect("galaxies");
    let at = |x: usize, y: usize| &sheet.pixels()[3 * (y * sheet.width() + x)..][..3];
    let mut below = 10;
    for class in 0..split.classes.len() {
        let of = |image: &usize| split.labels[*image] == class as u32;
        let first = split.split.part(Part::Valid).iter().map(|&image| image as usize).find(of).expect("one of each class");
        let picture = synth::picture(split.images, first, config.size, config.seed).expect("a picture");
        assert_eq!(picture, all.images.image(first).expect("the same"));
        let (shown, left) = (picture.resize(128, 128), 10 + class % 2 * (2 * 128 + 20));
        let stands = |top: usize| (0..128).all(|i| at(left + i, top + i) == &shown.pixels()[3 * (i * 128 + i)..][..3]);
        // how many lines are between the rows is up to the names
        below = (below..=sheet.height() - 128).find(|&top| stands(top)).unwrap_or_else(|| panic!("class {class}, below {below}"));
    }
    // from the folders alone
    fs::remove_file(run.maps_path()).expect("a file");
    program(folder.path(), &["track", "--mlflow=sqlite:///mlflow.db", "--rebuild"]);
    assert!(fs::read(run.maps_path()).expect("drawn again") == kept && files(&folder.path().join("mlartifacts"), "maps.png").len() == 1);
    // what is there is not drawn again
    let before = fs::metadata(run.maps_path()).and_then(|facts| facts.modified()).expect("a time");
    store_maps(&run).expect("it is there");
    assert_eq!(fs::metadata(run.maps_path()).and_then(|facts| facts.modified()).expect("a time"), before);
}

#[test]
fn a_run_whose_maps_cannot_be_drawn_is_mirrored_without_them() {
    // its data are gone, and three of the four runs have no model
    let (folder, settings) = runs();
    let settings = Settings { draw_maps: Some(draw_maps), ..settings };
    mirror(&settings);
    assert!(matches!(settings.target, Target::Database(_)) && files(folder.path(), "maps.png").is_empty());
    assert!(!files(folder.path(), "confusion.png").is_empty());
    let run = RunFolder::open(settings.runs.join("first")).expect("a run");
    assert_ne!(run.session().map_or(0, |session| session.epochs.len()), 0);
    assert!(store_maps(&run).expect_err("its data are gone").to_string().contains("plain"));
}

/// Leaves a sheet in the run "first"; those of others cannot be drawn. Every try is counted.
fn draw_first(run: &RunFolder) {
    let tries = run.path().join("tries");
    fs::write(&tries, [fs::read(&tries).unwrap_or_default(), b"x".to_vec()].concat()).expect("writes");
    if run.path().ends_with("first") {
        fs::write(run.maps_path(), "a sheet").expect("writes");
    }
}

fn tries(settings: &Settings, run: &str) -> usize {
    fs::read(settings.runs.join(run).join("tries")).map_or(0, |tries| tries.len())
}

#[test]
fn between_two_passes_one_sheet_is_drawn_the_next_takes_it_along_and_none_is_tried_twice() {
    let (folder, settings) = runs();
    let trials = ["study/trial-0000", "study/trial-0001"];
    for (seed, run) in (2..).zip(["second", trials[0], trials[1]]) {
        write_model(&settings.runs.join(run), 4, seed);
    }
    let settings = Settings { draw_maps: Some(draw_first), ..settings };
    let (stop, mut passes) = (AtomicBool::new(false), Vec::new());
    let mut tell = |told: Told| {
        let Told::UpToDate { written, .. } = told else { return };
        let there = files(&folder.path().join("mlartifacts"), "maps.png").len();
        passes.push((written, tries(&settings, "first"), tries(&settings, "second"), there));
        match passes.len() {
            // what is said of the run is new, its model is not
            2 => About { notes: "no maps".into(), ..About::default() }.write(&settings.runs.join("second")).expect("writes"),
            5 => stop.store(true, Ordering::Relaxed),
            _ => {}
        }
    };
    watch(&settings, &stop, &mut tell).expect("it goes on");
    assert_eq!(passes, [(4, 0, 0, 0), (1, 1, 0, 1), (1, 1, 1, 1), (0, 1, 1, 1), (0, 1, 1, 1)]);
    // of the trials the best one
    let value = |run: &str| {
        let session = RunFolder::open(settings.runs.join(run)).and_then(|run| run.session()).expect("a session");
        session.best_epoch().expect("an epoch").valid_macro_f1
    };
    let [first, second] = trials.map(value);
    assert!((first - second).abs() > 1e-6, "one is better");
    assert_eq!(trials.map(|run| tries(&settings, run)), if first > second { [1, 0] } else { [0, 1] });
}

#[test]
fn maps_wait_until_no_run_is_live_and_a_sheet_that_was_missed_arrives() {
    let (folder, settings) = runs();
    let drawing = Settings { draw_maps: Some(draw_first), ..settings.clone() };
    let second = settings.runs.join("second");
    let events = fs::read_to_string(second.join("events.jsonl")).expect("text");
    let live: String = events.lines().filter(|line| !line.contains("\"ended\"")).flat_map(|line| [line, "\n"]).collect();
    fs::write(second.join("events.jsonl"), live).expect("writes");
    let lock = fs::File::create(second.join("lock")).expect("a file");
    lock.lock().expect("locks");
    assert_eq!(mirror(&drawing), [Told::UpToDate { written: 4, runs: 4 }]);
    assert_eq!(tries(&settings, "first"), 0);
    drop(lock);
    // the other was interrupted, says the first pass; the second, of which no word is told, has the sheet
    let written = |written| Told::UpToDate { written, runs: 4 };
    assert_eq!(mirror(&drawing), [written(1)]);
    assert_eq!((tries(&settings, "first"), tries(&settings, "second")), (1, 0));
    let there = |sheet: &str| {
        let files = files(&folder.path().join("mlartifacts"), "maps.png");
        files.len() == 1 && fs::read(&files[0]).is_ok_and(|bytes| bytes == sheet.as_bytes())
    };
    assert!(there("a sheet"));
    // drawn by another, and taken along once
    fs::write(settings.runs.join("first/maps.png"), "another sheet").expect("writes");
    assert_eq!(mirror(&drawing), [written(1)]);
    assert!(there("another sheet"));
    assert_eq!(mirror(&drawing), [written(0)]);
    assert_eq!(tries(&settings, "first"), 1);
}
