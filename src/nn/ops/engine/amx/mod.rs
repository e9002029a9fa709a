//! The products on AMX, the tile unit of x86-64 processors since Sapphire Rapids: `tile.rs` is the unit, `sheet.rs` how pictures
//! are laid out for it, `weights.rs`, `convolution.rs` and `gradient.rs` the three products of a layer.

mod convolution;
mod few_inputs;
mod gradient;
mod sheet;
mod tile;
mod weights;

pub use convolution::{Plan, convolve};
pub use few_inputs::{suits_gradient as suits_few_inputs, weight_gradient as few_inputs_weight_gradient};
pub use gradient::{Workspace, suits as suits_gradient, weight_gradient};
pub use sheet::{Sheet, parts, suits};
pub use tile::available;
pub use weights::{depth, pack as pack_weights};
