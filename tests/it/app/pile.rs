//! Many pictures dropped at once: the table, its order, what is skipped, its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use tempfile::TempDir;
use tuning_fork::app::{Action, Column, InspectAction, Pane, PileAction, State, Verdict};
use tuning_fork::explain::{Explainer, TableFormat};
use tuning_fork::imaging::{self, Curve, Rendering};
use tuning_fork::nn::Architecture;

use super::stand::{Window, act, drop_all, drop_on, small, state, wait};
use crate::data::fits;
use crate::explain::{maps, noise};

/// A window with a model, and a folder of seven pictures and two files that are none.
fn stand() -> (Window, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("pictures");
    std::fs::create_dir_all(inside.join("more")).expect("folders");
    for i in 0..7u64 {
        let place = if i < 5 { inside.clone() } else { inside.join("more") };
        imaging::write_png(&place.join(format!("galaxy {i}.png")), &noise(i, 40 + i as usize, 30)).expect("a picture");
    }
    std::fs::write(inside.join("broken.png"), b"no picture").expect("a file");
    std::fs::write(inside.join("notes.txt"), b"nothing").expect("a file");
    let model = folder.path().join("model.safetensors");
    maps::save(Architecture::Compact, &model);
    let mut window = small();
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    act(&mut window, Action::LoadModel(model));
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    (window, folder)
}

fn names(window: &Window) -> Vec<String> {
    let pile = &state(window).pile;
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    pile.order.iter().map(|&row| name(pile.rows[row].source.path())).collect()
}

#[test]
fn a_folder_of_pictures_becomes_a_table() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &folder.path().join("pictures"));
    wait(&mut window, "the table", |state| state.pile.total == Some(8) && !state.pile.running);
    assert!(window.query_by_label("8 of 8 pictures · 1 skipped").is_some());
    assert!(window.query_by_label_contains("broken.png: skipped, this is not a PNG").is_some());
    assert!(window.query_by_label("Cancel").is_none());
    let expected =
        ["broken.png", "galaxy 0.png", "galaxy 1.png", "galaxy 2.png", "galaxy 3.png", "galaxy 4.png", "galaxy 5.png", "galaxy 6.png"];
    assert_eq!(names(&window), expected);

    window.get_by_label("Sort by probability").click();
    window.run_ok();
    let pile = &state(&window).pile;
    assert_eq!(pile.sort, (Column::Probability, true));
    let sorted: Vec<f32> = pile.order.iter().map(|&row| pile.rows[row].probability()).collect();
    assert!(sorted.windows(2).all(|pair| pair[0] >= pair[1]), "{sorted:?}");
    // the same answers as one by one
    let classifier = Arc::clone(state(&window).model.classifier.as_ref().expect("a model"));
    for row in pile.rows.iter().filter(|row| row.answer.is_ok()) {
        let alone = classifier.classify(&[imaging::open(row.source.path()).expect("a picture")]).expect("an answer");
        for (a, b) in row.answer.as_ref().expect("an answer").iter().zip(&alone[0]) {
            assert!((a - b).abs() < 1e-5);
        }
    }
    window.get_by_label("Sort by probability").click();
    window.run_ok();
    assert_eq!(names(&window)[0], "broken.png");
    window.get_by_label("Sort by entropy").click();
    window.run_ok();
    let pile = &state(&window).pile;
    let sorted: Vec<f32> = pile.order.iter().map(|&row| pile.rows[row].entropy).collect();
    assert!(pile.sort == (Column::Entropy, true) && sorted.windows(2).all(|pair| pair[0] >= pair[1]), "{sorted:?}");
    window.get_by_label("Sort by class").click();
    window.run_ok();
    let pile = &state(&window).pile;
    let sorted: Vec<_> = pile.order.iter().map(|&row| pile.rows[row].class).collect();
    assert!(pile.sort == (Column::Class, false) && sorted.is_sorted(), "{sorted:?}");
    window.get_by_label("Sort by name").click();
    window.run_ok();
    assert_eq!(names(&window), expected);

    // one of them, and back
    window.get_by_label_contains("galaxy 3.png: class").click();
    window.run_ok();
    wait(&mut window, "the picture", |state| state.subject.as_ref().is_some_and(|s| matches!(s.verdict, Verdict::Ready(_))));
    assert!(window.query_by_label("Sort by name").is_none());
    window.get_by_label("Back to the list").click();
    window.run_ok();
    assert!(window.query_by_label("Sort by name").is_some());
    window.get_by_label("Clear").click();
    window.run_ok();
    assert!(state(&window).pile.rows.is_empty() && window.query_by_label("Back to the list").is_none());
}

