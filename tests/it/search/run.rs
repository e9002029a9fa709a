//! The runner inside this process.

use std::time::Duration;

use tuning_fork::search::{Kept, TrialState, run_of, spawn};
use tuning_fork::train::RunFolder;

use super::*;

#[test]
fn a_search_trains_what_the_journal_says_and_ends_with_its_budget() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(folder.path(), 3);
    let (ending, events) = run(&plan, |_, _| {});
    assert_eq!(ending.expect("a good end"), Ending::Trials);
    let study = study(&plan);
    assert_eq!(study.trials.len(), 3);
    for trial in &study.trials {
        assert_eq!((trial.state, trial.intermediate.len()), (TrialState::Complete, 2));
        let run = RunFolder::open(folder.path().join(run_of(trial).expect("a run"))).expect("a run folder");
        let config = run.config().expect("a configuration");
        assert_eq!(serde_json::json!(config.lr), trial.params["lr"].value());
        assert_eq!(serde_json::json!(config.batch), trial.params["batch"].value());
        let epochs = run.session().expect("events").epochs;
        let reported: Vec<f64> = epochs.iter().map(|epoch| epoch.valid_macro_f1).collect();
        assert_eq!(trial.intermediate.values().copied().collect::<Vec<_>>(), reported);
        assert_eq!(trial.value, reported.into_iter().reduce(f64::max));
        // what optuna-dashboard shows of it
        let notes = trial.system_attrs.iter().filter(|(key, _)| key.starts_with("artifacts:"));
        let mut files: Vec<(String, Vec<u8>)> = notes
            .map(|(key, note)| {
                let meta: serde_json::Value = serde_json::from_str(note.as_str().expect("a text")).expect("JSON");
                let identity = meta["artifact_id"].as_str().expect("an identity");
                assert_eq!(*key, format!("artifacts:{identity}"));
                let kept = std::fs::read(search::artifacts_in(folder.path()).join(identity)).expect("a file");
                (meta["filename"].as_str().expect("a name").to_owned(), kept)
            })
            .collect();
        files.sort();
        assert_eq!(files.len(), 2);
        assert!(files[0].0 == "confusion.png" && tuning_fork::imaging::decode(&files[0].1).expect("a picture").width() > 100);
        assert_eq!(files[1], ("summary.txt".to_owned(), std::fs::read(run.summary_path()).expect("a summary")));
    }
    let told = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(told(|e| matches!(e, Event::TrialStarted(_))), 3);
    assert_eq!(told(|e| matches!(e, Event::TrialEpoch(_))), 6);
    assert_eq!(told(|e| matches!(e, Event::TrialEnded(_))), 3);
    // the study tells what it is, and a second start has nothing left to do
    let kept = Kept::find(&plan.storage, "tiny").expect("a readable journal").expect("a study of ours");
    assert_eq!((kept.space, kept.base, kept.objective), (plan.space.clone(), plan.base.clone(), plan.objective));
    let (ending, events) = run(&plan, |_, _| {});
    assert_eq!((ending.expect("a good end"), events.len()), (Ending::Trials, 0));
}

#[test]
fn a_pruned_trial_stops_early_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plan = plan(folder.path(), 6);
    plan.base.epochs = 4;
    plan.pruner = Pruner::Hyperband { least: 1, most: 4, factor: 4 };
    run(&plan, |_, _| {}).0.expect("a good end");
    let study = study(&plan);
    let pruned: Vec<_> = study.trials.iter().filter(|trial| trial.state == TrialState::Pruned).collect();
    assert!(!pruned.is_empty(), "of six trials in brackets that keep a quarter, some are pruned");
    for trial in pruned {
        assert!(trial.intermediate.len() < 4);
        assert_eq!(trial.value, trial.last().map(|(_, value)| value));
    }
    assert_eq!(study.count(TrialState::Pruned) + study.count(TrialState::Complete), 6);
}

#[test]
fn a_stopped_trial_goes_on_where_it_was_or_fails_as_chosen() {
    for on_restart in [OnRestart::Resume, OnRestart::Fail] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut plan = Plan { on_restart, ..plan(folder.path(), 2) };
        plan.base.epochs = 3;
        let stop = |event: &Event, commands: &Sender<Command>| {
            if matches!(event, Event::TrialEpoch(_)) {
                commands.send(Command::Stop).expect("a listener");
            }
        };
        let (ending, _) = run(&plan, stop);
        assert_eq!(ending.expect("a good end"), Ending::Stopped);
        assert_eq!(study(&plan).trials[0].state, TrialState::Running);
        let (ending, events) = run(&plan, |_, _| {});
        assert_eq!(ending.expect("a good end"), Ending::Trials);
        let study = study(&plan);
        let states: Vec<TrialState> = study.trials.iter().map(|trial| trial.state).collect();
        match on_restart {
            OnRestart::Resume => {
                assert_eq!(states, [TrialState::Complete; 2]);
                assert!(matches!(&events[0], Event::TrialStarted(started) if started.resumed && started.number == 0));
                assert_eq!(study.trials[0].intermediate.len(), 3);
            }
            OnRestart::Fail => {
                assert_eq!(states, [TrialState::Fail, TrialState::Complete]);
                assert!(study.trials[0].user_attrs["error"].as_str().is_some_and(|why| why.contains("ended")));
            }
        }
    }
}

#[test]
fn a_trial_that_cannot_train_fails_with_its_reason_and_ten_in_a_row_end_the_search() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plan = plan(folder.path(), 30);
    // more than the thirty training images, which only the data can tell
    plan.space = Space::parse("batch = { choices = [64] }").expect("a space");
    let error = run(&plan, |_, _| {}).0.expect_err("nothing works");
    assert!(error.to_string().contains("batch"), "{error}");
    let study = study(&plan);
    assert_eq!(study.count(TrialState::Fail), 10);
    assert!(study.trials.iter().all(|trial| trial.user_attrs["error"].as_str().is_some_and(|why| why.contains("30"))));
}

