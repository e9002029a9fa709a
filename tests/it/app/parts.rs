//! The Confusion panel on the parts that a run did not validate on: a real run, its best model evaluated, kept, found again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tuning_fork::app::{Action, ExploreChange, Pane};
use tuning_fork::data::Part;
use tuning_fork::metrics::Confusion;
use tuning_fork::review::Record;
use tuning_fork::train::{Config, RunFolder, evaluate};

use super::super::folders::Run;
use super::confusion::{cell, click, open, until};
use super::stand::{Window, act, app, data, small, state, wait};
use crate::train::common::{config, dataset, events, mischievous, start};

/// A run of three quick epochs on 60 pictures.
pub fn trained(folder: &Path) -> RunFolder {
    let run = RunFolder::create(folder).expect("a new folder");
    events(&start(Config { data: "sides".into(), ..config(3) }, &run));
    run
}

/// A window with the run open in the enlarged panel, and its data set.
pub fn looking(folder: &Path) -> Window {
    let mut window = small();
    app(&mut window).show_data(dataset(60)).expect("it can be split");
    act(&mut window, Action::Fill(Some(Pane::Confusion)));
    open(&mut window, folder);
    window
}

fn show(window: &mut Window, part: &str) {
    let choice = window.query_all_by_label(part).find(|node| node.accesskit_node().role() == Role::Button);
    choice.expect("the part can be chosen").click();
    window.run_ok();
}

/// Four bytes a number behind the header: the table as `numpy.load` sees it.
fn kept(run: &RunFolder, name: &str) -> usize {
    std::fs::read(run.path().join("predictions").join(name)).expect("a file").len()
}

#[test]
fn the_best_model_is_evaluated_on_test_and_training_images_and_found_again() {
    let parent = tempfile::tempdir().expect("a folder");
    let run = trained(&parent.path().join("tiny"));
    let best = run.session().expect("events").best_epoch().expect("a best epoch").epoch;
    let mut window = looking(run.path());
    for (part, choice, images) in [(Part::Test, "Test", 12), (Part::Train, "Training", 36)] {
        show(&mut window, choice);
        until(&mut window, &format!("The best model, that of epoch {best}, was not evaluated"));
        click(&mut window, &format!("Evaluate on the {} images", part.title()));
        until(&mut window, &format!("on {images} {} images", part.title()));
        assert!(kept(&run, &format!("{}_{best:04}.npy", part.name())) > images * 3 * 2);
        assert_eq!(run.kept_epochs().expect("epochs").of(part), [best]);
        for (page, words) in [
            ("Classes", "Cohen's kappa: "),
            ("Calibration", "Reliability diagram, As trained"),
            ("PR and ROC", "top: average precision"),
            ("Suspects", "Probable label errors ("),
            ("Compare", "Choose another epoch, or open another run"),
            ("Matrix", "were rightly called top"),
        ] {
            click(&mut window, page);
            until(&mut window, words);
        }
        cell(&mut window, "were rightly called top");
        until(&mut window, "labelled top with");
        click(&mut window, "Hide galaxies");
    }
    drop(window);

    // the next session shows the same numbers without asking the model again
    std::fs::remove_file(run.best_model()).expect("it was there");
    let mut window = looking(run.path());
    show(&mut window, "Test");
    until(&mut window, "on 12 test images");
    assert!(window.query_by_label("Evaluate on the test images").is_none());
    show(&mut window, "Validation");
    until(&mut window, "on 12 validation images");
}

/// Moves the slider of the epochs to a place, counted from 0.
fn go_to(window: &mut Window, place: usize) {
    window.get_by_role_and_label(Role::Slider, "Epoch").set_value_accesskit(place as f64);
    window.run_ok();
}

