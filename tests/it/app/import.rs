//! Galaxy10's HDF5 file in the window: dropped, imported, found again, downloaded, ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use egui_kittest::kittest::Queryable as _;
use tuning_fork::app::{Action, ImportAction, ImportOrigin, Pane, Saved, State, WantedImport};
use tuning_fork::data::fetch::{FetchOptions, GALAXY10_FILE, Patience};

use super::stand::{Window, act, app, data, drop_on, small, small_config, state, wait, window};
use crate::fetch::server::{Answer, Server, sha256};

/// 200 pictures of 256 x 256 pixels in ten classes.
fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/data/tiles_of_rows.h5")
}

fn imported(window: &mut Window) {
    wait(window, "the end of the import", |state| state.importing.is_none());
    wait(window, "the data set", |state| state.loading.is_none());
}

/// What is there beside the file and the folder that was made of it.
fn left(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_dropped_file_becomes_a_folder_that_is_opened_and_found_again() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("Galaxy10.h5");
    std::fs::copy(reference(), &file).expect("a file");
    let mut window = small();
    drop_on(&mut window, &file);
    wait(&mut window, "the import", |state| state.notices.iter().any(|notice| notice.text.ends_with("is made.")));
    imported(&mut window);
    let made = home.path().join("Galaxy10");
    assert_eq!(left(home.path()), ["Galaxy10", "Galaxy10.h5"]);
    let data = state(&window).data.as_ref().expect("a data set");
    assert_eq!((data.set.len(), data.set.location.as_deref()), (200, Some(&*made)));

    // it is not imported again, and its path in the field does what dropping it does
    act(&mut window, Action::UseSynthetic);
    wait(&mut window, "the synthetic galaxies", |state| state.loading.is_none());
    // looked for before any frame: what went well is told for a few seconds only
    app(&mut window).apply(Action::OpenData(file));
    assert!(state(&window).notices.iter().any(|notice| notice.text.starts_with("There is a data folder")));
    imported(&mut window);
    assert_eq!(state(&window).data.as_ref().and_then(|data| data.set.location.clone()), Some(made));
}

/// Who does not try again, and waits as long as the server of the test does.
const ONCE: Patience = Patience { attempts: 1, pause: Duration::ZERO, silence: Duration::from_secs(20) };

/// A download from a server of our own.
fn download(server: &Server, place: &Path, sha256: &str, patience: Patience) -> Action {
    let wanted = WantedImport::galaxy10(place);
    let ImportOrigin::Download(options) = wanted.from else { panic!("a download") };
    let options = FetchOptions { patience, ..options.from_mirror(server.url.clone()).with_sha256(sha256.into()) };
    Action::Import(ImportAction::Download(Box::new(WantedImport { from: ImportOrigin::Download(options), ..wanted })))
}

#[test]
fn galaxy10_is_downloaded_and_imported_and_a_broken_download_is_gone_on_with() {
    let home = tempfile::tempdir().expect("a folder");
    let content = std::fs::read(reference()).expect("the reference");
    let sum = sha256(&content);
    let mut window = small();
    let server = Server::start(content.clone(), "\"v1\"", vec![Answer::Cut(1000)]);
    act(&mut window, download(&server, home.path(), &sum, ONCE));
    imported(&mut window);
    assert!(state(&window).notices.iter().any(|notice| notice.text.starts_with("Galaxy10 was not downloaded.")));
    assert!(state(&window).data.as_ref().is_some_and(|data| data.set.location.is_none()), "what was open stays");
    assert_eq!(left(home.path()), ["Galaxy10_DECals.download"]);

    let server = Server::start(content, "\"v1\"", vec![Answer::Good]);
    act(&mut window, download(&server, home.path(), &sum, ONCE));
    imported(&mut window);
    assert_eq!(server.requests()[0].range.as_deref(), Some("bytes=1000-"));
    assert_eq!(left(home.path()), ["Galaxy10_DECals", "Galaxy10_DECals.download"]);
    assert!(home.path().join("Galaxy10_DECals.download").join(GALAXY10_FILE).is_file());
    assert_eq!(state(&window).data.as_ref().map(|data| data.set.len()), Some(200));
}

