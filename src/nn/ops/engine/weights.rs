//! Convolution weights in the order that the products read them.
//!
//! A 3 x 3 weight is kept as taps x inputs x outputs (9 x C x O). A panel holds 32 columns for every `k`:
//!
//! ```text
//! forward          k = input,    column = output
//! input gradient   k = output,   column = input,    taps turned by 180 degrees
//! ```
//!
//! nine times, tap by tap, for the direct way; sixteen times, product by product, for Winograd's.

use super::Step;
use super::amx;
use super::buffer::{Buffer, Scratch, Shared};
use super::kernel::{COLUMNS, Kernel, Task, run_all};
use super::pixels::Grid;
use super::winograd::{LANES, PRODUCTS, transform_weights};

/// Packed panels.
#[derive(Default)]
pub struct Panels {
    buffer: Buffer,
    /// Numbers a panel.
    pub panel_len: usize,
    /// How many panels.
    pub count: usize,
    /// `k` of a product: of all nine taps, rounded up to the step's depth, or of one of Winograd's products.
    pub depth: usize,
    /// The way that the panels are packed for.
    pub method: Method,
}

/// Which product the panels are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Forward,
    InputGradient,
}

/// The ways to compute a product.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    #[default]
    Direct,
    Winograd,
    Amx,
}

/// Windows below which the transformed weights (16 numbers where there were 9) cost more than they save.
const FEW_WINDOWS: usize = 64;

impl Method {
    /// The faster way for a product of pictures of `grid` with so many columns. Maps of 2 x 2 need no more products the direct
    /// way, which leaves out the taps beyond the border.
    pub fn choose(step: Step, grid: Grid, wide: usize) -> Self {
        if amx::suits(step, grid.channels) {
            return Self::Amx;
        }
        let windows = grid.images * grid.height.div_ceil(2) * grid.width.div_ceil(2);
        let fits = step.is_f32() && grid.channels.is_multiple_of(LANES) && wide >= LANES;
        if fits && grid.height.min(grid.width) > 2 && windows >= FEW_WINDOWS { Self::Winograd } else { Self::Direct }
    }
}

impl Panels {
    /// Packs `weights` (9 x inputs x outputs) for the product with pictures of `grid`, whose channels are the inputs, or the
    /// outputs where the input gradient is wanted; `wide` are the others.
    pub fn pack(&mut self, step: Step, weights: &[f32], grid: Grid, wide: usize, usage: Use) {
        let deep = grid.channels;
        let (inputs, outputs) = if usage == Use::Forward { (deep, wide) } else { (wide, deep) };
        assert_eq!(weights.len(), 9 * inputs * outputs, "9 x inputs x outputs weights");
        self.method = Method::choose(step, grid, wide);
        self.depth = match self.method {
            Method::Direct => (9 * deep).next_multiple_of(2),
            Method::Winograd => deep,
            Method::Amx => amx::depth(deep),
        };
        self.count = wide.div_ceil(COLUMNS);
        let copies = match self.method {
            Method::Direct => 1,
            Method::Winograd => PRODUCTS,
            Method::Amx => amx::parts(step, deep),
        };
        self.panel_len = self.depth * COLUMNS * copies;
        let source = Source { weights, outputs, inputs, usage };
        if self.method == Method::Amx {
            return amx::pack_weights(source, copies, Shared::new(self.buffer.numbers::<u16>(self.count * self.panel_len)));
        }
        // room for 32-bit numbers also where 16 are used: the step may change between two calls
        let out = Shared::new(self.buffer.numbers::<f32>(self.count * self.panel_len));
        match self.method {
            Method::Direct => run_all(step, &PackDirect { source, depth: self.depth, out }, self.count),
            Method::Winograd => run_all(step, &PackWinograd { source, out }, self.count),
            Method::Amx => unreachable!("packed above"),
        }
    }

    /// The first number of panel `index`.
    pub fn panel<P: Copy>(&self, index: usize) -> *const P {
        debug_assert!(index < self.count);
        self.buffer.start::<P>().wrapping_add(index * self.panel_len)
    }
}

/// What is packed.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// 9 x inputs x outputs.
    pub weights: &'a [f32],
    pub outputs: usize,
    pub inputs: usize,
    pub usage: Use,
}

impl Source<'_> {
    /// The channels that are summed over.
    pub fn deep(&self) -> usize {
        if self.usage == Use::Forward { self.inputs } else { self.outputs }
    }

    fn wide(&self) -> usize {
        if self.usage == Use::Forward { self.outputs } else { self.inputs }
    }

    /// The weight of a tap between channel `deep` that is summed over and column `wide`.
    pub fn weight(&self, tap: usize, deep: usize, wide: usize) -> f32 {
        let (tap, input, output) = match self.usage {
            Use::Forward => (tap, deep, wide),
            Use::InputGradient => (8 - tap, wide, deep),
        };
        self.weights[(tap * self.inputs + input) * self.outputs + output]
    }

    /// How many panels.
    pub fn panels(&self) -> usize {
        self.wide().div_ceil(COLUMNS)
    }

    /// Columns of panel `index`.
    pub fn columns(&self, index: usize) -> usize {
        COLUMNS.min(self.wide() - index * COLUMNS)
    }
}

struct PackDirect<'a> {
    source: Source<'a>,
    depth: usize,
    out: Shared<f32>,
}

