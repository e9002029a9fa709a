//! What is in a data set: counts, sizes, and what is wrong with it ([`integrity`]).

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use serde::Serialize;

use super::integrity::{Duplicates, Pairs, SAME_POSITION, integrity};
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
    /// Pictures that look the same, perhaps turned, mirrored or stored anew.
    pub near: Pairs,
    /// Positions closer than 2 arcsec.
    pub sky: Pairs,
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

/// Counts the images of each class and part, and looks for duplicates (see [`integrity`]). Reads every picture once, on all processors.
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
    let found = integrity(dataset, &parts, &AtomicUsize::new(0), &AtomicBool::new(false))?;
    Ok(Info {
        name: dataset.name.clone(),
        images: dataset.len(),
        size: dataset.images.size(),
        classes,
        split_given: dataset.given_split.is_some(),
        split_digest: split.digest(),
        duplicates: found.duplicates,
        near: found.near,
        sky: found.sky,
        skipped: dataset.skipped.iter().map(|file| format!("{}: {}", file.path.display(), file.reason)).collect(),
        unreadable: found.unreadable,
    })
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
        write_pairs(f, "look alike", "pictures that look the same, perhaps turned, mirrored or stored anew", &self.near)?;
        write_pairs(f, "same place", &format!("positions closer than {SAME_POSITION} arcsec"), &self.sky)?;
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

/// Pairs in a line; nothing if there are none.
fn write_pairs(f: &mut fmt::Formatter<'_>, what: &str, words: &str, found: &Pairs) -> fmt::Result {
    let Pairs { pairs, more, across_parts, different_labels } = found;
    if pairs.is_empty() {
        return Ok(());
    }
    let least = if *more { "more than " } else { "" };
    let n = pairs.len();
    let pair = if n == 1 { "pair" } else { "pairs" };
    write!(
        f,
        "\n{what:<12}{least}{n} {pair} of {words}: {across_parts} across parts of the split, {different_labels} with different labels"
    )
}
