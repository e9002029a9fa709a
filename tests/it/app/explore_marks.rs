//! The user's labels and tags, and tables of them.

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use tuning_fork::app::{Action, ExploreChange, Saved};

use super::stand::{Window, act, app, data, small, small_config, state, wait, window_with_marks};

fn with_data(count: usize) -> Window {
    let mut window = small();
    app(&mut window).show_data(data(count)).expect("it can be split");
    ready(&mut window);
    window
}

fn ready(window: &mut Window) {
    wait(window, "the marks", |state| state.explore.marked.is_some());
}

fn press(window: &mut Window, keys: &[Key]) {
    for key in keys {
        window.key_press(*key);
        window.run_ok();
    }
}

fn focus_grid(window: &mut Window) {
    window.get_by_label_contains("Pictures (arrow keys").focus();
    window.run_ok();
}

fn labels_of(window: &Window) -> Vec<(usize, Option<u32>, Vec<String>)> {
    let marks = &state(window).explore.marked.as_ref().expect("read").marks;
    marks.iter().map(|(index, mark)| (index, mark.label, mark.tags.iter().cloned().collect())).collect()
}

#[test]
fn keys_relabel_and_tag_the_selected_picture_and_take_it_back() {
    let mut window = with_data(300);
    focus_grid(&mut window);
    press(&mut window, &[Key::ArrowRight, Key::Num2]);
    assert_eq!(labels_of(&window), [(1, Some(2), vec![])]);
    assert!(window.query_by_label_contains("not the 1 that you changed").is_some(), "a run does not learn them");
    assert!(window.query_by_label_contains("image 1: Edge-on, ").is_some_and(|_| true));
    assert!(window.query_by_label_contains("was Spiral").is_some());
    press(&mut window, &[Key::T, Key::ArrowRight, Key::T]);
    assert_eq!(labels_of(&window), [(1, Some(2), vec!["check".to_owned()]), (2, None, vec!["check".to_owned()])]);
    press(&mut window, &[Key::U, Key::U]);
    assert_eq!(labels_of(&window), [(1, Some(2), vec![])]);
    // Ctrl+Z does the same here
    press(&mut window, &[Key::Num0]);
    assert_eq!(labels_of(&window).len(), 2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run_ok();
    assert_eq!(labels_of(&window), [(1, Some(2), vec![])]);
    // a label that no class has is none
    press(&mut window, &[Key::Num9]);
    assert_eq!(labels_of(&window).len(), 1);
    press(&mut window, &[Key::U, Key::U]);
    assert!(labels_of(&window).is_empty());
    assert!(state(&window).notices.iter().any(|notice| notice.text.contains("no label or tag to take back")));
}

#[test]
fn marks_are_found_by_the_filter_and_come_back_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = || {
        let mut window = window_with_marks(Saved::with_config(small_config()), folder.path());
        wait(&mut window, "the galaxies", |state| state.data.is_some());
        ready(&mut window);
        window
    };
    let mut window = first();
    focus_grid(&mut window);
    let label = state(&window).data.as_ref().expect("data").set.labels[0];
    let (key, other) = if label == 3 { (Key::Num4, 4) } else { (Key::Num3, 3) };
    press(&mut window, &[key, Key::T]);
    window.get_by_role_and_label(Role::TextInput, "Filter").focus();
    window.run_ok();
    window.get_by_role_and_label(Role::TextInput, "Filter").type_text("relabelled tag:check");
    window.run_ok();
    assert!(window.query_by_label("1 of 100").is_some());
    app(&mut window).close();
    drop(window);
    let window = first();
    assert_eq!(labels_of(&window), [(0, Some(other), vec!["check".to_owned()])]);
}

