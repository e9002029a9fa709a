//! An order of the classes in which those that are confused with each other stand together.

use super::Confusion;

impl Confusion {
    /// How unlike two classes are: 1 minus the mean share of each that is called the other, 0 to 1.
    #[must_use]
    pub fn dissimilarity(&self, a: usize, b: usize) -> f64 {
        if a == b { 0.0 } else { 1.0 - f64::midpoint(self.share_of_row(a, b), self.share_of_row(b, a)) }
    }

    /// The classes by average-linkage clustering (Sokal & Michener 1958) of [`dissimilarity`](Self::dissimilarity): at each
    /// merge the two clusters are turned so that their most similar ends meet. A permutation of the classes.
    #[must_use]
    pub fn clustered_order(&self) -> Vec<usize> {
        let mut clusters: Vec<Vec<usize>> = (0..self.classes()).map(|class| vec![class]).collect();
        while clusters.len() > 1 {
            let (mut nearest, mut least) = ((0, 1), f64::INFINITY);
            for a in 0..clusters.len() {
                for b in a + 1..clusters.len() {
                    let distance = self.mean_dissimilarity(&clusters[a], &clusters[b]);
                    if distance < least - 1e-12 {
                        (nearest, least) = ((a, b), distance);
                    }
                }
            }
            let second = clusters.remove(nearest.1);
            let first = std::mem::take(&mut clusters[nearest.0]);
            clusters[nearest.0] = self.join(&first, &second);
        }
        clusters.pop().unwrap_or_default()
    }

    fn mean_dissimilarity(&self, a: &[usize], b: &[usize]) -> f64 {
        let sum: f64 = a.iter().map(|&x| b.iter().map(|&y| self.dissimilarity(x, y)).sum::<f64>()).sum();
        sum / (a.len() * b.len()) as f64
    }

    /// One after the other, each turned so that the ends that meet are the most similar.
    fn join(&self, a: &[usize], b: &[usize]) -> Vec<usize> {
        let turned = |list: &[usize]| list.iter().rev().copied().collect::<Vec<usize>>();
        let (a_turned, b_turned) = (turned(a), turned(b));
        let gap = |x: &[usize], y: &[usize]| match (x.last(), y.first()) {
            (Some(&end), Some(&start)) => self.dissimilarity(end, start),
            _ => 0.0,
        };
        let mut ways = [[a, b], [a, &b_turned], [&a_turned, b], [&a_turned, &b_turned]];
        // the first of equal ways stays, so that without any confusion the classes keep their order
        ways.sort_by(|x, y| gap(x[0], x[1]).total_cmp(&gap(y[0], y[1])));
        ways[0].into_iter().flatten().copied().collect()
    }
}
