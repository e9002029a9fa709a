//! Maps of many pictures of the data set as files.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tempfile::TempDir;
use tuning_fork::app::{Action, InspectAction, Pane};
use tuning_fork::data::{Catalogue, DataError, Dataset, ImageSource};
use tuning_fork::explain::{Content, Explainer, Method, Request, Scene, Style};
use tuning_fork::imaging::{Fit, Image};
use tuning_fork::nn::Architecture;

use super::explain::ask;
use super::stand::{Window, act, app, small, state, wait};
use crate::explain::{figures, maps, noise};

/// Noise; picture 2 cannot be read, and picture 1 waits until it is let go.
struct Pictures(Arc<AtomicBool>);

impl ImageSource for Pictures {
    fn len(&self) -> usize {
        9
    }

    fn size(&self) -> Option<(usize, usize)> {
        None
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        while index == 1 && !self.0.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(2));
        }
        if index == 2 {
            return Err(DataError::Invalid { path: "galaxy 2".into(), message: "no galaxy".into() });
        }
        Ok(noise(index as u64, 40, 30))
    }
}

/// A window with the pictures and, in a folder, a model; `free` lets picture 1 go.
fn stand(free: bool) -> (Window, TempDir, Arc<AtomicBool>) {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("model.safetensors");
    maps::save(Architecture::Compact, &model);
    let gate = Arc::new(AtomicBool::new(free));
    let mut window = small();
    let set = Dataset {
        name: "pictures".into(),
        location: None,
        images: Arc::new(Pictures(Arc::clone(&gate))),
        labels: (0..9).map(|i| i % 3).collect(),
        classes: ["Round", "Spiral", "Edge-on"].map(str::to_owned).to_vec(),
        catalogue: Catalogue::default(),
        given_split: None,
        skipped: Vec::new(),
    };
    app(&mut window).show_data(Arc::new(set)).expect("it can be split");
    act(&mut window, Action::Fill(Some(Pane::Explore)));
    assert!(window.get_by_label("Maps…").accesskit_node().is_disabled(), "there is no model");
    act(&mut window, Action::LoadModel(model));
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    assert!(!window.get_by_label("Maps…").accesskit_node().is_disabled());
    (window, folder, gate)
}

fn write(window: &mut Window, indices: &[usize], folder: &Path) {
    act(window, Action::Inspect(InspectAction::MapsTo(Arc::new(indices.to_vec()), folder.to_owned())));
}

fn said(window: &Window) -> String {
    state(window).notices.last().expect("a notice").text.clone()
}

#[test]
fn each_picture_gets_its_map_and_a_bad_one_stops_nothing() {
    let (mut window, folder, _) = stand(true);
    ask(&mut window, |question| {
        question.method = Some(Method::LayerCam);
        question.fit = Fit::Crop;
        question.style.opacity = 0.3;
    });
    let maps = folder.path().join("new").join("maps");
    write(&mut window, &[4, 2, 0, 99], &maps);
    wait(&mut window, "the maps", |state| state.inspect.batch.is_none());
    let mut names: Vec<String> = std::fs::read_dir(&maps)
        .expect("the folder")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["image_00000.png", "image_00004.png"]);
    let words = said(&window);
    assert!(words.contains(&maps.display().to_string()) && words.starts_with("2 maps are in"), "{words}");
    assert!(words.contains("1 could not be made") && words.contains("image 2: galaxy 2"), "{words}");

    // the same bytes as from the library
    let picture = noise(4, 40, 30);
    let frame = Fit::Crop.frame(40, 30);
    let classifier = state(&window).model.classifier.clone().expect("a model");
    let explainer = Explainer::new(classifier, &picture.crop(frame), false).expect("a forward pass");
    let scene = Scene { name: "image 4 of pictures, labelled Spiral", picture: &picture, frame, explainer: &explainer };
    let style = Style { opacity: 0.3, ..Style::default() };
    let expected = scene.png(&Request::new(Method::LayerCam), &style, Content::Figure).expect("a file");
    let bytes = std::fs::read(maps.join("image_00004.png")).expect("the map");
    assert!(bytes == expected);
    assert_eq!(figures::read(&bytes).2["Picture"], "image 4 of pictures, labelled Spiral");

    // a second time beside the first, not over it
    std::fs::write(maps.join("image_00004.png"), "the user's own").expect("a file");
    write(&mut window, &[4], &maps);
    wait(&mut window, "the maps", |state| state.inspect.batch.is_none());
    assert_eq!(std::fs::read(maps.join("image_00004.png")).expect("a file"), b"the user's own");
    assert!(std::fs::read(maps.join("image_00004-2.png")).expect("the map") == expected);
}

#[test]
fn the_maps_can_be_stopped_and_those_made_stay() {
    let (mut window, folder, gate) = stand(false);
    write(&mut window, &[0, 1, 3, 4, 5], folder.path());
    wait(&mut window, "the first map", |state| state.inspect.batch.as_ref().is_some_and(|batch| batch.share() > 0.1));
    assert!(window.query_by_label("Maps…").is_none());
    window.get_by_label("Stop maps").click();
    window.step();
    gate.store(true, Ordering::Relaxed);
    wait(&mut window, "the end", |state| state.inspect.batch.is_none());
    let words = said(&window);
    assert!(words.starts_with("2 maps are in") && words.contains("because you ended it"), "{words}");
    assert!(folder.path().join("image_00001.png").is_file() && !folder.path().join("image_00003.png").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let (mut window, folder, _) = stand(true);
    let file = folder.path().join("file");
    std::fs::write(&file, b"no folder").expect("a file");
    write(&mut window, &[0], &file.join("maps"));
    wait(&mut window, "the refusal", |state| state.inspect.batch.is_none());
    assert!(said(&window).starts_with("The maps were not written.") && said(&window).contains("Choose another place"), "{}", said(&window));
}
