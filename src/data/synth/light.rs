//! Light in three bands: magnitudes and colours in, what the Legacy Surveys viewer shows out. Knows no shapes.
//!
//! Light is kept as the viewer weighs it: nanomaggies in a pixel of 0.262 arcsec, times 2.2 for z, 3.4 for r and 6.0
//! for g, in the order in which they are shown (z red, r green, g blue).

use crate::random::Random;

/// Weighted light in z, r and g: the red, green and blue of the picture.
pub(super) type Bands = [f32; 3];

/// The viewer's weights of z, r and g (`sdss_rgb` of the Legacy Surveys' `legacypipe`).
const WEIGHTS: Bands = [2.2, 3.4, 6.0];
/// The survey's pixel, arcsec.
pub(super) const SURVEY_PIXEL: f32 = 0.262;
/// Added to every band before the stretch, so that the noise of the sky stays visible as grey.
const SKY_LEVEL: f32 = 0.03;
/// Softening of the asinh stretch (Lupton et al. 2004).
const SOFTENING: f32 = 20.0;

/// Colour of a stellar population, magnitudes (AB).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour {
    pub g_r: f32,
    pub r_z: f32,
}

impl Colour {
    /// A galaxy's colour: r - z follows g - r with little scatter, from star-forming (0.3) to quiescent (0.8).
    pub fn galaxy(random: &mut Random, g_r: f32) -> Self {
        Self { g_r, r_z: 0.87 * g_r - 0.1 + 0.03 * random.normal() as f32 }
    }

    /// The same population with `g_r` magnitudes more in g - r (older or dustier if positive).
    pub fn redder(self, g_r: f32) -> Self {
        Self { g_r: self.g_r + g_r, r_z: self.r_z + 0.7 * g_r }
    }

    /// Light of `magnitude` (r band) in this colour: of a source, or of a square arcsecond.
    pub fn light(self, magnitude: f32) -> Bands {
        let flux = |magnitude: f32| 10f32.powf(-0.4 * (magnitude - 22.5));
        let [z, r, g] = WEIGHTS;
        [z * flux(magnitude - self.r_z), r * flux(magnitude), g * flux(magnitude + self.g_r)]
    }

    /// Surface brightness of `magnitude` per square arcsecond (r band), as light in a survey pixel.
    pub fn surface(self, magnitude: f32) -> Bands {
        scale(self.light(magnitude), SURVEY_PIXEL * SURVEY_PIXEL)
    }
}

/// All bands times `factor`.
pub(super) fn scale(bands: Bands, factor: f32) -> Bands {
    bands.map(|b| b * factor)
}

/// Sum of two lights.
pub(super) fn add(a: Bands, b: Bands) -> Bands {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// Light that is left behind dust of optical depth `tau` in r; less is lost in z, more in g.
pub(super) fn through_dust(bands: Bands, tau: f32) -> Bands {
    let r = (-tau).exp();
    let root = r.sqrt();
    [bands[0] * root, bands[1] * r, bands[2] * r * root]
}

/// The viewer's asinh stretch: the mean of the bands is compressed, their ratios (the colour) are kept, and each
/// is cut at white.
pub(super) fn stretch(bands: Bands) -> [u8; 3] {
    let lifted = bands.map(|b| (b + SKY_LEVEL).max(0.0));
    let mean = ((lifted[0] + lifted[1] + lifted[2]) / 3.0).max(1e-6);
    let gain = (SOFTENING * mean).asinh() / (SOFTENING.sqrt() * mean);
    lifted.map(|b| (b * gain * 255.0).min(255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_sky_is_the_grey_of_the_viewer() {
        // asinh(20 * 0.03) / sqrt(20) * 255 = 32.4: the sky of the real pictures
        assert_eq!(stretch([0.0; 3]), [32, 32, 32]);
    }

    #[test]
    fn five_magnitudes_are_a_factor_of_a_hundred() {
        let colour = Colour { g_r: 0.7, r_z: 0.6 };
        for (bright, faint) in colour.light(15.0).into_iter().zip(colour.light(20.0)) {
            assert!((bright / faint - 100.0).abs() < 0.01, "{bright} / {faint}");
        }
    }

    #[test]
    fn dust_reddens() {
        let [z, r, g] = through_dust([1.0; 3], 0.7);
        assert!(z > r && r > g && g > 0.0, "{z} {r} {g}");
        assert!((r - (-0.7f32).exp()).abs() < 1e-6);
    }
}
