//! The products on AMX, the tile unit of x86-64 processors since Sapphire Rapids: `tile.rs` is the unit, `sheet.rs` how pictures
//! are laid out for it, `weights.rs`, `convolution.rs` and `gradient.rs` the three products of a layer.

mod convolution;
mod gradient;
mod lanes;
mod sheet;
mod tile;
mod weights;

pub use convolution::{Plan, convolve};
pub use gradient::{Workspace, suits as suits_gradient, weight_gradient};
pub use sheet::{Sheet, parts, suits};
pub use tile::available;
pub use weights::pack as pack_weights;
