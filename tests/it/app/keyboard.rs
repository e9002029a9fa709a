//! Shortcuts, and what survives a restart.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use tuning_fork::app::{Action, Does, LOCALS, Pane, Saved, State, globals};
use tuning_fork::train::{Command, Config, Event, Saved as Kept};

use super::confusion::Memory;
use super::parts::trained;
use super::stand::{Window, act, app, feed, run, small, small_config, state, step, wait, window};

#[test]
fn space_pauses_unless_something_else_has_the_focus() {
    let mut window = small();
    run(&mut window, [step(1)]);
    window.get_by_role_and_label(Role::TextInput, "Data folder").focus();
    window.run_ok();
    window.key_press(Key::Space);
    window.run_ok();
    assert_eq!(state(&window).run.as_ref().and_then(|run| run.asked), None);
    window.key_press(Key::Escape);
    window.run_ok();
    window.key_press(Key::Space);
    window.run_ok();
    assert_eq!(state(&window).run.as_ref().and_then(|run| run.asked), Some(Command::Pause));
}

#[test]
fn panels_are_enlarged_and_brought_back_by_keys() {
    let mut window = small();
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Num4);
    window.run_ok();
    assert_eq!(state(&window).full, Some(Pane::Explore));
    assert!(window.query_by_label("No curves yet").is_none());
    window.key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    window.run_ok();
    assert_eq!(state(&window).full, Some(Pane::Curves));
    window.key_press(Key::Escape);
    window.run_ok();
    assert_eq!(state(&window).full, None);
    window.get_by_label("Enlarge Confusion").click();
    window.run_ok();
    assert_eq!(state(&window).full, Some(Pane::Confusion));
}

#[test]
fn the_sheet_of_shortcuts_opens_and_closes() {
    let mut window = small();
    window.key_press(Key::F1);
    window.run_ok();
    assert!(window.query_by_label("Start, pause or resume the run").is_some());
    window.key_press(Key::Escape);
    window.run_ok();
    assert!(!state(&window).help);
}

#[test]
fn the_sheet_shows_every_key_of_the_window_and_of_the_panels() {
    let mut window = small();
    window.key_press(Key::Questionmark);
    window.run_ok();
    assert!(state(&window).help);
    for does in globals().into_iter().map(|global| global.does) {
        assert!(window.query_all_by_label(&does.keys()).next().is_some(), "the sheet has no {}", does.keys());
        assert!(window.query_all_by_label(&does.words()).next().is_some(), "the sheet does not say: {}", does.words());
    }
    for local in LOCALS {
        for words in [local.place, local.shown, local.words] {
            assert!(window.query_all_by_label(words).next().is_some(), "the sheet does not say: {words}");
        }
    }
}

/// What the keys of the window can change.
fn changed(window: &Window) -> String {
    let state = state(window);
    let asked = state.run.as_ref().and_then(|run| run.asked);
    format!("{:?} {} {} {} {asked:?}", state.full, state.palette, state.help, state.undo.last().is_some())
}

#[test]
fn every_key_of_the_window_does_something() {
    // a dialog of the system is nothing for a test; `keys` itself tests that it is asked for
    for global in globals().into_iter().filter(|global| global.does != Does::OpenData) {
        let mut window = small();
        run(&mut window, [step(1)]);
        act(&mut window, Action::ResetLayout);
        let full = if global.does == Does::Show(Pane::Train) { Pane::Curves } else { Pane::Train };
        act(&mut window, Action::Fill(Some(full)));
        let before = changed(&window);
        window.key_press_modifiers(global.keys.modifiers, global.keys.logical_key);
        window.run_ok();
        if global.does == Does::Fill(full) {
            // it fills the window already
            assert_eq!(state(&window).full, Some(full));
        } else {
            assert_ne!(changed(&window), before, "{} does nothing", global.does.keys());
        }
    }
}

