//! Where the model looked, on the Classify panel: the map, its choices, what is saved, the crop box, FITS, the past.

use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tempfile::TempDir;
use tuning_fork::app::{Action, Export, InspectAction, MapState, Pane, Question, RivalAction, Side, State, Trust, Verdict};
use tuning_fork::explain::{Classifier, Content, Explainer, Method, Scene, Style};
use tuning_fork::imaging::{self, Fit, Frame, Image};
use tuning_fork::nn::{Architecture, Framing};

use super::stand::{Window, act, drop_on, small, state, wait};
use crate::explain::{maps, noise};

/// A window with a model and, in a folder, a picture.
pub fn stand() -> (Window, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    imaging::write_png(&folder.path().join("a galaxy é.png"), &noise(1, 90, 60)).expect("a picture");
    let model = folder.path().join("model.safetensors");
    maps::save(Architecture::Compact, &model);
    let mut window = small();
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    act(&mut window, Action::LoadModel(model));
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    (window, folder)
}

pub fn galaxy(folder: &TempDir) -> PathBuf {
    folder.path().join("a galaxy é.png")
}

/// Whether the map is drawn as the question asks now.
pub fn settled(state: &State) -> bool {
    let inspect = &state.inspect;
    let picture = state.subject.as_ref().and_then(|subject| subject.picture.as_ref());
    let asked = inspect.explainer.as_ref().is_some_and(|explainer| explainer.averaged() == inspect.question.average)
        && picture.is_some_and(|picture| inspect.frame == Some(inspect.question.frame(&picture.image)));
    let drawn = match &inspect.map {
        MapState::Ready(shown) => {
            let explainer = inspect.explainer.as_ref().expect("a map comes from one");
            shown.of(explainer) && shown.request == inspect.question.request(explainer) && shown.style == inspect.question.style
        }
        MapState::Failed(_) => true,
        MapState::None => false,
    };
    drawn && asked && !inspect.drawing && state.subject.as_ref().is_some_and(|subject| matches!(subject.verdict, Verdict::Ready(_)))
}

pub fn ask(window: &mut Window, change: impl FnOnce(&mut Question)) {
    let mut question = state(window).inspect.question.clone();
    change(&mut question);
    act(window, Action::Inspect(InspectAction::Ask(Box::new(question))));
}

/// The bytes that the library writes for the window's question.
fn expected(window: &Window, picture: &Path, export: Content, averaged: bool) -> Vec<u8> {
    let image = imaging::open(picture).expect("a picture");
    let question = &state(window).inspect.question;
    let frame = question.frame(&image);
    let classifier = state(window).model.classifier.clone().expect("a model");
    let explainer = Explainer::new(classifier, &image.crop(frame), averaged).expect("a forward pass");
    let name = picture.file_name().expect("a name").to_string_lossy().into_owned();
    let scene = Scene { name: &name, picture: &image, frame, explainer: &explainer };
    scene.png(&question.request(&explainer), &question.style, export).expect("a file")
}

#[test]
fn a_dropped_picture_comes_with_its_map() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    assert!(window.query_by_label_contains("picture a galaxy é.png with map: CAM at block5.pool (2 x 2 cells, 512 maps)").is_some());
    assert!(window.query_by_label_contains("Colour bar from 0 to").is_some());
    assert!(window.query_by_label("what the network sees").is_some());
    assert!(window.query_by_label_contains("of 3.32 bits").is_some());

    // another method, by its menu
    window.get_by_role_and_label(Role::ComboBox, "Map method").click();
    window.run_ok();
    window.get_by_label("LayerCAM").click();
    window.run_ok();
    wait(&mut window, "the other map", settled);
    assert!(window.query_by_label_contains("with map: LayerCAM at block5.relu (4 x 4 cells").is_some());
    for label in ["Signed", "Contours", "Raw cells", "Average 8 turns"] {
        window.get_by_label(label).click();
        window.run_ok();
        wait(&mut window, label, settled);
    }
    let question = &state(&window).inspect.question;
    assert!(question.signed && question.style.cells && question.average && question.style.contours.len() == 2);
    assert!(window.query_all_by_label_contains("mean of eight flips and turns").next().is_some());
    window.get_by_label("How faithful?").click();
    window.run_ok();
    wait(&mut window, "the measurement", |state| !matches!(state.inspect.trust, Trust::Unknown | Trust::Measuring));
    assert!(window.query_by_label_contains("than maps that know nothing of the model").is_some());
    window.get_by_label("Map").click();
    window.run_ok();
    assert!(matches!(state(&window).inspect.map, MapState::None));
    assert!(window.query_by_label("picture a galaxy é.png").is_some());
}

