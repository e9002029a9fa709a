//! Chosen images as tables.

use std::path::Path;

use tuning_fork::data::Part;
use tuning_fork::review::Record;

use super::{finished_run, run, succeed};

fn rows(path: &Path) -> Vec<csv::StringRecord> {
    csv::Reader::from_path(path).expect("a CSV file").records().map(|row| row.expect("a row")).collect()
}

#[test]
fn a_query_chooses_and_orders_and_a_run_adds_its_probabilities() {
    let folder = tempfile::tempdir().expect("a folder");
    succeed(folder.path(), &["data", "synth", "galaxies", "--images=60", "--size=32"]);
    let answer = run(folder.path(), &["data", "export", "galaxies", "--out=a.csv", "--query", "class:1,2 sort:-image"]);
    assert!(answer.code == Some(0) && answer.stderr.contains(" of 60 images written"), "{}", answer.stderr);
    let table = rows(&folder.path().join("a.csv"));
    assert!(table.len() > 2);
    assert!(table.iter().all(|row| ["1", "2"].contains(&&row[1])));
    assert!(table.windows(2).all(|pair| pair[0][0].parse::<u32>().ok() > pair[1][0].parse::<u32>().ok()));

    let model = finished_run().join("run").to_string_lossy().into_owned();
    for (query, out) in [("", "b.csv"), ("wrong conf<1 sort:conf", "c.csv"), ("wrong", "d.vot")] {
        let answer = run(folder.path(), &["data", "export", "galaxies", "--run", &model, "--query", query, "--out", out]);
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    }
    let all = rows(&folder.path().join("b.csv"));
    let wrong: Vec<&csv::StringRecord> =
        all.iter().filter(|row| row[1] != row[header(&folder.path().join("b.csv"), "predicted")]).collect();
    let found = rows(&folder.path().join("c.csv"));
    assert_eq!(found.len(), wrong.len());
    let confidence = header(&folder.path().join("c.csv"), "confidence");
    let number = |row: &csv::StringRecord| row[confidence].parse::<f32>().expect("a number");
    assert!(found.windows(2).all(|pair| number(&pair[0]) <= number(&pair[1])));
    let vot = std::fs::read_to_string(folder.path().join("d.vot")).expect("the file");
    assert_eq!(vot.matches("<TR>").count(), wrong.len());
    assert!(vot.contains("p_Barred_Spiral") && vot.contains("pos.eq.ra"));
}

#[test]
fn a_registered_model_adds_its_probabilities_by_its_alias() {
    let folder = tempfile::tempdir().expect("a folder");
    succeed(folder.path(), &["data", "synth", "galaxies", "--images=40", "--size=32"]);
    let trained = finished_run().join("run");
    succeed(folder.path(), &["models", "register", trained.to_str().expect("text"), "--name=galaxies"]);
    let export = |model: &str, out: &str| run(folder.path(), &["data", "export", "galaxies", "--model", model, "--out", out]);
    let answer = export("galaxies@champion", "a.csv");
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let answer = export(trained.join("best.safetensors").to_str().expect("text"), "b.csv");
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert_eq!(rows(&folder.path().join("a.csv")), rows(&folder.path().join("b.csv")));
    assert!(header(&folder.path().join("a.csv"), "predicted") > 0);
    let answer = export("galaxies@production", "c.csv");
    assert!(answer.code == Some(1) && answer.stderr.contains("galaxies@champion"), "{}", answer.stderr);
}

