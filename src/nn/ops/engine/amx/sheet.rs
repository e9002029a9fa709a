//! Pictures as AMX reads them: bfloat16, all images side by side, with zeros around each.
//!
//! ```text
//!             image 0         image 1
//!  line 0   0 0 | 0 0 0 0 0 0 | 0 0 0 0 0 0 | 0 0 ...
//!  line 1   0 0 | a b c d 0 0 | A B C D 0 0 | 0 0 ...     a: the channels of a pixel, side by side
//!  line 2   0 0 | e f g h 0 0 | E F G H 0 0 | 0 0 ...
//!  line 3   0 0 | 0 0 0 0 0 0 | 0 0 0 0 0 0 | 0 0 ...
//! ```
//!
//! So a tap is the same memory, shifted by a constant; the windows of a line are every second position from the left edge to the
//! right one, whatever the image; and a product over all positions meets only zeros where there is no pixel. With bf16x3 there are
//! several such sheets, one behind the other: the rounded numbers and what the rounding left over.

use super::super::Step;
use super::super::buffer::{Buffer, Scratch, Shared};
use super::super::kernel::{AMX_ROWS, Kernel, Task, run_all};
use super::super::lanes::store_part;
use super::super::pixels::{Grid, Pixels};
use super::super::windows::PIECES;

/// Zeros before the first image of a line.
pub const LEAD: usize = 2;
/// Positions that a tile of windows spans.
const TILE_POSITIONS: usize = 2 * AMX_ROWS;
/// Channels come in multiples of this,
pub const CHANNELS: usize = 32;
/// or are at most so many: then all taps of all channels are one step of a product.
pub const FEW: usize = 3;
/// Numbers behind the last part that may be read, though not used.
const SPARE: usize = 32;

/// Where things lie in a sheet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// The pictures.
    pub height: usize,
    pub width: usize,
    pub images: usize,
    pub channels: usize,
    /// From image to image, an even number of positions.
    pub pitch: usize,
    /// Positions of a line, a multiple of 32.
    pub line: usize,
    /// Parts of each number, see [`parts`].
    pub parts: usize,
}

impl Form {
    fn new(grid: Grid, step: Step) -> Self {
        let Grid { images, height, width, channels } = grid;
        let pitch = 2 * (width / 2 + 1);
        // the last window of the last tile sees LEAD positions beyond the tile's
        let line = (images * pitch).next_multiple_of(TILE_POSITIONS) + TILE_POSITIONS;
        Self { height, width, images, channels, pitch, line, parts: parts(step, channels) }
    }

    /// Numbers of a line.
    pub fn line_numbers(self) -> usize {
        self.line * self.channels
    }

    /// Numbers of a part: all lines, with those of zeros.
    pub fn part_numbers(self) -> usize {
        (self.height + 2) * self.line_numbers()
    }

    /// Tiles of sixteen windows in a line.
    pub fn tiles(self) -> usize {
        (self.line - TILE_POSITIONS) / TILE_POSITIONS
    }
}

/// Pictures laid out so; the memory is kept from step to step.
#[derive(Default)]
pub struct Sheet {
    form: Form,
    numbers: Buffer,
}

/// The bfloat16 that a number is the sum of: one; with bf16x3 two, and three in the first layer, where exactness costs little and
/// keeps the most windows from choosing another maximum than 32-bit arithmetic.
pub fn parts(step: Step, channels: usize) -> usize {
    match step {
        Step::AmxBf16x3 if channels <= FEW => 3,
        Step::AmxBf16x3 => 2,
        _ => 1,
    }
}

/// The products of the parts of A and B that matter: with two parts high x high, high x low and low x high.
pub fn products(parts: usize) -> &'static [(usize, usize)] {
    const ALL: [(usize, usize); 6] = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0)];
    &ALL[..[1, 3, 6][parts - 1]]
}

/// Whether AMX takes pictures with so many channels.
pub fn suits(step: Step, channels: usize) -> bool {
    step.is_amx() && (channels.is_multiple_of(CHANNELS) || channels <= FEW)
}

impl Sheet {
    /// Lays out all pixels.
    pub fn pack<P: Pixels>(&mut self, step: Step, pixels: &P) {
        let form = Form::new(pixels.grid(), step);
        assert!(suits(step, form.channels), "AMX needs channels in multiples of {CHANNELS}, or at most {FEW}");
        self.form = form;
        let out = Shared::new(self.numbers.numbers::<u16>(form.parts * form.part_numbers() + SPARE));
        let groups = PIECES.div_ceil(form.height + 2).min(form.images);
        run_all(Step::Avx512Bf16, &Pack { pixels, form, groups, out }, (form.height + 2) * groups);
    }

    pub fn form(&self) -> Form {
        self.form
    }

    /// The first number of a line, of the rounded numbers.
    pub fn line(&self, line: usize) -> *const u16 {
        debug_assert!(line < self.form.height + 2);
        self.numbers.start::<u16>().wrapping_add(line * self.form.line_numbers())
    }
}

struct Pack<'a, P> {
    pixels: &'a P,
    form: Form,
    /// Groups that the images of a line are cut into.
    groups: usize,
    out: Shared<u16>,
}

impl<P: Pixels> Task for Pack<'_, P> {
    /// One group of images of one line.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let form = self.form;
        let (line, group) = (index / self.groups, index % self.groups);
        let images = form.images * group / self.groups..form.images * (group + 1) / self.groups;
        let first = if group == 0 { 0 } else { LEAD + images.start * form.pitch };
        let end = if group + 1 == self.groups { form.line } else { LEAD + images.end * form.pitch };
        let place = |part: usize, position: usize| part * form.part_numbers() + (line * form.line + position) * form.channels;
        let mut scratch = Scratch::take();
        let values = scratch.numbers::<f32>(form.width * form.channels);
        for part in 0..form.parts {
            // SAFETY: these positions of this line belong to this piece.
            let zeros = |from: usize, to: usize| unsafe {
                self.out.part(place(part, from), (to - from) * form.channels).fill(0);
            };
            if line == 0 || line == form.height + 1 {
                zeros(first, end);
                continue;
            }
            zeros(first, LEAD + images.start * form.pitch);
            for image in images.clone() {
                let start = LEAD + image * form.pitch;
                let pixels = if let Some(pixels) = self.pixels.view(image, line - 1, 0, form.width) {
                    pixels
                } else {
                    self.pixels.read(image, line - 1, 0, form.width, values);
                    &*values
                };
                // SAFETY: the pixels of this image on this line, which belong to this piece; the instructions are there.
                unsafe { store_part(pixels, part, self.out.at(place(part, start))) };
                zeros(start + form.width, start + form.pitch);
            }
            zeros(LEAD + images.end * form.pitch, end);
        }
    }
}
