//! How much each parameter mattered for coming among the best: PED-ANOVA (Watanabe et al. 2023, arXiv 2304.10255; conditional
//! parameters as in arXiv 2601.20800), with Optuna's settings.
//!
//! A parameter matters as much as its values in the best tenth of the trials differ from those in all: the Pearson divergence of two
//! kernel densities on a grid, in closed form. It needs no forest and gives the same answer every time; unlike fANOVA it says what
//! mattered for being good, not for being bad.

use std::sync::Arc;

use super::parzen::{self, Normal};
use super::{Distribution, StudyRecord, Trial, TrialState};

/// The share of trials that count as the best.
const BEST: f64 = 0.1;
/// The most cells of a grid.
const CELLS: usize = 50;
/// The narrowest kernel, in cells: nine tenths of it stay in its cell.
const NARROWEST: f64 = 0.5 / 1.64;
/// Keeps densities above 0.
const FLOOR: f64 = 1e-12;

/// Importance of each parameter of the complete trials, the most important first; they sum to 1. Empty while fewer than two trials are
/// complete.
#[must_use]
pub fn importances(study: &StudyRecord) -> Vec<(String, f64)> {
    let trials: Vec<&Trial> =
        study.trials.iter().filter(|t| t.state == TrialState::Complete && t.value.is_some_and(f64::is_finite)).collect();
    if trials.len() < 2 {
        return Vec::new();
    }
    let cost = |trial: &Trial| study.direction.cost(trial.value.unwrap_or(f64::NAN));
    let mut costs: Vec<f64> = trials.iter().map(|trial| cost(trial)).collect();
    costs.sort_by(f64::total_cmp);
    let cutoff = costs[(BEST * costs.len() as f64).ceil() as usize - 1];
    let best = |trial: &Trial| cost(trial) <= cutoff;
    let mut names: Vec<&String> = trials.iter().flat_map(|trial| trial.params.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let mut list: Vec<(String, f64)> = names.iter().map(|name| ((*name).clone(), importance(name, &trials, &best))).collect();
    let total: f64 = list.iter().map(|(_, value)| value).sum();
    let equal = 1.0 / list.len().max(1) as f64;
    for (_, value) in &mut list {
        *value = if total > 0.0 { *value / total } else { equal };
    }
    list.sort_by(|a, b| b.1.total_cmp(&a.1));
    list
}

/// The importance of one parameter, up to a factor that all share. Trials with other ranges of it are looked at apart.
fn importance(name: &str, trials: &[&Trial], best: &dyn Fn(&Trial) -> bool) -> f64 {
    let count = |trials: &[&Trial]| trials.iter().filter(|trial| best(trial)).count() as f64;
    let all_best = count(trials);
    let mut sum = 0.0;
    for (distribution, regime) in regimes(name, trials) {
        let regime_best = count(&regime);
        if regime.len() < 2 || regime_best < 1.0 || distribution.is_single() {
            continue;
        }
        let values = |wanted: &dyn Fn(&Trial) -> bool| -> Vec<f64> {
            regime.iter().filter(|trial| wanted(trial)).map(|trial| trial.params[name].internal).collect()
        };
        let (top, local) = (density(&distribution, &values(best)), density(&distribution, &values(&|_| true)));
        let divergence: f64 = top.iter().zip(&local).map(|(top, local)| local * (top / local - 1.0).powi(2)).sum();
        let share_of_best = regime_best / all_best;
        sum += share_of_best * share_of_best / (regime.len() as f64 / trials.len() as f64) * divergence;
    }
    sum
}

/// The trials that have the parameter, by what it was drawn from.
fn regimes<'a>(name: &str, trials: &[&'a Trial]) -> Vec<(Arc<Distribution>, Vec<&'a Trial>)> {
    let mut regimes: Vec<(Arc<Distribution>, Vec<&Trial>)> = Vec::new();
    for trial in trials {
        let Some(param) = trial.params.get(name) else { continue };
        match regimes.iter_mut().find(|(distribution, _)| *distribution == param.distribution) {
            Some((_, regime)) => regime.push(trial),
            None => regimes.push((param.distribution.clone(), vec![trial])),
        }
    }
    regimes
}

/// The density of values on a grid over their range, or of choices.
fn density(distribution: &Distribution, values: &[f64]) -> Vec<f64> {
    let counts = counts(distribution, values);
    let seen: Vec<(usize, f64)> = counts.iter().enumerate().filter(|(_, n)| **n > 0).map(|(cell, &n)| (cell, n as f64)).collect();
    let total: f64 = values.len() as f64 + 1.0;
    let kernel: Vec<Vec<f64>> = match distribution {
        Distribution::Categorical { .. } => {
            let choices: Vec<f64> = seen.iter().map(|(cell, _)| *cell as f64).collect();
            parzen::rows(counts.len(), &choices)
        }
        _ => bumps(counts.len(), &seen),
    };
    // the last kernel is the prior, which counts as one trial
    let weights: Vec<f64> = seen.iter().map(|(_, n)| *n).chain([1.0]).map(|weight| weight / total).collect();
    let cell = |cell: usize| weights.iter().zip(&kernel).map(|(weight, row)| weight * row[cell]).sum::<f64>() + FLOOR;
    (0..counts.len()).map(cell).collect()
}

