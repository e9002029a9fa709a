//! A run looked back on: what is read from its folder, what is said of a damaged one, tables, plots, the page.

use std::fs;

use tempfile::TempDir;
use tuning_fork::data::Part;
use tuning_fork::explain::{BEST_MODEL, CALIBRATION, Calibration};
use tuning_fork::metrics::forgetting;
use tuning_fork::review::plot::{self, Matrix, Scale};
use tuning_fork::review::{Analysis, Record, Subject, report, store_temperature, table};

use super::folders::{Run, write_npy};

fn folder(run: &Run) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    run.write(folder.path());
    folder
}

#[test]
fn a_run_is_read_as_it_was_written() {
    let run = Run::default();
    let folder = folder(&run);
    let record = Record::open(folder.path()).expect("a run");
    assert!(record.problems.is_empty(), "{:?}", record.problems);
    assert_eq!((record.epochs(), record.best_epoch()), (vec![1, 2, 3, 4], Some(4)));
    assert_eq!(record.classes(), run.classes);
    assert_eq!(record.images(Part::Valid), run.split().valid);
    for epoch in 1..=4 {
        let predictions = record.predictions(Part::Valid, epoch).expect("probabilities");
        let kept: Vec<f32> = run.probabilities(epoch).iter().map(|p| p.to_f32()).collect();
        assert_eq!(predictions.probabilities(), kept);
        assert_eq!(predictions.confusion(), record.report(epoch).expect("it was told").confusion);
        assert!(predictions.truth().iter().zip(&run.split().valid).all(|(&label, &image)| label == image % 3));
    }
}

#[test]
fn a_damaged_folder_says_what_is_gone_and_shows_the_rest() {
    let run = Run::default();
    let folder = folder(&run);
    let path = folder.path();
    fs::remove_file(path.join("predictions/epoch_0002.npy")).expect("it was there");
    let record = Record::open(path).expect("still a run");
    assert!(record.problems[0].contains("1 of 4 epochs"), "{:?}", record.problems);
    assert!(record.predictions(Part::Valid, 2).is_err() && record.predictions(Part::Valid, 3).is_ok() && record.report(2).is_some());

    write_npy(&path.join("predictions/epoch_0003.npy"), &run.probabilities(3)[..30]);
    let message = record.predictions(Part::Valid, 3).expect_err("another length").to_string();
    assert!(message.contains("10 images") && message.contains("60 validation images"), "{message}");

    fs::write(path.join("events.jsonl"), "no JSON\n").expect("a file");
    let record = Record::open(path).expect("still a run");
    assert_eq!(record.epochs(), [1, 3, 4]);
    assert!(record.problems.iter().any(|problem| problem.contains("line 1")), "{:?}", record.problems);
    assert!(record.predictions(Part::Valid, 1).is_ok());

    run.write(path);
    fs::remove_file(path.join("split.json")).expect("it was there");
    let record = Record::open(path).expect("still a run");
    assert!(record.problems.iter().any(|problem| problem.contains("split.json")), "{:?}", record.problems);
    assert!(record.predictions(Part::Valid, 1).is_err() && record.report(1).is_some());
    assert_eq!(record.classes(), run.classes, "the events know the classes too");

    fs::remove_dir_all(path.join("predictions")).expect("it was there");
    assert!(Record::open(path).expect("still a run").report(1).is_some());
    fs::remove_file(path.join("config.json")).expect("it was there");
    assert!(Record::open(path).expect_err("no run any more").to_string().contains("holds no run"));
}

#[test]
fn a_folder_of_probabilities_that_cannot_be_listed_is_told_once() {
    let folder = folder(&Run::default());
    let kept = folder.path().join("predictions");
    fs::remove_dir_all(&kept).expect("it was there");
    fs::write(&kept, "a file in its place").expect("a file");
    let record = Record::open(folder.path()).expect("still a run");
    assert_eq!(record.problems.len(), 1, "{:?}", record.problems);
    assert!(record.problems[0].contains("cannot be listed"), "{:?}", record.problems);
    assert_eq!(record.epochs(), [1, 2, 3, 4]);
}

#[test]
fn runs_of_other_data_are_not_compared() {
    let folders = [
        folder(&Run::default()),
        folder(&Run { seed: 2, epochs: 2, ..Run::default() }),
        folder(&Run { split_seed: 7, ..Run::default() }),
        folder(&Run { images: 330, ..Run::default() }),
        folder(&Run { classes: ["Round", "Spiral", "Merging"], ..Run::default() }),
    ];
    let records: Vec<Record> = folders.iter().map(|folder| Record::open(folder.path()).expect("a run")).collect();
    records[0].comparable(&records[1], Part::Valid).expect("the same data and split");
    for (other, word) in [(2, "split seed"), (3, "300 and 330 images"), (4, "Merging")] {
        let message = records[0].comparable(&records[other], Part::Valid).expect_err("other data").to_string();
        assert!(message.contains(word) && message.contains("cannot be compared"), "{message}");
    }
}

