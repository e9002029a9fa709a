//! Commands in, events out: every way that a run can begin and end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use tuning_fork::data::{DataError, Part};
use tuning_fork::train::{Command, Config, Event, Handle, Job, Outcome, RunFolder, Session, Status, evaluate, spawn};

use super::common::{PATIENCE, at_step, config, dataset, ended, events, mischievous, start};

fn folder() -> (tempfile::TempDir, RunFolder) {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = RunFolder::create(parent.path().join("run")).expect("a new folder");
    (parent, folder)
}

#[test]
fn a_run_learns_and_leaves_everything_behind() {
    let (_parent, folder) = folder();
    let handle = start(config(4), &folder);
    let events = events(&handle);
    assert!(matches!(events[0], Event::Started(_)), "{:?}", events[0]);
    assert_eq!(ended(&events).outcome, Outcome::Completed, "{}", ended(&events).message);
    assert_eq!(events.iter().filter(|e| matches!(e, Event::Ended(_))).count(), 1);
    assert!(handle.is_finished());
    assert_eq!(handle.next(Duration::from_millis(1)), None, "nothing comes after the end");
    let session = Session::replay(events.clone());
    assert_eq!(session.status, Status::Ended(Outcome::Completed));
    assert_eq!((session.epochs.len(), session.steps_done(), session.steps_total()), (4, 20, 20));
    let best = session.best_epoch().expect("a best epoch");
    assert!(best.valid_accuracy > 0.9, "{best:?}");

    assert_eq!(folder.events().expect("events"), events, "the log is the stream");
    let summary = std::fs::read_to_string(folder.summary_path()).expect("a summary");
    assert!(summary.contains("completed") && summary.contains("left"), "{summary}");
    assert_eq!(folder.config().expect("a configuration"), config(4));

    let all = |part, images| evaluate(&folder, None, part, &dataset(images), |_| true);
    let evaluation = all(Part::Valid, 60).expect("evaluates").expect("to the end");
    assert_eq!(evaluation.confusion, best.confusion);
    assert!((evaluation.loss - best.valid_loss).abs() < 1e-9, "{} is not {}", evaluation.loss, best.valid_loss);
    assert_eq!(folder.kept_epochs().expect("epochs").of(Part::Valid), [1, 2, 3, 4]);
    let kept = folder.probabilities(Part::Valid, best.epoch).expect("probabilities");
    assert_eq!((kept.len(), kept.classes), (12, 3));
    for (kept, exact) in kept.values.iter().zip(&evaluation.probabilities) {
        assert!((kept.to_f32() - exact).abs() < 5e-4, "{kept} is not {exact}");
    }
    let other = all(Part::Test, 63).expect_err("another data set").to_string();
    assert!(other.contains("63 images instead of 60"), "{other}");
}

#[test]
fn an_evaluation_is_kept_with_its_epoch_and_can_be_stopped() {
    let (_parent, folder) = folder();
    let handle = start(config(2), &folder);
    let best = Session::replay(events(&handle)).best_epoch().expect("a best epoch").epoch;
    for part in [Part::Test, Part::Train] {
        let mut told = Vec::new();
        let evaluation = evaluate(&folder, None, part, &dataset(60), |done| {
            told.push(done);
            true
        });
        let evaluation = evaluation.expect("evaluates").expect("to the end");
        assert_eq!((evaluation.part, evaluation.epoch), (part, Some(best)));
        assert_eq!((told.first(), told.last()), (Some(&0), Some(&evaluation.images.len())));
        evaluation.keep(&folder).expect("room");
        assert_eq!(folder.kept_epochs().expect("epochs").of(part), [best]);
        let kept = folder.probabilities(part, best).expect("probabilities");
        assert_eq!(kept.len(), evaluation.images.len());
        assert!(kept.values.iter().zip(&evaluation.probabilities).all(|(kept, exact)| (kept.to_f32() - exact).abs() < 5e-4));
        assert_eq!(evaluation.predictions().expect("probabilities").confusion(), evaluation.confusion);
    }
    assert!(evaluate(&folder, None, Part::Train, &dataset(60), |_| false).expect("no failure").is_none());
    // what the run told of its own validation stays
    let file = folder.path().join(format!("predictions/epoch_{best:04}.npy"));
    std::fs::write(&file, "mine").expect("a file");
    let again = evaluate(&folder, None, Part::Valid, &dataset(60), |_| true).expect("evaluates").expect("to the end");
    again.keep(&folder).expect("nothing to do");
    assert_eq!(std::fs::read(&file).expect("a file"), b"mine");
}

#[test]
fn a_deaf_listener_holds_nothing_up_and_misses_nothing() {
    let (_parent, folder) = folder();
    // more events than the channel holds: 36 steps an epoch
    let handle = start(Config { batch: 1, patience: 0, ..config(3) }, &folder);
    while !handle.is_finished() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let heard = events(&handle);
    let told = folder.events().expect("events");
    let epochs = |events: &[Event]| events.iter().filter(|e| matches!(e, Event::Epoch(_))).count();
    assert_eq!((epochs(&heard), epochs(&told)), (3, 3));
    assert!(heard.len() < told.len(), "steps were merged: {} of {}", heard.len(), told.len());
    let count = |events: &[Event]| -> usize { events.iter().map(|e| if let Event::Steps(s) = e { s.count } else { 0 }).sum() };
    assert_eq!((count(&heard), count(&told)), (108, 108));
    let others = |events: &[Event]| events.iter().filter(|e| !matches!(e, Event::Steps(_))).cloned().collect::<Vec<_>>();
    assert_eq!(others(&heard), others(&told));
}

