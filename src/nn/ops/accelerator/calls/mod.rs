//! The kernels as functions: each checks that the memory it is given is long enough, and so is safe to call.
//!
//! What the kernels compute is said where they are written, in `kernels/`.

mod augment;
mod blocks;
mod head;
mod memory;
mod signature;
mod update;

pub use augment::Pictures;
pub use blocks::{Maps, NormGradient, NormStatistics};
pub use memory::Matrices;
pub use update::{LossRule, LossViews, ParameterViews, UpdateRule};

use super::kernels::{Launch, Storage, layout};
use super::{Accelerator, AcceleratorError, Argument, View};

/// What a call comes back with.
pub type Called = Result<(), AcceleratorError>;

/// The kernels of a device in their variant for one format of activations.
#[derive(Clone, Copy)]
pub struct Calls<'a> {
    /// Where they run.
    pub device: &'a dyn Accelerator,
    /// How activations are kept.
    pub storage: Storage,
}

/// A number for a kernel.
///
/// # Errors
/// If it needs more than 32 bits.
fn small(number: usize) -> Result<u32, AcceleratorError> {
    u32::try_from(number).map_err(|_| AcceleratorError::Misused(format!("{number} is more than a kernel counts")))
}

fn u32_of(number: usize) -> Result<Argument, AcceleratorError> {
    small(number).map(Argument::Unsigned)
}

/// Blocks of 256 threads.
fn blocks(x: usize, y: usize) -> Result<Launch, AcceleratorError> {
    if x > i32::MAX as usize || y > 65535 {
        return Err(AcceleratorError::Misused(format!("a grid of {x} x {y} blocks")));
    }
    Ok(Launch::blocks([small(x)?.max(1), small(y)?.max(1), 1]))
}

/// A thread for each of `count` numbers, as far as there are.
fn each(count: usize) -> Launch {
    super::kernels::each(count as u64)
}

/// A thread for each channel.
fn channels(count: usize) -> Result<Launch, AcceleratorError> {
    Ok(super::kernels::channels(small(count)?))
}

/// How many pieces a sum over `rows` rows is done in.
pub(in crate::nn) fn pieces(rows: usize) -> usize {
    super::kernels::pieces(rows as u64) as usize
}

fn control_and_tally(control: View, tally: View) -> Called {
    control.at_least(layout::CONTROL_BYTES, "control")?;
    tally.at_least(layout::TALLY_BYTES, "tally")
}

fn u64_of(number: usize) -> Argument {
    Argument::Long(number as u64)
}

impl Calls<'_> {
    /// Refuses memory that is too short for `count` numbers in the format of activations.
    fn reals(&self, view: View, count: usize, what: &str) -> Called {
        view.at_least(count * self.storage.bytes(), what)
    }

    /// Starts a kernel.
    ///
    /// # Safety
    /// As [`Accelerator::launch`].
    unsafe fn launch(&self, kernel: &'static str, launch: Launch, arguments: &[Argument]) -> Called {
        signature::check(kernel, arguments)?;
        // SAFETY: passed on
        unsafe { self.device.launch(kernel, self.storage, launch, arguments) }
    }
}

/// Refuses memory that is too short for `count` f32.
fn floats(view: View, count: usize, what: &str) -> Called {
    view.at_least(4 * count, what)
}

/// Refuses memory that is too short for `count` f64.
fn doubles(view: View, count: usize, what: &str) -> Called {
    view.at_least(8 * count, what)
}
