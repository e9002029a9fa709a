//! Drawn galaxies of the ten Galaxy10 `DECaLS` classes, as the Legacy Surveys would show them: the data set that is
//! always there. Analytic profiles, seeing, sky, stars and neighbours; no simulation, and no substitute for real data.
//!
//! Every image has its own stream of random numbers, so any one can be drawn alone and the number of threads does not
//! matter. The shapes are the same at every size; only the noise is drawn by the pixel.

mod canvas;
mod disc;
mod distance;
mod edge_on;
mod interacting;
mod light;
mod shape;
mod sky;
mod smooth;
mod spiral;

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use canvas::{Canvas, FIELD};
use distance::Distance;
use smooth::Elongation;
use spiral::Kind;

use super::{Catalogue, DataError, Dataset, FolderWriter, GALAXY10_CLASSES, GALAXY10_COUNTS, MemorySource, SYNTHETIC};
use crate::imaging::Image;
use crate::random::{Purpose, Random};

/// The smallest picture, in pixels a side, in which the classes can be told apart.
const SMALLEST: usize = 16;
/// The largest picture, in pixels a side: more than any network here takes.
const LARGEST: usize = 2_048;
/// Images that are drawn at once, so that a folder of any size is written in little memory.
const CHUNK: usize = 256;

/// Draws one galaxy of `class` (an index into [`GALAXY10_CLASSES`]) in a picture of `size` x `size` pixels, which shows
/// 67 arcsec at any size.
///
/// # Panics
/// If `class` is not below 10 or `size` is 0.
#[must_use]
pub fn draw(class: usize, size: usize, random: &mut Random) -> Image {
    draw_with_distance(class, size, random).0
}

fn draw_with_distance(class: usize, size: usize, random: &mut Random) -> (Image, Distance) {
    let mut canvas = Canvas::new(size);
    let distance = match class {
        0 => interacting::draw_disturbed(&mut canvas, random),
        1 => interacting::draw_merging(&mut canvas, random),
        2 => smooth::draw(&mut canvas, Elongation::Round, random),
        3 => smooth::draw(&mut canvas, Elongation::Between, random),
        4 => smooth::draw(&mut canvas, Elongation::Cigar, random),
        5 => spiral::draw(&mut canvas, Kind::Barred, random),
        6 => spiral::draw(&mut canvas, Kind::Tight, random),
        7 => spiral::draw(&mut canvas, Kind::Loose, random),
        8 => edge_on::draw(&mut canvas, false, random),
        9 => edge_on::draw(&mut canvas, true, random),
        _ => panic!("class {class} is not one of the {} classes", GALAXY10_CLASSES.len()),
    };
    sky::draw_neighbours(&mut canvas, random);
    let seeing = random.range(1.0, 1.6) as f32;
    canvas.blur(seeing);
    sky::draw_stars(&mut canvas, seeing, random);
    (sky::expose(&canvas.bin(), size, random), distance)
}

/// One image of the synthetic set of this seed, whatever else is drawn.
fn draw_member(index: usize, label: u32, size: usize, seed: u64) -> Member {
    let mut random = Random::new(seed, Purpose::Synthetic, &[index as u64]);
    let (image, distance) = draw_with_distance(label as usize, size, &mut random);
    // anywhere in the northern part of the survey's footprint, evenly on the sphere
    let (south, north) = (f64::sin(-0.15), f64::sin(1.1));
    let dec = random.range(south, north).asin().to_degrees();
    Member { image, redshift: f64::from(distance.redshift), ra: random.range(110.0, 265.0), dec }
}

struct Member {
    image: Image,
    redshift: f64,
    ra: f64,
    dec: f64,
}

/// The synthetic data set of `images` galaxies of `size` x `size` pixels, in memory: named "synthetic", with the class
/// balance of Galaxy10 in shuffled order and a catalogue. The same seed gives the same bytes, on any number of threads.
///
/// # Errors
/// [`DataError::Request`] if there are to be no images, or if `size` is not between 16 and 2048.
pub fn dataset(images: usize, size: usize, seed: u64) -> Result<Dataset, DataError> {
    check(images, size)?;
    let labels = labels(images, seed);
    let draw = || labels.par_iter().enumerate().map(|(i, &label)| draw_member(i, label, size, seed)).collect::<Vec<Member>>();
    // On threads of their own: a default data set is drawn while the user already drops a picture, and that must not queue
    // behind thousands of galaxies.
    let members = match ThreadPoolBuilder::new().thread_name(|i| format!("galaxies {i}")).build() {
        Ok(threads) => threads.install(draw),
        Err(error) => {
            tracing::warn!("galaxies are drawn on the shared threads: {error}");
            draw()
        }
    };
    let mut catalogue = Catalogue::default();
    let mut pixels = Vec::with_capacity(images * size * size * 3);
    for member in members {
        record(&mut catalogue, &member, size);
        pixels.extend(member.image.into_pixels());
    }
    Ok(Dataset {
        name: SYNTHETIC.to_owned(),
        location: None,
        images: Arc::new(MemorySource::new(size, size, pixels)?),
        labels,
        classes: class_names(),
        catalogue,
        given_split: None,
        skipped: Vec::new(),
    })
}

