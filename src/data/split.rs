//! Which images train, which validate, which test.

use serde::{Deserialize, Serialize};

/// One of the three parts of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The images that the network learns from.
    Train,
    /// The images that choose the best epoch.
    Valid,
    /// The images that are looked at once, at the end.
    Test,
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
}
