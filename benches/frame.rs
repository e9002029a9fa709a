//! What a frame costs the processor with all of Galaxy10 open, and with 200,000 images in a sparse file of 39 GB:
//! `cargo bench --bench frame`.
//!
//! The real app is shown in an egui context without a window. While it draws, the pictures are scrolled by the wheel, a run
//! feeds its panels, and thumbnails come in from their threads. Time is that of one frame's logic, layout and tessellation;
//! what the graphics card does with the triangles is not in it.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Context, Event as Input, MouseWheelUnit, Pos2, RawInput, Rect, TouchPhase, pos2, vec2};
use tuning_fork::app::{Action, ExploreChange, Pane, TuningForkApp};
use tuning_fork::data::{Catalogue, DataError, Dataset, ImageSource};
use tuning_fork::imaging::Image;
use tuning_fork::metrics::Confusion;
use tuning_fork::train::{Config, EpochReport, Event, Started, Steps};

/// Galaxy10 `DECaLS`.
const IMAGES: usize = 17_736;
/// More than anybody has labelled.
const MANY: usize = 200_000;
/// Width and height of its pictures.
const SIDE: usize = 256;
/// Frames that are measured.
const FRAMES: usize = 600;
/// Frames before that, for fonts and first textures.
const WARM_UP: usize = 60;
/// Classes.
const CLASSES: usize = 10;
/// Over the pictures, in the default layout.
const POINTER: Pos2 = pos2(600.0, 650.0);

/// Pictures that cost a copy of 192 KB each, as memory-mapped ones do.
struct Copied(Vec<u8>);

impl ImageSource for Copied {
    fn len(&self) -> usize {
        IMAGES
    }

    fn size(&self) -> Option<(usize, usize)> {
        Some((SIDE, SIDE))
    }

    fn image(&self, _index: usize) -> Result<Image, DataError> {
        Ok(Image::new(SIDE, SIDE, self.0.clone()).expect("the size fits"))
    }
}

/// What is done while the frames are timed, besides scrolling and a run that feeds its panels.
#[derive(Clone, Copy, PartialEq)]
enum Work {
    /// Nothing.
    Scroll,
    /// A filter is written, a letter every few frames, and an order with it.
    Filter,
    /// Each panel in turn fills the window, for a second.
    Panels,
}

fn main() {
    let galaxy10 = Arc::new(dataset());
    measure(&galaxy10, Work::Scroll);
    measure(&galaxy10, Work::Filter);
    measure(&galaxy10, Work::Panels);
    memory();
    match sparse() {
        Ok((many, folder)) => {
            let many = Arc::new(many);
            measure(&many, Work::Scroll);
            measure(&many, Work::Filter);
            memory();
            drop(folder);
        }
        Err(error) => println!("{MANY} images: no sparse file of 39 GB can be made here ({error})"),
    }
}

/// Shows the window, works in it and tells how long its frames took.
fn measure(data: &Arc<Dataset>, work: Work) {
    let context = Context::default();
    let mut app = TuningForkApp::new(&context, None);
    app.show_data(Arc::clone(data)).expect("it can be split");
    app.show_run(Config::default(), PathBuf::from("runs/bench"));
    app.apply(Action::Event(Box::new(Event::Started(started()))));
    let mut times = Vec::with_capacity(FRAMES);
    for frame in 0..WARM_UP + FRAMES {
        app.apply(Action::Event(Box::new(step(frame + 1))));
        if frame % 60 == 59 {
            app.apply(Action::Event(Box::new(epoch(frame / 60 + 1))));
        }
        let start = Instant::now();
        if work == Work::Filter && frame.is_multiple_of(6) {
            let text = "class:2,4 split:train image:0..190000 sort:-class";
            let written = &text[..(frame / 6) % (text.len() + 1)];
            app.apply(Action::Explore(ExploreChange::Filter(written.to_owned())));
        }
        if work == Work::Panels && frame.is_multiple_of(60) {
            app.apply(Action::Fill(Some(Pane::ALL[frame / 60 % Pane::ALL.len()])));
        }
        let mut output = context.run_ui(input(frame), |ui| {
            app.logic();
            app.show(ui);
        });
        let triangles = context.tessellate(output.shapes, output.pixels_per_point);
        let time = start.elapsed();
        output.textures_delta.clear();
        assert!(!triangles.is_empty(), "nothing was drawn");
        if frame >= WARM_UP {
            times.push(time);
        }
        // at sixty frames a second, the threads have this long for the thumbnails
        std::thread::sleep(Duration::from_millis(16).saturating_sub(time));
    }
    report(data.len(), work, times);
}

