//! Numbers from (truth, prediction). No tensors, no files.

mod confusion;

pub use confusion::Confusion;
