//! Many numbers a picture to two: principal components and t-SNE, and which pictures are near each other. Knows no network.

use candle_core::{Device, Tensor};
use rayon::prelude::*;

/// Directions that t-SNE is given.
const TSNE_INPUTS: usize = 50;
/// Neighbours that t-SNE looks at, roughly (van der Maaten & Hinton 2008).
const PERPLEXITY: f32 = 30.0;
/// Steps of t-SNE.
pub const TSNE_STEPS: usize = 1000;
/// Of the Barnes-Hut approximation (van der Maaten 2014).
const THETA: f32 = 0.5;
/// Rounds of the subspace iteration at most, and when it has converged.
const ROUNDS: usize = 200;
const CONVERGED: f64 = 1e-8;

/// Why there is no map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMap {
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
    /// t-SNE came to no end.
    #[error("t-SNE failed on these features; PCA always works")]
    Failed,
}

/// Rows of numbers, at least one of each.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    values: &'a [f32],
    width: usize,
}

/// Principal components.
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    /// For each row its coordinates, `count` numbers one after the other.
    pub coordinates: Vec<f32>,
    /// How many coordinates a row has.
    pub count: usize,
    /// For each direction, its share of the whole variance, largest first.
    pub shares: Vec<f64>,
}

impl Pca {
    /// The first two coordinates of each row; 0 where there are fewer.
    #[must_use]
    pub fn rows(&self) -> Vec<[f64; 2]> {
        let at = |row: &[f32], i: usize| row.get(i).copied().map_or(0.0, f64::from);
        self.coordinates.chunks_exact(self.count).map(|row| [at(row, 0), at(row, 1)]).collect()
    }
}

impl<'a> Points<'a> {
    /// Rows of `width` numbers; `None` if there are none or the last is not whole.
    #[must_use]
    pub fn new(values: &'a [f32], width: usize) -> Option<Self> {
        (width > 0 && !values.is_empty() && values.len().is_multiple_of(width)).then_some(Self { values, width })
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Never true.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn row(&self, at: usize) -> &'a [f32] {
        &self.values[at * self.width..(at + 1) * self.width]
    }

    fn means(&self) -> Vec<f32> {
        let mut sums = vec![0.0_f64; self.width];
        for row in self.values.chunks_exact(self.width) {
            sums.iter_mut().zip(row).for_each(|(sum, &v)| *sum += f64::from(v));
        }
        sums.into_iter().map(|sum| (sum / self.len() as f64) as f32).collect()
    }

    /// The `count` directions of most variance (fewer if there are fewer numbers in a row) and the rows along them. Each
    /// direction is turned so that its largest weight is positive, as scikit-learn does (`svd_flip`).
    ///
    /// The covariance's leading eigenvectors come from subspace iteration with Gram-Schmidt (Golub & Van Loan, section 8.2).
    #[must_use]
    pub fn pca(&self, count: usize) -> Pca {
        let count = count.clamp(1, self.width);
        let means = self.means();
        let centred: Vec<f32> = self.values.iter().enumerate().map(|(i, v)| v - means[i % self.width]).collect();
        let covariance = covariance(&centred, self.width);
        let total: f64 = (0..self.width).map(|i| covariance[i * self.width + i]).sum();
        // a few more directions than are asked for, which makes it converge sooner
        let (mut directions, variances) = leading(&covariance, self.width, (count + 8).min(self.width));
        directions.truncate(count);
        for direction in &mut directions {
            let largest = direction.iter().copied().fold(0.0_f64, |most, v| if v.abs() > most.abs() { v } else { most });
            if largest < 0.0 {
                for v in direction.iter_mut() {
                    *v = -*v;
                }
            }
        }
        let along = |row: &[f32], direction: &[f64]| row.iter().zip(direction).map(|(&v, d)| f64::from(v) * d).sum::<f64>() as f32;
        let coordinates = centred.chunks_exact(self.width).flat_map(|row| directions.iter().map(move |d| along(row, d))).collect();
        let shares = variances[..count].iter().map(|v| if total > 0.0 { v / total } else { 0.0 }).collect();
        Pca { coordinates, count, shares }
    }
}

/// The covariance of centred rows, times the number of rows.
fn covariance(centred: &[f32], width: usize) -> Vec<f64> {
    let rows = centred.len() / width;
    // through a tensor: the product runs on all processors
    let product = || -> candle_core::Result<Vec<f32>> {
        let rows = Tensor::from_slice(centred, (rows, width), &Device::Cpu)?;
        rows.t()?.contiguous()?.matmul(&rows)?.flatten_all()?.to_vec1()
    };
    match product() {
        Ok(values) => values.into_iter().map(f64::from).collect(),
        Err(error) => unreachable!("two matrices that fit cannot be multiplied: {error}"),
    }
}

