//! Where a run computes, and with how many threads.

use std::rc::Rc;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{Config, ConfigError, DeviceChoice, Precision, TrainError, Twin};
use crate::nn::Step;
use crate::nn::ops::accelerator::{Accelerator, Arithmetic};

/// A device that was opened, and what a run is to compute with on it.
pub struct Opened {
    /// The device.
    pub device: Rc<dyn Accelerator>,
    /// What it computes with.
    pub arithmetic: Arithmetic,
}

/// What was chosen.
pub struct Chosen {
    /// Instructions of the processor, which also works beside a device.
    pub step: Step,
    /// The device, unless it is the processor itself.
    pub opened: Option<Opened>,
    /// Why this one, in words for the user; empty if there is nothing to say.
    pub reason: String,
}

impl std::fmt::Debug for Chosen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chosen").field("name", &self.name()).field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl Chosen {
    /// What to call it in front of a user.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.opened {
            Some(Opened { device, arithmetic }) => format!("{}, {}", device.name(), arithmetic.name()),
            None => describe(self.step),
        }
    }
}

/// The device that `config` asks for, opened. "Auto" is the first CUDA device if there is one that can be used, else the processor.
///
/// # Errors
/// If this machine, or this build of the program, does not have it: what to choose instead.
pub fn choose(config: &Config) -> Result<Chosen, ConfigError> {
    if config.device == DeviceChoice::Cpu {
        return processor(config, String::new());
    }
    decide(config, open(config.device))
}

/// The same for a run that goes on, or whose model is evaluated: a precision that the processor does not have is the accuracy of 32 bits
/// there, so that a run which lost its device can be taken to its end.
///
/// # Errors
/// As [`choose`].
pub fn choose_again(config: &Config) -> Result<Chosen, ConfigError> {
    let error = match choose(config) {
        Err(error) if matches!(config.device, DeviceChoice::Auto | DeviceChoice::Cpu) => error,
        chosen => return chosen,
    };
    let name = match config.precision {
        Precision::Tf32 => "tf32",
        Precision::F16 => "f16",
        Precision::Bf16 => "bf16",
        _ => return Err(error),
    };
    let reason = format!("this processor has no {name}, the run's precision; it goes on with the accuracy of 32 bits");
    processor(&Config { precision: Precision::Auto, ..config.clone() }, reason)
}

/// What to do with the device that was opened, or not.
fn decide(config: &Config, opened: Result<Rc<dyn Accelerator>, String>) -> Result<Chosen, ConfigError> {
    let auto = config.device == DeviceChoice::Auto;
    match opened {
        Ok(device) => match arithmetic(&*device, config.precision) {
            Ok((arithmetic, advice)) => {
                let found = if auto { "the first CUDA device" } else { "" };
                let reason = [found, advice].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ");
                Ok(Chosen { step: Step::best_accurate(), opened: Some(Opened { device, arithmetic }), reason })
            }
            Err(error) if auto => processor(config, format!("the CUDA device was not used: {}", error.message)),
            Err(error) => Err(error),
        },
        Err(why) if auto => {
            let chosen = processor(config, format!("no CUDA device: {why}"))?;
            // whoever built the program without CUDA knows that
            Ok(if cfg!(feature = "cuda") { chosen } else { Chosen { reason: String::new(), ..chosen } })
        }
        Err(why) => Err(ConfigError { field: "device", message: format!("{why}; choose \"cpu\" or \"auto\"") }),
    }
}

/// Opens a device that is not the processor; "auto" is the first CUDA device.
///
/// # Errors
/// If it cannot be had: why, in words for the user.
pub fn open(choice: DeviceChoice) -> Result<Rc<dyn Accelerator>, String> {
    match choice {
        DeviceChoice::Auto => cuda(0),
        DeviceChoice::Cuda(number) => cuda(number),
        DeviceChoice::Host(twin) => host(twin),
        DeviceChoice::Cpu => Err("the processor is no device of its own".into()),
    }
}

#[cfg(feature = "cuda")]
fn cuda(number: u16) -> Result<Rc<dyn Accelerator>, String> {
    use crate::nn::ops::accelerator::cuda::Cuda;
    Cuda::open(number.into()).map(|device| Rc::new(device) as Rc<dyn Accelerator>).map_err(|e| e.to_string())
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: u16) -> Result<Rc<dyn Accelerator>, String> {
    Err("this program was built without CUDA (cargo build --features cuda)".into())
}

