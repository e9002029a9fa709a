//! What a dropped picture costs: `cargo bench --bench classify`.
//!
//! The compact network at 256 x 256 on a galaxy. Measured are its forward pass, the maps on top of it, what tells how far they can be
//! believed, and, in the real app shown without a window, the time from the drop to the answer with its map and the longest frame of
//! that time.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::Device;
use egui::{Context, Pos2, RawInput, Rect, vec2};
use tuning_fork::app::{Action, MapState, Pane, Saved, TuningForkApp};
use tuning_fork::data::{self, GALAXY10_CLASSES, SYNTHETIC};
use tuning_fork::explain::{Classifier, Content, Explainer, Method, Request, Scene, Style, faithfulness, overlay, sanity};
use tuning_fork::imaging::{self, Fit, Image};
use tuning_fork::nn::{self, Architecture, Framing, ModelSpec, NetworkOptions, Normalisation, USUAL_WIDTH};
use tuning_fork::train::Config;

const SIDE: usize = 256;
/// Each drop is of a picture of its own, so that nothing is known of it.
const DROPS: usize = 12;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("compact.safetensors");
    save_model(&model);
    let pictures = pictures(folder.path());
    of_the_library(&model, &pictures);
    of_the_window(&model, &pictures);
}

/// A model with fresh weights: as fast as a trained one.
fn save_model(path: &Path) {
    let network =
        NetworkOptions { architecture: Architecture::Compact, size: SIDE, channels: 3, classes: 10, width: USUAL_WIDTH, dropout: 0.0 };
    let spec = ModelSpec {
        network: network.clone(),
        classes: GALAXY10_CLASSES.map(str::to_owned).to_vec(),
        normalisation: Normalisation { mean: [0.5; 3], std: [0.5; 3] },
        program_version: tuning_fork::VERSION.into(),
        epoch: None,
        framing: Framing::default(),
    };
    nn::weights::save(path, nn::build(&network, 1, &Device::Cpu).expect("a network").as_ref(), &spec).expect("a file");
}

/// Galaxies as PNG files.
fn pictures(folder: &Path) -> Vec<std::path::PathBuf> {
    let galaxies = data::load(SYNTHETIC, 50, SIDE, 3).expect("galaxies");
    let one = |index: usize| {
        let path = folder.join(format!("galaxy {index}.png"));
        imaging::write_png(&path, &galaxies.images.image(index).expect("a galaxy")).expect("a file");
        path
    };
    (0..DROPS).map(one).collect()
}

/// Runs `work` so often and tells the shortest and the middle time.
fn time<T>(what: &str, times: usize, mut work: impl FnMut() -> T) -> T {
    let mut result = None;
    let mut all = Vec::new();
    for _ in 0..times {
        let start = Instant::now();
        result = Some(work());
        all.push(start.elapsed());
    }
    tell(what, &mut all);
    result.expect("at least once")
}

fn tell(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{what:<66} {:>8.2} ms, middle {:>8.2} ms", ms(times[0]), ms(times[times.len() / 2]));
}

fn of_the_library(model: &Path, pictures: &[std::path::PathBuf]) {
    let classifier = Arc::new(time("read the model", 5, || Classifier::load(model).expect("a model")));
    let picture = time("decode the picture", 20, || imaging::open(&pictures[0]).expect("a picture"));
    let explainer = time("forward pass", 30, || explainer(&classifier, &picture));
    let frame = Fit::Stretch.frame(SIDE, SIDE);
    let scene = Scene { name: "galaxy", picture: &picture, frame, explainer: &explainer };
    let cam = Request { signed: true, ..Request::new(Method::Cam) };
    time("CAM of all ten classes on top of it", 30, || scene.classes(&cam).expect("maps"));
    let explanation = explainer.explain(&cam).expect("a map");
    time("overlay", 30, || overlay(&picture, frame, &explanation, &Style::default()));
    for method in Method::ALL {
        let times = if method == Method::ScoreCam { 1 } else { 5 };
        let work = || explainer.explain(&Request::new(method)).expect("a map");
        time(&format!("{method}, layer known"), times, work);
    }
    time("figure as PNG", 5, || scene.png(&cam, &Style::default(), Content::Figure).expect("a file"));
    time("ROAD, deletion and insertion, beside two other maps", 1, || faithfulness(&explainer, &explanation, 0).expect("curves"));
    let eight = vec![picture.clone(); 8];
    time("check of the model on eight pictures", 1, || sanity(&classifier, &eight, &cam, 0).expect("a check"));
}

fn explainer(classifier: &Arc<Classifier>, picture: &Image) -> Explainer {
    Explainer::new(Arc::clone(classifier), picture, false).expect("a forward pass")
}

/// Drops one picture after the other on the app.
fn of_the_window(model: &Path, pictures: &[std::path::PathBuf]) {
    let context = Context::default();
    context.enable_accesskit();
    let config = Config { synthetic_images: 50, size: 64, ..Config::default() };
    let mut app = TuningForkApp::new(&context, Some(Saved::with_config(config)));
    app.apply(Action::Fill(Some(Pane::Classify)));
    app.apply(Action::LoadModel(model.to_owned()));
    until(&context, &mut app, "the model", |app| app.state().model.classifier.is_some() && app.state().data.is_some());
    let (mut drops, mut frames) = (Vec::new(), Vec::new());
    for path in pictures {
        let start = Instant::now();
        app.apply(Action::Drop(vec![path.clone()]));
        let longest = until(&context, &mut app, "the map", |app| {
            let state = app.state();
            let named = state.subject.as_ref().is_some_and(|subject| path.ends_with(&subject.name));
            named && matches!(&state.inspect.map, MapState::Ready(_))
        });
        drops.push(start.elapsed());
        frames.push(longest);
    }
    tell("drop of a picture to the answer with its map", &mut drops);
    tell("longest frame meanwhile", &mut frames);
    println!("{:<66} {:>8.2} ms", "longest of all drops", frames.last().expect("drops").as_secs_f64() * 1e3);
}

/// Shows frames until something is true; the longest frame.
fn until(context: &Context, app: &mut TuningForkApp, what: &str, done: impl Fn(&TuningForkApp) -> bool) -> Duration {
    let (start, mut longest) = (Instant::now(), Duration::ZERO);
    while !done(app) {
        assert!(start.elapsed() < Duration::from_secs(30), "{what} never came");
        let frame = Instant::now();
        show(context, app);
        longest = longest.max(frame.elapsed());
        std::thread::sleep(Duration::from_millis(1));
    }
    longest
}

fn show(context: &Context, app: &mut TuningForkApp) {
    let screen = Some(Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0)));
    let output = context.run_ui(RawInput { screen_rect: screen, ..RawInput::default() }, |ui| {
        app.logic();
        app.show(ui);
    });
    context.tessellate(output.shapes, output.pixels_per_point);
}
