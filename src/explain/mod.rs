//! A saved model and a picture -> probabilities. Knows pictures and networks; knows no runs, no files but models, no window.

mod classifier;

pub use classifier::{BEST_MODEL, Classifier, ExplainError};
