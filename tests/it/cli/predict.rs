//! What `predict` says beyond the classes: how far pictures are from the training data, and its files.

use std::path::Path;

use tuning_fork::explain::{Classifier, Explainer};
use tuning_fork::imaging::{Curve, Fit, Interval, Rendering, Stretch};
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
        assert!(distance > 0.0 && distance.is_finite() && (0.0..=100.0).contains(&percentile), "{row:?}");
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

/// FITS numbers become pictures as the flags say, in the table and on the maps, and answers may be averages.
#[test]
fn pictures_are_stretched_and_averaged_as_asked() {
    let own = own_run();
    let folder = own.path();
    std::fs::copy(fits::fits("sky"), folder.join("sky.fits")).expect("a copy");
    let stretched = ["--no-legacy", "--stretch=log", "--interval=zscale"];
    for (name, flags) in [("plain", &[][..]), ("log", &stretched[..]), ("mean", &["--average"])] {
        let (csv, maps, out) = (format!("--csv={name}.csv"), format!("--maps={name}"), format!("--out={name}.png"));
        succeed(folder, &[&["predict", "--run=run", &csv, &maps, "sky.fits"], flags].concat());
        succeed(folder, &[&["explain", "--run=run", "sky.fits", &out], flags].concat());
        let bytes = |path: &str| std::fs::read(folder.join(path)).expect("a drawing");
        assert_eq!(bytes(&format!("{name}/sky.png")), bytes(&format!("{name}.png")));
    }
    let classifier = std::sync::Arc::new(Classifier::load(&folder.join("run")).expect("a model"));
    let stretch = Stretch { interval: Interval::ZScale, curve: Curve::Log };
    let log = Rendering { legacy: false, stretch, ..Rendering::default() };
    for (name, rendering, average) in [("plain", Rendering::default(), false), ("log", log, false), ("mean", Rendering::default(), true)] {
        let picture = fits::sky().render(&rendering);
        let expected = Explainer::new(std::sync::Arc::clone(&classifier), &picture, average).expect("a forward pass");
        let told = &answers(&folder.join(format!("{name}.csv")))[0].1;
        assert!(told.iter().zip(expected.probabilities()).all(|(a, b)| (a - b).abs() < 1e-5), "{name}: {told:?}");
    }
    // other planes are other colours; what is no order of three is refused
    let planes = |value: &str| super::run(folder, &["explain", "--run=run", "sky.fits", "--out=planes.png", &format!("--planes={value}")]);
    assert_eq!(planes("3,2,1").code, Some(0));
    assert_ne!(std::fs::read(folder.join("planes.png")).expect("a drawing"), std::fs::read(folder.join("plain.png")).expect("a drawing"));
    for wrong in ["1,2", "1,1,2", "0,1,2"] {
        let answer = planes(wrong);
        assert!(answer.code == Some(1) && answer.stderr.contains("--planes takes"), "{wrong}: {}", answer.stderr);
    }
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

/// A program that runs Python with astropy: `TUNING_FORK_PYTHON`, or `python3`.
fn astropy() -> Option<String> {
    let python = std::env::var("TUNING_FORK_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = std::process::Command::new(&python).args(["-c", "import astropy.io.votable"]).output();
    found.is_ok_and(|output| output.status.success()).then_some(python)
}

/// Both files at once, and astropy reads from the one what stands in the other.
#[test]
fn astropy_reads_the_votable() {
    let Some(python) = astropy() else {
        eprintln!("skipped: reading the VOTable needs Python with astropy (pip install astropy; TUNING_FORK_PYTHON names another Python)");
        return;
    };
    let own = own_run();
    let folder = own.path();
    for (number, name) in ["plain.png", "a <b> & \"é\".png"].into_iter().enumerate() {
        tuning_fork::imaging::write_png(&folder.join(name), &noise(number as u64, 32, 32)).expect("a picture");
    }
    let arguments = ["predict", "--run=run", "--distance", "--csv=a.csv", "--votable=a.vot", "plain.png", "a <b> & \"é\".png"];
    succeed(folder, &arguments);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/explain/votable.py");
    let output = std::process::Command::new(python).arg(script).arg(folder.join("a.vot")).output().expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let table = rows(&folder.join("a.csv"));
    assert_eq!(read["names"], serde_json::json!(table[0]));
    for (theirs, ours) in read["rows"].as_array().expect("rows").iter().zip(&table[1..]) {
        for (theirs, ours) in theirs.as_array().expect("cells").iter().zip(ours) {
            let same = theirs.as_f64().map_or_else(
                || theirs.as_str() == Some(ours),
                |number| ours.parse::<f64>().is_ok_and(|ours| (ours - number).abs() <= 1e-6 * ours.abs().max(1e-3)),
            );
            assert!(same, "{theirs} instead of {ours}");
        }
    }
    assert_eq!(read["rows"].as_array().map(Vec::len), Some(2));
}

/// The program with arguments on a file system of its own of 64 KiB at `small`; `None` where such a thing cannot be made. `options` are
/// those of mount.
fn on_small_disk(folder: &Path, options: &str, arguments: &[&str]) -> Option<super::Answer> {
    let mount = format!("mount -t tmpfs -o {options} none small");
    let shell = |line: &str, more: &[&str]| {
        let start = ["-rm", "sh", "-c", line, "sh"];
        std::process::Command::new("unshare").args(start).args(more).current_dir(folder).stdin(std::process::Stdio::null()).output()
    };
    if !shell(&mount, &[]).is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: a small disk needs unshare and the right to mount");
        return None;
    }
    let more: Vec<&str> = [&[env!("CARGO_BIN_EXE_tuning-fork")], arguments].concat();
    let line = format!("{mount} && \"$@\"; code=$?; ls -a small >&2; exit $code");
    Some(shell(&line, &more).expect("it could start before").into())
}

#[test]
fn a_full_or_read_only_disk_is_told_and_keeps_no_halves() {
    let own = own_run();
    let folder = own.path();
    std::fs::create_dir(folder.join("small")).expect("a folder");
    tuning_fork::imaging::write_png(&folder.join("noise.png"), &noise(1, 400, 400)).expect("a picture");
    let many = vec!["noise.png"; 600];
    let csv = [&["predict", "--run=run", "--csv=small/classes.csv"][..], &many].concat();
    let votable = ["predict", "--run=run", "--votable=small/classes.vot", "noise.png"];
    let map = ["explain", "--run=run", "noise.png", "--out=small/cam.png"];
    for (options, arguments, file) in
        [("size=64k", &csv[..], "classes.csv"), ("size=64k", &map, "cam.png"), ("ro", &votable, "classes.vot"), ("ro", &map, "cam.png")]
    {
        let Some(answer) = on_small_disk(folder, options, arguments) else { return };
        let told = answer.code == Some(1) && answer.stderr.contains(file) && answer.stderr.contains("cannot be written");
        assert!(told, "{options} {file}: {:?} {}", answer.code, answer.stderr);
        let left: Vec<&str> = answer.stderr.lines().filter(|line| line.contains("partial") || *line == file).collect();
        assert!(left.is_empty(), "{options}: {left:?}");
    }
}

#[test]
fn drawings_of_an_earlier_time_are_no_galaxies() {
    let own = own_run();
    let folder = own.path();
    std::fs::create_dir(folder.join("in")).expect("a folder");
    picture(&folder.join("in/plain.png"), (20, 20), [90; 3]);
    let predict = ["predict", "--run=run", "--csv=classes.csv", "--maps=in/maps", "in"];
    succeed(folder, &predict);
    let again = run(folder, &predict);
    assert!(again.code == Some(0) && again.stderr.contains("left out 1 pictures in in/maps"), "{}", again.stderr);
    assert_eq!(rows(&folder.join("classes.csv")).len(), 2, "the heading and one galaxy");
    // who names them wants them
    succeed(folder, &["predict", "--run=run", "--csv=classes.csv", "--maps=in/maps", "in/maps"]);
    assert!(rows(&folder.join("classes.csv"))[1][0].ends_with("plain.png"));
}

#[test]
fn maps_in_the_pictures_own_folder_leave_the_pictures_alone() {
    let own = own_run();
    let folder = own.path();
    std::fs::create_dir(folder.join("in")).expect("a folder");
    let path = picture(&folder.join("in/plain.png"), (20, 20), [90; 3]);
    let before = std::fs::read(&path).expect("the picture");
    succeed(folder, &["predict", "--run=run", "--maps=in", "in/plain.png"]);
    assert_eq!(std::fs::read(&path).expect("the picture"), before);
    let (_, _, texts) = crate::explain::figures::read(&std::fs::read(folder.join("in/plain-2.png")).expect("its map"));
    assert_eq!(texts["Picture"], "plain.png");
}
