//! Chosen images as tables.

use std::path::Path;

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
