//! The weight gradient of a layer with few input channels (the first one): neighbourhoods as they are gathered, one row a pixel,
//! are already the operand of an outer product with the output gradients; nothing is transposed.
//!
//! ```text
//!    9 x C, rounded up             32
//!      +-------------+         +--------+
//!      | pixel 0     |         |        |
//!      | pixel 1     |         |        |   sums[row][column] += A[pixel][row] * B[pixel][column]
//!      | ...         |         |        |
//!      +-------------+         +--------+
//! ```
//!
//! In 32-bit floats on every step: the products are few, and most of the time goes into gathering.

use super::Step;
use super::buffer::{Buffer, Scratch, Shared};
use super::kernel::{COLUMNS, Kernel, Task, run_all};
use super::pixels::{Pixels, gather};
use super::weight_gradient::tiles;

/// Layers with fewer input channels come here.
pub const FEW: usize = 8;
/// Groups of lines that are summed apart, at most.
const GROUPS: usize = 16;

/// Writes the gradient of the weights (9 x inputs x outputs).
pub fn weight_gradient<X: Pixels, G: Pixels>(step: Step, x: &X, gradient: &G, partial: &mut Buffer, out: &mut [f32]) {
    let outputs = gradient.grid().channels;
    let depth = 9 * x.grid().channels;
    let rows = depth.next_multiple_of(4).max(8);
    let columns = outputs.next_multiple_of(COLUMNS);
    let lines = x.grid().images * gradient.extent().0;
    let groups = GROUPS.min(lines).max(1);
    let sums = partial.numbers::<f32>(groups * rows * columns);
    run_all(step, &Multiply { x, gradient, rows, columns, lines, groups, sums: Shared::new(sums) }, groups);
    out.fill(0.0);
    for group in sums.chunks_exact(rows * columns) {
        for (out, sums) in out.chunks_exact_mut(outputs).zip(group.chunks_exact(columns)) {
            for (out, sum) in out.iter_mut().zip(sums) {
                *out += sum;
            }
        }
    }
}

struct Multiply<'a, X, G> {
    x: &'a X,
    gradient: &'a G,
    /// 9 x inputs and outputs, rounded up to what tiles cover.
    rows: usize,
    columns: usize,
    /// Lines of all images together.
    lines: usize,
    groups: usize,
    /// groups x rows x columns.
    sums: Shared<f32>,
}

impl<X: Pixels, G: Pixels> Task for Multiply<'_, X, G> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, group: usize) {
        let (height, width) = self.gradient.extent();
        // SAFETY: the sums of this group are this piece's.
        let sums = unsafe { self.sums.part(group * self.rows * self.columns, self.rows * self.columns) };
        sums.fill(0.0);
        let (mut a_scratch, mut b_scratch) = (Scratch::take(), Scratch::take());
        let a = a_scratch.numbers::<f32>(width * self.rows);
        // rows and columns that only fill up tiles: whatever they sum up to is left out, but must not be slow
        a.fill(0.0);
        let b = b_scratch.numbers::<f32>(width * self.columns);
        b.fill(0.0);
        for line in self.lines * group / self.groups..self.lines * (group + 1) / self.groups {
            let (image, y) = (line / height, line % height);
            for (column, row) in a.chunks_exact_mut(self.rows).enumerate() {
                gather(self.x, image, y, column, &mut row[..9 * self.x.grid().channels]);
            }
            self.read_gradients(image, y, width, b);
            for (panel, b) in b.chunks_exact(width * COLUMNS).enumerate() {
                for (row, tile) in tiles(self.rows) {
                    // SAFETY: `width` rows of A and of the panel, and the tile of the sums, all within the slices.
                    unsafe {
                        let c = sums.as_mut_ptr().add(row * self.columns + panel * COLUMNS);
                        let a = a.as_ptr().add(row);
                        if tile == 8 {
                            K::outer::<8, true>(a, self.rows, width, b.as_ptr(), c, self.columns);
                        } else {
                            K::outer::<12, true>(a, self.rows, width, b.as_ptr(), c, self.columns);
                        }
                    }
                }
            }
        }
    }
}

impl<X: Pixels, G: Pixels> Multiply<'_, X, G> {
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