#[test]
fn tables_are_saved_with_every_probability() {
    let (mut window, folder) = stand();
    let files: Vec<PathBuf> = (0..4).map(|i| folder.path().join(format!("pictures/galaxy {i}.png"))).collect();
    drop_all(&mut window, &files);
    wait(&mut window, "the table", |state| state.pile.total == Some(4) && !state.pile.running);
    for format in [TableFormat::Csv, TableFormat::VoTable] {
        let path = folder.path().join(format!("table.{}", format.extension()));
        act(&mut window, Action::Pile(PileAction::SaveTo(format, path.clone())));
        wait(&mut window, "the file", |state| state.notices.iter().any(|notice| notice.text.contains(&path.display().to_string())));
        let text = std::fs::read_to_string(&path).expect("the file");
        let (rows, lines) = (text.matches("galaxy").count(), text.lines().count());
        assert_eq!((rows, lines > 4), (4, true), "{text}");
    }
    let nowhere = folder.path().join("nowhere/table.csv");
    act(&mut window, Action::Pile(PileAction::SaveTo(TableFormat::Csv, nowhere)));
    wait(&mut window, "the failure", |state| state.notices.iter().any(|notice| notice.text.contains("not saved")));
}

/// Ten thousand files at once, most of them no pictures: only the rows in sight are laid out, only their thumbnails are textures, and what
/// is kept of a picture is small.
#[test]
fn ten_thousand_files_are_a_table_that_stays_light() {
    const FILES: usize = 10_000;
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("many");
    std::fs::create_dir(&inside).expect("a folder");
    let (picture, broken) = (folder.path().join("picture.png"), folder.path().join("broken.png"));
    imaging::write_png(&picture, &noise(1, 120, 90)).expect("a picture");
    std::fs::write(&broken, b"no picture").expect("a file");
    let files: Vec<PathBuf> = (0..FILES).map(|number| inside.join(format!("{number:05}.png"))).collect();
    for (number, file) in files.iter().enumerate() {
        std::fs::hard_link(if number % 20 == 0 { &picture } else { &broken }, file).expect("a link");
    }
    let mut window = small();
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    act(&mut window, Action::LoadModel(crate::app::explore_filter::model(folder.path())));
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    drop_all(&mut window, &files);
    wait(&mut window, "the table", |state| state.pile.total == Some(FILES) && !state.pile.running);
    let pile = &state(&window).pile;
    assert_eq!((pile.rows.len(), pile.failed), (FILES, FILES - FILES / 20));
    assert!(window.query_by_label("10000 of 10000 pictures · 9500 skipped").is_some());
    let kept: usize = pile.rows.iter().filter_map(|row| row.thumbnail.as_ref()).map(|small| small.pixels.len() * 4).sum();
    assert!(kept <= FILES / 20 * 40 * 40 * 4, "{kept} bytes of thumbnails");
    let laid_out = window.query_all_by_label_contains(".png: ").count();
    assert!((10..60).contains(&laid_out), "{laid_out} rows are laid out");
    window.get_by_label("Sort by probability").click();
    window.run_ok();
    assert!(state(&window).pile.order[..FILES / 20].iter().all(|row| row % 20 == 0), "pictures come before what is none");
}

#[test]
fn a_folder_without_pictures_says_so() {
    let (mut window, folder) = stand();
    let empty = folder.path().join("empty");
    std::fs::create_dir_all(empty.join("below")).expect("folders");
    std::fs::write(empty.join("notes.txt"), "nothing").expect("a file");
    drop_on(&mut window, &empty);
    wait(&mut window, "the reason", |state| state.notices.iter().any(|notice| notice.text.contains("not opened")));
    let told = &state(&window).notices.last().expect("a notice").text;
    assert!(told.contains("empty") && told.contains("picture"), "{told}");
    // a file that goes between drop and read is a row that says so
    let files = ["galaxy 0.png", "gone.png"].map(|name| folder.path().join("pictures").join(name));
    drop_all(&mut window, &files);
    wait(&mut window, "the table", |state| state.pile.total == Some(2) && !state.pile.running);
    assert!(window.query_by_label_contains("gone.png: skipped, the picture cannot be read").is_some());
}

