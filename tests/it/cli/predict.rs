//! What `predict` says beyond the classes: how far pictures are from the training data, and its files.

use std::path::Path;

use tuning_fork::imaging::Fit;
use tuning_fork::review::FAMILIARITY;

use super::{finished_run, picture, run, succeed, train};
use crate::data::fits;
use crate::explain::noise;

/// The rows of a CSV file, its heading first.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).expect("a table");
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// A copy of the finished run, to change.
fn own_run() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("run")).expect("a folder");
    for file in ["config.json", "split.json", "best.safetensors"] {
        std::fs::copy(finished_run().join("run").join(file), folder.path().join("run").join(file)).expect("a copy");
    }
    folder
}

#[test]
fn predict_tells_how_far_pictures_are_from_the_training_data() {
    let own = own_run();
    let folder = own.path();
    picture(&folder.join("plain.png"), (20, 20), [255, 0, 255]);
    tuning_fork::imaging::write_png(&folder.join("noise.png"), &noise(1, 32, 32)).expect("a picture");
    let arguments = ["predict", "--run=run", "--distance", "--csv=a.csv", "--votable=a.vot", "plain.png", "noise.png"];
    let answer = run(folder, &arguments);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(answer.stderr.contains("training and validation pictures of the run once"), "{}", answer.stderr);
    let table = rows(&folder.join("a.csv"));
    let [heading, answers @ ..] = &table[..] else { panic!("no heading") };
    assert_eq!(heading[heading.len() - 2..], ["distance", "percentile"]);
    for row in answers {
        let (distance, percentile): (f64, f64) =
            (row[row.len() - 2].parse().expect("a number"), row[row.len() - 1].parse().expect("a number"));
        assert!(distance > 0.0 && distance <= 2.0 && (0.0..=100.0).contains(&percentile), "{row:?}");
    }
    let vot = std::fs::read_to_string(folder.join("a.vot")).expect("the other file");
    assert!(vot.contains("name=\"percentile\"") && vot.contains(&format!("<TD>{}</TD></TR>", answers[0].last().expect("a cell"))), "{vot}");
    assert!(folder.join("run").join(FAMILIARITY).is_file());

    // the next time nothing is looked at, and the data are not needed
    let json = run(folder, &["predict", "--run=run", "--distance", "--json", "plain.png"]);
    assert!(!json.stderr.contains("once"), "{}", json.stderr);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("an object");
    assert_eq!(json["distance"].to_string().parse::<f32>().expect("a number").to_string(), answers[0][heading.len() - 2]);

    // a damaged file is told and made again
    let kept = std::fs::read(folder.join("run").join(FAMILIARITY)).expect("the file");
    std::fs::write(folder.join("run").join(FAMILIARITY), &kept[..kept.len() - 9]).expect("a file");
    let again = run(folder, &["predict", "--run=run", "--distance", "plain.png"]);
    assert!(again.stderr.contains("damaged") && again.stderr.contains("made again"), "{}", again.stderr);
    assert!(again.stdout.contains("percentile") && again.stdout.contains('%'), "{}", again.stdout);
    assert_eq!(std::fs::read(folder.join("run").join(FAMILIARITY)).expect("the file"), kept);

    // without the flag nothing is said
    succeed(folder, &["predict", "--run=run", "--csv=b.csv", "plain.png"]);
    assert!(!rows(&folder.join("b.csv"))[0].contains(&"distance".to_owned()));
}

#[test]
fn the_distance_needs_the_run_and_its_own_data() {
    let own = own_run();
    let folder = own.path();
    picture(&folder.join("plain.png"), (20, 20), [255, 0, 255]);
    std::fs::copy(folder.join("run/best.safetensors"), folder.join("alone.safetensors")).expect("a copy");
    let alone = run(folder, &["predict", "--model=alone.safetensors", "--distance", "plain.png"]);
    assert!(alone.code == Some(1) && alone.stderr.contains("--run"), "{}", alone.stderr);
    succeed(folder, &["data", "synth", "other", "--images=60", "--size=32"]);
    let other = run(folder, &["predict", "--run=run", "--distance", "--data=other", "plain.png"]);
    assert!(other.code == Some(1) && other.stderr.contains("60 images instead of 50"), "{}", other.stderr);
    assert!(!folder.join("run").join(FAMILIARITY).exists());
    let gone = run(folder, &["predict", "--run=run", "--distance", "--data=nowhere", "plain.png"]);
    assert!(gone.code == Some(1) && gone.stderr.contains("--data"), "{}", gone.stderr);
}

/// Another model in the same folder: what was kept says nothing of it.
#[test]
fn what_belongs_to_another_model_is_made_again() {
    let own = own_run();
    let folder = own.path();
    picture(&folder.join("plain.png"), (20, 20), [255, 0, 255]);
    succeed(folder, &["predict", "--run=run", "--distance", "plain.png"]);
    succeed(folder, &train("second", &["--seed=7", "--epochs=1"]));
    std::fs::copy(folder.join("second/best.safetensors"), folder.join("run/best.safetensors")).expect("a copy");
    let answer = run(folder, &["predict", "--run=run", "--distance", "plain.png"]);
    assert!(answer.code == Some(0) && answer.stderr.contains("another model"), "{}", answer.stderr);
}

