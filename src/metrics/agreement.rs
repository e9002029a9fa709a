//! Agreement of labels and predictions beyond chance.

use super::Confusion;

impl Confusion {
    /// Cohen's kappa (Cohen 1960): agreement beyond what the two margins alone would give, from -1 to 1; 0 is chance.
    /// 0 where it is not defined (no images, or all in one cell of the diagonal).
    #[must_use]
    pub fn kappa(&self) -> f64 {
        let n = self.total() as f64;
        if n == 0.0 {
            return 0.0;
        }
        let observed = self.correct() as f64 / n;
        let chance = (0..self.classes()).map(|c| self.support(c) as f64 * self.predicted(c) as f64).sum::<f64>() / (n * n);
        if chance >= 1.0 { 0.0 } else { (observed - chance) / (1.0 - chance) }
    }
}
