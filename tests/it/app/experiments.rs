//! The Experiments panel on run folders: the table, filter, order and groups; what is said of a run; the trash; capsules.

use std::path::Path;

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tempfile::TempDir;
use tuning_fork::app::{Action, ExperimentsChange, Pane, Saved};
use tuning_fork::track::{About, export};
use tuning_fork::train::Config;

use super::super::folders::Run;
use super::confusion::{click, until};
use super::stand::{Window, act, app, drop_on, small_config, state, wait, window};

/// A window with the panel enlarged on the runs a (lr 0.01, seeds 1 and 2), and b (lr 0.1).
fn looking() -> (TempDir, Window) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, seed, lr) in [("a1", 1, 0.01), ("a2", 2, 0.01), ("b", 1, 0.1)] {
        write(&folder.path().join(name), seed, lr);
    }
    let mut window = window(Saved::with_config(small_config()));
    app(&mut window).keep_runs_in(folder.path());
    act(&mut window, Action::Fill(Some(Pane::Experiments)));
    wait(&mut window, "the runs", |state| state.experiments.runs().len() == 3);
    (folder, window)
}

fn write(path: &Path, seed: u64, lr: f64) {
    Run { seed: seed + (lr * 100.0) as u64, ..Run::default() }.write(path);
    let config = Config { data: "plain".into(), epochs: 4, seed, lr, ..small_config() };
    std::fs::write(path.join("config.json"), serde_json::to_vec(&config).expect("JSON")).expect("a file");
}

/// The names of the runs in the table, from above down.
fn rows(window: &Window) -> Vec<String> {
    let boxes = window.query_all_by_role(Role::CheckBox).map(|node| node.accesskit_node());
    let mut named: Vec<(f64, String)> = boxes
        .filter_map(|node| {
            let name = node.label()?.strip_prefix("Compare ")?.to_owned();
            Some((node.raw_bounds()?.y0, name))
        })
        .collect();
    named.sort_by(|a, b| a.0.total_cmp(&b.0));
    named.into_iter().map(|(_, name)| name).collect()
}

fn write_in(window: &mut Window, label: &str, text: &str) {
    window.get_by_label(label).focus();
    window.run_ok();
    window.get_by_label(label).type_text(text);
    window.run_ok();
}

#[test]
fn runs_are_filtered_ordered_and_grouped() {
    let (_folder, mut window) = looking();
    assert_eq!(rows(&window), ["a1", "a2", "b"]);
    click(&mut window, "Order by lr");
    assert_eq!(rows(&window), ["b", "a1", "a2"]);
    click(&mut window, "Order by lr");
    assert_eq!(rows(&window), ["a1", "a2", "b"]);
    click(&mut window, "Group seeds");
    assert_eq!(rows(&window), ["a1", "b"]);
    assert!(window.query_by_label_contains("(+ 1 seeds)").is_some());
    click(&mut window, "Bars");
    assert!(window.query_by_label_contains("2 seeds").is_some());
    click(&mut window, "Group seeds");
    write_in(&mut window, "Filter runs", "lr<0.05 seed:2");
    assert_eq!(rows(&window), ["a2"]);
    assert!(window.query_by_label("1 of 3 runs").is_some());
    // a filter that makes no sense says why, and the rows stay
    write_in(&mut window, "Filter runs", " lr>fast");
    assert!(window.query_by_label_contains("fast is not a number").is_some());
    assert_eq!(rows(&window), ["a2"]);
}

#[test]
fn in_a_low_panel_the_table_and_what_is_below_it_do_not_lie_on_each_other() {
    let (_folder, mut window) = looking();
    for height in [800.0, 420.0, 260.0] {
        window.set_size(egui::vec2(700.0, height));
        window.run_ok();
        let head = window.get_by_label("Order by Run").rect();
        let row = window.get_by_label("Compare a1").rect();
        let tabs = window.get_by_label("Overlay").rect();
        assert!(head.bottom() <= row.top() + 1.0 && row.bottom() <= tabs.top(), "{height}: {head} {row} {tabs}");
    }
}

