//! The one integration test binary; one module a room.

mod app;
mod cli;
mod data;
mod explain;
mod fetch;
mod metrics;
mod nn;
mod synth;
mod tidy;
mod train;
mod window;
