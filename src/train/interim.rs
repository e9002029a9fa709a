//! Stand-ins until `data`, `imaging` and `augment` have their own methods of the same names (which then win).

use crate::augment::Augmentation;
use crate::data::{DataError, Dataset, Split};
use crate::imaging::Image;
use crate::random::{Purpose, Random};

pub(super) trait SplitBySeed {
    fn split(&self, seed: u64) -> Result<Split, DataError>;
}

impl SplitBySeed for Dataset {
    fn split(&self, seed: u64) -> Result<Split, DataError> {
        if let Some(split) = &self.given_split {
            return Ok(split.clone());
        }
        let mut split = Split::default();
        for class in 0..self.classes.len() {
            let mut members: Vec<u32> = (0..self.len() as u32).filter(|&i| self.labels[i as usize] as usize == class).collect();
            Random::new(seed, Purpose::Split, &[class as u64]).shuffle(&mut members);
            let (train, valid) = (members.len() * 3 / 5, members.len() * 4 / 5);
            split.train.extend(&members[..train]);
            split.valid.extend(&members[train..valid]);
            split.test.extend(&members[valid..]);
        }
        Ok(split)
    }
}

pub(super) trait Digest {
    fn digest(&self) -> String;
}

impl Digest for Split {
    fn digest(&self) -> String {
        format!("{}-{}-{}", self.train.len(), self.valid.len(), self.test.len())
    }
}

pub(super) trait Apply {
    fn apply(&self, image: &Image, random: &mut Random) -> Image;
}

impl Apply for Augmentation {
    fn apply(&self, image: &Image, _random: &mut Random) -> Image {
        image.clone()
    }
}

pub(super) trait Resize {
    fn resize(&self, width: usize, height: usize) -> Image;
}

impl Resize for Image {
    fn resize(&self, width: usize, height: usize) -> Image {
        let pixel = |x: usize, y: usize| 3 * (y * self.height() / height * self.width() + x * self.width() / width);
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels = pixels.flat_map(|(x, y)| self.pixels()[pixel(x, y)..][..3].to_vec()).collect();
        Image::new(width, height, pixels).unwrap_or_else(|_| self.clone())
    }
}
