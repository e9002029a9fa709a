//! The operators the networks are made of, f32 on the processor, each with its own right backward pass.
//!
//! They replace Candle's where those are wrong (the gradient of `max_pool2d`), differ from `PyTorch` (`relu` at 0), draw
//! from an unseeded generator (dropout) or run on one thread (nearly all). Every reduction has an order fixed by the
//! shapes alone, so results are the same to the bit for any number of threads. NaN is never swallowed.
//!
//! All that is `unsafe` in the networks is in here. Its tests run clean under `AddressSanitizer`, AVX-512 included; valgrind, which has
//! no AVX-512, is clean on the short ones and was never waited for on those of whole blocks (many minutes):
//!
//! ```text
//! RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test --target x86_64-unknown-linux-gnu --no-default-features nn::
//! valgrind --error-exitcode=1 target/debug/deps/tuning_fork-... nn::ops
//! ```
//!
//! What is not tracked by Candle's autograd (the pictures, weights in evaluation mode) gets no gradient computed.

pub mod accelerator;
pub mod allocator;
mod batch_norm;
mod conv2d;
mod dropout;
pub mod engine;
mod few_rows;
mod gradient;
mod im2col;
mod linear;
mod matrix;
mod pool;
mod relu;
mod slices;
mod trunk;

pub use batch_norm::{BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM, Running, batch_norm};
pub use conv2d::{ConvOptions, conv2d};
pub use dropout::dropout;
pub use engine::Step;
pub use linear::{LinearLayer, linear};
pub use pool::{global_average_pool, max_pool2d, relu_max_pool2d};
pub use relu::relu;
pub use slices::{with_slice, with_slice_mut};
pub use trunk::{Block, Tail, Trunk};
