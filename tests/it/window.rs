//! End to end: the real program in a real window under Xvfb, driven over the X11 protocol by a mouse, a keyboard and a drag
//! from another program. Where things are it learns from the program's test hook (`TUNING_FORK_TEST_HOOK`).
//!
//! Without Xvfb the test is skipped, unless `CI` is set: there it must run. It trains few small galaxies; with
//! `TUNING_FORK_E2E=full` it leaves the form alone and trains the default to the end.
#![cfg(all(feature = "gui", target_os = "linux"))]

mod display;
mod program;

use std::path::Path;
use std::time::Duration;

use display::Display;
use program::Program;
use tuning_fork::train::{Event, Outcome};

/// The longest wait for anything but training.
const SOON: Duration = Duration::from_mins(1);
/// The longest wait for a run: the default takes minutes on two slow cores.
const TRAINED: Duration = Duration::from_mins(30);

#[test]
fn the_window_trains_classifies_and_comes_back() {
    let Some(display) = Display::start() else {
        assert!(std::env::var_os("CI").is_none(), "CI must have Xvfb: apt-get install xvfb");
        eprintln!("skipped: the window's end-to-end test needs Xvfb (apt-get install xvfb)");
        return;
    };
    let home = tempfile::tempdir().expect("a temporary folder");
    let full = std::env::var("TUNING_FORK_E2E").is_ok_and(|value| value == "full");

    let mut program = Program::start(&display, home.path());
    program.wait_for("Start", SOON);
    // a first start shows the tour, and later ones do not
    program.wait_for("Welcome to Tuning Fork", SOON);
    program.click("Skip the tour");
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
    program.drop_file(&picture);
    program.wait_for("picture a galaxy é.png", SOON);
    program.wait_for("probability", SOON);

    program.click("Light theme");
    program.wait_for("Dark theme", SOON);
    program.close();

    let mut again = Program::start(&display, home.path());
    again.wait_for("Dark theme", SOON);
    assert!(!again.shows("Welcome to Tuning Fork"));
    if !full {
        assert_eq!(again.value("Epochs").as_deref(), Some("2"));
    }
    again.close();
}

/// The events of a run that is over.
fn ended(run: &Path) -> Option<Vec<Event>> {
    let text = std::fs::read_to_string(run.join("events.jsonl")).ok()?;
    let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).ok()).collect::<Option<_>>()?;
    matches!(events.last(), Some(Event::Ended(_))).then_some(events)
}
