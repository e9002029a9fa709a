//! What is in a data set: counts, sizes, and pictures that stand in it more than once. A picture in two parts of the split
//! leaks from one into the other; one with two labels is wrong under one of them.

use std::collections::HashMap;
use std::fmt;

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{DataError, Dataset, Part, Split};

/// What [`info`] found.
#[derive(Clone, Debug, Serialize)]
pub struct Info {
    /// What the data set is called.
    pub name: String,
    /// The number of images.
    pub images: usize,
    /// Width and height in pixels, if all pictures have the same.
    pub size: Option<(usize, usize)>,
    /// Counts of each class, in label order.
    pub classes: Vec<ClassInfo>,
    /// True if the split came with the data, false if it was drawn.
    pub split_given: bool,
    /// The digest of the split.
    pub split_digest: String,
    /// Pictures that are there more than once, to the last pixel.
    pub duplicates: Duplicates,
    /// Files that were left out when the data set was opened, each with the reason.
    pub skipped: Vec<String>,
    /// Pictures that could not be read now, each with the reason.
    pub unreadable: Vec<String>,
}

/// The images of one class.
#[derive(Clone, Debug, Serialize)]
pub struct ClassInfo {
    /// The class.
    pub name: String,
    /// All its images, in a part of the split or not.
    pub images: usize,
    /// Those that train.
    pub train: usize,
    /// Those that validate.
    pub valid: usize,
    /// Those that test.
    pub test: usize,
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

/// Counts the images of each class and part, and looks for exact duplicates. Reads every picture once, on all processors.
///
/// # Errors
/// [`DataError::Request`] if the split is not one of this data set. A picture that cannot be read is listed, no error.
pub fn info(dataset: &Dataset, split: &Split) -> Result<Info, DataError> {
    split.validate(dataset.len())?;
    let mut parts = vec![None; dataset.len()];
    let mut classes: Vec<ClassInfo> = dataset
        .classes
        .iter()
        .zip(dataset.class_counts())
        .map(|(name, images)| ClassInfo { name: name.clone(), images, train: 0, valid: 0, test: 0 })
        .collect();
    for part in Part::ALL {
        for &image in split.part(part) {
            parts[image as usize] = Some(part);
            let class = &mut classes[dataset.labels[image as usize] as usize];
            *match part {
                Part::Train => &mut class.train,
                Part::Valid => &mut class.valid,
                Part::Test => &mut class.test,
            } += 1;
        }
    }
    let (prints, unreadable) = fingerprints(dataset);
    Ok(Info {
        name: dataset.name.clone(),
        images: dataset.len(),
        size: dataset.images.size(),
        classes,
        split_given: dataset.given_split.is_some(),
        split_digest: split.digest(),
        duplicates: duplicates(&prints, &dataset.labels, &parts),
        skipped: dataset.skipped.iter().map(|file| format!("{}: {}", file.path.display(), file.reason)).collect(),
        unreadable,
    })
}

/// SHA-256 of the width and the pixels of each image, or `None` with a line on why it cannot be read.
fn fingerprints(dataset: &Dataset) -> (Vec<Option<[u8; 32]>>, Vec<String>) {
    let read = |index: usize| {
        dataset.images.image(index).map(|image| {
            let mut hash = Sha256::new();
            hash.update((image.width() as u64).to_le_bytes());
            hash.update(image.pixels());
            <[u8; 32]>::from(hash.finalize())
        })
    };
    let results: Vec<Result<[u8; 32], DataError>> = (0..dataset.len()).into_par_iter().map(read).collect();
    let unreadable = results.iter().filter_map(|result| result.as_ref().err().map(ToString::to_string)).collect();
    (results.into_iter().map(Result::ok).collect(), unreadable)
}

fn duplicates(prints: &[Option<[u8; 32]>], labels: &[u32], parts: &[Option<Part>]) -> Duplicates {
    let mut same: HashMap<[u8; 32], Vec<u32>> = HashMap::new();
    for (image, print) in prints.iter().enumerate() {
        if let Some(print) = print {
            same.entry(*print).or_default().push(image as u32);
        }
    }
    let mut found = Duplicates { groups: same.into_values().filter(|images| images.len() > 1).collect(), ..Duplicates::default() };
    found.groups.sort_unstable();
    for group in &found.groups {
        let of_part = |part| group.iter().filter(|&&image| parts[image as usize] == Some(part)).count();
        let counts = Part::ALL.map(of_part);
        found.within_parts += counts.iter().map(|n| n.saturating_sub(1)).sum::<usize>();
        found.across_parts += usize::from(counts.iter().filter(|&&n| n > 0).count() > 1);
        found.different_labels += usize::from(group.iter().any(|&image| labels[image as usize] != labels[group[0] as usize]));
    }
    found
}

impl fmt::Display for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.size.map_or("pixels of different sizes".to_owned(), |(width, height)| format!("{width} x {height} pixels"));
        writeln!(f, "{}: {} images, {size}, {} classes", self.name, self.images, self.classes.len())?;
        writeln!(f)?;
        let wide = self.classes.iter().map(|class| class.name.chars().count()).max().unwrap_or(0).max("class".len());
        let mut row = |name: &str, cells: [&str; 4]| {
            let [images, train, valid, test] = cells;
            writeln!(f, "{name:wide$}  {images:>8}  {train:>8}  {valid:>8}  {test:>8}")
        };
        row("class", ["images", "train", "valid", "test"])?;
        let mut total = [0; 4];
        for class in &self.classes {
            let counts = [class.images, class.train, class.valid, class.test];
            total.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
            let cells = counts.map(|n| n.to_string());
            row(&class.name, cells.each_ref().map(String::as_str))?;
        }
        let cells = total.map(|n| n.to_string());
        row("total", cells.each_ref().map(String::as_str))?;
        writeln!(f)?;
        let source = if self.split_given { "came with the data" } else { "drawn by seed, stratified 60/20/20" };
        writeln!(f, "split       {source}, SHA-256 {}", self.split_digest)?;
        let Duplicates { groups, within_parts, across_parts, different_labels } = &self.duplicates;
        if groups.is_empty() {
            write!(f, "duplicates  none")?;
        } else {
            write!(
                f,
                "duplicates  {} pictures stand in it more than once: {within_parts} repeats inside a part of the split, \
                 {across_parts} pictures in more than one part, {different_labels} with different labels",
                groups.len()
            )?;
        }
        for (what, lines) in [("left out", &self.skipped), ("unreadable", &self.unreadable)] {
            if !lines.is_empty() {
                write!(f, "\n{what:<12}{} files", lines.len())?;
                for line in lines {
                    write!(f, "\n  {line}")?;
                }
            }
        }
        Ok(())
    }
}
