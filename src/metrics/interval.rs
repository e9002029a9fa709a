//! How sure a share is that was counted on a finite number of images.

/// A closed interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The standard normal quantile of a two-sided 95 % interval.
const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % score interval (Wilson 1927) of the share `hits / trials`, in [0, 1]. Unlike the normal approximation it
/// stays inside [0, 1] and is honest for shares near 0 and 1 and for few trials. Without trials nothing is known: [0, 1].
///
/// # Panics
/// If there are more hits than trials.
#[must_use]
pub fn wilson(hits: u64, trials: u64) -> Interval {
    assert!(hits <= trials, "{hits} hits in {trials} trials");
    if trials == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let n = trials as f64;
    let share = hits as f64 / n;
    let z2 = Z_95 * Z_95;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z_95 / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    // The ends are exactly 0 and 1 where nothing, or everything, was a hit; rounding must not say otherwise.
    let low = if hits == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if hits == trials { 1.0 } else { (centre + half).min(1.0) };
    Interval { low, high }
}
