//! The Search panel: a study from the form to its results, studies of other programs, journals that cannot be read.

use std::collections::BTreeSet;
use std::path::Path;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use tempfile::TempDir;
use tuning_fork::app::{Action, Page, Pane, Saved, SearchChange, SearchForm, StudyPlace};
use tuning_fork::search::{PrunerKind, Sampler, Space, Storage, TrialState};
use tuning_fork::track::ModelReference;
use tuning_fork::train::{Command, Config};

use super::confusion::{click, until};
use super::stand::{Window, act, app, small_config, state, wait, window};
use crate::postgres::{PASSWORD, Server};

/// A study in Optuna's own hand.
const OPTUNA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/search/study.log");

/// A window with the panel enlarged, its searches in a folder of their own.
fn searching() -> (TempDir, Window) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(Saved::with_config(Config { threads: 1, batch: 16, ..small_config() }));
    app(&mut window).keep_searches_in(folder.path().join("searches"));
    app(&mut window).keep_runs_in(folder.path().join("runs"));
    act(&mut window, Action::Fill(Some(Pane::Search)));
    wait(&mut window, "the searches and the galaxies", |state| state.search.journals.is_some() && state.data.is_some());
    (folder, window)
}

/// Two trials of an epoch each.
fn short() -> SearchForm {
    SearchForm {
        study: "short".into(),
        space: "lr = { low = 1e-4, high = 1e-2, log = true }\noptimizer = { choices = [\"adamw\", \"sgd\"] }".into(),
        epochs: 1,
        trials: Some(2),
        sampler: Sampler::Random,
        pruner: PrunerKind::None,
        ..SearchForm::default()
    }
}

fn start(window: &mut Window, form: SearchForm) {
    act(window, Action::Search(SearchChange::Start(Box::new(form))));
    wait(window, "the search", |state| !state.search.starting);
}

fn says(window: &Window, words: &str) -> bool {
    window.query_by_label_contains(words).is_some()
}

#[test]
fn a_search_is_watched_and_every_page_shows_its_trials() {
    let (folder, mut window) = searching();
    start(&mut window, short());
    assert!(state(&window).start_blocked().is_some_and(|why| why.contains("A search is going on")));
    wait(&mut window, "the end of the search", |state| state.search.going.is_none());
    wait(&mut window, "its trials", |state| state.search.study().is_some_and(|study| study.count(TrialState::Complete) == 2));
    assert!(says(&window, "2 trials: 2 complete, 0 pruned; best 0."));
    until(&mut window, "2 trials, the best so far 0.");
    for (page, words) in [
        ("Epochs", "2 trials over their epochs, 0 of them stopped early"),
        ("Slice", "2 trials by lr"),
        ("Parallel lines", "2 trials on 3 axes"),
        ("Importances", "lr: "),
        ("Trial", "the best of the study"),
    ] {
        window.get_by_role_and_label(Role::Button, page).click();
        window.run_ok();
        assert!(says(&window, words), "{page} shows {words}");
    }
    // two trials are too few for a map of two parameters
    click(&mut window, "Contour");
    assert!(says(&window, "Too few trials"));
    // the command palette knows the pages too
    act(&mut window, Action::Fill(None));
    for (page, words) in
        [(Page::Slice, "2 trials by lr"), (Page::Epochs, "2 trials over their epochs"), (Page::Trial, "the best of the study")]
    {
        act(&mut window, Action::Turn(page));
        assert!(says(&window, words), "{} shows {words}", page.title());
    }
    let journal = folder.path().join("searches/short.log");
    assert!(journal.exists() && folder.path().join("searches/short/trial-0001/best.safetensors").exists());
}

