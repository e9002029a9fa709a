//! Tests of `train`.

pub mod common;
mod device;
mod device_failure;
mod failure;
mod loss;
mod optimizer;
mod protocol;
mod resume;
mod schedule;
mod session;