/// The last rows of a table by the name of the picture, without the path.
fn answers(path: &Path) -> Vec<(String, Vec<f32>)> {
    let numbers = |row: &Vec<String>| row[3..].iter().map(|cell| cell.parse().expect("a probability")).collect();
    let name = |row: &Vec<String>| Path::new(&row[0]).file_name().expect("a name").to_string_lossy().into_owned();
    rows(path)[1..].iter().map(|row| (name(row), numbers(row))).collect()
}

#[test]
fn three_fits_files_of_one_band_are_one_picture() {
    let own = own_run();
    let folder = own.path();
    std::fs::create_dir(folder.join("sky")).expect("a folder");
    fits::write_bands(&folder.join("sky"), [("m51-g.fits", None), ("m51-r.fits", None), ("m51-z.fits", None)]);
    picture(&folder.join("sky/plain.png"), (20, 20), [90; 3]);
    std::fs::copy(fits::fits("sky"), folder.join("cube.fits")).expect("a copy");
    succeed(folder, &["predict", "--run=run", "--csv=all.csv", "--maps=maps", "sky", "cube.fits"]);
    let all = answers(&folder.join("all.csv"));
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["m51-g.fits", "plain.png", "cube.fits"]);
    assert_eq!(all[0].1, all[2].1, "the same sky");
    assert!(folder.join("maps/m51-g.png").is_file() && !folder.join("maps/m51-r.png").exists());

    // without names that say it, headers do, in any order; without either they are three pictures
    let filters =
        [("1.fits", Some("DECam z DR10 c0004 9260.0 1520.0")), ("2.fits", Some("g")), ("3.fits", Some("DECam r SDSS c0002 6415.0 1480.0"))];
    for (name, filter) in filters {
        let plane = match filter.expect("a filter") {
            "g" => 0,
            text if text.contains(" r ") => 1,
            _ => 2,
        };
        let sky = fits::sky();
        std::fs::write(folder.join(name), fits::one_band(sky.width, sky.height, &sky.planes[plane], filter)).expect("a file");
    }
    succeed(folder, &["predict", "--run=run", "--csv=header.csv", "1.fits", "2.fits", "3.fits"]);
    let header = answers(&folder.join("header.csv"));
    assert_eq!((header.len(), &header[0].1), (1, &all[0].1));
    fits::write_bands(folder, [("a.fits", None), ("b.fits", None), ("c.fits", None)]);
    succeed(folder, &["predict", "--run=run", "--csv=three.csv", "a.fits", "b.fits", "c.fits"]);
    assert_eq!(answers(&folder.join("three.csv")).len(), 3);
}

/// A model that was trained on the middle of its pictures looks at the middle of others.
#[test]
fn pictures_are_cut_as_the_model_was_trained() {
    let own = tempfile::tempdir().expect("a folder");
    let folder = own.path();
    for class in 0..3u64 {
        let inside = folder.join(format!("data/class {class}"));
        std::fs::create_dir_all(&inside).expect("folders");
        for number in 0..8 {
            let image = noise(100 * class + number, 60, 40);
            tuning_fork::imaging::write_png(&inside.join(format!("{number}.png")), &image).expect("a picture");
        }
    }
    let arguments = ["train", "--data=data", "--out=run", "--fit=crop", "--size=32", "--epochs=1", "--batch=8", "--threads=1"];
    succeed(folder, &arguments);
    let evaluation = succeed(folder, &["evaluate", "--run=run", "--json"]);
    assert!(evaluation.contains("accuracy"), "{evaluation}");
    let wide = noise(5, 60, 40);
    tuning_fork::imaging::write_png(&folder.join("wide.png"), &wide).expect("a picture");
    let middle = wide.crop(Fit::Crop.frame(60, 40));
    tuning_fork::imaging::write_png(&folder.join("middle.png"), &middle).expect("a picture");
    tuning_fork::imaging::write_png(&folder.join("stretched.png"), &wide.resize(40, 40)).expect("a picture");
    succeed(folder, &["predict", "--run=run", "--csv=all.csv", "wide.png", "middle.png", "stretched.png"]);
    let all = answers(&folder.join("all.csv"));
    assert_eq!(all[0].1, all[1].1);
    assert_ne!(all[0].1, all[2].1);
    for (name, more) in [("auto.png", None), ("crop.png", Some("--fit=crop")), ("stretch.png", Some("--fit=stretch"))] {
        let out = format!("--out={name}");
        let fixed = ["explain", "--run=run", "wide.png", &out];
        succeed(folder, &fixed.into_iter().chain(more).collect::<Vec<_>>());
    }
    let bytes = |name: &str| std::fs::read(folder.join(name)).expect("a drawing");
    assert_eq!(bytes("auto.png"), bytes("crop.png"));
    assert_ne!(bytes("auto.png"), bytes("stretch.png"));
}
