//! The 3 x 3 products over pixels: forward and input gradient, by the one of five ways that suits the shape.
//!
//! The direct way multiplies the gathered neighbourhoods of twelve windows, pixel by pixel of the window:
//!
//! ```text
//!              9 x C                      32
//!       +-----------------+           +--------+
//!    12 | neighbourhoods  |  x  9 x C | panel  |   four times, for the four pixels of a window
//!       +-----------------+           +--------+
//! ```
//!
//! The others are Winograd's, in `winograd.rs` and `few_windows.rs`, that for pictures with few channels, in `lines.rs`, and that of
//! AMX, in `amx/convolution.rs`.

use super::Step;
use super::amx;
use super::buffer::Scratch;
use super::epilogue::{Epilogue, Part, Quad};
use super::few_windows;
use super::kernel::{COLUMNS, Kernel, ROWS, Rows, Task, Tile, run_all};
use super::lines;
use super::pixels::{Grid, Pixels, gather};
use super::weights::{Method, Panels, Use};
use super::windows::{Blocks, Windows};
use super::winograd;

/// One product of a layer with what it keeps from step to step: packed weights, and the pictures where AMX reads them.
#[derive(Default)]
pub struct Convolution {
    panels: Panels,
    sheet: amx::Sheet,
}

impl Convolution {
    /// Packs `weights` (9 x inputs x outputs) for the product with `pixels`, and the pixels where that helps; `wide` are the
    /// channels of the result.
    pub fn prepare<P: Pixels>(&mut self, step: Step, pixels: &P, weights: &[f32], wide: usize, usage: Use) {
        self.panels.pack(step, weights, pixels.grid(), wide, usage);
        if self.panels.method == Method::Amx {
            self.sheet.pack(step, pixels);
        }
    }

    /// The pixels as they were prepared, where AMX reads them.
    pub fn sheet(&self) -> &amx::Sheet {
        &self.sheet
    }

    /// How the windows are cut into blocks: the number of pixels in each.
    pub fn block_pixels(&self, step: Step, windows: Windows) -> Vec<usize> {
        match self.panels.method {
            Method::Amx => amx::Plan::new(&self.sheet, windows).pixels(),
            Method::Lines => lines::Plan::new(windows).pixels(),
            Method::FewWindows => vec![windows.pixels(0, windows.count())],
            Method::Direct | Method::Winograd => {
                let blocks = blocks(step, windows, &self.panels);
                (0..blocks.count).map(|block| blocks.range(block)).map(|(from, to)| windows.pixels(from, to)).collect()
            }
        }
    }

    /// Computes the product of what was prepared, with the same `weights`, for all windows and gives the sums to `epilogue`, made
    /// for those windows in the order that the parts name them.
    pub fn run<P: Pixels, E: Epilogue>(
        &self,
        step: Step,
        pixels: &P,
        weights: &[f32],
        windows: Windows,
        epilogue: impl FnOnce(Windows) -> E,
    ) {
        let panels = &self.panels;
        let as_read = windows.as_read();
        match panels.method {
            Method::Amx => amx::convolve(&self.sheet, &amx::Plan::new(&self.sheet, as_read), panels, &epilogue(as_read)),
            Method::Lines => lines::convolve(step, pixels, lines::Plan::new(as_read), panels, &epilogue(as_read)),
            Method::FewWindows => few_windows::convolve(step, pixels, windows, panels.source(weights), &epilogue(windows)),
            Method::Winograd => {
                winograd::convolve(step, pixels, windows, panels, &epilogue(windows), blocks(step, windows, panels));
            }
            Method::Direct => {
                let (blocks, epilogue) = (blocks(step, windows, panels), epilogue(windows));
                let groups = blocks.panel_groups(panels.count);
                run_all(step, &Direct { pixels, windows, panels, epilogue: &epilogue, blocks, groups }, blocks.count * groups);
            }
        }
    }
}

/// How the windows are cut into blocks for these panels of Winograd's or the direct way.
fn blocks(step: Step, windows: Windows, panels: &Panels) -> Blocks {
    let winograd = panels.method == Method::Winograd;
    let bytes = if winograd { winograd::window_bytes(step, panels.depth) } else { 4 * row_stride(panels.depth) * size_of::<f32>() };
    Blocks::new(windows, bytes)
}

/// An odd number of cache lines between rows, so that the twelve rows of a tile lie in different sets.
fn row_stride(depth: usize) -> usize {
    (depth.div_ceil(32) | 1) * 32
}

struct Direct<'a, P, E> {
    pixels: &'a P,
    windows: Windows,
    panels: &'a Panels,
    epilogue: &'a E,
    blocks: Blocks,
    groups: usize,
}

