//! A picture dropped on the window.

use egui_kittest::kittest::Queryable as _;

use super::stand::{drop_on, small, state, wait};

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
            use tuning_fork::app::Verdict;
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