#[test]
fn saved_files_are_those_of_the_library() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    ask(&mut window, |question| {
        question.method = Some(Method::HiResCam);
        question.class = Some(4);
        question.against = Some(2);
        question.style = Style { zoom: 2, opacity: 0.3, ..Style::default() };
    });
    wait(&mut window, "the map", settled);
    for export in Export::ALL.into_iter().filter(|export| *export != Export::Film) {
        let path = folder.path().join(export.file_name("a galaxy é.png"));
        act(&mut window, Action::Inspect(InspectAction::SaveTo(export, path.clone())));
        wait(&mut window, "the file", |state| !state.inspect.saving);
        let bytes = std::fs::read(&path).expect("the file");
        if let Export::Drawing(content) = export {
            assert_eq!(bytes, expected(&window, &galaxy(&folder), content, false), "{}", export.title());
            let (_, _, texts) = crate::explain::figures::read(&bytes);
            assert_eq!((texts["Class"].as_str(), texts["Picture"].as_str()), ("class 4 and not class 2", "a galaxy é.png"));
        }
    }
    // no run keeps models of its epochs here
    act(&mut window, Action::Inspect(InspectAction::SaveTo(Export::Film, folder.path().join("film.png"))));
    wait(&mut window, "the refusal", |state| !state.inspect.saving);
    assert!(state(&window).notices.last().expect("a notice").text.contains("does not lie in the folder of a run"));
    // a place that is not there
    let nowhere = folder.path().join("no such folder").join("x.png");
    act(&mut window, Action::Inspect(InspectAction::SaveTo(Export::Npy, nowhere)));
    wait(&mut window, "the failure", |state| !state.inspect.saving);
    assert!(state(&window).notices.last().expect("a notice").text.contains("Choose another place"));
}

#[test]
fn what_nothing_speaks_for_is_told() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    let explainer = state(&window).inspect.explainer.clone().expect("a forward pass");
    let empty = |class: &usize| {
        let request = tuning_fork::explain::Request { class: Some(*class), ..tuning_fork::explain::Request::new(Method::Cam) };
        !explainer.explain(&request).expect("a map").has_positive()
    };
    let class = explainer.ranking().into_iter().find(empty).expect("a class that nothing speaks for");
    assert!(window.query_by_label("No positive evidence for this class.").is_none());
    ask(&mut window, |question| question.class = Some(class));
    wait(&mut window, "the map", settled);
    assert!(window.query_by_label("No positive evidence for this class.").is_some());
    // what speaks against it can be seen
    ask(&mut window, |question| question.signed = true);
    wait(&mut window, "the map", settled);
    assert!(window.query_by_label("No positive evidence for this class.").is_none());
}

#[test]
fn contours_and_regions_can_be_chosen() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    for label in ["Contours", "Regions"] {
        window.get_by_label(label).click();
        window.run_ok();
    }
    window.get_by_label("Share of contour 2").set_value_accesskit(95.0);
    window.run_ok();
    wait(&mut window, "the map", settled);
    let style = &state(&window).inspect.question.style;
    assert!(style.regions && (style.contours[0] - 0.5).abs() < 1e-9 && (style.contours[1] - 0.95).abs() < 1e-9, "{style:?}");
    let MapState::Ready(shown) = &state(&window).inspect.map else { panic!("no map") };
    assert!(shown.legend.join(";").contains("white around the galaxy"));
}

