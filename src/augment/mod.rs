//! Picture -> picture: what a training image goes through before the network sees it. Seeded and pure.
//!
//! [`Augmentation`] says what may happen, [`Augmentation::draw`] draws the parameters of one picture, and [`Draw::write`] makes
//! the picture. Colour and blur are worked on the cropped picture; mirroring, turning, zooming, shifting and scaling to the
//! network's size are one bilinear resampling.

#![allow(clippy::inline_always, reason = "what is dispatched to an instruction set must be compiled for it")]

mod canvas;
mod colour;
mod draw;
mod geometry;
mod placement;
mod resample;
mod settings;

pub use canvas::Canvas;
pub use colour::ColourStep;
pub use draw::Draw;
pub use geometry::{flip, quarter_turns};
pub use settings::{Augmentation, Border, Preset, Rotation};

use std::borrow::Cow;

use crate::imaging::Image;
use crate::random::Random;

impl Draw {
    /// The picture, only mirrored and turned by quarters as this draw says: every pixel is one of the source. Odd turns swap the
    /// sides of a picture that is not square.
    #[must_use]
    pub fn pose(&self, image: &Image) -> Image {
        let flipped = if self.flip { Cow::Owned(flip(image)) } else { Cow::Borrowed(image) };
        quarter_turns(&flipped, self.quarter_turns)
    }
}

impl Augmentation {
    /// The picture, augmented as `random` will have it and scaled to `side` x `side`.
    #[must_use]
    pub fn apply(&self, image: &Image, side: usize, random: &mut Random) -> Image {
        let draw = self.draw(random);
        let fits = image.width() == side && image.height() == side;
        if fits && self.is_exact() { draw.pose(image) } else { draw.apply(image, side) }
    }
}
