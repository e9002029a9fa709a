//! Finding and opening devices: whatever is missing has a message of its own, and nothing here panics.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cudarc::cublas::sys as cublas;
use cudarc::cudnn::{result as cudnn_result, sys as cudnn};
use cudarc::driver::result as driver;
use cudarc::driver::sys::{self, CUdevice_attribute, CUresult};
use cudarc::driver::{CudaContext, DriverError};
use cudarc::nvrtc::sys as nvrtc;

use super::super::AcceleratorError;
use super::library::Handles;
use super::{Convolutions, Cuda, EnergyCounter, Modules, Result, Staging};

/// A device that this machine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CudaDevice {
    /// Its number, from 0.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// Its compute capability: 7.5 is the RTX 20 series, 8.6 the RTX 30, 9.0 H100 and H200.
    pub capability: (i32, i32),
    /// All of its memory, bytes.
    pub bytes: usize,
}

/// The oldest cuDNN whose functions and numbers these are.
const CUDNN: usize = 90_000;

fn unavailable(message: impl Into<String>) -> AcceleratorError {
    AcceleratorError::Unavailable(message.into())
}

/// What a driver says that refuses to begin.
fn refused(error: DriverError) -> AcceleratorError {
    unavailable(match error.0 {
        CUresult::CUDA_ERROR_NO_DEVICE => "the NVIDIA driver finds no CUDA device; compute on the CPU".to_owned(),
        CUresult::CUDA_ERROR_INVALID_DEVICE => "there is no CUDA device of this number".to_owned(),
        CUresult::CUDA_ERROR_SYSTEM_DRIVER_MISMATCH | CUresult::CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE => {
            "the NVIDIA driver is too old for these CUDA libraries; install a newer driver, or compute on the CPU".to_owned()
        }
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => {
            "the CUDA device has no memory left; end other programs that use it, or compute on the CPU".to_owned()
        }
        _ => format!("the NVIDIA driver does not start ({error:?}); compute on the CPU"),
    })
}

/// Calls into libraries that are loaded on the way. cudarc panics where a library lacks a function, as one that is too old does.
fn guarded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a function is missing".into());
        Err(unavailable(format!("the CUDA libraries or the driver are too old ({what}); install newer ones, or compute on the CPU")))
    })
}

/// Whether the driver's library is there.
fn driver_present() -> Result<()> {
    // SAFETY: loads the driver's library, which runs its start
    if unsafe { sys::is_culib_present() } {
        return Ok(());
    }
    Err(unavailable("there is no NVIDIA driver (libcuda) on this machine; install one, or compute on the CPU"))
}

/// Whether the libraries of the toolkit are there.
fn libraries_present() -> Result<()> {
    // SAFETY: loads the libraries, which run their start
    let present = unsafe {
        [
            ("cuDNN 9 (libcudnn)", cudnn::is_culib_present()),
            ("cuBLAS (libcublas)", cublas::is_culib_present()),
            ("nvrtc (libnvrtc)", nvrtc::is_culib_present()),
        ]
    };
    let missing: Vec<&str> = present.into_iter().filter(|(_, there)| !there).map(|(name, _)| name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(unavailable(format!(
        "{} cannot be found; install the CUDA toolkit and cuDNN (or PyTorch for CUDA, which brings both) and put their lib folders on \
         LD_LIBRARY_PATH, or compute on the CPU",
        missing.join(", ")
    )))
}

/// The devices of this machine, by number; at least one.
///
/// # Errors
/// If there is no driver, it is too old, or there is no device.
pub fn devices() -> Result<Vec<CudaDevice>> {
    driver_present()?;
    guarded(|| {
        driver::init().map_err(refused)?;
        let count = driver::device::get_count().map_err(refused)?;
        let all: Vec<_> = (0..count).map(describe).collect::<std::result::Result<_, _>>().map_err(refused)?;
        if all.is_empty() { Err(refused(DriverError(CUresult::CUDA_ERROR_NO_DEVICE))) } else { Ok(all) }
    })
}

fn describe(number: i32) -> std::result::Result<CudaDevice, DriverError> {
    let device = driver::device::get(number)?;
    // SAFETY: a device that the driver just named
    let (bytes, major, minor) = unsafe {
        let attribute = |which| driver::device::get_attribute(device, which);
        (
            driver::device::total_mem(device)?,
            attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        )
    };
    let name = driver::device::get_name(device)?;
    Ok(CudaDevice { number: number.unsigned_abs() as usize, name, capability: (major, minor), bytes })
}

impl Cuda {
    /// Opens device `number`, from 0.
    ///
    /// # Errors
    /// If there is no such device, or something that it needs is missing: what, and what to do.
    pub fn open(number: usize) -> Result<Self> {
        let all = devices()?;
        let Some(device) = all.into_iter().find(|device| device.number == number) else {
            return Err(unavailable(format!("there is no CUDA device {number}; the first is 0")));
        };
        libraries_present()?;
        guarded(move || {
            let found = cudnn_result::get_version();
            if found < CUDNN {
                return Err(unavailable(format!(
                    "cuDNN {}.{} is too old; install cuDNN 9, or compute on the CPU",
                    found / 1000,
                    found % 1000 / 100
                )));
            }
            let context = CudaContext::new(number).map_err(refused)?;
            let stream = context.new_stream().map_err(refused)?;
            let handles = Handles::new(&stream)?;
            Ok(Self {
                name: device.name,
                capability: device.capability,
                energy: EnergyCounter::of(&context),
                modules: RefCell::new(Modules::default()),
                convolutions: RefCell::new(Convolutions::default()),
                staging: RefCell::new(Staging::default()),
                early: RefCell::new(Staging::default()),
                copies: context.new_stream().map_err(refused)?,
                handles,
                stream,
                context,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_a_toolkit_are_found_and_new_enough() {
        // SAFETY: loads the library, which runs its start
        if !unsafe { nvrtc::is_culib_present() } {
            return println!("skipped: no CUDA toolkit on this machine");
        }
        // a toolkit may come without cuDNN, which is then said by name
        match libraries_present() {
            Ok(()) => assert!(cudnn_result::get_version() >= CUDNN, "{}", cudnn_result::get_version()),
            Err(missing) => {
                assert!(missing.to_string().contains("cannot be found; install"), "{missing}");
                println!("skipped: {missing}");
            }
        }
    }
}
