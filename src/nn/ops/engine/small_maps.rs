//! The weight gradient on maps of a few pixels, where most taps of most pixels lie beyond the border: only the pairs of an input
//! and an output pixel that a tap connects are multiplied, each over all images at once.
//!
//! In 32-bit floats on every step: most of the time goes into writing the gradient.
//!
//! ```text
//! gradient[tap] = sum over pairs (from, to) of  X[from] (inputs x images) * G[to] (images x outputs)
//! ```

use super::Step;
use super::buffer::{Buffer, Scratch, Shared};
use super::kernel::{COLUMNS, Kernel, Task, run_all};
use super::pixels::{Grid, Pixels};
use super::weight_gradient::tiles;

/// The largest map, in pixels, that comes here.
const PIXELS: usize = 4;

/// Whether this way suits the shape.
pub fn suits(input: Grid, outputs: usize) -> bool {
    let rows_fit = input.channels.is_multiple_of(4) && input.channels >= 8;
    rows_fit && outputs.is_multiple_of(COLUMNS) && input.height * input.width <= PIXELS
}

/// Writes the gradient of the weights (9 x inputs x outputs).
pub fn weight_gradient<X: Pixels, G: Pixels>(
    step: Step,
    x: &X,
    gradient: &G,
    activations: &mut Buffer,
    panels: &mut Buffer,
    out: &mut [f32],
) {
    let grid = x.grid();
    let outputs = gradient.grid().channels;
    let activations = Shared::new(activations.numbers::<f32>(grid.len()));
    let panels = Shared::new(panels.numbers::<f32>(grid.with_channels(outputs).len()));
    let pixels = grid.height * grid.width;
    run_all(step, &Pack { x, gradient, activations, panels }, grid.images * pixels);
    run_all(step, &Multiply { grid, outputs, activations, panels, out: Shared::new(out) }, 9 * outputs / COLUMNS);
}

struct Pack<'a, X, G> {
    x: &'a X,
    gradient: &'a G,
    /// `[pixels][images][inputs]`
    activations: Shared<f32>,
    /// `[panels][pixels][images][32]`
    panels: Shared<f32>,
}

impl<X: Pixels, G: Pixels> Task for Pack<'_, X, G> {
    /// One pixel of one image.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let grid = self.x.grid();
        let (image, pixel) = (index % grid.images, index / grid.images);
        let (y, x) = (pixel / grid.width, pixel % grid.width);
        // SAFETY: this pixel of this image is this piece's.
        let activations = unsafe { self.activations.part(index * grid.channels, grid.channels) };
        self.x.read(image, y, x, 1, activations);
        let outputs = self.gradient.grid().channels;
        let mut scratch = Scratch::take();
        let gradient = scratch.numbers::<f32>(outputs);
        self.gradient.read(image, y, x, 1, gradient);
        let all = grid.images * grid.height * grid.width;
        for (panel, values) in gradient.chunks_exact(COLUMNS).enumerate() {
            // SAFETY: as above.
            unsafe { self.panels.part((panel * all + index) * COLUMNS, COLUMNS) }.copy_from_slice(values);
        }
    }
}

struct Multiply {
    grid: Grid,
    outputs: usize,
    activations: Shared<f32>,
    panels: Shared<f32>,
    out: Shared<f32>,
}

impl Multiply {
    /// The pairs of pixels that a tap connects.
    fn pairs(&self, tap: usize) -> Vec<(usize, usize)> {
        let Grid { height, width, .. } = self.grid;
        let mut pairs = Vec::with_capacity(height * width);
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let (from_y, from_x) = ((y + tap / 3).wrapping_sub(1), (x + tap % 3).wrapping_sub(1));
            if from_y < height && from_x < width {
                pairs.push((from_y * width + from_x, y * width + x));
            }
        }
        pairs
    }
}

impl Task for Multiply {
    /// One tap and 32 outputs.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let panels = self.outputs / COLUMNS;
        let (tap, panel) = (index / panels, index % panels);
        let (images, inputs) = (self.grid.images, self.grid.channels);
        let all = images * self.grid.height * self.grid.width;
        let pairs = self.pairs(tap);
        for (row, height) in tiles(inputs) {
            // SAFETY: rows `row..row + height` of this tap and the 32 outputs of this panel are this piece's; the operands were
            // packed before and are only read; each pair's pixels lie in the map.
            unsafe {
                let c = self.out.at((tap * inputs + row) * self.outputs + panel * COLUMNS);
                if pairs.is_empty() {
                    (0..height).for_each(|r| self.out.part((tap * inputs + row + r) * self.outputs + panel * COLUMNS, COLUMNS).fill(0.0));
                }
                for (number, (from, to)) in pairs.iter().enumerate() {
                    let a = self.activations.at(from * images * inputs + row).cast_const();
                    let b = self.panels.at((panel * all + to * images) * COLUMNS).cast_const();
                    match (height, number) {
                        (8, 0) => K::Exact::outer::<8, false>(a, inputs, images, b, c, self.outputs),
                        (8, _) => K::Exact::outer::<8, true>(a, inputs, images, b, c, self.outputs),
                        (_, 0) => K::Exact::outer::<12, false>(a, inputs, images, b, c, self.outputs),
                        (_, _) => K::Exact::outer::<12, true>(a, inputs, images, b, c, self.outputs),
                    }
                }
            }
        }
    }
}
