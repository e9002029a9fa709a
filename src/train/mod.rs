//! One training run: configuration, loss, optimiser, schedule, batches, the loop, its protocol, checkpoints.
//! A run is a stream of events; nothing here prints, parses arguments or knows a window.

mod accelerated;
mod batches;
mod buffers;
mod cache;
mod checkpoint;
mod choice;
mod config;
pub mod device;
mod error;
mod evaluate;
mod folder;
mod log;
mod loss;
mod optimizer;
mod outbox;
mod predictions;
mod preview;
mod protocol;
mod recorder;
mod run;
mod schedule;
pub mod selftest;
mod session;
mod setup;
mod snapshots;
mod stopping;
mod summary;
mod validate;
mod worker;

pub use choice::{DeviceChoice, Twin};
pub use config::{BestBy, Config, ConfigError, LossKind, OptimizerKind, Precision, ScheduleKind};
pub use error::{RunError, TrainError};
pub use evaluate::{Evaluation, evaluate};
pub use folder::{RecordedSplit, RunFolder, timestamp};
pub use loss::{Loss, LossValue, Mixed, class_weights};
pub use optimizer::{Optimizer, Update, clip_scale, gradient_norm};
pub use predictions::{KeptEpochs, Probabilities};
pub use preview::{Place, Preview};
pub use protocol::{Command, Ended, EpochReport, Event, Outcome, Paused, Saved, Started, Steps};
pub use schedule::{Plateau, Schedule};
pub use session::{Session, Status};
pub use snapshots::{epochs_in_words, is_snapshot, snapshot_epoch};
pub use stopping::EarlyStopping;
pub use worker::{Handle, Job, spawn};
