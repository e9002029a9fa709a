//! How far maps can be believed, and the small maps side by side, on the Classify panel.

use std::sync::Arc;

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use tuning_fork::app::{Action, Pane};
use tuning_fork::app::{Check, Export, InspectAction, MapState, Side, State, Trust, Verdict};
use tuning_fork::explain::{Faithfulness, Method, Scale, faithfulness, strongest};

use super::explain::{ask, galaxy, settled, stand};
use super::stand::{Window, act, app, drop_on, small, state, wait};
use crate::explain::noise;

/// What was measured of the present map, once it is there.
fn measured(window: &mut Window) -> Arc<Faithfulness> {
    wait(window, "the measurement", |state| settled(state) && matches!(state.inspect.trust, Trust::Measured(_) | Trust::Failed(_)));
    let Trust::Measured(measured) = &state(window).inspect.trust else { panic!("{:?}", state(window).inspect.trust) };
    Arc::clone(measured)
}

#[test]
fn a_map_that_is_too_coarse_offers_a_finer_one() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    assert!(window.query_all_by_label_contains("Only 2 x 2 cells").next().is_some());
    window.get_by_label_contains("Finer: LayerCAM at ").click_accesskit();
    window.run_ok();
    wait(&mut window, "the finer map", settled);
    let MapState::Ready(shown) = &state(&window).inspect.map else { panic!("no map") };
    let layer = &shown.explanation.layer;
    assert_eq!((shown.explanation.method, layer.width, layer.height), (Method::LayerCam, 8, 8));
    assert!(window.query_by_label_contains("Finer: ").is_none());
}

#[test]
fn a_map_is_measured_unasked_and_remembered() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    let first = measured(&mut window);
    let MapState::Ready(shown) = &state(&window).inspect.map else { panic!("no map") };
    assert_eq!(*first, faithfulness(&shown.explainer, &shown.explanation, 0).expect("the same by the library"));
    assert!(window.query_by_label_contains(&format!("Faithfulness: {}", first.verdict())).is_some());
    window.get_by_label("Faithfulness in numbers").click_accesskit();
    window.run_ok();
    for plot in ["ROAD: mean probability", "Deletion: mean probability", "Insertion: mean probability"] {
        assert!(window.query_by_label_contains(plot).is_some(), "{plot}");
    }
    // the model is checked too
    wait(&mut window, "the check", |state| matches!(state.inspect.check, Check::Checked(_) | Check::Failed(_)));
    let Check::Checked(check) = state(&window).inspect.check.clone() else { panic!("{:?}", state(&window).inspect.check) };
    assert_eq!((check.method, check.stages.len()), (Method::Cam, 6));
    assert!(window.query_by_label_contains("Model check: with random weights CAM").is_some());
    // how it is drawn changes nothing of it
    ask(&mut window, |question| question.style.opacity = 0.2);
    wait(&mut window, "the map", settled);
    assert!(Arc::ptr_eq(&first, &measured(&mut window)));
    // another map is measured anew, and the first one is remembered, also the check
    ask(&mut window, |question| question.signed = true);
    wait(&mut window, "the map", settled);
    assert!(!Arc::ptr_eq(&first, &measured(&mut window)));
    ask(&mut window, |question| question.signed = false);
    wait(&mut window, "the map", settled);
    assert!(Arc::ptr_eq(&first, &measured(&mut window)));
    wait(&mut window, "the check", |state| matches!(state.inspect.check, Check::Checked(_)));
    assert!(matches!(&state(&window).inspect.check, Check::Checked(again) if Arc::ptr_eq(again, &check)));
}

/// Whether the small maps are those of the present map.
fn sheet_settled(state: &State) -> bool {
    let sheet = &state.inspect.sheet;
    let made = sheet.made.as_ref();
    let request = state.inspect.explainer.as_ref().map(|explainer| state.inspect.question.request(explainer));
    settled(state) && !sheet.drawing && made.is_some_and(|made| Some(made.side) == sheet.wanted && Some(&made.request) == request.as_ref())
}

#[test]
fn a_click_on_a_small_map_chooses_it() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    window.get_by_label("All classes").click_accesskit();
    window.run_ok();
    wait(&mut window, "the sheet", sheet_settled);
    assert_eq!(state(&window).inspect.sheet.tiles.len(), 10);
    assert!(window.query_by_label("All maps have the same scale.").is_some());
    window.get_by_label_contains("Choose class 3, ").click_accesskit();
    window.run_ok();
    wait(&mut window, "the map of the class", sheet_settled);
    assert_eq!(state(&window).inspect.question.class, Some(3));
    assert!(window.query_all_by_label_contains("for class 3: logit").next().is_some());

    window.get_by_label("All methods").click_accesskit();
    window.run_ok();
    wait(&mut window, "the other sheet", sheet_settled);
    assert!(window.query_by_label("Each map has its own scale.").is_some());
    window.get_by_label("Choose LayerCAM").click_accesskit();
    window.run_ok();
    wait(&mut window, "the map of the method", sheet_settled);
    assert_eq!(state(&window).inspect.question.method, Some(Method::LayerCam));
    window.get_by_label("One map").click_accesskit();
    window.run_ok();
    assert!(state(&window).inspect.sheet.tiles.is_empty() && window.query_by_label("Choose LayerCAM").is_none());
}

