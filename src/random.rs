//! The one seeded generator. Every random number in the program comes from here.
//!
//! A generator is made from a seed and the coordinates of what it is for (a purpose, an epoch, an image), so a draw never
//! depends on what was drawn before it, on which thread asks, or on where a resumed run starts. It is no place for
//! entropy: nothing here reads the clock or the system.
//!
//! The stream is `ChaCha8` (the algorithm is fixed, so the same seed gives the same numbers on every machine); the
//! distributions are written out here for the same reason, because those of `rand` may change between versions.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// What a stream of random numbers is for; two purposes never share a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Splitting a data set into train, validation and test.
    Split = 1,
    /// Initial weights.
    Init = 2,
    /// The order of the images of an epoch.
    Shuffle = 3,
    /// Augmentation of one image in one epoch.
    Augment = 4,
    /// Dropout masks of one step.
    Dropout = 5,
    /// Synthetic galaxies.
    Synthetic = 6,
    /// Tests and benchmarks.
    Test = 7,
    /// How the pictures of one batch are mixed.
    Mix = 8,
    /// What the window shows when the user asks for any picture.
    Preview = 9,
    /// Drawing images with replacement, to see how sure a score is.
    Bootstrap = 10,
    /// The random map that a map is measured beside.
    Explain = 11,
    /// The values of a trial of a search.
    Search = 12,
}

/// A seeded generator.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The generator for `purpose` at `coordinates` (for example epoch and image index) under `seed`.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, coordinates: &[u64]) -> Self {
        let mut state = mix(seed ^ mix(purpose as u64));
        let mut key = [0u8; 32];
        for &c in coordinates {
            state = mix(state.wrapping_add(mix(c.wrapping_add(0x9e37_79b9_7f4a_7c15))));
        }
        for chunk in key.chunks_exact_mut(8) {
            state = mix(state);
            chunk.copy_from_slice(&state.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1), with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in [low, high).
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in 0..n.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "below(0) has no value to return");
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// Standard normal (Box-Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Two independent standard normal numbers for the price of one.
    pub fn normal_pair(&mut self) -> [f64; 2] {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        [radius * cos, radius * sin]
    }

    /// Beta(`alpha`, `alpha`), in [0, 1]; `alpha` is above 0.
    pub fn beta(&mut self, alpha: f64) -> f64 {
        // in logarithms, because for a small alpha both numbers may be too small for the ratio of the numbers themselves
        let (a, b) = (self.ln_gamma_variate(alpha), self.ln_gamma_variate(alpha));
        1.0 / (1.0 + (b - a).exp())
    }

    /// The logarithm of a Gamma(`shape`, 1) variate (Marsaglia & Tsang 2000; below 1 by their boost).
    fn ln_gamma_variate(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = (1.0 - self.uniform()).ln() / shape;
            return self.ln_gamma_variate(shape + 1.0) + boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let z = self.normal();
            let v = (1.0 + c * z).powi(3);
            if v > 0.0 && (1.0 - self.uniform()).ln() < 0.5 * z * z + d - d * v + d * v.ln() {
                return (d * v).ln();
            }
        }
    }

    /// Fisher-Yates shuffle.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// `SplitMix64`'s finaliser (Steele et al. 2014): a bijection of u64 that avalanches.
fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_separate_streams() {
        let draw = |seed, purpose, at: &[u64]| Random::new(seed, purpose, at).bits();
        let a = draw(1, Purpose::Augment, &[0, 1]);
        assert_eq!(a, draw(1, Purpose::Augment, &[0, 1]));
        assert_ne!(a, draw(1, Purpose::Augment, &[1, 0]));
        assert_ne!(a, draw(1, Purpose::Shuffle, &[0, 1]));
        assert_ne!(a, draw(2, Purpose::Augment, &[0, 1]));
        assert_ne!(draw(1, Purpose::Init, &[]), draw(1, Purpose::Init, &[0]));
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut r = Random::new(7, Purpose::Test, &[]);
        let n = 20_000;
        let (mut sum, mut square, mut uniform) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = r.normal();
            sum += z;
            square += z * z;
            uniform += r.uniform();
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 0.03, "mean {}", sum / n);
        assert!((square / n - 1.0).abs() < 0.05, "variance {}", square / n);
        assert!((uniform / n - 0.5).abs() < 0.01, "mean {}", uniform / n);
    }

    /// Quantiles of Beta(a, a) at 0.1, 0.25 and 0.4, from `scipy.stats.beta(a, a).ppf`.
    const BETA_QUANTILES: [(f64, [f64; 3]); 4] = [
        (0.01, [1.247_264_321_221_28e-70, 7.761_744_926_531_3e-31, 2.004_276_488_634e-10]),
        (0.2, [2.477_646_918_081_467e-4, 0.023_814_718_768_253_7, 0.216_341_858_875_793]),
        (1.0, [0.1, 0.25, 0.4]),
        (4.0, [0.278_602_048_581_712, 0.378_848_440_641_707, 0.453_895_711_905_855]),
    ];

    #[test]
    fn beta_has_the_moments_and_quantiles_of_the_distribution() {
        for (alpha, quantiles) in BETA_QUANTILES {
            let mut r = Random::new(3, Purpose::Test, &[alpha.to_bits()]);
            let n = 40_000;
            let draws: Vec<f64> = (0..n).map(|_| r.beta(alpha)).collect();
            assert!(draws.iter().all(|x| (0.0..=1.0).contains(x)));
            let mean = draws.iter().sum::<f64>() / f64::from(n);
            let variance = draws.iter().map(|x| (x - 0.5).powi(2)).sum::<f64>() / f64::from(n);
            assert!((mean - 0.5).abs() < 0.01, "mean {mean} at {alpha}");
            assert!((variance - 0.25 / (2.0 * alpha + 1.0)).abs() < 0.005, "variance {variance} at {alpha}");
            for (probability, quantile) in [0.1, 0.25, 0.4].into_iter().zip(quantiles) {
                let below = draws.iter().filter(|x| **x < quantile).count() as f64 / f64::from(n);
                assert!((below - probability).abs() < 0.01, "{below} instead of {probability} below {quantile} at {alpha}");
            }
        }
    }

    #[test]
    fn shuffle_is_a_permutation_and_reaches_every_place() {
        let mut seen = [[0u32; 4]; 4];
        for k in 0..2_000 {
            let mut items = [0, 1, 2, 3];
            Random::new(k, Purpose::Test, &[]).shuffle(&mut items);
            for (place, &item) in items.iter().enumerate() {
                seen[item][place] += 1;
            }
        }
        assert!(seen.iter().flatten().all(|&c| (400..600).contains(&c)), "{seen:?}");
    }
}
