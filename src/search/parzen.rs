//! A mixture of kernels over several parameters: what good (or other) trials look like.
//!
//! One kernel a trial and one for the prior; a kernel is a product of truncated normal distributions (in the logarithm where the scale
//! is, integrated over the step where there is one) and of weights over choices. Bandwidths, weights and prior are those of Optuna's
//! multivariate estimator (Bergstra et al. 2011; Falkner et al. 2018; Watanabe 2023, arXiv 2304.11127).

use super::Distribution;
use super::distribution::Axis;
use crate::random::Random;

/// Trials older than the newest this many count less and less.
const FULL_WEIGHT: usize = 25;

/// The distribution of one parameter in each kernel.
enum Marginal {
    Number {
        axis: Axis,
        kernels: Vec<Normal>,
    },
    /// Probability of each choice, one row a kernel.
    Choice(Vec<Vec<f64>>),
}

/// A normal distribution cut off at the ends of its axis.
pub(super) struct Normal {
    mean: f64,
    deviation: f64,
    /// Logarithm of the mass between the ends.
    log_mass: f64,
}

/// The mixture.
pub(super) struct Parzen {
    weights: Vec<f64>,
    marginals: Vec<Marginal>,
}

impl Parzen {
    /// From observations (one row a trial, oldest first, internal numbers in the order of the distributions).
    pub fn new(distributions: &[&Distribution], observations: &[Vec<f64>]) -> Self {
        let mut weights = weights(observations.len());
        weights.push(1.0);
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        let marginal = |(i, distribution): (usize, &&Distribution)| {
            let values: Vec<f64> = observations.iter().map(|row| row[i]).collect();
            match (distribution.axis(), distribution) {
                (Some(axis), _) => Marginal::Number { axis, kernels: normals(&axis, &values) },
                (None, Distribution::Categorical { choices }) => Marginal::Choice(rows(choices.len(), &values)),
                (None, _) => Marginal::Choice(rows(1, &values)),
            }
        };
        Self { weights, marginals: distributions.iter().enumerate().map(marginal).collect() }
    }

    /// A draw, in internal numbers.
    pub fn sample(&self, random: &mut Random) -> Vec<f64> {
        let kernel = pick(&self.weights, random);
        let value = |marginal: &Marginal| match marginal {
            Marginal::Choice(rows) => pick(&rows[kernel], random) as f64,
            Marginal::Number { axis, kernels } => axis.back(kernels[kernel].sample(axis, random)),
        };
        self.marginals.iter().map(value).collect()
    }

    /// Logarithm of the density (probability, for steps and choices) of a point.
    pub fn log_density(&self, point: &[f64]) -> f64 {
        let kernel = |k: usize| {
            let one = |(marginal, &x): (&Marginal, &f64)| match marginal {
                Marginal::Choice(rows) => rows[k].get(x as usize).map_or(f64::NEG_INFINITY, |p| p.ln()),
                Marginal::Number { axis, kernels } => kernels[k].log_density(axis, x),
            };
            self.weights[k].ln() + self.marginals.iter().zip(point).map(one).sum::<f64>()
        };
        let logs: Vec<f64> = (0..self.weights.len()).map(kernel).collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY { largest } else { largest + logs.iter().map(|l| (l - largest).exp()).sum::<f64>().ln() }
    }
}

/// Full weight for the newest trials, less and less for older ones.
fn weights(n: usize) -> Vec<f64> {
    let ramp = n.saturating_sub(FULL_WEIGHT);
    let least = 1.0 / n.max(1) as f64;
    (0..n).map(|i| if i >= ramp { 1.0 } else { least + (1.0 - least) * i as f64 / (ramp - 1).max(1) as f64 }).collect()
}

/// One normal an observation, as wide as the farther of its two neighbours is away, and the prior over the whole axis.
fn normals(axis: &Axis, values: &[f64]) -> Vec<Normal> {
    let (low, high) = axis.ends();
    let means: Vec<f64> = values.iter().map(|&x| axis.forth(x)).collect();
    let n = means.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| means[a].total_cmp(&means[b]));
    let sorted: Vec<f64> = order.iter().map(|&i| means[i]).collect();
    let narrowest = (high - low) / (n as f64 + 2.0).min(100.0);
    let mut kernels: Vec<(f64, f64)> = means.iter().map(|&mean| (mean, 0.0)).collect();
    for (rank, &i) in order.iter().enumerate() {
        let below = if rank > 0 { Some(sorted[rank] - sorted[rank - 1]) } else { None };
        let above = if rank + 1 < n { Some(sorted[rank + 1] - sorted[rank]) } else { None };
        let width = match (below, above) {
            (Some(below), Some(above)) => below.max(above),
            // the outermost do not reach for the ends of the axis
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => (sorted[rank] - low).max(high - sorted[rank]),
        };
        kernels[i].1 = width.clamp(narrowest, high - low);
    }
    kernels.push((f64::midpoint(low, high), high - low));
    kernels.into_iter().map(|(mean, deviation)| Normal::new(mean, deviation, low, high)).collect()
}

