//! What makes the window easy: the command palette, the tour of a first start, undo.

use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tuning_fork::app::{Action, Page, Pane, Saved};
use tuning_fork::train::{Command, Config};

use super::confusion::until;
use super::parts::{looking, trained};
use super::stand::{Window, act, app, run, small, small_config, state, step, wait, window};

fn palette(window: &mut Window, query: &str) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.run_ok();
    window.get_by_role_and_label(Role::TextInput, "Command").type_text(query);
    window.run_ok();
}

#[test]
fn the_palette_finds_commands_by_some_of_their_letters() {
    let mut window = small();
    palette(&mut window, "fill cnfsn");
    assert!(window.query_by_label("Let Confusion fill the window").is_some());
    assert!(window.query_by_label("Choose a model…").is_none(), "others are not shown");
    window.key_press(Key::Enter);
    window.run_ok();
    assert!(!state(&window).palette);
    assert_eq!(state(&window).full, Some(Pane::Confusion));
    palette(&mut window, "light theme");
    window.key_press(Key::Enter);
    window.run_ok();
    assert!(window.query_by_label("Dark theme").is_some());
    palette(&mut window, "no such thing at all");
    assert!(window.query_by_label_contains("No command has these letters").is_some());
    window.key_press(Key::Enter);
    window.run_ok();
    window.key_press(Key::Escape);
    window.run_ok();
    assert!(!state(&window).palette);
}

#[test]
fn the_palette_says_why_a_command_cannot_be_carried_out() {
    let mut window = small();
    palette(&mut window, "stop the run");
    assert!(window.get_by_label("Stop the run and keep what it learned: No run is going on.").accesskit_node().is_disabled());
    window.key_press(Key::Enter);
    window.run_ok();
    window.key_press(Key::Escape);
    window.run_ok();
    run(&mut window, [step(1)]);
    palette(&mut window, "stop the run");
    window.key_press(Key::Enter);
    window.run_ok();
    assert_eq!(state(&window).run.as_ref().and_then(|run| run.asked), Some(Command::Stop));
}

#[test]
fn arrows_choose_and_numbers_open_pictures() {
    let mut window = small();
    palette(&mut window, "17");
    assert!(window.query_by_label("Open image 17 large").is_some());
    window.key_press(Key::ArrowDown);
    window.run_ok();
    let chosen = |window: &Window| window.get_by_role_and_label(Role::Button, "Augment image 17").accesskit_node().toggled();
    assert_eq!(chosen(&window), Some(Toggled::True));
    window.key_press(Key::Enter);
    window.run_ok();
    assert_eq!((state(&window).full, state(&window).lab.index), (Some(Pane::Augment), 17));
    palette(&mut window, "100000");
    assert!(window.query_by_label("Open image 100000 large: The data set has the images 0 to 99.").is_some());
}

#[test]
fn every_page_of_every_panel_is_turned_to_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = trained(&folder.path().join("tiny"));
    let mut window = looking(run.path());
    app(&mut window).keep_runs_in(folder.path());
    // each page of a panel in turn, and the panels themselves; those of Search come with a study (app::search)
    for page in Page::ALL.into_iter().filter(|page| page.pane() != Pane::Search) {
        act(&mut window, Action::Fill(Some(Pane::Train)));
        palette(&mut window, &format!("turn to {} in {}", page.title(), page.pane().title()));
        window.key_press(Key::Enter);
        window.run_ok();
        assert_eq!(state(&window).full, Some(page.pane()), "{page:?}");
        until(&mut window, page.title());
        let tabs = window.query_all_by_label(page.title()).map(|node| node.accesskit_node().toggled());
        assert!(tabs.flatten().any(|toggled| toggled == Toggled::True), "{page:?} is not the page that is shown");
    }
}

