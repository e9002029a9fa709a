//! How much a network's answer moves while its picture is changed: numbers from the probabilities at each position.

/// How one class's probability moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassSpread {
    /// Smallest probability.
    pub low: f64,
    /// Largest probability.
    pub high: f64,
    /// Mean probability.
    pub mean: f64,
    /// Standard deviation over the positions.
    pub deviation: f64,
}

impl ClassSpread {
    /// Largest less smallest probability, from 0 to 1.
    #[must_use]
    pub fn range(&self) -> f64 {
        self.high - self.low
    }
}

/// How the answer for one picture moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Invariance {
    /// Each class's probability.
    pub classes: Vec<ClassSpread>,
    /// The spread of the whole answer: the mean, over the positions, of the total variation distance (half the sum of the absolute
    /// differences) between the probabilities there and their mean. 0: nothing moves; towards 1: every position says something else.
    pub spread: f64,
    /// Share of the positions with the same most probable class as the first, from 0 to 1.
    pub kept: f64,
}

impl Invariance {
    /// The numbers of `probabilities`: positions x classes, each row adding up to 1. `None` without positions or classes, or if rows
    /// have different lengths.
    #[must_use]
    pub fn of(probabilities: &[Vec<f32>]) -> Option<Self> {
        let classes = probabilities.first()?.len();
        if classes == 0 || probabilities.iter().any(|row| row.len() != classes) {
            return None;
        }
        let n = probabilities.len() as f64;
        let column = |class: usize| probabilities.iter().map(move |row| f64::from(row[class]));
        let spread_of = |class: usize| {
            let mean = column(class).sum::<f64>() / n;
            ClassSpread {
                low: column(class).fold(f64::INFINITY, f64::min),
                high: column(class).fold(f64::NEG_INFINITY, f64::max),
                mean,
                deviation: (column(class).map(|p| (p - mean).powi(2)).sum::<f64>() / n).sqrt(),
            }
        };
        let spreads: Vec<ClassSpread> = (0..classes).map(spread_of).collect();
        let distance = |row: &Vec<f32>| 0.5 * row.iter().zip(&spreads).map(|(p, class)| (f64::from(*p) - class.mean).abs()).sum::<f64>();
        let first = top(&probabilities[0]);
        Some(Self {
            spread: probabilities.iter().map(distance).sum::<f64>() / n,
            kept: probabilities.iter().filter(|row| top(row) == first).count() as f64 / n,
            classes: spreads,
        })
    }
}

/// The most probable class, the first of equals; 0 of none.
#[must_use]
pub fn top(probabilities: &[f32]) -> usize {
    let better = |best: usize, class: usize| if probabilities[class] > probabilities[best] { class } else { best };
    (0..probabilities.len()).fold(0, better)
}