#[test]
fn the_trials_of_searches_stand_among_the_runs_if_they_are_wanted() {
    let (_folder, mut window) = looking();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let searches = elsewhere.path().join("searches");
    app(&mut window).keep_searches_in(&searches);
    for trial in 0..3_u64 {
        write(&searches.join(format!("galaxies/trial-000{trial}")), 7 + trial, 0.2);
    }
    // no study, but a run that somebody put there
    write(&searches.join("stray"), 1, 0.3);
    std::fs::write(searches.join("galaxies/trial-0002/config.json"), "{").expect("a file");
    assert_eq!(rows(&window).len(), 3);
    click(&mut window, "Trials");
    wait(&mut window, "the trials", |state| state.experiments.runs().len() == 5);
    assert!(window.query_by_label_contains("searches/galaxies/trial-0002 is left out").is_some());
    write_in(&mut window, "Filter runs", "searches/galaxies");
    assert_eq!(rows(&window), ["searches/galaxies/trial-0000", "searches/galaxies/trial-0001"]);
    // what can be done with a run can be done with a trial ...
    let trial = "searches/galaxies/trial-0001".to_owned();
    act(&mut window, Action::Experiments(ExperimentsChange::CompareOnly(vec!["a1".into(), trial.clone()])));
    wait(&mut window, "its epochs", |state| state.experiments.curves.get(&trial).is_some_and(|curve| curve.len() == 4));
    let about = About { name: "the wide one".into(), ..About::default() };
    act(&mut window, Action::Experiments(ExperimentsChange::Describe(trial.clone(), about.clone())));
    wait(&mut window, "its name", |state| !state.experiments.working && state.experiments.jobs.is_empty());
    assert_eq!(About::read(&searches.join("galaxies/trial-0001")).expect("a file"), about);
    act(&mut window, Action::Experiments(ExperimentsChange::UseConfig(trial.clone())));
    wait(&mut window, "its values", |state| (state.config.lr - 0.2).abs() < 1e-12 && state.loading.is_none());
    act(&mut window, Action::Fill(Some(Pane::Experiments)));
    // ... but for taking it out of its search
    act(&mut window, Action::Experiments(ExperimentsChange::Delete(vec![trial.clone()])));
    assert!(state(&window).notices.iter().any(|notice| notice.text.contains("belongs to its search")));
    assert!(searches.join("galaxies/trial-0001/events.jsonl").is_file());
    click(&mut window, "Trials");
    wait(&mut window, "the runs alone", |state| state.experiments.runs().len() == 3 && !state.experiments.compared.contains(&trial));
}

#[test]
fn marked_runs_are_set_side_by_side() {
    let (_folder, mut window) = looking();
    assert!(window.query_by_label("No runs marked").is_some());
    click(&mut window, "Compare a1");
    click(&mut window, "Compare b");
    wait(&mut window, "the curves", |state| state.experiments.curves.len() == 2);
    assert!(window.query_by_label_contains("Validation macro-F1 by Epoch of a1, b").is_some());
    click(&mut window, "Side by side");
    assert!(window.query_by_label("≠ lr").is_some() && window.query_by_label_contains("≠ batch").is_none());
    assert!(window.query_by_label("batch").is_none());
    click(&mut window, "Also what is the same");
    assert!(window.query_by_label("batch").is_some());
    click(&mut window, "Parallel");
    assert!(window.query_by_label_contains("3 runs on 2 axes").is_some());
}

#[test]
fn a_run_is_described_deleted_and_brought_back() {
    let (folder, mut window) = looking();
    click(&mut window, "a2");
    until(&mut window, "Folder a2");
    write_in(&mut window, "Name", "Second try");
    write_in(&mut window, "Tags", "final, wide");
    // leaving the field is what keeps it
    window.get_by_label("Notes").focus();
    window.run_ok();
    wait(&mut window, "the name", |state| state.experiments.run("a2").is_some_and(|run| run.about.tags.len() == 2));
    let start = std::time::Instant::now();
    loop {
        let about = About::read(&folder.path().join("a2")).expect("it is kept");
        if about.name == "Second try" && about.tags == ["final", "wide"] {
            break;
        }
        assert!(start.elapsed().as_secs() < 120, "{about:?}");
        window.step();
    }
    click(&mut window, "Delete");
    wait(&mut window, "the trash", |state| state.experiments.runs().len() == 2);
    assert!(!folder.path().join("a2").exists());
    act(&mut window, Action::Undo);
    wait(&mut window, "the run", |state| state.experiments.runs().len() == 3);
    assert_eq!(About::read(&folder.path().join("a2")).expect("as it was").name, "Second try");
    // a notice may lie over what is clicked next
    while let Some(id) = state(&window).notices.first().map(|notice| notice.id) {
        act(&mut window, Action::Dismiss(id));
    }
    click(&mut window, "Second try");
    click(&mut window, "Use values");
    wait(&mut window, "the form", |state| state.config.lr < 0.02 && state.config.seed == 2);
}

#[test]
fn a_run_of_another_process_appears_and_what_is_damaged_is_told() {
    let (folder, mut window) = looking();
    std::fs::create_dir(folder.path().join("torn")).expect("a folder");
    std::fs::write(folder.path().join("torn/config.json"), "{").expect("a file");
    write(&folder.path().join("c"), 5, 0.3);
    wait(&mut window, "the new run", |state| state.experiments.runs().len() == 4);
    assert!(window.query_by_label_contains("torn is left out").is_some());
}

#[test]
fn a_dropped_capsule_is_unpacked_and_opened() {
    let (folder, mut window) = looking();
    let capsule = folder.path().join("run.zip");
    export(&folder.path().join("b"), &capsule).expect("exports");
    std::fs::remove_dir_all(folder.path().join("b")).expect("removes");
    drop_on(&mut window, &capsule);
    wait(&mut window, "the run", |state| state.review.opened.iter().any(|opened| opened.record.name == "b"));
    assert!(folder.path().join("b/config.json").exists());
    // another file of that kind is refused in words
    std::fs::write(&capsule, "no archive").expect("a file");
    let before = state(&window).notices.len();
    drop_on(&mut window, &capsule);
    wait(&mut window, "a message", |state| {
        state.notices.len() > before && state.notices.iter().any(|n| n.text.contains("no run that was exported"))
    });
}
