//! How large a second of arc is at a redshift, in a flat universe of matter and a cosmological constant: H0 = 70 km/s/Mpc,
//! Omega matter = 0.3, no radiation (astropy's `FlatLambdaCDM(70, 0.3)`).

/// The Hubble constant, km/s/Mpc.
pub const H0: f64 = 70.0;
/// The density of matter over the critical density.
pub const OMEGA_MATTER: f64 = 0.3;

/// The speed of light, km/s.
const C: f64 = 299_792.458;
/// Steps of the integral; with these its relative error is below 1e-9 for every redshift that is allowed.
const STEPS: usize = 256;
/// The largest redshift that makes sense here.
const LARGEST: f64 = 20.0;

/// Proper kiloparsecs in a second of arc at redshift `z`; `None` unless 0 < z <= 20.
///
/// The angular diameter distance is the comoving distance over 1 + z (Hogg, astro-ph/9905116), integrated over
/// u = ln(1 + z) by Simpson's rule.
#[must_use]
pub fn kpc_per_arcsec(z: f64) -> Option<f64> {
    if !(z > 0.0 && z <= LARGEST) {
        return None;
    }
    let end = z.ln_1p();
    let integrand = |u: f64| {
        let scale = u.exp();
        scale / (OMEGA_MATTER * scale.powi(3) + 1.0 - OMEGA_MATTER).sqrt()
    };
    let step = end / STEPS as f64;
    let weight = |i: usize| {
        if i == 0 || i == STEPS {
            1.0
        } else if i % 2 == 1 {
            4.0
        } else {
            2.0
        }
    };
    let sum: f64 = (0..=STEPS).map(|i| weight(i) * integrand(i as f64 * step)).sum();
    let comoving_mpc = C / H0 * sum * step / 3.0;
    let arcsec = std::f64::consts::PI / (180.0 * 3600.0);
    Some(comoving_mpc / (1.0 + z) * 1000.0 * arcsec)
}
