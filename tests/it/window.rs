//! End to end: the real program in a real window under Xvfb, driven over the X11 protocol by a mouse, a keyboard and a drag
//! from another program. Where things are it learns from the program's test hook (`TUNING_FORK_TEST_HOOK`).
//!
//! Without Xvfb the test is skipped, unless `CI` is set: there it must run. It trains few small galaxies; with
//! `TUNING_FORK_E2E=full` it leaves the form alone and trains the default to the end.
#![cfg(all(feature = "gui", target_os = "linux"))]

mod dialogs;
mod display;
mod program;
mod story;

use std::path::Path;
use std::time::Duration;

use display::Display;
use program::Program;
use tuning_fork::imaging;
use tuning_fork::train::{Event, Outcome};

/// The longest wait for anything but training.
const SOON: Duration = Duration::from_mins(1);
/// The longest wait for a run: the default takes minutes on two slow cores.
const TRAINED: Duration = Duration::from_mins(30);

#[test]
fn the_window_trains_classifies_and_comes_back() {
    let Some(display) = display() else { return };
    let home = tempfile::tempdir().expect("a temporary folder");
    let full = std::env::var("TUNING_FORK_E2E").is_ok_and(|value| value == "full");

    let mut program = Program::start(&display, home.path());
    program.wait_for("Start", SOON);
    // a first start shows the tour, and later ones do not
    program.skip_tour();
    if !full {
        for (field, value) in [("Images", "200"), ("Image size", "32"), ("Epochs", "2")] {
            program.enter(field, value);
        }
    }
    program.click("Start");
    let run = program.wait("the run folder", SOON, || std::fs::read_dir(home.path().join("runs")).ok()?.next()?.ok().map(|e| e.path()));
    let events = program.wait("the end of the run", TRAINED, || ended(&run));
    let Some(Event::Ended(end)) = events.last() else { unreachable!("it was waited for") };
    assert_eq!(end.outcome, Outcome::Completed, "{}", end.message);
    let epochs = events.iter().filter(|event| matches!(event, Event::Epoch(_))).count();
    assert_eq!(epochs, if full { 10 } else { 2 });
    program.wait_for("Completed", SOON);
    program.wait_for(&format!("Confusion matrix of epoch {epochs}"), SOON);
    assert!(run.join("best.safetensors").is_file());

    let picture = home.path().join("a galaxy é.png");
    image::RgbImage::from_fn(48, 48, |x, y| image::Rgb([(255 - (x.abs_diff(24) + y.abs_diff(24)) * 5) as u8; 3]))
        .save(&picture)
        .expect("a picture");
    program.drop_files(&[&picture]);
    program.wait_for("picture a galaxy é.png", SOON);
    program.wait_for("probability", SOON);

    program.click_until("Light theme", "Dark theme");
    program.close();

    let mut again = Program::start(&display, home.path());
    again.wait_for("Dark theme", SOON);
    assert!(!again.shows("Welcome to Tuning Fork"));
    if !full {
        assert_eq!(again.value("Epochs").as_deref(), Some("2"));
    }
    again.close();
}

/// Two pictures and a FITS file dropped at once become a table; the map of one of them is exported without a dialog.
#[test]
fn dropped_files_become_a_table_and_an_exported_map() {
    let Some(display) = display() else { return };
    let home = tempfile::tempdir().expect("a temporary folder");
    let run = trained(&home.path().join("runs/a run"));

    let mut program = Program::start(&display, home.path());
    program.skip_tour();
    // the model comes by a drop too
    program.drop_files(&[&run.join("best.safetensors")]);
    program.wait_for("32 x 32 px, 10 classes", SOON);
    program.enlarge("Classify");
    let names = ["a galaxy é.png", "zweite Galaxie ü.png"];
    let pictures = names.map(|name| home.path().join(name));
    for (number, picture) in (1..).zip(&pictures) {
        imaging::write_png(picture, &crate::explain::noise(number, 48, 40)).expect("a picture");
    }
    let sky = home.path().join("the sky.fits");
    std::fs::copy(crate::data::fits::fits("sky"), &sky).expect("a copy");
    program.drop_files(&[&pictures[0], &pictures[1], &sky]);
    program.wait_for("3 of 3 pictures", SOON);
    for name in ["zweite Galaxie ü.png: ", "the sky.fits: "] {
        program.wait_for(name, SOON);
    }
    program.click_on("a galaxy é.png: ");
    program.wait_for("picture a galaxy é.png with map: CAM at ", SOON);
    program.click("Export");
    let file = run.join("exports/a galaxy é-figure.png");
    let bytes = program.wait("the exported figure", SOON, || std::fs::read(&file).ok());
    program.wait_for("a galaxy é-figure.png", SOON);
    let ((width, height), _, texts) = crate::explain::figures::read(&bytes);
    assert!(width > 48 && height > 40, "{width} x {height}");
    assert_eq!((texts["Picture"].as_str(), texts["Method"].as_str()), (names[0], "CAM"));
    assert!(texts["Software"].contains(tuning_fork::VERSION) && texts["Model"].contains("best.safetensors"), "{texts:?}");
    // the same bytes as from the command line
    let out = home.path().join("same.png");
    let explain = ["explain", "--run"].map(std::ffi::OsStr::new);
    let more = [run.as_os_str(), pictures[0].as_os_str(), std::ffi::OsStr::new("--out"), out.as_os_str()];
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_tuning-fork")).args(explain).args(more).output().expect("it starts");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert_eq!(std::fs::read(&out).expect("the same figure"), bytes);

    // the clipboard: paths as file managers copy them, and a picture
    let path = format!("file://{}/zweite%20Galaxie%20%C3%BC.png", home.path().display());
    program.paste("UTF8_STRING", path.as_bytes(), "picture zweite Galaxie ü.png with map");
    let two = format!("file://{0}/a%20galaxy%20%C3%A9.png\r\n{path}\r\n", home.path().display());
    program.paste("UTF8_STRING", two.as_bytes(), "2 of 2 pictures");
    let picture = std::fs::read(&pictures[0]).expect("a picture");
    program.paste("image/png", &picture, "picture pasted picture with map");
    program.close();
}

/// A run of few small galaxies.
fn trained(run: &Path) -> std::path::PathBuf {
    let train = ["train", "--synthetic-images=50", "--size=32", "--batch=16", "--threads=1", "--epochs=1", "--out"];
    let trained = std::process::Command::new(env!("CARGO_BIN_EXE_tuning-fork")).args(train).arg(run).output().expect("it starts");
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    run.to_owned()
}

/// A display, or a word about the test that is skipped without one.
fn display() -> Option<Display> {
    let display = Display::start();
    if display.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI must have Xvfb: apt-get install xvfb");
        eprintln!("skipped: the window's end-to-end test needs Xvfb (apt-get install xvfb)");
    }
    display
}

/// The events of a run that is over.
fn ended(run: &Path) -> Option<Vec<Event>> {
    let text = std::fs::read_to_string(run.join("events.jsonl")).ok()?;
    let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).ok()).collect::<Option<_>>()?;
    matches!(events.last(), Some(Event::Ended(_))).then_some(events)
}
