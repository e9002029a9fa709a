//! The 3 x 3 products over pixels: forward and input gradient, with whatever is done to a tile while it is in registers.

use super::Step;
use super::buffer::{Scratch, Shared};
use super::kernel::{COLUMNS, Kernel, ROWS, Rows, Task, Tile, run_all};
use super::pixels::{DEAD, Grid, Pixels, gather};
use super::weights::Panels;

/// In which order the pixels are the rows of the product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Row by row.
    Raster,
    /// The four pixels of a pooling window one after the other; pixels outside all windows are left out.
    Windows,
}

impl Order {
    fn rows(self, grid: Grid) -> usize {
        match self {
            Self::Raster => grid.images * grid.height * grid.width,
            Self::Windows => grid.images * (grid.height / 2) * (grid.width / 2) * 4,
        }
    }

    /// Image, y and x of a row.
    #[inline(always)]
    fn locate(self, grid: Grid, row: usize) -> (usize, usize, usize) {
        let (height, width, row, position) = match self {
            Self::Raster => (grid.height, grid.width, row, None),
            Self::Windows => (grid.height / 2, grid.width / 2, row / 4, Some(row % 4)),
        };
        let (line, x) = (row / width, row % width);
        let (image, y) = (line / height, line % height);
        position.map_or((image, y, x), |p| (image, 2 * y + p / 2, 2 * x + p % 2))
    }
}

/// What is done with the sums of a tile.
pub trait Epilogue: Sync {
    /// Takes the sums of `rows` rows from `first` (a multiple of 12) and of the 32 columns of `panel`; `block` numbers the
    /// block of rows that the tile belongs to.
    ///
    /// # Safety
    /// Each tile is given once, and tiles of one block and panel come from one thread.
    unsafe fn take(&self, block: usize, first: usize, rows: usize, panel: usize, sums: &Tile);
}

/// Bytes of gathered pixels that a piece of work keeps in the second-level cache.
const BLOCK_BYTES: usize = 384 * 1024;
/// The least number of pieces that work is cut into where it is large enough.
const PIECES: usize = 16;

/// How the rows of a product are cut into blocks: a function of the shape alone, so that sums over a block do not depend on
/// the number of threads.
#[derive(Clone, Copy)]
pub struct Blocks {
    pub rows: usize,
    pub size: usize,
    pub count: usize,
}

impl Blocks {
    pub fn new(order: Order, grid: Grid) -> Self {
        let rows = order.rows(grid);
        let depth = 9 * grid.channels;
        let largest = (BLOCK_BYTES / (depth * size_of::<f32>())).clamp(2 * ROWS, 80 * ROWS);
        let size = rows.div_ceil(PIECES).clamp(2 * ROWS, largest).next_multiple_of(ROWS);
        Self { rows, size, count: rows.div_ceil(size) }
    }
}

/// Computes `pixels (*) panels` and gives every tile to `epilogue`.
pub fn convolve<P: Pixels, E: Epilogue>(step: Step, pixels: &P, order: Order, panels: &Panels, epilogue: &E) {
    let blocks = Blocks::new(order, pixels.grid());
    let groups = if blocks.count == 0 { 1 } else { PIECES.div_ceil(blocks.count).min(panels.count) };
    run_all(step, &Convolution { pixels, order, panels, epilogue, blocks, groups }, blocks.count * groups);
}

struct Convolution<'a, P, E> {
    pixels: &'a P,
    order: Order,
    panels: &'a Panels,
    epilogue: &'a E,
    blocks: Blocks,
    groups: usize,
}

impl<P: Pixels, E: Epilogue> Task for Convolution<'_, P, E> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let (block, group) = (index / self.groups, index % self.groups);
        let first = block * self.blocks.size;
        let rows = self.blocks.size.min(self.blocks.rows - first);
        let depth = self.panels.depth;
        // an odd number of cache lines between rows, so that the twelve rows of a tile lie in different sets
        let stride = (depth.div_ceil(32) | 1) * 32;
        let tiles = rows.div_ceil(ROWS);
        let mut scratch = Scratch::take();
        let a = scratch.numbers::<K::Packed>(tiles * ROWS * stride);
        self.gather_rows::<K>(first, rows, stride, a);
        let panels = self.panels.count * group / self.groups..self.panels.count * (group + 1) / self.groups;
        let mut sums = Tile::ZERO;
        for panel in panels {
            for tile in 0..tiles {
                let a = Rows { first: a[tile * ROWS * stride..].as_ptr(), stride, runs: &[0], run_length: depth };
                // SAFETY: twelve rows of `depth` numbers were gathered (the last tile's missing rows hold old numbers,
                // which are never taken), the panel has `depth` rows of 32, the tile is ours.
                unsafe {
                    K::tile::<ROWS, false>(&a, self.panels.panel(panel), sums.0.as_mut_ptr().cast(), COLUMNS);
                    let at = tile * ROWS;
                    self.epilogue.take(block, first + at, ROWS.min(rows - at), panel, &sums);
                }
            }
        }
    }
}

impl<P: Pixels, E> Convolution<'_, P, E> {
    #[inline(always)]
    fn gather_rows<K: Kernel>(&self, first: usize, rows: usize, stride: usize, a: &mut [K::Packed]) {
        let grid = self.pixels.grid();
        let depth = 9 * grid.channels;
        let mut scratch = Scratch::take();
        let row = scratch.numbers::<f32>(depth);
        for (r, a) in (first..first + rows).zip(a.chunks_exact_mut(stride)) {
            let (image, y, x) = self.order.locate(grid, r);
            gather(self.pixels, image, y, x, row);
            // SAFETY: the step's instructions are promised by the caller of `run`.
            unsafe { K::pack(row, &mut a[..depth]) };
            a[depth..self.panels.depth].fill(K::Packed::default());
        }
    }
}

