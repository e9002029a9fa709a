//! The linear system behind the filling of hidden pixels, and its solution by conjugate gradients (Hestenes & Stiefel 1952) with one
//! V-cycle of multigrid in front: the holes halve in size from grid to grid, so that a step reaches across the largest hole and some
//! fifteen of them suffice, where without it there are hundreds.
//!
//! Two by two cells of a grid make one of the next (aggregation); what the larger cells are linked by is the sum of their cells' links.
//! That makes the larger grid too stiff, which a constant factor on its correction repairs (Braess 1995, "Towards algebraic multigrid
//! for elliptic problems of second order", Computing 55, 379-393).

/// The three colours of a pixel, in grey levels.
pub type Colour = [f64; 3];

const DIRECT: f64 = 1.0 / 6.0;
const DIAGONAL: f64 = 1.0 / 12.0;
/// Braess' factor on the correction from the larger cells.
const OVERCORRECTION: f64 = 1.8;
/// No system of a picture needs so many steps; it bounds the time whatever the rounding does.
const MOST_STEPS: usize = 500;

/// Cells that want a value, and how they are linked. Around the grid lies a rim of cells that want none, so that every cell has eight
/// neighbours.
struct Grid {
    /// Cells from one row to the next.
    stride: usize,
    /// The cells that want a value.
    cells: Vec<usize>,
    /// For each of those the cell of the next grid that it is part of.
    parents: Vec<usize>,
    /// For each cell of the grid the sum of all its links, those to known pixels too.
    total: Vec<f64>,
    /// For each cell its links to the neighbours east, south-west, south and south-east that want a value.
    links: Vec<[f64; 4]>,
}

impl Grid {
    /// The pixels that are hidden: each has links of 1/6 to direct and 1/12 to diagonal neighbours.
    fn finest(hidden: &[bool], width: usize) -> Self {
        let (height, stride) = (hidden.len() / width, width + 2);
        let inside = |x: isize, y: isize| (0..width as isize).contains(&x) && (0..height as isize).contains(&y);
        let mut grid = Self::empty(stride, height);
        for pixel in (0..hidden.len()).filter(|&pixel| hidden[pixel]) {
            let (x, y) = ((pixel % width) as isize, (pixel / width) as isize);
            let cell = (pixel / width + 1) * stride + pixel % width + 1;
            grid.cells.push(cell);
            for (dx, dy) in [(1, 0), (-1, 1), (0, 1), (1, 1), (-1, 0), (1, -1), (0, -1), (-1, -1)] {
                if inside(x + dx, y + dy) {
                    grid.total[cell] += if dx == 0 || dy == 0 { DIRECT } else { DIAGONAL };
                }
            }
            let forward = [(1, 0, DIRECT), (-1, 1, DIAGONAL), (0, 1, DIRECT), (1, 1, DIAGONAL)];
            for (link, (dx, dy, weight)) in forward.into_iter().enumerate() {
                if inside(x + dx, y + dy) && hidden[((y + dy) * width as isize + x + dx) as usize] {
                    grid.links[cell][link] = weight;
                }
            }
        }
        grid
    }

    fn empty(stride: usize, height: usize) -> Self {
        let count = stride * (height + 2);
        Self { stride, cells: Vec::new(), parents: Vec::new(), total: vec![0.0; count], links: vec![[0.0; 4]; count] }
    }

    /// The grid of cells twice as wide and high.
    fn coarser(&mut self) -> Self {
        let (width, height) = (self.stride - 2, self.total.len() / self.stride - 2);
        let stride = width.div_ceil(2) + 2;
        let mut coarse = Self::empty(stride, height.div_ceil(2));
        let own = self.stride;
        let parent = |cell: usize| ((cell / own).div_ceil(2)) * stride + (cell % own).div_ceil(2);
        let offsets = [1, own - 1, own, own + 1];
        let farther = [1, stride - 1, stride, stride + 1];
        for &cell in &self.cells {
            let above = parent(cell);
            self.parents.push(above);
            if coarse.cells.last() != Some(&above) {
                coarse.cells.push(above);
            }
            coarse.total[above] += self.total[cell];
            for (offset, weight) in offsets.into_iter().zip(self.links[cell]).filter(|(_, weight)| *weight > 0.0) {
                let other = parent(cell + offset);
                let (first, second) = (above.min(other), above.max(other));
                match farther.into_iter().position(|offset| first + offset == second) {
                    Some(link) => coarse.links[first][link] += weight,
                    // both lie in one cell: nothing pulls there any more
                    None => coarse.total[above] -= 2.0 * weight,
                }
            }
        }
        coarse.cells.sort_unstable();
        coarse.cells.dedup();
        coarse
    }