#[test]
fn a_torn_file_is_a_message_and_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let digest = tuning_fork::data::synth::dataset(100, 32, small_config().seed).expect("galaxies").digest();
    std::fs::write(folder.path().join(format!("{digest}.json")), "{\"format\": \"tuning-fork ma").expect("a file");
    let mut window = window_with_marks(Saved::with_config(small_config()), folder.path());
    wait(&mut window, "the message", |state| state.notices.iter().any(|notice| notice.text.contains("damaged")));
    assert!(folder.path().join(format!("{digest}.json.damaged-1")).is_file());
}

#[test]
fn the_large_picture_takes_labels_from_a_list_and_tags_from_a_field() {
    let mut window = with_data(300);
    window.get_by_label_contains("image 4: Spiral").click();
    window.run_ok();
    wait(&mut window, "the picture", |state| state.opened.as_ref().is_some_and(|opened| opened.picture.is_some()));
    window.get_by_label("Your label").click();
    window.run_ok();
    window.get_by_label("0  Round").click();
    window.run_ok();
    assert!(window.query_by_label("The data set says Spiral").is_some());
    let field = window.get_by_role_and_label(Role::TextInput, "Tag");
    field.focus();
    window.run_ok();
    window.get_by_role_and_label(Role::TextInput, "Tag").type_text("-2");
    window.run_ok();
    assert_eq!(labels_of(&window), [(4, Some(0), vec![])], "what is written into the field is no hotkey");
    window.get_by_role_and_label(Role::Button, "Tag").click();
    window.run_ok();
    assert_eq!(labels_of(&window)[0].2.len(), 1);
    let tag = labels_of(&window)[0].2[0].clone();
    window.get_by_label(&format!("Take tag {tag} away")).click();
    window.run_ok();
    window.get_by_label("Undo mark").click();
    window.run_ok();
    assert_eq!(labels_of(&window), [(4, Some(0), vec![tag])]);
}

#[test]
fn a_picture_that_a_new_label_takes_out_of_the_filter_still_has_a_next_one() {
    let mut window = with_data(300);
    act(&mut window, Action::Explore(ExploreChange::Filter("class:Spiral".into())));
    window.get_by_label_contains("image 4: Spiral").click();
    window.run_ok();
    press(&mut window, &[Key::Num0]);
    assert!(!state(&window).explore.selection.places.contains(&4));
    press(&mut window, &[Key::ArrowRight]);
    assert_eq!(state(&window).opened.as_ref().map(|opened| opened.index), Some(7));
    press(&mut window, &[Key::ArrowLeft]);
    assert_eq!(state(&window).opened.as_ref().map(|opened| opened.index), Some(1));
}

#[test]
fn tables_are_written_from_the_sheet() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = with_data(300);
    focus_grid(&mut window);
    press(&mut window, &[Key::Num1]);
    for (choice, name, lines) in
        [("Pictures, CSV", "a.csv", 301), ("Labels and tags, CSV", "b.csv", 2), ("Pictures, VOTable", "c.vot", 300)]
    {
        window.get_by_label("Export…").click();
        window.run_ok();
        window.get_by_label(choice).click();
        window.run_ok();
        let path = folder.path().join(name);
        let field = window.get_by_role_and_label(Role::TextInput, "File to write");
        field.focus();
        window.run_ok();
        window.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
        window.get_by_role_and_label(Role::TextInput, "File to write").type_text(&path.display().to_string());
        window.run_ok();
        assert!(window.query_by_label("Replace").is_none());
        window.get_by_label("Write").click();
        window.run_ok();
        wait(&mut window, "the file", |state| !state.explore.exporting);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = if name == "c.vot" { text.matches("<TR>").count() } else { text.lines().count() };
        assert_eq!(rows, lines, "{name}");
    }
    assert!(state(&window).notices.iter().any(|notice| notice.text.contains("300 pictures written")));
    // the last path still stands in the sheet: what lies there is replaced only by the button that says so
    window.get_by_label("Export…").click();
    window.run_ok();
    assert!(window.query_by_label("Write").is_none());
    window.get_by_label_contains("It would be replaced");
    window.get_by_label("Replace");
}
