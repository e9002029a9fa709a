//! Where the model of a run looks, among the files of the run in MLflow.

use std::path::{Path, PathBuf};
use std::process::Command;

use tuning_fork::data::{Part, synth};
use tuning_fork::imaging::decode;
use tuning_fork::review::{draw_maps, store_maps};
use tuning_fork::train::RunFolder;

use super::{Settings, Target, fs, mirror, runs};

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
    // the pictures are those of the data set, and not one of them is of the training images
    let run = RunFolder::open(folder.path().join("runs/a")).expect("a run");
    let (config, split) = (run.config().expect("a configuration"), run.split().expect("a split"));
    let all = synth::dataset(split.images, config.size, config.seed).expect("galaxies");
    let first = split.split.part(Part::Valid).iter().map(|&image| image as usize).find(|&image| split.labels[image] == 0).expect("one");
    let picture = synth::picture(split.images, first, config.size, config.seed).expect("a picture");
    assert_eq!(picture, all.images.image(first).expect("the same"));
    let at = |x: usize, y: usize| &sheet.pixels()[3 * (y * sheet.width() + x)..][..3];
    let shown = picture.resize(128, 128);
    assert!((0..128).all(|i| at(10 + i, 10 + i) == &shown.pixels()[3 * (i * 128 + i)..][..3]), "the first one stands as it is");
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
