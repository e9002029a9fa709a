//! What the Curves and the Explore panel write to files.

use std::path::Path;

use egui_kittest::kittest::Queryable as _;
use tuning_fork::app::{Action, Integrities, Pane};
use tuning_fork::train::Config;

use super::confusion::{click, until};
use super::parts::{looking, trained};
use super::stand::{Window, act, app, data, epoch, feed, small, state, wait};

/// Writes by the menu of the page that is shown, and reads what was written.
fn export(window: &mut Window, label: &str, path: &Path) -> String {
    click(window, "Export");
    click(window, label);
    until(window, &format!("Saved {}", path.display()));
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn curves_are_written_as_pictures_and_as_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = small();
    app(&mut window).show_run(Config::default(), folder.path().to_owned());
    feed(&mut window, [epoch(1, 10, true), epoch(2, 20, true)]);
    act(&mut window, Action::Fill(Some(Pane::Curves)));
    let exports = folder.path().join("exports");
    let svg = export(&mut window, "Curves as SVG", &exports.join("curves.svg"));
    for words in ["<svg", "Loss", "Accuracy", "Learning rate"] {
        assert!(svg.contains(words), "{words}");
    }
    assert!(export(&mut window, "Curves as PNG", &exports.join("curves.png")).contains("PNG"));
    let csv = export(&mut window, "Epochs as CSV", &exports.join("epochs.csv"));
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("epoch,training loss,") && lines.len() == 3, "{csv}");
    assert_eq!(lines[2], "2,1,0.5,0.9,0.6666666666666666,0.5,0.001,1,64,6,yes");
}

#[test]
fn class_balance_and_duplicates_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = small();
    app(&mut window).keep_runs_in(folder.path());
    // pictures 251 on repeat the first
    app(&mut window).show_data(data(300)).expect("it can be split");
    act(&mut window, Action::Fill(Some(Pane::Explore)));
    let exports = folder.path().join("exports");
    click(&mut window, "Class balance");
    let csv = export(&mut window, "Class balance as CSV", &exports.join("class_balance.csv"));
    assert_eq!(csv.lines().collect::<Vec<_>>(), ["class,train,validation,test", "Round,60,20,20", "Spiral,60,20,20", "Edge-on,60,20,20"]);
    assert!(export(&mut window, "Class balance as SVG", &exports.join("class_balance.svg")).contains("60 / 20 / 20"));
    click(&mut window, "Duplicates");
    wait(&mut window, "the search", |state| matches!(state.explore.integrity, Integrities::Known(_)));
    let csv = export(&mut window, "Duplicates as CSV", &exports.join("duplicates.csv"));
    assert!(csv.starts_with("what,images,in two parts,with two labels\n"), "{csv}");
    assert!(csv.lines().any(|line| line.contains(",0 251,")), "{csv}");
}

#[test]
fn the_map_is_written_as_a_picture_and_as_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = trained(&folder.path().join("tiny"));
    let mut window = looking(run.path());
    app(&mut window).keep_runs_in(folder.path());
    act(&mut window, Action::LoadModel(run.best_model()));
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    act(&mut window, Action::Fill(Some(Pane::Explore)));
    click(&mut window, "Classify pictures");
    wait(&mut window, "the answers", |state| state.explore.predictions.as_ref().is_some_and(|p| p.count() == 60));
    click(&mut window, "Map");
    window.get_by_label("PCA").click();
    wait(&mut window, "the map", |state| state.explore.map.points.len() == 60);
    let exports = folder.path().join("exports");
    let svg = export(&mut window, "Map as SVG", &exports.join("map.svg"));
    let classes = state(&window).data.as_ref().expect("data").set.classes.len();
    assert_eq!(svg.matches("<circle").count(), 60 + classes, "a dot a picture, and one a class in the legend");
    let csv = export(&mut window, "Places on the map as CSV", &exports.join("map.csv"));
    assert!(csv.starts_with("image,x,y\n") && csv.lines().count() == 61, "{csv}");
}
