//! Files that were torn, mixed up or half deleted: each is a message, and nothing is lost.

use std::fs;
use std::path::Path;

use std::sync::Arc;

use tuning_fork::app::{Action, Pane, Saved, Verdict};
use tuning_fork::data::{DataError, Dataset, ImageSource, Sidecar, synth};
use tuning_fork::imaging::Image;

use super::super::folders::Run;
use super::confusion::{cell, click, open, until};
use super::parts::{looking, trained};
use super::stand::{Window, act, app, data, small, small_config, state, wait, window_with_marks};

/// Whether a notice holds these words.
fn told(window: &mut Window, words: &str) {
    wait(window, words, |state| state.notices.iter().any(|notice| notice.text.contains(words)));
}

#[test]
fn labels_of_another_data_set_are_a_message_and_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = synth::dataset(50, 32, 7).expect("galaxies");
    let mut loaded = Sidecar::open(&other, Some(folder.path()));
    assert!(loaded.marks.toggle_tag(3, "merger"));
    loaded.sidecar.save(&loaded.marks, 1, &other).expect("room");
    let file = folder.path().join(format!("{}.json", other.digest()));
    let written = fs::read(&file).expect("it was saved");
    // the file of one data set under the name of another one
    let digest = synth::dataset(100, 32, small_config().seed).expect("galaxies").digest();
    fs::rename(file, folder.path().join(format!("{digest}.json"))).expect("one folder");
    let mut window = window_with_marks(Saved::with_config(small_config()), folder.path());
    told(&mut window, "it is about another data set");
    assert_eq!(fs::read(folder.path().join(format!("{digest}.json.other-data-1"))).expect("it is kept"), written);
    wait(&mut window, "the marks", |state| state.explore.marked.is_some());
    assert!(state(&window).explore.marked.as_ref().is_some_and(|marked| marked.marks.is_empty()), "none of them is taken for its own");
}

/// A window with a good run open in the enlarged panel, and then a run of which `file` is gone.
fn opened_without(folder: &Path, file: &str) -> Window {
    let mut window = small();
    app(&mut window).show_data(data(300)).expect("it can be split");
    act(&mut window, Action::Fill(Some(Pane::Confusion)));
    for name in ["whole", "half"] {
        let path = folder.join(name);
        Run::default().write(&path);
        if name == "half" {
            fs::remove_file(path.join(file)).expect("it was there");
        }
        open(&mut window, &path);
    }
    window
}

#[test]
fn a_run_without_its_configuration_is_a_message_and_the_open_one_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = opened_without(folder.path(), "config.json");
    told(&mut window, "holds no run");
    until(&mut window, "Epoch 4: accuracy");
    assert!(folder.path().join("half/events.jsonl").is_file(), "what is left of it is not touched");
}

#[test]
fn a_run_without_its_split_shows_its_matrix_and_says_why_there_are_no_galaxies() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = opened_without(folder.path(), "split.json");
    until(&mut window, "Which images were used is not known any more");
    until(&mut window, "Epoch 4: accuracy");
    cell(&mut window, "Round were called Spiral");
    until(&mut window, "open the run's data set (plain) first");
}

#[test]
fn a_run_without_its_best_weights_says_that_they_cannot_be_evaluated() {
    let parent = tempfile::tempdir().expect("a folder");
    let run = trained(&parent.path().join("tiny"));
    fs::remove_file(run.best_model()).expect("it was there");
    fs::remove_dir_all(run.path().join("snapshots")).expect("it was there");
    let mut window = looking(run.path());
    click(&mut window, "Test");
    until(&mut window, "Its weights are not kept (epochs with weights: none).");
}

#[test]
fn a_run_without_its_events_still_shows_its_matrix_and_galaxies() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = opened_without(folder.path(), "events.jsonl");
    until(&mut window, "events.jsonl");
    until(&mut window, "on 60 validation images");
    cell(&mut window, "Round were called Spiral");
    until(&mut window, "Round called Spiral (");
    until(&mut window, "labelled Round with");
}

/// A source with a fault.
struct Faulty;

impl ImageSource for Faulty {
    fn len(&self) -> usize {
        30
    }

    fn size(&self) -> Option<(usize, usize)> {
        None
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        panic!("a fault at image {index}, on purpose")
    }
}

#[test]
fn a_fault_in_the_background_is_a_message_and_nothing_goes_on_waiting() {
    let mut window = small();
    let set = Dataset { images: Arc::new(Faulty), ..Arc::into_inner(data(30)).expect("nobody else has it") };
    app(&mut window).show_data(Arc::new(set)).expect("it can be split");
    act(&mut window, Action::ClassifyImage(7));
    wait(&mut window, "the verdict", |state| {
        let verdict = state.subject.as_ref().map(|subject| &subject.verdict);
        matches!(verdict, Some(Verdict::Failed(words)) if words.contains("a fault at image 7, on purpose") && words.contains("report"))
    });
    act(&mut window, Action::OpenPicture(8));
    wait(&mut window, "the large picture", |state| {
        let picture = state.opened.as_ref().and_then(|opened| opened.picture.as_ref());
        matches!(picture, Some(Err(words)) if words.contains("a fault at image 8, on purpose"))
    });
    // the window works on
    act(&mut window, Action::ClosePicture);
    assert!(state(&window).opened.is_none());
}
