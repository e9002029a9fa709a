//! Picture -> picture: what a training image goes through before the network sees it. Seeded and pure.

use serde::{Deserialize, Serialize};

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
