//! The Confusion panel on run folders: cells and their galaxies, pages, comparison, exports, damaged folders.

use std::collections::HashMap;
use std::path::Path;

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tempfile::TempDir;
use tuning_fork::app::{Action, Pane};

use super::super::folders::Run;
use super::stand::{Window, act, app, data, drop_on, small, state, wait};

/// What survives a restart, in memory.
#[derive(Default)]
pub struct Memory(HashMap<String, String>);

impl eframe::Storage for Memory {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }

    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }

    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }

    fn flush(&mut self) {}
}

/// A window with the run of `write` open in the enlarged panel, and its data set.
fn opened(write: impl Fn(&Path)) -> (TempDir, Window) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("first");
    write(&path);
    let mut window = small();
    app(&mut window).show_data(data(300)).expect("it can be split");
    act(&mut window, Action::Fill(Some(Pane::Confusion)));
    open(&mut window, &path);
    (folder, window)
}

/// Opens a run by the menu.
pub fn open(window: &mut Window, path: &Path) {
    let before = state(window).notices.len();
    let count = window.query_all_by_label_contains("Close run").count();
    window.get_by_label("Open run…").click();
    window.run_ok();
    window.get_by_label("Run folder").focus();
    window.run_ok();
    window.get_by_label("Run folder").type_text(&path.display().to_string());
    window.run_ok();
    window.get_by_label("Open").click();
    window.run_ok();
    let start = std::time::Instant::now();
    loop {
        window.step();
        let done = count == 0 && window.query_by_label("Close run").is_some() || state(window).notices.len() > before;
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let shown = window
            .query_by_role_and_label(Role::ComboBox, "Run")
            .is_some_and(|run| run.accesskit_node().value().is_some_and(|v| v == name));
        if done || shown {
            break;
        }
        assert!(start.elapsed().as_secs() < 180, "the run was not opened");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    window.run_ok();
}

/// Shows frames until a label is there.
pub fn until(window: &mut Window, label: &str) {
    let start = std::time::Instant::now();
    while window.query_all_by_label_contains(label).next().is_none() {
        if start.elapsed().as_secs() > 120 {
            let words: Vec<String> = window.query_all_by(|_| true).filter_map(|node| node.accesskit_node().label()).collect();
            panic!("timed out: {label} is not among {words:?}");
        }
        window.step();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    window.run_ok();
}

pub fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run_ok();
}

/// Clicks a cell of the matrix.
pub fn cell(window: &mut Window, words: &str) {
    let cell = window.query_all_by_label_contains(words).find(|node| node.accesskit_node().role() == Role::Button);
    cell.expect("the cell is there").click();
    window.run_ok();
}

fn default_run(path: &Path) {
    Run::default().write(path);
}

#[test]
fn a_cell_shows_its_galaxies_worst_first_with_probabilities() {
    let (_folder, mut window) = opened(default_run);
    assert!(window.query_by_label_contains("Epoch 4: accuracy").is_some());
    assert!(window.query_by_label_contains("on 60 validation images").is_some());
    window.get_by_role_and_label(Role::Slider, "Epoch").set_value_accesskit(0.0);
    window.run_ok();
    until(&mut window, "Epoch 1: accuracy");
    cell(&mut window, "Round were called Spiral");
    until(&mut window, "Round called Spiral (");
    until(&mut window, "called Spiral with");
    let labels: Vec<String> =
        window.query_all_by_label_contains("called Spiral with").filter_map(|card| card.accesskit_node().label()).collect();
    let confidence = |words: &String| -> f64 {
        words.split(" with ").nth(1).and_then(|rest| rest.split(' ').next()).and_then(|p| p.parse().ok()).expect("a probability")
    };
    assert!(labels.len() > 2 && labels.iter().all(|words| words.contains("labelled Round")), "{labels:?}");
    assert!(labels.is_sorted_by(|a, b| confidence(a) >= confidence(b)), "{labels:?}");
    // next and previous by key
    let all = labels.len();
    assert!(window.query_by_label(&format!("1 of {all}")).is_some());
    assert!(window.query_all_by_label("Maps…").next().is_some(), "their maps can be written");
    window.key_press(Key::N);
    window.run_ok();
    assert!(window.query_by_label(&format!("2 of {all}")).is_some());
    window.key_press(Key::P);
    window.run_ok();
    assert!(window.query_by_label(&format!("1 of {all}")).is_some());
    // large, and on in the order of the list
    window.key_press(Key::Enter);
    window.run_ok();
    wait(&mut window, "the picture", |state| state.opened.is_some());
    let first = state(&window).opened.as_ref().map(|opened| opened.index);
    window.key_press(Key::ArrowRight);
    window.run_ok();
    let second = state(&window).opened.as_ref().map(|opened| opened.index).expect("a picture");
    assert_ne!(first, Some(second));
    assert_eq!(second % 3, 0, "the next one is Round too");
    window.key_press(Key::Escape);
    window.run_ok();
    click(&mut window, "Open in Explore");
    let shown = state(&window).explore.shown.as_ref().expect("a list");
    assert!(shown.title.contains("Round called Spiral") && shown.indices.len() == all);
}

/// In a panel that has no room for both, the galaxies stand instead of the matrix.
#[test]
fn in_a_small_panel_the_galaxies_take_the_place_of_the_matrix() {
    let (_folder, mut window) = opened(default_run);
    window.set_size(egui::vec2(520.0, 420.0));
    window.run_ok();
    cell(&mut window, "Round were called Spiral");
    until(&mut window, "called Spiral with");
    let card = window.query_all_by_label_contains("called Spiral with").next().expect("a card").rect();
    assert!(card.bottom() < 420.0 && card.height() > 50.0, "{card}");
    click(&mut window, "Back to the matrix");
    assert!(window.query_by_label_contains("arrow keys move, Enter shows the galaxies").is_some());
}

#[test]
fn the_keyboard_moves_the_cell_and_opens_it() {
    let (_folder, mut window) = opened(default_run);
    window.get_by_label_contains("arrow keys move, Enter shows the galaxies").focus();
    window.run_ok();
    for key in [Key::ArrowDown, Key::ArrowRight, Key::ArrowRight, Key::Enter] {
        window.key_press(key);
        window.run_ok();
    }
    until(&mut window, "Spiral called Edge-on (");
    // another cell, while the galaxies of this one are shown: Enter chooses the cell and opens no galaxy
    window.get_by_label_contains("arrow keys move, Enter shows the galaxies").focus();
    window.run_ok();
    for key in [Key::ArrowLeft, Key::Enter] {
        window.key_press(key);
        window.run_ok();
    }
    until(&mut window, "Spiral called so (");
    assert!(state(&window).opened.is_none(), "a galaxy was opened");
    window.get_by_label_contains("arrow keys move, Enter shows the galaxies").focus();
    window.run_ok();
    window.key_press(Key::ArrowRight);
    window.run_ok();
    click(&mut window, "Hide galaxies");
    assert!(window.query_by_label_contains("Spiral called Edge-on (").is_none());
}

#[test]
fn the_epochs_play_through_to_the_latest() {
    let (_folder, mut window) = opened(default_run);
    window.get_by_label("Play through the epochs").click();
    // a frame of the harness is a quarter of a second, an epoch stays for longer
    window.step();
    window.step();
    assert!(window.query_by_label_contains("Epoch 1: accuracy").is_some());
    for _ in 0..200 {
        window.step();
    }
    assert!(window.query_by_label_contains("Epoch 4: accuracy").is_some());
    assert!(window.query_by_label("Play through the epochs").is_some(), "it stopped by itself");
}

#[test]
fn every_page_shows_its_numbers() {
    let (_folder, mut window) = opened(default_run);
    for (page, words) in [
        ("Classes", "Cohen's kappa: "),
        ("Calibration", "Reliability diagram, As trained"),
        ("PR and ROC", "Round: average precision"),
        ("Suspects", "Probable label errors ("),
    ] {
        click(&mut window, page);
        until(&mut window, words);
    }
    click(&mut window, "Forgotten");
    until(&mut window, "Most forgotten (");
    until(&mut window, "forgotten once");
    click(&mut window, "Confident mistakes");
    until(&mut window, "Confident mistakes (");
    click(&mut window, "Classes");
    until(&mut window, "Spiral: purity ");
    until(&mut window, "Macro average: purity ");
}

#[test]
fn two_epochs_and_two_runs_are_compared() {
    let (folder, mut window) = opened(default_run);
    click(&mut window, "Compare");
    until(&mut window, "McNemar");
    assert!(window.query_by_label_contains("Only epoch 1 is right on").is_some());
    assert!(window.query_by_label_contains("Fixed: ").is_some());
    // a cell of the difference shows what came into it and what left it, by mouse and by keys
    let words = |window: &Window| -> String {
        let mut nodes = window.query_all_by_label_contains(" came, ");
        nodes.find_map(|node| node.accesskit_node().label().or_else(|| node.accesskit_node().value())).expect("the list's title")
    };
    cell(&mut window, "Round rightly called Round");
    until(&mut window, "Round called so: ");
    let numbers: Vec<usize> = words(&window).split([' ', '(', ')']).filter_map(|word| word.parse().ok()).collect();
    let [came, left, all] = numbers[..] else { panic!("{numbers:?}") };
    assert!(came > 0 && came + left == all, "{numbers:?}");
    window.get_by_label_contains("Difference of the two confusion matrices").focus();
    window.run_ok();
    for key in [Key::ArrowRight, Key::Enter] {
        window.key_press(key);
        window.run_ok();
    }
    until(&mut window, "Round called Spiral: ");
    assert!(state(&window).opened.is_none(), "a galaxy was opened");
    let second = folder.path().join("second");
    Run { seed: 5, ..Run::default() }.write(&second);
    open(&mut window, &second);
    click(&mut window, "Compare");
    window.get_by_label("Run to compare with").click();
    window.run_ok();
    click(&mut window, "first");
    until(&mut window, "Only first, epoch 4 is right on");
    let other = folder.path().join("other");
    Run { split_seed: 9, ..Run::default() }.write(&other);
    open(&mut window, &other);
    until(&mut window, "cannot be compared: their validation images are others");
    let more = folder.path().join("more");
    Run { images: 330, ..Run::default() }.write(&more);
    open(&mut window, &more);
    until(&mut window, "their data sets have 300 and 330 images. Choose two runs of one data set and split");
    let named = folder.path().join("named");
    Run { classes: ["Round", "Spiral", "Ring"], ..Run::default() }.write(&named);
    open(&mut window, &named);
    until(&mut window, "their classes are Round, Spiral, Edge-on and Round, Spiral, Ring");
}

#[test]
fn tables_plots_and_the_report_are_written_into_the_run() {
    let (folder, mut window) = opened(default_run);
    let exports = folder.path().join("first/exports");
    let export = |window: &mut Window, label: &str, name: &str| {
        click(window, "Export");
        click(window, label);
        let path = exports.join(name);
        until(window, name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    assert!(export(&mut window, "Matrix as PNG", "epoch_0004_valid_confusion.png").starts_with(b"\x89PNG"));
    assert!(export(&mut window, "Matrix as SVG", "epoch_0004_valid_confusion.svg").starts_with(b"<svg"));
    assert!(export(&mut window, "Matrix as CSV", "epoch_0004_valid_confusion.csv").starts_with(b"true class"));
    let report = export(&mut window, "Report as HTML", "epoch_0004_valid_report.html");
    assert!(report.starts_with(b"<!doctype html>"));
    assert!(String::from_utf8_lossy(&report).contains("data:image/png;base64,"), "the galaxies are in it");
    click(&mut window, "Classes");
    until(&mut window, "Cohen's kappa: ");
    assert!(export(&mut window, "Scores as CSV", "epoch_0004_valid_classes.csv").starts_with(b"class,purity"));
    click(&mut window, "Suspects");
    click(&mut window, "Confident mistakes");
    until(&mut window, "Confident mistakes (");
    assert!(export(&mut window, "Galaxies as CSV", "epoch_0004_valid_galaxies_confident_mistakes.csv").starts_with(b"image,split,label"));
}

#[test]
fn a_run_of_other_data_says_so_and_offers_its_own() {
    let (_folder, mut window) = opened(|path| Run { images: 330, ..Run::default() }.write(path));
    cell(&mut window, "Round were called Spiral");
    until(&mut window, "Round called Spiral (");
    until(&mut window, "it has 300 images instead of 330");
    assert!(window.query_by_label("Open the run's data set").is_some());
    click(&mut window, "Test");
    until(&mut window, "is not the one of this run");
}

#[test]
fn half_deleted_runs_are_told_and_nothing_is_lost() {
    let (folder, mut window) = opened(|path| {
        default_run(path);
        std::fs::remove_dir_all(path.join("predictions")).expect("it was there");
    });
    until(&mut window, "The probabilities of 4 of 4 epochs are gone");
    assert!(window.query_by_label_contains("Epoch 4: accuracy").is_some());
    cell(&mut window, "Round were called Spiral");
    until(&mut window, "epoch_0004.npy");
    // a folder that is no run any more
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    open(&mut window, &empty);
    until(&mut window, "holds no run");
    assert!(window.query_by_label_contains("Epoch 4: accuracy").is_some(), "the run that was open stays");
}

#[test]
fn a_temperature_without_a_model_is_told() {
    let (_folder, mut window) = opened(default_run);
    click(&mut window, "Calibration");
    until(&mut window, "The temperature that fits best is");
    click(&mut window, "Store temperature with the model");
    until(&mut window, "The temperature was not stored.");
}

#[test]
fn a_dropped_run_folder_opens_here_too() {
    let folder = tempfile::tempdir().expect("a folder");
    default_run(folder.path());
    let mut window = small();
    drop_on(&mut window, folder.path());
    until(&mut window, "Epoch 4: accuracy");
    // a restart opens it again
    let mut storage = Memory::default();
    app(&mut window).saved().store(&mut storage);
    let mut again = super::stand::window(tuning_fork::app::Saved::load(&storage));
    until(&mut again, "Epoch 4: accuracy");
    // and its curves, until a run of this session has some
    until(&mut again, "opened to look back on");
    assert!(again.query_by_label_contains("Loss over the epochs; validation now").is_some());
    super::stand::run(&mut again, [super::stand::step(1)]);
    assert!(again.query_by_label_contains("opened to look back on").is_none());
}
