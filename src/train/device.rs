//! Where a run computes, and with how many threads.

use candle_core::Device;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{Config, ConfigError, DeviceChoice, Precision, TrainError};

/// The device that `config` asks for, and what to call it in front of a user.
pub(super) fn resolve(config: &Config) -> Result<(Device, String), ConfigError> {
    if config.device == DeviceChoice::Cuda {
        let message = if cfg!(feature = "cuda") {
            "training on CUDA is not available in this version; choose \"cpu\" or \"auto\""
        } else {
            "this program was built without CUDA; choose \"cpu\" or \"auto\""
        };
        return Err(ConfigError { field: "device", message: message.into() });
    }
    if config.precision == Precision::Bf16 {
        let message = "bfloat16 is not available in this version; choose \"f32\" or \"auto\"".into();
        return Err(ConfigError { field: "precision", message });
    }
    Ok((Device::Cpu, "CPU, 32-bit floating point".into()))
}

/// The number of compute threads that `config` asks for.
pub(super) fn threads(config: &Config) -> usize {
    if config.threads > 0 {
        return config.threads;
    }
    let available = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    num_cpus::get_physical().min(available).max(1)
}

/// The compute threads of a run; everything that runs under `install` stays on them.
pub(super) fn pool(config: &Config) -> Result<ThreadPool, TrainError> {
    let builder = ThreadPoolBuilder::new().num_threads(threads(config)).thread_name(|n| format!("tuning-fork-compute-{n}"));
    builder.build().map_err(|e| TrainError::System(e.to_string()))
}