impl<P: Pixels, E: Epilogue> Task for Direct<'_, P, E> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let (block, group) = (index / self.groups, index % self.groups);
        let (first, end) = self.blocks.range(block);
        let stride = row_stride(self.panels.depth);
        let tiles = (end - first).div_ceil(ROWS);
        let mut scratch = Scratch::take();
        let a = scratch.numbers::<K::Packed>(tiles * 4 * ROWS * stride);
        let mut taps = vec![[0u16; 4]; tiles];
        for (window, rows) in (first..end).zip(0..) {
            let (tile, row) = (rows / ROWS, rows % ROWS);
            self.gather_window::<K>(window, row, stride, &mut a[tile * 4 * ROWS * stride..][..4 * ROWS * stride], &mut taps[tile]);
        }
        let panels = self.panels.count * group / self.groups..self.panels.count * (group + 1) / self.groups;
        let mut sums: Quad = [Tile::ZERO; 4];
        for panel in panels {
            let mut before = 0;
            for tile in 0..tiles {
                for position in 0..4 {
                    let a = a[(tile * 4 + position) * ROWS * stride..].as_ptr();
                    // SAFETY: twelve rows of `depth` numbers were gathered (rows without a window or pixel hold old numbers,
                    // whose sums are never taken), and the panel is whole.
                    unsafe { self.multiply::<K>(a, stride, panel, taps[tile][position], &mut sums[position]) };
                }
                let at = first + tile * ROWS;
                let part = Part { block, first: at, windows: ROWS.min(end - at), row: 0, before, panel };
                before += self.windows.pixels(at, at + part.windows);
                // SAFETY: each block and panel belongs to this piece alone.
                unsafe { self.epilogue.take(part, &sums) };
            }
        }
    }
}

/// All nine taps.
const ALL_TAPS: u16 = 0x1ff;

impl<P: Pixels, E> Direct<'_, P, E> {
    /// Gathers the neighbourhoods of a window's pixels, and notes which taps lie in the picture.
    #[inline(always)]
    fn gather_window<K: Kernel>(&self, window: usize, row: usize, stride: usize, a: &mut [K::Packed], taps: &mut [u16; 4]) {
        let grid = self.pixels.grid();
        let depth = 9 * grid.channels;
        let mut scratch = Scratch::take();
        let neighbours = scratch.numbers::<f32>(depth);
        let place = self.windows.locate(window);
        for (position, taps) in taps.iter_mut().enumerate() {
            if self.windows.pixel(place, position).is_none() {
                continue;
            }
            let (y, x) = (place.y + position / 2, place.x + position % 2);
            gather(self.pixels, place.image, y, x, neighbours);
            let a = &mut a[(position * ROWS + row) * stride..][..self.panels.depth];
            // SAFETY: the step's instructions are promised by the caller of `run`.
            unsafe { K::pack(neighbours, &mut a[..depth]) };
            a[depth..].fill(K::Packed::default());
            *taps |= inner_taps(grid, y, x);
        }
    }

    /// The sums of twelve rows and a panel over those taps that lie in the picture for any of the rows.
    ///
    /// # Safety
    /// The step's instructions are available and there are twelve rows at `a`.
    #[inline(always)]
    unsafe fn multiply<K: Kernel>(&self, a: *const K::Packed, stride: usize, panel: usize, taps: u16, sums: &mut Tile) {
        let channels = self.pixels.grid().channels;
        let (b, c) = (self.panels.panel::<K::Packed>(panel), sums.0.as_mut_ptr().cast::<f32>());
        if taps == ALL_TAPS || !channels.is_multiple_of(K::DEPTH_STEP) {
            let rows = Rows { first: a, stride, runs: &[0], run_length: self.panels.depth };
            // SAFETY: promised by the caller.
            unsafe { K::tile::<ROWS, false>(&rows, b, c, COLUMNS) };
            return;
        }
        let mut before = false;
        let mut tap = 0;
        while tap < 9 {
            let length = (taps >> tap).trailing_ones() as usize;
            if length > 0 {
                let start = tap * channels;
                // SAFETY: a part of the rows and of the panel; a step that takes pairs has an even number of channels here.
                unsafe {
                    let rows = Rows { first: a.add(start), stride, runs: &[0], run_length: length * channels };
                    if before {
                        K::tile::<ROWS, true>(&rows, b.add(start * COLUMNS), c, COLUMNS);
                    } else {
                        K::tile::<ROWS, false>(&rows, b.add(start * COLUMNS), c, COLUMNS);
                    }
                }
                before = true;
            }
            tap += length.max(1);
        }
    }
}

/// The taps of a pixel that lie in the picture, one bit each.
#[inline(always)]
fn inner_taps(grid: Grid, y: usize, x: usize) -> u16 {
    let mut columns = 0b111u16;
    if x == 0 {
        columns &= 0b110;
    }
    if x + 1 == grid.width {
        columns &= 0b011;
    }
    let mut taps = columns << 3;
    if y > 0 {
        taps |= columns;
    }
    if y + 1 < grid.height {
        taps |= columns << 6;
    }
    taps
}
