//! Pictures and positions that stand in a data set more than once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use image::codecs::jpeg::JpegEncoder;
use serde_json::Value;
use tuning_fork::data::cosmology::kpc_per_arcsec;
use tuning_fork::data::integrity::{Integrity, integrity, same_positions};
use tuning_fork::data::{self, DataError, Dataset, ImageSource, Part, synth};
use tuning_fork::imaging::{self, Image};
use tuning_fork::random::{Purpose, Random};

use super::common::{memory_dataset, reference};

/// Pictures of any size in memory.
struct Pictures(Vec<Image>);

impl ImageSource for Pictures {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn size(&self) -> Option<(usize, usize)> {
        None
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        Ok(self.0[index].clone())
    }
}

fn dataset(pictures: Vec<Image>) -> Dataset {
    let mut dataset = memory_dataset(&vec![0; pictures.len()], 2);
    dataset.images = Arc::new(Pictures(pictures));
    dataset
}

fn check(dataset: &Dataset, parts: &[Option<Part>]) -> Integrity {
    let done = AtomicUsize::new(0);
    let found = integrity(dataset, parts, &done, &AtomicBool::new(false)).unwrap();
    assert_eq!(done.into_inner(), dataset.len());
    found
}

fn mapped(image: &Image, width: usize, height: usize, from: impl Fn(usize, usize) -> (usize, usize)) -> Image {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (x, y) = from(x, y);
            let at = (y * image.width() + x) * 3;
            pixels.extend_from_slice(&image.pixels()[at..at + 3]);
        }
    }
    Image::new(width, height, pixels).unwrap()
}

/// Turned by a quarter, to the right.
fn turned(image: &Image) -> Image {
    mapped(image, image.height(), image.width(), |x, y| (y, image.height() - 1 - x))
}

fn mirrored(image: &Image) -> Image {
    mapped(image, image.width(), image.height(), |x, y| (image.width() - 1 - x, y))
}

fn changed(image: &Image, change: impl FnMut(u8) -> u8) -> Image {
    Image::new(image.width(), image.height(), image.pixels().iter().copied().map(change).collect()).unwrap()
}

fn as_jpeg(image: &Image, quality: u8) -> Image {
    let mut bytes = Vec::new();
    let size = (image.width() as u32, image.height() as u32);
    JpegEncoder::new_with_quality(&mut bytes, quality).encode(image.pixels(), size.0, size.1, image::ExtendedColorType::Rgb8).unwrap();
    imaging::decode(&bytes).unwrap()
}

/// Everything that may have been done to a picture of the same data.
fn copies(image: &Image) -> Vec<(&'static str, Image)> {
    let mut random = Random::new(3, Purpose::Test, &[]);
    let half = turned(&turned(image));
    vec![
        ("mirrored", mirrored(image)),
        ("a quarter", turned(image)),
        ("a half", half.clone()),
        ("three quarters", turned(&half)),
        ("a quarter and mirrored", mirrored(&turned(image))),
        ("three quarters and mirrored", mirrored(&turned(&half))),
        ("a half and mirrored", mirrored(&half)),
        ("stored as JPEG", as_jpeg(image, 75)),
        ("smaller", image.resize(69, 69)),
        ("dimmed", changed(image, |v| (f32::from(v) * 0.7) as u8)),
        ("brighter sky", changed(image, |v| v.saturating_add(6))),
        ("noise", changed(image, |v| (f64::from(v) + random.range(-6.0, 6.0)).clamp(0.0, 255.0) as u8)),
    ]
}

#[test]
fn the_same_picture_turned_mirrored_or_stored_anew_is_found_and_no_other_is() {
    let galaxies = synth::dataset(200, 128, 5).unwrap();
    let mut pictures: Vec<Image> = (0..galaxies.len()).map(|i| galaxies.images.image(i).unwrap()).collect();
    let mut expected = Vec::new();
    let mut what = Vec::new();
    for original in [3usize, 40, 77, 111, 150, 199] {
        for (change, copy) in copies(&pictures[original]) {
            expected.push((original as u32, pictures.len() as u32));
            what.push(change);
            pictures.push(copy);
        }
    }
    let dataset = dataset(pictures);
    let found = check(&dataset, &vec![None; dataset.len()]);
    let of_original: Vec<(u32, u32)> = found.near.pairs.iter().map(|p| (p.first, p.second)).filter(|p| p.0 < 200).collect();
    for (pair, what) in expected.iter().zip(&what) {
        assert!(of_original.contains(pair), "{pair:?} ({what}) is not among {of_original:?}");
    }
    let wrong: Vec<_> = of_original.iter().filter(|pair| !expected.contains(pair)).collect();
    assert!(wrong.is_empty(), "taken for the same: {wrong:?}");
    assert!(found.duplicates.groups.is_empty());
}

