//! Picture -> picture: what a training image goes through before the network sees it. Seeded and pure.

mod geometry;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::imaging::Image;
use crate::random::Random;

pub use geometry::{flip, quarter_turns, rotate};

/// How training images are turned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Not at all.
    None,
    /// By 0, 90, 180 or 270 degrees: exact, no resampling.
    #[default]
    Quarter,
    /// By any angle, bilinear, with a reflected border.
    Any,
}

/// Which augmentations are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Mirror left to right with probability 1/2.
    pub flip: bool,
    /// Turn by a random angle.
    pub rotation: Rotation,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self { flip: true, rotation: Rotation::Quarter }
    }
}

impl Augmentation {
    /// The picture, flipped and turned as `random` will have it. Quarter turns swap the sides of a picture that is not
    /// square; any other angle keeps the frame.
    #[must_use]
    pub fn apply(&self, image: &Image, random: &mut Random) -> Image {
        let flipped = if self.flip && random.chance(0.5) { Cow::Owned(flip(image)) } else { Cow::Borrowed(image) };
        match self.rotation {
            Rotation::None => flipped.into_owned(),
            Rotation::Quarter => quarter_turns(&flipped, random.below(4)),
            Rotation::Any => rotate(&flipped, random.range(0.0, 360.0)),
        }
    }
}
