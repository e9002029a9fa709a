//! What a search makes large or small, read off the epochs of a run.

use serde::{Deserialize, Serialize};

use crate::train::{BestBy, EpochReport};

/// What is optimised, on the validation images. The value of a trial is that of its best epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// Highest macro-F1.
    #[default]
    MacroF1,
    /// Highest accuracy.
    Accuracy,
    /// Lowest loss. Losses of different `beta`, `gamma` or smoothing are different scales: do not search those with it.
    Loss,
}

/// Which way is better; the numbers are Optuna's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Small is good.
    Minimize = 1,
    /// Large is good.
    Maximize = 2,
}

impl Direction {
    /// The value with its sign turned so that small is good.
    #[must_use]
    pub fn cost(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }

    /// Whether `a` is better than `b`. A value that is no number is never better.
    #[must_use]
    pub fn is_better(self, a: f64, b: f64) -> bool {
        self.cost(a) < self.cost(b) || (b.is_nan() && !a.is_nan())
    }
}

impl Objective {
    /// Which way is better.
    #[must_use]
    pub fn direction(self) -> Direction {
        match self {
            Self::MacroF1 | Self::Accuracy => Direction::Maximize,
            Self::Loss => Direction::Minimize,
        }
    }

    /// Its name in the study, as the curves of a run are called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MacroF1 => "val_macro_f1",
            Self::Accuracy => "val_accuracy",
            Self::Loss => "val_loss",
        }
    }

    /// Its value in an epoch.
    #[must_use]
    pub fn of(self, epoch: &EpochReport) -> f64 {
        match self {
            Self::MacroF1 => epoch.valid_macro_f1,
            Self::Accuracy => epoch.valid_accuracy,
            Self::Loss => epoch.valid_loss,
        }
    }

    /// Its value in the best of some epochs; `None` if there are none.
    #[must_use]
    pub fn best(self, epochs: &[EpochReport]) -> Option<f64> {
        epochs.iter().map(|epoch| self.of(epoch)).reduce(|a, b| if self.direction().is_better(b, a) { b } else { a })
    }

    /// What makes an epoch the best one of a run, so that the kept model is (for accuracy: is nearly) the one of the trial's value.
    #[must_use]
    pub fn best_by(self) -> BestBy {
        match self {
            Self::MacroF1 | Self::Accuracy => BestBy::MacroF1,
            Self::Loss => BestBy::Loss,
        }
    }
}