#[test]
fn a_panel_that_was_moved_stays_where_it_is_over_a_restart() {
    let mut window = small();
    let mut moved = app(&mut window).saved();
    let explore = moved.layout.tiles.find_pane(&Pane::Explore).expect("the panel");
    let home = moved.layout.tiles.parent_of(explore).expect("its tabs");
    let train = moved.layout.tiles.find_pane(&Pane::Train).expect("the panel");
    moved.layout.move_tile_to_container(train, home, 0, false);
    let restart = |saved: &Saved| {
        let mut storage = Memory::default();
        saved.store(&mut storage);
        super::stand::window(Saved::load(&storage))
    };
    let mut second = restart(&moved);
    let left = app(&mut second).saved();
    let home_of = |saved: &Saved, pane| saved.layout.tiles.find_pane(&pane).and_then(|tile| saved.layout.tiles.parent_of(tile));
    assert_eq!(home_of(&left, Pane::Train), home_of(&left, Pane::Explore));
    let mut third = restart(&left);
    assert_eq!(app(&mut third).saved().layout, left.layout);
    assert_eq!(app(&mut third).saved().layout.tiles.len(), left.layout.tiles.len());
}

/// The window as it is after it was closed and opened again.
fn restarted(window: &mut Window) -> Window {
    let mut storage = Memory::default();
    app(window).saved().store(&mut storage);
    super::stand::window(Saved::load(&storage))
}

#[test]
fn the_model_of_the_last_session_answers_again_and_one_that_is_gone_is_told() {
    let parent = tempfile::tempdir().expect("a folder");
    let trained = trained(&parent.path().join("tiny"));
    let better = || Event::Saved(Kept { epoch: 1, path: "best.safetensors".into(), best: true, error: None });
    let mut first = small();
    assert_eq!(app(&mut first).saved().model, None);
    app(&mut first).show_run(Config::default(), trained.path().to_owned());
    feed(&mut first, [better()]);
    wait(&mut first, "the model", |state| state.model.classifier.is_some());
    let mut second = restarted(&mut first);
    wait(&mut second, "the model again", |state| state.model.classifier.is_some());
    assert_eq!(state(&second).model.classifier.as_ref().map(|model| model.path().to_owned()), Some(trained.best_model()));
    // a new run takes its place
    app(&mut second).show_run(Config::default(), trained.path().to_owned());
    feed(&mut second, [better()]);
    wait(&mut second, "the model of the run", |state| state.model.chosen.is_none());
    // and weights that are gone are a message, once
    std::fs::remove_file(trained.best_model()).expect("it was there");
    let mut third = restarted(&mut second);
    let told = |state: &State| state.notices.iter().any(|notice| notice.text.starts_with("The model of the last session was not loaded."));
    wait(&mut third, "a message", told);
    assert!(state(&third).notices.iter().any(|notice| notice.text.contains("choose another")), "{:?}", state(&third).notices);
    assert_eq!(app(&mut third).saved().model, None);
}

#[test]
fn what_the_user_set_survives_a_restart() {
    let mut first = small();
    first.get_by_role_and_label(Role::SpinButton, "Epochs").set_value_accesskit(7.0);
    first.get_by_label("Class balance").click();
    first.get_by_label("Light theme").click();
    first.run_ok();
    let mut saved = app(&mut first).saved();
    // as if the Train panel had been dragged away
    let tile = saved.layout.tiles.find_pane(&Pane::Train).expect("the panel");
    saved.layout.remove_recursively(tile);
    let text = serde_json::to_string(&app(&mut first).saved()).expect("the state is plain data");
    let restored: Saved = serde_json::from_str(&text).expect("and comes back");
    assert_eq!(restored.layout, app(&mut first).saved().layout);
    assert_ne!(restored.layout, saved.layout);
    let second = window(restored);
    assert_eq!(state(&second).config.epochs, 7);
    assert_eq!(state(&second).config.synthetic_images, small_config().synthetic_images);
    assert!(second.query_by_label("Class filter").is_none(), "Explore still shows the class balance");
    assert!(second.query_by_label("Dark theme").is_some(), "the window came back light");
}
