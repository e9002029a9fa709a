//! `tuning-fork summary`: a network's layers, parameters, multiply-adds and memory.

use clap::Args;

use super::choice::Choice;
use super::output;
use crate::nn::{Architecture, NetworkOptions, USUAL_WIDTH, summary};

/// What `summary` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The network
    #[arg(long, value_name = "NAME", default_value = "compact", value_parser = Choice::<Architecture>::new())]
    model: Architecture,
    /// Height and width of the input, pixels
    #[arg(long, value_name = "S", default_value_t = 64)]
    size: usize,
    /// Filters of the first block, 1 to 128; each block has twice those of the one before it
    #[arg(long, value_name = "W", default_value_t = USUAL_WIDTH)]
    width: usize,
    /// Images that go through together
    #[arg(long, value_name = "B", default_value_t = 32, value_parser = super::flags::count)]
    batch: usize,
    /// Number of classes
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = super::flags::count)]
    classes: usize,
}

/// Prints the table.
///
/// # Errors
/// If the size does not fit the network.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let &Arguments { model: architecture, size, width, classes, .. } = arguments;
    let options = NetworkOptions { architecture, size, channels: 3, classes, width, dropout: 0.0 };
    output::line(summary::summarise(&options, arguments.batch)?)?;
    Ok(())
}
