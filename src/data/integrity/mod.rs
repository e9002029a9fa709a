//! What is wrong with a data set as a whole: pictures that stand in it more than once, to the last pixel or turned, mirrored
//! or stored anew, and positions that are the same object. Across the parts of a split they let the test images leak into
//! training; under different labels one of them is wrong.

mod look;
mod near;
mod sky;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{DataError, Dataset, Part};
use look::Look;

/// Positions closer than this are taken for the same object, arcsec.
pub const SAME_POSITION: f64 = 2.0;
/// The most pairs that are listed of a kind.
pub const MOST_PAIRS: usize = 10_000;

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Integrity {
    /// Pictures that are there more than once, to the last pixel.
    pub duplicates: Duplicates,
    /// Pictures that look the same, perhaps turned by 90, 180 or 270 degrees, mirrored, stored anew, scaled or dimmed. Of
    /// exact duplicates only the first counts here.
    pub near: Pairs,
    /// Positions closer than 2 arcsec; the distance is in arcsec.
    pub sky: Pairs,
    /// Pictures that could not be read, each with the reason.
    #[serde(skip)]
    pub unreadable: Vec<String>,
}

/// Groups of images with the same pixels.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Duplicates {
    /// The groups: indices of two or more images each, ascending.
    pub groups: Vec<Vec<u32>>,
    /// Images that repeat one before them in the same part.
    pub within_parts: usize,
    /// Groups with images in more than one part: what leaks between them.
    pub across_parts: usize,
    /// Groups whose images have different labels.
    pub different_labels: usize,
}

/// Pairs of images.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Pairs {
    /// The pairs, in the order of their first and second image; at most 10,000.
    pub pairs: Vec<Pair>,
    /// Whether there are more than are listed.
    pub more: bool,
    /// Pairs of images in two parts of the split.
    pub across_parts: usize,
    /// Pairs with two labels.
    pub different_labels: usize,
}

/// Two images that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The one with the smaller index.
    pub first: u32,
    /// The other.
    pub second: u32,
    /// How far they are from each other: bits of 255, or arcsec.
    pub distance: f64,
}

impl Pairs {
    fn new(mut pairs: Vec<Pair>, labels: &[u32], parts: &[Option<Part>]) -> Self {
        pairs.sort_unstable_by_key(|pair| (pair.first, pair.second));
        let more = pairs.len() > MOST_PAIRS;
        pairs.truncate(MOST_PAIRS);
        let count = |differ: &dyn Fn(usize, usize) -> bool| pairs.iter().filter(|p| differ(p.first as usize, p.second as usize)).count();
        let across_parts = count(&|a, b| parts[a].is_some() && parts[b].is_some() && parts[a] != parts[b]);
        let different_labels = count(&|a, b| labels[a] != labels[b]);
        Self { pairs, more, across_parts, different_labels }
    }
}

impl Pairs {
    /// The images of the pairs that stand in two parts of the split, pair by pair, each once.
    #[must_use]
    pub fn across(&self, parts: &[Option<Part>]) -> Vec<usize> {
        let images = self.pairs.iter().map(|pair| [pair.first, pair.second]);
        across(images.map(Vec::from), parts)
    }
}

/// The images of the groups that stand in more than one part, group by group, each image once.
fn across(groups: impl Iterator<Item = Vec<u32>>, parts: &[Option<Part>]) -> Vec<usize> {
    let mut seen = HashSet::new();
    let mut images = Vec::new();
    for group in groups {
        let known: Vec<Part> = group.iter().filter_map(|&image| parts[image as usize]).collect();
        if known.iter().any(|part| *part != known[0]) {
            images.extend(group.into_iter().map(|image| image as usize).filter(|image| seen.insert(*image)));
        }
    }
    images
}

impl Integrity {
    /// The images that stand in more than one part of the split, those that belong together beside each other, each once.
    #[must_use]
    pub fn leaking(&self, parts: &[Option<Part>]) -> Vec<usize> {
        let pairs = [&self.near, &self.sky].into_iter().flat_map(|pairs| pairs.pairs.iter().map(|pair| vec![pair.first, pair.second]));
        across(self.duplicates.groups.iter().cloned().chain(pairs), parts)
    }

