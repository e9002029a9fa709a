//! The weight gradient of a layer with few input channels (the first one). With a border of zeros, the three taps of a line that a
//! pixel sees are neighbours in the picture, a constant stride from pixel to pixel: already the operand of an outer product with
//! the output gradients. Nothing is gathered or transposed.
//!
//! ```text
//!    3 x C, rounded up             32
//!      +-------------+         +--------+
//!      | pixel 0     |         |        |
//!      | pixel 1     |         |        |   sums[line][row][column] += A[line][pixel][row] * B[pixel][column]
//!      | ...         |         |        |
//!      +-------------+         +--------+   for the lines above, of and below the pixels
//! ```
//!
//! In 32-bit floats on every step: the products are few.

use super::Step;
use super::buffer::{Buffer, Scratch, Shared};
use super::kernel::{COLUMNS, Kernel, Task, run_all};
use super::pixels::{Grid, Pixels};
use super::weight_gradient::tiles;

/// Layers with fewer input channels come here.
pub const FEW: usize = 8;
/// Groups of lines that are summed apart, at most.
const GROUPS: usize = 16;

/// Writes the gradient of the weights (9 x inputs x outputs).
pub fn weight_gradient<X: Pixels, G: Pixels>(step: Step, x: &X, gradient: &G, partial: &mut Buffer, out: &mut [f32]) {
    let outputs = gradient.grid().channels;
    let run = 3 * x.grid().channels;
    let rows = run.next_multiple_of(4).max(8);
    let columns = outputs.next_multiple_of(COLUMNS);
    let lines = x.grid().images * gradient.extent().0;
    let groups = GROUPS.min(lines).max(1);
    let sums = partial.numbers::<f32>(groups * 3 * rows * columns);
    run_all(step, &Multiply { x, gradient, rows, columns, lines, groups, sums: Shared::new(sums) }, groups);
    out.fill(0.0);
    for group in sums.chunks_exact(3 * rows * columns) {
        for (out, group) in out.chunks_exact_mut(run * outputs).zip(group.chunks_exact(rows * columns)) {
            for (out, sums) in out.chunks_exact_mut(outputs).zip(group.chunks_exact(columns)) {
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out += sum;
                }
            }
        }
    }
}

struct Multiply<'a, X, G> {
    x: &'a X,
    gradient: &'a G,
    /// 3 x inputs and outputs, rounded up to what tiles cover.
    rows: usize,
    columns: usize,
    /// Lines of all images together.
    lines: usize,
    groups: usize,
    /// groups x 3 lines x rows x columns.
    sums: Shared<f32>,
}

impl<X: Pixels, G: Pixels> Task for Multiply<'_, X, G> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, group: usize) {
        let (height, width) = self.gradient.extent();
        // SAFETY: the sums of this group are this piece's.
        let sums = unsafe { self.sums.part(group * 3 * self.rows * self.columns, 3 * self.rows * self.columns) };
        sums.fill(0.0);
        let channels = self.x.grid().channels;
        // the rows that only fill up the last pixel's tile reach beyond its three taps: whatever they sum up to is left out, but
        // must not be slow
        let pitch = (width - 1) * channels + self.rows;
        let (mut a_scratch, mut b_scratch) = (Scratch::take(), Scratch::take());
        let a = a_scratch.numbers::<f32>(3 * pitch);
        let b = b_scratch.numbers::<f32>(width * self.columns);
        b.fill(0.0);
        for line in self.lines * group / self.groups..self.lines * (group + 1) / self.groups {
            let (image, y) = (line / height, line % height);
            self.read_gradients(image, y, width, b);
            for (tap, (a, sums)) in a.chunks_exact_mut(pitch).zip(sums.chunks_exact_mut(self.rows * self.columns)).enumerate() {
                self.read_line(image, (y + tap).wrapping_sub(1), a);
                for (panel, b) in b.chunks_exact(width * COLUMNS).enumerate() {
                    for (row, tile) in tiles(self.rows) {
                        // SAFETY: `rows` numbers of A from each of `width` pixels, as many rows of the panel, and the tile of the
                        // sums, all within the slices.
                        unsafe {
                            let c = sums.as_mut_ptr().add(row * self.columns + panel * COLUMNS);
                            let a = a.as_ptr().add(row);
                            if tile == 8 {
                                K::Exact::outer::<8, true>(a, channels, width, b.as_ptr(), c, self.columns);
                            } else {
                                K::Exact::outer::<12, true>(a, channels, width, b.as_ptr(), c, self.columns);
                            }
                        }
                    }
                }
            }
        }
    }
}

impl<X: Pixels, G: Pixels> Multiply<'_, X, G> {
    /// A line of pixels with a border of zeros; all zeros beyond the picture.
    #[inline(always)]
    fn read_line(&self, image: usize, y: usize, out: &mut [f32]) {
        let Grid { height, width, channels, .. } = self.x.grid();
        if y >= height {
            out.fill(0.0);
            return;
        }
        // no pixel with a gradient sees further than there is room for
        let width = width.min((out.len() - channels) / channels);
        let (before, out) = out.split_at_mut(channels);
        let (out, behind) = out.split_at_mut(width * channels);
        before.fill(0.0);
        behind.fill(0.0);
        self.x.read(image, y, 0, width, out);
    }

    /// A line of output gradients in panels, `[panels][width][32]`.
    #[inline(always)]
    fn read_gradients(&self, image: usize, y: usize, width: usize, out: &mut [f32]) {
        let outputs = self.gradient.grid().channels;
        if outputs == COLUMNS {
            self.gradient.read(image, y, 0, width, out);
            return;
        }
        let mut scratch = Scratch::take();
        let pixel = scratch.numbers::<f32>(outputs);
        for x in 0..width {
            self.gradient.read(image, y, x, 1, pixel);
            for (panel, values) in pixel.chunks(COLUMNS).enumerate() {
                out[(panel * width + x) * COLUMNS..][..values.len()].copy_from_slice(values);
            }
        }
    }
}
