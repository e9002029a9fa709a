//! A run that ended before its last epoch goes on: in its window, in another one, on the processor when its device failed.

use std::path::Path;

use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tuning_fork::app::{Action, ExperimentsChange, Pane, Saved};
use tuning_fork::train::{Config, Outcome, RunFolder, Status};

use super::confusion::click;
use super::stand::{Window, act, app, ended, epoch, feed, run, small, small_config, started, state, step, wait, window};

const EPOCHS: usize = 14;

/// A window on the runs of a folder, whose form asks for many short epochs.
fn training(runs: &Path) -> Window {
    let config = Config { epochs: EPOCHS, batch: 16, threads: 1, snapshots: 0, patience: 0, ..small_config() };
    let mut window = window(Saved::with_config(config));
    app(&mut window).keep_runs_in(runs);
    wait(&mut window, "the synthetic galaxies", |state| state.data.is_some());
    window
}

fn epochs(window: &Window) -> usize {
    state(window).run.as_ref().map_or(0, |run| run.session.epochs.len())
}

/// Stops the run after its epoch number `after`, or a later one; returns how many are done.
fn stop(window: &mut Window, after: usize) -> usize {
    let start = std::time::Instant::now();
    // as few frames as can be: the run trains meanwhile
    while epochs(window) < after {
        assert!(start.elapsed() < std::time::Duration::from_mins(5), "timed out");
        window.step();
    }
    app(window).apply(Action::Stop);
    wait(window, "the end", |state| state.run.as_ref().is_some_and(tuning_fork::app::Run::is_over));
    epochs(window)
}

#[test]
fn a_stopped_run_goes_on_in_its_window_and_in_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = training(folder.path());
    act(&mut first, Action::Start);
    let done = stop(&mut first, 1);
    assert!(done < EPOCHS / 2, "{done} epochs before the stop");
    let run = state(&first).run.as_ref().expect("a run").folder.clone();
    click(&mut first, "Go on");
    wait(&mut first, "the run", |state| !state.starting);
    assert!(epochs(&first) >= done, "its epochs so far are there at once");
    wait(&mut first, "its best model", |state| state.model.classifier.is_some());
    let more = stop(&mut first, done + 1);
    assert_eq!(state(&first).run.as_ref().expect("a run").folder, run);
    assert!(more < EPOCHS, "{more} epochs before the second stop");
    drop(first);

    let mut second = training(folder.path());
    act(&mut second, Action::Fill(Some(Pane::Experiments)));
    wait(&mut second, "the run", |state| state.experiments.runs().len() == 1);
    let name = state(&second).experiments.runs()[0].folder.clone();
    act(&mut second, Action::Experiments(ExperimentsChange::Focus(Some(name.clone()))));
    click(&mut second, "Go on");
    wait(&mut second, "the end of the run", |state| state.run.as_ref().is_some_and(tuning_fork::app::Run::is_over));
    let session = &state(&second).run.as_ref().expect("a run").session;
    assert_eq!(session.status, Status::Ended(Outcome::Completed));
    assert!(session.epochs.iter().map(|epoch| epoch.epoch).eq(1..=EPOCHS));
    // nothing is left of it
    assert!(second.query_by_label("Go on").is_none(), "on the Train panel");
    act(&mut second, Action::Fill(Some(Pane::Experiments)));
    act(&mut second, Action::Experiments(ExperimentsChange::Refresh));
    wait(&mut second, "the listing", |state| state.experiments.runs().first().is_some_and(|run| run.epochs == EPOCHS));
    act(&mut second, Action::Experiments(ExperimentsChange::Focus(Some(name))));
    assert!(second.get_by_label("Go on").accesskit_node().is_disabled());
    // the file tells the same
    let kept = RunFolder::open(&run).and_then(|run| run.session()).expect("a session");
    assert!(kept.epochs.iter().map(|epoch| epoch.epoch).eq(1..=EPOCHS));
}

#[test]
fn a_run_whose_device_failed_is_offered_the_processor() {
    let mut window = small();
    run(&mut window, [step(1)]);
    feed(&mut window, [started("GeForce, TF32", ""), step(2), ended(Outcome::Failed, "the device is lost")]);
    assert!(window.query_by_label("Go on").is_none(), "nothing is learned yet");
    feed(&mut window, [started("GeForce, TF32", ""), step(2), epoch(1, 24, true), ended(Outcome::Failed, "the device is lost")]);
    assert!(window.query_by_label("Go on").is_some());
    click(&mut window, "Go on on the processor");
    // its folder is not there
    wait(&mut window, "the answer", |state| !state.starting);
    assert!(state(&window).notices.iter().any(|notice| notice.text.contains("The run was not started. ")));
    assert!(window.query_by_label("the device is lost").is_some(), "what happened stays");
    // on the processor there is nothing else to offer
    feed(&mut window, [started("CPU, 32 bit", ""), step(2), epoch(1, 24, true), ended(Outcome::Failed, "no number")]);
    assert!(window.query_by_label("Go on").is_some() && window.query_by_label("Go on on the processor").is_none());
}

