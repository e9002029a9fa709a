//! What many runs cost: the panels on 1,000 runs and on studies of 1,000 and 10,000 trials, frame by frame; the index; and what
//! writing a run down takes of a training step.
//!
//! `cargo bench --bench track`
//!
//! The real app is shown in an egui context without a window, as in the bench `frame`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Context, Event as Input, MouseWheelUnit, Pos2, RawInput, Rect, TouchPhase, pos2, vec2};
use tuning_fork::app::{Action, Page, Pane, SearchChange, TuningForkApp, listing_pause};
use tuning_fork::data::synth;
use tuning_fork::metrics::Confusion;
use tuning_fork::search::{self, Direction, Sampler, Space, StudyRecord};
use tuning_fork::track::Index;
use tuning_fork::track::mlflow::{self, PATIENCE, Settings, Target};
use tuning_fork::train::{self, Config, Ended, EpochReport, Event, Job, Outcome, RunFolder, Started, Steps};

/// Runs in the folder.
const RUNS: usize = 1_000;
/// Epochs of a run or a trial.
const EPOCHS: usize = 20;
/// Frames that are measured.
const FRAMES: usize = 300;
/// Frames before that, for fonts and first layouts.
const WARM_UP: usize = 30;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = folder.path().join("runs");
    for number in 0..RUNS {
        write_run(&runs.join(format!("run-{number:04}")), number);
    }
    index(&runs);
    experiments(&runs);
    for trials in [1_000, 10_000] {
        study(folder.path(), trials);
    }
    share_of_a_step(folder.path(), &runs);
}

fn tell(what: &str, time: Duration) {
    println!("{what}: {:.3} ms", time.as_secs_f64() * 1e3);
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    tell(what, start.elapsed());
    done
}

fn index(runs: &Path) {
    let mut index = Index::open(runs).expect("an index");
    timed("list 1,000 runs that no index knows", || index.list().expect("runs"));
    timed("list them again", || index.list().expect("runs"));
    timed("list them as the program starts", || Index::open(runs).expect("an index").list().expect("runs"));
}

/// The Experiments panel while its table is scrolled.
fn experiments(runs: &Path) {
    let context = Context::default();
    let mut app = TuningForkApp::new(&context, None);
    app.keep_runs_in(runs);
    app.apply(Action::Fill(Some(Pane::Experiments)));
    until(&context, &mut app, |app| app.state().experiments.runs().len() == RUNS);
    for page in [Page::Overlay, Page::Bars, Page::Parallel] {
        app.apply(Action::Turn(page));
        frames(&context, &mut app, &format!("{RUNS} runs, scrolled, {} below", page.title()));
    }
}

/// The Search panel on a study: until it is shown, and each page.
fn study(folder: &Path, trials: usize) {
    let searches = folder.join(format!("searches-{trials}"));
    fs::create_dir_all(&searches).expect("a folder");
    let path = searches.join("many.log");
    fs::write(&path, journal(trials)).expect("room");
    timed(&format!("read a study of {trials} trials of {EPOCHS} epochs"), || search::read(&path).expect("a journal"));
    let context = Context::default();
    let mut app = TuningForkApp::new(&context, None);
    app.keep_searches_in(&searches);
    let start = Instant::now();
    app.apply(Action::Fill(Some(Pane::Search)));
    until(&context, &mut app, |app| app.state().search.studies().count() == 1);
    let place = app.state().search.studies().next().map(|(place, _)| place);
    app.apply(Action::Search(SearchChange::Show(place)));
    frame(&context, &mut app, 0);
    tell(&format!("open a study of {trials} trials in the window, up to its first frame"), start.elapsed());
    for page in Page::ALL.into_iter().filter(|page| page.pane() == Pane::Search) {
        app.apply(Action::Turn(page));
        let start = Instant::now();
        frame(&context, &mut app, 0);
        tell(&format!("{trials} trials, first frame of {}", page.title()), start.elapsed());
        frames(&context, &mut app, &format!("{trials} trials, scrolled, {} below", page.title()));
    }
}

/// Shows frames until something holds.
fn until(context: &Context, app: &mut TuningForkApp, ready: impl Fn(&TuningForkApp) -> bool) {
    let start = Instant::now();
    while !ready(app) {
        frame(context, app, 0);
        std::thread::sleep(Duration::from_millis(1));
        assert!(start.elapsed() < Duration::from_mins(1), "it does not come");
    }
}