#[cfg(unix)]
fn host(Twin { memory, calls }: Twin) -> Result<Rc<dyn Accelerator>, String> {
    use crate::nn::ops::accelerator::host::Host;
    let host = if memory == 0 { Host::new() } else { Host::shared((memory as usize) << 20) };
    host.map(|host| if calls == 0 { host } else { host.lost_after(calls as usize) })
        .map(|device| Rc::new(device) as Rc<dyn Accelerator>)
        .map_err(|e| e.to_string())
}

#[cfg(not(unix))]
fn host(_: Twin) -> Result<Rc<dyn Accelerator>, String> {
    Err("the kernels run on the processor under Linux and macOS only".into())
}

/// What a device is to compute with, and advice.
fn arithmetic(device: &dyn Accelerator, precision: Precision) -> Result<(Arithmetic, &'static str), ConfigError> {
    let modern = device.supports(Arithmetic::Bf16);
    let wanted = match precision {
        // the twin's arithmetic costs the same whichever it is
        Precision::Auto if modern && device.is_twin() => Arithmetic::F32,
        Precision::Auto if modern => return Ok((Arithmetic::Tf32, "the precision bf16 is faster still")),
        Precision::Auto if device.supports(Arithmetic::F16) => {
            return Ok((Arithmetic::F32, "this card has no bf16; the precision f16, with a scaled loss, is faster"));
        }
        Precision::Auto | Precision::F32 => Arithmetic::F32,
        Precision::Bf16 => Arithmetic::Bf16,
        Precision::Tf32 => Arithmetic::Tf32,
        Precision::F16 => Arithmetic::F16,
    };
    if device.supports(wanted) {
        return Ok((wanted, ""));
    }
    let instead = if device.supports(Arithmetic::F16) { "\"f16\" or \"f32\"" } else { "\"f32\"" };
    let message = format!("{} has no {}; choose {instead}", device.name(), wanted.name());
    Err(ConfigError { field: "precision", message })
}

/// The processor, with the instructions that `config` asks for; `reason` says why no device, if one was wanted.
pub(super) fn processor(config: &Config, reason: String) -> Result<Chosen, ConfigError> {
    let step = match instructions(config) {
        Err(error) if !reason.is_empty() => return Err(ConfigError { message: format!("{} ({reason})", error.message), ..error }),
        step => step?,
    };
    Ok(Chosen { step, opened: None, reason })
}

/// The instructions of the processor that `config` asks for; [`describe`] names them in front of a user.
///
/// # Errors
/// If this machine does not have them.
pub fn instructions(config: &Config) -> Result<Step, ConfigError> {
    let step = match config.precision {
        Precision::Auto => Step::best_accurate(),
        Precision::F32 => Step::best_f32(),
        Precision::Bf16 => Step::best_bf16(),
        Precision::Tf32 | Precision::F16 => {
            let message = "the processor computes in f32 or bf16; choose one of them, \"auto\", or a CUDA device".into();
            return Err(ConfigError { field: "precision", message });
        }
    };
    if config.precision == Precision::Bf16 && step.is_f32() {
        let message = "this processor has no bfloat16 instructions; choose \"f32\" or \"auto\"".into();
        return Err(ConfigError { field: "precision", message });
    }
    Ok(step)
}

/// What to call the processor and its instructions in front of a user.
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_automatic_device_that_cannot_be_used_leaves_the_processor_and_says_why() {
        let auto = |precision| Config { device: DeviceChoice::Auto, precision, ..Config::default() };
        let missing = || Err("the card is on fire".to_owned());
        let chosen = decide(&auto(Precision::F32), missing()).expect("the processor");
        assert!(chosen.opened.is_none() && chosen.reason.contains("on fire") == cfg!(feature = "cuda"), "{}", chosen.reason);
        // where the processor cannot do it either, both stand in the message
        let refused = decide(&auto(Precision::Tf32), missing()).expect_err("only a CUDA device has TF32").to_string();
        assert!(refused.contains("on fire") && refused.contains("f32 or bf16"), "{refused}");
        let again = choose_again(&Config { device: DeviceChoice::Cpu, ..auto(Precision::F16) }).expect("a run that goes on");
        assert!(again.reason.contains("f16") && again.step == Step::best_accurate(), "{again:?}");
        choose(&Config { device: DeviceChoice::Cpu, ..auto(Precision::F16) }).expect_err("not for a new run");
    }
}
