//! A CUDA device: the driver, cuDNN for convolutions, cuBLAS for matrix products, and our kernels compiled on the spot (nvrtc).
//!
//! All four libraries are loaded when a device is opened, so a program with this feature starts on a machine without them and says
//! what is missing. Everything is asked for in one stream, so it is done in the order in which it is asked for; only
//! pictures from the host may go in another, beside the work.
//!
//! **Never run on a device**: it was written, compiled and linted on a machine without one; that nvrtc accepts the kernels is tested
//! where nvrtc is. `tuning-fork selftest --device cuda` is what to run first.

mod convolution;
mod energy;
mod hold;
mod library;
mod memory;
mod modules;
mod open;
mod product;
mod staging;

pub use modules::compile;
pub use open::{CudaDevice, devices};

use std::cell::RefCell;
use std::sync::Arc;

use cudarc::driver::result as driver;
use cudarc::driver::{CudaContext, CudaEvent, CudaStream, DriverError};

use super::kernels::{Launch, Storage};
use super::{Accelerator, AcceleratorError, Argument, Arithmetic, Convolution, Fetched, Hold, Mark, Memory, Pass, Product, View};
use convolution::Convolutions;
use energy::EnergyCounter;
use library::Handles;
use memory::Allocation;
use modules::Modules;
use staging::Staging;

type Result<T> = std::result::Result<T, AcceleratorError>;

/// What a failed call means.
fn lost(error: DriverError) -> AcceleratorError {
    let text = error.error_string().ok().map(|text| text.to_string_lossy().into_owned());
    AcceleratorError::Lost(text.unwrap_or_else(|| format!("{error:?}")))
}

/// What a failed call of another library means, which may be that it found no memory: it does not say how much it wanted.
fn failed(library: &str, no_memory: bool, error: &dyn std::fmt::Display) -> AcceleratorError {
    if no_memory {
        return AcceleratorError::out_of_memory(0, driver::mem_get_info().map_or(0, |(free, _)| free));
    }
    AcceleratorError::Lost(format!("{library}: {error}"))
}

/// A device that was opened. It belongs to one thread at a time.
pub struct Cuda {
    name: String,
    capability: (i32, i32),
    energy: Option<EnergyCounter>,
    modules: RefCell<Modules>,
    convolutions: RefCell<Convolutions>,
    staging: RefCell<Staging>,
    /// What goes to the device beside the work, and the stream that it goes in.
    early: RefCell<Staging>,
    copies: Arc<CudaStream>,
    handles: Handles,
    stream: Arc<CudaStream>,
    context: Arc<CudaContext>,
}

impl std::fmt::Debug for Cuda {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cuda").field("name", &self.name).field("capability", &self.capability).finish_non_exhaustive()
    }
}

// SAFETY: the handles of cuDNN and cuBLAS, the modules and the staging memory may be used by any one thread at a time that has bound
// the context, which every operation does first; the type is not `Sync`, so there is only one
unsafe impl Send for Cuda {}

impl Drop for Cuda {
    fn drop(&mut self) {
        // kernels that still run must not lose their code, nor copies their memory; a device that is lost runs nothing any more
        if self.bind().is_ok() {
            let _ = self.copies.synchronize();
            let _ = self.stream.synchronize();
        }
    }
}

impl Cuda {
    /// Makes this thread's calls go to the device.
    fn bind(&self) -> Result<()> {
        self.context.bind_to_thread().map_err(lost)
    }
}

impl Accelerator for Cuda {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn supports(&self, arithmetic: Arithmetic) -> bool {
        match arithmetic {
            Arithmetic::F32 => true,
            // tensor cores of the Volta and Turing generations know f16 only
            Arithmetic::F16 => self.capability >= (7, 0),
            Arithmetic::Tf32 | Arithmetic::Bf16 => self.capability >= (8, 0),
        }
    }

    fn energy(&self) -> Option<f64> {
        self.energy.as_ref().and_then(EnergyCounter::joules)
    }

    fn memory(&self) -> Result<(usize, usize)> {
        self.bind()?;
        driver::mem_get_info().map_err(lost)
    }

    fn allocate(&self, bytes: usize) -> Result<Memory> {
        self.bind()?;
        let allocation = Allocation::new(&self.stream, bytes.max(16))?;
        let address = allocation.address();
        let memory = Memory::new(address, bytes, Box::new(allocation));
        self.clear(memory.all())?;
        Ok(memory)
    }