#[test]
fn a_dropped_handle_stops_the_run_and_keeps_it() {
    let (_parent, folder) = folder();
    let handle = start(config(1000), &folder);
    at_step(&handle, 2, Command::Resume);
    drop(handle);
    let events = folder.events().expect("events");
    assert_eq!(ended(&events).outcome, Outcome::Stopped);
    assert!(folder.last_checkpoint().exists());
}

#[test]
fn a_dropped_handle_with_a_full_channel_does_not_hang() {
    let (_parent, folder) = folder();
    let handle = start(Config { batch: 1, ..config(1000) }, &folder);
    while folder.events().expect("events").len() < 100 {
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(handle);
    assert_eq!(ended(&folder.events().expect("events")).outcome, Outcome::Stopped);
}

/// Takes events until the run holds.
fn until_paused(handle: &Handle) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let event = handle.next(PATIENCE).expect("the run goes on");
        assert!(!matches!(event, Event::Ended(_)), "{event:?}");
        let paused = matches!(event, Event::Paused(_));
        events.push(event);
        if paused {
            return events;
        }
    }
}

#[test]
fn a_paused_run_holds_and_goes_on() {
    let (_parent, folder) = folder();
    let handle = start(config(3), &folder);
    at_step(&handle, 3, Command::Pause);
    let before = until_paused(&handle);
    let saved = before.iter().any(|e| matches!(e, Event::Saved(s) if s.error.is_none() && s.path == "last.safetensors"));
    assert!(saved, "a paused run is saved: {before:?}");
    handle.send(Command::Pause);
    assert_eq!(handle.next(Duration::from_millis(200)), None, "a paused run does nothing");
    handle.send(Command::Resume);
    let events = events(&handle);
    assert_eq!(ended(&events).outcome, Outcome::Completed);
    let session = folder.session().expect("a session");
    assert_eq!(session.steps.iter().map(|s| s.count).sum::<usize>(), 15, "every step once");
}

#[test]
fn a_paused_run_can_be_stopped() {
    let (_parent, folder) = folder();
    let handle = start(config(1000), &folder);
    at_step(&handle, 1, Command::Pause);
    until_paused(&handle);
    handle.send(Command::Stop);
    let events = events(&handle);
    assert_eq!(ended(&events).outcome, Outcome::Stopped);
    assert!(!events.iter().any(|e| matches!(e, Event::Steps(_))), "not one more step: {events:?}");
}

#[test]
fn stop_takes_effect_within_one_batch() {
    let (_parent, folder) = folder();
    let handle = start(config(1000), &folder);
    handle.send(Command::Pause);
    until_paused(&handle);
    handle.send(Command::Resume);
    handle.send(Command::Stop);
    let events = events(&handle);
    let steps = events.iter().filter(|e| matches!(e, Event::Steps(_))).count();
    assert!(steps <= 1, "{steps} steps after Stop");
    assert_eq!(ended(&events).outcome, Outcome::Stopped);
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn the_waker_is_called_for_every_event() {
    let (_parent, folder) = folder();
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let job = Job { config: config(1), dataset: dataset(60), folder };
    let handle = spawn(job, Some(Waker::from(count.clone())));
    let events = events(&handle);
    // the last event may be taken before its call comes
    let start = Instant::now();
    while count.0.load(Ordering::Relaxed) < events.len() {
        assert!(start.elapsed() < PATIENCE, "{} calls for {} events", count.0.load(Ordering::Relaxed), events.len());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn bad_picture(index: usize) -> Result<(), DataError> {
    match index {
        7 => Err(DataError::Invalid { path: "galaxies/seven.png".into(), message: "cut short; copy it again".into() }),
        _ => Ok(()),
    }
}

#[test]
fn a_picture_that_cannot_be_read_fails_the_run_by_name() {
    let (_parent, folder) = folder();
    let handle = spawn(Job { config: config(2), dataset: mischievous(60, bad_picture), folder }, None);
    let events = events(&handle);
    assert_eq!(ended(&events).outcome, Outcome::Failed);
    assert!(ended(&events).message.contains("seven.png"), "{}", ended(&events).message);
}

#[expect(clippy::unnecessary_wraps, reason = "the type is that of any mischief")]
fn panicking_picture(index: usize) -> Result<(), DataError> {
    assert!(index != 7, "a fault for the test");
    Ok(())
}

#[test]
fn a_panic_becomes_the_last_event() {
    let (_parent, folder) = folder();
    let handle = spawn(Job { config: config(2), dataset: mischievous(60, panicking_picture), folder: folder.clone() }, None);
    let events = events(&handle);
    assert_eq!(ended(&events).outcome, Outcome::Panicked);
    assert!(ended(&events).message.contains("a fault for the test"), "{}", ended(&events).message);
    assert_eq!(events.iter().filter(|e| matches!(e, Event::Ended(_))).count(), 1);
    assert_eq!(folder.session().expect("a session").status, Status::Ended(Outcome::Panicked));
}
