//! Picture -> picture: what a training image goes through before the network sees it. Seeded and pure.
//!
//! [`Augmentation`] says what may happen, [`Augmentation::draw`] draws the parameters of one picture, and [`Draw::write`] makes
//! the picture. [`Mix`] then mixes the pictures of a batch. Colour and blur are worked on the cropped picture; mirroring, turning, zooming, shifting and scaling to the
//! network's size are one bilinear resampling.

#![allow(clippy::inline_always, reason = "what is dispatched to an instruction set must be compiled for it")]

mod canvas;
mod colour;
mod draw;
mod geometry;
mod mix;
mod placement;
mod preview;
mod resample;
mod settings;
mod sweep;
mod table;

pub use canvas::Canvas;
pub use colour::ColourStep;
pub use draw::Draw;
pub use geometry::{flip, quarter_turns};
pub use mix::Mix;
pub use preview::{Stage, Step};
pub use settings::{Augmentation, Border, Preset, Rotation, Section};
pub use sweep::Sweep;
pub use table::{Resident, Table};

use crate::imaging::Image;
use crate::random::Random;

impl Draw {
    /// The picture, only mirrored and turned by quarters as this draw says: every pixel is one of the source. Odd turns swap the
    /// sides of a picture that is not square.
    #[must_use]
    pub fn pose(&self, image: &Image) -> Image {
        geometry::posed(image, self.flip, self.quarter_turns)
    }

    /// The bytes of the same, in the memory of `canvas`.
    pub fn pose_on<'a>(&self, image: &Image, canvas: &'a mut Canvas) -> &'a [u8] {
        let bytes = canvas.bytes();
        geometry::pose_into(image, self.flip, self.quarter_turns, bytes);
        bytes
    }
}

impl Augmentation {
    /// The picture as it is kept for results of `side` pixels: a square of its own size, but at least `side` and at most what a crop
    /// is worth ([`source_side`](Self::source_side)).
    #[must_use]
    pub fn source(&self, image: Image, side: usize) -> Image {
        fit(image, side, self.source_side(side))
    }

    /// The picture, augmented as `random` will have it and scaled to `side` x `side`.
    #[must_use]
    pub fn apply(&self, image: &Image, side: usize, random: &mut Random) -> Image {
        let draw = self.draw(random);
        let fits = image.width() == side && image.height() == side;
        if fits && self.is_exact() { draw.pose(image) } else { draw.apply(image, side) }
    }
}

/// The picture as a square of its own size, but at least `least` and at most `largest` pixels a side.
#[must_use]
pub fn fit(image: Image, least: usize, largest: usize) -> Image {
    let side = image.width().max(image.height()).clamp(least, largest.max(least));
    if image.width() == side && image.height() == side { image } else { image.resize(side, side) }
}