fn report(images: usize, work: Work, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{images} images, {} frames while {}: median {:.2} ms, 99 % {:.2} ms, worst {:.2} ms",
        times.len(),
        match work {
            Work::Scroll => "scrolling",
            Work::Filter => "scrolling and writing a filter",
            Work::Panels => "going through the panels",
        },
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// Tells the most memory that the process ever had in use, where the system says it. Textures are counted: without a graphics
/// card they stay in memory.
fn memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let told = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map_or("not told by this system", str::trim);
    println!(
        "peak resident memory so far: {}; now {} of the program's own and {} of mapped files, which the system takes back at need",
        told("VmHWM:"),
        told("RssAnon:"),
        told("RssFile:")
    );
}

/// A window of 1280 x 800 whose wheel turns over the pictures: mostly half a row, now and then far, first down and then up.
fn input(frame: usize) -> RawInput {
    let down = if 2 * frame < WARM_UP + FRAMES { -1.0 } else { 1.0 };
    let delta = down * if frame.is_multiple_of(50) { 30_000.0 } else { 35.0 };
    let (unit, phase, modifiers, source) = (MouseWheelUnit::Point, TouchPhase::Move, egui::Modifiers::NONE, egui::MouseWheelSource::Wheel);
    let wheel = Input::MouseWheel { unit, delta: vec2(0.0, delta), phase, modifiers, source };
    RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0))),
        time: Some(frame as f64 / 60.0),
        events: vec![Input::PointerMoved(POINTER), wheel],
        ..RawInput::default()
    }
}

/// A data folder of 200,000 pictures of zeros that takes no room on disk, memory-mapped as any other.
fn sparse() -> Result<(Dataset, tempfile::TempDir), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, kind: &str, shape: &str, rest: &[u8]| -> std::io::Result<std::fs::File> {
        let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
        header.push_str(&" ".repeat(128 - 10 - 1 - header.len()));
        let mut file = std::fs::File::create(folder.path().join(name))?;
        file.write_all(b"\x93NUMPY\x01\x00")?;
        file.write_all(&118_u16.to_le_bytes())?;
        file.write_all(format!("{header}\n").as_bytes())?;
        file.write_all(rest)?;
        Ok(file)
    };
    let labels: Vec<u8> = (0..MANY).map(|i| (i % CLASSES) as u8).collect();
    write("labels.npy", "|u1", &format!("{MANY},"), &labels)?;
    let images = write("images.npy", "|u1", &format!("{MANY}, {SIDE}, {SIDE}, 3"), &[])?;
    images.set_len(128 + (MANY * SIDE * SIDE * 3) as u64)?;
    Ok((tuning_fork::data::open(folder.path())?, folder))
}

fn dataset() -> Dataset {
    Dataset {
        name: "bench".into(),
        location: None,
        images: Arc::new(Copied((0..SIDE * SIDE * 3).map(|i| (i % 251) as u8).collect())),
        labels: (0..IMAGES).map(|i| (i % CLASSES) as u32).collect(),
        classes: classes(),
        catalogue: Catalogue::default(),
        given_split: None,
        skipped: Vec::new(),
    }
}

fn classes() -> Vec<String> {
    (0..CLASSES).map(|i| format!("A class with a name, {i}")).collect()
}

fn started() -> Started {
    Started {
        data: "bench".into(),
        classes: classes(),
        parameters: 0,
        train_images: 10_641,
        valid_images: 3_547,
        test_images: 3_548,
        steps_per_epoch: 60,
        epochs: 1_000,
        epochs_done: 0,
        steps_done: 0,
        device: "CPU".into(),
        reason: String::new(),
        threads: 1,
        split_digest: String::new(),
        version: String::new(),
        time: 0,
    }
}

fn step(step: usize) -> Event {
    Event::Steps(Steps {
        epoch: step / 60 + 1,
        step,
        step_in_epoch: step % 60 + 1,
        count: 1,
        images: 32,
        loss: 1.0 / step as f64,
        accuracy: 0.5,
        learning_rate: 1e-3,
        gradient_norm: 1.0,
        seconds: 0.016,
        wait: 0.0,
    })
}

fn epoch(epoch: usize) -> Event {
    let mut confusion = Confusion::new(CLASSES);
    for i in 0..1_000 {
        confusion.add(i % CLASSES, (i * 7 / 3) % CLASSES);
    }
    Event::Epoch(EpochReport {
        epoch,
        train_loss: 1.0,
        train_accuracy: 0.5,
        valid_loss: 1.0,
        valid_accuracy: 0.5,
        valid_macro_f1: 0.5,
        confusion,
        learning_rate: 1e-3,
        skipped: 0,
        gradient_norm: 1.0,
        images_per_s: 2_000.0,
        seconds: 1.0,
        energy: None,
        best: epoch == 1,
    })
}
