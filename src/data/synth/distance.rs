//! How far a drawn galaxy is, and what that does to its light. A flat universe with H0 = 70 km/s/Mpc and
//! `Omega_m` = 0.3, to second order in redshift (good to 1 % below 0.3).

use super::light::{Bands, Colour};

/// c / H0, kpc.
const HUBBLE_DISTANCE: f32 = 4.283e6;
/// Half of (1 + q0), the second-order term of the comoving distance.
const DECELERATION: f32 = 0.225;
/// Radians in an arcsecond.
const ARCSEC: f32 = 4.848_137e-6;
/// The redshifts of Galaxy10.
const NEAREST: f32 = 0.003;
const FARTHEST: f32 = 0.25;

/// The distance of a galaxy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Distance {
    pub redshift: f32,
}

impl Distance {
    /// Where something of `kpc` kiloparsec looks `arcsec` arcseconds large, within the redshifts of the survey.
    pub fn where_looks(kpc: f32, arcsec: f32) -> Self {
        let (mut near, mut far) = (NEAREST, FARTHEST);
        for _ in 0..24 {
            let middle = 0.5 * (near + far);
            if kpc_per_arcsec(middle) * arcsec < kpc {
                near = middle;
            } else {
                far = middle;
            }
        }
        Self { redshift: 0.5 * (near + far) }
    }

    /// Surface brightness of `magnitude` per square arcsecond (r band, at rest) as it is seen: dimmed by (1 + z)^4 and
    /// reddened as the 4000 Angstrom break moves through g.
    pub fn surface(self, colour: Colour, magnitude: f32) -> Bands {
        colour.redder(1.2 * self.redshift).surface(magnitude + 10.0 * (1.0 + self.redshift).log10())
    }
}

/// Kiloparsec in an arcsecond at this redshift.
fn kpc_per_arcsec(redshift: f32) -> f32 {
    HUBBLE_DISTANCE * (redshift - DECELERATION * redshift * redshift) / (1.0 + redshift) * ARCSEC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_agrees_with_the_integrated_distance() {
        // c / H0 times the integral of 1 / E(z) over (1 + z), by scipy.integrate.quad
        for (redshift, kpc) in [(0.02, 0.4053), (0.1, 1.8443), (0.2, 3.2997)] {
            let got = kpc_per_arcsec(redshift);
            assert!((got / kpc - 1.0).abs() < 0.01, "z {redshift}: {got} kpc/arcsec, not {kpc}");
        }
    }

    #[test]
    fn farther_looks_smaller() {
        let near = Distance::where_looks(5.0, 8.0).redshift;
        let far = Distance::where_looks(5.0, 4.0).redshift;
        assert!(near < far);
        assert!((kpc_per_arcsec(far) * 4.0 - 5.0).abs() < 0.01);
        assert!((Distance::where_looks(500.0, 1.0).redshift - FARTHEST).abs() < 1e-3);
    }
}
