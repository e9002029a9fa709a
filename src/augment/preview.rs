//! What a draw does, step by step, for people to look at. Training never makes these pictures.

use super::canvas::Canvas;
use super::draw::Draw;
use crate::imaging::Image;

/// A step of the augmentation, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The picture as training keeps it.
    Source,
    /// The middle that is kept.
    Crop,
    /// Brightness, contrast, saturation, hue and dimming.
    Colour,
    /// The Gaussian blur.
    Blur,
    /// Mirror, turn, zoom, shift and the scaling to the network's size: one resampling.
    Geometry,
    /// Sky noise and the blackened rectangle.
    Finish,
}

impl Step {
    /// All steps.
    pub const ALL: [Self; 6] = [Self::Source, Self::Crop, Self::Colour, Self::Blur, Self::Geometry, Self::Finish];
}

/// The picture after a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Which step.
    pub step: Step,
    /// The picture; up to the blur it has the size of the crop, then that of the network's input.
    pub image: Image,
    /// Whether the draw has anything to do in this step.
    pub active: bool,
}

impl Draw {
    /// The picture after each step, for a network's input of `side` x `side` pixels. The last is [`Draw::apply`]'s.
    #[must_use]
    pub fn stages(&self, image: &Image, side: usize) -> Vec<Stage> {
        let none = Self::default();
        let crop = Self { crop: self.crop, ..none.clone() };
        let colour = Self { colour: self.colour.clone(), dimming: self.dimming, ..crop.clone() };
        let blur = Self { blur: self.blur, blur_kernel: self.blur_kernel, ..colour.clone() };
        let geometry = Self { noise: 0.0, erase: None, ..self.clone() };
        let turned = self.flip || !self.quarter_turns.is_multiple_of(4) || self.angle != 0.0;
        let moved = self.zoom.to_bits() != 1f64.to_bits() || self.shift.iter().any(|s| *s != 0.0);
        let mut canvas = Canvas::default();
        let mut before = |draw: &Self| {
            draw.colour_and_blur(image, &mut canvas);
            canvas.image()
        };
        let active = [
            true,
            self.crop.iter().any(|share| *share < 1.0),
            !self.colour.is_empty() || self.dimming < 1.0,
            self.blur > 0.0,
            turned || moved,
            self.noise > 0.0 || self.erase.is_some(),
        ];
        let images = [image.clone(), before(&crop), before(&colour), before(&blur), geometry.apply(image, side), self.apply(image, side)];
        Step::ALL.into_iter().zip(images).zip(active).map(|((step, image), active)| Stage { step, image, active }).collect()
    }
}
