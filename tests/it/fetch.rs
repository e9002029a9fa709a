//! Tests of the download and of the HDF5 import, and of the `data` subcommand around them.

mod command;
mod download;
mod import;
pub mod server;
