//! Memory of a device, parts of it, and the arguments of kernels.

use std::any::Any;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ops::Range;

use super::AcceleratorError;

/// Memory on a device. It goes back to the device when this is dropped, in its turn.
pub struct Memory {
    address: u64,
    bytes: usize,
    /// Whatever frees it.
    _owner: Box<dyn Any + Send>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Memory {
    /// `bytes` at `address`, which `owner` frees when it is dropped.
    pub(super) fn new(address: u64, bytes: usize, owner: Box<dyn Any + Send>) -> Self {
        Self { address, bytes, _owner: owner }
    }

    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// All of it.
    #[must_use]
    pub fn all(&self) -> View<'_> {
        View { address: self.address, bytes: self.bytes, memory: PhantomData }
    }

    /// Some of it, counted in bytes.
    ///
    /// # Errors
    /// If it reaches beyond the end.
    pub fn part(&self, range: Range<usize>) -> Result<View<'_>, AcceleratorError> {
        self.all().part(range)
    }
}

/// A part of the memory of a device.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    address: u64,
    bytes: usize,
    memory: PhantomData<&'a Memory>,
}

impl<'a> View<'a> {
    /// No memory at all; kernels take it for "not wanted".
    pub const NONE: View<'static> = View { address: 0, bytes: 0, memory: PhantomData };

    /// Where it lies.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Some of it, counted in bytes.
    ///
    /// # Errors
    /// If it reaches beyond the end.
    pub fn part(&self, range: Range<usize>) -> Result<View<'a>, AcceleratorError> {
        if range.start > range.end || range.end > self.bytes {
            return Err(AcceleratorError::Misused(format!("bytes {range:?} of {}", self.bytes)));
        }
        Ok(Self { address: self.address + range.start as u64, bytes: range.len(), memory: PhantomData })
    }

    /// Refuses a view of fewer than `bytes`.
    ///
    /// # Errors
    /// If it is shorter.
    pub fn at_least(&self, bytes: usize, what: &str) -> Result<(), AcceleratorError> {
        if self.bytes < bytes {
            return Err(AcceleratorError::Misused(format!("{what} has {} bytes of {bytes}", self.bytes)));
        }
        Ok(())
    }
}

/// What a kernel is given.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    /// The address of memory.
    Address(u64),
    /// An `unsigned`.
    Unsigned(u32),
    /// An `unsigned long long`.
    Long(u64),
    /// A `float`.
    Float(f32),
    /// A `double`.
    Double(f64),
}

impl Argument {
    /// Where its value lies, as the launch of a kernel wants it.
    pub(super) fn pointer(&self) -> *mut c_void {
        match self {
            Self::Address(value) | Self::Long(value) => std::ptr::from_ref(value).cast_mut().cast(),
            Self::Unsigned(value) => std::ptr::from_ref(value).cast_mut().cast(),
            Self::Float(value) => std::ptr::from_ref(value).cast_mut().cast(),
            Self::Double(value) => std::ptr::from_ref(value).cast_mut().cast(),
        }
    }
}

impl From<View<'_>> for Argument {
    fn from(view: View) -> Self {
        Self::Address(view.address)
    }
}

impl From<f32> for Argument {
    fn from(value: f32) -> Self {
        Self::Float(value)
    }
}

impl From<f64> for Argument {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}

impl From<u32> for Argument {
    fn from(value: u32) -> Self {
        Self::Unsigned(value)
    }
}

impl From<u64> for Argument {
    fn from(value: u64) -> Self {
        Self::Long(value)
    }
}

/// The bytes of numbers, as the host has them.
#[must_use]
pub fn as_bytes(values: &[f32]) -> &[u8] {
    // SAFETY: every byte of an f32 is initialised, bytes need no alignment, and the length is that of the same memory
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), std::mem::size_of_val(values)) }
}