#[test]
fn pictures_that_are_dropped_with_a_model_wait_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files: Vec<PathBuf> = (0..2).map(|i| folder.path().join(format!("{i}.png"))).collect();
    for file in &files {
        imaging::write_png(file, &noise(1, 20, 20)).expect("a picture");
    }
    files.insert(1, folder.path().join("model.safetensors"));
    maps::save(Architecture::Compact, &files[1]);
    let mut window = small();
    drop_all(&mut window, &files);
    wait(&mut window, "the table", |state| state.pile.total == Some(2) && !state.pile.running);
    assert!(state(&window).pile.rows.iter().all(|row| row.answer.is_ok()) && state(&window).notices.is_empty());
    assert!(state(&window).pile.model.contains("model.safetensors"), "{}", state(&window).pile.model);
}

#[test]
fn pictures_that_are_dropped_with_a_broken_model_do_not_go_to_the_one_before() {
    let (mut window, folder) = stand();
    let mut files: Vec<PathBuf> = (0..2).map(|i| folder.path().join(format!("new {i}.png"))).collect();
    for file in &files {
        imaging::write_png(file, &noise(1, 20, 20)).expect("a picture");
    }
    files.push(folder.path().join("broken.safetensors"));
    std::fs::write(&files[2], "no model").expect("a file");
    drop_all(&mut window, &files);
    wait(&mut window, "the word", |state| state.notices.iter().any(|notice| notice.text.contains("The pictures were not classified")));
    assert!(!state(&window).pile.running && state(&window).pile.rows.is_empty());
}

#[test]
fn many_pictures_without_a_model_are_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<PathBuf> = (0..2).map(|i| folder.path().join(format!("{i}.png"))).collect();
    for file in &files {
        imaging::write_png(file, &noise(1, 20, 20)).expect("a picture");
    }
    let mut window = small();
    drop_all(&mut window, &files);
    wait(&mut window, "the advice", |state| state.notices.iter().any(|notice| notice.text.contains("need a model")));
}

#[test]
fn three_fits_files_of_one_band_make_one_picture() {
    let (mut window, folder) = stand();
    let [g, r, z] = fits::write_bands(folder.path(), [("sky-g.fits", None), ("sky-r.fits", None), ("sky-z.fits", None)]);
    let shown = |window: &Window| {
        let subject = state(window).subject.as_ref().expect("a picture");
        (*subject.picture.as_ref().expect("it is there").image).clone()
    };
    let ready = |state: &State| state.subject.as_ref().is_some_and(|s| matches!(s.verdict, Verdict::Ready(_)));
    drop_all(&mut window, &[z, g, r]);
    wait(&mut window, "the picture", ready);
    assert_eq!(state(&window).subject.as_ref().map(|subject| subject.name.as_str()), Some("sky-g.fits and two more bands"));
    assert_eq!(shown(&window), imaging::open(&fits::fits("sky")).expect("a picture"));

    // another plane by hand; the two change places
    window.get_by_role_and_label(Role::ComboBox, "Plane for g").click();
    window.run_ok();
    window.get_by_label("plane 3: sky-z.fits").click();
    window.run_ok();
    let rendering = state(&window).inspect.question.rendering;
    assert_eq!(rendering.order, [2, 1, 0]);
    let expected = fits::sky().render(&rendering);
    wait(&mut window, "the other colours", |state| {
        state.subject.as_ref().and_then(|s| s.picture.as_ref()).is_some_and(|picture| *picture.image == expected)
    });
    // the next picture comes as it is
    let files = fits::write_bands(folder.path(), [("1.fits", None), ("2.fits", None), ("3.fits", None)]);
    drop_all(&mut window, &files);
    wait(&mut window, "the picture", |state| ready(state) && state.subject.as_ref().is_some_and(|s| s.name.starts_with("1.fits")));
    assert_eq!(shown(&window), imaging::open(&fits::fits("sky")).expect("a picture"));
}

#[test]
fn in_a_folder_three_files_of_one_band_are_one_row() {
    let (mut window, folder) = stand();
    let pictures = folder.path().join("pictures");
    fits::write_bands(&pictures, [("m51_g.fits", None), ("m51_r.fits", None), ("m51_z.fits", None)]);
    drop_on(&mut window, &pictures);
    wait(&mut window, "the table", |state| state.pile.total == Some(9) && !state.pile.running);
    window.get_by_label_contains("m51_g.fits and two more bands: class").click();
    window.run_ok();
    wait(&mut window, "the picture", |state| state.subject.as_ref().is_some_and(|s| matches!(s.verdict, Verdict::Ready(_))));
    assert_eq!(state(&window).inspect.bands.as_ref().map(|bands| bands.planes.len()), Some(3));
}

