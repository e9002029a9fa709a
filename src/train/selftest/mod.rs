//! The self-test of a device: every operator, whole training steps of each network, the augmentation, and three epochs, against the
//! processor, on random inputs of odd sizes. The list is the same for every device, so tests run it on the host twin.
//!
//! The error of a check is the largest difference as a share of the largest number. Every operator must keep to
//! [`Arithmetic::bound`], and so must a network's answers, activations, maps, losses and gradient norms. After three epochs
//! [`EPOCHS_FACTOR`] times as much is allowed. The gradients of a network are another matter: where two numbers of a pooling are nearly
//! equal, rounding decides which one counts, and what comes back to the blocks before changes in a jump. They are compared by the length
//! of their difference ([`gradient_bound`]); in f32, where such a jump is rare, one of a few batches must be without. The optimiser's work
//! is compared on the device's own gradients.

mod augmentation;
mod blocks;
mod lab;
mod network;
mod operators;

use std::rc::Rc;

use crate::nn::ops::accelerator::{Accelerator, AcceleratorError, Arithmetic};
use lab::Lab;

/// How much more than one operator the logits may be off after three epochs: nine steps, each of which starts from what rounding made of
/// the one before. On the twin they are off by 0.65 of an operator's bound (TF32; 0.02 in f32).
pub const EPOCHS_FACTOR: f64 = 2.0;

/// Which bounds are wider than those of one operator (f32 1e-4, TF32 2e-3, bf16 and f16 2e-2), and why, for people.
pub const BOUNDS: &str = "\
Every operator, and a network's answers, activations, maps, losses and gradient norm, keep to 1e-4 in f32, 2e-3 in TF32, 2e-2 in bf16 and
f16 (a share of the largest number). Wider are:
- logits after three epochs: 2 times that, because every step starts from the rounding of the one before;
- gradients of a network, by the length of their difference: TF32 and f16 0.1, bf16 0.4 (f32 1e-4, the best of 8 batches; which one is said).
  Where two numbers of a pooling are nearly equal, rounding decides which of them counts, and the gradient changes in a jump.";

/// How far the gradients of a whole network may be off, by length.
#[must_use]
pub fn gradient_bound(arithmetic: Arithmetic) -> f64 {
    match arithmetic {
        Arithmetic::F32 => arithmetic.bound(),
        Arithmetic::Tf32 | Arithmetic::F16 => 0.1,
        Arithmetic::Bf16 => 0.4,
    }
}

/// What one comparison found.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What was compared.
    pub name: String,
    /// What the device computed with.
    pub arithmetic: Arithmetic,
    /// The worst relative error; infinite if a number was not finite.
    pub error: f64,
    /// The largest that is taken for right.
    pub bound: f64,
}

impl Check {
    /// Whether it is right.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.error <= self.bound
    }
}

/// Runs all checks in every arithmetic that the device has, telling each as it is done.
///
/// # Errors
/// If the device fails.
pub fn run(device: &Rc<dyn Accelerator>, mut tell: impl FnMut(&Check)) -> Result<Vec<Check>, AcceleratorError> {
    let mut all = Vec::new();
    for arithmetic in Arithmetic::ALL.into_iter().filter(|arithmetic| device.supports(*arithmetic)) {
        let mut lab = Lab::new(Rc::clone(device), arithmetic, &mut tell);
        operators::run(&mut lab)?;
        blocks::run(&mut lab)?;
        augmentation::run(&mut lab)?;
        network::run(&mut lab)?;
        all.extend(lab.checks);
    }
    Ok(all)
}