    /// How many groups and pairs were found, of all kinds together.
    #[must_use]
    pub fn findings(&self) -> usize {
        self.duplicates.groups.len() + self.near.pairs.len() + self.sky.pairs.len()
    }

    /// How many pictures or pairs stand in more than one part of the split, of all kinds together.
    #[must_use]
    pub fn leaks(&self) -> usize {
        self.duplicates.across_parts + self.near.across_parts + self.sky.across_parts
    }
}

/// What one reading of a picture gives.
struct Print {
    exact: [u8; 32],
    look: Option<Look>,
}

/// Looks for duplicates, near duplicates and positions that are the same. `parts` says where each image belongs. Reads every
/// picture once, on all processors; `done` counts them up, and `stop` ends it.
///
/// # Errors
/// [`DataError::Stopped`]. A picture that cannot be read is listed, no error.
pub fn integrity(dataset: &Dataset, parts: &[Option<Part>], done: &AtomicUsize, stop: &AtomicBool) -> Result<Integrity, DataError> {
    let read = |index: usize| {
        if stop.load(Ordering::Relaxed) {
            return Err(DataError::Stopped);
        }
        let image = dataset.images.image(index);
        done.fetch_add(1, Ordering::Relaxed);
        image.map(|image| Print { exact: fingerprint(&image), look: look::look(&image) })
    };
    let results: Vec<Result<Print, DataError>> = (0..dataset.len()).into_par_iter().map(read).collect();
    if stop.load(Ordering::Relaxed) {
        return Err(DataError::Stopped);
    }
    let unreadable = results.iter().filter_map(|result| result.as_ref().err().map(ToString::to_string)).collect();
    let prints: Vec<Option<Print>> = results.into_iter().map(Result::ok).collect();
    let groups = groups(&prints);
    let mut first = vec![true; dataset.len()];
    for &copy in groups.iter().flat_map(|group| &group[1..]) {
        first[copy as usize] = false;
    }
    let looks: Vec<(u32, &Look)> = prints
        .iter()
        .enumerate()
        .filter(|(index, _)| first[*index])
        .filter_map(|(index, print)| Some((index as u32, print.as_ref()?.look.as_ref()?)))
        .collect();
    let labels = &dataset.labels;
    Ok(Integrity {
        duplicates: Duplicates::new(groups, labels, parts),
        near: Pairs::new(near::pairs(&looks, stop)?, labels, parts),
        sky: Pairs::new(sky::pairs(&dataset.catalogue.ra, &dataset.catalogue.dec), labels, parts),
        unreadable,
    })
}

/// Pairs of positions closer than 2 arcsec alone: quick, no picture is read.
#[must_use]
pub fn same_positions(dataset: &Dataset, parts: &[Option<Part>]) -> Pairs {
    Pairs::new(sky::pairs(&dataset.catalogue.ra, &dataset.catalogue.dec), &dataset.labels, parts)
}

/// SHA-256 of the width and the pixels.
fn fingerprint(image: &crate::imaging::Image) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((image.width() as u64).to_le_bytes());
    hash.update(image.pixels());
    hash.finalize().into()
}

/// Images with the same fingerprint.
fn groups(prints: &[Option<Print>]) -> Vec<Vec<u32>> {
    let mut same: HashMap<[u8; 32], Vec<u32>> = HashMap::new();
    for (image, print) in prints.iter().enumerate() {
        if let Some(print) = print {
            same.entry(print.exact).or_default().push(image as u32);
        }
    }
    let mut groups: Vec<Vec<u32>> = same.into_values().filter(|images| images.len() > 1).collect();
    groups.sort_unstable();
    groups
}

impl Duplicates {
    fn new(groups: Vec<Vec<u32>>, labels: &[u32], parts: &[Option<Part>]) -> Self {
        let mut found = Self { groups, ..Self::default() };
        for group in &found.groups {
            let of_part = |part| group.iter().filter(|&&image| parts[image as usize] == Some(part)).count();
            let counts = Part::ALL.map(of_part);
            found.within_parts += counts.iter().map(|n| n.saturating_sub(1)).sum::<usize>();
            found.across_parts += usize::from(counts.iter().filter(|&&n| n > 0).count() > 1);
            found.different_labels += usize::from(group.iter().any(|&image| labels[image as usize] != labels[group[0] as usize]));
        }
        found
    }
}
