//! How far a picture lies from everything that a network learned from: the distance to the k-th nearest training picture between
//! features before the last layer (Sun, Ming, Zhu & Li 2022, "Out-of-distribution detection with deep nearest neighbors", ICML), set
//! beside the same distances of the validation pictures. Reads no pictures and no files: it takes features, and becomes bytes and comes
//! from bytes.
//!
//! The paper gives all features length 1. Here each is measured in standard deviations of the training pictures instead: noise and
//! stripes excite a network of ours far too little or far too much, in the directions that it knows, and the length is what tells.
//! Beyond the 99th percentile of the validation pictures lay, of 100 pictures each, with lengths of 1 and with standard deviations (compact
//! networks of 64 pixels, trained on 600 and on 1,200 synthetic galaxies): coloured noise 0 and 100 % | 100 and 100 %, grey noise 37 and
//! 98 % | 38 and 86 %, stripes 15 and 100 % | 31 and 100 %, chequers 0 and 100 % | 52 and 100 %, one colour 89 and 96 % | 72 and 100 %,
//! text 56 and 100 % | 100 and 100 %, photographs 35 and 99 % | 72 and 100 %, clouds 34 and 100 % | 37 and 100 %; and 0 and 0.5 % of the
//! galaxies of the test part.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use sha2::{Digest, Sha256};

/// Which neighbour counts, where there are as many training pictures: few enough for the smallest class of Galaxy10.
pub const NEIGHBOUR: usize = 10;
/// The share of the validation pictures that must be nearer for a picture to count as unusual: with it the paper keeps 95 % of what is
/// like the training data.
const UNUSUAL: f64 = 0.95;
/// The share from which on a picture looks like nothing in the training data.
const STRANGE: f64 = 0.99;

/// The least standard deviation of a feature, as a share of the largest.
const LEAST: f64 = 1e-3;

/// The first bytes of the file; the number is the version of its form.
const MAGIC: &[u8; 8] = b"TFfamil2";
/// Letters of a digest.
const DIGEST: usize = 64;
/// Bytes of the check sum at the end.
const CHECK: usize = 32;
/// Bytes before the numbers.
const HEAD: usize = MAGIC.len() + 3 * DIGEST + 4 * 8;

/// What features were made from, each a SHA-256 in hexadecimal: they say nothing of another model or other data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The model's numbers ([`Classifier::fingerprint`](super::Classifier::fingerprint)).
    pub model: String,
    /// Which pictures trained and which validated.
    pub split: String,
    /// The pictures.
    pub data: String,
}

/// Why bytes are not the familiarity that is looked for. Each message says what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotFamiliarity {
    /// Other bytes, or those of another version of the program.
    #[error("it was not written by this version of the program")]
    Form,
    /// The check sum does not fit.
    #[error("it is damaged or cut off")]
    Damaged,
    /// It belongs to another model.
    #[error("it belongs to another model")]
    OtherModel,
    /// It belongs to other pictures or another split.
    #[error("it belongs to other data")]
    OtherData,
}

/// How near a picture is to the training pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearness {
    /// The distance to the k-th nearest training picture: the root of the mean over the features of their squared difference, in
    /// standard deviations of the training pictures.
    pub distance: f32,
    /// The share of the validation pictures that are nearer, from 0 to 1.
    pub nearer: f64,
}

/// What a nearness means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// As near as most validation pictures.
    Usual,
    /// Farther than 95 % of them.
    Unusual,
    /// Farther than 99 % of them: it looks like nothing in the training data.
    Strange,
}

/// The features of the training pictures, and how far from them the validation pictures lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Familiarity {
    /// Numbers in a row.
    width: usize,
    /// Which neighbour counts, from 1.
    neighbour: usize,
    /// The mean of each feature over the training pictures.
    means: Vec<f32>,
    /// Its standard deviation there; where that is next to nothing, more.
    deviations: Vec<f32>,
    /// A row for each training picture, in standard deviations from the mean.
    train: Vec<f32>,
    /// The distances of the validation pictures, ascending.
    valid: Vec<f32>,
}

