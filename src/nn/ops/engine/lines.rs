//! The 3 x 3 product over pictures with few channels (the first layer) without gathering anything: four lines of a picture, with a
//! border of zeros, are all that a line of windows sees.
//!
//! ```text
//!   line 0   0 0 0 | a a a b b b c c c d d d ... | 0 0 0      a: the channels of a pixel, side by side
//!   line 1   0 0 0 | e e e f f f g g g h h h ... | 0 0 0
//!   line 2   ...           +-----------+
//!   line 3                 three taps of one line: neighbours
//! ```
//!
//! The neighbourhood of a pixel is three runs of neighbouring numbers, and the pixels at one corner of twelve windows side by side
//! are rows of A a constant stride apart, so that A is the lines themselves. Where products take pairs and a run is odd, it is one
//! number longer, which meets a weight of zero: a NaN there spreads one pixel further than it should, and is never swallowed.

use super::Step;
use super::buffer::{Scratch, Shared};
use super::epilogue::{Epilogue, Part, Quad};
use super::kernel::{COLUMNS, Kernel, ROWS, Rows, Task, Tile, run_all};
use super::pixels::{Grid, Pixels};
use super::weights::{Panels, Source, place};
use super::windows::Windows;

/// Pictures with more channels gain nothing.
const CHANNELS: usize = 4;
/// Blocks that the lines of windows are cut into where there are enough.
const BLOCKS: usize = 64;

/// Whether this way suits pictures of this shape.
pub fn suits(step: Step, grid: Grid) -> bool {
    !step.is_f32() && grid.channels <= CHANNELS && grid.width >= 2 * ROWS
}

/// Numbers of a run, in whole pairs.
pub fn run_length(channels: usize) -> usize {
    (3 * channels).next_multiple_of(2)
}

/// How the lines of windows are cut into blocks: a function of the shape alone.
#[derive(Clone, Copy)]
pub struct Plan {
    windows: Windows,
    /// Lines of windows of all pictures.
    lines: usize,
    /// Lines of a block, but for the last.
    each: usize,
}

impl Plan {
    pub fn new(windows: Windows) -> Self {
        let lines = windows.count() / windows.extent().1;
        Self { windows: windows.as_read(), lines, each: lines.div_ceil(BLOCKS).max(1) }
    }

    fn blocks(&self) -> usize {
        self.lines.div_ceil(self.each)
    }

    /// The lines of a block.
    fn lines(&self, block: usize) -> std::ops::Range<usize> {
        block * self.each..self.lines.min((block + 1) * self.each)
    }

    /// Pixels in each block.
    pub fn pixels(&self) -> Vec<usize> {
        let width = self.windows.extent().1;
        (0..self.blocks()).map(|block| self.lines(block)).map(|l| self.windows.pixels(l.start * width, l.end * width)).collect()
    }
}

/// Computes `pixels (*) panels` and gives the sums to `epilogue`.
pub fn convolve<P: Pixels, E: Epilogue>(step: Step, pixels: &P, plan: Plan, panels: &Panels, epilogue: &E) {
    assert!(panels.depth == 3 * run_length(pixels.grid().channels), "panels of these channels");
    run_all(step, &Lines { pixels, plan, panels, epilogue }, plan.blocks());
}

struct Lines<'a, P, E> {
    pixels: &'a P,
    plan: Plan,
    panels: &'a Panels,
    epilogue: &'a E,
}

impl<P: Pixels, E: Epilogue> Task for Lines<'_, P, E> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, block: usize) {
        let channels = self.pixels.grid().channels;
        let (height, width) = self.plan.windows.extent();
        let tiles = width.div_ceil(ROWS);
        // the windows of the last tile may reach beyond the line, and a run by a pixel
        let pitch = (2 * ROWS * tiles + 3) * channels;
        let (mut scratch, mut line_scratch) = (Scratch::take(), Scratch::take());
        let lines = scratch.numbers::<K::Packed>(4 * pitch);
        let line_room = line_scratch.numbers::<f32>(self.pixels.grid().width * channels);
        let mut sums: Quad = [Tile::ZERO; 4];
        // pixels of the lines before
        let mut done = 0;
        for line in self.plan.lines(block) {
            for (below, lines) in lines.chunks_exact_mut(pitch).enumerate() {
                self.pack_line::<K>(line / height, (2 * (line % height) + below).wrapping_sub(1), line_room, lines);
            }
            for panel in 0..self.panels.count {
                let mut before = done;
                for tile in 0..tiles {
                    // SAFETY: four lines were packed, this tile lies in them, and the panel exists.
                    unsafe { self.multiply::<K>(lines, pitch, tile, panel, &mut sums) };
                    let first = line * width + tile * ROWS;
                    let part = Part { block, first, windows: ROWS.min(width - tile * ROWS), row: 0, before, panel };
                    before += self.plan.windows.pixels(first, first + part.windows);
                    // SAFETY: each block belongs to this piece alone.
                    unsafe { self.epilogue.take(part, &sums) };
                }
            }
            done += self.plan.windows.pixels(line * width, (line + 1) * width);
        }
    }
}

