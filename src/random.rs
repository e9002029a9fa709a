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