#[test]
fn tables_hold_what_was_worked_out() {
    let folder = folder(&Run::default());
    let record = Record::open(folder.path()).expect("a run");
    let analysis = Analysis::new(record.predictions(Part::Valid, 4).expect("probabilities"));
    let names = record.classes();
    let classes = table::classes(&analysis, &names);
    assert_eq!(classes.rows.len(), 3 + 5);
    assert_eq!(classes.rows[1][1], format!("{:.4}", analysis.scores.classes[1].precision));
    assert!(classes.rows.iter().all(|row| row.len() == classes.header.len()));
    for class in 0..3 {
        let score = analysis.scores.classes[class];
        for (value, interval) in
            [(score.precision, analysis.precision[class]), (score.recall, analysis.recall[class]), (score.f1, analysis.f1.classes[class])]
        {
            assert!(interval.low <= value && value <= interval.high, "{value} in {interval:?}");
        }
    }
    let list: Vec<(usize, String)> = analysis.predictions.mistakes().into_iter().map(|i| (i, "a, \"remark\"".into())).collect();
    let galaxies = table::galaxies(&analysis.predictions, record.images(Part::Valid), Part::Valid, &list, &names, None);
    assert_eq!(galaxies.rows.len() as u64, analysis.confusion.total() - analysis.confusion.correct());
    let csv = String::from_utf8(galaxies.to_csv().expect("equally long rows")).expect("text");
    assert!(csv.starts_with("image,split,label,predicted,confidence,remark,ra,dec,p(Round),p(Spiral),p(Edge-on)\n"), "{csv}");
    assert!(csv.contains("\"a, \"\"remark\"\"\""), "{csv}");
    let matrix = table::matrix(&analysis.confusion, &names);
    assert_eq!(matrix.rows[2][3], analysis.confusion.count(2, 2).to_string());
}

#[test]
fn plots_are_whole_xml_whatever_the_names_and_the_page_needs_no_network() {
    let folder = folder(&Run { classes: ["<Round> & \"bright\"", "Spiral", "Edge-on"], ..Run::default() });
    let record = Record::open(folder.path()).expect("a run");
    let analysis = Analysis::new(record.predictions(Part::Valid, 4).expect("probabilities"));
    let names = record.classes();
    let values: Vec<f64> = analysis.confusion.counts().iter().map(|&n| n as f64).collect();
    let write = |v: f64| format!("{v:.0}");
    let plots = [
        plot::matrix(&Matrix { title: "a & b", names: &names, values: &values, format: &write, scale: Scale::Logarithmic }),
        plot::matrix(&Matrix { title: "empty", names: &[], values: &[], format: &write, scale: Scale::Linear }),
        plot::reliability(&analysis),
        plot::precision_recall(&analysis, &names),
        plot::roc(&analysis, &names),
        plot::training(&record.session.epochs).expect("there are epochs"),
    ];
    for plot in &plots {
        assert!(plot.starts_with("<svg ") && plot.ends_with("</svg>\n") && !plot.contains("NaN"), "{plot}");
        assert_eq!(plot.matches('<').count(), plot.matches('>').count());
        assert!(!plot.contains("<Round>"));
    }
    assert!(plot::training(&[]).is_none());
    let epochs: Vec<_> = (1..=4).map(|epoch| record.predictions(Part::Valid, epoch).expect("probabilities")).collect();
    let page =
        |predictions, learning| report(&Subject { record: &record, part: Part::Valid, epoch: 4, predictions, learning, dataset: None });
    let html = page(Some(epochs[3].clone()), forgetting(&epochs));
    for words in
        ["What it confuses", "Each class", "Labels that are probably wrong", "Most often forgotten", "Cohen&#39;s kappa", "&lt;Round&gt;"]
    {
        assert!(html.contains(words) || html.contains(&words.replace("&#39;", "'")), "{words}");
    }
    // nothing that a browser would fetch; the one address is the name of SVG's language
    assert!(!html.contains("<script") && !html.contains("<link") && !html.contains("@import") && !html.contains("url("));
    assert_eq!(html.matches("http").count(), html.matches("http://www.w3.org/2000/svg").count());
    assert!(page(None, None).contains("not at hand"), "without probabilities the page still tells what the run told");
}

#[test]
fn a_temperature_belongs_to_its_model() {
    let folder = folder(&Run::default());
    let record = Record::open(folder.path()).expect("a run");
    let analysis = Analysis::new(record.predictions(Part::Valid, 4).expect("probabilities"));
    assert!(store_temperature(&record, 4, &analysis).expect_err("no model yet").to_string().contains("needs the model"));
    let model = folder.path().join(BEST_MODEL);
    fs::write(&model, b"weights").expect("a file");
    assert!(store_temperature(&record, 3, &analysis).expect_err("not the best epoch").to_string().contains("best epoch (4)"));
    let stored = store_temperature(&record, 4, &analysis).expect("a model");
    assert_eq!(Calibration::of_model(&model), Some(stored.clone()));
    assert!((stored.temperature - analysis.temperature).abs() < 1e-12);
    fs::write(&model, b"other weights").expect("a file");
    assert_eq!(Calibration::of_model(&model), None, "a better model came");
    fs::write(folder.path().join(CALIBRATION), b"{torn").expect("a file");
    assert_eq!(Calibration::of_model(&model), None);
}
