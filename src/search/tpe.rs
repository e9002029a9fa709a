//! The tree-structured Parzen estimator, multivariate, with Optuna's settings.
//!
//! The best tenth of the trials (at most 25) and the others each become a mixture of kernels ([`Parzen`]); of 24 draws from the first
//! the one is taken whose density is largest beside that in the second. Parameters that are always active are drawn together, those
//! that wait for another one by one after it. Running trials count among the others, so that processes that share a study spread out.

use std::cmp::Ordering;

use super::parzen::Parzen;
use super::{Direction, Distribution, Trial, TrialState};
use crate::random::Random;

/// Until so many trials ended, draws are uniform.
pub(super) const STARTUP: usize = 10;
/// Draws from the good ones, of which one is taken.
const CANDIDATES: usize = 24;

/// The good trials and the others, each in the order of their numbers.
pub(super) struct Divided<'a> {
    good: Vec<&'a Trial>,
    others: Vec<&'a Trial>,
}

impl<'a> Divided<'a> {
    /// Divides the trials of a study; `None` while there are too few.
    pub fn new(trials: &'a [Trial], direction: Direction) -> Option<Self> {
        let mut ended: Vec<&Trial> = trials.iter().filter(|trial| trial.is_evidence()).collect();
        if ended.len() < STARTUP {
            return None;
        }
        let best = ended.len().div_ceil(10).min(25);
        ended.sort_by(|a, b| compare(a, b, direction));
        let mut others = ended.split_off(best);
        others.extend(trials.iter().filter(|trial| trial.state == TrialState::Running));
        let mut good = ended;
        good.sort_by_key(|trial| trial.number);
        others.sort_by_key(|trial| trial.number);
        Some(Self { good, others })
    }

    /// Draws the parameters of these names together.
    pub fn draw(&self, parameters: &[(&str, &Distribution)], random: &mut Random) -> Vec<f64> {
        let distributions: Vec<&Distribution> = parameters.iter().map(|(_, distribution)| *distribution).collect();
        let good = Parzen::new(&distributions, &observations(&self.good, parameters));
        let others = Parzen::new(&distributions, &observations(&self.others, parameters));
        let score = |point: &[f64]| good.log_density(point) - others.log_density(point);
        let mut best = good.sample(random);
        let mut best_score = score(&best);
        for _ in 1..CANDIDATES {
            let point = good.sample(random);
            let value = score(&point);
            if value > best_score || best_score.is_nan() {
                (best, best_score) = (point, value);
            }
        }
        best
    }
}

/// The better of two trials first.
pub(super) fn compare(a: &Trial, b: &Trial, direction: Direction) -> Ordering {
    rank(a, direction).partial_cmp(&rank(b, direction)).unwrap_or(Ordering::Equal)
}

/// Complete trials by their value, then pruned ones: those that came farther first, then by their last value.
fn rank(trial: &Trial, direction: Direction) -> (u8, i64, f64) {
    let number = |value: f64| if value.is_nan() { f64::INFINITY } else { direction.cost(value) };
    match (trial.state, trial.value, trial.last()) {
        (TrialState::Complete, Some(value), _) => (0, 0, number(value)),
        (_, _, Some((step, value))) => (1, -step, number(value)),
        _ => (1, 1, 0.0),
    }
}

/// The internal numbers of the trials that have all the parameters, within the present ranges.
fn observations(trials: &[&Trial], parameters: &[(&str, &Distribution)]) -> Vec<Vec<f64>> {
    let row = |trial: &&Trial| {
        let number = |(name, distribution): &(&str, &Distribution)| {
            let param = trial.params.get(*name)?;
            (param.distribution.is_compatible(distribution) && distribution.contains(param.internal)).then_some(param.internal)
        };
        parameters.iter().map(number).collect::<Option<Vec<f64>>>()
    };
    trials.iter().filter_map(row).collect()
}
