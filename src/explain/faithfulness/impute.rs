//! Filling hidden pixels from their neighbours, as ROAD does (Rong et al. 2022, arXiv 2202.00449, section 5): each hidden pixel is the
//! weighted mean of its eight neighbours, 1/6 for direct and 1/12 for diagonal ones, whether these are hidden themselves or not.
//! So the hidden pixels solve a sparse linear system. At the border the weights of neighbours that do not exist are left out and the
//! others count for more.

use crate::imaging::Image;

/// The three colours of a pixel, in grey levels.
type Colour = [f64; 3];

const DIRECT: f64 = 1.0 / 6.0;
const DIAGONAL: f64 = 1.0 / 12.0;
/// What may be left of an equation, in grey levels. The matrix' smallest eigenvalue is about 1e-4 for the largest holes of a
/// picture of 256 pixels, so that no pixel is wrong by more than a thousandth of a grey level.
const RESIDUAL: f64 = 1e-7;
/// No system of a picture needs so many steps; it bounds the time whatever the rounding does.
const MOST_STEPS: usize = 5000;

/// The colours of all pixels, row by row: those of `picture` where nothing is hidden, and the solution of the system where `hidden` is
/// true. If everything is hidden there is nothing to go by and all pixels get the mean colour.
///
/// # Panics
/// If `hidden` has not one entry for each pixel.
#[must_use]
pub fn impute(picture: &Image, hidden: &[bool]) -> Vec<Colour> {
    let (width, height) = (picture.width(), picture.height());
    assert_eq!(hidden.len(), width * height, "one entry for each pixel");
    let mut colours: Vec<Colour> = picture.pixels().as_chunks::<3>().0.iter().map(|pixel| pixel.map(f64::from)).collect();
    if hidden.iter().all(|&hidden| hidden) {
        let mut mean = [0.0; 3];
        for colour in &colours {
            (0..3).for_each(|c| mean[c] += colour[c] / colours.len() as f64);
        }
        return vec![mean; colours.len()];
    }
    if hidden.iter().any(|&hidden| hidden) {
        let guess = guess(&colours, hidden, width);
        for ((colour, guess), hidden) in colours.iter_mut().zip(guess).zip(hidden) {
            if *hidden {
                *colour = guess;
            }
        }
        solve(&mut colours, hidden, width, height);
    }
    colours
}

/// A first guess: the mean of the known pixels in the smallest square of a pyramid that has any.
fn guess(colours: &[Colour], hidden: &[bool], width: usize) -> Vec<Colour> {
    if hidden.iter().all(|&hidden| !hidden) {
        return colours.to_vec();
    }
    let height = hidden.len() / width;
    let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
    let mut sums = vec![([0.0; 3], 0.0); columns * rows];
    for (i, colour) in colours.iter().enumerate().filter(|(i, _)| !hidden[*i]) {
        let (sum, count) = &mut sums[i / width / 2 * columns + i % width / 2];
        (0..3).for_each(|c| sum[c] += colour[c]);
        *count += 1.0;
    }
    let above: Vec<Colour> = sums.iter().map(|(sum, count)| sum.map(|s| if *count > 0.0 { s / count } else { 0.0 })).collect();
    let empty: Vec<bool> = sums.iter().map(|(_, count)| *count == 0.0).collect();
    let above = guess(&above, &empty, columns);
    let at = |i: usize| if hidden[i] { above[i / width / 2 * columns + i % width / 2] } else { colours[i] };
    (0..hidden.len()).map(at).collect()
}

/// Moves the hidden colours to the solution by conjugate gradients (Hestenes & Stiefel 1952), the three colours side by side.
fn solve(colours: &mut [Colour], hidden: &[bool], width: usize, height: usize) {
    let system = System::new(hidden, width, height);
    let count = system.pixels.len();
    let mut direction = vec![[0.0; 3]; colours.len()];
    let mut residual = system.residual(colours);
    for (&pixel, r) in system.pixels.iter().zip(&residual) {
        direction[pixel] = *r;
    }
    let mut length = squares(&residual);
    for _ in 0..MOST_STEPS.min(10 * count + 10) {
        if residual.iter().flatten().all(|r| r.abs() < RESIDUAL) {
            return;
        }
        let image = system.apply(&direction);
        let mut along = [0.0; 3];
        for (&pixel, a) in system.pixels.iter().zip(&image) {
            (0..3).for_each(|c| along[c] += direction[pixel][c] * a[c]);
        }
        // a colour that is solved already has nothing left to divide
        let step: Colour = std::array::from_fn(|c| if along[c] > 0.0 { length[c] / along[c] } else { 0.0 });
        for ((&pixel, r), a) in system.pixels.iter().zip(&mut residual).zip(&image) {
            for c in 0..3 {
                colours[pixel][c] += step[c] * direction[pixel][c];
                r[c] -= step[c] * a[c];
            }
        }
        let next = squares(&residual);
        let turn: Colour = std::array::from_fn(|c| if length[c] > 0.0 { next[c] / length[c] } else { 0.0 });
        length = next;
        for (&pixel, r) in system.pixels.iter().zip(&residual) {
            (0..3).for_each(|c| direction[pixel][c] = r[c] + turn[c] * direction[pixel][c]);
        }
    }
}

fn squares(values: &[Colour]) -> Colour {
    let mut sums = [0.0; 3];
    for value in values {
        (0..3).for_each(|c| sums[c] += value[c] * value[c]);
    }
    sums
}

/// The linear system, symmetric and positive definite as long as one pixel is known.
struct System {
    /// The hidden pixels.
    pixels: Vec<usize>,
    width: usize,
    height: usize,
}

impl System {
    fn new(hidden: &[bool], width: usize, height: usize) -> Self {
        Self { pixels: (0..hidden.len()).filter(|&i| hidden[i]).collect(), width, height }
    }

    /// For each hidden pixel: the sum of its neighbours' weights times its own value, less theirs. Of a whole picture that is what
    /// its equation is wrong by; of a direction, which is 0 where nothing is hidden, it is the matrix times the direction.
    fn apply(&self, values: &[Colour]) -> Vec<Colour> {
        self.pixels.iter().map(|&pixel| self.row(values, pixel)).collect()
    }

    fn residual(&self, colours: &[Colour]) -> Vec<Colour> {
        self.apply(colours).into_iter().map(|row| row.map(|v| -v)).collect()
    }

    fn row(&self, values: &[Colour], pixel: usize) -> Colour {
        let (x, y) = (pixel % self.width, pixel / self.width);
        let own = values[pixel];
        let mut sum = [0.0; 3];
        let mut add = |other: usize, weight: f64| (0..3).for_each(|c| sum[c] += weight * (own[c] - values[other][c]));
        let (left, right) = (x > 0, x + 1 < self.width);
        let mut across = |middle: usize, straight: f64, skew: f64| {
            if straight > 0.0 {
                add(middle, straight);
            }
            if left {
                add(middle - 1, skew);
            }
            if right {
                add(middle + 1, skew);
            }
        };
        across(pixel, 0.0, DIRECT);
        if y > 0 {
            across(pixel - self.width, DIRECT, DIAGONAL);
        }
        if y + 1 < self.height {
            across(pixel + self.width, DIRECT, DIAGONAL);
        }
        sum
    }
}
