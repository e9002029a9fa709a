//! Where a run computes, and with how many threads.

use candle_core::Device;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{Config, ConfigError, DeviceChoice, Precision, TrainError};
use crate::nn::Step;

/// The device and the instructions that `config` asks for; [`describe`] names both in front of a user.
///
/// # Errors
/// If this machine, or this build of the program, does not have them.
pub fn resolve(config: &Config) -> Result<(Device, Step), ConfigError> {
    if config.device == DeviceChoice::Cuda {
        let message = if cfg!(feature = "cuda") {
            "training on CUDA is not available in this version; choose \"cpu\" or \"auto\""
        } else {
            "this program was built without CUDA; choose \"cpu\" or \"auto\""
        };
        return Err(ConfigError { field: "device", message: message.into() });
    }
    let step = match config.precision {
        Precision::Auto => Step::best_accurate(),
        Precision::F32 => Step::best_f32(),
        Precision::Bf16 => Step::best_bf16(),
    };
    if config.precision == Precision::Bf16 && step.is_f32() {
        let message = "this processor has no bfloat16 instructions; choose \"f32\" or \"auto\"".into();
        return Err(ConfigError { field: "precision", message });
    }
    Ok((Device::Cpu, step))
}

/// What to call the device and its instructions in front of a user.
#[must_use]
pub fn describe(step: Step) -> String {
    format!("CPU, {step}")
}

/// The number of compute threads that `config` asks for.
#[must_use]
pub fn threads(config: &Config) -> usize {
    if config.threads > 0 {
        return config.threads;
    }
    let available = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    num_cpus::get_physical().min(available).max(1)
}

/// The compute threads of a run; everything that runs under `install` stays on them.
///
/// # Errors
/// If the system refuses the threads.
pub fn pool(config: &Config) -> Result<ThreadPool, TrainError> {
    let builder = ThreadPoolBuilder::new().num_threads(threads(config)).thread_name(|n| format!("tuning-fork-compute-{n}"));
    builder.build().map_err(|e| TrainError::System(e.to_string()))
}
