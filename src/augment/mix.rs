//! Mixing the pictures of a batch with each other: mixup (Zhang et al. 2018, arXiv 1710.09412) and `CutMix` (Yun et al. 2019,
//! arXiv 1905.04899), with the meaning that torchvision's `v2.MixUp` and `v2.CutMix` give them.
//!
//! Every picture is mixed with the one before it in the batch, the first with the last, all in the same way. It knows planes
//! of numbers, no labels: [`Mix::share`] is what a picture's own label still counts.

use super::Augmentation;
use crate::random::Random;

/// How the pictures of one batch are mixed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mix {
    /// Mixup: this share of the picture itself, the rest of its partner.
    Blend(f64),
    /// `CutMix`: a rectangle of the partner in the picture's place; left, top, right and bottom in pixels, right and bottom not
    /// included.
    Paste([usize; 4]),
}

impl Augmentation {
    /// How a batch of pictures of `side` x `side` pixels is mixed, as `random` will have it; `None` if mixing is off. With mixup and
    /// `CutMix` both on, each batch gets one of them, with equal probability.
    #[must_use]
    pub fn draw_mix(&self, side: usize, random: &mut Random) -> Option<Mix> {
        let paste = match (self.mixup > 0.0, self.cutmix > 0.0) {
            (false, false) => return None,
            (true, true) => random.chance(0.5),
            (_, paste) => paste,
        };
        if paste {
            let share = random.beta(self.cutmix);
            Some(Mix::rectangle(side, share, [random.below(side), random.below(side)]))
        } else {
            Some(Mix::Blend(random.beta(self.mixup)))
        }
    }
}

impl Mix {
    /// The rectangle that leaves about `share` of a picture of `side` x `side` pixels, around the pixel `centre` (x, y) and cut off at
    /// the picture's edges.
    #[must_use]
    pub fn rectangle(side: usize, share: f64, centre: [usize; 2]) -> Self {
        let half = (0.5 * (1.0 - share).max(0.0).sqrt() * side as f64) as usize;
        let [left, top] = centre.map(|at| at.saturating_sub(half));
        let [right, bottom] = centre.map(|at| (at + half).min(side));
        Self::Paste([left, top, right, bottom])
    }

    /// What a picture's own label counts, from 0 to 1; its partner's counts the rest.
    #[must_use]
    pub fn share(&self, side: usize) -> f64 {
        match *self {
            Self::Blend(share) => share,
            Self::Paste([left, top, right, bottom]) => 1.0 - ((right - left) * (bottom - top)) as f64 / (side * side) as f64,
        }
    }

    /// Mixes the pictures of a batch: N x 3 x `side` x `side` numbers.
    ///
    /// # Panics
    /// If the numbers are not whole pictures.
    pub fn apply(&self, batch: &mut [f32], side: usize) {
        let length = 3 * side * side;
        assert!(length > 0 && batch.len().is_multiple_of(length), "pictures of 3 x {side} x {side} numbers");
        let Some(last) = batch.len().checked_sub(length) else { return };
        // from the end, so that every partner is still as it was; the first picture's partner, the last, needs a copy
        let first_partner = batch[last..].to_vec();
        for start in (length..batch.len()).step_by(length).rev() {
            let (before, own) = batch.split_at_mut(start);
            self.one(&mut own[..length], &before[start - length..], side);
        }
        self.one(&mut batch[..length], &first_partner, side);
    }

    fn one(&self, own: &mut [f32], partner: &[f32], side: usize) {
        match *self {
            Self::Blend(share) => {
                let (share, rest) = (share as f32, (1.0 - share) as f32);
                for (own, partner) in own.iter_mut().zip(partner) {
                    *own = *partner * rest + *own * share;
                }
            }
            Self::Paste([left, top, right, bottom]) => {
                for row in (0..3).flat_map(|plane| (top..bottom).map(move |y| plane * side + y)) {
                    let range = row * side + left..row * side + right;
                    own[range.clone()].copy_from_slice(&partner[range]);
                }
            }
        }
    }
}
