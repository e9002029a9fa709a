//! One training run: configuration, loss, optimiser, schedule, batches, the loop, its protocol, checkpoints.
//! A run is a stream of events; nothing here prints, parses arguments or knows a window.

mod config;
mod protocol;
mod session;

pub use config::{BestBy, Config, ConfigError, DeviceChoice, LossKind, OptimizerKind, Precision, ScheduleKind};
pub use protocol::{Command, Ended, EpochReport, Event, Outcome, Paused, Saved, Started, Steps};
pub use session::{Session, Status};