#[test]
fn only_what_is_in_the_crop_box_is_classified() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    window.get_by_label("Crop box").click();
    window.run_ok();
    wait(&mut window, "the part", |state| state.inspect.frame == state.inspect.question.marked && settled(state));
    assert_eq!(state(&window).inspect.frame, Some(Frame { x: 25, y: 10, width: 40, height: 40 }));
    // drag it
    let at = window.get_by_label("Move the crop box").rect().center();
    window.drag_at(at);
    window.step();
    for step in 1..=5 {
        window.hover_at(at + egui::vec2(8.0 * step as f32, 4.0 * step as f32));
        window.step();
    }
    window.drop_at(at + egui::vec2(40.0, 20.0));
    window.run_ok();
    wait(&mut window, "the part", |state| state.inspect.frame == state.inspect.question.marked && settled(state));
    let frame = state(&window).inspect.frame.expect("a part");
    assert!(frame.x > 25 && frame.y > 10 && frame.width == 40, "{frame:?}");
    let image = imaging::open(&galaxy(&folder)).expect("a picture");
    let seen = state(&window).inspect.explainer.as_ref().expect("a forward pass").prepared().clone();
    assert_eq!(seen, image.crop(frame).resize(64, 64));
}

#[test]
fn a_fits_file_is_stretched_as_asked() {
    let (mut window, _folder) = stand();
    let sky: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/reference/imaging/fits/sky.fits"].iter().collect();
    drop_on(&mut window, &sky);
    wait(&mut window, "the map", settled);
    let shown = |window: &Window| -> Image {
        let subject = state(window).subject.as_ref().expect("a picture");
        (*subject.picture.as_ref().expect("it is there").image).clone()
    };
    assert_eq!(shown(&window), imaging::open(&sky).expect("a picture"));
    window.get_by_label("Legacy Survey colours").click();
    window.run_ok();
    let rendering = state(&window).inspect.question.rendering;
    assert!(!rendering.legacy);
    let expected = imaging::open_rendered(&sky, &rendering).expect("a picture");
    wait(&mut window, "the other picture", |state| {
        state.subject.as_ref().and_then(|s| s.picture.as_ref()).is_some_and(|picture| *picture.image == expected) && settled(state)
    });
    let table: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/reference/imaging/fits/bad_table.fits"].iter().collect();
    drop_on(&mut window, &table);
    wait(&mut window, "the failure", |state| {
        state.subject.as_ref().is_some_and(|subject| matches!(&subject.verdict, Verdict::Failed(message) if message.contains("no image")))
    });
}

#[test]
fn fits_files_without_a_picture_say_what_is_wrong() {
    let (mut window, folder) = stand();
    for (name, words) in [
        ("bad_table", "only tables or headers"),
        ("bad_cube", "3 x 4 x 5 pixels is neither one plane nor three"),
        ("bad_line", "neither one plane nor three"),
        ("bad_nan", "no pixel of this FITS image has a number"),
    ] {
        drop_on(&mut window, &crate::data::fits::fits(name));
        wait(&mut window, name, |state| {
            state.subject.as_ref().is_some_and(|subject| matches!(&subject.verdict, Verdict::Failed(message) if message.contains(words)))
        });
        assert!(window.query_by_label_contains(words).is_some(), "{words}");
    }
    // all pixels the same is a picture: black, and no division by zero
    drop_on(&mut window, &crate::data::fits::fits("constant"));
    wait(&mut window, "the map", settled);
    // a file that goes between drop and read
    let path = folder.path().join("soon gone.png");
    imaging::write_png(&path, &noise(3, 30, 30)).expect("a picture");
    std::fs::remove_file(&path).expect("it is there");
    drop_on(&mut window, &path);
    wait(&mut window, "the failure", |state| {
        state.subject.as_ref().is_some_and(|s| matches!(&s.verdict, Verdict::Failed(message) if message.contains("soon gone.png")))
    });
}

