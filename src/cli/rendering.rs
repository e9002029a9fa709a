//! How the numbers of FITS files become pictures: the flags that `explain` and `predict` share, with the window's choices.

use clap::Args;

use crate::imaging::{Curve, Interval, Rendering, Stretch};

/// How FITS numbers become pictures; other pictures are taken as they are.
#[derive(Args, Debug)]
#[command(next_help_heading = "FITS files")]
pub struct RenderingFlags {
    /// From black to white: linear, log, sqrt or asinh, as in ds9
    #[arg(long, value_name = "CURVE", default_value = "asinh")]
    stretch: Curve,
    /// Which numbers become black and white: minmax, zscale, or so many percent in the middle
    #[arg(long, value_name = "INTERVAL", default_value = "99.5")]
    interval: Interval,
    /// Let each of three bands go through the stretch by itself, instead of giving g, r and z the Legacy Surveys' colours
    #[arg(long)]
    no_legacy: bool,
}

impl RenderingFlags {
    /// What was chosen.
    #[must_use]
    pub fn rendering(&self) -> Rendering {
        let stretch = Stretch { interval: self.interval, curve: self.stretch };
        Rendering { legacy: !self.no_legacy, stretch, ..Rendering::default() }
    }
}