impl Familiarity {
    /// From the features of training and validation pictures, one row each, all of the same length; `None` if there are none of either,
    /// or a number is not finite.
    #[must_use]
    pub fn new(train: &[Vec<f32>], valid: &[Vec<f32>]) -> Option<Self> {
        let width = train.first()?.len();
        let usable = |row: &Vec<f32>| row.len() == width && row.iter().all(|value| value.is_finite());
        if width == 0 || valid.is_empty() || !train.iter().chain(valid).all(usable) {
            return None;
        }
        let (means, deviations) = moments(train, width);
        let neighbour = NEIGHBOUR.min(train.len());
        let mut known = Self { width, neighbour, means, deviations, train: Vec::new(), valid: Vec::new() };
        known.train = train.iter().flat_map(|row| known.standardised(row)).collect();
        let mut distances: Vec<f32> = valid.par_iter().map(|row| known.distance(row)).collect();
        distances.sort_by(f32::total_cmp);
        known.valid = distances;
        Some(known)
    }

    /// How many training pictures it knows.
    #[must_use]
    pub fn train_images(&self) -> usize {
        self.train.len() / self.width
    }

    /// How many validation pictures it compares with.
    #[must_use]
    pub fn valid_images(&self) -> usize {
        self.valid.len()
    }

    /// Numbers in the features of a picture.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// How near the picture of these features is; `None` if they are of another network or not finite.
    #[must_use]
    pub fn nearness(&self, features: &[f32]) -> Option<Nearness> {
        if features.len() != self.width || !features.iter().all(|value| value.is_finite()) {
            return None;
        }
        let distance = self.distance(features);
        let nearer = self.valid.partition_point(|&other| other < distance);
        Some(Nearness { distance, nearer: nearer as f64 / self.valid.len() as f64 })
    }

    /// A nearness in a sentence.
    #[must_use]
    pub fn sentence(&self, nearness: Nearness) -> String {
        let count = self.valid.len();
        let nearer = (nearness.nearer * count as f64).round() as usize;
        let farther = if nearer == count {
            format!("farther from the training pictures than each of the {count} validation pictures")
        } else {
            format!("farther from the training pictures than {:.1} % of the {count} validation pictures", nearness.percentile())
        };
        match nearness.likeness() {
            Likeness::Usual => format!("Like the training data: {farther}."),
            Likeness::Unusual => format!("Unusual: {farther}. Trust the classes less."),
            Likeness::Strange => {
                format!("This looks like nothing in the training data: {farther}. The model must name a class, but it means little here.")
            }
        }
    }

    /// Features in standard deviations from the mean.
    fn standardised(&self, row: &[f32]) -> Vec<f32> {
        row.iter().zip(&self.means).zip(&self.deviations).map(|((value, mean), deviation)| (value - mean) / deviation).collect()
    }

    /// The distance to the k-th nearest training picture.
    fn distance(&self, features: &[f32]) -> f32 {
        let row = self.standardised(features);
        let mut squares: Vec<f32> = self.train.chunks_exact(self.width).map(|other| square_distance(&row, other)).collect();
        let (_, square, _) = squares.select_nth_unstable_by(self.neighbour - 1, f32::total_cmp);
        (*square / self.width as f32).sqrt()
    }

