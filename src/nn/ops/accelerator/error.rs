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
        "the device's memory is full ({wanted}{free} MiB are free): end other programs that use it, or choose a smaller batch, smaller \
         pictures or the device \"cpu\"",
        wanted = if *needed > 0 { format!("another {needed} MiB were wanted, ") } else { String::new() }
    )]
    OutOfMemory {
        /// What was asked for, MiB; 0 where it is not known, because a library wanted it for itself.
        needed: usize,
        /// What is free, MiB.
        free: usize,
    },
    /// The network, its batch and what trains it do not fit.
    #[error(
        "this needs at least {needed} MiB of the device's memory, and {free} MiB are free: choose {batch}, end other programs that use \
         the device, or choose the device \"cpu\"",
        batch = fits.map_or_else(
            || "smaller pictures or a smaller network".to_owned(),
            |(batch, needed)| format!("a batch of at most {batch} (which needs {needed} MiB) or smaller pictures")
        )
    )]
    TooLarge {
        /// What is needed, MiB.
        needed: usize,
        /// What is free, MiB.
        free: usize,
        /// The largest batch that is halved until it fits, and what it needs, MiB; `None` if not even one picture does.
        fits: Option<(usize, usize)>,
    },
    /// An operation failed, and with it all after it.
    #[error("the device is lost ({0})")]
    Lost(String),
    /// A call that does not fit itself: a mistake in the program.
    #[error("a device was asked for something wrong ({0}); please report this, and compute on the CPU")]
    Misused(String),
}

impl AcceleratorError {
    /// For want of `bytes` (0 where that is not known), with `free` bytes left.
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