#[test]
fn what_cannot_go_on_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = training(folder.path());
    act(&mut window, Action::Start);
    stop(&mut window, 1);
    let run = state(&window).run.as_ref().expect("a run").folder.clone();
    // its data are gone
    let config = RunFolder::open(&run).and_then(|run| run.config()).expect("a configuration");
    let gone = Config { data: folder.path().join("gone").display().to_string(), ..config };
    std::fs::write(run.join("config.json"), serde_json::to_vec(&gone).expect("JSON")).expect("writes");
    act(&mut window, Action::GoOn(run.clone(), None));
    wait(&mut window, "the answer", |state| !state.starting);
    assert!(state(&window).notices.iter().any(|notice| notice.text.contains("Its data,") && notice.text.contains("gone")));
    assert!(matches!(state(&window).run.as_ref().map(|run| run.session.status), Some(Status::Ended(_))), "what is shown stays");
    // another runs
    act(&mut window, Action::Start);
    wait(&mut window, "a step", |state| state.run.as_ref().is_some_and(|run| !run.session.steps.is_empty()));
    act(&mut window, Action::GoOn(run, None));
    assert!(state(&window).notices.iter().any(|notice| notice.text.contains("The run does not go on yet. A run is going on")));
}

#[test]
fn after_a_crash_the_train_panel_offers_to_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = training(folder.path());
    act(&mut window, Action::Start);
    stop(&mut window, 1);
    let run = state(&window).run.as_ref().expect("a run").folder.clone();
    drop(window);
    // as a kill leaves it: no last word
    let events = std::fs::read_to_string(run.join("events.jsonl")).expect("events");
    let killed: String = events.lines().filter(|line| !line.contains("\"ended\"")).flat_map(|line| [line, "\n"]).collect();
    std::fs::write(run.join("events.jsonl"), killed).expect("writes");

    let mut next = training(folder.path());
    assert!(next.query_by_label_contains("was interrupted after").is_none(), "nobody looked yet");
    app(&mut next).look_for_interrupted();
    wait(&mut next, "the runs", |state| state.experiments.interrupted().is_some());
    assert!(next.query_by_label_contains(&format!(" of {EPOCHS} epochs.")).is_some());
    click(&mut next, "Go on with it");
    wait(&mut next, "an epoch more", |state| state.run.as_ref().is_some_and(|run| !run.session.epochs.is_empty()));
    assert_eq!(state(&next).run.as_ref().expect("a run").folder, run);
    assert!(next.query_by_label_contains("was interrupted after").is_none());
}

#[test]
fn a_run_finds_its_data_again_and_those_that_moved_when_they_are_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = folder.path().join("runs");
    let (there, elsewhere) = (folder.path().join("there"), folder.path().join("elsewhere"));
    class_folders(&there);
    let config =
        Config { data: there.display().to_string(), epochs: EPOCHS, batch: 8, threads: 1, size: 32, patience: 0, ..Config::default() };
    let mut window = window(Saved::with_config(config));
    app(&mut window).keep_runs_in(&runs);
    wait(&mut window, "the pictures", |state| state.data.is_some());
    act(&mut window, Action::Start);
    stop(&mut window, 1);
    let run = state(&window).run.as_ref().expect("a run").folder.clone();
    std::fs::rename(&there, &elsewhere).expect("moves");
    // the pictures are in memory no more, and the synthetic ones are others
    act(&mut window, Action::UseSynthetic);
    wait(&mut window, "the synthetic galaxies", |state| state.data.as_ref().is_some_and(|data| data.set.classes.len() == 10));
    act(&mut window, Action::GoOn(run.clone(), None));
    wait(&mut window, "the answer", |state| !state.starting);
    assert!(state(&window).notices.iter().any(|notice| notice.text.contains("open them on the Train panel and go on again")));
    act(&mut window, Action::OpenData(elsewhere.clone()));
    wait(&mut window, "the pictures", |state| state.data.as_ref().is_some_and(|data| data.set.classes.len() == 2));
    act(&mut window, Action::GoOn(run.clone(), None));
    wait(&mut window, "the end", |state| state.run.as_ref().is_some_and(|run| run.session.status == Status::Ended(Outcome::Completed)));
    assert_eq!(RunFolder::open(&run).and_then(|run| run.config()).expect("a configuration").data, elsewhere.display().to_string());
}

/// Pictures of two classes, dark and bright.
fn class_folders(folder: &Path) {
    for (class, level) in [("dark", 40), ("bright", 200)] {
        std::fs::create_dir_all(folder.join(class)).expect("a folder");
        for number in 0..20u8 {
            let image = tuning_fork::imaging::Image::new(32, 32, vec![level + number; 32 * 32 * 3]).expect("a picture");
            let png = tuning_fork::imaging::encode_png(&image, &[]).expect("a PNG");
            std::fs::write(folder.join(class).join(format!("{number}.png")), png).expect("writes");
        }
    }
}

#[test]
fn a_trial_goes_on_with_its_search_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let searches = folder.path().join("searches");
    super::super::folders::Run::default().write(&searches.join("study/trial-0000"));
    let mut window = training(&folder.path().join("runs"));
    app(&mut window).keep_searches_in(&searches);
    act(&mut window, Action::Experiments(ExperimentsChange::Trials(true)));
    wait(&mut window, "the trial", |state| state.experiments.runs().len() == 1);
    let name = state(&window).experiments.runs()[0].folder.clone();
    act(&mut window, Action::Experiments(ExperimentsChange::GoOn(name)));
    assert!(state(&window).notices.iter().any(|notice| notice.text.contains("It goes on with its search.")));
    assert!(!state(&window).starting);
}