#[test]
fn the_part_is_that_of_training_until_another_is_chosen() {
    let (mut window, folder) = stand();
    let load = |window: &mut Window, framing| {
        let path = folder.path().join("framed.safetensors");
        maps::save_framed(Architecture::Compact, framing, &path);
        act(window, Action::LoadModel(path));
        wait(window, "the model", |state| {
            !state.model.loading && state.model.classifier.as_ref().is_some_and(|c| c.spec().framing == framing)
        });
    };
    load(&mut window, Framing::Crop);
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    assert_eq!(state(&window).inspect.frame, Some(Frame { x: 15, y: 0, width: 60, height: 60 }));
    ask(&mut window, |question| question.fit = Fit::Pad);
    wait(&mut window, "the map", settled);
    // the same kind of model again leaves the choice, another takes its own
    load(&mut window, Framing::Crop);
    assert_eq!(state(&window).inspect.question.fit, Fit::Pad);
    load(&mut window, Framing::Stretch);
    assert_eq!(state(&window).inspect.question.fit, Fit::Stretch);
}

#[test]
fn maps_are_exported_beside_the_model_without_asking() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    let exports = folder.path().join("exports");
    for name in ["a galaxy é-figure.png", "a galaxy é-figure-2.png"] {
        window.get_by_role_and_label(Role::Button, "Export").click();
        // what went well is told for a few seconds only
        wait(&mut window, "the word of it", |state| state.notices.iter().any(|notice| notice.text.contains(name)));
        wait(&mut window, "the file", |state| !state.inspect.saving);
        assert_eq!(std::fs::read(exports.join(name)).expect("the file"), expected(&window, &galaxy(&folder), Content::Figure, false));
    }
    // a place that takes no files, which stops root too
    std::fs::remove_dir_all(&exports).expect("it was there");
    std::fs::write(&exports, "a file where the folder should be").expect("a file");
    window.get_by_role_and_label(Role::Button, "Export").click();
    window.run_ok();
    wait(&mut window, "the failure", |state| !state.inspect.saving);
    let last = &state(&window).notices.last().expect("a notice").text;
    assert!(last.contains("exports") && last.contains("Save map"), "{last}");
    // as for a disk that is full or read-only: a place where nothing can be written, and nothing is left behind
    for export in [Export::Drawing(Content::Figure), Export::Grey16, Export::Npy] {
        // by its number: what went well is forgotten meanwhile
        let told = state(&window).notices.last().map(|notice| notice.id);
        let path = exports.join(export.file_name("galaxy"));
        act(&mut window, Action::Inspect(InspectAction::SaveTo(export, path.clone())));
        wait(&mut window, "the failure", |state| !state.inspect.saving && state.notices.last().map(|notice| notice.id) > told);
        let last = &state(&window).notices.last().expect("a notice").text;
        assert!(last.starts_with("The map was not saved.") && last.contains("make room") && last.contains("galaxy"), "{last}");
    }
    assert_eq!(std::fs::read_to_string(&exports).expect("it stays"), "a file where the folder should be");
}

