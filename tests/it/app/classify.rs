//! A picture dropped on the window.

use std::path::PathBuf;
use std::sync::Arc;

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use tempfile::TempDir;
use tuning_fork::app::{Action, Column, Familiar, InspectAction, MapState, Pane, State, Verdict};
use tuning_fork::explain::Classifier;
use tuning_fork::review::{self, FAMILIARITY};
use tuning_fork::train::{Config, Event, Job, Outcome, RunFolder, Status};

use super::stand::{self, Window, act, app, drop_all, drop_on, small, small_config, state, wait};

#[test]
fn hovering_files_bring_a_hint() {
    let mut window = small();
    let file = egui::HoveredFile { path: Some("galaxy.png".into()), mime: String::new() };
    window.input_mut().hovered_files.push(file);
    window.run_ok();
    assert!(window.query_by_label("Drop it anywhere").is_some());
    window.input_mut().hovered_files.clear();
    window.run_ok();
    assert!(window.query_by_label("Drop it anywhere").is_none());
}

#[test]
fn a_picture_without_a_model_waits_for_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("galaxy.png");
    image::RgbImage::new(40, 30).save(&path).expect("a picture");
    let mut window = small();
    drop_on(&mut window, &path);
    wait(&mut window, "the picture", |state| state.subject.as_ref().is_some_and(|subject| subject.picture.is_some()));
    assert!(window.query_by_label_contains("picture galaxy.png").is_some());
    assert!(window.query_by_label_contains("as soon as there is one").is_some());
}

#[test]
fn bad_files_say_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    };
    let mut window = small();
    for path in [write("empty.png", &[]), write("text.png", b"no picture"), folder.path().join("missing.png")] {
        drop_on(&mut window, &path);
        wait(&mut window, "the verdict", |state| {
            state.subject.as_ref().is_some_and(|subject| matches!(subject.verdict, Verdict::Failed(_)))
        });
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(window.query_all_by_label_contains(&name).next().is_some(), "{name}");
    }
    // a file of Galaxy10 is no picture, and is imported; what is said again stands once, and Escape closes it
    let file = write("Galaxy10.h5", b"\x89HDF");
    for _ in 0..2 {
        drop_on(&mut window, &file);
        wait(&mut window, "the end of the import", |state| state.importing.is_none());
        assert!(state(&window).notices.iter().any(|notice| notice.text.starts_with("The file was not imported.")));
    }
    assert_eq!(state(&window).notices.len(), 1);
    window.key_press(Key::Escape);
    window.run_ok();
    assert!(state(&window).notices.is_empty());
    let model = write("model.safetensors", b"no model");
    drop_on(&mut window, &model);
    wait(&mut window, "a notice", |state| !state.notices.is_empty());
    assert!(state(&window).notices[0].text.starts_with("The model was not loaded."));
}

#[test]
fn one_click_trains_a_model_that_classifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("galaxy.png");
    image::RgbImage::new(40, 30).save(&path).expect("a picture");
    let mut window = small();
    app(&mut window).keep_runs_in(folder.path().join("runs"));
    // the picture is there before the model; its verdict comes with the first epoch
    drop_on(&mut window, &path);
    window.get_by_role_and_label(Role::Button, "Start").click();
    wait(&mut window, "the end of the run", |state| state.run.as_ref().is_some_and(|run| matches!(run.session.status, Status::Ended(_))));
    let run = state(&window).run.as_ref().expect("the run");
    assert_eq!(run.session.status, Status::Ended(Outcome::Completed), "{:?}", run.session.message);
    assert!(run.folder.starts_with(folder.path().join("runs")));
    wait(&mut window, "the verdict", |state| state.subject.as_ref().is_some_and(|subject| matches!(subject.verdict, Verdict::Ready(_))));
    let Some(Verdict::Ready(bars)) = state(&window).subject.as_ref().map(|subject| &subject.verdict) else {
        unreachable!("it was waited for")
    };
    assert_eq!(bars.len(), 10);
    assert!((bars.iter().map(|(_, p)| p).sum::<f32>() - 1.0).abs() < 1e-4);
    assert!(bars.windows(2).all(|pair| pair[0].1 >= pair[1].1), "the most probable class is first");
    let first = format!("{}: {:.1} %", bars[0].0, 100.0 * bars[0].1);
    assert!(window.query_by_label(&first).is_some(), "{first}");
    assert!(window.query_by_label_contains("32 x 32 px, 10 classes").is_some());
    assert!(window.query_by_label_contains("Confusion matrix of epoch 2").is_some());
}

