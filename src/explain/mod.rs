//! A saved model and a picture -> probabilities, and maps of where the network looked, as numbers, figures and files. Knows
//! pictures and networks; knows no runs, no files but models, no window.

mod answers;
mod calibration;
mod classifier;
mod embedding;
mod explainer;
mod export;
mod faithfulness;
mod familiarity;
mod figure;
mod formula;
mod map;
mod method;
mod projection;
mod score_cam;
mod style;

pub use answers::{AnswerTable, TableFormat, best};
pub use calibration::{CALIBRATION, Calibration};
pub use classifier::{BEST_MODEL, Classifier, ExplainError};
pub use embedding::Reading;
pub use explainer::{Explainer, Explanation, Request};
pub use export::{Content, npy};
pub use faithfulness::{Curves, Faithfulness, Shares, faithfulness, shares};
pub use familiarity::{Familiarity, Likeness, NEIGHBOUR, Nearness, NotFamiliarity, Origin};
pub use figure::{Scene, fitted, number, ticks};
pub use map::{Map, TURNS};
pub use method::Method;
pub use projection::{NoMap, Pca, Points, TSNE_STEPS, nearest, tsne};
pub use style::{Style, overlay, paint, strongest};
