//! Numbers from (truth, prediction): confusion matrix, per-class scores, averages, intervals, calibration, curves, comparison
//! of two classifiers, suspect labels, forgetting. No tensors, no files, no randomness of its own.

mod agreement;
mod bootstrap;
mod calibration;
mod compare;
mod confusion;
mod curves;
mod forgetting;
mod interval;
mod invariance;
mod label_errors;
mod order;
mod predictions;
mod scores;
mod student;

pub use bootstrap::F1Intervals;
pub use calibration::{Reliability, ReliabilityBin, apply_temperature};
pub use compare::{Comparison, McNemar, McNemarForm, compare, mcnemar};
pub use confusion::Confusion;
pub use curves::ClassCurves;
pub use forgetting::{Learning, forgetting, most_forgotten};
pub use interval::{Interval, wilson};
pub use invariance::{ClassSpread, Invariance, top};
pub use label_errors::{LabelError, LabelErrors};
pub use predictions::{Predictions, PredictionsError};
pub use scores::{Averages, ClassScores, Scores};
pub use student::student_t_975;