fn frame(context: &Context, app: &mut TuningForkApp, number: usize) -> Duration {
    let start = Instant::now();
    let mut output = context.run_ui(input(number), |ui| {
        app.logic();
        app.show(ui);
    });
    let triangles = context.tessellate(output.shapes, output.pixels_per_point);
    let time = start.elapsed();
    output.textures_delta.clear();
    assert!(!triangles.is_empty(), "nothing was drawn");
    time
}

fn frames(context: &Context, app: &mut TuningForkApp, what: &str) {
    let mut times: Vec<Duration> = (0..WARM_UP + FRAMES).map(|number| frame(context, app, number)).skip(WARM_UP).collect();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{what}: median {:.2} ms, 99 % {:.2} ms, worst {:.2} ms", at(0.5), at(0.99), at(1.0));
}

/// A window of 1280 x 800 whose wheel turns over the table, first down and then up.
fn input(number: usize) -> RawInput {
    let down = if 2 * number < WARM_UP + FRAMES { -1.0 } else { 1.0 };
    let delta = vec2(0.0, down * if number.is_multiple_of(50) { 8_000.0 } else { 35.0 });
    let (unit, phase, modifiers, source) = (MouseWheelUnit::Point, TouchPhase::Move, egui::Modifiers::NONE, egui::MouseWheelSource::Wheel);
    RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0))),
        time: Some(number as f64 / 60.0),
        events: vec![Input::PointerMoved(pos2(700.0, 250.0)), Input::MouseWheel { unit, delta, phase, modifiers, source }],
        ..RawInput::default()
    }
}

/// What events, index and mirror take, beside the steps of a run that is really trained.
fn share_of_a_step(folder: &Path, runs: &Path) {
    let config = Config { synthetic_images: 400, size: 64, batch: 32, epochs: 2, threads: 1, snapshots: 0, ..Config::default() };
    let dataset = Arc::new(synth::dataset(400, 64, 1).expect("galaxies"));
    let run = RunFolder::create(folder.join("trained")).expect("a folder");
    let handle = train::spawn(Job { config, dataset, folder: run.clone() }, None);
    while !handle.is_finished() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut seconds: Vec<f64> =
        run.events().expect("events").iter().filter_map(|event| if let Event::Steps(s) = event { Some(s.seconds) } else { None }).collect();
    seconds.sort_by(f64::total_cmp);
    let a_step = seconds[seconds.len() / 2];
    println!("a step of the compact network, 32 images of 64 x 64, one thread: {:.2} ms", a_step * 1e3);
    let share = |what: &str, of_a_step: f64| {
        println!("{what}: {:.4} ms a step, {:.3} % of it", of_a_step * 1e3, of_a_step / a_step * 100.0);
    };

    // as the worker writes it: a line, flushed, before anybody is told
    let many = 10_000;
    let live = runs.join("run-0000");
    let mut file = fs::OpenOptions::new().append(true).open(live.join("events.jsonl")).expect("a file");
    let start = Instant::now();
    for number in 1..=many {
        let mut line = serde_json::to_vec(&step(number)).expect("JSON");
        line.push(b'\n');
        file.write_all(&line).and_then(|()| file.flush()).expect("room");
    }
    share("events.jsonl", start.elapsed().as_secs_f64() / many as f64);

    // on threads of their own, every two seconds
    let mut index = Index::open(runs).expect("an index");
    index.list().expect("runs");
    let start = Instant::now();
    index.list().expect("runs");
    let took = start.elapsed();
    let pause = listing_pause(took).as_secs_f64();
    share(&format!("index of 1,000 runs, listed every {pause:.1} s"), took.as_secs_f64() / pause * a_step);
    let target = Target::Database(folder.join("mlflow.db"));
    let settings =
        Settings { runs: runs.to_owned(), target, experiment: "bench".into(), rebuild: false, patience: PATIENCE, draw_maps: None };
    timed("mirror 1,000 runs in a new database", || mlflow::once(&settings, &mut |_| {}).expect("a mirror"));
    let nothing = timed("mirror them again", || {
        let start = Instant::now();
        mlflow::once(&settings, &mut |_| {}).expect("a mirror");
        start.elapsed()
    });
    for number in many + 1..=2 * many {
        writeln!(file, "{}", serde_json::to_string(&step(number)).expect("JSON")).expect("room");
    }
    let start = Instant::now();
    mlflow::once(&settings, &mut |_| {}).expect("a mirror");
    share("mirror in a database", start.elapsed().saturating_sub(nothing).as_secs_f64() / many as f64);
}

