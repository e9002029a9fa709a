//! Tests of `train`.

pub mod common;
mod failure;
mod loss;
mod optimizer;
mod protocol;
mod resume;
mod schedule;
mod session;
