//! Labelled data sets: where pictures, labels, classes, catalogue columns and splits come from.
//! Knows pictures, not tensors; a data set is never changed by the program.

pub mod classes;
mod dataset;
mod split;

pub use dataset::{Catalogue, DataError, Dataset, ImageSource, Skipped};
pub use split::{Part, Split};
