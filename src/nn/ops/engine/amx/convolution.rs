//! The 3 x 3 products over pixels by AMX: forward and input gradient, without gathering anything.
//!
//! A tile of sixteen windows lies at every second position of a line (see `sheet.rs`), so that the rows of A are the pixels of
//! one corner of the windows, a constant stride apart, and a tap is a shift:
//!
//! ```text
//!            32 channels of a tap             32 outputs
//!        +-------------------------+          +--------+
//!     16 | left corners of windows |          |        |
//!        +-------------------------+    x     | panel  |    for all taps and channels, for the upper two corners of the
//!     16 | right corners           |          |        |    windows, then for the lower two
//!        +-------------------------+          +--------+
//! ```

use super::super::Step;
use super::super::buffer::Scratch;
use super::super::epilogue::{Epilogue, Part, Quad};
use super::super::kernel::{AMX_ROWS, COLUMNS, Kernel, Task, Tile, run_all};
use super::super::weights::Panels;
use super::super::windows::{PIECES, Windows};
use super::few_inputs;
use super::sheet::{FEW, Form, LEAD, Sheet, products};
use super::tile::{Product, STEP, Stretch, Tiles, multiply};
use super::weights::depth;

/// Bytes of the four lines that a block's windows see, at most, unless a tile has more.
const BLOCK_BYTES: usize = 640 * 1024;

/// How the windows of a sheet are cut into blocks: a function of the shape alone. A block is some tiles of one line of windows.
#[derive(Clone, Copy)]
pub struct Plan {
    form: Form,
    windows: Windows,
    /// Tiles of a block, but for the last of a line.
    tiles: usize,
    /// Blocks of a line.
    across: usize,
}

impl Plan {
    pub fn new(sheet: &Sheet, windows: Windows) -> Self {
        let form = sheet.form();
        let bytes = 4 * 2 * AMX_ROWS * form.channels.max(STEP) * form.parts * size_of::<u16>();
        let tiles = (BLOCK_BYTES / bytes).clamp(1, form.tiles());
        Self { form, windows: windows.as_read(), tiles, across: form.tiles().div_ceil(tiles) }
    }

    /// How many blocks.
    pub fn blocks(&self) -> usize {
        self.windows.extent().0 * self.across
    }

    /// Pixels in each block.
    pub fn pixels(&self) -> Vec<usize> {
        (0..self.blocks())
            .map(|block| {
                let (line, tiles) = self.place(block);
                tiles.flat_map(|tile| self.runs(line, tile)).map(|run| self.windows.pixels(run.first, run.first + run.count)).sum()
            })
            .collect()
    }

    /// The line of windows and the tiles of a block.
    #[inline(always)]
    fn place(&self, block: usize) -> (usize, std::ops::Range<usize>) {
        let first = block % self.across * self.tiles;
        (block / self.across, first..(first + self.tiles).min(self.form.tiles()))
    }

    /// The windows of a tile, image by image; what lies between two images is left out.
    #[inline(always)]
    fn runs(&self, line: usize, tile: usize) -> impl Iterator<Item = Run> {
        let (height, width) = self.windows.extent();
        let (pitch, images) = (self.form.pitch / 2, self.form.images);
        let (from, to) = (tile * AMX_ROWS, (tile + 1) * AMX_ROWS);
        (from / pitch..images.min(to.div_ceil(pitch))).filter_map(move |image| {
            let (start, end) = (from.max(image * pitch), to.min(image * pitch + width));
            let x = start - image * pitch;
            (start < end).then(|| Run { row: start - from, first: (image * height + line) * width + x, count: end - start })
        })
    }
}

/// Some windows side by side in one image.
struct Run {
    /// The row of the tile that the first has.
    row: usize,
    /// The number of the first.
    first: usize,
    count: usize,
}

/// Computes `sheet (*) panels` and gives the sums to `epilogue`.
pub fn convolve<E: Epilogue>(sheet: &Sheet, plan: &Plan, panels: &Panels, epilogue: &E) {
    let form = sheet.form();
    assert!(panels.depth == depth(form.channels), "panels of these channels");
    let groups = PIECES.div_ceil(plan.blocks().max(1)).min(panels.count);
    let stretches = [Edge { upper: true, lower: false }, Edge::NONE, Edge { upper: false, lower: true }, Edge { upper: true, lower: true }]
        .map(|edge| if form.channels <= FEW { few_inputs::stretches(form.parts) } else { stretches(form, edge) });
    run_all(Step::Avx512Bf16, &Convolve { sheet, plan, panels, epilogue, groups, stretches }, plan.blocks() * groups);
}

/// Which border of the picture a line of pixels lies at: there the taps beyond it are left out.
#[derive(Clone, Copy)]
struct Edge {
    upper: bool,
    lower: bool,
}

