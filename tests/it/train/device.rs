//! Runs on a device: the host twin, which runs the device's kernels. Skipped with a word where there is no C++ compiler.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use tuning_fork::augment::{Augmentation, Preset};
use tuning_fork::data::Part;
use tuning_fork::train::{
    Command, Config, DeviceChoice, Event, Job, Outcome, Precision, RunFolder, Started, device, evaluate, selftest, spawn,
};

use super::common::{at_step, config, dataset, ended, events};

/// Whether the twin can be had here.
pub fn twin() -> bool {
    match device::open(DeviceChoice::HOST) {
        Ok(_) => true,
        Err(reason) => {
            println!("skipped: {reason}");
            false
        }
    }
}

pub fn folder() -> (tempfile::TempDir, RunFolder) {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = RunFolder::create(parent.path().join("run")).expect("a new folder");
    (parent, folder)
}

/// Runs to the end; the events and the validation loss of each epoch.
fn run(config: &Config, folder: &RunFolder) -> (Vec<Event>, Vec<f64>) {
    let handle = spawn(Job { config: config.clone(), dataset: dataset(60), folder: folder.clone() }, None);
    let events = events(&handle);
    let losses = events.iter().filter_map(|event| if let Event::Epoch(epoch) = event { Some(epoch.valid_loss) } else { None }).collect();
    (events, losses)
}

fn on_host(epochs: usize) -> Config {
    Config { device: DeviceChoice::HOST, precision: Precision::F32, ..config(epochs) }
}

fn close(a: &[f64], b: &[f64], bound: f64) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < bound * (b.abs() + 0.01), "{a} and {b}");
    }
}

#[test]
fn every_check_of_the_self_test_passes_on_the_host_twin() {
    let device = match device::open(DeviceChoice::HOST) {
        Ok(device) => device,
        Err(reason) => return println!("skipped: {reason}"),
    };
    let checks = selftest::run(&device, |_| {}).expect("a device that works");
    let failed: Vec<_> = checks.iter().filter(|check| !check.passed()).collect();
    assert!(failed.is_empty() && checks.len() > 200, "{} checks; {failed:#?}", checks.len());
}

#[test]
fn a_run_on_a_device_is_the_run_on_the_processor() {
    if !twin() {
        return;
    }
    for augmentation in [Preset::Gentle.augmentation(), Augmentation { mixup: 0.3, cutmix: 0.5, ..Preset::Turns.augmentation() }] {
        let on_host = Config { augmentation, ..on_host(2) };
        let (_keep, folder_host) = folder();
        let (events, losses) = run(&on_host, &folder_host);
        assert_eq!(ended(&events).outcome, Outcome::Completed, "{}", ended(&events).message);
        assert_eq!(started(&events).device, "host twin, f32");
        let (_keep, folder_cpu) = folder();
        let (_, expected) = run(&Config { device: DeviceChoice::Cpu, ..on_host }, &folder_cpu);
        close(&losses, &expected, 2e-3);
        let evaluated = evaluate(&folder_host, None, Part::Test, &dataset(60), |_| true).expect("an evaluation").expect("not stopped");
        assert!(evaluated.loss.is_finite());
    }
}

#[test]
fn a_run_goes_on_on_the_other_device() {
    if !twin() {
        return;
    }
    let (_keep, whole) = folder();
    let (_, expected) = run(&Config { device: DeviceChoice::Cpu, ..on_host(3) }, &whole);
    for devices in [[DeviceChoice::Cpu, DeviceChoice::HOST], [DeviceChoice::HOST, DeviceChoice::Cpu]] {
        let (_keep, folder) = folder();
        let first = Config { device: devices[0], ..on_host(3) };
        let handle = spawn(Job { config: first.clone(), dataset: dataset(60), folder: folder.clone() }, None);
        at_step(&handle, 2, Command::Stop);
        let rest = events(&handle);
        assert_eq!(ended(&rest).outcome, Outcome::Stopped);
        drop(handle);
        let told = rest.iter().filter(|event| matches!(event, Event::Epoch(_))).count();
        let (events, losses) = run(&Config { device: devices[1], ..first }, &folder);
        assert_eq!(ended(&events).outcome, Outcome::Completed, "{}", ended(&events).message);
        close(&losses, &expected[told..], 5e-3);
    }
}

