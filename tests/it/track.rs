//! The room `track`: the index of runs, what is said of them, filters and order, groups of seeds, the trash, capsules, the
//! registry of models.

mod capsule;
mod mlflow;
mod registry;

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tuning_fork::track::{About, Column, Filter, Index, Listing, RunFacts, RunState, Trash, csv, groups, select, verdict};
use tuning_fork::train::Config;

use super::folders::Run;

/// A folder with the runs of these names, the same but for their seeds and probabilities.
fn runs(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (seed, name) in names.iter().enumerate() {
        write(&folder.path().join(name), seed as u64, |_| {});
    }
    folder
}

/// A run whose configuration is changed by `change`.
fn write(path: &Path, seed: u64, change: impl Fn(&mut Config)) {
    Run { seed, ..Run::default() }.write(path);
    let mut config = Config { data: "plain".into(), epochs: 4, seed, ..Config::default() };
    change(&mut config);
    fs::write(path.join("config.json"), serde_json::to_vec(&config).expect("JSON")).expect("a file");
}

fn list(folder: &Path) -> Listing {
    Index::open(folder).expect("an index").list().expect("a list")
}

fn names(listing: &Listing) -> Vec<&str> {
    listing.runs.iter().map(|run| run.folder.as_str()).collect()
}

#[test]
fn runs_are_listed_with_their_best_values_and_remembered() {
    let folder = runs(&["a", "b"]);
    write(&folder.path().join("study/trial_1"), 7, |_| {});
    let first = list(folder.path());
    assert_eq!(names(&first), ["a", "b", "study/trial_1"]);
    assert!(first.damaged.is_empty() && first.warning.is_none());
    let run = &first.runs[0];
    let best = run.best.expect("a best epoch");
    assert_eq!((run.epochs, run.state, best.epoch, run.images[1]), (4, RunState::Completed, 4, 60));
    // six seconds an epoch, as the folder was written
    assert!((run.seconds - 24.0).abs() < 1e-9 && (best.valid_loss - 0.3).abs() < 1e-9);
    // the second list comes from the index: a row that is changed there shows
    let index = rusqlite::Connection::open(folder.path().join("index.sqlite")).expect("SQLite");
    let changed = index.execute("UPDATE runs SET facts = json_set(facts, '$.weights', 77) WHERE folder = 'a'", []).expect("a row");
    assert_eq!(changed, 1);
    assert_eq!(list(folder.path()).runs[0].weights, 77);
    // until the folder changes
    About { name: "first".into(), ..About::default() }.write(&folder.path().join("a")).expect("writes");
    let again = list(folder.path());
    assert_eq!((again.runs[0].weights, again.runs[0].name()), (1234, "first"));
    fs::remove_dir_all(folder.path().join("b")).expect("removes");
    assert_eq!(names(&list(folder.path())), ["a", "study/trial_1"]);
    assert_eq!(Index::open(folder.path()).expect("an index").curve("a").expect("reads").len(), 4);
}

#[test]
fn an_index_that_is_lost_damaged_or_from_the_future_is_made_again() {
    let folder = runs(&["a", "b"]);
    let before = list(folder.path());
    let path = folder.path().join("index.sqlite");
    fs::write(&path, "this is no database, and longer than a header of one hundred bytes would be ".repeat(3)).expect("writes");
    assert_eq!(list(folder.path()), before);
    rusqlite::Connection::open(&path).expect("SQLite").execute_batch("PRAGMA user_version = 99; DROP TABLE runs").expect("changes");
    assert_eq!(list(folder.path()), before);
    fs::remove_file(&path).expect("removes");
    assert_eq!(list(folder.path()), before);
    // where the index cannot be kept, the list is right and says so
    fs::remove_file(&path).expect("removes");
    fs::create_dir(&path).expect("a folder in its place");
    let listing = list(folder.path());
    assert_eq!(listing.runs, before.runs);
    assert!(listing.warning.expect("a warning").contains("cannot be used"));
}

#[test]
fn a_run_that_cannot_be_read_does_not_hide_the_others() {
    let folder = runs(&["a", "torn", "about"]);
    fs::write(folder.path().join("torn/config.json"), "{\"lr\": ").expect("writes");
    fs::write(folder.path().join("about/about.json"), "{\"tags\": 3}").expect("writes");
    let listing = list(folder.path());
    assert_eq!(names(&listing), ["a"]);
    let damaged: Vec<&str> = listing.damaged.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(damaged, ["about", "torn"]);
    assert!(listing.damaged[0].1.contains("correct or delete it"), "{}", listing.damaged[0].1);
    assert_eq!(list(Path::new("/nowhere/at/all")), Listing::default());
}