#[test]
fn every_kept_epoch_is_evaluated_on_test_images_and_one_without_weights_says_what_to_do() {
    let parent = tempfile::tempdir().expect("a folder");
    let run = trained(&parent.path().join("tiny"));
    let best = run.session().expect("events").best_epoch().expect("a best epoch").epoch;
    let others: Vec<usize> = (1..=3).filter(|epoch| *epoch != best).collect();
    let (kept_one, lost) = (others[0], others[1]);
    std::fs::remove_file(run.model_of(lost).expect("it is kept")).expect("it was there");
    let mut window = looking(run.path());
    show(&mut window, "Test");
    until(&mut window, &format!("The best model, that of epoch {best}, was not evaluated"));
    go_to(&mut window, kept_one - 1);
    until(&mut window, &format!("The model of epoch {kept_one} was not evaluated on the test images yet."));
    click(&mut window, "Evaluate on the test images");
    until(&mut window, &format!("Epoch {kept_one}: accuracy"));
    assert_eq!(run.kept_epochs().expect("epochs").of(Part::Test), [kept_one]);
    let alone = evaluate(&run, Some(kept_one), Part::Test, &dataset(60), |_| true).expect("evaluates").expect("to the end");
    let written = run.probabilities(Part::Test, kept_one).expect("probabilities");
    assert!(written.values.iter().zip(&alone.probabilities).all(|(kept, exact)| (kept.to_f32() - exact).abs() < 5e-4));
    let finest = evaluate(&run, None, Part::Test, &dataset(60), |_| true).expect("evaluates").expect("to the end");
    assert_ne!(alone.probabilities, finest.probabilities, "or the test could not tell the models apart");
    cell(&mut window, "were ");
    until(&mut window, "labelled ");
    click(&mut window, "Hide galaxies");

    // no weights, no evaluation: the button is there, and says why it is off
    go_to(&mut window, lost - 1);
    until(&mut window, "Its weights are not kept (epochs with weights: ");
    until(&mut window, "“Kept epochs” on the Train panel (--snapshots)");
    assert!(window.get_by_label("Evaluate on the test images").accesskit_node().is_disabled());
    assert!(window.get_by_label("Play through the epochs").accesskit_node().is_disabled(), "one epoch is no film");

    // with a second one they can be played and compared
    click(&mut window, "Best");
    click(&mut window, "Evaluate on the test images");
    until(&mut window, &format!("Epoch {best}: accuracy"));
    window.get_by_label("Play through the epochs").click();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        window.step();
        seen.extend((1..=3).filter(|epoch| window.query_by_label_contains(&format!("Epoch {epoch}: accuracy")).is_some()));
    }
    assert_eq!(seen, [kept_one, best].into());
    click(&mut window, "Compare");
    until(&mut window, "Fixed: ");
}

#[test]
fn two_runs_are_compared_on_their_test_images() {
    let parent = tempfile::tempdir().expect("a folder");
    let mut window = small();
    app(&mut window).show_data(dataset(60)).expect("it can be split");
    act(&mut window, Action::Fill(Some(Pane::Confusion)));
    for name in ["first", "second"] {
        let run = trained(&parent.path().join(name));
        if name == "first" {
            let evaluation = evaluate(&run, None, Part::Test, &dataset(60), |_| true).expect("evaluates").expect("to the end");
            evaluation.keep(&run).expect("room");
        }
        open(&mut window, run.path());
    }
    show(&mut window, "Test");
    click(&mut window, "Evaluate on the test images");
    until(&mut window, "on 12 test images");
    click(&mut window, "Compare");
    window.get_by_label("Run to compare with").click();
    window.run_ok();
    click(&mut window, "first");
    // the same seed gives the same run, so nothing was fixed or broken
    until(&mut window, "Fixed: 0");
}

