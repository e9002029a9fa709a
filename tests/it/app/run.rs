//! A run as its events tell it: progress, curves, confusion matrix, endings.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tuning_fork::app::Action;
use tuning_fork::train::{Command, Event, Outcome, Paused, Saved};

use super::stand::{act, ended, epoch, feed, run, small, started, state, step};

#[test]
fn empty_panels_say_what_to_do() {
    let window = small();
    for words in ["No curves yet", "No confusion matrix yet", "No model yet", "Ready when you are"] {
        assert!(window.query_by_label_contains(words).is_some(), "{words}");
    }
}

#[test]
fn progress_curves_and_matrix_follow_the_events() {
    let mut window = small();
    run(&mut window, (1..=10).map(step));
    assert!(window.query_by_label_contains("64 images/s").is_some());
    assert!(window.query_by_label_contains("left").is_some());
    assert!(window.query_by_label_contains("at the end of this epoch").is_some());
    feed(&mut window, [epoch(1, 24, true)].into_iter().chain((11..=15).map(step)));
    assert!(window.query_by_label("Epoch 2 of 4, batch 5 of 10").is_some());
    // 25 steps of half a second, and three validations of a second each
    assert!(window.query_by_label_contains("about 16 s left").is_some());
    assert!(window.query_by_label_contains("Loss over the epochs; validation now 0.9").is_some());
    assert!(window.query_by_label_contains("Epoch 1: accuracy 80.0 %, macro-F1 0.250 on 30 validation images").is_some());
    assert!(window.query_by_label_contains("most often confused: 6 of 14 Spiral were called Round (43 %)").is_some());
    assert!(window.query_by_label_contains("CPU, 32 bit").is_some());
}

#[test]
fn the_device_is_told_with_its_reason() {
    let mut window = small();
    run(&mut window, []);
    let reason = "the first CUDA device; the precision bf16 is faster still";
    feed(&mut window, [started("GeForce, TF32", reason), step(1)]);
    assert!(window.query_by_label(&format!("GeForce, TF32  ·  {reason}")).is_some());
    // of the processor only what is not plain
    feed(&mut window, [started("CPU, 32 bit", "no CUDA device: no driver"), step(2)]);
    assert!(window.query_by_label_contains("no CUDA device: no driver").is_some());
}

#[test]
fn the_matrix_goes_back_to_any_epoch_and_follows_the_latest() {
    let mut window = small();
    run(&mut window, [step(1), epoch(1, 15, true), epoch(2, 18, true), epoch(3, 21, true)]);
    assert!(window.query_by_label_contains("Epoch 3: accuracy 70.0 %").is_some());
    window.get_by_role_and_label(Role::Slider, "Epoch").set_value_accesskit(0.0);
    window.run_ok();
    assert!(window.query_by_label_contains("Epoch 1: accuracy 50.0 %").is_some());
    feed(&mut window, [epoch(4, 24, true)]);
    assert!(window.query_by_label_contains("Epoch 1: accuracy 50.0 %").is_some(), "a chosen epoch stays");
    window.get_by_label("Latest").click();
    window.run_ok();
    assert!(window.query_by_label_contains("Epoch 4: accuracy 80.0 %").is_some());
    window.get_by_label("By row").click();
    window.run_ok();
    assert!(window.get_by_label("By row").accesskit_node().toggled() == Some(egui::accesskit::Toggled::True));
}

#[test]
fn commands_are_shown_until_they_are_obeyed() {
    let mut window = small();
    run(&mut window, [step(1)]);
    window.get_by_label("Pause").click();
    window.run_ok();
    assert_eq!(state(&window).run.as_ref().and_then(|run| run.asked), Some(Command::Pause));
    assert!(window.query_by_label("pausing after this batch").is_some());
    feed(&mut window, [step(2), Event::Paused(Paused { epoch: 1, step: 2 })]);
    assert!(window.query_by_label("pausing after this batch").is_none());
    assert!(window.query_by_label("Paused").is_some());
    window.get_by_label("Resume").click();
    window.run_ok();
    feed(&mut window, [step(3)]);
    assert!(window.query_by_label("Pause").is_some());
    window.get_by_label("Stop").click();
    window.run_ok();
    assert!(window.query_by_label("stopping after this batch").is_some());
    feed(&mut window, [ended(Outcome::Stopped, "Stopped after 3 steps.")]);
    assert!(window.query_by_label("Stopped after 3 steps.").is_some());
    assert!(window.query_by_label("Start").is_some());
}

#[test]
fn a_failed_run_is_a_banner_until_it_is_closed() {
    let mut window = small();
    let message = "the loss is not finite at step 7; lower the learning rate";
    run(&mut window, [step(1), ended(Outcome::Failed, message)]);
    assert!(window.query_by_label("The run failed").is_some() && window.query_by_label(message).is_some());
    assert!(window.query_by_label_contains("runs/test").is_some());
    window.get_by_label("Close message").click();
    window.run_ok();
    assert!(window.query_by_label("The run failed").is_none());
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_told() {
    let mut window = small();
    let saved = Saved { epoch: 1, path: "runs/test".into(), best: true, error: Some("the disk is full; make room".into()) };
    run(&mut window, [step(1), Event::Saved(saved)]);
    assert!(window.query_by_label_contains("Not saved: the disk is full; make room").is_some());
}

#[test]
fn a_new_run_starts_with_empty_panels() {
    let mut window = small();
    run(&mut window, [step(1), epoch(1, 15, true), ended(Outcome::Completed, "All 4 epochs.")]);
    assert!(window.query_by_label_contains("Epoch 1: accuracy").is_some());
    run(&mut window, []);
    assert!(window.query_by_label_contains("Epoch 1: accuracy").is_none());
    assert!(window.query_by_label("No curves yet").is_some());
    act(&mut window, Action::Stop);
    assert_eq!(state(&window).run.as_ref().and_then(|run| run.asked), Some(Command::Stop));
}
