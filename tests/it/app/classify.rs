//! A picture dropped on the window.

use egui_kittest::kittest::Queryable as _;

use egui::accesskit::Role;
use tuning_fork::app::Verdict;
use tuning_fork::train::{Outcome, Status};

use super::stand::{app, drop_on, small, state, wait};

#[test]
fn hovering_files_bring_a_hint() {
    let mut window = small();
    let file = egui::HoveredFile { path: Some("galaxy.png".into()), mime: String::new() };
    window.input_mut().hovered_files.push(file);
    window.run_ok();
    assert!(window.query_by_label("Drop it anywhere").is_some());
    window.input_mut().hovered_files.clear();
    window.run_ok();
    assert!(window.query_by_label("Drop it anywhere").is_none());
}

#[test]
fn a_picture_without_a_model_waits_for_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("galaxy.png");
    image::RgbImage::new(40, 30).save(&path).expect("a picture");
    let mut window = small();
    drop_on(&mut window, &path);
    wait(&mut window, "the picture", |state| state.subject.as_ref().is_some_and(|subject| subject.picture.is_some()));
    assert!(window.query_by_label_contains("picture galaxy.png").is_some());
    assert!(window.query_by_label_contains("as soon as there is one").is_some());
}

#[test]
fn bad_files_say_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    };
    let mut window = small();
    for path in [write("empty.png", &[]), write("text.png", b"no picture"), folder.path().join("missing.png")] {
        drop_on(&mut window, &path);
        wait(&mut window, "the verdict", |state| {
            state.subject.as_ref().is_some_and(|subject| matches!(subject.verdict, Verdict::Failed(_)))
        });
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(window.query_all_by_label_contains(&name).next().is_some(), "{name}");
    }
    let model = write("model.safetensors", b"no model");
    drop_on(&mut window, &model);
    wait(&mut window, "a notice", |state| !state.notices.is_empty());
    assert!(state(&window).notices[0].text.starts_with("The model was not loaded."));
}

#[test]
fn one_click_trains_a_model_that_classifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("galaxy.png");
    image::RgbImage::new(40, 30).save(&path).expect("a picture");
    let mut window = small();
    app(&mut window).keep_runs_in(folder.path().join("runs"));
    // the picture is there before the model; its verdict comes with the first epoch
    drop_on(&mut window, &path);
    window.get_by_role_and_label(Role::Button, "Start").click();
    wait(&mut window, "the end of the run", |state| state.run.as_ref().is_some_and(|run| matches!(run.session.status, Status::Ended(_))));
    let run = state(&window).run.as_ref().expect("the run");
    assert_eq!(run.session.status, Status::Ended(Outcome::Completed), "{:?}", run.session.message);
    assert!(run.folder.starts_with(folder.path().join("runs")));
    wait(&mut window, "the verdict", |state| state.subject.as_ref().is_some_and(|subject| matches!(subject.verdict, Verdict::Ready(_))));
    let Some(Verdict::Ready(bars)) = state(&window).subject.as_ref().map(|subject| &subject.verdict) else {
        unreachable!("it was waited for")
    };
    assert_eq!(bars.len(), 10);
    assert!((bars.iter().map(|(_, p)| p).sum::<f32>() - 1.0).abs() < 1e-4);
    assert!(bars.windows(2).all(|pair| pair[0].1 >= pair[1].1), "the most probable class is first");
    let first = format!("{}: {:.1} %", bars[0].0, 100.0 * bars[0].1);
    assert!(window.query_by_label(&first).is_some(), "{first}");
    assert!(window.query_by_label_contains("32 x 32 px, 10 classes").is_some());
    assert!(window.query_by_label_contains("Confusion matrix of epoch 2").is_some());
}
