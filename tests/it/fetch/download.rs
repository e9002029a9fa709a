//! The download against a server that behaves well, badly and not at all.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tuning_fork::data::DataError;
use tuning_fork::data::fetch::{FetchOptions, FetchProgress, GALAXY10_FILE, Patience, fetch};

use super::server::{Answer, Request, Server, sha256};

const BYTES: usize = 300_000;

/// Bytes without a period, so that a byte in a wrong place is found.
fn content() -> Vec<u8> {
    (0..BYTES as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn options(url: &str, dir: &Path) -> FetchOptions {
    FetchOptions {
        url: url.to_owned(),
        dir: dir.to_owned(),
        sha256: sha256(&content()),
        bytes: Some(BYTES as u64),
        patience: Patience { attempts: 3, pause: Duration::from_millis(5), silence: Duration::from_millis(300) },
    }
}

/// A download from a server with these answers: its outcome, its progress, and what the server was asked.
struct Story {
    folder: TempDir,
    outcome: Result<(), DataError>,
    progress: Vec<FetchProgress>,
    requests: Vec<Request>,
}

impl Story {
    fn play(answers: Vec<Answer>) -> Self {
        Self::play_in(tempfile::tempdir().unwrap(), "\"v1\"", answers, |options| options)
    }

    fn play_in(folder: TempDir, etag: &'static str, answers: Vec<Answer>, change: impl Fn(FetchOptions) -> FetchOptions) -> Self {
        let server = Server::start(content(), etag, answers);
        let options = change(options(&server.url, folder.path()));
        let mut progress = Vec::new();
        let outcome = fetch(&options, &mut |step| progress.push(step), &AtomicBool::new(false));
        let outcome = outcome.map(|path| assert_eq!(path, folder.path().join(GALAXY10_FILE)));
        Self { folder, outcome, progress, requests: server.requests() }
    }

    fn ranges(&self) -> Vec<Option<&str>> {
        self.requests.iter().map(|request| request.range.as_deref()).collect()
    }

    fn message(&self) -> String {
        self.outcome.as_ref().unwrap_err().to_string()
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[track_caller]
    fn assert_complete(&self) {
        self.outcome.as_ref().unwrap();
        assert_eq!(self.files(), [GALAXY10_FILE]);
        assert!(fs::read(self.folder.path().join(GALAXY10_FILE)).unwrap() == content());
    }
}

#[test]
fn a_good_server_is_asked_once() {
    let story = Story::play(vec![Answer::Good]);
    story.assert_complete();
    assert_eq!(story.ranges(), [None]);
    let total = BYTES as u64;
    assert_eq!(story.progress[0], FetchProgress::Downloading { done: 0, total: Some(total) });
    assert!(story.progress.contains(&FetchProgress::Downloading { done: total, total: Some(total) }));
    assert_eq!(story.progress.last(), Some(&FetchProgress::Checking { done: total, total }));
}

#[test]
fn a_file_that_is_there_is_checked_and_not_downloaded() {
    let first = Story::play(vec![Answer::Good]);
    let again = Story::play_in(first.folder, "", vec![], |options| options);
    again.assert_complete();
    assert!(again.progress.iter().all(|step| matches!(step, FetchProgress::Checking { .. })));
}

#[test]
fn another_file_of_that_name_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(GALAXY10_FILE), "mine").unwrap();
    let story = Story::play_in(folder, "", vec![], |options| options);
    assert!(story.message().contains("move it away to download, or pass --sha256"), "{}", story.message());
    assert_eq!(fs::read(story.folder.path().join(GALAXY10_FILE)).unwrap(), b"mine");
}

#[test]
fn a_cut_connection_is_resumed_where_it_broke() {
    let story = Story::play(vec![Answer::Cut(100_000), Answer::Cut(50_000), Answer::Good]);
    story.assert_complete();
    assert_eq!(story.ranges(), [None, Some("bytes=100000-"), Some("bytes=150000-")]);
    assert!(story.requests[1..].iter().all(|request| request.if_range.as_deref() == Some("\"v1\"")));
    assert_eq!(story.progress.iter().filter(|step| matches!(step, FetchProgress::Waiting { .. })).count(), 2);
}

#[test]
fn a_download_goes_on_in_another_program() {
    let broken = Story::play(vec![Answer::Cut(70_000), Answer::Status("503 Busy"), Answer::Status("503 Busy")]);
    assert!(broken.message().contains("70000 bytes are kept: start the download again"), "{}", broken.message());
    let story = Story::play_in(broken.folder, "\"v1\"", vec![Answer::Good], |options| options);
    story.assert_complete();
    assert_eq!(story.ranges(), [Some("bytes=70000-")]);
}

#[test]
fn a_server_without_marks_is_resumed_too() {
    let story = Story::play_in(tempfile::tempdir().unwrap(), "", vec![Answer::Cut(99_999), Answer::Good], |options| options);
    story.assert_complete();
    assert_eq!(story.requests[1], Request { range: Some("bytes=99999-".to_owned()), if_range: None });
}

#[test]
fn a_file_that_changed_on_the_server_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(format!("{GALAXY10_FILE}.part")), [7; 1_000]).unwrap();
    fs::write(folder.path().join(format!("{GALAXY10_FILE}.part.etag")), "\"v0\"").unwrap();
    let story = Story::play_in(folder, "\"v1\"", vec![Answer::Good], |options| options);
    story.assert_complete();
    assert_eq!(story.requests[0].if_range.as_deref(), Some("\"v0\""));
}

