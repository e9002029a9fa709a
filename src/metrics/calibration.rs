//! Whether probabilities mean what they say: reliability, calibration error, and the one temperature that mends most of it
//! (Guo et al. 2017, arXiv 1706.04599).

use super::Predictions;

/// The smallest probability that is told from nought, that of a 16-bit float (2^-24); files keep no smaller one.
const LEAST: f64 = 5.960_464_477_539_063e-8;
/// The range in which a temperature is looked for.
const TEMPERATURES: (f64, f64) = (0.05, 20.0);

/// The images whose confidence lies in one of equal intervals of 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReliabilityBin {
    /// Lower end, not in the bin (except that 0 is in the first).
    pub low: f64,
    /// Upper end, in the bin.
    pub high: f64,
    /// Images.
    pub images: u64,
    /// Their mean confidence; 0 without images.
    pub confidence: f64,
    /// Share of them that is right; 0 without images.
    pub accuracy: f64,
    /// How many are right.
    pub right: u64,
}

/// How well confidence and accuracy agree.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reliability {
    /// From low to high confidence.
    pub bins: Vec<ReliabilityBin>,
    /// Expected calibration error: the mean of |accuracy - confidence| over the images' bins, 0 to 1.
    pub expected_error: f64,
    /// The largest |accuracy - confidence| of a bin that has images.
    pub largest_error: f64,
    /// Mean negative logarithm of the label's probability (natural).
    pub negative_log_likelihood: f64,
    /// Brier score: mean squared distance of the row from the truth, 0 to 2.
    pub brier: f64,
}

impl Predictions {
    /// Reliability in `bins` (at least 1) equal intervals of the confidence.
    #[must_use]
    pub fn reliability(&self, bins: usize) -> Reliability {
        let bins = bins.max(1);
        let mut found: Vec<ReliabilityBin> = (0..bins)
            .map(|i| ReliabilityBin { low: i as f64 / bins as f64, high: (i + 1) as f64 / bins as f64, ..Default::default() })
            .collect();
        for i in 0..self.len() {
            let confidence = f64::from(self.confidence(i));
            let at = ((confidence * bins as f64).ceil() as usize).clamp(1, bins) - 1;
            found[at].images += 1;
            found[at].confidence += confidence;
            found[at].right += u64::from(self.is_right(i));
        }
        let n = self.len().max(1) as f64;
        let mut result = Reliability::default();
        for bin in found.iter_mut().filter(|bin| bin.images > 0) {
            let images = bin.images as f64;
            bin.confidence /= images;
            bin.accuracy = bin.right as f64 / images;
            let error = (bin.accuracy - bin.confidence).abs();
            result.expected_error += error * images / n;
            result.largest_error = result.largest_error.max(error);
        }
        result.bins = found;
        result.negative_log_likelihood = self.negative_log_likelihood();
        result.brier = self.brier();
        result
    }

    /// Mean negative logarithm of the label's probability (at least 2^-24); 0 without images.
    #[must_use]
    pub fn negative_log_likelihood(&self) -> f64 {
        let loss = |i| -f64::from(self.self_confidence(i)).max(LEAST).ln();
        (0..self.len()).map(loss).sum::<f64>() / self.len().max(1) as f64
    }

    fn brier(&self) -> f64 {
        let distance = |i: usize| -> f64 {
            let truth = self.truth()[i] as usize;
            self.row(i).iter().enumerate().map(|(c, &p)| (f64::from(p) - f64::from(u8::from(c == truth))).powi(2)).sum()
        };
        (0..self.len()).map(distance).sum::<f64>() / self.len().max(1) as f64
    }

    /// The temperature T that makes the mean negative logarithm of the label's probability least when logits are divided by
    /// it, between 0.05 and 20: above 1 the network was too sure of itself. 1 without images.
    ///
    /// Logits are taken as logarithms of the probabilities (at least 2^-24), from which they differ by a constant a row.
    #[must_use]
    pub fn fit_temperature(&self) -> f64 {
        if self.is_empty() {
            return 1.0;
        }
        let logits: Vec<f64> = self.probabilities().iter().map(|&p| f64::from(p).max(LEAST).ln()).collect();
        // in 1/T the loss is convex, so its slope changes sign once
        let (mut low, mut high) = (1.0 / TEMPERATURES.1, 1.0 / TEMPERATURES.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.slope(&logits, middle) > 0.0 {
                high = middle;
            } else {
                low = middle;
            }
        }
        1.0 / f64::midpoint(low, high)
    }

    /// d(negative log likelihood)/d(inverse temperature), times the number of images.
    fn slope(&self, logits: &[f64], inverse: f64) -> f64 {
        let mut slope = 0.0;
        for (row, &truth) in logits.chunks(self.classes()).zip(self.truth()) {
            let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (mut sum, mut mean) = (0.0, 0.0);
            for &z in row {
                let weight = (inverse * (z - top)).exp();
                sum += weight;
                mean += weight * z;
            }
            slope += mean / sum - row[truth as usize];
        }
        slope
    }

    /// The same images with logits divided by `temperature` (above 0). The order of the classes does not change.
    #[must_use]
    pub fn with_temperature(&self, temperature: f64) -> Self {
        let mut probabilities = self.probabilities().to_vec();
        for row in probabilities.chunks_mut(self.classes().max(1)) {
            apply_temperature(row, temperature);
        }
        self.with_probabilities(probabilities)
    }
}

/// Divides the logits of one row of probabilities by `temperature` (above 0) and makes it a row of probabilities again.
pub fn apply_temperature(row: &mut [f32], temperature: f64) {
    let powers: Vec<f64> = row.iter().map(|&p| f64::from(p).max(LEAST).ln() / temperature).collect();
    let top = powers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = powers.iter().map(|z| (z - top).exp()).sum();
    for (p, z) in row.iter_mut().zip(powers) {
        *p = ((z - top).exp() / sum) as f32;
    }
}
