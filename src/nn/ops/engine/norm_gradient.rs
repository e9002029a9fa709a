//! The backward pass of batch norm + ReLU + max-pool: the sums over all pixels, then the gradient of the convolution's output,
//! `dz = scale * d + slope * z + offset` (see `norm_pool.rs`).

use super::Step;
use super::buffer::{Buffer, Shared};
use super::kernel::{Kernel, LANES, Task, exactly, run_all};
use super::pixels::{DEAD, Grid, Pixels, only_if, passed_on};

/// The gradient of a pooled tensor and where its maxima were.
#[derive(Clone, Copy)]
pub struct Pooled<'a> {
    /// The shape before pooling.
    pub grid: Grid,
    pub gradient: &'a [f32],
    pub codes: &'a [u8],
}

/// Gradients of scale and offset, `sum(d h)` and `sum(d)` over the maxima of live windows, in a fixed order: image by image, and
/// the images in 64 bits.
pub fn norm_gradient(
    step: Step,
    z: &[f32],
    pooled: &Pooled<'_>,
    means: &[f32],
    deviations: &[f32],
    partial: &mut Buffer,
    (weight, bias): (&mut [f32], &mut [f32]),
) {
    let (channels, images) = (pooled.grid.channels, pooled.grid.images);
    let sums = partial.numbers::<f32>(2 * images * channels);
    run_all(step, &Sums { z, pooled, means, out: Shared::new(sums) }, images);
    for c in 0..channels {
        let total = |which: usize| (0..images).map(|image| f64::from(sums[(2 * image + which) * channels + c])).sum::<f64>();
        bias[c] = total(0) as f32;
        weight[c] = (total(1) / f64::from(deviations[c])) as f32;
    }
}

struct Sums<'a> {
    z: &'a [f32],
    pooled: &'a Pooled<'a>,
    means: &'a [f32],
    /// images x 2 x channels: plain, and weighted by the distance from the mean.
    out: Shared<f32>,
}

impl Task for Sums<'_> {
    /// One image.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, image: usize) {
        let Pooled { grid, gradient, codes } = *self.pooled;
        let (channels, small) = (grid.channels, grid.pooled());
        // SAFETY: the sums of this image.
        let sums = unsafe { self.out.part(2 * image * channels, 2 * channels) };
        sums.fill(0.0);
        let (plain, weighted) = sums.split_at_mut(channels);
        let means = &self.means[..channels];
        for window in 0..small.height * small.width {
            let (y, x) = (2 * (window / small.width), 2 * (window % small.width));
            let pixel = (image * grid.height + y) * grid.width + x;
            let corner = |p: usize| &self.z[p * channels..][..channels];
            let (a, b, c, d) = (corner(pixel), corner(pixel + 1), corner(pixel + grid.width), corner(pixel + grid.width + 1));
            let at = (image * small.height * small.width + window) * channels;
            let (gradient, codes) = (&gradient[at..at + channels], &codes[at..at + channels]);
            for first in (0..channels / LANES * LANES).step_by(LANES) {
                add_window::<LANES>([a, b, c, d], (gradient, codes), means, first, (plain, weighted));
            }
            for first in channels / LANES * LANES..channels {
                add_window::<1>([a, b, c, d], (gradient, codes), means, first, (plain, weighted));
            }
        }
    }
}

/// Adds N channels of a window, from `first` on, to both sums.
#[inline(always)]
fn add_window<const N: usize>(
    corners: [&[f32]; 4],
    (gradient, codes): (&[f32], &[u8]),
    means: &[f32],
    first: usize,
    (plain, weighted): (&mut [f32], &mut [f32]),
) {
    let [a, b, c, d] = corners.map(|corner| exactly::<f32, N>(corner, first));
    let (gradient, codes, means) = (exactly::<f32, N>(gradient, first), exactly::<u8, N>(codes, first), exactly::<f32, N>(means, first));
    let (plain, weighted) = (&mut plain[first..first + N], &mut weighted[first..first + N]);
    for j in 0..N {
        let code = codes[j];
        let [a, b, c, d] = [(0, a[j]), (1, b[j]), (2, c[j]), (3, d[j])].map(|(place, z)| only_if(code == place, z));
        // one of them, or none in a dead window
        let best = a + b + c + d;
        let live = only_if(code != DEAD, gradient[j]);
        plain[j] += live;
        weighted[j] += live * (best - means[j]);
    }
}

