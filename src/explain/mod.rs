//! A saved model and a picture -> probabilities, and maps of where the network looked, as numbers, figures and files. Knows
//! pictures and networks; knows no runs, no files but models, no window.

mod answers;
mod calibration;
mod classifier;
mod device;
mod embedding;
mod explainer;
mod export;
mod faithfulness;
mod familiarity;
mod figure;
mod film;
mod formula;
mod map;
mod method;
mod numbers;
mod projection;
mod regions;
mod request;
mod sanity;
mod score_cam;
mod sheet;
mod style;

pub use answers::{AnswerTable, TableFormat, best};
pub use calibration::{CALIBRATION, Calibration};
pub use classifier::{BEST_MODEL, Classifier, ExplainError};
pub use device::Opener;
pub use embedding::Reading;
pub use explainer::Explainer;
pub use export::{Content, npy};
pub use faithfulness::{Curves, Faithfulness, Measured, PERCENT, Road, Shares, faithfulness, faithfulness_while, impute, measure, shares};
pub use familiarity::{Familiarity, Likeness, NEIGHBOUR, Nearness, NotFamiliarity, Origin};
pub use figure::{Scene, fitted, number, ticks};
pub use film::{Still, film};
pub use map::{Map, TURNS};
pub use method::Method;
pub use projection::{NoMap, Pca, Points, TSNE_STEPS, nearest, tsne};
pub use regions::outline;
pub use request::{Explanation, Request};
pub use sanity::{Sanity, Stage, sanity, sanity_while, spearman, ssim};
pub use sheet::sheet;
pub use style::{Scale, Style, overlay, paint, strongest};
