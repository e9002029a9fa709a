//! The form of a run: bad values, defaults, the data set.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tuning_fork::app::{Action, Saved};
use tuning_fork::train::{Config, LossKind};

use super::stand::{act, app, data, drop_on, small, small_config, state, wait, window};

#[test]
fn a_bad_value_says_so_at_its_field_and_blocks_the_start() {
    let mut window = small();
    assert!(!window.get_by_role_and_label(Role::Button, "Start").accesskit_node().is_disabled());
    window.get_by_role_and_label(Role::SpinButton, "Batch size").set_value_accesskit(0.0);
    window.run_ok();
    assert_eq!(state(&window).config.batch, 0);
    assert!(window.query_by_label("choose at least 1").is_some());
    assert!(window.get_by_role_and_label(Role::Button, "Start").accesskit_node().is_disabled());
    let why = state(&window).start_blocked().expect("a reason");
    assert!(why.contains("Batch size: choose at least 1"), "{why}");
    // the way back to the default
    window.get_by_label("Reset Batch size").click();
    window.run_ok();
    assert_eq!(state(&window).config.batch, Config::default().batch);
    assert!(window.query_by_label("choose at least 1").is_none());
    assert!(!window.get_by_role_and_label(Role::Button, "Start").accesskit_node().is_disabled());
}

#[test]
fn no_learning_rate_that_makes_no_sense_can_start_a_run() {
    let mut window = small();
    for (value, words) in [(0.0, "0 is not a usable learning rate"), (-1.0, "-1 is not"), (f64::NAN, "NaN is not")] {
        let config = Config { lr: value, ..small_config() };
        act(&mut window, Action::Configure(Box::new(config)));
        assert!(window.query_by_label_contains(words).is_some(), "{value}");
        assert!(window.get_by_role_and_label(Role::Button, "Start").accesskit_node().is_disabled());
    }
}

#[test]
fn fields_that_do_not_apply_are_not_shown() {
    let mut window = small();
    assert!(window.query_by_label("Beta").is_some() && window.query_by_label("Momentum").is_none());
    act(&mut window, Action::Configure(Box::new(Config { loss: LossKind::CrossEntropy, ..small_config() })));
    assert!(window.query_by_label("Beta").is_none());
}

#[test]
fn another_number_of_synthetic_images_draws_them_again() {
    let mut window = small();
    window.get_by_role_and_label(Role::SpinButton, "Images").set_value_accesskit(120.0);
    window.run_ok();
    wait(&mut window, "120 galaxies", |state| state.data.as_ref().is_some_and(|data| data.set.len() == 120));
    assert_eq!(state(&window).start_blocked(), None);
}

#[test]
fn a_folder_that_cannot_be_opened_is_a_notice_and_changes_nothing() {
    let mut window = small();
    let folder = tempfile::tempdir().expect("a folder");
    drop_on(&mut window, folder.path());
    wait(&mut window, "a notice", |state| !state.notices.is_empty());
    assert!(state(&window).notices[0].text.starts_with("The data set was not opened."), "{:?}", state(&window).notices);
    assert_eq!(state(&window).config.data, "synthetic");
    assert!(state(&window).data.is_some() && state(&window).loading.is_none());
    window.run_ok();
    window.get_by_label("Close notice").click();
    window.run_ok();
    assert!(state(&window).notices.is_empty());
}

#[test]
fn a_last_data_set_that_is_gone_falls_back_to_the_synthetic_galaxies() {
    let config = Config { data: "no/such/folder".into(), ..small_config() };
    let mut window = window(Saved::with_config(config));
    wait(&mut window, "the fall-back", |state| state.data.is_some());
    assert_eq!(state(&window).config.data, "synthetic");
    assert_eq!(state(&window).notices.len(), 1);
}

#[test]
fn data_in_memory_is_shown_with_its_split() {
    let mut window = small();
    app(&mut window).show_data(data(300)).expect("it can be split");
    window.run_ok();
    assert!(window.query_by_label_contains("300 images, 3 classes").is_some());
    assert!(window.query_by_label_contains("180 train, 60 validation, 60 test").is_some());
    assert_eq!(state(&window).start_blocked(), None);
}
