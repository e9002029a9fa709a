//! On what of the picture a map's mass lies: the galaxy, other sources, or the sky.

use crate::explain::Map;
use crate::imaging::{Image, segment};

/// Where the positive mass of a map lies, as shares of it (0 to 1, adding up to 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// On the galaxy in the middle.
    pub galaxy: f64,
    /// On other sources.
    pub other: f64,
    /// On the sky.
    pub sky: f64,
}

/// The shares of a map's positive mass on what [`segment`] tells apart in the picture that the network saw; `None` if nothing is
/// positive.
#[must_use]
pub fn shares(picture: &Image, map: &Map) -> Option<Shares> {
    let map = map.upsample(picture.width(), picture.height());
    let mut sums = [0.0f64; 3];
    for (region, value) in segment(picture).into_iter().zip(&map.values) {
        sums[region as usize] += f64::from(value.max(0.0));
    }
    let total: f64 = sums.iter().sum();
    (total > 0.0).then(|| Shares { galaxy: sums[0] / total, other: sums[1] / total, sky: sums[2] / total })
}

impl std::fmt::Display for Shares {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [galaxy, other, sky] = [self.galaxy, self.other, self.sky].map(|share| 100.0 * share);
        write!(f, "Evidence on the galaxy {galaxy:.0} %, other sources {other:.0} %, sky {sky:.0} %")
    }
}