fn write_run(folder: &Path, number: usize) {
    fs::create_dir_all(folder).expect("a folder");
    let config = Config { lr: 1e-4 * (1 + number % 50) as f64, seed: number as u64, epochs: EPOCHS, ..Config::default() };
    fs::write(folder.join("config.json"), serde_json::to_vec(&config).expect("JSON")).expect("room");
    let ended = Ended { outcome: Outcome::Completed, message: "all epochs done".into(), best_epoch: Some(EPOCHS), seconds: 60.0 };
    let events = [Event::Started(started(number))].into_iter().chain((1..=EPOCHS).map(|e| epoch(e, number))).chain([Event::Ended(ended)]);
    let lines: Vec<String> = events.map(|event| serde_json::to_string(&event).expect("JSON") + "\n").collect();
    fs::write(folder.join("events.jsonl"), lines.concat()).expect("room");
}

fn started(number: usize) -> Started {
    Started {
        data: "bench".into(),
        classes: (0..10).map(|class| format!("A class with a name, {class}")).collect(),
        parameters: 1_234_567,
        train_images: 10_641,
        valid_images: 3_547,
        test_images: 3_548,
        steps_per_epoch: 333,
        epochs: EPOCHS,
        epochs_done: 0,
        steps_done: 0,
        device: "CPU".into(),
        reason: String::new(),
        threads: 2,
        split_digest: "0123456789abcdef".repeat(4),
        version: "0.1.0".into(),
        time: 1_795_000_000 + 60 * number as u64,
    }
}

fn epoch(epoch: usize, number: usize) -> Event {
    let mut confusion = Confusion::new(10);
    for i in 0..1_000 {
        confusion.add(i % 10, (i + (i * (7 + number % 5) / 11) % 2) % 10);
    }
    let score = 0.5 + 0.4 * epoch as f64 / EPOCHS as f64 - 1e-4 * (number % 977) as f64;
    Event::Epoch(EpochReport {
        epoch,
        train_loss: 1.0 / epoch as f64,
        train_accuracy: score,
        valid_loss: 1.1 / epoch as f64,
        valid_accuracy: score,
        valid_macro_f1: score,
        confusion,
        learning_rate: 1e-3,
        skipped: 0,
        gradient_norm: 1.0,
        images_per_s: 2_000.0,
        seconds: 3.0,
        energy: None,
        best: true,
    })
}

fn step(number: usize) -> Event {
    Event::Steps(Steps {
        epoch: number / 333 + 1,
        step: number,
        step_in_epoch: number % 333 + 1,
        count: 1,
        images: 32,
        loss: 1.0 / number as f64,
        accuracy: 0.531_25,
        learning_rate: 1e-3 / number as f64,
        gradient_norm: 1.234_567,
        seconds: 0.016_123,
        wait: 0.001_234,
    })
}

/// A journal of many trials of the built-in space, two in three of them pruned.
fn journal(trials: usize) -> String {
    let space = Space::default();
    let empty = StudyRecord {
        id: 0,
        name: "many".into(),
        direction: Direction::Maximize,
        user_attrs: serde_json::Map::new(),
        system_attrs: serde_json::Map::new(),
        trials: Vec::new(),
    };
    let mut lines = vec![r#"{"op_code":0,"worker_id":"w-0","study_name":"many","directions":[2]}"#.to_owned()];
    for trial in 0..trials {
        let time = "2026-11-23T20:15:03.000042+00:00";
        let mut line = |fields: String| lines.push(format!("{{\"worker_id\":\"w-0\",{fields}}}"));
        line(format!("\"op_code\":4,\"study_id\":0,\"datetime_start\":\"{time}\""));
        for (name, param) in Sampler::Random.sample(&space, &empty, trial as u64) {
            let distribution = serde_json::Value::String(param.distribution.to_json());
            line(format!(
                "\"op_code\":5,\"trial_id\":{trial},\"param_name\":\"{name}\",\"param_value_internal\":{},\"distribution\":{distribution}",
                param.internal
            ));
        }
        let (state, epochs) = if trial % 3 == 0 { (1, EPOCHS) } else { (2, 5) };
        for epoch in 1..=epochs {
            line(format!("\"op_code\":7,\"trial_id\":{trial},\"step\":{epoch},\"intermediate_value\":0.{epoch:02}{trial:05}"));
        }
        line(format!("\"op_code\":6,\"trial_id\":{trial},\"state\":{state},\"values\":[0.5{trial:05}],\"datetime_complete\":\"{time}\""));
    }
    lines.join("\n") + "\n"
}