/// Probabilities of the choices: an observation's own counts one, all share one prior trial.
pub(super) fn rows(choices: usize, values: &[f64]) -> Vec<Vec<f64>> {
    if values.is_empty() {
        return vec![vec![1.0 / choices as f64; choices]];
    }
    let prior = 1.0 / (values.len() + 1) as f64;
    let row = |own: Option<&f64>| {
        let mut row = vec![prior; choices];
        if let Some(&own) = own {
            row[(own as usize).min(choices - 1)] += 1.0;
        }
        let total: f64 = row.iter().sum();
        row.into_iter().map(|p| p / total).collect()
    };
    values.iter().map(Some).chain([None]).map(row).collect()
}

/// An index, drawn by weights that sum to one.
fn pick(weights: &[f64], random: &mut Random) -> usize {
    let mut left = random.uniform();
    for (i, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return i;
        }
    }
    weights.len() - 1
}

impl Normal {
    pub fn new(mean: f64, deviation: f64, low: f64, high: f64) -> Self {
        let mut normal = Self { mean, deviation, log_mass: 0.0 };
        normal.log_mass = normal.mass(low, high).ln();
        normal
    }

    /// By rejection: means lie on the axis and deviations are at most its length, so at least every third draw is good.
    fn sample(&self, axis: &Axis, random: &mut Random) -> f64 {
        let (low, high) = axis.ends();
        loop {
            let x = self.mean + self.deviation * random.normal();
            if (low..=high).contains(&x) {
                return x;
            }
        }
    }

    fn log_density(&self, axis: &Axis, x: f64) -> f64 {
        if let Some((left, right)) = axis.cell(x) {
            return self.mass(left, right).ln() - self.log_mass;
        }
        let z = (axis.forth(x) - self.mean) / self.deviation;
        -0.5 * (z * z + std::f64::consts::TAU.ln()) - self.deviation.ln() - self.log_mass
    }

    /// The share of its mass that lies between two places.
    pub fn share(&self, left: f64, right: f64) -> f64 {
        (self.mass(left, right).ln() - self.log_mass).exp()
    }

    /// The mass between two places, computed in the tail that keeps its digits.
    fn mass(&self, left: f64, right: f64) -> f64 {
        let (a, b) = ((left - self.mean) / self.deviation, (right - self.mean) / self.deviation);
        let below = |z: f64| 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
        if a > 0.0 { below(-a) - below(-b) } else { below(b) - below(a) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn densities_sum_to_one_and_draws_follow_them() {
        let depth = Distribution::Int { low: 1, high: 5, log: false, step: 1 };
        let kind = Distribution::Categorical { choices: vec!["a".into(), "b".into()] };
        let observed = [vec![2.0, 0.0], vec![2.0, 1.0], vec![5.0, 1.0]];
        let parzen = Parzen::new(&[&depth, &kind], &observed);
        let points: Vec<Vec<f64>> = (1..=5).flat_map(|d| (0..2).map(move |k| vec![f64::from(d), f64::from(k)])).collect();
        let probabilities: Vec<f64> = points.iter().map(|p| parzen.log_density(p).exp()).collect();
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{probabilities:?}");
        let mut random = Random::new(5, Purpose::Test, &[]);
        let n = 20_000;
        let mut counts = vec![0; points.len()];
        for _ in 0..n {
            let draw = parzen.sample(&mut random);
            counts[points.iter().position(|p| *p == draw).expect("a point of the grid")] += 1;
        }
        for (count, p) in counts.iter().zip(&probabilities) {
            let share = f64::from(*count) / f64::from(n);
            assert!((share - p).abs() < 0.015, "{share} instead of {p}");
        }
    }

    #[test]
    fn a_continuous_density_integrates_to_one_on_a_logarithmic_axis() {
        let lr = Distribution::Float { low: 1e-4, high: 1e-1, log: true, step: None };
        let parzen = Parzen::new(&[&lr], &[vec![1e-4], vec![3e-3], vec![3.1e-3]]);
        let (low, high, n) = (1e-4_f64.ln(), 1e-1_f64.ln(), 20_000);
        let width = (high - low) / f64::from(n);
        let sum: f64 = (0..n).map(|i| parzen.log_density(&[(low + (f64::from(i) + 0.5) * width).exp()]).exp() * width).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }

    #[test]
    fn old_trials_weigh_less() {
        // numpy: concatenate([linspace(1/30, 1, 5), ones(25)])
        let w = weights(30);
        assert!((w[0] - 1.0 / 30.0).abs() < 1e-12 && (w[2] - 0.516_666_666_666_666_7).abs() < 1e-12, "{w:?}");
        assert!(w[4..].iter().chain(&weights(24)).all(|w| (w - 1.0).abs() < 1e-12), "{w:?}");
        assert!((weights(26)[0] - 1.0 / 26.0).abs() < 1e-12);
    }
}