#[test]
fn a_search_that_was_stopped_goes_on_with_its_trial() {
    let (_folder, mut window) = searching();
    start(&mut window, SearchForm { epochs: 200, trials: Some(1), ..short() });
    wait(&mut window, "an epoch", |state| state.search.going.as_ref().is_some_and(|going| going.epoch.is_some()));
    click(&mut window, "Pause");
    assert!(state(&window).search.going.as_ref().is_some_and(|going| going.paused));
    click(&mut window, "Go on");
    click(&mut window, "Stop");
    wait(&mut window, "the end", |state| state.search.going.is_none());
    wait(&mut window, "the trial", |state| state.search.study().is_some_and(|study| study.count(TrialState::Running) == 1));
    assert!(says(&window, "1 unfinished"));
    wait(&mut window, "the look at its worker", |state| state.search.is_interrupted(0));
    assert!(says(&window, "interrupted"));
    let epochs = state(&window).search.study().map_or(0, |study| study.trials[0].intermediate.len());
    // the study knows what it searches; the form of the panel has only the limits
    click(&mut window, "Go on");
    wait(&mut window, "the search", |state| state.search.going.is_some());
    wait(&mut window, "another epoch", |state| state.search.study().is_some_and(|study| study.trials[0].intermediate.len() > epochs));
    assert_eq!(state(&window).search.study().map(|study| study.trials.len()), Some(1));
    act(&mut window, Action::Search(SearchChange::Command(Command::Stop)));
    wait(&mut window, "the end", |state| state.search.going.is_none());
}

#[test]
fn the_form_says_what_is_wrong_and_starts_what_it_shows() {
    let (_folder, mut window) = searching();
    // a row a parameter
    assert!(window.query_by_label("Least lr").is_some() && window.query_by_label("Choices of optimizer").is_some());
    // a choice that another row waits for is not taken away without a word
    window.get_by_label("Choices of optimizer").focus();
    window.run_ok();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_label("Choices of optimizer").type_text("adamw, radam");
    window.run_ok();
    window.key_press(Key::Enter);
    window.run_ok();
    until(&mut window, "Not changed: ");
    assert!(says(&window, "momentum: waits for optimizer to be \"sgd\", which is not among"));
    click(&mut window, "Do not search optimizer");
    assert!(window.query_by_label("Choices of optimizer").is_none());
    assert!(window.query_by_label("Least momentum").is_none(), "what waits for it goes with it");
    for name in ["weight_decay", "batch", "schedule", "beta", "gamma", "augmentation"] {
        click(&mut window, &format!("Do not search {name}"));
    }
    window.get_by_role_and_label(Role::SpinButton, "Greatest lr").set_value_accesskit(0.05);
    window.run_ok();
    window.get_by_role_and_label(Role::SpinButton, "Most epochs").set_value_accesskit(1.0);
    window.run_ok();
    window.get_by_role_and_label(Role::SpinButton, "Trials in all").set_value_accesskit(1.0);
    window.run_ok();
    click(&mut window, "As text");
    let text = window.get_by_label("Search space");
    text.focus();
    window.run_ok();
    window.get_by_label("Search space").type_text("nonsense = 3 ");
    window.run_ok();
    until(&mut window, "nonsense: there is no such field");
    click(&mut window, "Start search");
    wait(&mut window, "the refusal", |state| !state.notices.is_empty());
    assert!(state(&window).notices[0].text.contains("The search was not started."), "{}", state(&window).notices[0].text);
    click(&mut window, "Usual space");
    click(&mut window, "As text");
    for name in ["optimizer", "weight_decay", "batch", "schedule", "beta", "gamma", "augmentation"] {
        click(&mut window, &format!("Do not search {name}"));
    }
    click(&mut window, "Start search");
    wait(&mut window, "a trial", |state| state.search.study().is_some_and(|study| study.count(TrialState::Complete) == 1));
    let study = state(&window).search.study().expect("the study").clone();
    assert_eq!((study.name.as_str(), study.trials[0].params.keys().map(String::as_str).collect::<Vec<_>>()), ("galaxies", vec!["lr"]));
    wait(&mut window, "the end", |state| state.search.going.is_none());
    // it has its trial, so there is nothing to go on with
    let before = state(&window).search.changes;
    click(&mut window, "Go on");
    assert!(state(&window).search.going.is_none() && !state(&window).search.starting && state(&window).search.changes >= before);
}

