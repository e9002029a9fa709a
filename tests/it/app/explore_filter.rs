//! The filter, duplicates, and what a model says, in the window.

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use tuning_fork::app::Action;
use tuning_fork::explain::BEST_MODEL;
use tuning_fork::nn::{self, Architecture, Framing, ModelSpec, NetworkOptions, Normalisation, USUAL_WIDTH};

use super::stand::{Window, act, app, data, small, state, wait};

fn with_data(count: usize) -> Window {
    let mut window = small();
    app(&mut window).show_data(data(count)).expect("it can be split");
    wait(&mut window, "the marks", |state| state.explore.marked.is_some());
    window
}

fn write_filter(window: &mut Window, text: &str) {
    window.get_by_role_and_label(Role::TextInput, "Filter").focus();
    window.run_ok();
    window.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    window.get_by_role_and_label(Role::TextInput, "Filter").type_text(text);
    window.run_ok();
}

#[test]
fn a_filter_is_written_and_its_count_shown() {
    let mut window = with_data(300);
    write_filter(&mut window, "class:Spiral image:0..29 sort:-dec");
    assert!(window.query_by_label("10 of 300").is_some());
    assert_eq!(state(&window).explore.selection.places[..2], [1, 4], "declination falls with the number");
    window.get_by_label("Clear the filter").click();
    window.run_ok();
    assert!(window.query_by_label("300 of 300").is_some());
}

#[test]
fn a_filter_that_makes_no_sense_is_a_message_and_the_pictures_stay() {
    let mut window = with_data(300);
    write_filter(&mut window, "class:1");
    write_filter(&mut window, "class:Elliptical");
    assert!(window.query_by_label_contains("there is no class Elliptical").is_some());
    assert!(window.query_by_label("100 of 300").is_some());
    write_filter(&mut window, "pxscale>0.2");
    assert!(window.query_by_label_contains("no column pxscale").is_some());
    write_filter(&mut window, "wrong");
    assert!(window.query_by_label_contains("classify the pictures first").is_some());
}

#[test]
fn a_click_shows_the_words_of_a_filter_until_escape() {
    let mut window = with_data(300);
    assert!(window.query_by_label_contains("margin<0.1").is_none());
    window.get_by_label("Words of a filter").click();
    window.run_ok();
    assert!(window.query_by_label_contains("margin<0.1").is_some());
    window.key_press(egui::Key::Escape);
    window.run_ok();
    assert!(window.query_by_label_contains("margin<0.1").is_none());
}

#[test]
fn a_catalogue_without_redshifts_says_so_to_a_filter_on_them() {
    let mut window = small();
    let mut set = data(300);
    std::sync::Arc::get_mut(&mut set).expect("nobody else has it").catalogue.redshift.clear();
    app(&mut window).show_data(set).expect("it can be split");
    wait(&mut window, "the marks", |state| state.explore.marked.is_some());
    write_filter(&mut window, "redshift<0.1");
    assert!(window.query_by_label_contains("no column redshift; leave the word out, or add redshift.npy").is_some());
    assert!(window.query_by_label("300 of 300").is_some(), "the pictures stay");
    act(&mut window, Action::OpenPicture(4));
    wait(&mut window, "the picture", |state| state.opened.as_ref().is_some_and(|opened| opened.picture.is_some()));
    assert!(window.query_by_label("Redshift").is_none() && window.query_by_label("0.04000°").is_some());
}

#[test]
fn more_images_than_a_frame_can_filter_are_filtered_in_the_background() {
    let mut window = with_data(200_000);
    wait(&mut window, "all pictures", |state| state.explore.selection.places.len() == 200_000);
    write_filter(&mut window, "class:2 sort:-image");
    wait(&mut window, "the filter", |state| !state.explore.selection.working);
    assert!(window.query_by_label("66,666 of 200,000").is_some());
    assert_eq!(state(&window).explore.selection.places[0], 199_997);
    assert!(window.query_by_label_contains("image 199997: Edge-on").is_some());
}

#[test]
fn duplicates_are_listed_and_shown_in_the_grid() {
    let mut window = with_data(300); // pictures 251 on repeat the first
    window.get_by_label("Duplicates").click();
    window.run_ok();
    wait(
        &mut window,
        "the search",
        |state| matches!(&state.explore.integrity, tuning_fork::app::Integrities::Known(found) if found.duplicates.groups.len() == 49),
    );
    assert!(window.query_by_label_contains("The same to the last pixel: 49").is_some());
    window.get_by_label_contains("Same pixels: images 0, 251").click();
    window.run_ok();
    assert_eq!(*state(&window).explore.selection.places, [0, 251]);
    assert!(window.query_by_label("2 of 300").is_some());
    window.get_by_label("Show all pictures again").click();
    window.run_ok();
    assert!(window.query_by_label("300 of 300").is_some());
    // the Train panel warns of those that stand in two parts
    assert!(window.query_by_label_contains("The parts overlap").is_some());
    window.get_by_label("Show them").click();
    window.run_ok();
    assert!(window.query_by_label("The same galaxies in two parts").is_some());
    let (places, data) = (&state(&window).explore.selection.places, state(&window).data.as_ref().expect("data"));
    assert!(!places.is_empty() && places.len() % 2 == 0);
    assert!(places.chunks(2).all(|pair| pair[1] == pair[0] + 251 && data.parts[pair[0]] != data.parts[pair[1]]));
}

