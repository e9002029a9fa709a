//! `tuning-fork bench --augmentation PRESET`: how many pictures a second one core augments and normalises.

use std::time::Instant;

use super::{Arguments, SEED, median, peak_memory, round};
use crate::augment::{Canvas, Preset};
use crate::cli::output;
use crate::imaging::Image;
use crate::nn::Normalisation;
use crate::random::{Purpose, Random};
use serde::Serialize;

/// The side of the pictures that are augmented, that of Galaxy10.
const SOURCE: usize = 256;

/// The figures, with the keys of the torchvision peer.
#[derive(Serialize)]
struct Figures {
    framework: String,
    variant: String,
    size: usize,
    batch: usize,
    threads: usize,
    instructions: &'static str,
    step_ms: f64,
    images_per_s: f64,
    peak_rss_mb: Option<u64>,
}

/// Measures, and prints the figures as one JSON object.
///
/// # Errors
/// If the pictures cannot be made or the figures cannot be printed.
pub fn run(arguments: &Arguments, preset: Preset) -> anyhow::Result<()> {
    let (augmentation, side) = (preset.augmentation(), arguments.size);
    let mut random = Random::new(SEED, Purpose::Test, &[]);
    let mut bytes = || (0..3 * SOURCE * SOURCE).map(|_| random.below(256) as u8).collect();
    let pictures: Vec<Image> = (0..arguments.batch).map(|_| Image::new(SOURCE, SOURCE, bytes())).collect::<Result<_, _>>()?;
    let mut canvas = Canvas::default();
    let mut planes = vec![0.0; arguments.batch * 3 * side * side];
    let normalisation = Normalisation::default();
    let mut step = |number: usize| {
        let start = Instant::now();
        for ((index, picture), planes) in (0u64..).zip(&pictures).zip(planes.chunks_exact_mut(3 * side * side)) {
            let draw = augmentation.draw(&mut Random::new(SEED, Purpose::Augment, &[number as u64, index]));
            draw.write(picture, &mut canvas, side, planes);
            normalisation.normalise(planes);
        }
        start.elapsed().as_secs_f64()
    };
    for number in 0..arguments.warmup {
        step(number);
    }
    let seconds = median((0..arguments.steps).map(|number| step(arguments.warmup + number)));
    output::json(&Figures {
        framework: format!("tuning-fork {}", crate::VERSION),
        variant: super::name(&preset),
        size: side,
        batch: arguments.batch,
        threads: 1,
        instructions: "",
        step_ms: round(seconds * 1e3),
        images_per_s: round(arguments.batch as f64 / seconds),
        peak_rss_mb: peak_memory(),
    })?;
    Ok(())
}