#[test]
fn the_buttons_of_the_matrix_and_of_the_lab_are_pressed_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = trained(&folder.path().join("tiny"));
    let mut window = looking(run.path());
    for (words, button) in [
        ("confusion matrix by row", "By row"),
        ("confusion matrix by column", "By column"),
        ("confusion matrix in counts", "Counts"),
        ("confusion matrix: logarithmic colour", "Log colour"),
        ("confusion matrix: clustered classes", "Clustered"),
    ] {
        act(&mut window, Action::Fill(Some(Pane::Train)));
        palette(&mut window, words);
        window.key_press(Key::Enter);
        window.run_ok();
        assert_eq!(state(&window).full, Some(Pane::Confusion), "{words}");
        let toggled = window.get_by_label(button).accesskit_node().toggled();
        assert_eq!(toggled, Some(Toggled::True), "{words}");
    }
    until(&mut window, "Play through the epochs");
    palette(&mut window, "play through the epochs of the confusion matrix");
    window.key_press(Key::Enter);
    window.run_ok();
    until(&mut window, "Stop playing");
    palette(&mut window, "draw the augmentations again");
    window.key_press(Key::Enter);
    window.run_ok();
    assert_eq!(state(&window).full, Some(Pane::Augment));
    until(&mut window, "Seed of the run");
}

#[test]
fn a_command_shows_the_page_on_which_something_becomes_of_it() {
    let mut window = small();
    act(&mut window, Action::Fill(Some(Pane::Explore)));
    act(&mut window, Action::Turn(Page::Balance));
    palette(&mut window, "explore the pictures that you tagged");
    window.key_press(Key::Enter);
    window.run_ok();
    assert!(window.query_by_label("No picture passes the filter").is_some(), "the pictures are in front");
    palette(&mut window, "look for duplicates");
    window.key_press(Key::Enter);
    window.run_ok();
    until(&mut window, "No duplicates");
}

#[test]
fn a_first_start_is_shown_around_and_never_again() {
    let mut saved = Saved::with_config(small_config());
    saved.toured = false;
    let mut first = window(saved);
    wait(&mut first, "the synthetic galaxies", |state| state.data.is_some());
    assert!(first.query_by_label("Welcome to Tuning Fork").is_some());
    assert!(app(&mut first).saved().toured, "even if it is closed now");
    for title in ["Look at the galaxies", "See what training sees", "Train a network", "Find out what it confuses", "Ask it"] {
        first.get_by_label("Next").click();
        first.run_ok();
        assert!(first.query_by_label(title).is_some(), "{title}");
    }
    first.get_by_label("Back").click();
    first.run_ok();
    assert!(first.query_by_label("5 of 6").is_some());
    // the panels work meanwhile
    first.get_by_role_and_label(Role::SpinButton, "Epochs").set_value_accesskit(3.0);
    first.run_ok();
    assert_eq!(state(&first).config.epochs, 3);
    first.get_by_label("Skip the tour").click();
    first.run_ok();
    assert_eq!(state(&first).tour, None);
    let second = window(app(&mut first).saved());
    assert!(second.query_by_label("Welcome to Tuning Fork").is_none());
    // but who wants it can have it
    act(&mut first, Action::Tour(Some(0)));
    assert!(first.query_by_label("Welcome to Tuning Fork").is_some());
    first.key_press(Key::Escape);
    first.run_ok();
    assert_eq!(state(&first).tour, None);
}

#[test]
fn a_form_that_was_reset_and_panels_that_were_moved_come_back() {
    let mut window = small();
    act(&mut window, Action::Configure(Box::new(Config { epochs: 7, lr: 0.5, ..small_config() })));
    palette(&mut window, "reset the form");
    window.key_press(Key::Enter);
    window.run_ok();
    assert_eq!(state(&window).config, Config::default());
    window.get_by_label("Undo").click();
    window.run_ok();
    assert_eq!((state(&window).config.epochs, state(&window).config.lr), (7, 0.5));

    let mut saved = app(&mut window).saved();
    let tile = saved.layout.tiles.find_pane(&Pane::Curves).expect("the panel");
    let tabs = saved.layout.tiles.parent_of(tile).expect("its tabs");
    saved.layout.tiles.set_visible(tabs, false);
    let moved = saved.layout.clone();
    let mut second = self::window(saved);
    act(&mut second, Action::ResetLayout);
    assert_ne!(app(&mut second).saved().layout, moved);
    second.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    second.run_ok();
    assert!(!app(&mut second).saved().layout.tiles.is_visible(tabs));
}
