//! How alike two maps are: rank correlation and structural similarity.

/// The side of the window of [`ssim`], pixels.
const WINDOW: usize = 7;

/// Spearman's rank correlation (-1 to 1); equal numbers share their mean rank. 0 if one of the two is constant: it says nothing of the
/// other.
///
/// # Panics
/// If the two are not of the same length.
#[must_use]
pub fn spearman(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "maps of the same grid");
    let (a, b) = (ranks(a), ranks(b));
    let middle = f64::midpoint(a.len() as f64, 1.0);
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - middle) * (y - middle)).sum::<f64>();
    let length = (dot(&a, &a) * dot(&b, &b)).sqrt();
    if length > 0.0 { dot(&a, &b) / length } else { 0.0 }
}

/// Ranks from 1; equal numbers get the mean of theirs.
fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for same in order.chunk_by(|&i, &j| values[i].partial_cmp(&values[j]).is_some_and(std::cmp::Ordering::is_eq)) {
        let rank = start as f64 + f64::midpoint(same.len() as f64, 1.0);
        for &i in same {
            ranks[i] = rank;
        }
        start += same.len();
    }
    ranks
}

/// Structural similarity (Wang et al. 2004) of two maps of `width` columns, each scaled to 0..1 first: the mean over all windows of
/// 7 x 7 pixels that lie inside, with the sample covariance. From -1 to 1. A constant map counts as 0 everywhere; maps smaller than a
/// window have one window, the whole map.
///
/// # Panics
/// If the two are not of the same length, or empty.
#[must_use]
pub fn ssim(a: &[f32], b: &[f32], width: usize) -> f64 {
    assert_eq!(a.len(), b.len(), "maps of the same grid");
    let height = a.len() / width;
    let (a, b) = (unit(a), unit(b));
    let (across, down) = (WINDOW.min(width), WINDOW.min(height));
    let mut sum = 0.0;
    for top in 0..=height - down {
        for left in 0..=width - across {
            let rows = (top..top + down).map(|y| y * width + left..y * width + left + across);
            sum += window(rows.flat_map(|row| a[row.clone()].iter().zip(&b[row])));
        }
    }
    sum / ((height - down + 1) * (width - across + 1)) as f64
}

/// The similarity inside one window.
fn window<'a>(pairs: impl Iterator<Item = (&'a f64, &'a f64)>) -> f64 {
    const C1: f64 = 0.01 * 0.01;
    const C2: f64 = 0.03 * 0.03;
    let (mut n, mut sums, mut squares, mut product) = (0.0, [0.0; 2], [0.0; 2], 0.0);
    for (&x, &y) in pairs {
        n += 1.0;
        sums = [sums[0] + x, sums[1] + y];
        squares = [squares[0] + x * x, squares[1] + y * y];
        product += x * y;
    }
    let [mx, my] = sums.map(|sum| sum / n);
    let sample = if n > 1.0 { n / (n - 1.0) } else { 1.0 };
    let (vx, vy, cov) = (sample * (squares[0] / n - mx * mx), sample * (squares[1] / n - my * my), sample * (product / n - mx * my));
    (2.0 * mx * my + C1) * (2.0 * cov + C2) / ((mx * mx + my * my + C1) * (vx + vy + C2))
}

/// The numbers scaled to 0..1.
fn unit(values: &[f32]) -> Vec<f64> {
    let (low, high) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    let span = if high > low { f64::from(high) - f64::from(low) } else { 1.0 };
    values.iter().map(|&v| (f64::from(v) - f64::from(low)) / span).collect()
}