/// A run folder with a model of few galaxies, the galaxies open, and a picture dropped.
fn trained() -> (Window, TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    let config = small_config();
    let set = Arc::new(tuning_fork::data::load(&config.data, config.synthetic_images, config.size, config.seed).expect("galaxies"));
    let job = Job { config, dataset: set, folder: RunFolder::create(&run).expect("a run folder") };
    let handle = tuning_fork::train::spawn(job, None);
    while !handle.drain().iter().any(|event| matches!(event, Event::Ended(_))) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let path = folder.path().join("galaxy.png");
    image::RgbImage::new(40, 30).save(&path).expect("a picture");
    (small(), folder, run)
}

fn known(state: &State) -> bool {
    matches!(state.model.familiar, Familiar::Known(_)) && state.inspect.nearness.is_some()
}

#[test]
fn the_panel_says_whether_a_picture_is_like_the_training_data() {
    let (mut window, folder, run) = trained();
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    act(&mut window, Action::LoadModel(run.clone()));
    drop_on(&mut window, &folder.path().join("galaxy.png"));
    // few galaxies are looked at without being asked, and the run keeps what was seen
    wait(&mut window, "the distance", known);
    let (nearness, sentence) = state(&window).inspect.nearness.clone().expect("it was waited for");
    assert!(sentence.contains("of the 19 validation pictures"), "{sentence}");
    assert!(window.query_by_label(&sentence).is_some());
    let kept = std::fs::read(run.join(FAMILIARITY)).expect("the file");

    // the same from the file, and in the table
    drop_all(&mut window, &[folder.path().join("galaxy.png"), folder.path().join("galaxy.png")]);
    wait(&mut window, "the table", |state| state.pile.total == Some(2) && !state.pile.running);
    assert_eq!(state(&window).pile.rows[0].nearness, Some(nearness));
    let said = format!("distance percentile {:.1}", nearness.percentile());
    assert!(window.query_all_by_label_contains(&said).count() == 2, "{said}");
    window.get_by_label("Sort by distance").click();
    window.run_ok();
    assert_eq!(state(&window).pile.sort, (Column::Distance, true));

    // a damaged file is told and made again
    std::fs::write(run.join(FAMILIARITY), &kept[..100]).expect("a file");
    act(&mut window, Action::LoadModel(run.clone()));
    wait(&mut window, "the note", |state| state.notices.iter().any(|notice| notice.text.contains("made again")));
    assert_eq!(std::fs::read(run.join(FAMILIARITY)).expect("the file"), kept);
}

/// A dropped run is looked back on with all its training steps, and its model classifies a strip, whose colour bar is taller than it.
#[test]
fn a_dropped_run_has_its_curves_and_a_strip_is_shown() {
    let (mut window, folder, run) = trained();
    drop_on(&mut window, &run);
    wait(&mut window, "the run", |state| !state.review.opened.is_empty() && state.model.classifier.is_some());
    assert!(!state(&window).review.opened[0].record.session.steps.is_empty(), "the training curve");
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    for (width, height) in [(4000, 100), (1000, 150), (100, 4000)] {
        let strip = folder.path().join(format!("strip {width}.png"));
        image::RgbImage::new(width, height).save(&strip).expect("a picture");
        drop_on(&mut window, &strip);
        wait(&mut window, "the map", |state| {
            let subject = state.subject.as_ref().is_some_and(|subject| subject.name.contains(&width.to_string()));
            subject && matches!(&state.inspect.map, MapState::Ready(shown) if state.inspect.explainer.as_ref().is_some_and(|e| shown.of(e)))
        });
        window.run_ok();
        assert!(window.query_by_label_contains("Colour bar from").is_some());
    }
}

