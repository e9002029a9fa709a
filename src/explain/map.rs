//! A map as numbers: its grid, its scaling up to pixels, its contours and its eight turns. Draws nothing.

/// A grid of numbers, row by row from the top left.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Cells from left to right.
    pub width: usize,
    /// Cells from top to bottom.
    pub height: usize,
    /// `height * width` numbers.
    pub values: Vec<f32>,
}

impl Map {
    /// The smallest and the largest number.
    #[must_use]
    pub fn range(&self) -> (f32, f32) {
        self.values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)))
    }

    /// The mean of all cells.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.values.iter().map(|&v| f64::from(v)).sum::<f64>() / self.values.len().max(1) as f64
    }

    /// The map with all negative numbers set to 0.
    #[must_use]
    pub fn positive(mut self) -> Self {
        for value in &mut self.values {
            *value = value.max(0.0);
        }
        self
    }

    /// The map on `width` x `height` pixels: bilinear between the centres of its cells (half-pixel centres), constant beyond
    /// the outermost ones. The same as `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)`.
    #[must_use]
    pub fn upsample(&self, width: usize, height: usize) -> Self {
        let columns = taps(self.width, width);
        let rows = taps(self.height, height);
        let mut values = Vec::with_capacity(width * height);
        for &(top, bottom, y) in &rows {
            let (upper, lower) = (&self.values[top * self.width..], &self.values[bottom * self.width..]);
            values.extend(columns.iter().map(|&(left, right, x)| {
                let above = upper[left] * (1.0 - x) + upper[right] * x;
                let below = lower[left] * (1.0 - x) + lower[right] * x;
                above * (1.0 - y) + below * y
            }));
        }
        Self { width, height, values }
    }

    /// The map on `width` x `height` pixels, each with the number of the cell that it lies in.
    #[must_use]
    pub fn cells(&self, width: usize, height: usize) -> Self {
        let at = |i: usize, from: usize, to: usize| i * from / to.max(1);
        let values = (0..height)
            .flat_map(|y| (0..width).map(move |x| (y, x)))
            .map(|(y, x)| self.values[at(y, self.height, height) * self.width + at(x, self.width, width)])
            .collect();
        Self { width, height, values }
    }

    /// The level above which cells hold `share` (0 to 1) of all that is positive; `None` if nothing is.
    #[must_use]
    pub fn level(&self, share: f64) -> Option<f32> {
        let mut positive: Vec<f32> = self.values.iter().copied().filter(|v| *v > 0.0).collect();
        positive.sort_by(|a, b| b.total_cmp(a));
        let total: f64 = positive.iter().map(|&v| f64::from(v)).sum();
        let mut sum = 0.0;
        positive.iter().copied().find(|&v| {
            sum += f64::from(v);
            sum >= share * total
        })
    }
}

/// For each of `to` pixels the two of `from` cells around its centre, and how far it is on the way to the second.
fn taps(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let ratio = from as f64 / to as f64;
    (0..to)
        .map(|pixel| {
            let centre = ((pixel as f64 + 0.5) * ratio - 0.5).clamp(0.0, (from - 1) as f64);
            let first = centre as usize;
            (first, (first + 1).min(from - 1), (centre - first as f64) as f32)
        })
        .collect()
}

/// The number of flips and turns of a square.
pub const TURNS: usize = 8;

/// Where the value at (`y`, `x`) of a square of `side` cells comes from when turn `turn` of [`TURNS`] is done to it: a mirroring
/// left to right if it is odd, then `turn / 2` quarter turns.
fn source(turn: usize, side: usize, mut y: usize, mut x: usize) -> (usize, usize) {
    for _ in 0..turn / 2 {
        (y, x) = (x, side - 1 - y);
    }
    if turn % 2 == 1 { (y, side - 1 - x) } else { (y, x) }
}

/// A square of `side` x `side` elements of `length` values each, turned.
#[must_use]
pub fn turn<T: Copy>(turn: usize, side: usize, length: usize, values: &[T]) -> Vec<T> {
    let cells = (0..side).flat_map(|y| (0..side).map(move |x| source(turn, side, y, x)));
    cells.flat_map(|(y, x)| values[(y * side + x) * length..][..length].iter().copied()).collect()
}

/// Adds a turned square to `sum`, turned back.
pub fn add_turned_back(sum: &mut [f64], number: usize, side: usize, values: &[f32]) {
    for (i, &value) in values.iter().enumerate() {
        let (y, x) = source(number, side, i / side, i % side);
        sum[y * side + x] += f64::from(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_all_different_and_undone() {
        let square: Vec<f32> = (0..9u8).map(f32::from).collect();
        let turned: Vec<Vec<f32>> = (0..TURNS).map(|k| turn(k, 3, 1, &square)).collect();
        for (k, a) in turned.iter().enumerate() {
            assert!(turned.iter().skip(k + 1).all(|b| a != b), "turn {k} is there twice");
            let mut back = vec![0.0; 9];
            add_turned_back(&mut back, k, 3, a);
            assert!(back.iter().zip(&square).all(|(a, &b)| (a - f64::from(b)).abs() < 1e-9), "turn {k}");
        }
        assert_eq!(turned[0], square);
        assert_eq!(turned[1], [2.0, 1.0, 0.0, 5.0, 4.0, 3.0, 8.0, 7.0, 6.0]);
    }

    #[test]
    fn levels_hold_their_share() {
        let map = Map { width: 4, height: 1, values: vec![1.0, 6.0, -5.0, 3.0] };
        assert_eq!([0.5, 0.6, 0.8, 1.0].map(|share| map.level(share)), [Some(6.0), Some(6.0), Some(3.0), Some(1.0)]);
        assert_eq!(Map { width: 1, height: 1, values: vec![-1.0] }.level(0.5), None);
    }
}
