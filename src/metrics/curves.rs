//! One class against all others at every threshold: precision-recall and ROC curves, as scikit-learn defines them.

use super::Predictions;

/// A class as its probability threshold falls from above the largest to the smallest; all lists are equally long, at least 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassCurves {
    /// Share of the class that is found: recall, the true positive rate. From 0 to 1.
    pub recall: Vec<f64>,
    /// Share of what is found that is of the class; 1 where nothing is found yet.
    pub precision: Vec<f64>,
    /// Share of the others that is taken for the class: the false positive rate. From 0 to 1.
    pub false_positive_rate: Vec<f64>,
    /// Average precision: the area under the steps of the precision-recall curve. 0 without images of the class.
    pub average_precision: f64,
    /// Area under the ROC curve; `None` if all images are of the class or none is.
    pub area: Option<f64>,
    /// Images of the class.
    pub support: u64,
}

impl ClassCurves {
    /// The corners (recall, precision) of the steps under which the area is the average precision: each precision holds from
    /// the recall before up to its own; thresholds that find nothing more are left out.
    #[must_use]
    pub fn steps(&self) -> Vec<(f64, f64)> {
        let mut corners = Vec::new();
        for i in 1..self.recall.len() {
            if self.recall[i] > self.recall[i - 1] {
                corners.push((self.recall[i - 1], self.precision[i]));
                corners.push((self.recall[i], self.precision[i]));
            }
        }
        corners
    }
}

impl Predictions {
    /// The curves of one class.
    ///
    /// # Panics
    /// If there is no such class.
    #[must_use]
    pub fn curves(&self, class: usize) -> ClassCurves {
        assert!(class < self.classes(), "class out of range");
        let mut scored: Vec<(f32, bool)> = (0..self.len()).map(|i| (self.row(i)[class], self.truth()[i] as usize == class)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let support = scored.iter().filter(|(_, positive)| *positive).count();
        let others = scored.len() - support;
        let mut curves = ClassCurves {
            recall: vec![0.0],
            precision: vec![1.0],
            false_positive_rate: vec![0.0],
            support: support as u64,
            ..ClassCurves::default()
        };
        let (mut hits, mut seen, mut area) = (0, 0, 0.0);
        for group in scored.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
            hits += group.iter().filter(|(_, positive)| *positive).count();
            seen += group.len();
            let recall = hits as f64 / support.max(1) as f64;
            let precision = hits as f64 / seen as f64;
            let false_positive_rate = (seen - hits) as f64 / others.max(1) as f64;
            let (recall_before, rate_before) = (last(&curves.recall), last(&curves.false_positive_rate));
            curves.average_precision += (recall - recall_before) * precision;
            area += (false_positive_rate - rate_before) * f64::midpoint(recall, recall_before);
            curves.recall.push(recall);
            curves.precision.push(precision);
            curves.false_positive_rate.push(false_positive_rate);
        }
        curves.area = (support > 0 && others > 0).then_some(area);
        curves
    }
}

fn last(list: &[f64]) -> f64 {
    list.last().copied().unwrap_or(0.0)
}