/// How many values are in each cell of the grid, or are each choice.
fn counts(distribution: &Distribution, values: &[f64]) -> Vec<usize> {
    let Some(axis) = distribution.axis() else {
        let Distribution::Categorical { choices } = distribution else { return Vec::new() };
        let mut counts = vec![0; choices.len()];
        for value in values {
            counts[(*value as usize).min(choices.len() - 1)] += 1;
        }
        return counts;
    };
    let (low, high) = axis.range();
    let cells = match distribution {
        // as many cells as the range has doublings
        Distribution::Int { low, high, log: true, .. } => ((high - low + 1) as f64).log2().ceil() as usize + 1,
        Distribution::Int { low, high, step, .. } => ((high - low) / step + 1) as usize,
        Distribution::Float { low, high, step: Some(step), .. } => ((high - low) / step).round() as usize + 1,
        _ => CELLS,
    };
    let cells = cells.clamp(2, CELLS);
    let width = (high - low) / (cells - 1) as f64;
    let mut counts = vec![0; cells];
    for &value in values {
        // halfway between two cells is the lower one's
        let cell = ((axis.forth(value) - low) / width - 0.5).ceil().max(0.0) as usize;
        counts[cell.min(cells - 1)] += 1;
    }
    counts
}

/// One row a seen cell (cell, how often): a bump as wide as Scott's rule says, and a last row over the whole grid.
fn bumps(cells: usize, seen: &[(usize, f64)]) -> Vec<Vec<f64>> {
    let n: f64 = seen.iter().map(|(_, count)| count).sum();
    let mean = seen.iter().map(|(cell, count)| *cell as f64 * count).sum::<f64>() / n;
    let squares: f64 = seen.iter().map(|(cell, count)| (*cell as f64 - mean).powi(2) * count).sum();
    let deviation = (squares / (n - 1.0).max(1.0)).sqrt();
    let quartile = |reached: &dyn Fn(f64) -> bool| {
        let mut sum = 0.0;
        let found = seen.iter().find(|(_, count)| {
            sum += count;
            reached(sum)
        });
        found.or(seen.last()).map_or(0.0, |(cell, _)| *cell as f64)
    };
    let (first, third) = ((n / 4.0).floor(), (3.0 * n / 4.0).floor());
    let spread = quartile(&|sum| sum > third) - quartile(&|sum| sum >= first);
    let width = (1.059 * deviation.min(spread / 1.34) * n.powf(-0.2)).max(NARROWEST);
    let (low, high) = (-0.5, cells as f64 - 0.5);
    let bumps = seen.iter().map(|(cell, _)| (*cell as f64, width)).chain([((cells - 1) as f64 / 2.0, cells as f64)]);
    let row = |(mean, width): (f64, f64)| {
        let bump = Normal::new(mean, width, low, high);
        (0..cells).map(|cell| bump.share(cell as f64 - 0.5, cell as f64 + 0.5)).collect()
    };
    bumps.map(row).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, Value};

    use super::*;
    use crate::search::{Direction, Param};

    const REFERENCE: &str = include_str!("../../tests/reference/search/importance.json");

    fn study(reference: &Value, direction: Direction, sign: f64) -> StudyRecord {
        let trial = |(number, trial): (usize, &Value)| {
            let param = |(name, param): (&String, &Value)| {
                let text = reference["distributions"][param[1].as_u64().expect("an index") as usize].as_str().expect("a text");
                let distribution = Arc::new(Distribution::from_json(text).expect("a distribution"));
                (name.clone(), Param { internal: param[0].as_f64().expect("a number"), distribution })
            };
            let state = if trial["value"].is_null() { TrialState::Pruned } else { TrialState::Complete };
            Trial {
                id: number,
                number,
                state,
                params: trial["params"].as_object().expect("parameters").iter().map(param).collect(),
                value: trial["value"].as_f64().map(|value| sign * value),
                intermediate: BTreeMap::new(),
                user_attrs: Map::new(),
                system_attrs: Map::new(),
                started: None,
                ended: None,
            }
        };
        let trials = reference["trials"].as_array().expect("trials").iter().enumerate().map(trial).collect();
        StudyRecord { id: 0, name: "s".into(), direction, user_attrs: Map::new(), system_attrs: Map::new(), trials }
    }

    #[test]
    fn importances_are_those_of_optunas_ped_anova() {
        let reference: Value = serde_json::from_str(REFERENCE).expect("the reference");
        for (direction, sign) in [(Direction::Minimize, 1.0), (Direction::Maximize, -1.0)] {
            let ours = importances(&study(&reference, direction, sign));
            let theirs = reference["importances"].as_object().expect("importances");
            assert_eq!(ours.len(), theirs.len());
            for (name, value) in &ours {
                let expected = theirs[name].as_f64().expect("a number");
                assert!((value - expected).abs() < 1e-9, "{name}: {value} instead of {expected}");
            }
            assert!(ours.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        }
    }

    #[test]
    fn too_few_trials_have_no_importances_and_equal_ones_share_alike() {
        let reference: Value = serde_json::from_str(REFERENCE).expect("the reference");
        let mut few = study(&reference, Direction::Minimize, 1.0);
        few.trials.truncate(1);
        assert!(importances(&few).is_empty());
        let mut equal = study(&reference, Direction::Minimize, 0.0);
        equal.trials.truncate(12);
        let list = importances(&equal);
        assert!(list.iter().all(|(_, value)| value.is_finite()), "{list:?}");
    }
}