#[test]
fn an_epoch_of_a_run_answers_for_the_images_it_was_looked_at_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    succeed(path, &["data", "synth", "galaxies", "--images=60", "--size=32"]);
    succeed(path, &["train", "--out=run", "--data=galaxies", "--size=32", "--batch=16", "--threads=1", "--model=compact", "--epochs=2"]);
    let export =
        |epoch: &str, out: &str| run(path, &["data", "export", "galaxies", "--run=run", "--epoch", epoch, "--query=conf>0", "--out", out]);
    let record = Record::open(&path.join("run")).expect("a run");
    let valid = record.images(Part::Valid).len();
    let best = record.best_epoch().expect("a best epoch");
    let other = if best == 1 { 2 } else { 1 };
    let answer = export(&other.to_string(), "a.csv");
    assert!(answer.stderr.contains(&format!("{valid} of 60 images have an answer of epoch {other}")), "{}", answer.stderr);
    let (table, p) = (rows(&path.join("a.csv")), header(&path.join("a.csv"), "confidence"));
    let kept = record.predictions(Part::Valid, other).expect("probabilities");
    assert_eq!(table.len(), valid);
    for (row, (place, image)) in table.iter().zip(record.images(Part::Valid).iter().enumerate()) {
        assert_eq!((&row[0], &row[5]), (image.to_string().as_str(), "valid"));
        assert!((row[p].parse::<f32>().expect("a number") - kept.confidence(place)).abs() < 1e-6);
    }
    // training ends with the test images of the best epoch, which are kept too
    let answer = export(&best.to_string(), "b.csv");
    assert_eq!(rows(&path.join("b.csv")).len(), valid + record.images(Part::Test).len(), "{}", answer.stderr);
    // a torn file of one part hides nothing of the other, and is named
    let torn = path.join(format!("run/predictions/test_{best:04}.npy"));
    let whole = std::fs::read(&torn).expect("the file");
    std::fs::write(&torn, &whole[..whole.len() / 2]).expect("a file");
    let answer = export(&best.to_string(), "torn.csv");
    assert_eq!((answer.code, rows(&path.join("torn.csv")).len()), (Some(0), valid), "{}", answer.stderr);
    assert!(answer.stderr.contains("test images are missing") && answer.stderr.contains("test_000"), "{}", answer.stderr);
    std::fs::remove_file(path.join(format!("run/predictions/epoch_{best:04}.npy"))).expect("it was there");
    let answer = export(&best.to_string(), "none.csv");
    assert!(answer.code == Some(1) && answer.stderr.contains("test_000"), "{}", answer.stderr);
    let answer = export("9", "c.csv");
    assert!(answer.code == Some(1) && answer.stderr.contains("keeps no probabilities of epoch 9"), "{}", answer.stderr);
}

fn header(path: &Path, name: &str) -> usize {
    let mut table = csv::Reader::from_path(path).expect("a CSV file");
    table.headers().expect("a heading").iter().position(|field| field == name).unwrap_or_else(|| panic!("no column {name}"))
}

#[test]
fn what_makes_no_sense_is_refused_with_the_word_marked() {
    let folder = tempfile::tempdir().expect("a folder");
    succeed(folder.path(), &["data", "synth", "galaxies", "--images=30", "--size=16"]);
    for (arguments, says) in [
        (&["--out=a.csv", "--query", "split:test class:77"][..], "split:test class:77\n                 ^^\nthere is no class 77"),
        (&["--out=a.csv", "--query", "conf>0.9"], "--run or --model"),
        (&["--out=a.csv", "--query", "shape:round"], "there is no shape to filter by"),
        (&["--out=a.fits"], ".csv or .vot"),
        (&["--out=no/such/a.csv"], "no/such/a.csv cannot be written"),
    ] {
        let answer = run(folder.path(), &[&["data", "export", "galaxies"], arguments].concat());
        assert!(answer.code == Some(1) && answer.stderr.contains(says), "{arguments:?}: {}", answer.stderr);
    }
    assert!(!folder.path().join("a.csv").exists());
}

#[test]
fn what_the_user_marked_is_in_the_table() {
    let folder = tempfile::tempdir().expect("a folder");
    succeed(folder.path(), &["data", "synth", "galaxies", "--images=30", "--size=16"]);
    let dataset = tuning_fork::data::open(&folder.path().join("galaxies")).expect("a data set");
    let mut loaded = tuning_fork::data::Sidecar::open(&dataset, None);
    let other = (dataset.labels[4] + 1) % 10;
    loaded.marks.relabel(4, other, dataset.labels[4]);
    loaded.marks.toggle_tag(4, "odd");
    loaded.sidecar.save(&loaded.marks, 1, &dataset).expect("a file beside the data");
    succeed(folder.path(), &["data", "export", "galaxies", "--out=a.csv", "--query", "relabelled tag:odd"]);
    let table = rows(&folder.path().join("a.csv"));
    assert_eq!(table.len(), 1);
    assert_eq!((&table[0][0], &table[0][1], &table[0][6]), ("4", other.to_string().as_str(), "odd"));
}