/// What turns a line of `z` into its gradient.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    pub pooled: Pooled<'a>,
    pub scale: &'a [f32],
    pub slope: &'a [f32],
    pub offset: &'a [f32],
}

impl Line<'_> {
    /// Turns some neighbouring pixels of a line, from `x` on, into their gradients.
    #[inline(always)]
    fn apply(&self, image: usize, y: usize, x: usize, z: &mut [f32]) {
        let Pooled { grid, gradient, codes } = self.pooled;
        let (small, channels) = (grid.pooled(), grid.channels);
        let (scale, slope, offset) = (&self.scale[..channels], &self.slope[..channels], &self.offset[..channels]);
        for (x, z) in (x..).zip(z.chunks_exact_mut(channels)) {
            for j in 0..channels {
                z[j] = slope[j] * z[j] + offset[j];
            }
            if y / 2 < small.height && x / 2 < small.width {
                let at = ((image * small.height + y / 2) * small.width + x / 2) * channels;
                let (gradient, codes) = (&gradient[at..at + channels], &codes[at..at + channels]);
                let position = (y % 2 * 2 + x % 2) as u8;
                for first in (0..channels / LANES * LANES).step_by(LANES) {
                    add_passed_on::<LANES>((gradient, codes), position, scale, first, z);
                }
                for first in channels / LANES * LANES..channels {
                    add_passed_on::<1>((gradient, codes), position, scale, first, z);
                }
            }
        }
    }
}

/// Adds what reaches one position of a window to N channels of a pixel, from `first` on.
#[inline(always)]
fn add_passed_on<const N: usize>((gradient, codes): (&[f32], &[u8]), position: u8, scale: &[f32], first: usize, z: &mut [f32]) {
    let (gradient, codes, scale) = (exactly::<f32, N>(gradient, first), exactly::<u8, N>(codes, first), exactly::<f32, N>(scale, first));
    let mut scaled = [0.0; N];
    for j in 0..N {
        scaled[j] = scale[j] * gradient[j];
    }
    let scaled = passed_on(&scaled, codes, position);
    for (z, scaled) in z[first..first + N].iter_mut().zip(scaled) {
        *z += scaled;
    }
}

/// The gradient of `z`, worked out wherever it is read: for products that read each pixel once.
pub struct Spread<'a> {
    pub line: Line<'a>,
    pub z: &'a [f32],
}

impl Pixels for Spread<'_> {
    #[inline(always)]
    fn grid(&self) -> Grid {
        self.line.pooled.grid
    }

    #[inline(always)]
    fn read(&self, image: usize, y: usize, x: usize, count: usize, out: &mut [f32]) {
        let grid = self.line.pooled.grid;
        let start = ((image * grid.height + y) * grid.width + x) * grid.channels;
        let out = &mut out[..count * grid.channels];
        out.copy_from_slice(&self.z[start..start + count * grid.channels]);
        self.line.apply(image, y, x, out);
    }
}

/// Turns all of `z` into its gradient: for products that read a pixel many times.
pub struct SpreadAll<'a> {
    pub line: Line<'a>,
    pub z: Shared<f32>,
}

impl Task for SpreadAll<'_> {
    /// One line of pixels.
    #[inline(always)]
    unsafe fn run<K: Kernel>(&self, line: usize) {
        let grid = self.line.pooled.grid;
        let numbers = grid.width * grid.channels;
        // SAFETY: the pixels of this line, which are this piece's.
        let z = unsafe { self.z.part(line * numbers, numbers) };
        self.line.apply(line / grid.height, line % grid.height, 0, z);
    }
}