#[test]
fn explore_filters_by_the_answers_of_any_run_and_epoch() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("first");
    Run::default().write(&path);
    let record = Record::open(&path).expect("a run");
    let wrong = |epoch| record.predictions(Part::Valid, epoch).expect("probabilities").mistakes().len();
    assert_ne!(wrong(1), wrong(4), "or the test could not tell the epochs apart");
    let mut window = small();
    app(&mut window).show_data(data(300)).expect("it can be split");
    act(&mut window, Action::Fill(Some(Pane::Confusion)));
    open(&mut window, &path);
    act(&mut window, Action::Show(Pane::Explore));
    let choose = |window: &mut Window, list: &str, entry: &str| {
        window.get_by_role_and_label(Role::ComboBox, list).click();
        window.run_ok();
        click(window, entry);
    };
    choose(&mut window, "Answers of", "first");
    wait(&mut window, "the answers", |state| state.explore.answers_of.is_some_and(|(_, epoch)| epoch == 4));
    assert!(window.query_by_label("60 have an answer").is_some(), "only the validation images were looked at");
    act(&mut window, Action::Explore(ExploreChange::Filter("wrong sort:-conf".into())));
    assert!(window.query_by_label(&format!("{} of 300", wrong(4))).is_some());
    let first = record.predictions(Part::Valid, 4).expect("probabilities").mistakes()[0];
    assert_eq!(state(&window).explore.selection.places[0], record.images(Part::Valid)[first] as usize, "the most confident mistake first");
    choose(&mut window, "Epoch of the answers", "epoch 1");
    wait(&mut window, "the answers", |state| state.explore.answers_of.is_some_and(|(_, epoch)| epoch == 1));
    assert!(window.query_by_label(&format!("{} of 300", wrong(1))).is_some());
    choose(&mut window, "Answers of", "The model");
    assert!(window.query_by_label_contains("no picture is classified yet").is_some(), "there is no model, so nobody says what is wrong");
    assert!(window.query_by_label("60 have an answer").is_none());
}

static GATE: AtomicBool = AtomicBool::new(false);

#[test]
fn an_evaluation_shows_how_far_it_is_and_can_be_cancelled() {
    let parent = tempfile::tempdir().expect("a folder");
    let run = trained(&parent.path().join("tiny"));
    let mut window = looking(run.path());
    let slow = mischievous(60, |_| {
        while GATE.load(Ordering::Relaxed) {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        Ok(())
    });
    app(&mut window).show_data(slow).expect("it can be split");
    GATE.store(true, Ordering::Relaxed);
    show(&mut window, "Training");
    click(&mut window, "Evaluate on the training images");
    until(&mut window, "Evaluating on the training images");
    assert!(window.query_by_role_and_label(Role::ProgressIndicator, "Evaluating on the training images").is_some());
    click(&mut window, "Cancel");
    GATE.store(false, Ordering::Relaxed);
    until(&mut window, "was not evaluated on the training images yet");
    assert!(run.kept_epochs().expect("epochs").of(Part::Train).is_empty());
    assert!(state(&window).notices.is_empty(), "it is no failure: {:?}", state(&window).notices);
    // and it can be had after all
    click(&mut window, "Evaluate on the training images");
    until(&mut window, "on 36 training images");
    wait(&mut window, "the end", |state| state.notices.is_empty());
}

#[test]
fn answers_that_cannot_be_kept_are_shown_all_the_same() {
    let parent = tempfile::tempdir().expect("a folder");
    let run = trained(&parent.path().join("tiny"));
    let mut window = looking(run.path());
    // a file where the folder should be
    std::fs::remove_dir_all(run.path().join("predictions")).expect("it was there");
    std::fs::write(run.path().join("predictions"), "in the way").expect("a file");
    show(&mut window, "Test");
    click(&mut window, "Evaluate on the test images");
    until(&mut window, "on 12 test images");
    until(&mut window, "the answers are not kept in the run's folder");
    let evaluation = evaluate(&run, None, Part::Test, &dataset(60), |_| true).expect("evaluates").expect("to the end");
    let shown: Confusion = evaluation.confusion;
    until(&mut window, &format!("accuracy {:.1} %", 100.0 * shown.accuracy()));
}
