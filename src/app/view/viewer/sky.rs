//! Where a picture is on the sky and how large things on it are: the scale bar and the addresses of other services.

use crate::data::cosmology::{self, kpc_per_arcsec};

/// Lengths of a scale bar, arcsec.
const NICE: [f64; 13] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0];

/// A scale bar.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleBar {
    /// Its length, arcsec.
    pub arcsec: f64,
    /// Its length, kpc, where the redshift is known.
    pub kpc: Option<f64>,
    /// Its length in pixels of the picture.
    pub pixels: f64,
}

impl ScaleBar {
    /// The longest nice bar that fits into `room` pixels of the picture; `None` if there is no pixel scale, or none fits.
    #[must_use]
    pub fn fitting(room: f64, pxscale: Option<f64>, redshift: Option<f64>) -> Option<Self> {
        let pxscale = pxscale.filter(|scale| scale.is_finite() && *scale > 0.0)?;
        let arcsec = NICE.into_iter().rev().find(|arcsec| arcsec / pxscale <= room)?;
        let kpc = redshift.and_then(kpc_per_arcsec).map(|kpc| kpc * arcsec);
        Some(Self { arcsec, kpc, pixels: arcsec / pxscale })
    }

    /// The bar in words: "10 arcsec = 9.8 kpc".
    #[must_use]
    pub fn words(&self) -> String {
        let kpc = self.kpc.map(|kpc| if kpc < 10.0 { format!(" = {kpc:.2} kpc") } else { format!(" = {kpc:.1} kpc") });
        format!("{} arcsec{}", self.arcsec, kpc.unwrap_or_default())
    }

    /// What the kiloparsecs rest on.
    #[must_use]
    pub fn cosmology() -> String {
        format!(
            "Kiloparsecs from the redshift in a flat LCDM universe: H0 = {} km/s/Mpc, Omega matter = {}",
            cosmology::H0,
            cosmology::OMEGA_MATTER
        )
    }
}

/// A position as it is copied: degrees, with the sign of the declination.
#[must_use]
pub fn position(ra: f64, dec: f64) -> String {
    format!("{ra:.6} {dec:+.6}")
}

/// The pages of other services about a position.
#[must_use]
pub fn links(ra: f64, dec: f64) -> [(&'static str, String); 3] {
    [
        (
            "Legacy Survey",
            format!("https://www.legacysurvey.org/viewer?ra={ra:.6}&dec={dec:.6}&layer=ls-dr10&zoom=15&mark={ra:.6},{dec:.6}"),
        ),
        (
            "SIMBAD",
            format!(
                "https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={ra:.6}+{}{:.6}&CooFrame=ICRS&Radius=10&Radius.unit=arcsec",
                if dec < 0.0 { "-" } else { "%2B" },
                dec.abs()
            ),
        ),
        (
            "Aladin",
            format!(
                "https://aladin.cds.unistra.fr/AladinLite/?target={ra:.6}%20{dec:.6}&fov=0.03&survey=CDS%2FP%2FDESI-Legacy-Surveys%2FDR10%2Fcolor"
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_the_longest_nice_one_that_fits() {
        let bar = ScaleBar::fitting(80.0, Some(0.262), Some(0.05)).expect("there is a pixel scale");
        assert!((bar.arcsec - 20.0).abs() < 1e-12);
        assert!((bar.pixels - 76.335_877_86).abs() < 1e-6);
        // astropy: FlatLambdaCDM(70, 0.3).kpc_proper_per_arcmin(0.05) / 60 = 0.9768
        assert!((bar.kpc.expect("a redshift") - 19.545).abs() < 0.05, "{:?}", bar.kpc);
        assert_eq!(bar.words(), format!("20 arcsec = {:.1} kpc", bar.kpc.unwrap_or(0.0)));
        assert_eq!(ScaleBar::fitting(80.0, Some(0.262), None).map(|bar| bar.words()), Some("20 arcsec".into()));
        for none in [None, Some(0.0), Some(-1.0), Some(f64::NAN)] {
            assert_eq!(ScaleBar::fitting(80.0, none, Some(0.1)), None);
        }
        assert_eq!(ScaleBar::fitting(80.0, Some(0.262), Some(-0.1)).and_then(|bar| bar.kpc), None);
    }

    #[test]
    fn addresses_hold_the_position_with_its_sign() {
        let [legacy, simbad, aladin] = links(150.1, -2.25).map(|(_, address)| address);
        assert!(legacy.contains("ra=150.100000&dec=-2.250000"), "{legacy}");
        assert!(simbad.contains("Coord=150.100000+-2.250000&"), "{simbad}");
        assert!(aladin.contains("target=150.100000%20-2.250000&"), "{aladin}");
        assert!(links(0.0, 2.0)[1].1.contains("+%2B2.000000"));
        assert_eq!(position(150.1, 2.0), "150.100000 +2.000000");
    }
}
