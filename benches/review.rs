//! What looking back on a run costs: `cargo bench --bench review`.
//!
//! A run of 100 epochs on all of Galaxy10 is written into a temporary folder: 3,547 validation images, 333 steps an epoch in
//! its events. Measured are opening it, reading one epoch, everything that is read off an epoch, and following all images
//! over all epochs. Then the real app is shown without a window, a cell of the matrix is clicked, and the time is taken until
//! the pictures of its galaxies in sight are there.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::accesskit::Node;
use egui::{Context, Event as Input, Modifiers, PointerButton, Pos2, RawInput, Rect, pos2, vec2};
use half::f16;
use tuning_fork::app::{Action, Pane, TuningForkApp};
use tuning_fork::data::{Catalogue, DataError, Dataset, GALAXY10_CLASSES, GALAXY10_COUNTS, ImageSource, Part, Split};
use tuning_fork::imaging::Image;
use tuning_fork::metrics::{Confusion, Predictions, forgetting};
use tuning_fork::random::{Purpose, Random};
use tuning_fork::review::{Analysis, Record};
use tuning_fork::train::{Config, Ended, EpochReport, Event, Outcome, RecordedSplit, Started, Steps};

const EPOCHS: usize = 100;
const STEPS: usize = 333;
const SIDE: usize = 256;

/// Pictures that cost a copy of 192 KB each, as memory-mapped ones do.
struct Copied(Vec<u8>, usize);

impl ImageSource for Copied {
    fn len(&self) -> usize {
        self.1
    }

    fn size(&self) -> Option<(usize, usize)> {
        Some((SIDE, SIDE))
    }

    fn image(&self, _index: usize) -> Result<Image, DataError> {
        Ok(Image::new(SIDE, SIDE, self.0.clone()).expect("the size fits"))
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let labels: Vec<u32> = GALAXY10_COUNTS.iter().enumerate().flat_map(|(class, &n)| std::iter::repeat_n(class as u32, n)).collect();
    let split = Split::stratified(&labels, GALAXY10_CLASSES.len(), 42).expect("enough images");
    write_run(folder.path(), &labels, &split);
    let record = best("open a run of 100 epochs", 20, || Record::open(folder.path()).expect("a run"));
    let predictions = best("read the probabilities of an epoch", 20, || record.predictions(Part::Valid, 50).expect("probabilities"));
    best("scores, intervals, calibration, curves, label errors", 5, || Analysis::new(predictions.clone()));
    best("follow all images over 100 epochs", 5, || {
        let epochs: Vec<Predictions> = (1..=EPOCHS).map(|epoch| record.predictions(Part::Valid, epoch).expect("probabilities")).collect();
        forgetting(&epochs).expect("the same images")
    });
    click(folder.path(), labels);
}

/// Runs `work` so often and tells the shortest and the longest time.
fn best<T>(what: &str, times: usize, mut work: impl FnMut() -> T) -> T {
    let mut result = None;
    let (mut least, mut most) = (Duration::MAX, Duration::ZERO);
    for _ in 0..times {
        let start = Instant::now();
        result = Some(work());
        let time = start.elapsed();
        (least, most) = (least.min(time), most.max(time));
    }
    println!("{what:<55} {:>8.2} to {:.2} ms", least.as_secs_f64() * 1e3, most.as_secs_f64() * 1e3);
    result.expect("at least once")
}

/// Opens the run in the app, clicks a cell, and waits for the pictures.
fn click(folder: &Path, labels: Vec<u32>) {
    let context = Context::default();
    context.enable_accesskit();
    let mut app = TuningForkApp::new(&context, None);
    let classes = GALAXY10_CLASSES.map(str::to_owned).to_vec();
    let count = labels.len();
    let set = Dataset {
        name: "bench".into(),
        location: None,
        images: Arc::new(Copied(vec![90; SIDE * SIDE * 3], count)),
        labels,
        classes,
        catalogue: Catalogue::default(),
        given_split: None,
        skipped: Vec::new(),
    };
    app.show_data(Arc::new(set)).expect("it can be split");
    app.apply(Action::Fill(Some(Pane::Confusion)));
    app.apply(Action::Drop(vec![folder.to_owned()]));
    let mut cell = None;
    let start = Instant::now();
    while cell.is_none() {
        assert!(start.elapsed() < Duration::from_secs(20), "the matrix never came");
        cell = find(&frame(&context, &mut app, Vec::new()), |words| words.contains("Barred Spiral were called Unbarred Loose Spiral"));
        std::thread::sleep(Duration::from_millis(2));
    }
    let at = cell.expect("it is there");
    let start = Instant::now();
    let button = |pressed| Input::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
    frame(&context, &mut app, vec![Input::PointerMoved(at), button(true)]);
    frame(&context, &mut app, vec![button(false)]);
    let mut listed = None;
    loop {
        assert!(start.elapsed() < Duration::from_secs(20), "the pictures never came");
        let nodes = frame(&context, &mut app, Vec::new());
        if listed.is_none() && find(&nodes, |words| words.starts_with("galaxy ")).is_some() {
            listed = Some(start.elapsed());
        }
        if listed.is_some() && app.thumbnails_are_complete() {
            break;
        }
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{:<55} {:>8.2} ms", "click on a cell until its galaxies are listed", ms(listed.expect("they are")));
    println!("{:<55} {:>8.2} ms", "click on a cell until all pictures in sight are there", ms(start.elapsed()));
}

/// One frame; what is in it for those who cannot see it.
fn frame(context: &Context, app: &mut TuningForkApp, events: Vec<Input>) -> Vec<Node> {
    let screen = Some(Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0)));
    let mut output = context.run_ui(RawInput { screen_rect: screen, events, ..RawInput::default() }, |ui| {
        app.logic();
        app.show(ui);
    });
    output.textures_delta.clear();
    let nodes = output.platform_output.accesskit_update.map(|update| update.nodes).unwrap_or_default();
    context.tessellate(output.shapes, output.pixels_per_point);
    nodes.into_iter().map(|(_, node)| node).collect()
}

