//! The program: arguments in, exit code out.

use std::process::ExitCode;

use tuning_fork::{cli, nn};

fn main() -> ExitCode {
    nn::ops::allocator::keep_memory();
    cli::start_logging();
    match cli::parse() {
        Some(command) => cli::run(&command),
        None => window(),
    }
}

/// Opens the window.
#[cfg(feature = "gui")]
fn window() -> ExitCode {
    match tuning_fork::app::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::fail(&error),
    }
}

/// Says that this build has no window.
#[cfg(not(feature = "gui"))]
fn window() -> ExitCode {
    cli::fail(&anyhow::anyhow!(
        "this build has no window; train with `tuning-fork train` (see `tuning-fork --help`), or build it with the feature `gui`"
    ))
}
