//! The registry of models: versions, aliases, who may be champion, and what goes wrong.

use std::fs;
use std::path::{Path, PathBuf};

use half::f16;
use tempfile::TempDir;
use tuning_fork::explain::Classifier;
use tuning_fork::metrics::wilson;
use tuning_fork::track::{At, CHAMPION, Measure, ModelReference, Promotion, Registry, Rule, Trash};
use tuning_fork::train::{Event, RunFolder};

use super::super::folders::{Run, write_model, write_npy};
use super::list;

/// A folder of runs, and its registry.
fn registry() -> (TempDir, Registry) {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = Registry::of(folder.path());
    (folder, registry)
}

/// A run of four epochs with a model, whose last epoch has this macro-F1; its folder.
fn run(runs: &TempDir, name: &str, macro_f1: f64, split_seed: u64) -> PathBuf {
    let path = runs.path().join(name);
    Run { split_seed, ..Run::default() }.write(&path);
    let events = RunFolder::open(&path).and_then(|run| run.events()).expect("events");
    let told = events.into_iter().map(|event| match event {
        Event::Epoch(mut report) if report.epoch == 4 => {
            report.valid_macro_f1 = macro_f1;
            Event::Epoch(report)
        }
        other => other,
    });
    let lines: Vec<String> = told.map(|event| serde_json::to_string(&event).expect("JSON") + "\n").collect();
    fs::write(path.join("events.jsonl"), lines.concat()).expect("a file");
    // weights of their own, or the registry would know them
    write_model(&path, 4, name.bytes().map(u64::from).sum());
    path
}

fn find(registry: &Registry, reference: &str) -> u32 {
    registry.find(&reference.parse().expect("a reference")).expect(reference).version
}