#[test]
fn a_run_without_an_end_is_interrupted_unless_a_process_holds_it() {
    let folder = runs(&["a"]);
    let path = folder.path().join("a");
    let events = fs::read_to_string(path.join("events.jsonl")).expect("text");
    let cut: Vec<&str> = events.lines().filter(|line| !line.contains("\"ended\"")).chain([""]).collect();
    fs::write(path.join("events.jsonl"), cut.join("\n")).expect("writes");
    assert_eq!(list(folder.path()).runs[0].state, RunState::Interrupted);
    let lock = fs::File::create(path.join("lock")).expect("a file");
    lock.lock().expect("locks");
    assert_eq!(list(folder.path()).runs[0].state, RunState::Running);
    assert!(Trash::of(folder.path()).put("a").expect_err("it trains").to_string().contains("in use"));
    drop(lock);
    assert_eq!(list(folder.path()).runs[0].state, RunState::Interrupted);
}

fn chosen<'a>(listing: &'a Listing, filter: &str, by: &str, descending: bool) -> Vec<&'a str> {
    let filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let by: Column = by.parse().expect("a column");
    select(&listing.runs, &filter, &by, descending).into_iter().map(|at| listing.runs[at].folder.as_str()).collect()
}

#[test]
fn filters_and_order_choose_runs() {
    let folder = runs(&["a", "b", "c"]);
    write(&folder.path().join("b"), 1, |config| config.lr = 0.1);
    About { name: "The Best".into(), notes: "wide\nand long".into(), tags: vec!["final".into()] }
        .write(&folder.path().join("c"))
        .expect("writes");
    let listing = list(folder.path());
    for (filter, expected) in [
        ("", vec!["a", "b", "c"]),
        ("best", vec!["c"]),
        ("\"the best\"", vec!["c"]),
        ("-best", vec!["a", "b"]),
        ("LONG", vec!["c"]),
        ("tag:final", vec!["c"]),
        ("lr>0.01", vec!["b"]),
        ("lr=0.003 seed<2", vec!["a"]),
        ("seed>=1 -lr:0.1", vec!["c"]),
        ("model:compact state:completed", vec!["a", "b", "c"]),
        ("model:seed", vec![]),
        ("f1>0.1 f1<=1", vec!["a", "b", "c"]),
    ] {
        assert_eq!(chosen(&listing, filter, "name", false), expected.into_iter().collect::<Vec<_>>(), "{filter}");
    }
    assert_eq!(chosen(&listing, "", "seed", true), ["c", "b", "a"]);
    // the one with a tag comes first either way: no value is last
    assert_eq!((chosen(&listing, "", "tag", false)[0], chosen(&listing, "", "tag", true)[0]), ("c", "c"));
    for (filter, part) in
        [("lr>fast", "not a number"), ("colour:red", "there is no column"), ("lr>", "write a value"), ("\"open", "quotation")]
    {
        let error = Filter::parse(filter).expect_err(filter);
        assert!(error.contains(part), "{filter}: {error}");
    }
}

#[test]
fn a_table_is_csv_with_everything_quoted_that_needs_it() {
    let folder = runs(&["a"]);
    About { name: "one, \"two\"".into(), ..About::default() }.write(&folder.path().join("a")).expect("writes");
    let listing = list(folder.path());
    let columns: Vec<Column> = ["name", "lr", "data_digest", "done"].map(|key| key.parse().expect("a column")).to_vec();
    assert_eq!(csv(&listing.runs, &columns), "name,lr,data_digest,done\r\n\"one, \"\"two\"\"\",0.003,,4\r\n");
    // every column is found by its own key
    for column in Column::all() {
        assert_eq!(column.key().parse::<Column>().as_ref(), Ok(&column));
    }
}

/// What was gone on with last stands first, and is the run that a window offers to go on with after a crash.
#[test]
fn a_run_that_was_gone_on_with_is_the_latest() {
    let folder = runs(&["a", "b"]);
    assert_eq!(names(&list(folder.path())), ["a", "b"]);
    let path = folder.path().join("b/events.jsonl");
    let text = fs::read_to_string(&path).expect("events");
    let mut again: serde_json::Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&again["event"], &again["time"]), (&"started".into(), &0.into()));
    again["time"] = 50.into();
    fs::write(&path, format!("{text}{again}\n")).expect("a file");
    let listing = list(folder.path());
    assert_eq!((names(&listing), listing.runs[0].started), (vec!["b", "a"], Some(50)));
}

