//! The test stand: a window in a harness, data and events made by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use tuning_fork::app::{Action, Saved, State, TuningForkApp};
use tuning_fork::data::{Catalogue, DataError, Dataset, ImageSource};
use tuning_fork::imaging::Image;
use tuning_fork::metrics::Confusion;
use tuning_fork::train::{Config, Ended, EpochReport, Event, Outcome, Started, Steps};

/// The window under test; it is made at the first frame.
pub struct Stand {
    saved: Option<Saved>,
    app: Option<TuningForkApp>,
    /// Where labels and tags are kept, unless beside the data.
    marks: PathBuf,
    /// Removed with the stand.
    _folder: Option<tempfile::TempDir>,
}

/// A harness around the window.
pub type Window = Harness<'static, Stand>;

/// A window that starts from `saved`, 1280 x 800.
pub fn window(saved: Saved) -> Window {
    let folder = tempfile::tempdir().expect("a folder");
    open(saved, folder.path().to_owned(), Some(folder))
}

/// The same, with labels and tags kept in a folder that stays.
pub fn window_with_marks(saved: Saved, marks: &Path) -> Window {
    open(saved, marks.to_owned(), None)
}

fn open(saved: Saved, marks: PathBuf, folder: Option<tempfile::TempDir>) -> Window {
    let stand = Stand { saved: Some(saved), app: None, marks, _folder: folder };
    let mut window = Harness::builder().with_size([1280.0, 800.0]).with_max_steps(64).build_ui_state(
        |ui, stand: &mut Stand| {
            let app = match &mut stand.app {
                Some(app) => app,
                empty => {
                    let app = empty.insert(TuningForkApp::new(ui.ctx(), stand.saved.take()));
                    app.keep_marks_in(&stand.marks);
                    app
                }
            };
            app.logic();
            app.show(ui);
        },
        stand,
    );
    window.run_ok();
    window
}

/// A window with few small synthetic galaxies, which are there when this returns.
pub fn small() -> Window {
    let mut window = window(Saved::with_config(small_config()));
    wait(&mut window, "the synthetic galaxies", |state| state.data.is_some());
    window
}

/// A configuration that is quick to draw and to train.
pub fn small_config() -> Config {
    Config { synthetic_images: 100, size: 32, epochs: 2, ..Config::default() }
}

/// The app in the window.
pub fn app(window: &mut Window) -> &mut TuningForkApp {
    window.state_mut().app.as_mut().expect("the first frame made it")
}

/// What is true in the window.
pub fn state(window: &Window) -> &State {
    window.state().app.as_ref().expect("the first frame made it").state()
}

/// Carries out an action and shows what follows.
pub fn act(window: &mut Window, action: Action) {
    app(window).apply(action);
    window.run_ok();
}

/// Shows frames until something is true.
pub fn wait(window: &mut Window, what: &str, done: impl Fn(&State) -> bool) {
    let start = Instant::now();
    while !done(state(window)) {
        assert!(start.elapsed() < Duration::from_mins(5), "timed out: {what}");
        window.step();
        std::thread::sleep(Duration::from_millis(5));
    }
    window.run_ok();
}

/// Pictures of one colour each.
struct Plain(usize);

impl ImageSource for Plain {
    fn len(&self) -> usize {
        self.0
    }

    fn size(&self) -> Option<(usize, usize)> {
        Some((8, 8))
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        Ok(Image::new(8, 8, vec![(index % 251) as u8; 192]).expect("8 x 8 pixels"))
    }
}

/// `count` pictures in three classes, with a catalogue.
pub fn data(count: usize) -> Arc<Dataset> {
    let column = |scale: f64| (0..count).map(|i| i as f64 * scale).collect();
    Arc::new(Dataset {
        name: "plain".into(),
        location: None,
        images: Arc::new(Plain(count)),
        labels: (0..count).map(|i| (i % 3) as u32).collect(),
        classes: ["Round", "Spiral", "Edge-on"].map(str::to_owned).to_vec(),
        catalogue: Catalogue { ra: column(0.01), dec: column(-0.001), redshift: column(1e-5), pxscale: Vec::new() },
        given_split: None,
        skipped: Vec::new(),
    })
}

/// Shows a run of 4 epochs of 10 steps on three classes, and feeds it `events`.
pub fn run(window: &mut Window, events: impl IntoIterator<Item = Event>) {
    app(window).show_run(Config::default(), PathBuf::from("runs/test"));
    feed(window, std::iter::once(started("CPU, 32 bit", "")).chain(events));
}

/// Feeds the present run more events.
pub fn feed(window: &mut Window, events: impl IntoIterator<Item = Event>) {
    for event in events {
        app(window).apply(Action::Event(Box::new(event)));
    }
    window.run_ok();
}

/// The start of that run, on this device for this reason.
pub fn started(device: &str, reason: &str) -> Event {
    Event::Started(Started {
        data: "plain".into(),
        classes: ["Round", "Spiral", "Edge-on"].map(str::to_owned).to_vec(),
        parameters: 1234,
        train_images: 320,
        valid_images: 30,
        test_images: 30,
        steps_per_epoch: 10,
        epochs: 4,
        epochs_done: 0,
        steps_done: 0,
        device: device.into(),
        reason: reason.into(),
        threads: 2,
        split_digest: "0".into(),
        version: "0".into(),
        time: 0,
    })
}

/// Step `step` (from 1) of the run: 32 images in half a second.
pub fn step(step: usize) -> Event {
    Event::Steps(Steps {
        epoch: (step - 1) / 10 + 1,
        step,
        step_in_epoch: (step - 1) % 10 + 1,
        count: 1,
        images: 32,
        loss: 1.0 / step as f64,
        accuracy: 0.5,
        learning_rate: 1e-3,
        gradient_norm: 1.0,
        seconds: 0.5,
        wait: 0.0,
    })
}

/// The end of epoch `epoch` (from 1), with `right` of 30 validation images right and the rest of them Spirals called Round.
pub fn epoch(epoch: usize, right: usize, best: bool) -> Event {
    let mut confusion = Confusion::new(3);
    for i in 0..right {
        confusion.add(i % 3, i % 3);
    }
    for _ in right..30 {
        confusion.add(1, 0);
    }
    Event::Epoch(EpochReport {
        epoch,
        train_loss: 1.0,
        train_accuracy: 0.5,
        valid_loss: 0.9,
        valid_accuracy: right as f64 / 30.0,
        valid_macro_f1: 0.25 * epoch as f64,
        confusion,
        learning_rate: 1e-3,
        skipped: 0,
        gradient_norm: 1.0,
        images_per_s: 64.0,
        seconds: 6.0,
        energy: None,
        best,
    })
}

/// The end of the run.
pub fn ended(outcome: Outcome, message: &str) -> Event {
    Event::Ended(Ended { outcome, message: message.into(), best_epoch: Some(1), seconds: 12.0 })
}

/// A file as it is dropped on the window.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// Drops a file or folder on the window.
pub fn drop_on(window: &mut Window, path: &Path) {
    drop_all(window, &[path.to_owned()]);
}

/// Drops several at once.
pub fn drop_all(window: &mut Window, paths: &[PathBuf]) {
    for path in paths {
        window.input_mut().dropped_files.push(Arc::new(Dropped(path.clone())));
    }
    window.run_ok();
}
