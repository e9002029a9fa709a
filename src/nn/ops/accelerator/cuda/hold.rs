//! Holding a device up: a function of the host in the stream, which returns when it is told to.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cudarc::driver::CudaStream;
use cudarc::driver::result as driver;

use super::{Result, lost};

/// The longest that a device is held up.
const LONGEST: Duration = Duration::from_secs(10);

/// Lets the stream go on when it is dropped.
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    /// Holds up what comes after this in `stream`. The context must be bound.
    pub fn close(stream: &CudaStream) -> Result<Self> {
        let open = Arc::new(AtomicBool::new(false));
        let theirs = Arc::into_raw(Arc::clone(&open));
        // SAFETY: the function takes the pointer for what it is, once, and calls nothing of CUDA
        let launched = unsafe { driver::stream::launch_host_function(stream.cu_stream(), wait, theirs.cast_mut().cast()) };
        if let Err(error) = launched {
            // SAFETY: nobody else took it
            drop(unsafe { Arc::from_raw(theirs) });
            return Err(lost(error));
        }
        Ok(Self(open))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

unsafe extern "C" fn wait(open: *mut c_void) {
    // SAFETY: made by `Arc::into_raw` in `close`, which gives it to this call alone
    let open = unsafe { Arc::from_raw(open.cast_const().cast::<AtomicBool>()) };
    let start = Instant::now();
    while !open.load(Ordering::Acquire) && start.elapsed() < LONGEST {
        std::hint::spin_loop();
    }
}
