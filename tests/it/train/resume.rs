//! A run that was interrupted goes on as if it had not been, to the bit.

use std::collections::BTreeMap;

use candle_core::Device;
use tuning_fork::augment::{Augmentation, Preset};
use tuning_fork::nn::weights;
use tuning_fork::train::{Command, Config, EpochReport, Event, Job, Outcome, RunFolder, Session, spawn};

use super::common::{at_step, config, dataset, ended, events, start};

/// Everything random is on.
fn lively(epochs: usize) -> Config {
    let augmentation = Augmentation { mixup: 0.4, cutmix: 1.0, ..Preset::Strong.augmentation() };
    Config { augmentation, ..config(epochs) }
}

fn new_folder(parent: &tempfile::TempDir, name: &str) -> RunFolder {
    RunFolder::create(parent.path().join(name)).expect("a new folder")
}

fn finish(config: Config, folder: &RunFolder) -> Vec<Event> {
    let handle = start(config, folder);
    let events = events(&handle);
    assert_eq!(ended(&events).outcome, Outcome::Completed, "{}", ended(&events).message);
    events
}

/// All tensors of a checkpoint (weights, running statistics, optimiser) as bits.
fn bits(folder: &RunFolder) -> BTreeMap<String, Vec<u32>> {
    let tensors = candle_core::safetensors::load(folder.last_checkpoint(), &Device::Cpu).expect("a checkpoint");
    let bits =
        |t: candle_core::Tensor| t.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("f32").iter().map(|x| x.to_bits()).collect();
    tensors.into_iter().map(|(name, tensor)| (name, bits(tensor))).collect()
}

/// The models of epochs that are kept, by epoch.
fn kept(folder: &RunFolder) -> BTreeMap<usize, Vec<u8>> {
    let snapshots = folder.snapshots().expect("snapshots");
    snapshots.into_iter().map(|(epoch, path)| (epoch, std::fs::read(path).expect("a model"))).collect()
}

/// The epochs without what depends on the clock.
fn results(session: &Session) -> Vec<EpochReport> {
    session.epochs.iter().map(|e| EpochReport { images_per_s: 0.0, seconds: 0.0, energy: None, ..e.clone() }).collect()
}

fn assert_same(a: &RunFolder, b: &RunFolder) {
    let (left, right) = (bits(a), bits(b));
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (name, bits) in &left {
        assert!(*bits == right[name], "{name} differs");
    }
    assert_eq!(results(&a.session().expect("a session")), results(&b.session().expect("a session")));
    assert_eq!(std::fs::read(a.best_model()).expect("a model"), std::fs::read(b.best_model()).expect("a model"));
    let [left, right] = [a, b].map(kept);
    assert!(!left.is_empty() && left == right, "{:?} {:?}", left.keys(), right.keys());
}

#[test]
fn a_stop_within_an_epoch_and_one_between_epochs_change_nothing() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let whole = new_folder(&parent, "whole");
    finish(lively(4), &whole);

    let parts = new_folder(&parent, "parts");
    // in the second epoch, somewhere after its second step, and again later
    for step in [7, 13] {
        let handle = start(lively(4), &RunFolder::open(parts.path()).unwrap_or_else(|_| parts.clone()));
        at_step(&handle, step, Command::Stop);
        assert_eq!(ended(&events(&handle)).outcome, Outcome::Stopped);
    }
    let resumed = finish(lively(4), &RunFolder::open(parts.path()).expect("a run"));
    let Event::Started(started) = &resumed[0] else { panic!("{:?}", resumed[0]) };
    assert!(started.steps_done >= 13 && started.epochs_done >= 2, "{started:?}");
    assert_same(&whole, &parts);

    let session = parts.session().expect("a session");
    let steps: Vec<usize> = session.steps.iter().map(|s| s.step).collect();
    assert_eq!(steps, (1..=20).collect::<Vec<_>>(), "every step once");
}

#[test]
fn two_epochs_and_two_more_are_four() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    // a schedule that does not depend on the length of the run
    let config = |epochs| Config { schedule: tuning_fork::train::ScheduleKind::Plateau, ..lively(epochs) };
    let whole = new_folder(&parent, "whole");
    finish(config(4), &whole);
    let parts = new_folder(&parent, "parts");
    finish(config(2), &parts);
    finish(config(4), &RunFolder::open(parts.path()).expect("a run"));
    assert_same(&whole, &parts);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let (one, three) = (new_folder(&parent, "one"), new_folder(&parent, "three"));
    finish(lively(2), &one);
    finish(Config { threads: 3, ..lively(2) }, &three);
    assert_same(&one, &three);
}