/// FITS files of a table are shown as the user chose, and a change of that offers to classify again.
#[test]
fn fits_files_of_a_table_are_shown_as_chosen() {
    let (mut window, folder) = stand();
    let pictures = folder.path().join("pictures");
    std::fs::copy(fits::fits("sky"), pictures.join("sky.fits")).expect("a copy");
    let answer = |window: &Window| {
        let pile = &state(window).pile;
        let row = pile.rows.iter().find(|row| row.source.is_fits()).expect("one of them");
        row.answer.clone().expect("an answer")
    };
    let expected = |window: &Window, rendering: &Rendering| {
        let classifier = state(window).model.classifier.as_ref().expect("a model");
        classifier.classify(&[classifier.prepare(&fits::sky().render(rendering))]).expect("an answer").remove(0)
    };
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    let mut rendering = Rendering { legacy: false, ..Rendering::default() };
    rendering.stretch.curve = Curve::Log;
    let mut question = state(&window).inspect.question.clone();
    question.rendering = rendering;
    act(&mut window, Action::Inspect(InspectAction::Ask(Box::new(question))));
    drop_on(&mut window, &pictures);
    wait(&mut window, "the table", |state| state.pile.total == Some(9) && !state.pile.running);
    let (log, legacy) = (expected(&window, &rendering), expected(&window, &Rendering { legacy: true, ..rendering }));
    assert!(near(&answer(&window), &log) && !near(&log, &legacy));
    assert!(window.query_by_label("Classify again").is_none());

    window.get_by_label("Legacy Survey colours").click();
    window.run_ok();
    assert!(window.query_by_label("classified with log, 99.5 %").is_some());
    window.get_by_label("Classify again").click();
    window.run_ok();
    wait(&mut window, "the table", |state| state.pile.total == Some(9) && !state.pile.running && state.pile.rows.len() == 9);
    assert!(near(&answer(&window), &legacy) && window.query_by_label("Classify again").is_none());
    // without FITS files there is nothing to choose
    drop_all(&mut window, &[pictures.join("galaxy 0.png"), pictures.join("galaxy 1.png")]);
    wait(&mut window, "the table", |state| state.pile.total == Some(2) && !state.pile.running);
    assert!(window.query_by_label("Legacy Survey colours").is_none());
}

/// The mean over the eight flips and turns is a switch for many pictures too.
#[test]
fn a_table_can_be_of_averages() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &folder.path().join("pictures"));
    let whole = |state: &State| state.pile.total == Some(8) && !state.pile.running && state.pile.rows.len() == 8;
    wait(&mut window, "the table", whole);
    let answers = |window: &Window| state(window).pile.rows.iter().filter_map(|row| row.answer.clone().ok()).collect::<Vec<_>>();
    let plain = answers(&window);
    window.get_by_label("Average 8 turns").click();
    window.run_ok();
    assert!(window.query_by_label("classified as they are").is_some());
    window.get_by_label("Classify again").click();
    window.run_ok();
    wait(&mut window, "the averages", |state| whole(state) && state.pile.average);
    let (classifier, averages) = (state(&window).model.classifier.clone().expect("a model"), answers(&window));
    let row = state(&window).pile.rows.iter().find(|row| row.answer.is_ok()).expect("a picture");
    let picture = tuning_fork::imaging::open(row.source.path()).expect("a picture");
    let alone = Explainer::new(classifier, &picture, true).expect("a forward pass");
    assert!(averages[0].iter().zip(alone.probabilities()).all(|(a, b)| (a - b).abs() < 1e-5));
    assert!(plain != averages && window.query_by_label("Classify again").is_none());
}

#[test]
fn a_pile_can_be_cancelled() {
    let (mut window, folder) = stand();
    let file = folder.path().join("pictures/galaxy 1.png");
    drop_all(&mut window, &vec![file; 5000]);
    wait(&mut window, "the first rows", |state| !state.pile.rows.is_empty());
    assert!(window.query_by_label_contains(" of 5000 pictures").is_some(), "how far it is stands above the table");
    window.get_by_label("Cancel").click();
    window.run_ok();
    let done = state(&window).pile.rows.len();
    assert!(!state(&window).pile.running && done < 5000, "{done}");
    for _ in 0..20 {
        window.step();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(state(&window).pile.rows.len(), done, "nothing comes after");
}
