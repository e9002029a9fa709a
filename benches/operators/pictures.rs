//! What happens to a picture before the network sees it, on one core.

use divan::Bencher;
use divan::counter::ItemsCount;
use tuning_fork::augment::{Canvas, Preset};
use tuning_fork::imaging::Image;
use tuning_fork::nn::Normalisation;
use tuning_fork::random::{Purpose, Random};

/// The side of Galaxy10's pictures.
const SOURCE: usize = 256;

fn picture() -> Image {
    let mut random = Random::new(0, Purpose::Test, &[]);
    let bytes = (0..3 * SOURCE * SOURCE).map(|_| random.below(256) as u8).collect();
    Image::new(SOURCE, SOURCE, bytes).expect("as many bytes as the sides say")
}

/// Preset and side of the result.
const WORK: [&str; 6] = ["seed 256", "seed 64", "strong 256", "strong 64", "gentle 64", "turns 64"];

#[divan::bench(args = WORK)]
fn augment(bencher: Bencher, work: &str) {
    let (preset, side) = work.split_once(' ').expect("a preset and a side");
    let preset = Preset::ALL.into_iter().find(|p| format!("{p:?}").eq_ignore_ascii_case(preset)).expect("a preset");
    let (augmentation, side): (_, usize) = (preset.augmentation(), side.parse().expect("a number"));
    let (picture, mut canvas, normalisation) = (picture(), Canvas::default(), Normalisation::default());
    let mut planes = vec![0.0; 3 * side * side];
    let mut draws = Random::new(0, Purpose::Augment, &[]);
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        augmentation.draw(&mut draws).write(&picture, &mut canvas, side, &mut planes);
        normalisation.normalise(&mut planes);
    });
}

#[divan::bench]
fn normalise_bytes(bencher: Bencher) {
    let (picture, mut planes) = (picture(), vec![0.0; 3 * SOURCE * SOURCE]);
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| Normalisation::default().write_planes(picture.pixels(), &mut planes));
}