#[test]
fn a_trial_gives_its_values_and_is_trained_longer() {
    let (folder, mut window) = searching();
    start(&mut window, short());
    wait(&mut window, "the end of the search", |state| state.search.going.is_none());
    wait(&mut window, "its trials", |state| state.search.study().is_some_and(|study| study.best().is_some()));
    let study = state(&window).search.study().expect("the study").clone();
    let worse = study.ranking().last().expect("two trials").number;
    act(&mut window, Action::Search(SearchChange::Focus(Some(worse))));
    until(&mut window, &format!("Trial {worse}"));
    click(&mut window, "Use its values");
    let lr = study.trials[worse].params["lr"].value();
    wait(&mut window, "the values", |state| serde_json::json!(state.config.lr) == lr);
    act(&mut window, Action::Fill(Some(Pane::Search)));
    window.get_by_role_and_label(Role::SpinButton, "for").set_value_accesskit(2.0);
    window.run_ok();
    click(&mut window, "Train it longer");
    wait(&mut window, "the longer run", |state| state.run.as_ref().is_some_and(tuning_fork::app::Run::is_over));
    let run = state(&window).run.as_ref().expect("a run");
    assert_eq!((run.config.epochs, run.session.epochs.len(), serde_json::json!(run.config.lr)), (2, 2, lr));
    assert!(run.folder.starts_with(folder.path().join("runs")));
    act(&mut window, Action::Fill(Some(Pane::Search)));
    click(&mut window, "Register it");
    until(&mut window, "galaxy-classifier@1");
    let registry = tuning_fork::track::Registry::of(&folder.path().join("runs"));
    registry.find(&ModelReference::version("galaxy-classifier", 1)).expect("the registered trial");
    click(&mut window, "Use its model");
    wait(&mut window, "its model", |state| {
        state.model.chosen.as_ref().is_some_and(|path| path.ends_with(format!("trial-{worse:04}"))) && state.model.classifier.is_some()
    });
}

#[test]
fn studies_of_optuna_are_shown_and_bad_journals_are_told() {
    let (folder, mut window) = searching();
    let searches = folder.path().join("searches");
    std::fs::create_dir_all(&searches).expect("a folder");
    std::fs::copy(Path::new(OPTUNA), searches.join("python.log")).expect("the journal");
    std::fs::write(searches.join("bad.log"), "{\"op_code\": 99, \"worker_id\": \"a\"}\n").expect("a file");
    act(&mut window, Action::Search(SearchChange::Refresh));
    wait(&mut window, "the journals", |state| state.search.studies().count() > 0);
    assert!(says(&window, "bad.log is left out:"));
    let (place, trials) = {
        let (place, study) = state(&window).search.studies().next().expect("a study");
        (place, study.trials.len())
    };
    act(&mut window, Action::Search(SearchChange::Show(Some(place))));
    assert!(says(&window, &format!("{trials} trial")));
    assert!(says(&window, "Another program began this study"));
    // a study that is gone is not shown any more
    act(
        &mut window,
        Action::Search(SearchChange::Show(Some(StudyPlace { storage: Storage::Journal(searches.join("gone.log")), study: "gone".into() }))),
    );
    assert!(says(&window, "Start search"));
}

