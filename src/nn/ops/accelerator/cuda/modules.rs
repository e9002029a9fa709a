//! Our kernels, compiled at first use for the device that is there.

use std::collections::HashMap;
use std::ffi::{CStr, CString};

use cudarc::driver::result as driver;
use cudarc::driver::sys::CUfunction;
use cudarc::nvrtc::result as nvrtc;
use cudarc::nvrtc::sys as nvrtc_sys;

use super::super::AcceleratorError;
use super::super::kernels::{Storage, source};
use super::{Result, lost};

/// The kernels of each format that was asked for. They are loaded once for a device that was opened, and go with it, when everything
/// that it was asked for is done.
#[derive(Default)]
pub struct Modules {
    functions: HashMap<(Storage, &'static str), CUfunction>,
    modules: HashMap<Storage, cudarc::driver::sys::CUmodule>,
}

impl Modules {
    /// A kernel. The context must be bound.
    pub fn function(&mut self, capability: (i32, i32), storage: Storage, kernel: &'static str) -> Result<CUfunction> {
        if let Some(function) = self.functions.get(&(storage, kernel)) {
            return Ok(*function);
        }
        let module = if let Some(module) = self.modules.get(&storage) {
            *module
        } else {
            let image = compile(storage, capability)?;
            // SAFETY: what nvrtc gave, which ends with a nought where it is text
            let module = unsafe { driver::module::load_data(image.as_ptr().cast()) }.map_err(lost)?;
            *self.modules.entry(storage).or_insert(module)
        };
        let name = CString::new(kernel).map_err(|e| AcceleratorError::Misused(e.to_string()))?;
        // SAFETY: the module is loaded and stays so
        let found = unsafe { driver::module::get_function(module, name) };
        let function = found.map_err(|e| AcceleratorError::Misused(format!("no kernel {kernel}: {e:?}")))?;
        self.functions.insert((storage, kernel), function);
        Ok(function)
    }
}

impl Drop for Modules {
    fn drop(&mut self) {
        for module in self.modules.values() {
            // SAFETY: loaded above, unloaded once; nothing is launched any more. If the device is lost there is nobody to tell
            let _ = unsafe { driver::module::unload(*module) };
        }
    }
}

/// Compiles all kernels for a card of this compute capability: machine code if nvrtc knows the card, else the intermediate language,
/// which the driver then translates. Needs nvrtc, but no device.
///
/// # Errors
/// If nvrtc refuses: its own words.
pub fn compile(storage: Storage, (major, minor): (i32, i32)) -> Result<Vec<u8>> {
    let text = CString::new(source(storage)).map_err(|e| AcceleratorError::Misused(e.to_string()))?;
    match attempt(&text, &format!("--gpu-architecture=sm_{major}{minor}"), true) {
        Err(Refusal { unknown: true, .. }) => {
            attempt(&text, "--gpu-architecture=compute_75", false).map_err(|refusal| AcceleratorError::Unavailable(refusal.words))
        }
        result => result.map_err(|refusal| AcceleratorError::Unavailable(refusal.words)),
    }
}

/// Why nvrtc did not compile.
struct Refusal {
    words: String,
    /// It does not know the architecture.
    unknown: bool,
}

impl From<nvrtc::NvrtcError> for Refusal {
    fn from(error: nvrtc::NvrtcError) -> Self {
        Self { words: format!("nvrtc: {error}; install a newer CUDA toolkit, or compute on the CPU"), unknown: false }
    }
}

/// A program that is destroyed when this is dropped.
struct Program(nvrtc_sys::nvrtcProgram);

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: created by `create_program`, destroyed once
        let _ = unsafe { nvrtc::destroy_program(self.0) };
    }
}

fn attempt(text: &CStr, architecture: &str, machine: bool) -> std::result::Result<Vec<u8>, Refusal> {
    let program = Program(nvrtc::create_program(text, Some(c"tuning-fork.cu"))?);
    let options = [architecture, "--std=c++17", "--fmad=false", "--device-as-default-execution-space"];
    // SAFETY: the program was just created
    if let Err(error) = unsafe { nvrtc::compile_program(program.0, &options) } {
        // SAFETY: as above
        let log = unsafe { nvrtc::get_program_log(program.0) }.unwrap_or_default();
        let log: Vec<u8> = log.into_iter().map(i8::cast_unsigned).take_while(|byte| *byte != 0).collect();
        let unknown = error.0 == nvrtc_sys::nvrtcResult::NVRTC_ERROR_INVALID_OPTION;
        let words = format!("nvrtc cannot compile the kernels for {architecture} ({error}): {}", String::from_utf8_lossy(&log));
        return Err(Refusal { words, unknown });
    }
    if !machine {
        // SAFETY: compiled
        return Ok(unsafe { nvrtc::get_ptx(program.0) }?.into_iter().map(i8::cast_unsigned).collect());
    }
    let mut size = 0;
    // SAFETY: compiled; the memory is as long as nvrtc says
    unsafe {
        nvrtc_sys::nvrtcGetCUBINSize(program.0, &raw mut size).result()?;
        let mut image = vec![0u8; size];
        nvrtc_sys::nvrtcGetCUBIN(program.0, image.as_mut_ptr().cast()).result()?;
        Ok(image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nvrtc_compiles_the_kernels_for_old_and_new_cards() {
        // SAFETY: loads the library, which runs its start
        if !unsafe { nvrtc_sys::is_culib_present() } {
            return println!("skipped: no nvrtc on this machine");
        }
        for storage in Storage::ALL {
            for capability in [(7, 5), (8, 0), (8, 6), (8, 9), (9, 0)] {
                let image = compile(storage, capability).expect("the kernels are right CUDA C");
                assert!(image.starts_with(b"\x7fELF"), "machine code for {capability:?}");
                for name in crate::nn::ops::accelerator::kernels::names() {
                    assert!(image.windows(name.len()).any(|part| part == name.as_bytes()), "{name} is in it");
                }
            }
            // a card that this nvrtc does not know gets the intermediate language
            let image = compile(storage, (99, 0)).expect("the intermediate language");
            assert!(String::from_utf8_lossy(&image).contains(".target sm_75"));
        }
    }

    #[test]
    fn opening_a_device_that_is_not_there_says_so() {
        let refused = super::super::Cuda::open(9999).expect_err("there are not so many");
        println!("{refused}");
        assert!(matches!(refused, AcceleratorError::Unavailable(_)), "{refused}");
    }
}