    /// The sum of a cell's links times its own value, less those of its neighbours.
    fn row(&self, values: &[Colour], cell: usize) -> Colour {
        let stride = self.stride;
        let before = [cell - 1, cell + 1 - stride, cell - stride, cell - stride - 1];
        let after = [cell + 1, cell + stride - 1, cell + stride, cell + stride + 1];
        let (own, total) = (values[cell], self.total[cell]);
        let mut sum = own.map(|value| value * total);
        for link in 0..4 {
            let (forward, back) = (self.links[cell][link], self.links[before[link]][link]);
            let (next, last) = (values[after[link]], values[before[link]]);
            for c in 0..3 {
                sum[c] -= forward * next[c] + back * last[c];
            }
        }
        sum
    }
}

/// A grid with room for what a cycle works out on it.
struct Level {
    grid: Grid,
    wanted: Vec<Colour>,
    solution: Vec<Colour>,
    left: Vec<Colour>,
}

/// The linear system of the hidden pixels, symmetric and positive definite as long as one pixel is known.
pub struct System {
    levels: Vec<Level>,
    width: usize,
}

impl System {
    /// The system of the hidden pixels of a picture, of which there is at least one, and at least one that is known.
    pub fn new(hidden: &[bool], width: usize) -> Self {
        let mut levels = Vec::new();
        let mut grid = Grid::finest(hidden, width);
        while grid.cells.len() > 1 {
            let coarse = grid.coarser();
            levels.push(Level::new(std::mem::replace(&mut grid, coarse)));
        }
        levels.push(Level::new(grid));
        Self { levels, width }
    }

    /// Moves the hidden colours to the solution, until no value is wrong by more than about `tolerance`: that is how far a V-cycle
    /// would still move it. The three colours go side by side. How many steps it took comes back.
    pub fn solve(&mut self, colours: &mut [Colour], tolerance: f64) -> usize {
        let (stride, width) = (self.levels[0].grid.stride, self.width);
        let cells = self.levels[0].grid.cells.clone();
        let pixel = |cell: usize| (cell / stride - 1) * width + cell % stride - 1;
        let mut residual = vec![[0.0; 3]; self.levels[0].wanted.len()];
        let known = Rows { colours, width };
        for &cell in &cells {
            residual[cell] = known.residual(pixel(cell));
        }
        let mut direction = vec![[0.0; 3]; residual.len()];
        let mut length = [0.0; 3];
        for step in 0..MOST_STEPS {
            self.precondition(&residual);
            let (grid, corrected) = (&self.levels[0].grid, &self.levels[0].solution);
            if cells.iter().all(|&cell| corrected[cell].iter().all(|value| value.abs() < tolerance)) {
                return step;
            }
            let next = product(&cells, &residual, corrected);
            // a colour that is solved already has nothing left to divide
            let turn: Colour = std::array::from_fn(|c| if length[c] > 0.0 { next[c] / length[c] } else { 0.0 });
            for &cell in &cells {
                (0..3).for_each(|c| direction[cell][c] = corrected[cell][c] + turn[c] * direction[cell][c]);
            }
            let image: Vec<Colour> = cells.iter().map(|&cell| grid.row(&direction, cell)).collect();
            let mut along = [0.0; 3];
            for (&cell, image) in cells.iter().zip(&image) {
                (0..3).for_each(|c| along[c] += direction[cell][c] * image[c]);
            }
            let move_by: Colour = std::array::from_fn(|c| if along[c] > 0.0 { next[c] / along[c] } else { 0.0 });
            for (&cell, image) in cells.iter().zip(&image) {
                for c in 0..3 {
                    colours[pixel(cell)][c] += move_by[c] * direction[cell][c];
                    residual[cell][c] -= move_by[c] * image[c];
                }
            }
            length = next;
        }
        MOST_STEPS
    }

