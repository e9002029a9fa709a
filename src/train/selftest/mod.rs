//! The self-test of a device: every operator, whole training steps of each network, the augmentation, and three epochs, against the
//! processor, on random inputs of odd sizes. The list is the same for every device, so tests run it on the host twin.
//!
//! The error of a check is the largest difference as a share of the largest number. One operator must keep to
//! [`Arithmetic::bound`]. Through a whole network the errors of many operators add up, and where two numbers of a pooling are
//! nearly equal, rounding decides which one counts; so gradients are compared by the length of their difference, and may be off by
//! [`STEP_FACTOR`] times as much.

mod augmentation;
mod blocks;
mod lab;
mod network;
mod operators;

use std::rc::Rc;

use crate::nn::ops::accelerator::{Accelerator, AcceleratorError, Arithmetic};
use lab::Lab;

/// How much more than one operator a whole step may be off.
pub const STEP_FACTOR: f64 = 5.0;

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
