//! What a frame costs the processor while 10,000 dropped files are classified and their table is shown and scrolled:
//! `cargo bench --bench drop`.
//!
//! The real app is shown in an egui context without a window. Every tenth file is a picture, the others are none: the table is as long, and
//! done sooner. Time is that of one frame's logic, layout and tessellation.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Context, DroppedFile, Event as Input, MouseWheelUnit, Pos2, RawInput, Rect, TouchPhase, pos2, vec2};
use tuning_fork::app::{Action, Pane, TuningForkApp};
use tuning_fork::imaging::{Image, write_png};
use tuning_fork::nn::{self, Architecture, Framing, ModelSpec, NetworkOptions, Normalisation, USUAL_WIDTH};

const FILES: usize = 10_000;
/// The longest that all of it may take.
const LIMIT: Duration = Duration::from_mins(5);

#[derive(Debug)]
struct Dropped(PathBuf);

impl DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let files = files(folder.path())?;
    let context = Context::default();
    let mut app = TuningForkApp::new(&context, None);
    app.apply(Action::Fill(Some(Pane::Classify)));
    app.apply(Action::LoadModel(model(folder.path())?));
    let frame = |app: &mut TuningForkApp, number: usize, dropped: &[PathBuf]| {
        let start = Instant::now();
        let mut output = context.run_ui(input(number, dropped), |ui| {
            app.logic();
            app.show(ui);
        });
        let triangles = context.tessellate(output.shapes, output.pixels_per_point);
        output.textures_delta.clear();
        assert!(!triangles.is_empty(), "nothing was drawn");
        start.elapsed()
    };
    let started = Instant::now();
    let mut number = 0;
    while app.state().model.classifier.is_none() || number < 30 {
        std::thread::sleep(Duration::from_millis(16).saturating_sub(frame(&mut app, number, &[])));
        number += 1;
        assert!(started.elapsed() < LIMIT, "the model is not there");
    }
    let mut times = vec![frame(&mut app, number, &files)];
    let started = Instant::now();
    while app.state().pile.total.is_none() || app.state().pile.running || times.len() < 300 {
        let time = frame(&mut app, number + times.len(), &[]);
        times.push(time);
        std::thread::sleep(Duration::from_millis(16).saturating_sub(time));
        assert!(started.elapsed() < LIMIT, "the files take too long");
    }
    assert_eq!(app.state().pile.rows.len(), FILES);
    let first = times[0].as_secs_f64() * 1e3;
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{FILES} files, {} frames in {:.1} s: median {:.2} ms, 99 % {:.2} ms, worst {:.2} ms, that of the drop {first:.2} ms",
        times.len(),
        started.elapsed().as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

/// A window of 1280 x 800 whose wheel turns over the table.
fn input(frame: usize, dropped: &[PathBuf]) -> RawInput {
    let delta = vec2(0.0, if frame % 200 < 100 { -60.0 } else { 60.0 });
    let (unit, phase, modifiers, source) = (MouseWheelUnit::Point, TouchPhase::Move, egui::Modifiers::NONE, egui::MouseWheelSource::Wheel);
    RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(1280.0, 800.0))),
        time: Some(frame as f64 / 60.0),
        events: vec![Input::PointerMoved(pos2(600.0, 500.0)), Input::MouseWheel { unit, delta, phase, modifiers, source }],
        dropped_files: dropped.iter().map(|path| Arc::new(Dropped(path.clone())) as Arc<dyn DroppedFile + Send + Sync>).collect(),
        ..RawInput::default()
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn std::error::Error>> {
    let (picture, broken) = (folder.join("picture.png"), folder.join("broken.png"));
    write_png(&picture, &Image::new(64, 64, (0..64 * 64 * 3).map(|i| (i % 251) as u8).collect())?)?;
    std::fs::write(&broken, b"no picture")?;
    std::fs::create_dir(folder.join("many"))?;
    let files: Vec<PathBuf> = (0..FILES).map(|number| folder.join(format!("many/{number:05}.png"))).collect();
    for (number, file) in files.iter().enumerate() {
        std::fs::hard_link(if number % 10 == 0 { &picture } else { &broken }, file)?;
    }
    Ok(files)
}

/// A model that was never trained.
fn model(folder: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let spec = ModelSpec {
        network: NetworkOptions {
            architecture: Architecture::Compact,
            size: 64,
            channels: 3,
            classes: 10,
            width: USUAL_WIDTH,
            dropout: 0.0,
        },
        classes: (0..10).map(|class| format!("class {class}")).collect(),
        normalisation: Normalisation::default(),
        framing: Framing::default(),
        program_version: tuning_fork::VERSION.into(),
        epoch: None,
    };
    let path = folder.join("model.safetensors");
    nn::weights::save(&path, nn::build(&spec.network, 1, &candle_core::Device::Cpu)?.as_ref(), &spec)?;
    Ok(path)
}