/// The middle of the first button with such words.
fn find(nodes: &[Node], wanted: impl Fn(&str) -> bool) -> Option<Pos2> {
    let node = nodes.iter().find(|node| node.role() == egui::accesskit::Role::Button && node.label().is_some_and(&wanted))?;
    let bounds = node.bounds()?;
    Some(pos2(f64::midpoint(bounds.x0, bounds.x1) as f32, f64::midpoint(bounds.y0, bounds.y1) as f32))
}

fn write_run(folder: &Path, labels: &[u32], split: &Split) {
    let classes = GALAXY10_CLASSES.map(str::to_owned).to_vec();
    fs::create_dir_all(folder.join("predictions")).expect("a folder");
    let config = Config { data: "bench".into(), epochs: EPOCHS, ..Config::default() };
    fs::write(folder.join("config.json"), serde_json::to_vec(&config).expect("JSON")).expect("a file");
    let mut events = BufWriter::new(fs::File::create(folder.join("events.jsonl")).expect("a file"));
    let mut tell = |event: Event| writeln!(events, "{}", serde_json::to_string(&event).expect("JSON")).expect("a line");
    tell(Event::Started(Started {
        data: "bench".into(),
        classes: classes.clone(),
        parameters: 1,
        train_images: split.train.len(),
        valid_images: split.valid.len(),
        test_images: split.test.len(),
        steps_per_epoch: STEPS,
        epochs: EPOCHS,
        epochs_done: 0,
        steps_done: 0,
        device: "CPU".into(),
        reason: String::new(),
        threads: 2,
        split_digest: split.digest(),
        version: "0".into(),
        time: 0,
    }));
    for epoch in 1..=EPOCHS {
        for step in 1..=STEPS {
            tell(Event::Steps(steps(epoch, step)));
        }
        let values = probabilities(labels, split, epoch);
        tell(Event::Epoch(report(labels, split, epoch, &values)));
        let mut header = format!("{{'descr': '<f2', 'fortran_order': False, 'shape': ({}, {}), }}", split.valid.len(), classes.len());
        header.push_str(&" ".repeat((11 + header.len()).next_multiple_of(64) - (11 + header.len())));
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        fs::write(folder.join(format!("predictions/epoch_{epoch:04}.npy")), bytes).expect("a file");
    }
    tell(Event::Ended(Ended { outcome: Outcome::Completed, message: "All.".into(), best_epoch: Some(EPOCHS), seconds: 1.0 }));
    events.flush().expect("a file");
    let recorded = RecordedSplit {
        digest: split.digest(),
        data_digest: String::new(),
        images: labels.len(),
        classes,
        split: split.clone(),
        labels: labels.to_vec(),
    };
    fs::write(folder.join("split.json"), serde_json::to_vec_pretty(&recorded).expect("JSON")).expect("a file");
}

fn probabilities(labels: &[u32], split: &Split, epoch: usize) -> Vec<f16> {
    let mut values = Vec::with_capacity(split.valid.len() * 10);
    for &image in &split.valid {
        let mut random = Random::new(0, Purpose::Test, &[epoch as u64, u64::from(image)]);
        let right = random.chance(0.4 + 0.4 * epoch as f64 / EPOCHS as f64);
        let label = labels[image as usize] as usize;
        let called = if right { label } else { (label + 1 + random.below(3)) % 10 };
        let confidence = random.range(0.4, 0.99);
        values.extend((0..10).map(|class| f16::from_f64(if class == called { confidence } else { (1.0 - confidence) / 9.0 })));
    }
    values
}

fn steps(epoch: usize, step: usize) -> Steps {
    Steps {
        epoch,
        step: (epoch - 1) * STEPS + step,
        step_in_epoch: step,
        count: 1,
        images: 32,
        loss: 1.234_567 / epoch as f64,
        accuracy: 0.531_25,
        learning_rate: 1.234e-3,
        gradient_norm: 1.098_765,
        seconds: 0.123_456,
        wait: 0.012_345,
    }
}

fn report(labels: &[u32], split: &Split, epoch: usize, values: &[f16]) -> EpochReport {
    let mut confusion = Confusion::new(10);
    for (&image, row) in split.valid.iter().zip(values.chunks(10)) {
        let called = (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("ten classes");
        confusion.add(labels[image as usize] as usize, called);
    }
    EpochReport {
        epoch,
        train_loss: 1.0,
        train_accuracy: 0.5,
        valid_loss: 1.0,
        valid_accuracy: confusion.accuracy(),
        valid_macro_f1: 0.5,
        confusion,
        learning_rate: 1e-3,
        skipped: 0,
        gradient_norm: 1.0,
        images_per_s: 100.0,
        seconds: 60.0,
        energy: None,
        best: true,
    }
}
