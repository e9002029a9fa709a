//! Tests of `nn`. The reference numbers come from `PyTorch`: `tests/reference/nn/make.py`.

mod accelerated;
mod autocast;
mod build;
mod gradients;
pub mod networks;
mod operators;
pub mod reference;
mod summary;
mod trunk;
mod weights;
mod widths;