impl Task for PackDirect<'_> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let len = self.depth * COLUMNS;
        // SAFETY: panel `index` is written by this piece only, and a packed number is at most as large as an f32, so the
        // panels of any step lie one behind the other within the buffer.
        let panel = unsafe { std::slice::from_raw_parts_mut(self.out.at(0).cast::<K::Packed>().add(index * len), len) };
        if self.source.columns(index) < COLUMNS {
            panel.fill(K::Packed::default());
        }
        // the last `k`, which only makes the depth even
        let deep = self.source.deep();
        for j in 0..if 9 * deep < self.depth { COLUMNS } else { 0 } {
            panel[place::<K>(9 * deep, j)] = K::Packed::default();
        }
        match self.source.usage {
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

impl PackDirect<'_> {
    #[inline(always)]
    fn forward<K: Kernel>(&self, index: usize, panel: &mut [K::Packed]) {
        let Source { weights, outputs, .. } = self.source;
        let columns = self.source.columns(index);
        let mut packed = [K::Packed::default(); COLUMNS];
        for (k, row) in weights.chunks_exact(outputs).enumerate() {
            // SAFETY: the step's instructions are the caller's promise.
            unsafe { K::pack(&row[index * COLUMNS..index * COLUMNS + columns], &mut packed[..columns]) };
            for (j, value) in packed.iter().enumerate() {
                panel[place::<K>(k, j)] = *value;
            }
        }
    }

    #[inline(always)]
    fn input_gradient<K: Kernel>(&self, index: usize, panel: &mut [K::Packed]) {
        let Source { weights, outputs, inputs, .. } = self.source;
        let columns = self.source.columns(index);
        let mut packed = [[K::Packed::default(); OUTPUT_BLOCK]; COLUMNS];
        for tap in 0..9 {
            for o0 in (0..outputs).step_by(OUTPUT_BLOCK) {
                let block = OUTPUT_BLOCK.min(outputs - o0);
                for (j, packed) in packed[..columns].iter_mut().enumerate() {
                    let start = ((8 - tap) * inputs + index * COLUMNS + j) * outputs + o0;
                    // SAFETY: the step's instructions are the caller's promise.
                    unsafe { K::pack(&weights[start..start + block], &mut packed[..block]) };
                }
                for o in 0..block {
                    for j in 0..columns {
                        panel[place::<K>(tap * outputs + o0 + o, j)] = packed[j][o];
                    }
                }
            }
        }
    }
}

struct PackWinograd<'a> {
    source: Source<'a>,
    out: Shared<f32>,
}

impl Task for PackWinograd<'_> {
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, index: usize) {
        let len = PRODUCTS * self.source.deep() * COLUMNS;
        // SAFETY: panel `index` is written by this piece only.
        let panel = unsafe { self.out.part(index * len, len) };
        match self.source.usage {
            Use::Forward => self.forward(index, panel),
            Use::InputGradient => self.input_gradient(index, panel),
        }
    }
}

impl PackWinograd<'_> {
    #[inline(always)]
    fn forward(&self, index: usize, panel: &mut [f32]) {
        let Source { weights, outputs, inputs, .. } = self.source;
        let columns = self.source.columns(index);
        let mut taps = [[0.0; COLUMNS]; 9];
        for input in 0..inputs {
            for (tap, to) in taps.iter_mut().enumerate() {
                let start = (tap * inputs + input) * outputs + index * COLUMNS;
                to[..columns].copy_from_slice(&weights[start..start + columns]);
            }
            for (product, values) in transform_weights(&taps).iter().enumerate() {
                panel[(product * inputs + input) * COLUMNS..][..COLUMNS].copy_from_slice(values);
            }
        }
    }

    /// Turned weights are transformed to the same numbers in another place: lines and columns 0 and 3 change places.
    #[inline(always)]
    fn input_gradient(&self, index: usize, panel: &mut [f32]) {
        const TURNED: [usize; 4] = [3, 1, 2, 0];
        let Source { weights, outputs, inputs, .. } = self.source;
        let columns = self.source.columns(index);
        let mut scratch = Scratch::take();
        // [products][32 inputs][16 outputs]
        let block = scratch.numbers::<f32>(PRODUCTS * COLUMNS * LANES);
        block.fill(0.0);
        for output in (0..outputs).step_by(LANES) {
            for j in 0..columns {
                let mut taps = [[0.0; LANES]; 9];
                for (tap, to) in taps.iter_mut().enumerate() {
                    let start = (tap * inputs + index * COLUMNS + j) * outputs + output;
                    to.copy_from_slice(&weights[start..start + LANES]);
                }
                for (product, values) in transform_weights(&taps).iter().enumerate() {
                    let turned = TURNED[product / 4] * 4 + TURNED[product % 4];
                    block[(turned * COLUMNS + j) * LANES..][..LANES].copy_from_slice(values);
                }
            }
            for (product, values) in block.chunks_exact(COLUMNS * LANES).enumerate() {
                let to = &mut panel[(product * outputs + output) * COLUMNS..][..COLUMNS * LANES];
                for (o, to) in to.chunks_exact_mut(COLUMNS).enumerate() {
                    for (j, to) in to.iter_mut().enumerate() {
                        *to = values[j * LANES + o];
                    }
                }
            }
        }
    }
}
