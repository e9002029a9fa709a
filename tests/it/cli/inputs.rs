//! What users get wrong: each mistake ends with a message that says what to do, and nothing is left behind.

use super::{finished_run, run, succeed, train};

/// Runs `train` with `flags`, which must fail with `code` and a message with all `words`.
fn refused(flags: &[&str], code: i32, words: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let answer = run(folder.path(), &train("run", flags));
    assert_eq!(answer.code, Some(code), "{flags:?}: {}", answer.stderr);
    for word in words {
        assert!(answer.stderr.contains(word), "{flags:?} should say {word:?}: {}", answer.stderr);
    }
    assert!(answer.stdout.is_empty() && !folder.path().join("run").exists(), "{}", answer.stdout);
}

#[test]
fn values_that_cannot_be_used_are_named_with_what_is_allowed() {
    refused(&["--lr=0"], 1, &["--lr", "above 0"]);
    refused(&["--lr=-1"], 1, &["--lr", "above 0"]);
    refused(&["--lr=NaN"], 2, &["--lr", "finite number"]);
    refused(&["--epochs=0", "--beta=1"], 1, &["--epochs", "at least 1", "--beta", "less than 1"]);
    refused(&["--epochs=many"], 2, &["--epochs"]);
    refused(&["--schedule=triangle"], 2, &["one-cycle", "cosine", "plateau", "constant"]);
    refused(&["--model=resnet"], 2, &["seed", "compact"]);
    refused(&["--learning-rate=1"], 2, &["--learning-rate"]);
    refused(&["--data=nowhere"], 1, &["nowhere"]);
    refused(&["--device=host"], 2, &["--device", "cuda:N"]);
    // where there is a device, it is taken
    if tuning_fork::train::device::open(tuning_fork::train::DeviceChoice::Cuda(0)).is_err() {
        refused(&["--device=cuda"], 1, &["cpu"]);
    }
}

#[test]
fn a_batch_larger_than_the_data_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = ["train", "--out=run", "--synthetic-images=50", "--size=32", "--threads=1", "--batch=500"];
    let answer = run(folder.path(), &flags);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert!(answer.stderr.contains("batch"), "{}", answer.stderr);
    assert!(!folder.path().join("run").exists(), "a run that could not start leaves its name free");
}

#[test]
fn a_configuration_file_comes_before_flags_and_after_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "epochs = 3\nbatch = 16\nschedule = \"cosine\"\nsynthetic_images = 50\nsize = 32\n[augmentation]\nflip = false\n";
    std::fs::write(folder.path().join("run.toml"), text).expect("a file");
    let flags = ["train", "--config=run.toml", "--out=run", "--epochs=1", "--threads=1", "--rotation=none"];
    succeed(folder.path(), &flags);
    let stored = std::fs::read_to_string(folder.path().join("run/config.json")).expect("config.json");
    let stored: tuning_fork::train::Config = serde_json::from_str(&stored).expect("a configuration");
    assert_eq!((stored.epochs, stored.size, stored.batch, stored.patience), (1, 32, 16, 15));
    assert_eq!(stored.schedule, tuning_fork::train::ScheduleKind::Cosine);
    assert!(!stored.augmentation.flip);
    assert_eq!(stored.augmentation.rotation, tuning_fork::augment::Rotation::None);
}

#[test]
fn mistakes_in_a_configuration_file_are_named_with_what_is_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, words) in [
        ("learning_rate = 1.0", &["run.toml", "learning_rate", "`lr`", "weight_decay"][..]),
        ("device = \"host\"", &["run.toml", "device", "cuda:N"]),
        ("schedule = \"triangle\"", &["run.toml", "schedule", "triangle", "one_cycle", "cosine"]),
        ("epochs = \"ten\"", &["run.toml", "epochs", "ten"]),
        ("epochs = 0", &["run.toml", "epochs", "at least 1"]),
        ("lr = nan", &["run.toml", "lr", "above 0"]),
        ("epochs = ", &["run.toml", "line 1"]),
    ] {
        std::fs::write(folder.path().join("run.toml"), text).expect("a file");
        let answer = run(folder.path(), &["train", "--config=run.toml"]);
        assert_eq!(answer.code, Some(1), "{text}: {}", answer.stderr);
        for word in words {
            assert!(answer.stderr.contains(word), "{text} should say {word:?}: {}", answer.stderr);
        }
    }
    let answer = run(folder.path(), &["train", "--config=missing.toml"]);
    assert!(answer.code == Some(1) && answer.stderr.contains("missing.toml"), "{}", answer.stderr);
}

#[test]
fn folders_that_do_not_fit_are_refused() {
    let folder = finished_run();
    let exists = run(folder, &train("run", &["--epochs=1"]));
    assert!(exists.code == Some(1) && exists.stderr.contains("resume"), "{}", exists.stderr);
    let empty = tempfile::tempdir().expect("a folder");
    let path = empty.path().to_string_lossy().into_owned();
    for arguments in [&["train", "--resume", &path][..], &["evaluate", "--run", &path], &["predict", "--run", &path, "x.png"]] {
        let answer = run(folder, arguments);
        assert!(answer.code == Some(1) && answer.stderr.contains(&path), "{arguments:?}: {}", answer.stderr);
    }
    let both = run(folder, &["train", "--resume=run", "--out=other"]);
    assert_eq!(both.code, Some(2), "{}", both.stderr);
    assert!(!folder.join("other").exists());
}
