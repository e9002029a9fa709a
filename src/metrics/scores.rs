//! Per-class scores and their averages, as scikit-learn defines them with `zero_division=0` over all classes.

use serde::{Deserialize, Serialize};

use super::Confusion;

/// How well one class is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// Share of the images called this class that are of it; 0 if none was called so.
    pub precision: f64,
    /// Share of the images of this class that were called so; 0 if there are none.
    pub recall: f64,
    /// Harmonic mean of precision and recall; 0 if both are.
    pub f1: f64,
    /// Images of this class.
    pub support: u64,
}

/// Means of the per-class scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Averages {
    /// Mean precision.
    pub precision: f64,
    /// Mean recall.
    pub recall: f64,
    /// Mean F1.
    pub f1: f64,
}

/// Everything that is read off one confusion matrix.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// One entry a class, in label order.
    pub classes: Vec<ClassScores>,
    /// Share of the images that were classified right; 0 without images.
    pub accuracy: f64,
    /// Mean recall over the classes that have images (as scikit-learn's `balanced_accuracy_score`); 0 without images.
    pub balanced_accuracy: f64,
    /// Plain means over all classes; one that is neither present nor predicted counts as 0.
    pub macro_average: Averages,
    /// Means weighted by support; 0 without images.
    pub weighted_average: Averages,
}

/// `a / b`, and 0 where `b` is.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

impl Confusion {
    /// Images in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts().iter().sum()
    }

    /// Images that were classified right.
    #[must_use]
    pub fn correct(&self) -> u64 {
        (0..self.classes()).map(|c| self.count(c, c)).sum()
    }

    /// Images of class `truth` (its row's sum).
    #[must_use]
    pub fn support(&self, truth: usize) -> u64 {
        (0..self.classes()).map(|p| self.count(truth, p)).sum()
    }

    /// Images that were called `predicted` (its column's sum).
    #[must_use]
    pub fn predicted(&self, predicted: usize) -> u64 {
        (0..self.classes()).map(|t| self.count(t, predicted)).sum()
    }

    /// Share of the images that were classified right; 0 without images.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct() as f64, self.total() as f64)
    }

    /// Row `truth`, column `predicted`, as a share of the row; 0 in an empty row.
    #[must_use]
    pub fn share_of_row(&self, truth: usize, predicted: usize) -> f64 {
        ratio(self.count(truth, predicted) as f64, self.support(truth) as f64)
    }

    /// Scores of each class and their averages.
    #[must_use]
    pub fn scores(&self) -> Scores {
        let classes: Vec<ClassScores> = (0..self.classes()).map(|c| self.class_scores(c)).collect();
        let present = classes.iter().filter(|c| c.support > 0).count();
        Scores {
            accuracy: self.accuracy(),
            balanced_accuracy: ratio(classes.iter().map(|c| c.recall).sum(), present as f64),
            macro_average: averages(&classes, |_| 1.0),
            weighted_average: averages(&classes, |c| c.support as f64),
            classes,
        }
    }

    fn class_scores(&self, class: usize) -> ClassScores {
        let (hits, support, predicted) = (self.count(class, class), self.support(class), self.predicted(class));
        ClassScores {
            precision: ratio(hits as f64, predicted as f64),
            recall: ratio(hits as f64, support as f64),
            f1: ratio(2.0 * hits as f64, (support + predicted) as f64),
            support,
        }
    }
}

fn averages(classes: &[ClassScores], weight: impl Fn(&ClassScores) -> f64) -> Averages {
    let total: f64 = classes.iter().map(&weight).sum();
    let mean = |score: fn(&ClassScores) -> f64| ratio(classes.iter().map(|c| weight(c) * score(c)).sum(), total);
    Averages { precision: mean(|c| c.precision), recall: mean(|c| c.recall), f1: mean(|c| c.f1) }
}
