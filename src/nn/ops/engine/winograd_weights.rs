//! Convolution weights for Winograd's way (see `winograd.rs`): `G g G'`, in panels of 32 columns, product by product,
//! `[products][k][32]`, with pairs of `k` side by side where the step takes pairs.

use std::ops::Range;

use super::Step;
use super::buffer::{Scratch, Shared};
use super::kernel::{COLUMNS, Kernel, LANES, Task, exactly, fetch, run_all};
use super::weights::{Source, Use};
use super::winograd::PRODUCTS;

/// Inputs that weights are asked for before they are read: they lie too far apart for the processor to see them coming.
const AHEAD: usize = 8;

/// Numbers of a panel for the sum over so many channels.
pub fn panel_numbers(deep: usize) -> usize {
    PRODUCTS * deep * COLUMNS
}

/// Packs all panels.
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
        let len = panel_numbers(self.source.deep());
        // SAFETY: panel `index` is written by this piece only, and a packed number is at most as large as an f32, so the
        // panels of any step lie one behind the other within the buffer. The step's instructions are the caller's promise.
        unsafe {
            let panel = std::slice::from_raw_parts_mut(self.out.at(0).cast::<K::Packed>().add(index * len), len);
            pack_panels::<K>(&self.source, index..index + 1, panel);
        }
    }
}

/// Packs some panels, one behind the other.
///
/// # Safety
/// The step's instructions are available.
#[inline(always)]
pub unsafe fn pack_panels<K: Kernel>(source: &Source<'_>, panels: Range<usize>, out: &mut [K::Packed]) {
    // SAFETY: the caller's promise.
    unsafe {
        match source.usage {
            Use::Forward => forward::<K>(source, panels, out),
            Use::InputGradient => {
                for (panel, out) in panels.zip(out.chunks_exact_mut(panel_numbers(source.deep()))) {
                    input_gradient::<K>(source, panel, out);
                }
            }
        }
    }
}

/// # Safety
/// The step's instructions are available.
#[inline(always)]
unsafe fn forward<K: Kernel>(source: &Source<'_>, panels: Range<usize>, out: &mut [K::Packed]) {
    let Source { weights, outputs, inputs, .. } = *source;
    let (from, to) = (panels.start * COLUMNS, outputs.min(panels.end * COLUMNS));
    for input in (0..inputs).step_by(2) {
        for row in (0..9).flat_map(|tap| [tap * inputs + input + AHEAD, tap * inputs + input + AHEAD + 1]) {
            for column in (from..to).step_by(LANES) {
                fetch(weights.as_ptr().wrapping_add(row * outputs + column));
            }
        }
        for (column, start) in (from..panels.end * COLUMNS).step_by(LANES).zip((0..).step_by(LANES)) {
            let (mut one, mut other) = ([[0.0; LANES]; 9], [[0.0; LANES]; 9]);
            for (tap, (one, other)) in one.iter_mut().zip(&mut other).enumerate().take(if column < to { 9 } else { 0 }) {
                let rows = &weights[(tap * inputs + input) * outputs..][..2 * outputs];
                *one = sixteen(&rows[column..outputs]);
                *other = sixteen(&rows[outputs + column..]);
            }
            let (one, other) = (transform_weights(&one), transform_weights(&other));
            let panel = &mut out[start / COLUMNS * panel_numbers(inputs)..][..panel_numbers(inputs)];
            for product in 0..PRODUCTS {
                let to = &mut panel[(product * inputs + input) * COLUMNS..][..2 * COLUMNS];
                // SAFETY: the caller's promise.
                unsafe { K::pack_two([&one[product], &other[product]], start % COLUMNS, COLUMNS, to) };
            }
        }
    }
}

/// The first sixteen numbers, or as many as there are and zeros.
#[inline(always)]
fn sixteen(from: &[f32]) -> [f32; LANES] {
    from.first_chunk().copied().unwrap_or_else(|| less_than_sixteen(from))
}

/// The exception, kept apart: otherwise the compiler makes one call of a library for both.
#[cold]
#[inline(never)]
fn less_than_sixteen(from: &[f32]) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    out[..from.len()].copy_from_slice(from);
    out
}

/// Turned weights are transformed to the same numbers in another place: lines and columns 0 and 3 change places.
///
/// # Safety
/// The step's instructions are available.
#[inline(always)]
unsafe fn input_gradient<K: Kernel>(source: &Source<'_>, index: usize, panel: &mut [K::Packed]) {
    const TURNED: [usize; 4] = [3, 1, 2, 0];
    let Source { weights, outputs, inputs, .. } = *source;
    let columns = source.columns(index);
    let mut scratch = Scratch::take();
    // [products][32 inputs][16 outputs]
    let block = scratch.numbers::<f32>(PRODUCTS * COLUMNS * LANES);
    block.fill(0.0);
    for output in (0..outputs).step_by(LANES) {
        for j in 0..columns {
            for tap in 0..9 {
                fetch(weights.as_ptr().wrapping_add((tap * inputs + index * COLUMNS + j) * outputs + output + LANES));
            }
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
            let (values, _) = values.as_chunks::<LANES>();
            // SAFETY: the caller's promise.
            unsafe { K::pack_columns(exactly(values, 0), to) };
        }
    }
}

/// `G g G'` of the nine weights of a tap.
#[inline(always)]
fn transform_weights<const N: usize>(weights: &[[f32; N]; 9]) -> [[f32; N]; PRODUCTS] {
    let mut rows = [[[0.0; N]; 3]; 4];
    for column in 0..3 {
        let transformed = transform_three(&weights[column], &weights[3 + column], &weights[6 + column]);
        for line in 0..4 {
            rows[line][column] = transformed[line];
        }
    }
    let mut out = [[0.0; N]; PRODUCTS];
    for (line, [a, b, c]) in rows.iter().enumerate() {
        out[line * 4..line * 4 + 4].copy_from_slice(&transform_three(a, b, c));
    }
    out
}

/// G applied to three numbers.
#[inline(always)]
fn transform_three<const N: usize>(a: &[f32; N], b: &[f32; N], c: &[f32; N]) -> [[f32; N]; 4] {
    let (mut plus, mut minus) = ([0.0; N], [0.0; N]);
    for i in 0..N {
        let outer = 0.5 * (a[i] + c[i]);
        plus[i] = outer + 0.5 * b[i];
        minus[i] = outer - 0.5 * b[i];
    }
    [*a, plus, minus, *c]
}