impl Edge {
    const NONE: Self = Self { upper: false, lower: false };

    /// Its place in the table of stretches.
    #[inline(always)]
    fn number(self) -> usize {
        match (self.upper, self.lower) {
            (true, false) => 0,
            (false, false) => 1,
            (false, true) => 2,
            (true, true) => 3,
        }
    }
}

/// Where the taps lie, from the pixel above and to the left, for all products of parts.
fn stretches(form: Form, edge: Edge) -> Vec<Stretch> {
    let bytes = |numbers: usize| (numbers * size_of::<u16>()).cast_signed();
    let taps = (0..9).filter(|tap| !(edge.upper && tap / 3 == 0 || edge.lower && tap / 3 == 2));
    let taps: Vec<usize> = taps.collect();
    let stretch = |(a, b): (usize, usize), tap: usize| Stretch {
        a: bytes(a * form.part_numbers() + tap / 3 * form.line_numbers() + tap % 3 * form.channels),
        b: bytes((b * 9 + tap) * form.channels * COLUMNS),
    };
    products(form.parts).iter().flat_map(|part| taps.iter().map(|tap| stretch(*part, *tap))).collect()
}

struct Convolve<'a, E> {
    sheet: &'a Sheet,
    plan: &'a Plan,
    panels: &'a Panels,
    epilogue: &'a E,
    /// Groups that the panels are cut into where there are few blocks.
    groups: usize,
    /// By [`Edge::number`].
    stretches: [Vec<Stretch>; 4],
}

impl<E: Epilogue> Task for Convolve<'_, E> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let (block, group) = (index / self.groups, index % self.groups);
        let (line, tiles) = self.plan.place(block);
        let mut sums: Quad = [Tile::ZERO; 4];
        let mut scratch = Scratch::take();
        let neighbours = scratch.numbers::<u16>(few_inputs::numbers(2 * AMX_ROWS, self.plan.form.parts));
        // SAFETY: the step is AMX, or there would be no sheet.
        let registers = unsafe { Tiles::new() };
        for panel in self.panels.count * group / self.groups..self.panels.count * (group + 1) / self.groups {
            let mut before = 0;
            for tile in tiles.clone() {
                // SAFETY: tile and panel exist, and the registers are set up.
                unsafe { self.multiply(line, tile, panel, neighbours, &mut sums) };
                for run in self.plan.runs(line, tile) {
                    let part = Part { block, first: run.first, windows: run.count, row: run.row, panel, before };
                    before += self.plan.windows.pixels(run.first, run.first + run.count);
                    // SAFETY: each block and panel belongs to this piece alone.
                    unsafe { self.epilogue.take(part, &sums) };
                }
            }
        }
        drop(registers);
    }
}

impl<E> Convolve<'_, E> {
    /// All sums of a tile's sixteen windows and a panel.
    ///
    /// # Safety
    /// The tile registers are set up; line, tile and panel exist.
    #[inline(always)]
    unsafe fn multiply(&self, line: usize, tile: usize, panel: usize, neighbours: &mut [u16], sums: &mut Quad) {
        let form = self.plan.form;
        for (below, sums) in sums.chunks_exact_mut(2).enumerate() {
            let y = 2 * line + below;
            if y >= form.height {
                continue;
            }
            let edge = Edge { upper: y == 0, lower: y + 1 == form.height };
            let [left, right] = sums else { unreachable!("chunks of two") };
            // the position above and to the left of the first window's corner
            let position = LEAD + tile * 2 * AMX_ROWS - 1;
            let (first, pixel, steps) = if form.channels <= FEW {
                // SAFETY: the positions of this tile; there is AVX-512.
                unsafe { few_inputs::gather(self.sheet, form.parts, y, position, 2 * AMX_ROWS, neighbours) };
                (neighbours.as_ptr(), form.parts * STEP, 1)
            } else {
                (self.sheet.line(y).wrapping_add(position * form.channels), form.channels, form.channels / STEP)
            };
            let product = Product {
                upper: first,
                lower: first.wrapping_add(pixel),
                a_stride: 2 * pixel * size_of::<u16>(),
                b: self.panels.panel::<u16>(panel),
                upper_sums: left.0.as_mut_ptr().cast(),
                lower_sums: right.0.as_mut_ptr().cast(),
                c_stride: COLUMNS * size_of::<f32>(),
                steps,
            };
            // SAFETY: sixteen windows from this tile's first lie within the line and the zeros behind it, a position more on either
            // side and the lines above and below too, which the stretches name only where they exist; a panel is whole.
            unsafe { multiply::<false>(&product, &self.stretches[edge.number()]) };
        }
    }
}
