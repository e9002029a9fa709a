//! The choices of a search: each value with its name and what it means.

use crate::app::view::train::choice::Choice;
use crate::search::{Objective, OnRestart, PrunerKind, Sampler};

impl Choice for Objective {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (
            Self::MacroF1,
            "Validation macro-F1",
            "The mean F1 of the classes, of a trial's best epoch: rare classes count as much as others.",
        ),
        (Self::Accuracy, "Validation accuracy", "The share of images that are right, of a trial's best epoch."),
        (Self::Loss, "Validation loss", "The lowest loss. Do not search beta, gamma or smoothing with it: they change its scale."),
    ];
}

impl Choice for Sampler {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Tpe, "TPE", "By a model of what the good trials have in common (multivariate, as Optuna's)."),
        (
            Self::CmaEs,
            "CMA-ES",
            "By a cloud of points that moves to the good ones: for numbers that depend on each other, and more than a hundred trials. Choices \
             are made as by TPE.",
        ),
        (Self::Random, "Random", "Each trial by itself; the yardstick for everything else."),
    ];
}

impl Choice for PrunerKind {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Hyperband, "Hyperband", "Only the best third goes on at 1, 3, 9 ... times the least epochs."),
        (Self::Median, "Median", "What is below the median of the complete trials stops, once five are complete."),
        (Self::None, "None", "Every trial is trained to its end."),
    ];
}

impl Choice for OnRestart {
    const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Resume, "Go on", "A trial whose program was killed goes on from its last checkpoint."),
        (Self::Fail, "Count as failed", "A trial whose program was killed counts as failed."),
    ];
}
