//! A saved model and a picture -> probabilities, and maps of where the network looked. Knows pictures and networks; knows no
//! runs, no files but models, no window.

mod classifier;
mod explainer;
mod formula;
mod map;
mod method;
mod score_cam;

pub use classifier::{BEST_MODEL, Classifier, ExplainError};
pub use explainer::{Explainer, Explanation, Request};
pub use map::{Map, TURNS};
pub use method::Method;
