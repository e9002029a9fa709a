//! Which trials to stop early: none, those below the median, or Hyperband's halving, as Optuna decides it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{StudyRecord, Trial, TrialState};

/// Which trials are stopped early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pruner {
    /// None.
    None,
    /// Those whose best value so far is worse than the median of the complete trials in the same epoch.
    Median {
        /// None is stopped until so many trials are complete.
        startup: usize,
        /// None is stopped before this epoch.
        warmup: i64,
    },
    /// Hyperband (Li et al. 2018) over asynchronous halving: a trial belongs to a bracket by the checksum of its name; at
    /// `least` epochs times a power of `factor` only the best of a bracket (one in `factor`) go on.
    Hyperband {
        /// Epochs before the first decision; at least 1.
        least: usize,
        /// Epochs of a whole trial.
        most: usize,
        /// One in so many goes on; at least 2.
        factor: usize,
    },
}

/// The pruners by their names; the settings are the usual ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrunerKind {
    /// No trial is stopped early.
    None,
    /// Those below the median, once five trials are complete.
    Median,
    /// All but the best third at 1, 3, 9 ... times the least epochs.
    #[default]
    Hyperband,
}

impl PrunerKind {
    /// The pruner that stops no trial before `least` of its `most` epochs.
    #[must_use]
    pub fn pruner(self, least: usize, most: usize) -> Pruner {
        match self {
            Self::None => Pruner::None,
            Self::Median => Pruner::Median { startup: 5, warmup: least as i64 },
            Self::Hyperband => Pruner::Hyperband { least, most, factor: 3 },
        }
    }
}

/// What a pruner decides of a trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Whether to stop it.
    pub prune: bool,
    /// What is to be noted of the trial, for the trials that come after it (name, value).
    pub notes: Vec<(String, f64)>,
}

impl Pruner {
    /// Its name.
    #[must_use]
    pub fn kind(self) -> PrunerKind {
        match self {
            Self::None => PrunerKind::None,
            Self::Median { .. } => PrunerKind::Median,
            Self::Hyperband { .. } => PrunerKind::Hyperband,
        }
    }

    /// The epoch before which it stops no trial; `None` if it stops none at all.
    #[must_use]
    pub fn least(self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Median { warmup, .. } => usize::try_from(warmup).ok(),
            Self::Hyperband { least, .. } => Some(least),
        }
    }

    /// Decides after the last reported epoch of a trial.
    #[must_use]
    pub fn decide(&self, study: &StudyRecord, trial: &Trial) -> Verdict {
        match *self {
            Self::None => Verdict::default(),
            Self::Median { startup, warmup } => Verdict { prune: below_median(study, trial, startup, warmup), notes: Vec::new() },
            Self::Hyperband { least, most, factor } => {
                let brackets = Brackets::new(least, most, factor);
                let bracket = brackets.of(&study.name, trial.number);
                let rivals: Vec<&Trial> = study.trials.iter().filter(|t| brackets.of(&study.name, t.number) == bracket).collect();
                halve(study, trial, &rivals, (least, factor, bracket))
            }
        }
    }
}

/// Whether the best value of a trial is worse than the median of the complete trials in its last epoch.
fn below_median(study: &StudyRecord, trial: &Trial, startup: usize, warmup: i64) -> bool {
    let complete: Vec<&Trial> = study.trials.iter().filter(|t| t.state == TrialState::Complete).collect();
    let Some((step, _)) = trial.last() else { return false };
    if complete.is_empty() || complete.len() < startup || step < warmup {
        return false;
    }
    let costs = trial.intermediate.values().filter(|v| !v.is_nan()).map(|&v| study.direction.cost(v));
    let Some(best) = costs.reduce(f64::min) else { return true };
    let mut rivals: Vec<f64> =
        complete.iter().filter_map(|t| t.intermediate.get(&step)).filter(|v| !v.is_nan()).map(|&v| study.direction.cost(v)).collect();
    rivals.sort_by(f64::total_cmp);
    let n = rivals.len();
    n > 0 && best > f64::midpoint(rivals[n / 2], rivals[(n - 1) / 2])
}

/// How many of all trials each bracket gets.
struct Brackets {
    shares: Vec<u128>,
}

impl Brackets {
    fn new(least: usize, most: usize, factor: usize) -> Self {
        let (least, factor) = (least.max(1), factor.max(2) as u128);
        let count = ((most.max(least) as f64 / least as f64).ln() / (factor as f64).ln()).floor() as u128 + 1;
        let share = |bracket: u128| {
            let s = count - 1 - bracket;
            (count.saturating_mul(factor.saturating_pow(s as u32))).div_ceil(s + 1)
        };
        Self { shares: (0..count).map(share).collect() }
    }

    /// The bracket of a trial: by the checksum of the study's name and its number, so that every process agrees.
    fn of(&self, study: &str, number: usize) -> usize {
        let total: u128 = self.shares.iter().sum();
        let mut left = u128::from(crc32fast::hash(format!("{study}_{number}").as_bytes())) % total;
        for (bracket, &share) in self.shares.iter().enumerate() {
            if left < share {
                return bracket;
            }
            left -= share;
        }
        0
    }
}

/// Asynchronous successive halving (Li et al. 2020): at each rung only the best of those that reached it go on.
fn halve(study: &StudyRecord, trial: &Trial, rivals: &[&Trial], (least, factor, bracket): (usize, usize, usize)) -> Verdict {
    let Some((step, value)) = trial.last() else { return Verdict::default() };
    let mut verdict = Verdict::default();
    let mut rung = 0;
    while trial.system_attrs.contains_key(&rung_key(rung)) {
        rung += 1;
    }
    loop {
        let promotion = factor.max(2).checked_pow((bracket + rung) as u32).and_then(|power| power.checked_mul(least.max(1)));
        if promotion.is_none_or(|promotion| step < promotion as i64) {
            return verdict;
        }
        if value.is_nan() {
            verdict.prune = true;
            return verdict;
        }
        let key = rung_key(rung);
        let mut costs: Vec<f64> =
            rivals.iter().filter_map(|t| t.system_attrs.get(&key)).filter_map(Value::as_f64).map(|v| study.direction.cost(v)).collect();
        let own = study.direction.cost(value);
        costs.push(own);
        costs.sort_by(f64::total_cmp);
        verdict.notes.push((key, value));
        let last_that_goes_on = (costs.len() / factor.max(2)).saturating_sub(1);
        if own > costs[last_that_goes_on] {
            verdict.prune = true;
            return verdict;
        }
        rung += 1;
    }
}

fn rung_key(rung: usize) -> String {
    format!("completed_rung_{rung}")
}

#[cfg(test)]
mod tests;
