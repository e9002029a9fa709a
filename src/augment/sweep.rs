//! One change of a picture, from nothing to a lot in even steps: how a network's answer is watched along it.

use super::draw::Draw;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Turned counter-clockwise, degrees.
    Turn,
    /// Mirrored left to right and turned, degrees.
    MirroredTurn,
    /// Blurred, sigma in pixels.
    Blur,
    /// Sky noise, standard deviation where white is 1; the same noise, ever stronger.
    Noise,
    /// Light taken away, as a share.
    Dimming,
    /// Moved to the right, as a share of the side.
    Shift,
}

/// Degrees between two angles.
const ANGLE_STEP: usize = 5;
/// Steps of the other changes.
const STEPS: usize = 24;

impl Sweep {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Turn, Self::MirroredTurn, Self::Blur, Self::Noise, Self::Dimming, Self::Shift];

    /// The strongest change.
    #[must_use]
    pub fn end(self) -> f64 {
        match self {
            Self::Turn | Self::MirroredTurn => 360.0,
            Self::Blur => 4.0,
            Self::Noise => 0.24,
            Self::Dimming => 0.96,
            Self::Shift => 0.48,
        }
    }

    /// Whether the end is the beginning again.
    #[must_use]
    pub fn is_circle(self) -> bool {
        matches!(self, Self::Turn | Self::MirroredTurn)
    }

    /// The positions, from 0 to the end.
    #[must_use]
    pub fn positions(self) -> Vec<f64> {
        let steps = if self.is_circle() { 360 / ANGLE_STEP } else { STEPS };
        (0..=steps).map(|step| self.end() * step as f64 / steps as f64).collect()
    }

    /// The change at a position; beyond the edges the picture is reflected.
    #[must_use]
    pub fn draw(self, at: f64) -> Draw {
        let none = Draw::default();
        match self {
            Self::Turn => Draw { angle: at, ..none },
            Self::MirroredTurn => Draw { angle: at, flip: true, ..none },
            // three sigma on both sides
            Self::Blur => Draw { blur: at, blur_kernel: 2 * (3.0 * at).ceil() as usize + 1, ..none },
            Self::Noise => Draw { noise: at, noise_seed: 1, ..none },
            Self::Dimming => Draw { dimming: 1.0 - at, ..none },
            Self::Shift => Draw { shift: [at, 0.0], ..none },
        }
    }
}