/// Stores the sums as an N x H x W x C tensor.
pub struct Store {
    pub out: Shared<f32>,
    pub channels: usize,
}

impl Epilogue for Store {
    #[inline(always)]
    unsafe fn take(&self, _block: usize, first: usize, rows: usize, panel: usize, sums: &Tile) {
        let columns = COLUMNS.min(self.channels - panel * COLUMNS);
        for (r, sums) in (first..first + rows).zip(&sums.0) {
            // SAFETY: pixel r, channels of this panel: written by this tile only.
            let out = unsafe { self.out.part(r * self.channels + panel * COLUMNS, columns) };
            out.copy_from_slice(&sums[..columns]);
        }
    }
}

/// Stores the sums, and their mean and spread block by block, for the batch statistics.
pub struct StoreWithMoments {
    pub store: Store,
    /// Rows of every block but the last.
    pub rows_a_block: usize,
    /// blocks x 2 x channels: the mean, then the sum of squared deviations from it.
    pub moments: Shared<f32>,
}

impl Epilogue for StoreWithMoments {
    #[inline(always)]
    unsafe fn take(&self, block: usize, first: usize, rows: usize, panel: usize, sums: &Tile) {
        // SAFETY: the caller's promises are ours.
        unsafe { self.store.take(block, first, rows, panel, sums) };
        let channels = self.store.channels;
        let columns = COLUMNS.min(channels - panel * COLUMNS);
        // SAFETY: the places of this block and panel, which one thread works on, tile after tile.
        let (means, squares) = unsafe {
            let at = 2 * block * channels + panel * COLUMNS;
            (self.moments.part(at, columns), self.moments.part(at + channels, columns))
        };
        let before = first - block * self.rows_a_block;
        let (mut mean, mut square) = ([0.0f32; COLUMNS], [0.0f32; COLUMNS]);
        if before > 0 {
            mean[..columns].copy_from_slice(means);
            square[..columns].copy_from_slice(squares);
        }
        join_moments(&sums.0[..rows], before as f32, &mut mean, &mut square);
        means.copy_from_slice(&mean[..columns]);
        squares.copy_from_slice(&square[..columns]);
    }
}

/// Joins the moments of some rows to those of `before` rows (Chan et al. 1983): no cancellation however large the mean.
#[inline(always)]
fn join_moments(rows: &[[f32; COLUMNS]], before: f32, mean: &mut [f32; COLUMNS], square: &mut [f32; COLUMNS]) {
    let count = rows.len() as f32;
    let (mut tile_mean, mut tile_square) = ([0.0f32; COLUMNS], [0.0f32; COLUMNS]);
    for row in rows {
        for j in 0..COLUMNS {
            tile_mean[j] += row[j];
        }
    }
    for mean in &mut tile_mean {
        *mean /= count;
    }
    for row in rows {
        for j in 0..COLUMNS {
            let deviation = row[j] - tile_mean[j];
            tile_square[j] += deviation * deviation;
        }
    }
    for j in 0..COLUMNS {
        let delta = tile_mean[j] - mean[j];
        mean[j] += delta * (count / (before + count));
        square[j] += tile_square[j] + delta * delta * (before * count / (before + count));
    }
}

/// Adds the bias, keeps the largest of each pooling window where it is positive, and notes where it was.
pub struct BiasReluPool<'a> {
    pub bias: &'a [f32],
    pub out: Shared<f32>,
    pub codes: Shared<u8>,
}

impl Epilogue for BiasReluPool<'_> {
    #[inline(always)]
    unsafe fn take(&self, _block: usize, first: usize, rows: usize, panel: usize, sums: &Tile) {
        let channels = self.bias.len();
        let columns = COLUMNS.min(channels - panel * COLUMNS);
        let mut bias = [0.0f32; COLUMNS];
        bias[..columns].copy_from_slice(&self.bias[panel * COLUMNS..panel * COLUMNS + columns]);
        for window in 0..rows / 4 {
            let [a, b, c, d] = [0, 1, 2, 3].map(|p| &sums.0[4 * window + p]);
            let (mut best, mut codes) = ([0.0f32; COLUMNS], [0u8; COLUMNS]);
            for j in 0..COLUMNS {
                // the first of equal maxima in reading order, as PyTorch
                let (top, top_at) = if b[j] > a[j] { (b[j], 1u8) } else { (a[j], 0) };
                let (low, low_at) = if d[j] > c[j] { (d[j], 3) } else { (c[j], 2) };
                let (value, at) = if low > top { (low, low_at) } else { (top, top_at) };
                let value = value + bias[j];
                // not `value > 0`: a NaN must stay one, so that the loss shows it
                best[j] = if value <= 0.0 { 0.0 } else { value };
                codes[j] = if value <= 0.0 { DEAD } else { at };
            }
            let at = (first / 4 + window) * channels + panel * COLUMNS;
            // SAFETY: this window's channels of this panel: written by this tile only.
            unsafe {
                self.out.part(at, columns).copy_from_slice(&best[..columns]);
                self.codes.part(at, columns).copy_from_slice(&codes[..columns]);
            }
        }
    }
}