/// While a run needs the processor nothing is looked at, unless the user asks.
#[test]
fn during_a_run_the_training_data_are_looked_at_when_asked() {
    let (mut window, folder, run) = trained();
    stand::run(&mut window, [stand::step(1)]);
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    act(&mut window, Action::LoadModel(run.clone()));
    drop_on(&mut window, &folder.path().join("galaxy.png"));
    wait(&mut window, "the verdict", |state| state.subject.as_ref().is_some_and(|subject| matches!(subject.verdict, Verdict::Ready(_))));
    wait(&mut window, "the offer", |state| matches!(&state.model.familiar, Familiar::Absent(why, true) if why.is_empty()));
    assert!(!run.join(FAMILIARITY).exists());
    window.get_by_label("Is it like the training data?").click_accesskit();
    window.run_ok();
    wait(&mut window, "the distance", known);
    assert!(run.join(FAMILIARITY).is_file());
}

#[test]
fn looking_at_the_training_data_can_be_stopped() {
    let (_window, _folder, run) = trained();
    let config = small_config();
    let set = tuning_fork::data::load(&config.data, config.synthetic_images, config.size, config.seed).expect("galaxies");
    let classifier = Classifier::load(&run).expect("a model");
    let of = review::run_of(&classifier).expect("it lies in its run");
    let mut told = Vec::new();
    let stopped = review::measure_familiarity(&classifier, &of, &set, &mut |done| {
        told.push(done);
        done < 60
    });
    assert!(stopped.expect("no error").is_none() && !run.join(FAMILIARITY).exists());
    assert_eq!(told, [61], "the validation pictures are not looked at any more");
    // a run folder that takes no file: what was seen is of use all the same
    std::fs::create_dir(run.join(FAMILIARITY)).expect("a folder in the place of the file");
    let (known, unkept) = review::measure_familiarity(&classifier, &of, &set, &mut |_| true).expect("no error").expect("not stopped");
    assert!(known.valid_images() == 19 && unkept.is_some_and(|why| why.contains(FAMILIARITY)));
}

#[test]
fn a_run_becomes_the_second_model_by_the_menu() {
    let (mut window, folder, run) = trained();
    app(&mut window).keep_runs_in(folder.path());
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    act(&mut window, Action::LoadModel(run));
    drop_on(&mut window, &folder.path().join("galaxy.png"));
    wait(&mut window, "the verdict", |state| state.subject.as_ref().is_some_and(|subject| matches!(subject.verdict, Verdict::Ready(_))));
    window.get_by_label("Compare with…").click_accesskit();
    window.run_ok();
    wait(&mut window, "the runs", |state| !state.review.found.is_empty());
    window.get_by_label("Run run").click_accesskit();
    window.run_ok();
    wait(&mut window, "the second answer", |state| matches!(&state.inspect.rival.answer, Some(Ok(_))));
    // the same model twice cannot disagree
    let class = state(&window).subject.as_ref().and_then(|subject| match &subject.verdict {
        Verdict::Ready(bars) => Some(bars[0].0.clone()),
        _ => None,
    });
    let words = format!("Both say {}", class.expect("a verdict"));
    assert!(window.query_by_label(&words).is_some(), "{words}");
}

#[test]
fn without_the_runs_data_the_panel_says_what_to_open() {
    let (mut window, folder, run) = trained();
    // as many galaxies with the same labels, but others
    let other = Config { seed: 7, ..small_config() };
    act(&mut window, Action::Configure(Box::new(other.clone())));
    let opened = |state: &State| state.data.as_ref().is_some_and(|data| data.key.synthetic.is_some_and(|(_, _, seed)| seed == 7));
    wait(&mut window, "the other galaxies", opened);
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    act(&mut window, Action::LoadModel(run.clone()));
    drop_on(&mut window, &folder.path().join("galaxy.png"));
    wait(
        &mut window,
        "the reason",
        |state| matches!(&state.model.familiar, Familiar::OtherData(why, _) if why.contains("open the run's data set")),
    );
    wait(&mut window, "the verdict", |state| state.subject.as_ref().is_some_and(|subject| matches!(subject.verdict, Verdict::Ready(_))));
    assert!(window.query_by_label_contains("open the run's data set to find out").is_some());
    // as soon as they are open, which one click does, it is found out
    window.get_by_label("Open the run's data set").click_accesskit();
    window.run_ok();
    wait(&mut window, "the distance", known);
    let kept = std::fs::read(run.join(FAMILIARITY)).expect("the file");
    // and stays known, whatever is opened later
    act(&mut window, Action::Configure(Box::new(other)));
    wait(&mut window, "the other galaxies", opened);
    act(&mut window, Action::LoadModel(run.clone()));
    wait(&mut window, "the distance", |state| !state.model.loading && known(state));
    assert_eq!(std::fs::read(run.join(FAMILIARITY)).expect("the file"), kept);
}

