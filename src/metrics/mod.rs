//! Numbers from (truth, prediction): confusion matrix, per-class scores, averages, intervals. No tensors, no files.

mod confusion;
mod interval;
mod scores;

pub use confusion::Confusion;
pub use interval::{Interval, wilson};
pub use scores::{Averages, ClassScores, Scores};
