//! The one integration test binary; one module a room.

mod app;
mod cli;
mod confuse;
mod data;
mod explain;
mod fetch;
mod folders;
mod full;
mod kernels;
mod metrics;
mod nn;
mod postgres;
mod review;
mod search;
mod synth;
mod tidy;
mod track;
mod train;
mod window;
