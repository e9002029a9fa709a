//! Convolution weights in the order that the products read them.
//!
//! A 3 x 3 weight is kept as taps x inputs x outputs (9 x C x O). A panel holds 32 columns for every `k`:
//!
//! ```text
//! forward          k = (tap, input),   column = output
//! input gradient   k = (tap, output),  column = input,   taps turned by 180 degrees
//! ```

use super::Step;
use super::buffer::{Buffer, Shared};
use super::kernel::{COLUMNS, Kernel, Task, run_all};

/// Packed panels.
#[derive(Default)]
pub struct Panels {
    buffer: Buffer,
    /// Numbers a panel.
    pub panel_len: usize,
    /// How many panels.
    pub count: usize,
    /// `k` of each panel, rounded up to the step's depth.
    pub depth: usize,
}

/// Which product the panels are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Forward,
    InputGradient,
}

impl Panels {
    /// Packs `weights` (9 x inputs x outputs).
    pub fn pack(&mut self, step: Step, weights: &[f32], outputs: usize, inputs: usize, usage: Use) {
        let (deep, wide) = if usage == Use::Forward { (inputs, outputs) } else { (outputs, inputs) };
        self.depth = (9 * deep).next_multiple_of(2);
        self.count = wide.div_ceil(COLUMNS);
        self.panel_len = self.depth * COLUMNS;
        // room for 32-bit numbers also where 16 are used: the step may change between two calls
        let numbers = self.buffer.numbers::<f32>(self.count * self.panel_len);
        run_all(step, &Pack { weights, outputs, inputs, usage, depth: self.depth, out: Shared::new(numbers) }, self.count);
    }

    /// The first number of panel `index`.
    pub fn panel<P: Copy>(&self, index: usize) -> *const P {
        debug_assert!(index < self.count);
        self.buffer.start::<P>().wrapping_add(index * self.panel_len)
    }
}

struct Pack<'a> {
    weights: &'a [f32],
    outputs: usize,
    inputs: usize,
    usage: Use,
    depth: usize,
    out: Shared<f32>,
}

impl Task for Pack<'_> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let len = self.depth * COLUMNS;
        // SAFETY: panel `index` is written by this piece only, and a packed number is at most as large as an f32, so the
        // panels of any step lie one behind the other within the buffer.
        let panel = unsafe { std::slice::from_raw_parts_mut(self.out.at(0).cast::<K::Packed>().add(index * len), len) };
        let (deep, wide) = if self.usage == Use::Forward { (self.inputs, self.outputs) } else { (self.outputs, self.inputs) };
        if !wide.is_multiple_of(COLUMNS) {
            panel.fill(K::Packed::default());
        }
        // the last `k`, which only makes the depth even
        for j in 0..if 9 * deep < self.depth { COLUMNS } else { 0 } {
            panel[place::<K>(9 * deep, j)] = K::Packed::default();
        }
        match self.usage {
            Use::Forward => self.forward::<K>(index, panel),
            Use::InputGradient => self.input_gradient::<K>(index, panel),
        }
    }
}

/// Where column `j` of `k` lies in a panel.
#[inline(always)]
fn place<K: Kernel>(k: usize, j: usize) -> usize {
    (k / K::DEPTH_STEP * COLUMNS + j) * K::DEPTH_STEP + k % K::DEPTH_STEP
}

/// Outputs that are transposed together, so that they stay in the first-level cache.
const OUTPUT_BLOCK: usize = 16;

impl Pack<'_> {
    #[inline(always)]
    fn forward<K: Kernel>(&self, index: usize, panel: &mut [K::Packed]) {
        let columns = COLUMNS.min(self.outputs - index * COLUMNS);
        let mut packed = [K::Packed::default(); COLUMNS];
        for (k, row) in self.weights.chunks_exact(self.outputs).enumerate() {
            // SAFETY: the step's instructions are the caller's promise.
            unsafe { K::pack(&row[index * COLUMNS..index * COLUMNS + columns], &mut packed[..columns]) };
            for (j, value) in packed.iter().enumerate() {
                panel[place::<K>(k, j)] = *value;
            }
        }
    }

    #[inline(always)]
    fn input_gradient<K: Kernel>(&self, index: usize, panel: &mut [K::Packed]) {
        let columns = COLUMNS.min(self.inputs - index * COLUMNS);
        let mut packed = [[K::Packed::default(); OUTPUT_BLOCK]; COLUMNS];
        for tap in 0..9 {
            for o0 in (0..self.outputs).step_by(OUTPUT_BLOCK) {
                let block = OUTPUT_BLOCK.min(self.outputs - o0);
                for (j, packed) in packed[..columns].iter_mut().enumerate() {
                    let start = ((8 - tap) * self.inputs + index * COLUMNS + j) * self.outputs + o0;
                    // SAFETY: the step's instructions are the caller's promise.
                    unsafe { K::pack(&self.weights[start..start + block], &mut packed[..block]) };
                }
                for o in 0..block {
                    for j in 0..columns {
                        panel[place::<K>(tap * self.outputs + o0 + o, j)] = packed[j][o];
                    }
                }
            }
        }
    }
}