    fn upload(&self, to: View, bytes: &[u8]) -> Result<()> {
        if bytes.len() != to.bytes() {
            return Err(AcceleratorError::Misused(format!("an upload of {} bytes to {}", bytes.len(), to.bytes())));
        }
        self.bind()?;
        self.staging.borrow_mut().upload(&self.stream, to.address(), bytes)
    }

    fn mark(&self) -> Result<Mark> {
        self.bind()?;
        Ok(Mark(Box::new(self.stream.record_event(None).map_err(lost)?)))
    }

    fn upload_early(&self, to: View, bytes: &[u8], after: Option<&Mark>) -> Result<()> {
        if bytes.len() != to.bytes() {
            return Err(AcceleratorError::Misused(format!("an upload of {} bytes to {}", bytes.len(), to.bytes())));
        }
        self.bind()?;
        if let Some(event) = after.and_then(|mark| mark.0.downcast_ref::<CudaEvent>()) {
            self.copies.wait(event).map_err(lost)?;
        }
        self.early.borrow_mut().upload(&self.copies, to.address(), bytes)?;
        let done = self.copies.record_event(None).map_err(lost)?;
        self.stream.wait(&done).map_err(lost)
    }

    fn download(&self, from: View) -> Result<Vec<u8>> {
        self.bind()?;
        let mut bytes = vec![0; from.bytes()];
        if !bytes.is_empty() {
            // SAFETY: the view lies in memory of this device; `bytes` is as long, and stays until the copy is waited for
            unsafe { driver::memcpy_dtoh_async(&mut bytes, from.address(), self.stream.cu_stream()) }.map_err(lost)?;
        }
        self.stream.synchronize().map_err(lost)?;
        Ok(bytes)
    }

    fn fetch<'a>(&'a self, from: View) -> Result<Fetched<'a>> {
        self.bind()?;
        let slot = self.staging.borrow_mut().download(&self.stream, from.address(), from.bytes())?;
        Ok(Box::new(move || {
            self.bind()?;
            let bytes = slot.wait()?;
            self.staging.borrow_mut().give_back(slot);
            Ok(bytes)
        }))
    }

    fn clear(&self, memory: View) -> Result<()> {
        self.bind()?;
        if memory.bytes() == 0 {
            return Ok(());
        }
        // SAFETY: the view lies in memory of this device
        unsafe { driver::memset_d8_async(memory.address(), 0, memory.bytes(), self.stream.cu_stream()) }.map_err(lost)
    }

    fn copy(&self, from: View, to: View) -> Result<()> {
        if from.bytes() != to.bytes() {
            return Err(AcceleratorError::Misused(format!("a copy of {} bytes to {}", from.bytes(), to.bytes())));
        }
        self.bind()?;
        // SAFETY: both views lie in memory of this device and are equally long
        unsafe { driver::memcpy_dtod_async(to.address(), from.address(), from.bytes(), self.stream.cu_stream()) }.map_err(lost)
    }

    unsafe fn launch(&self, kernel: &'static str, storage: Storage, launch: Launch, arguments: &[Argument]) -> Result<()> {
        self.bind()?;
        let function = self.modules.borrow_mut().function(self.capability, storage, kernel)?;
        let mut pointers: Vec<_> = arguments.iter().map(Argument::pointer).collect();
        let [grid, block] = [launch.grid, launch.block].map(|[x, y, z]| (x, y, z));
        // SAFETY: the function is of a module that stays loaded; the pointers lead to as many values as the caller promises the
        // kernel takes, which are copied before this returns
        unsafe { driver::launch_kernel(function, grid, block, 0, self.stream.cu_stream(), &mut pointers) }.map_err(lost)
    }

    fn convolve(&self, pass: Pass, shape: Convolution, arithmetic: Arithmetic, x: View, w: View, y: View) -> Result<()> {
        let bytes = arithmetic.storage().bytes();
        x.at_least(shape.input_len() * bytes, "x")?;
        w.at_least(shape.weight_len() * bytes, "w")?;
        y.at_least(shape.output_len() * bytes, "y")?;
        self.bind()?;
        self.convolutions.borrow_mut().run(self, pass, shape, arithmetic, [x, w, y])
    }

    fn multiply(&self, product: Product, arithmetic: Arithmetic, a: View, b: View, c: View) -> Result<()> {
        self.bind()?;
        product::multiply(&self.handles, product, arithmetic, a, b, c)
    }

    fn hold(&self) -> Result<Hold> {
        self.bind()?;
        Ok(Hold(Box::new(hold::Gate::close(&self.stream)?)))
    }

    fn synchronise(&self) -> Result<()> {
        self.bind()?;
        self.stream.synchronize().map_err(lost)
    }
}