    /// The bytes of a file that belongs to `origin`.
    #[must_use]
    pub fn to_bytes(&self, origin: &Origin) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for digest in [&origin.model, &origin.split, &origin.data] {
            bytes.extend(format!("{digest:.DIGEST$}").bytes().chain(std::iter::repeat(b' ')).take(DIGEST));
        }
        for number in [self.width, self.neighbour, self.train_images(), self.valid.len()] {
            bytes.extend((number as u64).to_le_bytes());
        }
        let values = self.means.iter().chain(&self.deviations).chain(&self.train).chain(&self.valid);
        bytes.extend(values.flat_map(|value| value.to_le_bytes()));
        let check = Sha256::digest(&bytes);
        bytes.extend(check);
        bytes
    }

    /// What [`Self::to_bytes`] wrote, if it belongs to this model and split, and to these pictures where they are known.
    ///
    /// # Errors
    /// Saying why it is not.
    pub fn from_bytes(bytes: &[u8], model: &str, split: &str, data: Option<&str>) -> Result<Self, NotFamiliarity> {
        if !bytes.starts_with(MAGIC) {
            return Err(NotFamiliarity::Form);
        }
        let end = bytes.len().checked_sub(CHECK).filter(|end| *end >= HEAD).ok_or(NotFamiliarity::Damaged)?;
        let (content, check) = bytes.split_at(end);
        if Sha256::digest(content)[..] != *check {
            return Err(NotFamiliarity::Damaged);
        }
        let digest = |number: usize| content[MAGIC.len() + number * DIGEST..][..DIGEST].trim_ascii_end();
        if digest(0) != model.as_bytes() {
            return Err(NotFamiliarity::OtherModel);
        }
        if digest(1) != split.as_bytes() || data.is_some_and(|data| digest(2) != data.as_bytes()) {
            return Err(NotFamiliarity::OtherData);
        }
        let numbers = content[MAGIC.len() + 3 * DIGEST..HEAD].as_chunks::<8>().0;
        let [width, neighbour, train, valid] = [0, 1, 2, 3].map(|number| u64::from_le_bytes(numbers[number]) as usize);
        let values: Vec<f32> = content[HEAD..].as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
        let rows = train.checked_add(2).and_then(|rows| rows.checked_mul(width)).ok_or(NotFamiliarity::Damaged)?;
        if rows.checked_add(valid) != Some(values.len()) {
            return Err(NotFamiliarity::Damaged);
        }
        // the check sum only tells of accidents
        let finite = values.iter().all(|value| value.is_finite()) && values[width..2 * width].iter().all(|deviation| *deviation > 0.0);
        if width == 0 || valid == 0 || !(1..=train).contains(&neighbour) || !finite {
            return Err(NotFamiliarity::Damaged);
        }
        let [means, deviations, train, valid] =
            [0..width, width..2 * width, 2 * width..rows, rows..values.len()].map(|range| values[range].to_vec());
        Ok(Self { width, neighbour, means, deviations, train, valid })
    }
}

impl Nearness {
    /// Validation pictures that are nearer, percent.
    #[must_use]
    pub fn percentile(self) -> f64 {
        100.0 * self.nearer
    }

    /// What it means.
    #[must_use]
    pub fn likeness(self) -> Likeness {
        if self.nearer > STRANGE {
            Likeness::Strange
        } else if self.nearer > UNUSUAL {
            Likeness::Unusual
        } else {
            Likeness::Usual
        }
    }
}

/// Mean and standard deviation of each feature. A feature that hardly varies would turn rounding into distance, so that no deviation is
/// taken for less than a thousandth of the largest.
fn moments(rows: &[Vec<f32>], width: usize) -> (Vec<f32>, Vec<f32>) {
    let count = rows.len() as f64;
    let mean = |feature: usize| rows.iter().map(|row| f64::from(row[feature])).sum::<f64>() / count;
    let means: Vec<f64> = (0..width).map(mean).collect();
    let square = |feature: usize| rows.iter().map(|row| (f64::from(row[feature]) - means[feature]).powi(2)).sum::<f64>() / count;
    let deviations: Vec<f64> = (0..width).map(|feature| square(feature).sqrt()).collect();
    let largest = deviations.iter().copied().fold(0.0, f64::max);
    // pictures that are all the same say nothing about what is usual
    let least = if largest > 0.0 { largest * LEAST } else { 1.0 };
    (means.into_iter().map(|mean| mean as f32).collect(), deviations.into_iter().map(|deviation| deviation.max(least) as f32).collect())
}

/// In sixteen lanes, so that it runs on vector registers.
fn square_distance(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (left, right) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0f32; LANES];
    for (a, b) in left.0.iter().zip(right.0) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    let rest: f32 = left.1.iter().zip(right.1).map(|(a, b)| (a - b) * (a - b)).sum();
    sums.iter().sum::<f32>() + rest
}
