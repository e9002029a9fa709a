//! Winograd's way (see `winograd.rs`) where there are fewer windows than columns: the windows are transformed once and kept, and the
//! weights, most of the memory that is touched, are read once, transformed panel by panel where they are used, and never stored.
//!
//! ```text
//!                 windows                     one panel, in the second-level cache
//!        +---------------------+               +----+
//!        | [tiles][products]   |       x       |    |   [products][k][32]
//!        | [12][k]             |               +----+
//!        +---------------------+
//! ```

use super::Step;
use super::buffer::{Scratch, Shared};
use super::epilogue::{Epilogue, Part, Quad};
use super::kernel::{COLUMNS, Kernel, ROWS, Task, Tile, run_all};
use super::pixels::{Grid, Pixels};
use super::weights::{Source, Use};
use super::windows::Windows;
use super::winograd::{self, PRODUCTS, row_stride, transform_windows, window_sums};
use super::winograd_weights::{pack_panels, panel_numbers};

/// The most panels of a piece of work: weights lie in rows of all columns, and are read in longer stretches than a panel's.
const PANELS: usize = 4;
/// Pieces a thread, where there are enough panels. (Each panel's sums are its own, so the number of threads changes none.)
const PIECES_A_THREAD: usize = 2;

/// Whether this way suits a product of pictures of `grid` with so many columns. On maps of 2 x 2 the direct way sums four products
/// an output, Winograd's sixteen rounded ones: good enough for the gradient of the input, but forward, where an error may choose
/// another maximum, it would not do.
pub fn suits(step: Step, grid: Grid, wide: usize, usage: Use) -> bool {
    let windows = grid.images * grid.height.div_ceil(2) * grid.width.div_ceil(2);
    let least = if usage == Use::Forward { 3 } else { 2 };
    let large = grid.height.min(grid.width) >= least;
    !step.is_f32() && winograd::suits(grid.channels) && large && windows < wide
}

/// Computes `pixels (*) weights` and gives the sums to `epilogue`, all windows as one block.
pub fn convolve<P: Pixels, E: Epilogue>(step: Step, pixels: &P, windows: Windows, source: Source<'_>, epilogue: &E) {
    assert_eq!(pixels.grid().channels, source.deep(), "weights of these pixels");
    let tiles = windows.count().div_ceil(ROWS);
    let mut scratch = Scratch::take();
    // room for 32-bit numbers also where 16 are used
    let input = Shared::new(scratch.numbers::<f32>(tiles * PRODUCTS * ROWS * row_stride::<f32>(source.deep())));
    run_all(step, &Transform { pixels, windows, input }, tiles);
    let each = source.panels().div_ceil(PIECES_A_THREAD * rayon::current_num_threads()).clamp(1, PANELS);
    run_all(step, &Multiply { windows, source, epilogue, input, each }, source.panels().div_ceil(each));
}

/// The windows of a tile.
fn tile_range(windows: Windows, tile: usize) -> (usize, usize) {
    (tile * ROWS, windows.count().min((tile + 1) * ROWS))
}

struct Transform<'a, P> {
    pixels: &'a P,
    windows: Windows,
    /// tiles x products x 12 x stride.
    input: Shared<f32>,
}

impl<P: Pixels> Task for Transform<'_, P> {
    /// One tile.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, tile: usize) {
        let stride = row_stride::<K::Packed>(self.pixels.grid().channels);
        let len = PRODUCTS * ROWS * stride;
        // SAFETY: a packed number is at most as large as an f32, so all tiles lie within the buffer; this one is this piece's. The
        // step's instructions are the caller's promise.
        unsafe {
            let out = std::slice::from_raw_parts_mut(self.input.at(0).cast::<K::Packed>().add(tile * len), len);
            transform_windows::<K, P>(self.pixels, self.windows, tile_range(self.windows, tile), stride, out);
        }
    }
}

struct Multiply<'a, E> {
    windows: Windows,
    source: Source<'a>,
    epilogue: &'a E,
    input: Shared<f32>,
    /// Panels of a piece.
    each: usize,
}

impl<E: Epilogue> Task for Multiply<'_, E> {
    /// Some panels.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let deep = self.source.deep();
        let panels = index * self.each..self.source.panels().min((index + 1) * self.each);
        let (mut weight_scratch, mut product_scratch) = (Scratch::take(), Scratch::take());
        let weights = weight_scratch.numbers::<K::Packed>(panels.len() * panel_numbers(deep));
        let products = product_scratch.numbers::<f32>(PRODUCTS * ROWS * COLUMNS);
        // SAFETY: the step's instructions are the caller's promise.
        unsafe { pack_panels::<K>(&self.source, panels.clone(), weights) };
        let mut sums: Quad = [Tile::ZERO; 4];
        for (panel, weights) in panels.zip(weights.chunks_exact(panel_numbers(deep))) {
            let mut before = 0;
            for tile in 0..self.windows.count().div_ceil(ROWS) {
                let (first, end) = tile_range(self.windows, tile);
                let part = Part { block: 0, first, windows: end - first, row: 0, before, panel };
                before += self.windows.pixels(first, end);
                let start = tile * PRODUCTS * ROWS * row_stride::<K::Packed>(deep);
                // SAFETY: this tile was transformed and this panel packed; the panel belongs to this piece alone.
                unsafe {
                    let input = self.input.at(0).cast::<K::Packed>().cast_const().add(start);
                    window_sums::<K>(input, weights.as_ptr(), deep, products, &mut sums);
                    self.epilogue.take(part, &sums);
                }
            }
        }
    }
}