/// A model of three classes that was never trained.
pub fn model(folder: &std::path::Path) -> std::path::PathBuf {
    let spec = ModelSpec {
        network: NetworkOptions {
            architecture: Architecture::Compact,
            size: 32,
            channels: 3,
            classes: 3,
            width: USUAL_WIDTH,
            dropout: 0.0,
        },
        classes: ["Round", "Spiral", "Edge-on"].map(str::to_owned).to_vec(),
        normalisation: Normalisation::default(),
        framing: Framing::default(),
        program_version: tuning_fork::VERSION.into(),
        epoch: None,
    };
    let network = nn::build(&spec.network, 5, &candle_core::Device::Cpu).expect("a network");
    nn::weights::save(folder.join(BEST_MODEL), network.as_ref(), &spec).expect("a file");
    folder.join(BEST_MODEL)
}

#[test]
fn a_model_goes_through_the_pictures_and_they_are_filtered_mapped_and_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = with_data(90);
    act(&mut window, Action::LoadModel(model(folder.path())));
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    window.get_by_label("Classify pictures").click();
    wait(&mut window, "the answers", |state| state.explore.predictions.as_ref().is_some_and(|p| p.count() == 90));
    write_filter(&mut window, "wrong sort:-conf");
    let wrong = state(&window).explore.selection.places.len();
    assert!(wrong > 0 && wrong < 90, "{wrong}");
    window.get_by_label("Clear the filter").click();
    window.run_ok();
    window.get_by_label("Map").click();
    window.run_ok();
    window.get_by_label("PCA").click();
    wait(&mut window, "the map", |state| state.explore.map.points.len() == 90);
    assert!(window.query_by_label_contains("of the variance").is_some());
    // a click on a point opens its picture
    let rect = window.get_by_label_contains("Map of the pictures").rect();
    let points = state(&window).explore.map.points.clone();
    let ends = |values: Vec<f64>| values.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (v.min(low), v.max(high)));
    let (x, y) = (ends(points.iter().map(|point| point.x).collect()), ends(points.iter().map(|point| point.y).collect()));
    let scale = f64::from(rect.width().min(rect.height())) * 0.96 / (x.1 - x.0).max(y.1 - y.0);
    let point = points.iter().max_by(|a, b| a.x.total_cmp(&b.x)).expect("a point");
    let from_middle =
        egui::vec2((scale * (point.x - f64::midpoint(x.0, x.1))) as f32, (scale * (f64::midpoint(y.0, y.1) - point.y)) as f32);
    let at = rect.center() + from_middle;
    window.hover_at(at);
    window.run_ok();
    window.drag_at(at);
    window.step();
    window.drop_at(at);
    window.run_ok();
    assert_eq!(state(&window).opened.as_ref().map(|opened| opened.index), Some(point.index));
    act(&mut window, Action::ClosePicture);
    // a lasso around all of it
    let rect = rect.shrink(2.0);
    window.drag_at(rect.left_top());
    window.step();
    for corner in [rect.right_top(), rect.right_bottom(), rect.left_bottom()] {
        window.hover_at(corner);
        window.step();
    }
    window.drop_at(rect.left_bottom());
    window.run_ok();
    assert!(window.query_by_label("Lasso on the map").is_some());
    assert_eq!(state(&window).explore.selection.places.len(), 90);
    act(&mut window, Action::OpenPicture(7));
    wait(&mut window, "the picture", |state| state.opened.as_ref().is_some_and(|opened| opened.picture.is_some()));
    window.get_by_label("Nearest neighbours").click();
    wait(&mut window, "the neighbours", |state| state.explore.shown.as_ref().is_some_and(|shown| shown.title.contains("image 7")));
    assert_eq!(state(&window).explore.selection.places[0], 7);
    assert_eq!(state(&window).explore.selection.places.len(), 60);
}

#[test]
fn a_model_of_other_classes_is_a_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = small(); // ten classes
    act(&mut window, Action::LoadModel(model(folder.path())));
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    window.get_by_label("Classify pictures").click();
    wait(&mut window, "the message", |state| state.notices.iter().any(|notice| notice.text.contains("trained on other classes")));
    assert!(state(&window).explore.reading.is_none());
}
