//! Devices that are lost, or have too little memory, in the middle of runs: the host twin, told to be so. Skipped with a word where there
//! is no C++ compiler.

use std::sync::{Mutex, PoisonError};

use tuning_fork::augment::Augmentation;
use tuning_fork::train::{Command, Config, DeviceChoice, Event, Handle, Job, Outcome, RunFolder, Twin, device, spawn};

use super::common::{at_step, config, dataset, ended, events};
use super::device::{folder, twin};

/// A run of `epochs` on a twin with so many MiB that is lost after so many operations.
fn on(memory: u32, calls: u32, epochs: usize) -> Config {
    Config { device: DeviceChoice::Host(Twin { memory, calls }), ..config(epochs) }
}

fn start(config: &Config, folder: &RunFolder) -> Handle {
    spawn(Job { config: config.clone(), dataset: dataset(60), folder: folder.clone() }, None)
}

fn run(config: &Config, folder: &RunFolder) -> Vec<Event> {
    events(&start(config, folder))
}

/// How it ended, and in which words.
fn end(events: &[Event]) -> (Outcome, &str) {
    (ended(events).outcome, &ended(events).message)
}

/// Epochs that were told.
fn epochs(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Epoch(_))).count()
}

#[test]
fn a_device_that_is_lost_fails_the_run_which_goes_on_on_the_processor() {
    if !twin() {
        return;
    }
    let (_keep, folder) = folder();
    let lost = run(&on(0, 3000, 50), &folder);
    let (outcome, message) = end(&lost);
    let command = format!("tuning-fork train --resume {} --device cpu", folder.path().display());
    assert_eq!(outcome, Outcome::Failed);
    assert!(message.contains("the device is lost") && message.contains("checkpoint is kept") && message.contains(&command), "{message}");
    let done = epochs(&lost);
    assert!((1..50).contains(&done) && folder.last_checkpoint().exists() && folder.best_model().exists(), "{done} epochs");
    let kept = folder.session().expect("a log");
    assert_eq!(kept.epochs.len(), done);

    let rest = run(&Config { device: DeviceChoice::Cpu, epochs: done + 2, ..on(0, 0, 50) }, &folder);
    assert_eq!(end(&rest).0, Outcome::Completed, "{}", end(&rest).1);
    assert_eq!(epochs(&rest), 2);
}

#[test]
fn a_device_that_is_lost_before_a_checkpoint_says_that_there_is_none() {
    if !twin() {
        return;
    }
    // after the rehearsal, in the first epoch
    let (_keep, early) = folder();
    let lost = run(&on(0, 250, 3), &early);
    assert!(matches!(lost.first(), Some(Event::Started(_))), "{lost:?}");
    let (outcome, message) = end(&lost);
    assert!(outcome == Outcome::Failed && message.contains("nothing to go on from") && !message.contains("--resume"), "{message}");
    // in the rehearsal: there never was a run
    let (_keep, never) = folder();
    let lost = run(&on(0, 20, 3), &never);
    assert!(lost.len() == 1 && end(&lost).1.contains("the device is lost"), "{lost:?}");
    assert!(never.discard_unstarted());
}

/// Cards of the same number of MiB are one card: tests that use them take turns.
static CARDS: Mutex<()> = Mutex::new(());

/// Pictures of 64 x 64 that are blurred on the device, which needs memory that nothing before needs.
fn blurred(memory: u32, epochs: usize) -> Config {
    let augmentation = Augmentation { blur: 1.0, ..Augmentation::default() };
    Config { size: 64, batch: 24, augmentation, ..on(memory, 0, epochs) }
}

#[test]
fn memory_that_runs_out_in_the_middle_fails_the_run_which_goes_on_on_the_processor() {
    if !twin() {
        return;
    }
    let _cards = CARDS.lock().unwrap_or_else(PoisonError::into_inner);
    let (_keep, folder) = folder();
    let handle = start(&blurred(0, 3), &folder);
    at_step(&handle, 3, Command::Stop);
    assert_eq!(end(&events(&handle)).0, Outcome::Stopped);
    drop(handle);
    // the smallest card on which it starts has less than a MiB more than the network needs
    let mut memory = 20;
    let failed = loop {
        let failed = run(&blurred(memory, 3), &folder);
        let (outcome, message) = end(&failed);
        assert_eq!(outcome, Outcome::Failed, "{memory} MiB");
        if matches!(failed.first(), Some(Event::Started(_))) {
            break message.to_owned();
        }
        assert!(message.contains("this needs at least") && message.contains(&format!("{memory} MiB are free")), "{message}");
        memory += 1;
    };
    let command = format!("tuning-fork train --resume {} --device cpu", folder.path().display());
    assert!(failed.contains("memory is full") && failed.contains("MiB were wanted") && failed.contains(&command), "{failed}");
    let rest = run(&Config { device: DeviceChoice::Cpu, ..blurred(0, 3) }, &folder);
    assert_eq!(end(&rest).0, Outcome::Completed, "{}", end(&rest).1);
}

#[test]
fn two_runs_share_a_card_or_the_second_is_told_what_is_left() {
    if !twin() {
        return;
    }
    let _cards = CARDS.lock().unwrap_or_else(PoisonError::into_inner);
    // the compact network with this batch needs some 30 MiB
    let (small, large) = (45, 90);
    let (_keep, first) = folder();
    let (_keep, second) = folder();
    let going = start(&on(small, 0, 2), &first);
    at_step(&going, 1, Command::Pause);
    let refused = run(&on(small, 0, 2), &second);
    let (outcome, message) = end(&refused);
    assert!(outcome == Outcome::Failed && message.contains("this needs at least"), "{message}");
    assert!(message.contains("end other programs"), "{message}");
    going.send(Command::Resume);
    assert_eq!(end(&events(&going)).0, Outcome::Completed);

    let (_keep, third) = folder();
    let (a, b) = (start(&on(large, 0, 2), &second), start(&on(large, 0, 2), &third));
    let told = [events(&a), events(&b)];
    assert!(told.iter().all(|events| end(events).0 == Outcome::Completed), "{:?}", told.each_ref().map(|events| end(events)));
    let losses = told.each_ref().map(|events| {
        let loss = |event: &Event| if let Event::Epoch(epoch) = event { Some(epoch.valid_loss.to_bits()) } else { None };
        events.iter().filter_map(loss).collect::<Vec<_>>()
    });
    assert_eq!(losses[0], losses[1], "the runs do not disturb each other");
    let card = device::open(DeviceChoice::Host(Twin { memory: large, calls: 0 })).expect("the card");
    assert_eq!(card.memory().ok(), Some(((large as usize) << 20, (large as usize) << 20)), "all memory went back");
}