#[test]
fn a_study_of_optuna_goes_on_with_what_its_trials_searched() {
    let (folder, mut window) = searching();
    let journal = folder.path().join("searches/python.log");
    std::fs::create_dir_all(folder.path().join("searches")).expect("a folder");
    std::fs::copy(Path::new(OPTUNA), &journal).expect("the journal");
    act(&mut window, Action::Search(SearchChange::Refresh));
    wait(&mut window, "the journal", |state| state.search.studies().count() > 1);
    let place = StudyPlace { storage: Storage::Journal(journal), study: "galaxy10".into() };
    act(&mut window, Action::Search(SearchChange::Show(Some(place))));
    let study = state(&window).search.study().expect("the study").clone();
    let space = Space::of_trials(&study).expect("a space").expect("known fields");
    let names: BTreeSet<&str> = space.parameters().iter().map(|p| p.name.as_str()).collect();
    assert!(names.contains("lr") && names.contains("batch"), "{names:?}");
    assert!(says(&window, "Gamma"), "the usual space");
    click(&mut window, "Search what its trials did");
    assert!(!says(&window, "Gamma") && says(&window, "Learning rate"));
    let (before, complete) = (study.trials.len(), study.count(TrialState::Complete));
    // what cannot be searched is refused before anything is written
    start(&mut window, SearchForm { space: "lr = { low = 2, high = 1 }".into(), ..SearchForm::default() });
    assert!(state(&window).notices.iter().any(|notice| notice.text.contains("swap them")));
    let form = SearchForm { space: space.to_toml(), trials: Some(before + 1), ..short() };
    start(&mut window, form);
    wait(&mut window, "the end of the search", |state| state.search.going.is_none());
    wait(&mut window, "the new trial", |state| state.search.study().is_some_and(|study| study.count(TrialState::Complete) > complete));
    let study = state(&window).search.study().expect("the study");
    let new = study.trials.iter().rfind(|trial| trial.state == TrialState::Complete).expect("a trial");
    assert!(new.user_attrs.contains_key("run") && new.params.keys().map(String::as_str).eq(names), "{new:?}");
    assert!(!says(&window, "Another program began this study"), "now it says what it searches");
}

#[test]
fn a_study_at_an_address_is_watched_and_gone_on_with() {
    let Some(mut server) = Server::start() else { return };
    let (folder, mut window) = searching();
    let address = server.database("shared");
    let place = tuning_fork::search::Address::parse(&address).expect("an address");
    let storage = Storage::Database { address: place, folder: folder.path().join("searches") };
    let open = |window: &mut Window, text: &str| {
        click(window, "Open address…");
        window.get_by_label("Address").focus();
        window.run_ok();
        window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        window.get_by_label("Address").type_text(text);
        window.run_ok();
        click(window, "Open");
    };
    open(&mut window, "mysql://h/d");
    assert!(state(&window).notices.iter().any(|notice| notice.text.contains("postgresql://USER@HOST/DATABASE")));
    open(&mut window, &address.replace("/shared", "/none"));
    wait(&mut window, "the refusal", |state| state.notices.iter().any(|notice| notice.text.contains("createdb")));
    open(&mut window, &address);
    wait(&mut window, "an empty database", |state| state.notices.iter().any(|notice| notice.text.contains("There is no study at")));
    // a worker makes it
    let plan = super::super::search::plan_in(storage, 1);
    super::super::search::run(&plan, |_, _| {}).0.expect("a good end");
    open(&mut window, &address);
    wait(&mut window, "the study", |state| state.search.study().is_some());
    assert!(says(&window, "1 trial: 1 complete"));
    assert!(state(&window).notices.iter().all(|notice| !notice.text.contains(PASSWORD)));
    start(&mut window, SearchForm { trials: Some(2), pruner: PrunerKind::None, ..SearchForm::default() });
    wait(&mut window, "the end of the search", |state| state.search.going.is_none());
    wait(&mut window, "its trials", |state| state.search.study().is_some_and(|study| study.count(TrialState::Complete) == 2));
    server.stop();
    act(&mut window, Action::Search(SearchChange::Refresh));
    wait(&mut window, "the silence", |state| state.search.damaged().count() == 1);
    assert!(says(&window, "is left out") && says(&window, "2 trials: 2 complete"), "what was read stays");
}