/// The `count` leading eigenvectors of a symmetric matrix without negative eigenvalues, and the eigenvalues, largest first.
fn leading(matrix: &[f64], width: usize, count: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
    let times = |v: &[f64]| -> Vec<f64> { matrix.chunks_exact(width).map(|row| dot(row, v)).collect() };
    // any start that is not orthogonal to what is looked for will do; this one is the same every time
    let mut vectors: Vec<Vec<f64>> =
        (0..count).map(|k| (0..width).map(|i| ((i * (k + 1) * 7919 + k * 104_729) % 1009) as f64 / 1009.0 - 0.5).collect()).collect();
    orthonormalise(&mut vectors);
    let mut values = vec![0.0; count];
    for _ in 0..ROUNDS {
        let mut next: Vec<Vec<f64>> = vectors.par_iter().map(|v| times(v)).collect();
        let new: Vec<f64> = next.iter().zip(&vectors).map(|(n, v)| dot(n, v)).collect();
        orthonormalise(&mut next);
        let moved = new.iter().zip(&values).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let largest = new.iter().copied().fold(0.0, f64::max);
        (vectors, values) = (next, new);
        if moved <= CONVERGED * largest {
            break;
        }
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    (order.iter().map(|&i| vectors[i].clone()).collect(), order.iter().map(|&i| values[i].max(0.0)).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // several sums beside each other, which the compiler makes vectors of
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Gram-Schmidt, twice for accuracy; a vector that is nothing but the ones before becomes 0.
fn orthonormalise(vectors: &mut [Vec<f64>]) {
    for at in 0..vectors.len() {
        let (done, rest) = vectors.split_at_mut(at);
        let vector = &mut rest[0];
        let before = dot(vector, vector).sqrt();
        for _ in 0..2 {
            for other in done.iter() {
                let along = dot(vector, other);
                vector.iter_mut().zip(other).for_each(|(v, o)| *v -= along * o);
            }
        }
        let length = dot(vector, vector).sqrt();
        let scale = if length > 1e-12 * before.max(f64::MIN_POSITIVE) { 1.0 / length } else { 0.0 };
        for v in vector.iter_mut() {
            *v *= scale;
        }
    }
}

/// Barnes-Hut t-SNE of the first fifty principal components, started from the first two, so that the same rows always give
/// the same map. `step` is told how many of [`TSNE_STEPS`] are done.
///
/// # Errors
/// If `stopped` said so, or the library failed.
pub fn tsne(points: &Points, step: &dyn Fn(usize), stopped: &dyn Fn() -> bool) -> Result<Vec<[f64; 2]>, NoMap> {
    let pca = points.pca(TSNE_INPUTS);
    let places = pca.rows();
    let perplexity = PERPLEXITY.min((points.len().saturating_sub(2) / 3) as f32);
    if perplexity < 2.0 {
        return Ok(places); // so few that there are no neighbours to speak of
    }
    // as scikit-learn starts: the first direction with a standard deviation of 1e-4
    let variance = places.iter().map(|[x, _]| x * x).sum::<f64>() / places.len() as f64;
    let scale = if variance > 0.0 { 1e-4 / variance.sqrt() } else { 0.0 };
    let start: Vec<f32> = places.iter().flatten().map(|v| (v * scale) as f32).collect();
    let rows: Vec<&[f32]> = pca.coordinates.chunks_exact(pca.count).collect();
    let distance = |a: &&[f32], b: &&[f32]| a.iter().zip(*b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut fit: bhtsne::tSNE<f32, &[f32]> = bhtsne::tSNE::new(&rows);
        fit.perplexity(perplexity).epochs(TSNE_STEPS).initial_embedding(start).epoch_callback(|epoch, _| {
            step(epoch);
            // the library has no other way out of a fit
            if stopped() {
                std::panic::resume_unwind(Box::new(NoMap::Stopped));
            }
        });
        fit.barnes_hut(THETA, distance).embedding()
    }));
    let flat = ended.map_err(|payload| payload.downcast::<NoMap>().map_or(NoMap::Failed, |stopped| *stopped))?;
    Ok(flat.chunks_exact(2).map(|p| [f64::from(p[0]), f64::from(p[1])]).collect())
}

/// The rows most alike to row `at` by the cosine of the angle between them, itself first, at most `most`.
#[must_use]
pub fn nearest(points: &Points, at: usize, most: usize) -> Vec<usize> {
    let length = |row: &[f32]| row.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    let own = points.row(at);
    let scale = length(own);
    let cosine = |row: &[f32]| row.iter().zip(own).map(|(a, b)| a * b).sum::<f32>() / (length(row) * scale);
    let mut keyed: Vec<(f32, usize)> =
        (0..points.len()).map(|i| (if i == at { f32::INFINITY } else { cosine(points.row(i)) }, i)).collect();
    keyed.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    keyed.truncate(most);
    keyed.into_iter().map(|(_, i)| i).collect()
}
