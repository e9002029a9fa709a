//! Tests of `train`.

mod common;
mod protocol;
