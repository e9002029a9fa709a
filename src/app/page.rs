//! The pages of the panels: what a panel shows is the panel's own state, and this is how it is asked to turn to another one.

use super::layout::Pane;

/// A page of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Explore: the pictures.
    Pictures,
    /// Explore: how many pictures each class has.
    Balance,
    /// Explore: what stands in the data set more than once.
    Duplicates,
    /// Explore: what the model saw.
    Map,
    /// Confusion: the matrix and its galaxies.
    Matrix,
    /// Confusion: the scores of each class.
    Classes,
    /// Confusion: whether probabilities mean what they say.
    Calibration,
    /// Confusion: each class against all others.
    Curves,
    /// Confusion: two runs or two epochs.
    Compare,
    /// Confusion: galaxies to look at.
    Suspects,
    /// Augment: draws of one galaxy.
    Draws,
    /// Augment: the model's answers for the changed galaxy.
    Invariance,
    /// Experiments: curves over each other.
    Overlay,
    /// Experiments: values beside each other.
    Values,
    /// Experiments: a bar a run.
    Bars,
    /// Experiments: a line a run through its values.
    Parallel,
    /// Experiments: one run.
    Run,
    /// Experiments: the models that are registered.
    Models,
    /// Search: the objective of every trial and the best so far.
    History,
    /// Search: the objective over the epochs of every trial.
    Epochs,
    /// Search: how much each parameter mattered.
    Importances,
    /// Search: the objective against one parameter.
    Slice,
    /// Search: the objective over two parameters.
    Contour,
    /// Search: a line a trial through its values.
    ParallelTrials,
    /// Search: one trial.
    Trial,
}

impl Page {
    /// All pages, panel by panel.
    pub const ALL: [Self; 25] = [
        Self::Pictures,
        Self::Balance,
        Self::Duplicates,
        Self::Map,
        Self::Matrix,
        Self::Classes,
        Self::Calibration,
        Self::Curves,
        Self::Compare,
        Self::Suspects,
        Self::Draws,
        Self::Invariance,
        Self::Overlay,
        Self::Values,
        Self::Bars,
        Self::Parallel,
        Self::Run,
        Self::Models,
        Self::History,
        Self::Epochs,
        Self::Importances,
        Self::Slice,
        Self::Contour,
        Self::ParallelTrials,
        Self::Trial,
    ];

    /// Its panel.
    #[must_use]
    pub fn pane(self) -> Pane {
        match self {
            Self::Pictures | Self::Balance | Self::Duplicates | Self::Map => Pane::Explore,
            Self::Matrix | Self::Classes | Self::Calibration | Self::Curves | Self::Compare | Self::Suspects => Pane::Confusion,
            Self::Draws | Self::Invariance => Pane::Augment,
            Self::Overlay | Self::Values | Self::Bars | Self::Parallel | Self::Run | Self::Models => Pane::Experiments,
            Self::History | Self::Epochs | Self::Importances | Self::Slice | Self::Contour | Self::ParallelTrials | Self::Trial => {
                Pane::Search
            }
        }
    }

    /// What its tab says.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Pictures => "Pictures",
            Self::Balance => "Class balance",
            Self::Duplicates => "Duplicates",
            Self::Map => "Map",
            Self::Matrix => "Matrix",
            Self::Classes => "Classes",
            Self::Calibration => "Calibration",
            Self::Curves => "PR and ROC",
            Self::Compare => "Compare",
            Self::Suspects => "Suspects",
            Self::Draws => "Draws",
            Self::Invariance => "Invariance",
            Self::Overlay => "Overlay",
            Self::Values => "Side by side",
            Self::Bars => "Bars",
            Self::Parallel => "Parallel",
            Self::Run => "Run",
            Self::Models => "Models",
            Self::History => "Best so far",
            Self::Epochs => "Epochs",
            Self::Importances => "Importances",
            Self::Slice => "Slice",
            Self::Contour => "Contour",
            Self::ParallelTrials => "Parallel lines",
            Self::Trial => "Trial",
        }
    }
}

/// A button of a page, for those who ask for it by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// The matrix in numbers of images.
    Counts,
    /// The matrix in percent of the true class.
    ByRow,
    /// The matrix in percent of what was called so.
    ByColumn,
    /// The matrix coloured by the logarithm, or not.
    LogColour,
    /// The matrix with classes that are confused standing together, or not.
    Clustered,
    /// Plays the epochs of the matrix, or stops playing them.
    Play,
    /// Other draws of the lab's galaxy.
    DrawAgain,
}

impl Press {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Counts, Self::ByRow, Self::ByColumn, Self::LogColour, Self::Clustered, Self::Play, Self::DrawAgain];

    /// The page where it is.
    #[must_use]
    pub fn page(self) -> Page {
        if self == Self::DrawAgain { Page::Draws } else { Page::Matrix }
    }

    /// What it does, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Counts => "Confusion matrix in counts",
            Self::ByRow => "Confusion matrix by row",
            Self::ByColumn => "Confusion matrix by column",
            Self::LogColour => "Confusion matrix: logarithmic colour on or off",
            Self::Clustered => "Confusion matrix: clustered classes on or off",
            Self::Play => "Play through the epochs of the confusion matrix, or stop",
            Self::DrawAgain => "Draw the augmentations again",
        }
    }
}
