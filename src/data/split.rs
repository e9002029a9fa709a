//! Which images train, which validate, which test.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::DataError;
use crate::random::{Purpose, Random};

/// The fewest images of a class that can be split: one for each part.
pub(super) const FEWEST: usize = 3;

/// One of the three parts of a split; validation is what a run is looked at by unless another is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The images that the network learns from.
    Train,
    /// The images that choose the best epoch.
    #[default]
    Valid,
    /// The images that are looked at once, at the end.
    Test,
}

impl Part {
    /// All three, in the order in which they are used.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// `train`, `valid` or `test`, as in files and arguments.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// `training`, `validation` or `test`, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Valid => "validation",
            Self::Test => "test",
        }
    }
}

/// Three disjoint lists of image indices, each in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Training images.
    pub train: Vec<u32>,
    /// Validation images.
    pub valid: Vec<u32>,
    /// Test images.
    pub test: Vec<u32>,
}

impl Split {
    /// The indices of one part.
    #[must_use]
    pub fn part(&self, part: Part) -> &[u32] {
        match part {
            Part::Train => &self.train,
            Part::Valid => &self.valid,
            Part::Test => &self.test,
        }
    }

    /// For each of so many `images`, the part that it belongs to. Indices beyond them do not count.
    #[must_use]
    pub fn parts(&self, images: usize) -> Vec<Option<Part>> {
        let mut parts = vec![None; images];
        for part in Part::ALL {
            for &index in self.part(part) {
                if let Some(place) = parts.get_mut(index as usize) {
                    *place = Some(part);
                }
            }
        }
        parts
    }

    /// 60 % training, 20 % validation, 20 % test of each class, drawn by `seed`: round(0.6 n) images train and those up to
    /// round(0.8 n) validate, but each part gets at least one. The same labels and seed give the same split everywhere.
    ///
    /// # Errors
    /// [`DataError::Request`] naming a class with fewer than three images, or a label that is none of the `classes`.
    pub fn stratified(labels: &[u32], classes: usize, seed: u64) -> Result<Self, DataError> {
        let mut members = vec![Vec::new(); classes];
        for (image, &label) in labels.iter().enumerate() {
            let Some(class) = members.get_mut(label as usize) else {
                return Err(DataError::Request(format!(
                    "image {image} has label {label}, but there are {classes} classes, counted from 0"
                )));
            };
            class.push(index(image)?);
        }
        let mut split = Self::default();
        for (class, mut members) in members.into_iter().enumerate() {
            let n = members.len();
            if n < FEWEST {
                return Err(DataError::Request(too_few(&format!("class {class}"), n)));
            }
            Random::new(seed, Purpose::Split, &[class as u64]).shuffle(&mut members);
            // 0.6 n and 0.8 n are never half-way between two integers, so whole numbers round like any rounding rule.
            let valid_end = ((8 * n + 5) / 10).min(n - 1);
            let train_end = ((6 * n + 5) / 10).min(valid_end - 1);
            split.train.extend(&members[..train_end]);
            split.valid.extend(&members[train_end..valid_end]);
            split.test.extend(&members[valid_end..]);
        }
        split.train.sort_unstable();
        split.valid.sort_unstable();
        split.test.sort_unstable();
        Ok(split)
    }

    /// That this is a split of a data set of so many `images`: no part empty, each ascending, no image twice, none that
    /// does not exist. Images in no part are allowed.
    ///
    /// # Errors
    /// [`DataError::Request`] naming the part and the image.
    pub fn validate(&self, images: usize) -> Result<(), DataError> {
        let mut owner: Vec<Option<Part>> = vec![None; images];
        for part in Part::ALL {
            let (name, indices) = (part.name(), self.part(part));
            if indices.is_empty() {
                return Err(DataError::Request(format!("the {name} part of the split is empty; give each part at least one image")));
            }
            if let Some((before, after)) = indices.iter().zip(&indices[1..]).find(|(before, after)| before > after) {
                return Err(DataError::Request(format!("the {name} part has {before} before {after}; sort its indices")));
            }
            for &i in indices {
                match owner.get_mut(i as usize) {
                    None => {
                        let message = format!("the {name} part has image {i}, but there are only {images} images, counted from 0");
                        return Err(DataError::Request(format!("{message}; make the indices from this data set")));
                    }
                    Some(Some(other)) => {
                        let other = other.name();
                        let message = format!("image {i} stands in the {other} part and again in the {name} part");
                        return Err(DataError::Request(format!("{message}; an image may stand in one part, once")));
                    }
                    Some(free) => *free = Some(part),
                }
            }
        }
        Ok(())
    }

    /// SHA-256, hexadecimal, of the three lists: the same digest means the same split.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for part in Part::ALL {
            let indices = self.part(part);
            hash.update(part.name().as_bytes());
            hash.update((indices.len() as u64).to_le_bytes());
            for index in indices {
                hash.update(index.to_le_bytes());
            }
        }
        super::hexadecimal(&hash.finalize())
    }
}

/// An image's place as an index of 32 bits.
fn index(image: usize) -> Result<u32, DataError> {
    u32::try_from(image).map_err(|_| DataError::Request("a data set may have at most 4,294,967,295 images; take a part of it".to_owned()))
}

/// What to say of a class that cannot be split.
pub(super) fn too_few(class: &str, images: usize) -> String {
    let have = match images {
        0 => "no images".to_owned(),
        1 => "only 1 image".to_owned(),
        n => format!("only {n} images"),
    };
    format!(
        "{class} has {have}, but training, validation and test need one each: add images to it, or remove the class \
         (its folder, or its line in classes.txt and its labels)"
    )
}
