//! The covariance matrix adaptation evolution strategy (CMA-ES): a cloud of points that moves to where the good ones of its last
//! generation were, and takes their shape. It knows nothing of trials; the space is the unit cube.
//!
//! Hansen 2016, "The CMA evolution strategy: a tutorial" (arXiv 1604.00772), with negative weights for the worse half; numbers of
//! equations are its. Settings are the tutorial's, which Optuna's sampler takes too. Where the cloud has shrunk to a point it begins
//! again elsewhere with twice the points (IPOP: Auger and Hansen 2005).

use crate::random::Random;

/// Deviation of the first cloud, in widths of the cube.
const SIGMA: f64 = 1.0 / 6.0;
/// Deviations beyond this are of no use.
const WIDEST: f64 = 1e32;
/// Squared lengths below this are rounding.
const TINY: f64 = 1e-8;
/// A cloud whose longest axis is below this has found its place.
const SPENT: f64 = 1e-3;
/// Draws a dimension, before a point is put onto the side of the cube that it missed.
const PATIENCE: usize = 10;
/// Sweeps of the eigenvalue solver; five or six are enough for any matrix of this size.
const SWEEPS: usize = 30;

/// A symmetric matrix, row by row.
type Matrix = Vec<Vec<f64>>;

/// A cloud at one generation.
#[derive(Clone, Debug)]
pub(super) struct Evolution {
    rates: Rates,
    mean: Vec<f64>,
    sigma: f64,
    covariance: Matrix,
    /// The cloud's axes (unit vectors) and their lengths without `sigma`.
    axes: Vec<(Vec<f64>, f64)>,
    /// Where the mean went, for the size of the cloud and for its shape.
    paths: [Vec<f64>; 2],
    /// Generations that this cloud took in.
    told: i32,
}

/// What follows from the number of dimensions and of points.
#[derive(Clone, Debug)]
struct Rates {
    /// Of the points, best first; those of the worse half are not positive.
    weights: Vec<f64>,
    /// The variance effective selection mass.
    mass: f64,
    one: f64,
    rank: f64,
    sigma: f64,
    damping: f64,
    path: f64,
    /// The expected length of a standard normal vector.
    chi: f64,
}