#[test]
fn a_killed_run_goes_on_from_its_last_checkpoint() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let whole = new_folder(&parent, "whole");
    finish(lively(3), &whole);

    // What kill -9 leaves: the checkpoint of the end of the first epoch, later events, half a line, half a temporary file.
    let killed = new_folder(&parent, "killed");
    let handle = start(lively(3), &killed);
    let checkpoint = loop {
        match handle.next(super::common::PATIENCE).expect("the run goes on") {
            Event::Saved(s) if s.path == "last.safetensors" => break std::fs::read(killed.last_checkpoint()).expect("a checkpoint"),
            _ => {}
        }
    };
    at_step(&handle, 8, Command::Stop);
    events(&handle);
    drop(handle);
    // the run may have saved again since; go on from what it says
    std::fs::write(killed.last_checkpoint(), &checkpoint).expect("writes");
    let torn = killed.path().join(".last.safetensors.partial-4711");
    std::fs::write(&torn, &checkpoint[..100]).expect("writes");
    let torn_snapshot = killed.path().join("snapshots/.epoch_0002.safetensors.partial-4711");
    std::fs::write(&torn_snapshot, &checkpoint[..100]).expect("writes");
    let mut log = std::fs::read(killed.events_path()).expect("a log");
    log.extend(b"{\"event\":\"steps\",\"epoch\":2,\"st");
    std::fs::write(killed.events_path(), &log).expect("writes");
    assert!(matches!(killed.events().expect("a torn line is left out").last(), Some(Event::Ended(_))));

    finish(lively(3), &RunFolder::open(killed.path()).expect("a run"));
    assert_same(&whole, &killed);
    assert!(!torn.exists() && !torn_snapshot.exists(), "what the killed run left is removed");
}

#[test]
fn a_run_killed_before_its_first_checkpoint_begins_anew() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = new_folder(&parent, "run");
    let handle = start(lively(2), &folder);
    at_step(&handle, 2, Command::Stop);
    events(&handle);
    drop(handle);
    std::fs::remove_file(folder.last_checkpoint()).expect("removes");
    let events = finish(lively(2), &RunFolder::open(folder.path()).expect("a run"));
    assert!(matches!(&events[0], Event::Started(s) if s.steps_done == 0));
    assert_eq!(folder.session().expect("a session").epochs.len(), 2);
}

#[test]
fn a_finished_run_has_nothing_left_to_do() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = new_folder(&parent, "run");
    finish(lively(1), &folder);
    let weights = bits(&folder);
    let events = finish(lively(1), &RunFolder::open(folder.path()).expect("a run"));
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(bits(&folder), weights);
    assert_eq!(folder.session().expect("a session").epochs.len(), 1);
}

#[test]
fn another_configuration_or_data_set_is_not_this_run() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = new_folder(&parent, "run");
    finish(lively(1), &folder);
    let before = folder.events().expect("events");
    for (job, words) in [
        (Job { config: Config { lr: 1.0, ..lively(2) }, dataset: dataset(60), folder: folder.clone() }, "this run has lr = 0.002, not 1.0"),
        (Job { config: lively(2), dataset: dataset(90), folder: folder.clone() }, "90 images instead of 60"),
    ] {
        let handle = spawn(job, None);
        let events = events(&handle);
        assert_eq!(ended(&events).outcome, Outcome::Failed);
        assert!(ended(&events).message.contains(words), "{}", ended(&events).message);
    }
    assert_eq!(folder.events().expect("events"), before, "a refused run is not written down");
}

#[test]
fn a_damaged_checkpoint_is_named() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = new_folder(&parent, "run");
    finish(lively(1), &folder);
    let whole = std::fs::read(folder.last_checkpoint()).expect("a checkpoint");
    std::fs::write(folder.last_checkpoint(), &whole[..whole.len() / 2]).expect("writes");
    let handle = start(lively(2), &folder);
    let events = events(&handle);
    assert_eq!(ended(&events).outcome, Outcome::Failed);
    assert!(ended(&events).message.contains("last.safetensors"), "{}", ended(&events).message);
}

#[test]
fn the_best_model_is_that_of_the_best_epoch() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = new_folder(&parent, "run");
    finish(lively(3), &folder);
    let (network, spec) = weights::load(folder.best_model(), &Device::Cpu).expect("a complete model");
    assert_eq!((spec.classes.len(), network.options().size), (3, 32));
}

#[test]
fn early_stopping_ends_a_run_for_good() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = new_folder(&parent, "run");
    // no epoch can improve by so much
    let config = |epochs| Config { patience: 2, min_delta: 1e6, ..lively(epochs) };
    let events = finish(config(50), &folder);
    assert!(ended(&events).message.contains("stopped early after epoch 3"), "{}", ended(&events).message);
    let kept: Vec<usize> = folder.snapshots().expect("snapshots").into_iter().map(|(epoch, _)| epoch).collect();
    assert_eq!(kept, [1, 3], "the last epoch is kept, though it is not one of every fifth");
    let again = finish(config(60), &RunFolder::open(folder.path()).expect("a run"));
    assert_eq!(again.len(), 2, "{again:?}");
}

#[test]
fn a_run_without_its_checkpoint_is_not_begun_anew_over_what_it_learned() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let run = new_folder(&parent, "imported");
    let handle = start(lively(4), &run);
    at_step(&handle, 12, Command::Stop);
    assert_eq!(ended(&events(&handle)).outcome, Outcome::Stopped);
    // as an exported run comes: with everything but the state to resume from
    std::fs::remove_file(run.last_checkpoint()).expect("a checkpoint");
    let before = [run.best_model(), run.events_path()].map(|path| std::fs::read(path).expect("a file"));
    let handle = start(lively(4), &RunFolder::open(run.path()).expect("a run"));
    let refused = events(&handle);
    assert_eq!(ended(&refused).outcome, Outcome::Failed);
    assert!(ended(&refused).message.contains("the checkpoint of its 2 epochs is not there"), "{}", ended(&refused).message);
    assert_eq!([run.best_model(), run.events_path()].map(|path| std::fs::read(path).expect("a file")), before);
}