#[test]
fn batches_that_the_data_do_not_fill_are_left_out_of_a_new_study_and_an_old_one_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut new = plan(folder.path(), 1);
    new.space = Space::parse("batch = { choices = [16, 64] }").expect("a space");
    let asked = new.clone();
    let words = new.fit(&galaxies()).expect("a space is left").expect("words");
    assert!(words.contains("batch 64 is left out"), "{words}");
    assert_eq!(new.space, Space::parse("batch = { choices = [16] }").expect("a space"));
    run(&new, |_, _| {}).0.expect("a good end");
    // the study searches what it did, so a plan for it is not changed under way
    let mut old = asked.clone();
    assert_eq!((old.fit(&galaxies()).expect("nothing to do"), old.space), (None, asked.space));
}

#[test]
fn no_trial_starts_once_the_time_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut plan = plan(folder.path(), 9);
    plan.budget = Budget { trials: Some(9), time: Some(Duration::from_millis(1)) };
    let (ending, _) = run(&plan, |event, _| {
        if matches!(event, Event::TrialStarted(_)) {
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    assert_eq!(ending.expect("a good end"), Ending::Time);
    let study = study(&plan);
    assert!(study.trials.len() <= 1 && study.count(TrialState::Complete) == study.trials.len(), "a trial that began is trained to its end");
}

#[test]
fn a_study_of_another_space_configuration_or_direction_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mine = plan(folder.path(), 1);
    run(&mine, |_, _| {}).0.expect("a good end");
    let refused = |plan: &Plan, words: &str| {
        let error = run(plan, |_, _| {}).0.expect_err("another study").to_string();
        assert!(error.contains(words) && error.contains("--study"), "{error}");
    };
    let space = Space::parse("lr = { low = 1e-4, high = 1e-3, log = true }").expect("a space");
    refused(&Plan { space, ..mine.clone() }, "another space");
    let space = Space::parse("batch = { choices = [8, 16, 32] }").expect("a space");
    refused(&Plan { space, ..mine.clone() }, "batch");
    refused(&Plan { base: Config { seed: 7, ..mine.base.clone() }, ..mine.clone() }, "configuration");
    refused(&Plan { objective: Objective::Accuracy, ..mine.clone() }, "val_macro_f1");
    refused(&Plan { objective: Objective::Loss, ..mine.clone() }, "direction");
    let elsewhere = Plan { base: Config { threads: 2, ..mine.base.clone() }, ..mine };
    run(&elsewhere, |_, _| {}).0.expect("where it runs may differ");
}

#[test]
fn two_workers_share_a_study_and_its_budget() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(folder.path(), 5);
    let handles = [(); 2].map(|()| spawn(plan.clone(), galaxies(), None));
    let mut ended = 0;
    while ended < 2 {
        std::thread::sleep(Duration::from_millis(20));
        ended += handles.iter().flat_map(search::Handle::drain).filter(|event| matches!(event, Event::SearchEnded(_))).count();
    }
    let study = study(&plan);
    assert_eq!((study.trials.len(), study.count(TrialState::Complete)), (5, 5));
    let workers: std::collections::BTreeSet<String> =
        study.trials.iter().map(|trial| trial.system_attrs["tuning_fork:worker"].to_string()).collect();
    assert_eq!(workers.len(), 2, "both did some");
    let runs: std::collections::BTreeSet<_> = study.trials.iter().map(run_of).collect();
    assert_eq!(runs.len(), 5);
}

#[test]
fn a_journal_that_leads_out_of_its_folder_is_not_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let outside = tempfile::tempdir().expect("another folder");
    let plan = plan(folder.path(), 1);
    let stop = |event: &Event, commands: &Sender<Command>| {
        if matches!(event, Event::TrialStarted(_)) {
            commands.send(Command::Stop).expect("a listener");
        }
    };
    run(&plan, stop).0.expect("a good end");
    let text = std::fs::read_to_string(journal(&plan)).expect("the journal");
    let evil = outside.path().join("run").display().to_string();
    std::fs::create_dir(&evil).expect("a folder");
    std::fs::write(journal(&plan), text.replace("tiny/trial-0000", &evil)).expect("a file");
    run(&plan, |_, _| {}).0.expect("a good end");
    assert_eq!(study(&plan).trials[0].state, TrialState::Fail);
    assert!(std::path::Path::new(&evil).is_dir(), "nothing outside was touched");
}

#[test]
fn what_lies_in_the_folder_that_a_journal_names_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = plan(folder.path(), 1);
    let stop = |event: &Event, commands: &Sender<Command>| {
        if matches!(event, Event::TrialStarted(_)) {
            commands.send(Command::Stop).expect("a listener");
        }
    };
    run(&plan, stop).0.expect("a good end");
    let text = std::fs::read_to_string(journal(&plan)).expect("the journal");
    let mine = folder.path().join("tiny/mine");
    std::fs::create_dir(&mine).expect("a folder");
    std::fs::write(mine.join("notes.txt"), "years of work").expect("a file");
    std::fs::write(journal(&plan), text.replace("tiny/trial-0000", "tiny/mine")).expect("a file");
    run(&plan, |_, _| {}).0.expect("a good end");
    assert_eq!(study(&plan).trials[0].state, TrialState::Fail);
    assert_eq!(std::fs::read_to_string(mine.join("notes.txt")).expect("it is there"), "years of work");
}
