//! Labels that are probably wrong: confident learning (Northcutt et al. 2021, arXiv 1911.00068).
//!
//! An image counts for class j if its probability of j is at least the mean one of the images labelled j (of several such
//! classes the most probable). Where that class is not the label, and the network does not call the image by its label, the
//! label is suspect. The probabilities must come from a network that did not learn from these images.

use super::Predictions;

/// A label that is probably wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelError {
    /// The image's place in the list.
    pub image: usize,
    /// The class that it probably is.
    pub probably: u32,
    /// The probability of its label, 0 to 1; the lower, the more suspect.
    pub self_confidence: f32,
}

/// The confident joint and what follows from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelErrors {
    /// The suspect labels, the most suspect first.
    pub suspects: Vec<LabelError>,
    /// Row by row, label by confident class: how many images.
    pub joint: Vec<u64>,
    /// For each class, the mean probability of it among the images labelled so: the threshold. `None` without such images.
    pub thresholds: Vec<Option<f64>>,
}

impl Predictions {
    /// Finds labels that are probably wrong.
    #[must_use]
    pub fn label_errors(&self) -> LabelErrors {
        let k = self.classes();
        let mut sums = vec![(0.0, 0_u64); k];
        for i in 0..self.len() {
            let (sum, n) = &mut sums[self.truth()[i] as usize];
            *sum += f64::from(self.self_confidence(i));
            *n += 1;
        }
        let thresholds: Vec<Option<f64>> = sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / n as f64)).collect();
        let mut result = LabelErrors { suspects: Vec::new(), joint: vec![0; k * k], thresholds };
        for i in 0..self.len() {
            let Some(confident) = confident_class(self.row(i), &result.thresholds) else { continue };
            let label = self.truth()[i] as usize;
            result.joint[label * k + confident] += 1;
            if confident != label && !self.is_right(i) {
                let self_confidence = self.self_confidence(i);
                result.suspects.push(LabelError { image: i, probably: confident as u32, self_confidence });
            }
        }
        result.suspects.sort_by(|a, b| a.self_confidence.total_cmp(&b.self_confidence));
        result
    }
}

/// The most probable of the classes that reach their threshold, if any does.
fn confident_class(row: &[f32], thresholds: &[Option<f64>]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (class, (&p, threshold)) in row.iter().zip(thresholds).enumerate() {
        // as much slack as the method's own implementation has, for sums that are rounded
        let reaches = threshold.is_some_and(|threshold| f64::from(p) >= threshold - 1e-6);
        if reaches && best.is_none_or(|best| p > row[best]) {
            best = Some(class);
        }
    }
    best
}
