//! `tuning-fork selftest`: whether a device computes what the processor does; what a user with a new card runs first.

use clap::Args;

use crate::train::selftest::{self, Check};
use crate::train::{DeviceChoice, device};

/// What `selftest` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The device: cuda (the first), cuda:N, or cpu (the same kernels, compiled by this system's C++ compiler and run on the processor)
    #[arg(long, value_name = "NAME", default_value = "cuda")]
    device: DeviceChoice,
}

/// Runs all checks and prints a table with the worst error of each.
///
/// # Errors
/// If the device cannot be had or fails, or a check does.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let choice = if arguments.device == DeviceChoice::Cpu { DeviceChoice::HOST } else { arguments.device };
    let device = device::open(choice).map_err(anyhow::Error::msg)?;
    println!("{}\n\n{:<8} {:<64} {:>10} {:>8}", device.name(), "numbers", "check", "error", "bound");
    let checks = selftest::run(&device, |check| println!("{}", line(check)))?;
    let failed = checks.iter().filter(|check| !check.passed()).count();
    println!("\n{} checks, {failed} failed\n\n{}", checks.len(), selftest::BOUNDS);
    if failed > 0 {
        anyhow::bail!("this device does not compute what the processor does: train with --device cpu, and please report the table above");
    }
    Ok(())
}

fn line(check: &Check) -> String {
    let Check { name, arithmetic, error, bound } = check;
    let verdict = if check.passed() { "" } else { "  FAILED" };
    format!("{:<8} {name:<64} {error:>10.1e} {bound:>8.0e}{verdict}", arithmetic.name())
}
