//! Memory of the device.

use std::sync::Arc;

use cudarc::driver::result as driver;
use cudarc::driver::sys::CUresult;
use cudarc::driver::{CudaStream, DriverError};

use super::super::AcceleratorError;
use super::{Result, lost};

/// What it means that `bytes` bytes could not be had.
pub fn no_room(error: DriverError, bytes: usize) -> AcceleratorError {
    if error.0 == CUresult::CUDA_ERROR_OUT_OF_MEMORY {
        return AcceleratorError::out_of_memory(bytes, driver::mem_get_info().map_or(0, |(free, _)| free));
    }
    lost(error)
}

/// A piece of memory; it goes back in the order of the stream.
pub struct Allocation {
    address: u64,
    stream: Arc<CudaStream>,
}

impl Allocation {
    /// `bytes` bytes, above 0, that hold anything.
    pub fn new(stream: &Arc<CudaStream>, bytes: usize) -> Result<Self> {
        // SAFETY: the memory is written before it is read: whoever asks for it clears it
        let address = unsafe {
            if stream.context().has_async_alloc() { driver::malloc_async(stream.cu_stream(), bytes) } else { driver::malloc_sync(bytes) }
        };
        match address {
            Ok(address) => Ok(Self { address, stream: Arc::clone(stream) }),
            Err(error) => Err(no_room(error, bytes)),
        }
    }

    /// Where it lies.
    pub fn address(&self) -> u64 {
        self.address
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        // a device that is lost has taken its memory with it: there is nobody to tell
        if self.stream.context().bind_to_thread().is_err() {
            return;
        }
        // SAFETY: allocated in `new` in the same way, and freed once
        let _ = unsafe {
            if self.stream.context().has_async_alloc() {
                driver::free_async(self.address, self.stream.cu_stream())
            } else {
                // free_sync waits for everything that still uses the memory
                driver::free_sync(self.address)
            }
        };
    }
}
