//! Tests of `nn`. The reference numbers come from `PyTorch`: `tests/reference/nn/make.py`.

mod build;
mod gradients;
mod networks;
mod operators;
mod reference;
mod summary;
mod trunk;
mod weights;