#[test]
fn a_server_that_ignores_ranges_begins_again() {
    let story = Story::play(vec![Answer::Cut(123_456), Answer::WholeFile]);
    story.assert_complete();
    assert_eq!(story.ranges(), [None, Some("bytes=123456-")]);
}

#[test]
fn a_server_that_sends_another_range_begins_again() {
    let story = Story::play(vec![Answer::Cut(1_000), Answer::OtherRange, Answer::Good]);
    story.assert_complete();
    assert_eq!(story.ranges(), [None, Some("bytes=1000-"), None]);
}

#[test]
fn a_complete_part_needs_no_server() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(format!("{GALAXY10_FILE}.part")), content()).unwrap();
    Story::play_in(folder, "", vec![], |options| options).assert_complete();
}

#[test]
fn a_complete_part_of_unknown_length_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(format!("{GALAXY10_FILE}.part")), content()).unwrap();
    let story = Story::play_in(folder, "", vec![Answer::Good], |options| FetchOptions { bytes: None, ..options });
    story.assert_complete();
    assert_eq!(story.ranges(), [Some("bytes=300000-")]);
}

#[test]
fn a_part_that_is_too_long_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(format!("{GALAXY10_FILE}.part")), vec![0; BYTES + 1]).unwrap();
    let story = Story::play_in(folder, "", vec![Answer::Good], |options| options);
    story.assert_complete();
    assert_eq!(story.ranges(), [None]);
}

#[test]
fn a_wrong_file_is_set_aside() {
    let wrong = |options: FetchOptions| options.with_sha256("0".repeat(64));
    let story = Story::play_in(tempfile::tempdir().unwrap(), "\"v1\"", vec![Answer::Good], wrong);
    let message = story.message();
    assert!(message.contains(&format!("its SHA-256 is {} (300000 bytes)", sha256(&content()))), "{message}");
    assert!(message.contains("It was set aside as") && message.contains("give another --url"), "{message}");
    assert_eq!(story.files(), [format!("{GALAXY10_FILE}.wrong")]);
}

#[test]
fn a_damaged_part_does_not_become_the_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(format!("{GALAXY10_FILE}.part")), [7; 1_000]).unwrap();
    let story = Story::play_in(folder, "", vec![Answer::Good], |options| options);
    assert!(story.message().contains("not the one expected"), "{}", story.message());
    assert_eq!(story.files(), [format!("{GALAXY10_FILE}.wrong")]);
}

