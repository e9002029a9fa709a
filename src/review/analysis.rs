//! Everything that is read off one table of predictions, worked out once.

use crate::metrics::{ClassCurves, Confusion, F1Intervals, Interval, LabelErrors, Predictions, Reliability, Scores, wilson};
use crate::random::{Purpose, Random};

/// Bins of a reliability diagram.
pub const BINS: usize = 15;
/// Rounds of the bootstrap.
const ROUNDS: usize = 1_000;
/// The seed of the bootstrap: the same predictions always have the same intervals.
const SEED: u64 = 0;

/// The numbers of one table of predictions.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// What they are about.
    pub predictions: Predictions,
    /// One row a true class.
    pub confusion: Confusion,
    /// Per class and averaged.
    pub scores: Scores,
    /// 95 % interval of the accuracy (Wilson).
    pub accuracy: Interval,
    /// 95 % intervals of each class's precision (Wilson).
    pub precision: Vec<Interval>,
    /// 95 % intervals of each class's recall (Wilson).
    pub recall: Vec<Interval>,
    /// 95 % intervals of F1 (bootstrap over the images, 1,000 rounds, always the same draws).
    pub f1: F1Intervals,
    /// Cohen's kappa.
    pub kappa: f64,
    /// Confidence against accuracy.
    pub reliability: Reliability,
    /// The temperature that fits these images best.
    pub temperature: f64,
    /// Confidence against accuracy at that temperature.
    pub calibrated: Reliability,
    /// One entry a class.
    pub curves: Vec<ClassCurves>,
    /// Labels that are probably wrong.
    pub label_errors: LabelErrors,
}

impl Analysis {
    /// Works everything out.
    #[must_use]
    pub fn new(predictions: Predictions) -> Self {
        let confusion = predictions.confusion();
        let classes = 0..confusion.classes();
        let hits = |class| confusion.count(class, class);
        let mut random = Random::new(SEED, Purpose::Bootstrap, &[]);
        let temperature = predictions.fit_temperature();
        Self {
            scores: confusion.scores(),
            accuracy: wilson(confusion.correct(), confusion.total()),
            precision: classes.clone().map(|class| wilson(hits(class), confusion.predicted(class))).collect(),
            recall: classes.clone().map(|class| wilson(hits(class), confusion.support(class))).collect(),
            f1: confusion.f1_intervals(ROUNDS, |n| random.below(n)),
            kappa: confusion.kappa(),
            reliability: predictions.reliability(BINS),
            temperature,
            calibrated: predictions.with_temperature(temperature).reliability(BINS),
            curves: classes.map(|class| predictions.curves(class)).collect(),
            label_errors: predictions.label_errors(),
            confusion,
            predictions,
        }
    }

    /// The pairs (true class, predicted class) that are confused, the most images first.
    #[must_use]
    pub fn confused_pairs(&self) -> Vec<(usize, usize, u64)> {
        let k = self.confusion.classes();
        let cells = (0..k).flat_map(|truth| (0..k).map(move |predicted| (truth, predicted)));
        let mut pairs: Vec<_> = cells
            .filter(|(truth, predicted)| truth != predicted)
            .map(|(truth, predicted)| (truth, predicted, self.confusion.count(truth, predicted)))
            .filter(|&(_, _, n)| n > 0)
            .collect();
        pairs.sort_by_key(|&(.., n)| std::cmp::Reverse(n));
        pairs
    }
}
