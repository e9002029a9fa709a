//! What cannot work is refused with advice; what goes wrong on the way loses nothing.

use tuning_fork::train::{Command, Config, DeviceChoice, Event, Job, OptimizerKind, Outcome, RunError, RunFolder, ScheduleKind, spawn};

use super::common::{at_step, config, dataset, ended, events, start};

fn folder() -> (tempfile::TempDir, RunFolder) {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = RunFolder::create(parent.path().join("run")).expect("a new folder");
    (parent, folder)
}

/// Runs a configuration that cannot work; returns its last words.
fn refused(config: Config, images: usize) -> String {
    let (_parent, folder) = folder();
    let handle = spawn(Job { config, dataset: dataset(images), folder: folder.clone() }, None);
    let events = events(&handle);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(ended(&events).outcome, Outcome::Failed);
    assert!(!folder.path().join("config.json").exists(), "a run that never began leaves no run");
    ended(&events).message.clone()
}

#[test]
fn values_that_cannot_work_are_refused_by_name() {
    let ok = config(1);
    for (field, bad) in [
        ("lr", Config { lr: 0.0, ..ok.clone() }),
        ("lr", Config { lr: f64::NAN, ..ok.clone() }),
        ("lr", Config { lr: -1e-3, ..ok.clone() }),
        ("batch", Config { batch: 0, ..ok.clone() }),
        ("epochs", Config { epochs: 0, ..ok.clone() }),
        ("size", Config { size: 16, ..ok.clone() }),
        ("threads", Config { threads: 1_000_000, ..ok.clone() }),
        ("beta", Config { beta: 1.0, ..ok.clone() }),
        ("batch: 37 is more than the 36 training images", Config { batch: 37, ..ok.clone() }),
        ("device", Config { device: DeviceChoice::Cuda(99), ..ok }),
    ] {
        let message = refused(bad, 60);
        assert!(message.starts_with(field), "{field}: {message}");
    }
}

#[test]
fn too_few_images_are_refused() {
    let message = refused(config(1), 3);
    assert!(!message.is_empty(), "{message}");
}

#[test]
fn a_loss_that_is_no_number_fails_the_run_and_keeps_the_checkpoint() {
    let (_parent, folder) = folder();
    let wild = Config { lr: 1e30, optimizer: OptimizerKind::Sgd, schedule: ScheduleKind::Constant, clip: 0.0, ..config(3) };
    let handle = start(wild, &folder);
    let events = events(&handle);
    let ended = ended(&events);
    assert_eq!(ended.outcome, Outcome::Failed);
    assert!(ended.message.contains("at step ") && ended.message.contains("not a finite number"), "{}", ended.message);
    assert!(ended.message.contains("lower learning rate"), "{}", ended.message);
    assert!(!folder.last_checkpoint().exists(), "weights that are no numbers are not saved");
}

#[test]
fn a_folder_with_something_in_it_is_refused() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(parent.path().join("thesis.tex"), "years of work").expect("writes");
    let error = RunFolder::create(parent.path()).expect_err("not empty");
    assert!(matches!(error, RunError::Exists { .. }));
    assert!(error.to_string().contains("choose a new folder"), "{error}");
    assert!(matches!(RunFolder::open(parent.path()), Err(RunError::NotARun { .. })));
    assert!(RunFolder::create(parent.path().join("a/b/c")).is_ok(), "folders on the way are made");
}

#[test]
fn unique_folders_differ() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let first = RunFolder::unique(parent.path(), &config(1)).expect("a folder");
    std::fs::write(first.path().join("config.json"), "{}").expect("writes");
    let second = RunFolder::unique(parent.path(), &config(1)).expect("a folder");
    assert_ne!(first, second);
    assert!(first.path().to_string_lossy().ends_with("_compact"));
}

#[test]
fn what_cannot_be_saved_is_told_and_the_run_goes_on() {
    let (_parent, folder) = folder();
    // A folder in the place of each temporary file: no user, root neither, can write there. So does a full disk behave.
    let partial = |name: &str| format!(".{name}.partial-{}", std::process::id());
    for name in ["best.safetensors".to_owned(), partial("last.safetensors"), partial("summary.txt")] {
        std::fs::create_dir_all(folder.path().join(name).join("occupied")).expect("a folder");
    }
    std::fs::write(folder.path().join("predictions"), "a file where a folder should be").expect("writes");
    let handle = start(config(2), &folder);
    let events = events(&handle);
    assert_eq!(ended(&events).outcome, Outcome::Completed, "{}", ended(&events).message);
    for name in ["best.safetensors", "last.safetensors", "summary.txt", "predictions"] {
        let failure = events.iter().find_map(|e| match e {
            Event::Saved(s) if s.path == name => s.error.clone(),
            _ => None,
        });
        let failure = failure.unwrap_or_else(|| panic!("{name} was saved: {events:?}"));
        assert!(failure.contains("the run goes on"), "{failure}");
    }
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let (_parent, folder) = folder();
    let first = start(config(1000), &folder);
    at_step(&first, 1, Command::Pause);
    let second = start(config(1000), &folder);
    let refused = events(&second);
    assert_eq!(ended(&refused).outcome, Outcome::Failed);
    assert!(ended(&refused).message.contains("in use by another"), "{}", ended(&refused).message);
    first.send(Command::Stop);
    assert_eq!(ended(&events(&first)).outcome, Outcome::Stopped);
}