impl Rates {
    /// Equations 48 to 58.
    fn new(dimensions: usize, points: usize) -> Self {
        let n = dimensions as f64;
        let raw: Vec<f64> = (1..=points).map(|i| f64::midpoint(points as f64, 1.0).ln() - (i as f64).ln()).collect();
        let mass = |part: &[f64]| part.iter().sum::<f64>().powi(2) / part.iter().map(|w| w * w).sum::<f64>();
        let (better, worse) = raw.split_at(points / 2);
        let (mass, mass_of_worse) = (mass(better), mass(worse));
        let one = 2.0 / ((n + 1.3).powi(2) + mass);
        let rank = (2.0 * (mass - 2.0 + 1.0 / mass) / ((n + 2.0).powi(2) + mass)).min(1.0 - one - TINY);
        let most = (1.0 + one / rank).min(1.0 + 2.0 * mass_of_worse / (mass + 2.0)).min((1.0 - one - rank) / (n * rank));
        let sum = |sign: f64| raw.iter().map(|w| (sign * w).max(0.0)).sum::<f64>();
        let (positive, negative) = (sum(1.0), sum(-1.0));
        let weights = raw.iter().map(|w| if *w >= 0.0 { w / positive } else { w * most / negative }).collect();
        let sigma = (mass + 2.0) / (n + mass + 5.0);
        Self {
            weights,
            mass,
            one,
            rank,
            sigma,
            damping: 1.0 + 2.0 * (((mass - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + sigma,
            path: (4.0 + mass / n) / (n + 4.0 + 2.0 * mass / n),
            chi: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        }
    }
}

impl Evolution {
    /// The first cloud: in the middle of the cube of at least one dimension.
    pub fn new(dimensions: usize) -> Self {
        let points = 4 + (3.0 * (dimensions as f64).ln()).floor() as usize;
        Self::at(vec![0.5; dimensions], points)
    }

    fn at(mean: Vec<f64>, points: usize) -> Self {
        let n = mean.len();
        let axes: Vec<(Vec<f64>, f64)> = (0..n).map(|i| ((0..n).map(|j| f64::from(u8::from(i == j))).collect(), 1.0)).collect();
        let covariance = axes.iter().map(|(axis, _)| axis.clone()).collect();
        let paths = [vec![0.0; n], vec![0.0; n]];
        Self { rates: Rates::new(n, points), mean, sigma: SIGMA, covariance, axes, paths, told: 0 }
    }

    /// Points of a generation.
    pub fn points(&self) -> usize {
        self.rates.weights.len()
    }

    /// A point of the cloud, in the cube.
    pub fn draw(&self, random: &mut Random) -> Vec<f64> {
        let mut point = self.anywhere(random);
        for _ in 0..PATIENCE * self.mean.len() {
            if point.iter().all(|x| (0.0..=1.0).contains(x)) {
                break;
            }
            point = self.anywhere(random);
        }
        point.into_iter().map(|x| x.clamp(0.0, 1.0)).collect()
    }

    fn anywhere(&self, random: &mut Random) -> Vec<f64> {
        let mut point = self.mean.clone();
        for (axis, length) in &self.axes {
            let step = self.sigma * length * random.normal();
            add(&mut point, axis, step);
        }
        point
    }

    /// Takes a generation in: as many points as [`points`](Self::points) says, best first.
    pub fn tell(&mut self, best_first: &[&[f64]]) {
        let (n, Rates { weights, mass, one, rank, sigma, damping, path, chi }) = (self.mean.len(), self.rates.clone());
        let away = |x: &&[f64]| x.iter().zip(&self.mean).map(|(x, mean)| (x - mean) / self.sigma).collect();
        let steps: Vec<Vec<f64>> = best_first.iter().map(away).collect();
        // selection and recombination (41, 42)
        let mut step = vec![0.0; n];
        for (y, weight) in steps.iter().zip(&weights[..weights.len() / 2]) {
            add(&mut step, y, *weight);
        }
        add(&mut self.mean, &step, self.sigma);
        // the size (43, 44)
        self.told += 1;
        let straight = self.straightened(&step);
        let [for_size, for_shape] = &mut self.paths;
        scale(for_size, 1.0 - sigma);
        add(for_size, &straight, (sigma * (2.0 - sigma) * mass).sqrt());
        let length = square(for_size).sqrt();
        let is_calm = length / (1.0 - (1.0 - sigma).powi(2 * (self.told + 1))).sqrt() < (1.4 + 2.0 / (n as f64 + 1.0)) * chi;
        // the shape (45 to 47)
        scale(for_shape, 1.0 - path);
        if is_calm {
            add(for_shape, &step, (path * (2.0 - path) * mass).sqrt());
        }
        let lost = if is_calm { 0.0 } else { path * (2.0 - path) };
        let keep = 1.0 + one * lost - one - rank * weights.iter().sum::<f64>();
        for row in &mut self.covariance {
            scale(row, keep);
        }
        outer(&mut self.covariance, &self.paths[1], one);
        for (step, &weight) in steps.iter().zip(&weights) {
            let share = if weight >= 0.0 { 1.0 } else { n as f64 / (square(&self.straightened(step)) + TINY) };
            outer(&mut self.covariance, step, rank * weight * share);
        }
        self.sigma = (self.sigma * (sigma / damping * (length / chi - 1.0)).exp()).min(WIDEST);
        self.axes = axes(&self.covariance);
        self.covariance = vec![vec![0.0; n]; n];
        for (axis, length) in &self.axes {
            outer(&mut self.covariance, axis, length * length);
        }
    }

    /// A step as it would be if the cloud were a ball: C^(-1/2) y.
    fn straightened(&self, step: &[f64]) -> Vec<f64> {
        let mut straight = vec![0.0; step.len()];
        for (axis, length) in &self.axes {
            let along: f64 = axis.iter().zip(step).map(|(a, s)| a * s).sum();
            add(&mut straight, axis, along / length);
        }
        straight
    }

    /// Whether the cloud has shrunk to a point.
    pub fn is_spent(&self) -> bool {
        self.axes.iter().all(|(_, length)| self.sigma * length < SPENT)
    }

    /// A new cloud of twice the points, somewhere else.
    pub fn restarted(&self, random: &mut Random) -> Self {
        let mean = self.mean.iter().map(|_| random.uniform()).collect();
        Self::at(mean, 2 * self.points())
    }
}

fn scale(vector: &mut [f64], factor: f64) {
    for x in vector {
        *x *= factor;
    }
}

fn add(sum: &mut [f64], vector: &[f64], factor: f64) {
    for (sum, x) in sum.iter_mut().zip(vector) {
        *sum += factor * x;
    }
}

fn square(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum()
}

/// Adds `factor` times the product of a vector with itself.
fn outer(matrix: &mut [Vec<f64>], vector: &[f64], factor: f64) {
    for (row, x) in matrix.iter_mut().zip(vector) {
        add(row, vector, factor * x);
    }
}

/// Eigenvectors of a symmetric matrix with the roots of their eigenvalues, by Jacobi's rotations (Golub & Van Loan, section 8.5).
fn axes(matrix: &[Vec<f64>]) -> Vec<(Vec<f64>, f64)> {
    let n = matrix.len();
    let mut a = matrix.to_vec();
    let mut vectors: Matrix = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..SWEEPS {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i][j] * a[i][j]).sum();
        let whole: f64 = (0..n).map(|i| a[i][i] * a[i][i]).sum();
        if off <= 1e-30 * whole {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    let length = |value: f64| if value > 0.0 { value } else { TINY }.sqrt();
    vectors.into_iter().enumerate().map(|(i, vector)| (vector, length(a[i][i]))).collect()
}

/// Turns axes `p` and a later `q` so that the element between them vanishes.
fn rotate(a: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let tau = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = tau.signum() / (tau.abs() + tau.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = t * c;
    for row in a.iter_mut() {
        (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
    }
    for matrix in [a, vectors] {
        let (above, below) = matrix.split_at_mut(q);
        for (x, y) in above[p].iter_mut().zip(&mut below[0]) {
            (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
        }
    }
}

#[cfg(test)]
mod tests;