#[test]
fn pairs_are_counted_across_parts_and_labels() {
    let galaxies = synth::dataset(12, 64, 6).unwrap();
    let mut pictures: Vec<Image> = (0..12).map(|i| galaxies.images.image(i).unwrap()).collect();
    pictures.extend([mirrored(&pictures[0]), turned(&pictures[1]), pictures[2].clone(), Image::new(9, 9, vec![7; 243]).unwrap()]);
    pictures.push(Image::new(9, 9, vec![8; 243]).unwrap());
    let mut dataset = dataset(pictures);
    dataset.labels[12] = 1;
    let mut parts = vec![Some(Part::Train); dataset.len()];
    parts[12] = Some(Part::Test);
    parts[13] = None;
    parts[14] = Some(Part::Valid);
    let found = check(&dataset, &parts);
    assert_eq!(found.near.pairs.iter().map(|p| (p.first, p.second)).collect::<Vec<_>>(), [(0, 12), (1, 13)], "blank pictures are none");
    assert_eq!((found.near.across_parts, found.near.different_labels, found.near.more), (1, 1, false));
    assert_eq!((found.duplicates.groups, found.duplicates.across_parts), (vec![vec![2, 14]], 1));
    let text = {
        dataset.labels = (0..dataset.len()).map(|i| u32::from(i == 12)).collect();
        dataset.classes.truncate(2);
        let split = data::Split { train: vec![0, 1, 2], valid: vec![14], test: vec![12] };
        data::info(&dataset, &split).unwrap().to_string()
    };
    assert!(text.contains("look alike  2 pairs of pictures") && text.contains("1 across parts of the split, 1 with different"), "{text}");
}

#[test]
fn a_stop_ends_the_search() {
    let galaxies = synth::dataset(20, 32, 6).unwrap();
    let parts = vec![None; 20];
    let stopped = integrity(&galaxies, &parts, &AtomicUsize::new(0), &AtomicBool::new(true));
    assert!(matches!(stopped, Err(DataError::Stopped)));
}

fn astropy() -> Value {
    serde_json::from_slice(&std::fs::read(reference("sky.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn positions_that_are_the_same_are_those_that_astropy_finds() {
    let reference = astropy();
    let (ra, dec) = (numbers(&reference["ra"]), numbers(&reference["dec"]));
    let mut dataset = memory_dataset(&vec![0; ra.len()], 2);
    dataset.catalogue.ra = ra;
    dataset.catalogue.dec = dec;
    let found = same_positions(&dataset, &vec![None; dataset.len()]);
    let expected = reference["pairs"].as_array().unwrap();
    assert!(expected.len() > 20);
    assert_eq!(found.pairs.len(), expected.len());
    for (pair, expected) in found.pairs.iter().zip(expected) {
        assert_eq!([u64::from(pair.first), u64::from(pair.second)], [expected[0].as_u64().unwrap(), expected[1].as_u64().unwrap()]);
        let arcsec = expected[2].as_f64().unwrap();
        assert!((pair.distance - arcsec).abs() < 1e-6, "{} and {arcsec}", pair.distance);
    }
    dataset.catalogue.dec[0] = f64::NAN;
    assert!(same_positions(&dataset, &vec![None; dataset.len()]).pairs.iter().all(|pair| pair.first != 0));
    // a column of zeros is a catalogue that was never filled in: a bounded list, quickly
    let mut filled = memory_dataset(&vec![0; 20_000], 1);
    (filled.catalogue.ra, filled.catalogue.dec) = (vec![0.0; 20_000], vec![0.0; 20_000]);
    let found = same_positions(&filled, &vec![None; 20_000]);
    assert!(found.more && found.pairs.len() == 10_000);
}

#[test]
fn an_arcsecond_is_as_large_as_astropy_says() {
    let reference = astropy();
    for (z, kpc) in numbers(&reference["redshift"]).into_iter().zip(numbers(&reference["kpc_per_arcsec"])) {
        let ours = kpc_per_arcsec(z).unwrap();
        assert!((ours / kpc - 1.0).abs() < 1e-8, "z = {z}: {ours} and {kpc}");
    }
    for z in [0.0, -0.1, 20.1, f64::NAN, f64::INFINITY] {
        assert_eq!(kpc_per_arcsec(z), None);
    }
}