/// One picture of [`dataset`], without the others.
///
/// # Errors
/// As [`dataset`], and if the set has no such picture.
pub fn picture(images: usize, index: usize, size: usize, seed: u64) -> Result<Image, DataError> {
    check(images, size)?;
    let label = *labels(images, seed).get(index).ok_or_else(|| DataError::Request(format!("{images} images have no image {index}")))?;
    Ok(draw_member(index, label, size, seed).image)
}

/// Writes the galaxies of [`dataset`] to the new folder `dir` in the seed's layout, a few hundred at a time, and tells
/// `progress` after each how many are done.
///
/// # Errors
/// As [`dataset`], and those of [`FolderWriter`]: if `dir` exists or cannot be written, nothing is left of it.
pub fn write(dir: &Path, images: usize, size: usize, seed: u64, progress: &mut dyn FnMut(usize)) -> Result<(), DataError> {
    check(images, size)?;
    let labels = labels(images, seed);
    let mut writer = FolderWriter::create(dir, size, size)?;
    let mut catalogue = Catalogue::default();
    for start in (0..images).step_by(CHUNK) {
        let end = images.min(start + CHUNK);
        let members: Vec<Member> = (start..end).into_par_iter().map(|i| draw_member(i, labels[i], size, seed)).collect();
        for (i, member) in (start..end).zip(members) {
            record(&mut catalogue, &member, size);
            writer.push(member.image.pixels(), labels[i])?;
            progress(i + 1);
        }
    }
    writer.finish(&class_names(), &catalogue, None)
}

fn check(images: usize, size: usize) -> Result<(), DataError> {
    if images == 0 {
        return Err(DataError::Request("no synthetic galaxies were asked for; ask for at least one".to_owned()));
    }
    if !(SMALLEST..=LARGEST).contains(&size) {
        return Err(DataError::Request(format!(
            "galaxies cannot be drawn at {size} x {size} pixels; choose a size between {SMALLEST} and {LARGEST}"
        )));
    }
    Ok(())
}

fn record(catalogue: &mut Catalogue, member: &Member, size: usize) {
    catalogue.ra.push(member.ra);
    catalogue.dec.push(member.dec);
    catalogue.redshift.push(member.redshift);
    catalogue.pxscale.push(f64::from(FIELD) / size as f64);
}

fn class_names() -> Vec<String> {
    GALAXY10_CLASSES.iter().map(ToString::to_string).collect()
}

/// The label of each image of a set of `images`: the class balance of Galaxy10 (every class at least five times if
/// there are 50 images or more, at least once if there are ten), in shuffled order.
fn labels(images: usize, seed: u64) -> Vec<u32> {
    let total: usize = GALAXY10_COUNTS.iter().sum();
    let least = if images >= 50 { 5 } else { usize::from(images >= GALAXY10_COUNTS.len()) };
    let mut counts = GALAXY10_COUNTS.map(|count| (images * count / total).max(least));
    // what rounding left over, or what the smallest classes were given too much, is shared by the largest
    let mut by_size: Vec<usize> = (0..counts.len()).collect();
    by_size.sort_by_key(|&class| std::cmp::Reverse(GALAXY10_COUNTS[class]));
    for &class in by_size.iter().cycle() {
        match counts.iter().sum::<usize>().cmp(&images) {
            Ordering::Less => counts[class] += 1,
            Ordering::Greater => counts[class] -= usize::from(counts[class] > least),
            Ordering::Equal => break,
        }
    }
    let mut labels: Vec<u32> = counts.iter().zip(0..).flat_map(|(&count, class)| std::iter::repeat_n(class, count)).collect();
    Random::new(seed, Purpose::Synthetic, &[]).shuffle(&mut labels);
    labels
}