#[test]
fn a_download_can_be_ended_and_nothing_else_starts_meanwhile() {
    let home = tempfile::tempdir().expect("a folder");
    let content = std::fs::read(reference()).expect("the reference");
    let sum = sha256(&content);
    let server = Server::start(content, "", vec![Answer::Stall(1000)]);
    // it goes on for as long as the test wants
    let patience = Patience { attempts: 100, pause: Duration::from_mins(1), silence: Duration::from_secs(5) };
    let mut window = small();
    act(&mut window, Action::Show(Pane::Train));
    act(&mut window, download(&server, home.path(), &sum, patience));
    let told = |state: &State| state.importing.as_ref().map(|importing| importing.progress.words().0).unwrap_or_default();
    wait(&mut window, "news of it", |state| ["Downloading", "trying again"].iter().any(|words| told(state).contains(words)));
    assert!(window.query_by_label_contains("Importing").is_some(), "it is told above all panels");
    act(&mut window, Action::Import(ImportAction::File(reference())));
    assert!(window.query_by_label_contains("is still being made; end that first").is_some());
    window.get_by_label("End").click();
    wait(&mut window, "the end", |state| state.notices.iter().any(|notice| notice.text.starts_with("The download was ended.")));
    assert!(state(&window).importing.is_none());
    assert!(!home.path().join("Galaxy10_DECals").exists());
}

#[test]
fn closing_the_window_ends_an_import_and_leaves_nothing_half_made() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("Galaxy10.h5");
    std::fs::copy(reference(), &file).expect("a file");
    let mut window = small();
    app(&mut window).apply(Action::Import(ImportAction::File(file)));
    app(&mut window).close();
    let left = left(home.path());
    assert!(left == ["Galaxy10.h5"] || left == ["Galaxy10", "Galaxy10.h5"], "{left:?}");
}

#[test]
fn what_is_in_the_way_is_said_before_anything_is_downloaded() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join("Galaxy10_DECals")).expect("a folder");
    std::fs::write(home.path().join("Galaxy10_DECals/notes.txt"), "mine").expect("a file");
    let server = Server::start(Vec::new(), "", Vec::new());
    let mut window = small();
    act(&mut window, download(&server, home.path(), &sha256(&[]), ONCE));
    assert!(state(&window).importing.is_none());
    assert!(window.query_by_label_contains("Nothing was imported.").is_some());
    assert_eq!(left(home.path()), ["Galaxy10_DECals"]);
}

#[test]
fn a_data_set_that_was_opened_meanwhile_stays() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("Galaxy10.h5");
    std::fs::copy(reference(), &file).expect("a file");
    let mut window = small();
    app(&mut window).apply(Action::Import(ImportAction::File(file)));
    app(&mut window).show_data(data(60)).expect("it can be split");
    wait(&mut window, "the import", |state| state.notices.iter().any(|notice| notice.text.contains("is made; open it on the Train panel")));
    assert_eq!(state(&window).data.as_ref().map(|data| data.set.len()), Some(60));
    assert!(home.path().join("Galaxy10").is_dir());
}

#[test]
fn a_bad_folder_that_is_dropped_before_the_first_data_set_is_there_does_not_stop_it() {
    let home = tempfile::tempdir().expect("a folder");
    let mut window = window(Saved::with_config(small_config()));
    app(&mut window).apply(Action::OpenData(home.path().to_owned()));
    wait(&mut window, "the failure", |state| state.notices.iter().any(|notice| notice.text.starts_with("The data set was not opened.")));
    wait(&mut window, "the synthetic galaxies", |state| state.data.is_some());
}