fn refuse(result: Result<impl std::fmt::Debug, impl std::fmt::Display>) -> String {
    match result {
        Ok(unexpected) => panic!("{unexpected:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_champion_changes_only_for_a_better_one_on_the_same_images() {
    let (runs, registry) = registry();
    let first = registry.register(&run(&runs, "first", 0.6, 42), "galaxy-classifier", "a start", None).expect("registers");
    assert_eq!(first.champion, Promotion::Done { before: None });
    assert_eq!((first.version.version, first.version.epoch, first.version.run.as_str()), (1, 4, "first"));
    let worse = registry.register(&run(&runs, "worse", 0.6, 42), "galaxy-classifier", "", None).expect("registers");
    let Promotion::Kept(why) = &worse.champion else { panic!("an equal one is not better") };
    assert!(why.contains("galaxy-classifier@1 stays champion") && why.contains("0.6000"), "{why}");
    let better = registry.register(&run(&runs, "better", 0.7, 42), "galaxy-classifier", "", None).expect("registers");
    assert_eq!(better.champion, Promotion::Done { before: Some(1) });
    // another split: nobody knows, so only by hand
    let other = registry.register(&run(&runs, "other", 0.9, 7), "galaxy-classifier", "", None).expect("registers");
    let Promotion::Kept(why) = &other.champion else { panic!("it cannot be compared") };
    assert!(why.contains("other images"), "{why}");
    assert_eq!(find(&registry, "galaxy-classifier@champion"), 3);
    let by_hand = registry.promote("galaxy-classifier", 4, CHAMPION, Rule::ByHand).expect("promotes");
    assert_eq!(by_hand, Promotion::Done { before: Some(3) });
    registry.promote("galaxy-classifier", 1, "production", Rule::ByHand).expect("promotes");
    assert_eq!(find(&registry, "galaxy-classifier@production"), 1);
    assert_eq!(find(&registry, "galaxy-classifier@latest"), 4);
    let model = registry.model("galaxy-classifier").expect("a model");
    assert_eq!(model.aliases_of(4).collect::<Vec<_>>(), ["champion"]);
    // a number that is none never wins
    let damaged = registry.register(&run(&runs, "damaged", f64::NAN, 7), "galaxy-classifier", "", None);
    assert!(damaged.is_err() || matches!(damaged, Ok(registered) if matches!(registered.champion, Promotion::Kept(_))));
}

#[test]
fn the_loss_is_better_when_it_is_lower() {
    let (runs, registry) = registry();
    let register = |name: &str, measure| registry.register(&run(&runs, name, 0.5, 42), "by-loss", "", measure);
    register("first", Some(Measure::Loss)).expect("registers");
    // the same loss
    assert!(matches!(register("second", None).expect("registers").champion, Promotion::Kept(why) if why.contains("the loss of by-loss@2")));
    assert!(refuse(register("third", Some(Measure::Accuracy))).contains("compared by loss"));
    assert!(Measure::Loss.is_better(0.1, 0.2) && !Measure::Loss.is_better(0.2, 0.1));
    assert!(Measure::Loss.is_better(0.1, f64::NAN) && !Measure::Loss.is_better(f64::NAN, f64::NAN));
}

#[test]
fn a_version_outlives_its_run() {
    let (runs, registry) = registry();
    let path = run(&runs, "first", 0.6, 42);
    fs::write(path.join("last.safetensors"), "a checkpoint").expect("a file");
    fs::write(path.join("calibration.json"), "{}").expect("a file");
    let events = fs::read_to_string(path.join("events.jsonl")).expect("text");
    let step = r#"{"event":"steps","epoch":1,"step":1,"step_in_epoch":1,"count":1,"images":1,"loss":1.0,"accuracy":0.5,"learning_rate":0.1,"gradient_norm":1.0,"seconds":0.1,"wait":0.0}"#;
    fs::write(path.join("events.jsonl"), format!("{events}{step}\n")).expect("a file");
    let version = registry.register(&path, "galaxies", "the one", None).expect("registers").version;
    Trash::of(runs.path()).put("first").expect("goes");
    Trash::of(runs.path()).empty().expect("empties");
    let folder = registry.version_folder("galaxies", version.version);
    assert_eq!(folder, runs.path().join("models/galaxies/galaxies@1"));
    let classifier = Classifier::load(&folder).expect("a model");
    assert!(classifier.title().contains("galaxies@1/best.safetensors"), "{}", classifier.title());
    // it is a run folder again, which the index leaves alone
    let kept = RunFolder::open(&folder).expect("a run folder");
    assert_eq!(kept.session().expect("events").best_epoch().map(|best| best.epoch), Some(4));
    assert_eq!(kept.events().expect("events").len() + 1, events.lines().count() + 1);
    assert_eq!(kept.split().expect("a split").digest, version.split_digest);
    assert!(folder.join("predictions/epoch_0004.npy").is_file() && !folder.join("predictions/epoch_0003.npy").exists());
    assert!(folder.join("calibration.json").is_file() && !folder.join("last.safetensors").exists());
    assert!(list(runs.path()).runs.is_empty());
    assert_eq!(version.bytes, fs::metadata(folder.join("best.safetensors")).expect("a file").len());
}

#[test]
fn a_version_has_a_card_with_its_data_scores_and_limits() {
    let (runs, registry) = registry();
    let path = run(&runs, "first", 0.6, 42);
    let given = Run::default();
    let version = registry.register(&path, "galaxies", "for the | survey", None).expect("registers").version;
    let card = registry.card("galaxies", 1).expect("a card");
    for part in
        ["# galaxies@1\n\nfor the | survey\n", "## Intended use", "## Data", "- data set: plain", "## Hyper-parameters", "| lr | 0.003 |"]
    {
        assert!(card.contains(part), "{part}: {card}");
    }
    assert!(card.contains(&version.sha256) && card.contains(&version.split_digest));
    let part = |images: &[u32], class: usize| images.iter().filter(|&&image| image as usize % 3 == class).count();
    let split = given.split();
    let row = format!("| Spiral | {} | {} | {} |", part(&split.train, 1), part(&split.valid, 1), part(&split.test, 1));
    assert!(card.contains(&row), "{row}: {card}");
    let best = RunFolder::open(&path).and_then(|run| run.session()).expect("events").best_epoch().expect("an epoch").confusion.clone();
    let interval = wilson(best.correct(), best.total());
    let accuracy = format!("| 60 validation | {:.4} ({:.4} to {:.4}) |", best.accuracy(), interval.low, interval.high);
    assert!(card.contains(&accuracy), "{accuracy}: {card}");
    let cells: Vec<String> = (0..3).map(|column| best.count(0, column).to_string()).collect();
    assert!(card.contains(&format!("| 0 | Round | {} |", cells.join(" | "))), "{card}");
    assert!(card.contains("Fewer than 30 validation images") && card.contains("was not evaluated on the test images"));
    // a run that was evaluated on its test images says how well it did there; the card may be edited, and is made anew if it is gone
    let values: Vec<f16> =
        split.test.iter().flat_map(|&image| (0..3).map(move |k| f16::from_f64(if k == image % 3 { 0.8 } else { 0.1 }))).collect();
    write_npy(&path.join("predictions/test_0004.npy"), &values);
    registry.register(&path, "others", "", None).expect("registers");
    let card = registry.card("others", 1).expect("a card");
    assert!(card.contains("| 60 test | 1.0000 (") && card.contains("## Confusion on the test images"), "{card}");
    let file = registry.version_folder("others", 1).join("card.md");
    fs::write(&file, "my own").expect("writes");
    assert_eq!(registry.card("others", 1).expect("a card"), "my own");
    fs::remove_file(&file).expect("removes");
    assert_eq!(registry.card("others", 1).expect("a card"), card);
}

#[test]
fn what_is_deleted_comes_back_and_its_number_is_not_given_again() {
    let (runs, registry) = registry();
    registry.register(&run(&runs, "a", 0.6, 42), "m", "", None).expect("registers");
    registry.register(&run(&runs, "b", 0.5, 42), "m", "", None).expect("registers");
    assert!(refuse(registry.delete("m", 1, false)).contains("m@1 is champion"));
    let trashed = registry.delete("m", 2, false).expect("goes");
    assert_eq!(trashed.name, "models/m/m@2");
    assert!(refuse(registry.find(&ModelReference::version("m", 2))).contains("there are: m@1, m@champion"));
    let third = registry.register(&run(&runs, "c", 0.55, 42), "m", "", None).expect("registers");
    assert_eq!(third.version.version, 3);
    assert_eq!(Trash::of(runs.path()).restore(&trashed).expect("comes back"), "models/m/m@2");
    assert_eq!(find(&registry, "m@2"), 2);
    registry.delete("m", 1, true).expect("goes");
    assert!(refuse(registry.find(&"m@champion".parse().expect("a reference"))).contains("there are: m@2, m@3"));
    for number in [2, 3] {
        registry.delete("m", number, false).expect("goes");
    }
    assert!(registry.list().expect("lists").models.is_empty());
    assert!(refuse(registry.model("m")).contains("none yet"));
    let again = registry.register(&run(&runs, "d", 0.1, 42), "m", "", None).expect("registers");
    assert_eq!((again.version.version, again.champion), (4, Promotion::Done { before: None }));
}

#[test]
fn a_version_that_comes_back_has_its_aliases_again_but_for_those_that_others_have_now() {
    let (runs, registry) = registry();
    for (name, f1) in [("a", 0.6), ("b", 0.5)] {
        registry.register(&run(&runs, name, f1, 42), "m", "", None).expect("registers");
    }
    registry.promote("m", 1, "production", Rule::ByHand).expect("promotes");
    let trashed = registry.delete("m", 1, true).expect("goes");
    assert!(registry.model("m").expect("a model").aliases.is_empty());
    registry.promote("m", 2, "production", Rule::ByHand).expect("promotes");
    Trash::of(runs.path()).restore(&trashed).expect("comes back");
    assert_eq!((find(&registry, "m@champion"), find(&registry, "m@production")), (1, 2));
    let version = registry.version_folder("m", 1);
    assert!(version.join("version.json").is_file() && !version.join("aliases.json").exists());
    // also as the last one, whose model went with it
    registry.delete("m", 2, true).expect("goes");
    let last = registry.delete("m", 1, true).expect("goes");
    Trash::of(runs.path()).restore(&last).expect("comes back");
    assert_eq!(find(&registry, "m@champion"), 1);
}

#[test]
fn what_makes_no_sense_is_told_and_leaves_nothing() {
    let (runs, registry) = registry();
    let good = run(&runs, "good", 0.6, 42);
    assert!(refuse(registry.register(&good, "../up", "", None)).contains("cannot be the name"));
    assert!(refuse(registry.register(&runs.path().join("nothing"), "m", "", None)).contains("holds no run"));
    let empty = runs.path().join("empty");
    Run::default().write(&empty);
    assert!(refuse(registry.register(&empty, "m", "", None)).contains("no model yet"));
    fs::write(empty.join("best.safetensors"), "torn").expect("a file");
    assert!(!refuse(registry.register(&empty, "m", "", None)).is_empty());
    write_model(&empty, 9, 1);
    assert!(refuse(registry.register(&empty, "m", "", None)).contains("does not tell how good"));
    assert!(registry.list().expect("lists").models.is_empty());
    let left: Vec<_> = fs::read_dir(registry.folder().join("m")).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    registry.register(&good, "m", "", None).expect("registers");
    assert!(refuse(registry.register(&good, "m", "", None)).contains("as m@1"));
    registry.register(&good, "another", "", None).expect("under another name");
    assert!(refuse(registry.promote("m", 2, "production", Rule::ByHand)).contains("there is no m@2"));
    assert!(refuse(registry.promote("m", 1, "v2", Rule::ByHand)).contains("cannot be an alias"));
    // a name that leads nowhere does not hide the others
    fs::write(registry.folder().join("m/model.json"), "{").expect("a file");
    let all = registry.list().expect("lists");
    assert_eq!(all.models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(), ["another"]);
    assert!(all.damaged[0].contains("model.json is damaged"), "{:?}", all.damaged);
    let version = registry.folder().join("another/another@1/version.json");
    let text = fs::read_to_string(&version).expect("text").replace("\"format\": 1", "\"format\": 2");
    fs::write(&version, text).expect("a file");
    assert!(registry.list().expect("lists").damaged.iter().any(|why| why.contains("newer program")));
}

#[test]
fn a_run_of_the_registrys_name_is_left_alone() {
    let (runs, registry) = registry();
    let path = run(&runs, "models", 0.6, 42);
    assert!(refuse(registry.register(&path, "m", "", None)).contains("move the run elsewhere"));
    assert!(!path.join("m").exists());
}

#[test]
fn processes_that_register_at_once_lose_nothing() {
    let (runs, registry) = registry();
    let paths: Vec<PathBuf> = (0..6).map(|at| run(&runs, &format!("run{at}"), 0.1 * f64::from(at), 42)).collect();
    let register = |path: &Path| Registry::of(runs.path()).register(path, "m", "", None).expect("registers");
    std::thread::scope(|scope| {
        for path in &paths {
            scope.spawn(move || register(path));
        }
    });
    let model = registry.model("m").expect("a model");
    assert_eq!(model.versions.iter().map(|version| version.version).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let mut trained: Vec<&str> = model.versions.iter().map(|version| version.run.as_str()).collect();
    trained.sort_unstable();
    assert_eq!(trained, ["run0", "run1", "run2", "run3", "run4", "run5"]);
    assert_eq!(model.named(CHAMPION).map(|version| version.run.as_str()), Some("run5"));
    assert_eq!(ModelReference { name: "m".into(), at: At::Latest }.to_string(), "m@latest");
}
