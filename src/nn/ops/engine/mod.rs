//! The fused training engine: convolution 3x3 (+ batch norm) + `ReLU` + max-pool 2x2 as one pass over memory.
//!
//! Everything here works on plain `f32` slices in N x H x W x C order (channels last); `block.rs` plugs it into Candle.
//! Products run on the fastest step of the [`Step`] ladder that the machine has; results do not depend on the number of
//! threads, because every sum has one fixed order.
//!
//! The shape of the work, for all three products of a layer (forward, input gradient, weight gradient):
//!
//! ```text
//!            k                    32
//!       +---------+           +--------+
//!    12 |    A    |  x      k |   B    |  ->  a tile of 12 x 32 sums, kept in registers
//!       +---------+           +--------+
//! ```
//!
//! A is gathered from the activations on the fly (never a whole im2col matrix), B is a panel of packed weights (or, for
//! the weight gradient, of output gradients).

#![allow(unsafe_code, reason = "vector kernels; each block states its proof")]
#![allow(clippy::inline_always, reason = "a task's body must be compiled for the instruction set of the function that enters it")]
#![allow(clippy::needless_range_loop, reason = "loops over the 32 columns of several arrays at once are what the compiler vectorises")]

#[cfg_attr(not(target_arch = "x86_64"), path = "no_amx.rs")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod bf16;
mod buffer;
mod convolution;
mod epilogue;
mod few_inputs;
mod few_windows;
mod kernel;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod layer;
mod lines;
mod norm_gradient;
mod norm_pool;
mod pixels;
mod portable;
mod relu_pool;
mod small_maps;
mod step;
mod transpose;
mod weight_gradient;
mod weights;
mod windows;
mod winograd;
mod winograd_gradient;
mod winograd_weights;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use norm_pool::{Norm, NormPool, NormPoolGradients, Statistics};
pub use pixels::Grid;
pub use relu_pool::{ReluPool, ReluPoolGradients};
pub use step::Step;

#[cfg(test)]
mod tests;
