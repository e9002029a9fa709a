//! Moving numbers: other formats, other orders, sums.

use super::super::kernels::{self, Launch, Storage};
use super::super::{AcceleratorError, View};
use super::{Called, Calls, each, floats, small, u32_of, u64_of};

/// Matrices that are to be transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrices {
    /// How many.
    pub batch: usize,
    /// Rows before.
    pub rows: usize,
    /// Columns before.
    pub columns: usize,
}

impl Matrices {
    fn len(&self) -> usize {
        self.batch * self.rows * self.columns
    }

    fn launch(&self) -> Result<Launch, AcceleratorError> {
        let largest = self.batch.max(self.rows.div_ceil(32));
        if largest > 65535 {
            return Err(AcceleratorError::Misused(format!("{largest} blocks of matrices at once")));
        }
        Ok(kernels::matrices(small(self.batch)?, small(self.rows)?, small(self.columns)?))
    }
}

impl Calls<'_> {
    /// f32 to the format of activations.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn to_store(&self, from: View, count: usize, to: View) -> Called {
        floats(from, count, "from")?;
        self.reals(to, count, "to")?;
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("to_store", each(count), &[from.into(), u64_of(count), to.into()]) }
    }

    /// The format of activations to f32.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn from_store(&self, from: View, count: usize, to: View) -> Called {
        self.reals(from, count, "from")?;
        floats(to, count, "to")?;
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("from_store", each(count), &[from.into(), u64_of(count), to.into()]) }
    }

    /// Adds numbers in the format of activations to f32, or puts them there if they are the `first`.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn accumulate(&self, from: View, count: usize, first: bool, to: View) -> Called {
        self.reals(from, count, "from")?;
        floats(to, count, "to")?;
        let arguments = [from.into(), View::NONE.into(), u64_of(count), u32::from(first).into(), to.into()];
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("accumulate", each(count), &arguments) }
    }

    /// Transposes matrices of f32 to matrices in the format of activations: pictures become channels-last.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn transpose_to_store(&self, from: View, matrices: Matrices, to: View) -> Called {
        floats(from, matrices.len(), "from")?;
        self.reals(to, matrices.len(), "to")?;
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.transpose("transpose_to_store", from, matrices, to) }
    }

    /// Transposes matrices in the format of activations to f32.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn transpose_from_store(&self, from: View, matrices: Matrices, to: View) -> Called {
        self.reals(from, matrices.len(), "from")?;
        floats(to, matrices.len(), "to")?;
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.transpose("transpose_from_store", from, matrices, to) }
    }

    /// Transposes matrices in the format of activations.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn transpose_store(&self, from: View, matrices: Matrices, to: View) -> Called {
        self.reals(from, matrices.len(), "from")?;
        self.reals(to, matrices.len(), "to")?;
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.transpose("transpose_store", from, matrices, to) }
    }

    /// # Safety
    /// The views must be as long as the matrices in the kernel's formats.
    unsafe fn transpose(&self, kernel: &'static str, from: View, matrices: Matrices, to: View) -> Called {
        let sizes = [u32_of(matrices.rows)?, u32_of(matrices.columns)?];
        // SAFETY: the kernel's arguments; the caller checked the lengths
        unsafe { self.launch(kernel, matrices.launch()?, &[&[from.into()], &sizes[..], &[to.into()]].concat()) }
    }

    /// Whether activations are f32, so that no copy of the weights is needed.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.storage == Storage::F32
    }
}
