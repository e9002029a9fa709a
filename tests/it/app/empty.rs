//! Where there is nothing to show yet, words say what to do.

use std::sync::Arc;

use egui_kittest::kittest::Queryable as _;
use tuning_fork::app::{Action, ExploreChange, Pane, Saved};
use tuning_fork::data::{DataError, ImageSource};
use tuning_fork::imaging::Image;
use tuning_fork::train::Config;

use super::confusion::{click, until};
use super::parts::{looking, trained};
use super::stand::{Window, act, app, data, small_config, state, wait, window};

const NO_DATA: [&str; 2] = ["No data set", "Choose the synthetic galaxies or a folder on the Train panel, or drop a folder here."];

/// Whether words that contain these are shown.
fn says(window: &Window, place: &str, words: &[&str]) {
    for words in words {
        assert!(window.query_all_by_label_contains(words).next().is_some(), "{place} does not say “{words}”");
    }
}

#[test]
fn with_a_model_and_no_picture_the_panel_says_how_to_give_it_one() {
    let parent = tempfile::tempdir().expect("a folder");
    let run = trained(&parent.path().join("tiny"));
    let mut window = looking(run.path());
    act(&mut window, Action::LoadModel(run.best_model()));
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    says(&window, "Classify", &["Drop a picture anywhere", "or open one in Explore and press Classify there"]);
    assert!(window.query_by_label("No model yet").is_none());
}

/// Pictures of which nobody knows the size before they are read, so that they are not all read at once.
struct Unmeasured;

impl ImageSource for Unmeasured {
    fn len(&self) -> usize {
        60
    }

    fn size(&self) -> Option<(usize, usize)> {
        None
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        Ok(Image::new(8, 8, vec![index as u8; 192]).expect("8 x 8 pixels"))
    }
}

#[test]
fn without_data_each_panel_says_how_to_get_some() {
    // galaxies of no size cannot be drawn, so there are none
    let mut window = window(Saved::with_config(Config { size: 0, ..small_config() }));
    assert!(state(&window).data.is_none() && state(&window).loading.is_none());
    for (pane, words) in [
        (Pane::Train, ["Correct the values that are marked below, then press Start.", "0 is not usable"]),
        (Pane::Curves, ["No curves yet", "Press Start on the Train panel"]),
        (Pane::Confusion, ["No confusion matrix yet", "Press Start on the Train panel, or open a run"]),
        (Pane::Explore, NO_DATA),
        (Pane::Classify, ["No model yet", "Train one (it is used from its first epoch on), or choose a model file above."]),
        (Pane::Augment, NO_DATA),
    ] {
        act(&mut window, Action::Fill(Some(pane)));
        says(&window, pane.title(), &words);
    }
    // and what they say helps
    act(&mut window, Action::Configure(Box::new(small_config())));
    wait(&mut window, "the synthetic galaxies", |state| state.data.is_some());
    assert!(window.query_by_label(NO_DATA[0]).is_none());
    act(&mut window, Action::Fill(Some(Pane::Train)));
    says(&window, "Train", &["Ready when you are"]);
}

#[test]
fn without_a_run_or_a_model_each_page_says_what_it_needs() {
    let mut window = window(Saved::with_config(small_config()));
    let mut set = data(60);
    Arc::get_mut(&mut set).expect("nobody else has it").images = Arc::new(Unmeasured);
    app(&mut window).show_data(set).expect("it can be split");
    for (pane, page, words) in [
        (Pane::Explore, "Duplicates", ["Not looked for yet", "Look for duplicates"]),
        (Pane::Explore, "Map", ["No map yet", "Let a model go through the pictures"]),
        (Pane::Augment, "Invariance", ["No model yet", "or choose a model file on the Classify panel"]),
    ] {
        act(&mut window, Action::Fill(Some(pane)));
        click(&mut window, page);
        until(&mut window, words[0]);
        says(&window, page, &words);
    }
    act(&mut window, Action::Fill(Some(Pane::Explore)));
    click(&mut window, "Pictures");
    act(&mut window, Action::Explore(ExploreChange::Filter("tagged".into())));
    until(&mut window, "No picture passes the filter");
    says(&window, "Pictures", &["Take words out of it"]);
}