#[test]
fn repeated_seeds_are_one_group_and_a_small_difference_is_noise() {
    let folder = tempfile::tempdir().expect("a folder");
    let f1 = [0.60, 0.64, 0.62, 0.70, 0.75, 0.73];
    for (at, _) in f1.iter().enumerate() {
        write(&folder.path().join(format!("run{at}")), at as u64, |config| {
            config.lr = if at < 3 { 0.01 } else { 0.03 };
            config.threads = at;
        });
    }
    let mut listing = list(folder.path());
    for (run, f1) in listing.runs.iter_mut().zip(f1) {
        run.best.as_mut().expect("a best epoch").valid_macro_f1 = f1;
    }
    let all: Vec<&RunFacts> = listing.runs.iter().collect();
    let two = groups(&all, &Column::MacroF1);
    assert_eq!(two.iter().map(|group| group.members.clone()).collect::<Vec<_>>(), [vec![0, 1, 2], vec![3, 4, 5]]);
    assert!((two[0].mean - 0.62).abs() < 1e-12 && (two[0].deviation.expect("three values") - 0.02).abs() < 1e-12);
    // scipy 1.17: ttest_ind([.60, .64, .62], [.70, .75, .73], equal_var=False).confidence_interval(0.95)
    let clear = verdict(&two[0], &two[1], 30).expect("a verdict");
    let interval = [clear.difference - clear.half_width, clear.difference + clear.half_width];
    assert!((interval[0] + 0.159_248_215).abs() < 1e-8 && (interval[1] + 0.054_085_119).abs() < 1e-8, "{clear:?}");
    assert!(!clear.is_noise() && clear.repeated);
    // single runs on 30 images: a tenth is nothing
    let alone = |at: usize| groups(&all[at..=at], &Column::MacroF1).remove(0);
    let single = verdict(&alone(0), &alone(3), 30).expect("a verdict");
    assert!(single.is_noise() && !single.repeated);
    assert!(verdict(&alone(0), &alone(3), 0).is_none());
    // a seed that was there before and a run that was stopped repeat nothing
    let seed = listing.runs[0].parameters["seed"].clone();
    listing.runs[1].parameters.insert("seed".into(), seed);
    listing.runs[5].state = RunState::Stopped;
    let all: Vec<&RunFacts> = listing.runs.iter().collect();
    let members: Vec<_> = groups(&all, &Column::MacroF1).into_iter().map(|group| group.members).collect();
    assert_eq!(members, [vec![0, 2], vec![1], vec![3, 4], vec![5]]);
}

#[test]
fn what_is_deleted_can_be_taken_back() {
    let folder = runs(&["a", "b"]);
    write(&folder.path().join("study/trial_1"), 7, |_| {});
    let trash = Trash::of(folder.path());
    let events = fs::read(folder.path().join("a/events.jsonl")).expect("reads");
    let trashed = trash.put("a").expect("goes");
    assert!(trashed.bytes > events.len() as u64 && !folder.path().join("a").exists());
    trash.put("study/trial_1").expect("goes");
    assert_eq!(names(&list(folder.path())), ["b"]);
    let inside = trash.list().expect("reads");
    assert_eq!(inside.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["a", "study/trial_1"]);
    // another run took the name meanwhile
    write(&folder.path().join("a"), 9, |_| {});
    assert_eq!(trash.restore(&inside[0]).expect("comes back"), "a-2");
    assert_eq!(trash.restore(&inside[1]).expect("comes back"), "study/trial_1");
    assert_eq!(fs::read(folder.path().join("a-2/events.jsonl")).expect("reads"), events);
    assert!(trash.put("nothing").expect_err("no run").to_string().contains("holds no run"));
    // what is elsewhere is not this trash's
    write(&folder.path().join("outer/inner"), 3, |_| {});
    assert!(Trash::of(&folder.path().join("study")).put("../outer/inner").expect_err("outside").to_string().contains("names no run"));
    fs::remove_dir_all(folder.path().join("outer")).expect("removes");
    trash.put("b").expect("goes");
    assert!(trash.empty().expect("empties") > 0 && trash.list().expect("reads").is_empty());
    assert_eq!(names(&list(folder.path())), ["a", "a-2", "study/trial_1"]);
}
