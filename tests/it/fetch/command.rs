//! The `data` subcommand through the program itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tuning_fork::data::{self, fetch::GALAXY10_FILE};

use super::server::{Answer, Server, sha256};

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/data").join(name)
}

fn tuning_fork() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuning-fork"));
    command.arg("data").env_remove("RUST_LOG");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn assert_done(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[track_caller]
fn assert_failed(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    text(&output.stderr)
}

/// Content to download, and its SHA-256.
fn galaxies() -> (Vec<u8>, String) {
    let bytes = fs::read(reference("gzip_latest.h5")).unwrap();
    let sum = sha256(&bytes);
    (bytes, sum)
}

#[test]
fn import_tells_what_it_found_and_whom_to_thank() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("galaxies");
    let import = || tuning_fork().arg("import").arg(reference("gzip_latest.h5")).arg(&target).output().unwrap();
    let told = assert_done(&import());
    for expected in ["11 images of 10 x 12 pixels", "2  0 Disturbed", "columns: ra, dec, redshift, pxscale", "Galaxy Zoo"] {
        assert!(told.contains(expected), "no `{expected}` in {told}");
    }
    assert_eq!(data::open(&target).unwrap().len(), 11);
    let message = assert_failed(&import());
    assert!(message.starts_with("error: ") && message.contains("not empty; choose another name"), "{message}");
}

#[test]
fn import_thanks_nobody_for_other_data() {
    let folder = tempfile::tempdir().unwrap();
    let output = tuning_fork().arg("import").arg(reference("twelve_classes.h5")).arg(folder.path().join("new")).output();
    let told = assert_done(&output.unwrap());
    assert!(told.contains("1  11 Class 11") && !told.contains("Galaxy Zoo"), "{told}");
}

#[test]
fn import_of_a_bad_file_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = tuning_fork().arg("import").arg(reference("bad_no_ans.h5")).arg(folder.path().join("new")).output();
    let message = assert_failed(&output.unwrap());
    assert!(message.contains("bad_no_ans.h5: there is no data set `ans`"), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn fetch_downloads_over_a_cut_and_imports() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("galaxies");
    let (bytes, sha256) = galaxies();
    let server = Server::start(bytes.clone(), "\"v1\"", vec![Answer::Cut(3_000), Answer::Good]);
    let output = tuning_fork().arg("fetch").arg(&target).args(["--url", &server.url, "--sha256", &sha256]).output().unwrap();
    let told = assert_done(&output);
    assert_eq!(server.requests()[1].range.as_deref(), Some("bytes=3000-"));
    let notes = text(&output.stderr);
    assert!(notes.contains("getting http://127.0.0.1") && notes.contains("trying again in 2 s"), "{notes}");
    assert!(told.contains("11 images of 10 x 12 pixels") && told.contains("Galaxy Zoo"), "{told}");
    assert_eq!(data::open(&target).unwrap().len(), 11);
    let kept = folder.path().join("galaxies.download").join(GALAXY10_FILE);
    assert!(fs::read(&kept).unwrap() == bytes && told.contains(&kept.display().to_string()), "{told}");
}

#[test]
fn fetch_of_a_wrong_file_imports_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("galaxies");
    let server = Server::start(b"<html>Sign in</html>".to_vec(), "", vec![Answer::Good]);
    let message = assert_failed(&tuning_fork().arg("fetch").arg(&target).args(["--url", &server.url]).output().unwrap());
    assert!(message.contains("the server offers 20 bytes, but the file has 2735267419"), "{message}");
    assert!(!target.exists());
}

#[test]
fn fetch_looks_at_the_folder_before_it_downloads() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let message = assert_failed(&tuning_fork().arg("fetch").arg(folder.path()).args(["--url", "http://127.0.0.1:1/"]).output().unwrap());
    assert!(message.contains("not empty") && !message.contains("getting"), "{message}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_fetch_keeps_what_has_arrived() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("galaxies");
    let (bytes, sha256) = galaxies();
    let server = Server::start(bytes.clone(), "", vec![Answer::Stall(5_000)]);
    let mut fetch = tuning_fork();
    fetch.arg("fetch").arg(&target).args(["--url", &server.url, "--sha256", &sha256]).stderr(Stdio::piped());
    let child = fetch.spawn().unwrap();
    let part = folder.path().join("galaxies.download").join(format!("{GALAXY10_FILE}.part"));
    let start = Instant::now();
    while fs::metadata(&part).map_or(0, |part| part.len()) < 5_000 && start.elapsed() < Duration::from_secs(15) {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(text(&output.stderr).contains("run the same command again to go on from there"));
    assert!(fs::read(&part).unwrap() == bytes[..5_000] && !target.exists());
}

#[test]
fn synth_draws_what_info_counts() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("drawn");
    let options = ["--images", "100", "--size", "32", "--seed", "5"];
    let told = assert_done(&tuning_fork().arg("synth").arg(&target).args(options).output().unwrap());
    assert!(told.contains("100 synthetic galaxies of 32 x 32 pixels (seed 5)"), "{told}");

    let json = assert_done(&tuning_fork().arg("info").arg(&target).arg("--json").output().unwrap());
    assert_eq!(json.lines().count(), 1);
    let info: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&info["images"], &info["size"]), (&serde_json::json!(100), &serde_json::json!([32, 32])));
    let classes = info["classes"].as_array().unwrap();
    assert_eq!(classes.iter().map(|class| class["images"].as_u64().unwrap()).sum::<u64>(), 100);

    let table = assert_done(&tuning_fork().arg("info").arg(&target).output().unwrap());
    assert!(classes.iter().all(|class| table.contains(class["name"].as_str().unwrap())), "{table}");
}

#[test]
fn info_counts_also_what_cannot_be_split() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("galaxies");
    assert_done(&tuning_fork().arg("import").arg(reference("gzip_latest.h5")).arg(&target).output().unwrap());
    let output = tuning_fork().arg("info").arg(&target).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("       2  0 Disturbed\n       1  1 Merging\n"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("class \"Disturbed\" has only 2 images"), "{}", text(&output.stderr));
}

#[test]
fn info_of_nothing_says_so() {
    let message = assert_failed(&tuning_fork().args(["info", "no/such/folder"]).output().unwrap());
    assert!(message.contains("no/such/folder: there is no such folder"), "{message}");
}
