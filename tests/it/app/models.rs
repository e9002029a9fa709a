//! The registry in the window: a run is registered, promoted, classified with, deleted and brought back.

use egui_kittest::kittest::Queryable as _;
use tempfile::TempDir;
use tuning_fork::app::{Action, ExperimentsChange, Pane, Saved};
use tuning_fork::track::mlflow::Target;
use tuning_fork::track::{ModelReference, Registry};

use super::super::folders::{Run, write_model};
use super::confusion::{click, until};
use super::stand::{Window, act, app, small_config, state, wait, window};

/// A window with the Experiments panel enlarged on two runs with models.
fn looking() -> (TempDir, Window) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, seed) in [("a", 1), ("b", 2)] {
        let path = folder.path().join(name);
        Run { seed, ..Run::default() }.write(&path);
        write_model(&path, 4, seed);
    }
    let mut window = window(Saved::with_config(small_config()));
    app(&mut window).keep_runs_in(folder.path());
    act(&mut window, Action::Fill(Some(Pane::Experiments)));
    wait(&mut window, "the runs", |state| state.experiments.runs().len() == 2);
    (folder, window)
}

fn register(window: &mut Window, run: &str) {
    click(window, run);
    until(window, &format!("Folder {run}"));
    click(window, "Register…");
    click(window, "Register");
    close_notices(window);
}

/// A notice may lie over what is clicked next.
fn close_notices(window: &mut Window) {
    while let Some(id) = state(window).notices.first().map(|notice| notice.id) {
        act(window, Action::Dismiss(id));
    }
}

fn versions(window: &Window) -> usize {
    state(window).experiments.models.models.iter().map(|model| model.versions.len()).sum()
}

#[test]
fn a_run_is_registered_promoted_classified_with_deleted_and_brought_back() {
    let (folder, mut window) = looking();
    register(&mut window, "a");
    wait(&mut window, "the model", |state| state.experiments.models.models.len() == 1);
    register(&mut window, "b");
    wait(&mut window, "the second version", |state| state.experiments.models.models.first().is_some_and(|model| model.versions.len() == 2));
    close_notices(&mut window);
    click(&mut window, "Models");
    assert!(window.query_by_label("galaxy-classifier@1").is_some() && window.query_by_label("b, epoch 4").is_some());
    click(&mut window, "Card of galaxy-classifier@1");
    until(&mut window, "Model card of galaxy-classifier@1");
    assert!(window.query_by_label_contains("## Intended use").is_some());
    click(&mut window, "Close card");
    let registry = Registry::of(folder.path());
    let champion =
        |registry: &Registry| registry.find(&"galaxy-classifier@champion".parse().expect("a reference")).expect("a version").version;
    let (now, other) = if champion(&registry) == 1 { (1, 2) } else { (2, 1) };
    // the one that is not better stays below until somebody says otherwise
    click(&mut window, &format!("Promote galaxy-classifier@{other}"));
    click(&mut window, "Champion if better");
    wait(&mut window, "why not", |state| state.notices.iter().any(|notice| notice.text.contains(&format!("@{now} stays champion"))));
    close_notices(&mut window);
    click(&mut window, &format!("Promote galaxy-classifier@{other}"));
    click(&mut window, "Champion by hand");
    wait(&mut window, "the alias", |state| state.experiments.models.models[0].aliases.get("champion") == Some(&other));
    assert_eq!(champion(&registry), other);
    close_notices(&mut window);
    click(&mut window, &format!("Delete galaxy-classifier@{now}"));
    wait(&mut window, "the trash", |state| state.experiments.models.models[0].versions.len() == 1);
    assert!(!registry.version_folder("galaxy-classifier", now).exists());
    act(&mut window, Action::Undo);
    wait(&mut window, "the version", |state| state.experiments.models.models[0].versions.len() == 2);
    assert!(registry.find(&ModelReference::version("galaxy-classifier", now)).is_ok());
    close_notices(&mut window);
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    click(&mut window, "Registered");
    click(&mut window, "galaxy-classifier@champion");
    wait(&mut window, "the model", |state| state.model.classifier.is_some());
    let expected = format!("galaxy-classifier@{other}, epoch 4");
    assert!(state(&window).model.description.starts_with(&expected), "{}", state(&window).model.description);
    assert_eq!(versions(&window), 2);
    // and any version, whatever it is called
    click(&mut window, "Registered");
    click(&mut window, "Versions of galaxy-classifier");
    click(&mut window, &format!("galaxy-classifier@{now}"));
    let expected = format!("galaxy-classifier@{now}, epoch 4");
    wait(&mut window, "the other model", |state| state.model.description.starts_with(&expected));
}

#[test]
fn runs_are_mirrored_in_mlflow_while_the_window_is_open() {
    let (folder, mut window) = looking();
    let path = folder.path().join("mlflow.db");
    act(&mut window, Action::Experiments(ExperimentsChange::Mirror(Some(Target::Database(path.clone())))));
    wait(&mut window, "the mirror", |state| matches!(&state.experiments.mirror.state, Some(Ok(words)) if words.contains("2 runs")));
    assert!(path.is_file());
    assert_eq!(app(&mut window).saved().mirror, Some(format!("sqlite:///{}", path.display())));
    click(&mut window, "MLflow: on");
    assert!(window.query_by_label("up to date, 2 runs").is_some());
    click(&mut window, "Stop mirroring");
    assert!(state(&window).experiments.mirror.target.is_none() && app(&mut window).saved().mirror.is_none());
    // a database that cannot be used switches it off, in words
    std::fs::write(&path, "no database, but long enough to be looked at as one ".repeat(4)).expect("a file");
    act(&mut window, Action::Experiments(ExperimentsChange::Mirror(Some(Target::Database(path)))));
    wait(&mut window, "a word", |state| state.notices.iter().any(|notice| notice.text.contains("Training goes on")));
    assert!(state(&window).experiments.mirror.target.is_none());
}