/// What the model finds familiar is known only after the files were classified; the column is filled then.
#[test]
fn files_that_are_dropped_with_a_model_get_their_distances() {
    let (mut window, folder, run) = trained();
    act(&mut window, Action::Fill(Some(Pane::Classify)));
    let galaxy = folder.path().join("galaxy.png");
    let broken = folder.path().join("broken.png");
    std::fs::write(&broken, "no picture").expect("a file");
    drop_all(&mut window, &[run, galaxy.clone(), broken, galaxy]);
    wait(&mut window, "the table", |state| state.pile.total == Some(3) && !state.pile.running);
    let near = |state: &State| state.pile.rows.iter().filter(|row| row.nearness.is_some()).count();
    wait(&mut window, "the distances", |state| near(state) == 2);
    assert!(state(&window).pile.familiar && state(&window).pile.rows.iter().all(|row| row.features.is_empty()));
    let row = state(&window).pile.rows.iter().find(|row| row.nearness.is_some()).expect("two");
    let Familiar::Known(known) = &state(&window).model.familiar else { unreachable!("the distances are known") };
    let image = tuning_fork::imaging::open(row.source.path()).expect("a picture");
    let classifier = state(&window).model.classifier.as_ref().expect("a model");
    let reading = classifier.look(&[classifier.prepare(&image)], false).expect("an answer").remove(0);
    assert_eq!(row.nearness, known.nearness(&reading.features));
    let said = format!("distance percentile {:.1}", row.nearness.expect("it is known").percentile());
    assert_eq!(window.query_all_by_label_contains(&said).count(), 2, "{said}");
}

/// The run may be further by now than the file that was read.
#[test]
fn the_model_line_says_the_epoch_of_the_model_itself() {
    let (mut window, _folder, run) = trained();
    let own = Classifier::load(&run).expect("a model").spec().epoch.expect("an epoch");
    app(&mut window).show_run(Config::default(), run.clone());
    stand::feed(&mut window, [stand::epoch(1, 5, true), stand::epoch(2, 6, true), stand::epoch(3, 20, true)]);
    act(&mut window, Action::FollowRun);
    wait(&mut window, "the model", |state| !state.model.loading && state.model.classifier.is_some());
    assert!(own < 3);
    let words = format!("this run, epoch {own}, the best so far");
    assert!(state(&window).model.description.starts_with(&words), "{}", state(&window).model.description);

    // of the kept epochs it says which comes next; of 15 with about ten kept, that is the fourth after the second
    let said = |window: &mut Window, snapshots: usize, words: &str| {
        let folder = state(window).run.as_ref().expect("a run").folder.clone();
        app(window).show_run(Config { epochs: 15, snapshots, ..Config::default() }, folder);
        act(window, Action::Inspect(InspectAction::Latest(true)));
        wait(window, "the model", |state| !state.model.loading);
        assert!(state(window).model.description.starts_with(words), "{}", state(window).model.description);
    };
    said(&mut window, 10, "this run, epoch 2, the latest that is kept; 4 is the next  ·");
    std::fs::remove_dir_all(run.join("snapshots")).expect("they were there");
    said(&mut window, 10, &format!("this run, epoch {own}, the best so far (no latest is kept yet)"));
    said(&mut window, 0, &format!("this run, epoch {own}, the best so far (the run keeps no others"));
}
