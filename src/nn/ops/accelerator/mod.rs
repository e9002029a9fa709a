//! Devices other than the processor: what they run, and how it is launched.

pub mod kernels;
