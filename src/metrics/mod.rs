//! Numbers from (truth, prediction): confusion matrix, per-class scores, averages, intervals. No tensors, no files.

mod confusion;
mod interval;
mod invariance;
mod scores;

pub use confusion::Confusion;
pub use interval::{Interval, wilson};
pub use invariance::{ClassSpread, Invariance, top};
pub use scores::{Averages, ClassScores, Scores};