#[test]
fn a_file_of_another_length_is_not_downloaded() {
    let longer = |options: FetchOptions| FetchOptions { bytes: Some(BYTES as u64 + 1), ..options };
    let story = Story::play_in(tempfile::tempdir().unwrap(), "", vec![Answer::Good], longer);
    assert!(story.message().contains("the server offers 300000 bytes, but the file has 300001"), "{}", story.message());
    assert!(!story.progress.iter().any(|step| matches!(step, FetchProgress::Downloading { .. })));
}

#[test]
fn a_missing_file_is_not_asked_for_twice() {
    let story = Story::play(vec![Answer::Status("404 Not Found")]);
    assert!(story.message().contains("404 Not Found: the file is not to be had there"), "{}", story.message());
    assert_eq!(story.requests.len(), 1);
}

#[test]
fn a_server_in_trouble_is_asked_again_when_it_says() {
    let story = Story::play(vec![
        Answer::Status("500 Internal Server Error"),
        Answer::Status("429 Too Many Requests\r\nRetry-After: 0"),
        Answer::Good,
    ]);
    story.assert_complete();
    let pauses: Vec<_> = story
        .progress
        .iter()
        .filter_map(|step| if let FetchProgress::Waiting { pause, .. } = step { Some(*pause) } else { None })
        .collect();
    assert_eq!(pauses, [Duration::from_millis(5), Duration::ZERO]);
}

#[test]
fn a_server_that_stays_in_trouble_is_given_up() {
    let story = Story::play(vec![Answer::Status("503 Service Unavailable"); 3]);
    assert!(story.message().contains("503 Service Unavailable; gave up after 3 failures"), "{}", story.message());
}

#[test]
fn silence_ends_with_a_message() {
    let story = Story::play(vec![Answer::Silence, Answer::Stall(10), Answer::Silence]);
    assert!(story.message().contains("the server sent nothing for 0.3 s; gave up after 3"), "{}", story.message());
    assert!(story.message().contains("10 bytes are kept"), "{}", story.message());
}

#[test]
fn nobody_listening_ends_with_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = fetch(&options(&format!("http://{port}/"), folder.path()), &mut |_| {}, &AtomicBool::new(false));
    let message = outcome.unwrap_err().to_string();
    assert!(message.contains("the connection failed") && message.contains("gave up after 3"), "{message}");
}

#[test]
fn a_stop_keeps_what_has_arrived() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(content(), "\"v1\"", vec![Answer::Stall(100_000)]);
    let stop = AtomicBool::new(false);
    let mut arrived = 0;
    let outcome = fetch(
        &options(&server.url, folder.path()),
        &mut |step| {
            if let FetchProgress::Downloading { done, .. } = step {
                arrived = done;
                stop.store(done > 0, Ordering::Relaxed);
            }
        },
        &stop,
    );
    assert!(matches!(outcome, Err(DataError::Stopped)), "{outcome:?}");
    let part = fs::read(folder.path().join(format!("{GALAXY10_FILE}.part"))).unwrap();
    assert!(arrived > 0 && part == content()[..arrived as usize]);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let try_with = |change: &dyn Fn(FetchOptions) -> FetchOptions| {
        let options = change(options("http://127.0.0.1:1/", folder.path()));
        fetch(&options, &mut |_| {}, &AtomicBool::new(false)).unwrap_err().to_string()
    };
    let message = try_with(&|options| options.with_sha256("19aefc".to_owned()));
    assert!(message.contains("`19aefc` is no SHA-256: give 64 hexadecimal digits"), "{message}");

    fs::write(folder.path().join("file"), "").unwrap();
    let message = try_with(&|options| FetchOptions { dir: folder.path().join("file/folder"), ..options });
    assert!(message.contains("choose a folder that can be written"), "{message}");

    let message = try_with(&|options| options.from_mirror("not an address".to_owned()));
    assert!(message.contains("check the address (--url)"), "{message}");
}
