//! What a listener makes of events.

use std::time::Duration;

use tuning_fork::metrics::Confusion;
use tuning_fork::train::{EpochReport, Event, Session, Started, Steps};

fn started(steps_per_epoch: usize, epochs: usize) -> Started {
    Started {
        data: "synthetic".into(),
        classes: vec!["a".into(), "b".into()],
        parameters: 1,
        train_images: steps_per_epoch * 4,
        valid_images: 10,
        test_images: 10,
        steps_per_epoch,
        epochs,
        epochs_done: 0,
        steps_done: 0,
        device: "CPU".into(),
        reason: String::new(),
        threads: 1,
        split_digest: "00".into(),
        version: "0".into(),
        time: 0,
    }
}

fn step(number: usize, per_epoch: usize) -> Steps {
    Steps {
        epoch: (number - 1) / per_epoch + 1,
        step: number,
        step_in_epoch: (number - 1) % per_epoch + 1,
        count: 1,
        images: 4,
        loss: 1.0 / number as f64,
        accuracy: 0.5,
        learning_rate: 1e-3,
        gradient_norm: 1.0,
        seconds: 0.5,
        wait: 0.25,
    }
}

fn epoch(number: usize, seconds: f64) -> EpochReport {
    EpochReport {
        epoch: number,
        train_loss: 1.0,
        train_accuracy: 0.5,
        valid_loss: 1.0,
        valid_accuracy: 0.5,
        valid_macro_f1: 0.5,
        confusion: Confusion::new(2),
        learning_rate: 1e-3,
        skipped: 0,
        gradient_norm: 1.0,
        images_per_s: 8.0,
        seconds,
        energy: None,
        best: number == 1,
    }
}

#[test]
fn merged_steps_are_the_mean_of_their_parts() {
    let (mut merged, mut later) = (step(1, 10), step(2, 10));
    (later.images, later.seconds, later.wait) = (12, 1.5, 1.0);
    merged.merge(&later);
    assert_eq!((merged.count, merged.images, merged.step, merged.step_in_epoch), (2, 16, 2, 2));
    assert!((merged.loss - (1.0 * 4.0 + 0.5 * 12.0) / 16.0).abs() < 1e-12);
    assert!((merged.seconds - 2.0).abs() < 1e-12 && (merged.wait - 0.8125).abs() < 1e-12);
}

#[test]
fn speed_progress_and_time_left_are_honest() {
    let mut session = Session::default();
    assert_eq!((session.eta(), session.images_per_s(), session.progress()), (None, None, 0.0));
    session.apply(Event::Started(started(10, 3)));
    assert_eq!(session.eta(), None);
    for number in 1..=10 {
        session.apply(Event::Steps(step(number, 10)));
    }
    assert_eq!(session.images_per_s(), Some(8.0));
    assert_eq!(session.wait(), Some(0.25));
    session.apply(Event::Epoch(epoch(1, 7.0)));
    assert_eq!((session.epoch(), session.step_in_epoch()), (2, 0));
    // 20 steps of half a second, and two more validations of two seconds
    assert_eq!(session.eta(), Some(Duration::from_secs(14)));
    for number in 11..=15 {
        session.apply(Event::Steps(step(number, 10)));
    }
    assert_eq!(session.eta(), Some(Duration::from_secs_f64(11.5)));
    assert_eq!((session.epoch(), session.step_in_epoch(), session.progress()), (2, 5, 0.5));
}

#[test]
fn the_history_of_an_endless_run_stays_small_and_loses_no_step() {
    let mut session = Session::default();
    session.apply(Event::Started(started(700, 1_000)));
    let steps = 150_000;
    for number in 1..=steps {
        session.apply(Event::Steps(step(number, 700)));
        assert!(session.steps.len() <= 4096 && session.recent.len() <= 512);
    }
    assert_eq!(session.steps.iter().map(|s| s.count).sum::<usize>(), steps);
    assert!(session.steps.len() >= 1024, "still {} entries to draw", session.steps.len());
    assert!(session.steps.windows(2).all(|w| w[0].step < w[1].step));
    assert_eq!(session.steps_done(), steps);
    assert_eq!(session.recent.iter().map(|s| s.count).sum::<usize>(), 512);
}

#[test]
fn a_resumed_run_forgets_what_came_after_its_checkpoint() {
    let mut session = Session::default();
    session.apply(Event::Started(started(10, 3)));
    for number in 1..=14 {
        session.apply(Event::Steps(step(number, 10)));
        if number == 10 {
            session.apply(Event::Epoch(epoch(1, 7.0)));
        }
    }
    session.apply(Event::Started(Started { epochs_done: 1, steps_done: 10, ..started(10, 3) }));
    assert_eq!((session.steps_done(), session.epochs.len()), (10, 1));
    session.apply(Event::Started(started(10, 3)));
    assert_eq!((session.steps_done(), session.epochs.len()), (0, 0));
}

#[test]
fn events_survive_json_under_their_names() {
    for (event, tag) in
        [(Event::Started(started(10, 3)), "started"), (Event::Steps(step(3, 10)), "steps"), (Event::Epoch(epoch(2, 1.25)), "epoch")]
    {
        let text = serde_json::to_string(&event).expect("writes");
        assert!(text.starts_with(&format!("{{\"event\":\"{tag}\"")), "{text}");
        assert_eq!(serde_json::from_str::<Event>(&text).expect("reads"), event);
    }
}

#[test]
fn the_energy_of_a_run_is_known_if_that_of_every_epoch_is() {
    let mut session = Session::default();
    assert_eq!(session.energy(), None);
    for (number, energy) in [(1, Some(1500.0)), (2, Some(2500.5))] {
        session.apply(Event::Epoch(EpochReport { energy, ..epoch(number, 1.0) }));
    }
    assert_eq!(session.energy(), Some(4000.5));
    // an epoch that older programs told, or one on a device that does not count
    let line = serde_json::to_string(&Event::Epoch(epoch(3, 1.0))).expect("JSON");
    assert!(!line.contains("energy"));
    session.apply(serde_json::from_str(&line).expect("an event"));
    assert_eq!(session.energy(), None);
}