impl<P: Pixels, E> Lines<'_, P, E> {
    /// A line of a picture with a pixel of zeros before it and two behind; all zeros beyond the picture.
    #[inline(always)]
    fn pack_line<K: Kernel>(&self, image: usize, y: usize, room: &mut [f32], out: &mut [K::Packed]) {
        let Grid { height, width, channels, .. } = self.pixels.grid();
        if y >= height {
            out.fill(K::Packed::default());
            return;
        }
        let pixels = if let Some(pixels) = self.pixels.view(image, y, 0, width) {
            pixels
        } else {
            self.pixels.read(image, y, 0, width, room);
            &*room
        };
        let (before, out) = out.split_at_mut(channels);
        let (out, behind) = out.split_at_mut(width * channels);
        before.fill(K::Packed::default());
        behind.fill(K::Packed::default());
        // SAFETY: the step's instructions are promised by the caller of `run`.
        unsafe { K::pack(pixels, out) };
    }

    /// All sums of a tile's twelve windows and a panel.
    ///
    /// # Safety
    /// The step's instructions are available, there are four `lines` of `pitch` numbers, and tile and panel exist.
    #[inline(always)]
    unsafe fn multiply<K: Kernel>(&self, lines: &[K::Packed], pitch: usize, tile: usize, panel: usize, sums: &mut Quad) {
        let channels = self.pixels.grid().channels;
        for (corner, sums) in sums.iter_mut().enumerate() {
            let start = corner / 2 * pitch + (2 * ROWS * tile + corner % 2) * channels;
            let rows = Rows {
                first: lines[start..].as_ptr(),
                stride: 2 * channels,
                runs: &[0, pitch, 2 * pitch],
                run_length: run_length(channels),
            };
            // SAFETY: the last row's run ends at most three pixels behind the tile's last, within the pitch; a panel is whole.
            unsafe { K::tile::<ROWS, false>(&rows, self.panels.panel::<K::Packed>(panel), sums.0.as_mut_ptr().cast(), COLUMNS) };
        }
    }
}

/// Packs all panels: the taps of a run one behind the other.
pub fn pack(step: Step, source: Source<'_>, out: Shared<f32>) {
    run_all(step, &Pack { source, out }, source.panels());
}

struct Pack<'a> {
    source: Source<'a>,
    out: Shared<f32>,
}

impl Task for Pack<'_> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let deep = self.source.deep();
        let run = run_length(deep);
        let len = 3 * run * COLUMNS;
        // SAFETY: panel `index` is written by this piece only, and a packed number is at most as large as an f32, so the
        // panels of any step lie one behind the other within the buffer.
        let panel = unsafe { std::slice::from_raw_parts_mut(self.out.at(0).cast::<K::Packed>().add(index * len), len) };
        for k in 0..3 * run {
            let mut row = [0.0; COLUMNS];
            if k % run < 3 * deep {
                for (j, value) in row.iter_mut().enumerate().take(self.source.columns(index)) {
                    *value = self.source.weight(k / run * 3 + k % run / deep, k % run % deep, index * COLUMNS + j);
                }
            }
            let mut packed = [K::Packed::default(); COLUMNS];
            // SAFETY: the step's instructions are promised by the caller of `run`.
            unsafe { K::pack(&row, &mut packed) };
            for (j, value) in packed.iter().enumerate() {
                panel[place::<K>(k, j)] = *value;
            }
        }
    }
}
