//! Convolution weights in the order that the products read them.
//!
//! A 3 x 3 weight is kept as taps x inputs x outputs (9 x C x O). A panel holds 32 columns for every `k`:
//!
//! ```text
//! forward          k = input,    column = output
//! input gradient   k = output,   column = input,    taps turned by 180 degrees
//! ```
//!
//! nine times, tap by tap, for the direct way, sixteen times, product by product, for Winograd's, and three runs of three taps for
//! pictures with few channels.

use super::Step;
use super::amx;
use super::buffer::{Buffer, Shared};
use super::few_windows;
use super::kernel::{COLUMNS, Kernel, LANES, Task, run_all};
use super::lines;
use super::pixels::Grid;
use super::winograd;
use super::winograd_weights;

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
    /// What was packed last: the channels that are summed over, those of the result, and for which product.
    packed: (usize, usize, Use),
}

/// Which product the panels are for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Use {
    #[default]
    Forward,
    InputGradient,
}

/// The ways to compute a product.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    #[default]
    Direct,
    Winograd,
    /// Winograd's for few windows, whose weights are transformed where they are used: nothing is packed.
    FewWindows,
    /// For pictures with few channels, see `lines.rs`.
    Lines,
    Amx,
}

/// Windows below which the transformed weights (16 numbers where there were 9) cost more than they save.
const FEW_WINDOWS: usize = 64;

impl Method {
    /// The faster way for a product of pictures of `grid` with so many columns. Maps of 2 x 2 need no more products the direct
    /// way, which leaves out the taps beyond the border.
    pub fn choose(step: Step, grid: Grid, wide: usize, usage: Use) -> Self {
        if amx::suits(step, grid.channels) {
            return Self::Amx;
        }
        if lines::suits(step, grid) {
            return Self::Lines;
        }
        if few_windows::suits(step, grid, wide, usage) {
            return Self::FewWindows;
        }
        let windows = grid.images * grid.height.div_ceil(2) * grid.width.div_ceil(2);
        let fits = winograd::suits(grid.channels) && wide >= LANES;
        if fits && grid.height.min(grid.width) > 2 && windows >= FEW_WINDOWS { Self::Winograd } else { Self::Direct }
    }
}

impl Panels {
    /// Packs `weights` (9 x inputs x outputs) for the product with pictures of `grid`, whose channels are the inputs, or the
    /// outputs where the input gradient is wanted; `wide` are the others.
    pub fn pack(&mut self, step: Step, weights: &[f32], grid: Grid, wide: usize, usage: Use) {
        let source = Source::new(weights, grid.channels, wide, usage);
        let deep = grid.channels;
        self.method = Method::choose(step, grid, wide, usage);
        self.packed = (deep, wide, usage);
        self.depth = match self.method {
            Method::Direct => (9 * deep).next_multiple_of(2),
            Method::Lines => 3 * lines::run_length(deep),
            Method::Winograd | Method::FewWindows => deep,
            Method::Amx => amx::depth(deep),
        };
        self.count = wide.div_ceil(COLUMNS);
        let copies = match self.method {
            Method::Direct | Method::Lines => 1,
            Method::Winograd => winograd::PRODUCTS,
            Method::FewWindows => return,
            Method::Amx => amx::parts(step, deep),
        };
        self.panel_len = self.depth * COLUMNS * copies;
        if self.method == Method::Amx {
            return amx::pack_weights(source, copies, Shared::new(self.buffer.numbers::<u16>(self.count * self.panel_len)));
        }
        // room for 32-bit numbers also where 16 are used: the step may change between two calls
        let out = Shared::new(self.buffer.numbers::<f32>(self.count * self.panel_len));
        match self.method {
            Method::Direct => run_all(step, &PackDirect { source, depth: self.depth, out }, self.count),
            Method::Winograd => winograd_weights::pack(step, source, out),
            Method::Lines => lines::pack(step, source, out),
            Method::FewWindows | Method::Amx => unreachable!("done with above"),
        }
    }

    /// What was packed last, given the same weights again.
    pub fn source<'a>(&self, weights: &'a [f32]) -> Source<'a> {
        let (deep, wide, usage) = self.packed;
        Source::new(weights, deep, wide, usage)
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

impl<'a> Source<'a> {
    /// Weights with so many channels that are summed over, and so many of the result.
    pub fn new(weights: &'a [f32], deep: usize, wide: usize, usage: Use) -> Self {
        let (inputs, outputs) = if usage == Use::Forward { (deep, wide) } else { (wide, deep) };
        assert_eq!(weights.len(), 9 * inputs * outputs, "9 x inputs x outputs weights");
        Self { weights, outputs, inputs, usage }
    }

    /// The channels that are summed over.
    pub fn deep(&self) -> usize {
        if self.usage == Use::Forward { self.inputs } else { self.outputs }
    }

    /// The channels of the result.
    pub fn wide(&self) -> usize {
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
pub fn place<K: Kernel>(k: usize, j: usize) -> usize {
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