#[test]
fn a_second_model_answers_beside_the_first() {
    let (mut window, folder) = stand();
    let second = folder.path().join("second.safetensors");
    maps::save(Architecture::Seed, &second);
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    let answered = |state: &State| matches!(&state.inspect.rival.answer, Some(Ok(_)));
    act(&mut window, Action::Inspect(InspectAction::Rival(RivalAction::Take(second.clone()))));
    wait(&mut window, "both answers", |state| answered(state) && settled(state));
    // its own answer, to the bit, and a bar each for every class
    let classifier = std::sync::Arc::new(Classifier::load(&second).expect("a model"));
    let image = imaging::open(&galaxy(&folder)).expect("a picture");
    let alone = Explainer::new(classifier, &image, false).expect("a forward pass");
    let Some(Ok(answer)) = &state(&window).inspect.rival.answer else { unreachable!("it was waited for") };
    assert_eq!(answer.probabilities(), alone.probabilities());
    let first = state(&window).inspect.explainer.as_ref().expect("an answer").probabilities().to_vec();
    for (class, (p, q)) in first.iter().zip(alone.probabilities()).enumerate() {
        let label = format!("class {class}: {:.1} % and {:.1} %", 100.0 * p, 100.0 * q);
        assert!(window.query_by_label(&label).is_some(), "{label}");
    }
    assert!(window.query_by_label_contains("map of second.safetensors: Grad-CAM at ").is_some());
    assert!(window.query_all_by_label_contains(" say").next().is_some() && window.query_all_by_label_contains("entropy ").count() == 2);
    // both maps are seen at the same time, one beside the other
    let place = |window: &Window, words: &str| window.query_all_by_label_contains(words).next().expect("a picture").rect();
    let (left, right) = (place(&window, "picture a galaxy é.png with map: CAM"), place(&window, "map of second.safetensors"));
    assert!((left.top() - right.top()).abs() < 1.0 && left.right() < right.left() && left.size() == right.size(), "{left} {right}");
    assert!(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 800.0)).contains_rect(left.union(right)));
    // it is asked for the map that the first is asked for, and keeps its answer
    ask(&mut window, |question| (question.method, question.class) = (Some(Method::LayerCam), Some(4)));
    let second_map = |state: &State| {
        let answer = state.inspect.rival.answer.as_ref().and_then(|answer| answer.as_ref().ok());
        answer.and_then(|answer| answer.shown.as_ref()).map(|shown| (shown.request.clone(), shown.explanation.clone()))
    };
    wait(&mut window, "the same map of both", |state| {
        settled(state) && second_map(state).is_some_and(|(request, _)| (request.method, request.class) == (Method::LayerCam, Some(4)))
    });
    let (request, map) = second_map(state(&window)).expect("it was waited for");
    assert_eq!(map, alone.explain(&request).expect("a map"));
    assert!(window.query_by_label_contains("map of second.safetensors: LayerCAM at ").is_some());
    ask(&mut window, |question| question.map = false);
    wait(&mut window, "no map", |state| answered(state) && second_map(state).is_none());
    assert!(window.query_by_label_contains("map of second").is_none());
    ask(&mut window, |question| (question.map, question.method, question.class) = (true, None, None));
    wait(&mut window, "the map", |state| settled(state) && second_map(state).is_some());
    // it follows the crop box and the next picture
    ask(&mut window, |question| question.marked = Some(Frame { x: 5, y: 5, width: 30, height: 30 }));
    wait(&mut window, "the part", |state| settled(state) && answered(state));
    let part = Explainer::new(alone.classifier().clone(), &image.crop(Frame { x: 5, y: 5, width: 30, height: 30 }), false).expect("a pass");
    wait(
        &mut window,
        "the part",
        |state| matches!(&state.inspect.rival.answer, Some(Ok(answer)) if answer.probabilities() == part.probabilities()),
    );
    window.get_by_label("One model").click_accesskit();
    window.run_ok();
    assert!(state(&window).inspect.rival.classifier.is_none() && window.query_by_label_contains("map of second").is_none());

    // what is no model is told
    let broken = folder.path().join("broken.safetensors");
    std::fs::write(&broken, "no model").expect("a file");
    act(&mut window, Action::Inspect(InspectAction::Rival(RivalAction::Take(broken))));
    wait(&mut window, "the failure", |state| state.notices.iter().any(|notice| notice.text.starts_with("The second model was not loaded")));
}