    /// One V-cycle from zero: the finest level's `solution` is about what solves the system for `residual`. Smoothing before and after
    /// is one step of Jacobi each, so that the cycle is a symmetric matrix, as conjugate gradients need it.
    fn precondition(&mut self, residual: &[Colour]) {
        self.levels[0].wanted.copy_from_slice(residual);
        for number in 0..self.levels.len() {
            let (fine, coarse) = self.levels.split_at_mut(number + 1);
            let level = &mut fine[number];
            for &cell in &level.grid.cells {
                level.solution[cell] = level.wanted[cell].map(|value| value / level.grid.total[cell]);
            }
            let Some(next) = coarse.first_mut() else { break };
            next.wanted.fill([0.0; 3]);
            for (&cell, &parent) in level.grid.cells.iter().zip(&level.grid.parents) {
                let image = level.grid.row(&level.solution, cell);
                (0..3).for_each(|c| next.wanted[parent][c] += level.wanted[cell][c] - image[c]);
            }
        }
        for number in (0..self.levels.len() - 1).rev() {
            let (fine, coarse) = self.levels.split_at_mut(number + 1);
            let (level, next) = (&mut fine[number], &coarse[0]);
            for (&cell, &parent) in level.grid.cells.iter().zip(&level.grid.parents) {
                (0..3).for_each(|c| level.solution[cell][c] += OVERCORRECTION * next.solution[parent][c]);
            }
            for &cell in &level.grid.cells {
                let image = level.grid.row(&level.solution, cell);
                level.left[cell] = std::array::from_fn(|c| (level.wanted[cell][c] - image[c]) / level.grid.total[cell]);
            }
            for &cell in &level.grid.cells {
                (0..3).for_each(|c| level.solution[cell][c] += level.left[cell][c]);
            }
        }
    }
}

impl Level {
    fn new(grid: Grid) -> Self {
        let zeros = || vec![[0.0; 3]; grid.total.len()];
        Self { wanted: zeros(), solution: zeros(), left: zeros(), grid }
    }
}

fn product(cells: &[usize], a: &[Colour], b: &[Colour]) -> Colour {
    let mut sums = [0.0; 3];
    for &cell in cells {
        (0..3).for_each(|c| sums[c] += a[cell][c] * b[cell][c]);
    }
    sums
}

/// A whole picture, to see what the equations of its hidden pixels are wrong by.
struct Rows<'a> {
    colours: &'a [Colour],
    width: usize,
}

impl Rows<'_> {
    /// The sum over the neighbours that there are of their weight times what they differ by.
    fn residual(&self, pixel: usize) -> Colour {
        let (width, height) = (self.width, self.colours.len() / self.width);
        let (x, y) = (pixel % width, pixel / width);
        let mut sum = [0.0; 3];
        for (row, column) in (y.saturating_sub(1)..(y + 2).min(height))
            .flat_map(|row| (x.saturating_sub(1)..(x + 2).min(width)).map(move |column| (row, column)))
        {
            let weight = if row == y || column == x { DIRECT } else { DIAGONAL };
            let other = self.colours[row * width + column];
            (0..3).for_each(|c| sum[c] += weight * (other[c] - self.colours[pixel][c]));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    /// The number of steps does not grow with the size of the holes, and the equations hold.
    #[test]
    fn few_steps_fill_the_largest_holes() {
        let mut random = Random::new(3, Purpose::Test, &[]);
        for side in [32usize, 128] {
            let picture: Vec<Colour> = (0..side * side).map(|_| std::array::from_fn(|_| random.range(0.0, 255.0))).collect();
            let far = |i: usize| ((i % side) as f64 - side as f64 / 2.0).hypot((i / side) as f64 - side as f64 / 2.0);
            let radius = side as f64 * 0.45;
            for hidden in [|far: f64, radius: f64| far < radius, |far: f64, radius: f64| far > radius / 3.0] {
                let hidden: Vec<bool> = (0..picture.len()).map(|i| hidden(far(i), radius)).collect();
                let mut colours = picture.clone();
                let steps = System::new(&hidden, side).solve(&mut colours, 1e-4);
                assert!(steps < 30, "{steps} steps at {side}");
                let rows = Rows { colours: &colours, width: side };
                let worst = (0..picture.len()).filter(|&i| hidden[i]).flat_map(|i| rows.residual(i)).fold(0.0, |a: f64, b| a.max(b.abs()));
                assert!(worst < 2e-4, "{worst} at {side}");
                let same = |i: usize| colours[i].iter().zip(picture[i]).all(|(a, b)| (a - b).abs() < f64::EPSILON);
                assert!((0..picture.len()).all(|i| hidden[i] || same(i)), "known pixels stay");
            }
        }
    }
}
