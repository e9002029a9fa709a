//! A mirror of runs and registered models in MLflow, for teams that look at theirs there: a database that `mlflow ui` opens, or
//! a tracking server. Only reads run folders (but for [`DrawMaps`]), so training knows nothing of it and is never slowed by it.
//!
//! | module    | what it is                                                                      |
//! |-----------|---------------------------------------------------------------------------------|
//! | `target`  | where it goes                                                                    |
//! | `told`    | what a run told since it was read last, as metrics                               |
//! | `record`  | a run in MLflow's words: parameters, tags, data set, files, the search above it |
//! | `mirror`  | what is new in a folder of runs is told to a store; maps, drawn between passes    |
//! | `watch`   | once, or again and again; later, if the store is away                            |
//! | `store`   | what a store must be able to                                                      |
//! | `sqlite`  | the database: the schema of MLflow 2.22, which later ones bring up to date        |
//! | `rest`    | the tracking server                                                              |

mod mirror;
mod record;
mod rest;
mod sqlite;
mod store;
mod target;
mod told;
mod watch;

pub use store::MirrorError;
pub use target::Target;
pub use watch::{Handle, Told, once, spawn, watch};

use std::path::PathBuf;
use std::time::Duration;

use crate::train::RunFolder;

/// What is mirrored, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder where runs are kept.
    pub runs: PathBuf,
    /// Where the mirror goes.
    pub target: Target,
    /// The MLflow experiment that the runs appear in.
    pub experiment: String,
    /// Whether what was written before is removed first.
    pub rebuild: bool,
    /// How long a server may take for an answer.
    pub patience: Duration,
    /// What draws where the model of a run looks, once that run is over and none is live; without it only what lies in the run
    /// folder is shown.
    pub draw_maps: Option<DrawMaps>,
}

/// Leaves a sheet of maps in the folder of a run ([`RunFolder::maps_path`]), if it can.
pub type DrawMaps = fn(&RunFolder);

/// How long a server may take for an answer, unless somebody knows better.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The experiment, unless another is named.
pub const EXPERIMENT: &str = "tuning-fork";