/// The start that a run told.
fn started(events: &[Event]) -> &Started {
    events.iter().find_map(|event| if let Event::Started(started) = event { Some(started) } else { None }).expect("a start")
}

#[test]
fn a_run_in_f16_learns_and_goes_on_on_the_processor() {
    if !twin() {
        return;
    }
    let in_f16 = Config { precision: Precision::F16, ..on_host(4) };
    let (_keep, whole) = folder();
    let (events, losses) = run(&in_f16, &whole);
    assert_eq!(ended(&events).outcome, Outcome::Completed, "{}", ended(&events).message);
    assert_eq!(started(&events).device, "host twin, f16");
    assert!(losses.len() == 4 && losses[3] < 0.9 * losses[0] && losses.iter().all(|loss| loss.is_finite()), "{losses:?}");

    let (_keep, half) = folder();
    let handle = spawn(Job { config: in_f16.clone(), dataset: dataset(60), folder: half.clone() }, None);
    at_step(&handle, 7, Command::Stop);
    assert_eq!(ended(&self::events(&handle)).outcome, Outcome::Stopped);
    drop(handle);
    let (events, losses) = run(&Config { device: DeviceChoice::Cpu, ..in_f16 }, &half);
    assert_eq!(ended(&events).outcome, Outcome::Completed, "{}", ended(&events).message);
    assert!(losses.iter().all(|loss| loss.is_finite()));
    let reason = &started(&events).reason;
    assert!(reason.contains("has no f16"), "{reason}");
    let summary = std::fs::read_to_string(half.summary_path()).expect("a summary");
    assert!(summary.contains(reason), "{summary}");
    evaluate(&half, None, Part::Test, &dataset(60), |_| true).expect("an evaluation without a device").expect("not stopped");
}

#[test]
fn a_run_in_f16_that_is_resumed_is_the_one_that_never_stopped() {
    if !twin() {
        return;
    }
    let in_f16 = Config { precision: Precision::F16, ..on_host(3) };
    let (_keep, whole) = folder();
    let (_, expected) = run(&in_f16, &whole);
    let (_keep, parts) = folder();
    let handle = spawn(Job { config: in_f16.clone(), dataset: dataset(60), folder: parts.clone() }, None);
    at_step(&handle, 7, Command::Stop);
    assert_eq!(ended(&events(&handle)).outcome, Outcome::Stopped);
    drop(handle);
    let (_, losses) = run(&in_f16, &parts);
    assert_eq!(losses[..], expected[expected.len() - losses.len()..]);
    let checkpoints = [whole, parts].map(|folder| std::fs::read(folder.last_checkpoint()).expect("a checkpoint"));
    let [(a, scale_a), (b, scale_b)] = checkpoints.each_ref().map(|bytes| {
        let (_, header) = SafeTensors::read_metadata(bytes).expect("a header");
        let progress = header.metadata().as_ref().expect("metadata")["tuning_fork_progress"].clone();
        let progress: serde_json::Value = serde_json::from_str(&progress).expect("JSON");
        let tensors = SafeTensors::deserialize(bytes).expect("tensors");
        let numbers: BTreeMap<String, Vec<u8>> = tensors.iter().map(|(name, view)| (name.to_owned(), view.data().to_vec())).collect();
        (numbers, [progress["loss_scale"].as_f64(), progress["calm"].as_f64()])
    });
    assert_eq!(scale_a, scale_b);
    assert!(scale_a[0].is_some_and(|scale| scale > 1.0) && scale_a[1].is_some_and(|calm| calm > 0.0), "{scale_a:?}");
    assert!(a == b, "weights and moments are the same bit by bit");
}

#[test]
fn what_a_device_cannot_do_is_refused_with_advice() {
    let choose = |config: Config| device::choose(&config).map(|chosen| chosen.name()).map_err(|error| error.to_string());
    let refused = choose(Config { device: DeviceChoice::Cuda(99), ..config(1) }).expect_err("there are not so many");
    assert!(refused.starts_with("device: ") && refused.contains("\"cpu\""), "{refused}");
    for precision in [Precision::Tf32, Precision::F16] {
        let refused = choose(Config { device: DeviceChoice::Cpu, precision, ..config(1) }).expect_err("not on the processor");
        assert!(refused.starts_with("precision: "), "{refused}");
    }
}
