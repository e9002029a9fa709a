//! Tuning Fork: a desktop galaxy explorer and trainer, and the same as a library.
//!
//! One line a room; who may know whom is enforced by `tests/it/tidy.rs`.
//!
//! | room        | what it is                                                            | may use                               |
//! |-------------|-----------------------------------------------------------------------|---------------------------------------|
//! | [`files`]   | files that appear whole or not at all                                  | -                                     |
//! | [`random`]  | the one seeded generator; every draw is a function of named coordinates | -                                   |
//! | [`imaging`] | pictures: H x W x 3 u8, decode, encode, crop, resize                   | files                                 |
//! | [`data`]    | labelled data sets, import, download, synthetic galaxies, splits       | files, imaging, random                       |
//! | [`augment`] | picture -> picture, seeded and pure                                    | imaging, random                       |
//! | [`nn`]      | networks on Candle tensors; knows nothing of galaxies                  | files, random                                |
//! | [`metrics`] | numbers from (truth, probabilities)                                    | -                                     |
//! | [`train`]   | one run: configuration, loss, optimiser, loop, protocol, checkpoints   | data, augment, files, imaging, nn, metrics, random |
//! | [`explain`] | a saved model and a picture -> probabilities, and where it looked         | imaging, metrics, nn, random          |
//! | [`review`]  | a run looked back on: its record, tables, plots, report                | data, explain, files, imaging, metrics, random, train |
//! | [`search`]  | hyper-parameter search: space, sampler, pruner, study                   | augment, data, files, metrics, nn, random, train |
//! | [`track`]   | an index of many runs, trash, runs as one file, the registry of models | data, files, imaging, metrics, nn, random, train |
//! | [`cli`]     | the headless front end                                                 | all but app                           |
//! | `app`       | the window (feature `gui`); the only room that knows egui              | all but cli                           |

pub mod augment;
pub mod cli;
pub mod data;
pub mod explain;
pub mod files;
pub mod imaging;
pub mod metrics;
pub mod nn;
pub mod random;
pub mod review;
pub mod search;
pub mod track;
pub mod train;

#[cfg(feature = "gui")]
pub mod app;

/// The program's version, as recorded in models and run folders.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