#[test]
fn one_map_can_have_the_scale_of_all_classes() {
    let (mut window, folder) = stand();
    drop_on(&mut window, &galaxy(&folder));
    wait(&mut window, "the map", settled);
    ask(&mut window, |question| {
        question.class = Some(0);
        question.signed = true;
        question.style.scale = Scale::Common;
    });
    wait(&mut window, "the map", settled);
    let MapState::Ready(shown) = &state(&window).inspect.map else { panic!("no map") };
    let of = |class| {
        let request = tuning_fork::explain::Request { class: Some(class), ..shown.request.clone() };
        strongest(&shown.explainer.explain(&request).expect("a map"))
    };
    assert_eq!(shown.scaled.limit, Some((0..10).map(of).fold(0.0, f32::max)));
    assert!(shown.legend.join(";").contains("the same for all classes"));
}

#[test]
fn a_film_shows_how_the_map_came_to_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let galaxy = folder.path().join("galaxy.png");
    tuning_fork::imaging::write_png(&galaxy, &noise(1, 40, 40)).expect("a picture");
    let mut window = small();
    app(&mut window).keep_runs_in(folder.path().join("runs"));
    window.get_by_role_and_label(Role::Button, "Start").click();
    wait(&mut window, "the end of the run", |state| state.run.as_ref().is_some_and(tuning_fork::app::Run::is_over));
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    drop_on(&mut window, &galaxy);
    wait(&mut window, "the map", settled);
    window.get_by_label("Over the epochs").click_accesskit();
    window.run_ok();
    wait(&mut window, "the film", sheet_settled);
    let captions: Vec<String> = state(&window).inspect.sheet.tiles.iter().map(|tile| tile.small.caption.clone()).collect();
    assert_eq!(captions.len(), 2, "{captions:?}");
    assert!(captions[0].starts_with("epoch 1, ") && captions[1].starts_with("epoch 2, "), "{captions:?}");
    let classes: Vec<usize> = state(&window).inspect.sheet.tiles.iter().map(|tile| tile.small.explanation.class).collect();
    let most = state(&window).inspect.explainer.as_ref().expect("a forward pass").ranking()[0];
    assert_eq!(classes, [most; 2]);

    let file = folder.path().join("film.png");
    act(&mut window, Action::Inspect(InspectAction::SaveTo(Export::Film, file.clone())));
    wait(&mut window, "the file", |state| !state.inspect.saving);
    let (_, _, texts) = crate::explain::figures::read(&std::fs::read(&file).expect("the film"));
    assert_eq!((texts["Content"].as_str(), texts["Epochs"].as_str()), ("film", "1, 2"));

    // the last kept epoch answers when asked, and a click on a frame takes its model
    window.get_by_label("Latest kept epoch").click_accesskit();
    window.run_ok();
    wait(&mut window, "the last epoch", |state| {
        !state.model.loading && state.model.description.starts_with("this run, epoch 2, the latest that is kept")
    });
    wait(&mut window, "its map", sheet_settled);
    window.get_by_label_contains("Choose epoch 1, ").click_accesskit();
    window.run_ok();
    wait(&mut window, "the first epoch", |state| !state.model.loading && state.model.description.starts_with("epoch_0001.safetensors"));
    wait(&mut window, "its film", sheet_settled);
    assert_eq!((state(&window).inspect.question.class, state(&window).inspect.sheet.wanted), (Some(most), Some(Side::Film)));
    assert!(matches!(state(&window).subject.as_ref().map(|subject| &subject.verdict), Some(Verdict::Ready(_))));
}

#[test]
fn a_live_run_is_explained_by_its_last_kept_epoch() {
    let folder = tempfile::tempdir().expect("a folder");
    let galaxy = folder.path().join("galaxy.png");
    tuning_fork::imaging::write_png(&galaxy, &noise(1, 40, 40)).expect("a picture");
    let mut window = small();
    app(&mut window).keep_runs_in(folder.path().join("runs"));
    act(&mut window, Action::Inspect(InspectAction::Latest(true)));
    drop_on(&mut window, &galaxy);
    window.get_by_role_and_label(Role::Button, "Start").click();
    // nothing is clicked from here on: each kept epoch answers as soon as it is there
    wait(&mut window, "the last epoch", |state| {
        state.run.as_ref().is_some_and(tuning_fork::app::Run::is_over)
            && state.model.description.starts_with("this run, epoch 2, the latest that is kept")
    });
    wait(&mut window, "its map", |state| {
        let explainer = state.inspect.explainer.as_ref();
        settled(state) && explainer.is_some_and(|e| e.classifier().path().ends_with("snapshots/epoch_0002.safetensors"))
    });
    // the run over, the map is measured by itself
    measured(&mut window);
}
