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

/// Says that this build has no window.
fn window() -> ExitCode {
    cli::fail(&anyhow::anyhow!(
        "this build has no window; train with `tuning-fork train` (see `tuning-fork --help`), or build it with the feature `gui`"
    ))
}