/// The picture stays in sight while what stands beside it is scrolled.
#[test]
fn the_picture_stays_while_its_controls_are_scrolled() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    act(&mut window, Action::Inspect(InspectAction::Sheet(Some(Side::Classes))));
    wait(&mut window, "the sheet", |state| state.inspect.sheet.tiles.len() == 10 && !state.inspect.sheet.drawing);
    let place = |window: &Window, words: &str| window.query_all_by_label_contains(words).next().expect("it is there").rect();
    let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 800.0));
    let (picture, tile) = (place(&window, "with map: CAM"), place(&window, "Choose class 0, "));
    // no small map is cut off at the right, and the first row is in sight at once
    let rights = window.query_all_by_label_contains("Choose class ").map(|tile| tile.rect().right());
    assert!(rights.fold(0.0, f32::max) < screen.right() && screen.contains_rect(tile), "{tile}");
    window.hover_at(egui::pos2(1000.0, 400.0));
    window.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -100.0),
        phase: egui::TouchPhase::Move,
        modifiers: egui::Modifiers::NONE,
        source: egui::MouseWheelSource::Wheel,
    });
    window.run_ok();
    for _ in 0..30 {
        window.step();
    }
    assert!(place(&window, "Choose class 0, ").top() < tile.top() - 50.0, "it was scrolled");
    assert_eq!(place(&window, "with map: CAM"), picture);
}

/// What the second model says of the picture before would be taken for its word on the next one.
#[test]
fn the_second_models_answer_to_the_picture_before_is_not_taken() {
    let (mut window, folder) = stand();
    let second = folder.path().join("second.safetensors");
    maps::save(Architecture::Seed, &second);
    act(&mut window, Action::Inspect(InspectAction::Rival(RivalAction::Take(second))));
    wait(&mut window, "the second model", |state| state.inspect.rival.classifier.is_some());
    ask(&mut window, |question| question.average = true);
    drop_on(&mut window, &galaxy(&folder));
    while state(&window).inspect.explainer.is_none() {
        window.step();
    }
    // it is at work now, on eight turns of the picture; the next one has no answer at all
    let broken = folder.path().join("broken.png");
    std::fs::write(&broken, "no picture").expect("a file");
    act(&mut window, Action::ClassifyFile(broken));
    for _ in 0..100 {
        window.step();
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(state(&window).inspect.rival.answer.is_none());
    }
}

#[test]
fn models_of_other_classes_are_said_to_differ() {
    let (mut window, folder) = stand();
    let other = crate::app::explore_filter::model(folder.path());
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    act(&mut window, Action::Inspect(InspectAction::Rival(RivalAction::Take(other))));
    wait(&mut window, "both answers", |state| matches!(&state.inspect.rival.answer, Some(Ok(_))));
    assert!(window.query_by_label_contains("know other classes (the first has class 0 where the second has Round)").is_some());
    let Some(Ok(answer)) = &state(&window).inspect.rival.answer else { unreachable!("it was waited for") };
    let label = format!("Spiral: {:.1} %", 100.0 * answer.probabilities()[1]);
    assert!(window.query_by_label(&label).is_some(), "{label}");
}

#[test]
fn what_was_looked_at_can_be_looked_at_again() {
    let (mut window, folder) = stand();
    let other = folder.path().join("other.png");
    imaging::write_png(&other, &noise(2, 30, 30)).expect("a picture");
    for path in [galaxy(&folder), other] {
        drop_on(&mut window, &path);
        wait(&mut window, "the map", settled);
    }
    assert_eq!(state(&window).inspect.past.len(), 2);
    // below the fold of a small window
    window.get_by_label_contains("Look again at a galaxy é.png").click_accesskit();
    window.run_ok();
    wait(&mut window, "the map", settled);
    assert_eq!(state(&window).subject.as_ref().map(|subject| subject.name.as_str()), Some("a galaxy é.png"));
    assert_eq!(state(&window).inspect.past.len(), 2);
}

#[test]
fn a_network_without_a_layer_for_cam_says_so() {
    let (mut window, folder) = stand();
    let model = folder.path().join("seed.safetensors");
    maps::save(Architecture::Seed, &model);
    act(&mut window, Action::LoadModel(model));
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", |state| {
        settled(state) && state.inspect.explainer.as_ref().is_some_and(|e| e.best_method() == Method::GradCam)
    });
    window.get_by_role_and_label(Role::ComboBox, "Map method").click();
    window.run_ok();
    assert!(window.get_by_label("CAM").accesskit_node().is_disabled());
    assert!(!window.get_by_label("HiResCAM").accesskit_node().is_disabled());
}
