//! How sure an F1 is: intervals by drawing the images again and again (Efron 1979).

use super::{Confusion, Interval};

/// 95 % intervals of each class's F1 and of their plain mean.
#[derive(Clone, Debug, PartialEq)]
pub struct F1Intervals {
    /// One entry a class, in label order.
    pub classes: Vec<Interval>,
    /// Of the macro-F1.
    pub macro_f1: Interval,
}

impl Confusion {
    /// 95 % percentile intervals of F1: `rounds` (at least 1) times, as many images as there are are drawn with replacement,
    /// and F1 is taken anew. `below(n)` draws a number in 0..n. Without images nothing is known: [0, 1].
    ///
    /// # Panics
    /// If `rounds` is 0.
    #[must_use]
    pub fn f1_intervals(&self, rounds: usize, mut below: impl FnMut(usize) -> usize) -> F1Intervals {
        assert!(rounds > 0, "an interval needs at least one round");
        let k = self.classes();
        let unknown = Interval { low: 0.0, high: 1.0 };
        // which cell each image lies in: to draw an image is to draw one of these
        let cells: Vec<u32> =
            self.counts().iter().enumerate().flat_map(|(cell, &n)| std::iter::repeat_n(cell as u32, n as usize)).collect();
        if cells.is_empty() {
            return F1Intervals { classes: vec![unknown; k], macro_f1: unknown };
        }
        let mut samples = vec![Vec::with_capacity(rounds); k + 1];
        let mut counts = vec![0_u64; k * k];
        for _ in 0..rounds {
            counts.fill(0);
            for _ in 0..cells.len() {
                counts[cells[below(cells.len())] as usize] += 1;
            }
            let f1: Vec<f64> = (0..k).map(|class| f1(&counts, k, class)).collect();
            samples[k].push(f1.iter().sum::<f64>() / k as f64);
            for (samples, f1) in samples.iter_mut().zip(f1) {
                samples.push(f1);
            }
        }
        let mut intervals: Vec<Interval> = samples.into_iter().map(middle).collect();
        let macro_f1 = intervals.pop().unwrap_or(unknown);
        F1Intervals { classes: intervals, macro_f1 }
    }
}

fn f1(counts: &[u64], k: usize, class: usize) -> f64 {
    let hits = counts[class * k + class];
    let support: u64 = counts[class * k..(class + 1) * k].iter().sum();
    let predicted: u64 = (0..k).map(|truth| counts[truth * k + class]).sum();
    if support + predicted == 0 { 0.0 } else { 2.0 * hits as f64 / (support + predicted) as f64 }
}

/// The middle 95 %.
fn middle(mut samples: Vec<f64>) -> Interval {
    samples.sort_by(f64::total_cmp);
    Interval { low: quantile(&samples, 0.025), high: quantile(&samples, 0.975) }
}

/// The quantile of ascending numbers, between neighbours by straight line (`NumPy`'s default).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let left = at.floor() as usize;
    let right = (left + 1).min(sorted.len() - 1);
    sorted[left] + (sorted[right] - sorted[left]) * (at - left as f64)
}
