//! What can go wrong with a device. Each message says what happened and what to do.

/// Why a device could not be used, or not any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceleratorError {
    /// It cannot be opened: no driver, no library, no such device.
    #[error("{0}")]
    Unavailable(String),
    /// There is no room for what was asked for.
    #[error(
        "the device has no room for another {needed} MiB ({free} MiB are free): choose a smaller batch or smaller pictures, or end other \
         programs that use the device"
    )]
    OutOfMemory {
        /// What was asked for, MiB.
        needed: usize,
        /// What is free, MiB.
        free: usize,
    },
    /// An operation failed, and with it all after it.
    #[error("the device is lost ({0}): what was learned up to the last checkpoint is kept; start the program anew, or compute on the CPU")]
    Lost(String),
    /// A call that does not fit itself: a mistake in the program.
    #[error("a device was asked for something wrong ({0}); please report this, and compute on the CPU")]
    Misused(String),
}

impl AcceleratorError {
    /// For want of `bytes`, with `free` bytes left.
    #[must_use]
    pub fn out_of_memory(bytes: usize, free: usize) -> Self {
        Self::OutOfMemory { needed: bytes.div_ceil(1 << 20), free: free >> 20 }
    }
}

impl From<AcceleratorError> for candle_core::Error {
    fn from(error: AcceleratorError) -> Self {
        Self::wrap(error)
    }
}
