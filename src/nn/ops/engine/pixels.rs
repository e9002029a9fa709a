//! Where the pixels of a product come from: a plain N x H x W x C tensor, or the gradient of a pooled one, spread back.

use super::kernel::LANES;

/// The shape of an N x H x W x C tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// N.
    pub images: usize,
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
    /// C.
    pub channels: usize,
}

#[expect(clippy::len_without_is_empty, reason = "a tensor without numbers is no case here")]
impl Grid {
    /// How many numbers it has.
    #[must_use]
    pub fn len(self) -> usize {
        self.images * self.height * self.width * self.channels
    }

    /// After 2 x 2 pooling (odd rows and columns at the end are dropped).
    #[must_use]
    pub fn pooled(self) -> Self {
        Self { height: self.height / 2, width: self.width / 2, ..self }
    }

    /// The same with another number of channels.
    #[must_use]
    pub fn with_channels(self, channels: usize) -> Self {
        Self { channels, ..self }
    }
}

/// A source of pixels.
pub trait Pixels: Sync {
    fn grid(&self) -> Grid;

    /// Copies `count` neighbouring pixels of a row, all their channels.
    fn read(&self, image: usize, y: usize, x: usize, count: usize, out: &mut [f32]);

    /// The same pixels where they lie, if they do so in memory as [`read`](Self::read) gives them.
    fn view(&self, _image: usize, _y: usize, _x: usize, _count: usize) -> Option<&[f32]> {
        None
    }

    /// The four pixels of a window whose top left one lies at even places, one after the other; zeros beyond the picture.
    #[inline(always)]
    fn read_window(&self, image: usize, y: usize, x: usize, out: &mut [f32]) {
        let Grid { height, width, channels, .. } = self.grid();
        for (position, out) in out.chunks_exact_mut(channels).enumerate() {
            let (y, x) = (y + position / 2, x + position % 2);
            if y < height && x < width { self.read(image, y, x, 1, out) } else { out.fill(0.0) }
        }
    }

    /// Rows and columns from the top left beyond which everything is zero.
    fn extent(&self) -> (usize, usize) {
        (self.grid().height, self.grid().width)
    }
}

/// A tensor as it is.
pub struct Dense<'a> {
    pub grid: Grid,
    pub values: &'a [f32],
}

impl Pixels for Dense<'_> {
    #[inline(always)]
    fn grid(&self) -> Grid {
        self.grid
    }

    #[inline(always)]
    fn read(&self, image: usize, y: usize, x: usize, count: usize, out: &mut [f32]) {
        copy(self.slice(image, y, x, count), &mut out[..count * self.grid.channels]);
    }

    #[inline(always)]
    fn view(&self, image: usize, y: usize, x: usize, count: usize) -> Option<&[f32]> {
        Some(self.slice(image, y, x, count))
    }
}

impl Dense<'_> {
    #[inline(always)]
    fn slice(&self, image: usize, y: usize, x: usize, count: usize) -> &[f32] {
        let g = self.grid;
        let start = ((image * g.height + y) * g.width + x) * g.channels;
        &self.values[start..start + count * g.channels]
    }
}

/// A loop rather than `copy_from_slice`, which calls a library for lengths unknown at compile time: rows are short.
#[inline(always)]
fn copy(from: &[f32], to: &mut [f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// The code of a pooling window whose activation was not positive: it passes no gradient.
pub const DEAD: u8 = 4;

/// The largest of a window, row by row, and where it is: the first of equals, and a NaN before all, as in `PyTorch`.
#[inline(always)]
pub fn largest([a, b, c, d]: [f32; 4]) -> (f32, u8) {
    // `|` and not `||`: no branches, so that loops over channels become vectors
    let (top, top_at) = if (b > a) | b.is_nan() { (b, 1u8) } else { (a, 0) };
    let (low, low_at) = if (d > c) | d.is_nan() { (d, 3) } else { (c, 2) };
    if (low > top) | low.is_nan() { (low, low_at) } else { (top, top_at) }
}

/// The gradient of ReLU and 2 x 2 max-pooling: each window's gradient at the position of its maximum, zero elsewhere.
pub struct Unpooled<'a> {
    /// The shape before pooling.
    pub grid: Grid,
    /// Gradient of the pooled tensor.
    pub gradient: &'a [f32],
    /// One code a pooled number: the position of the maximum (row by row), or [`DEAD`].
    pub codes: &'a [u8],
}

impl Pixels for Unpooled<'_> {
    #[inline(always)]
    fn grid(&self) -> Grid {
        self.grid
    }

    #[inline(always)]
    fn extent(&self) -> (usize, usize) {
        (self.grid.height / 2 * 2, self.grid.width / 2 * 2)
    }

    #[inline(always)]
    fn read(&self, image: usize, y: usize, x: usize, count: usize, out: &mut [f32]) {
        let pooled = self.grid.pooled();
        let channels = pooled.channels;
        for (x, out) in (x..x + count).zip(out.chunks_exact_mut(channels)) {
            if y / 2 >= pooled.height || x / 2 >= pooled.width {
                out.fill(0.0);
                continue;
            }
            let position = (y % 2 * 2 + x % 2) as u8;
            let start = ((image * pooled.height + y / 2) * pooled.width + x / 2) * channels;
            let gradient = &self.gradient[start..start + channels];
            let codes = &self.codes[start..start + channels];
            pass_on(gradient, codes, position, out);
        }
    }

    #[inline(always)]
    fn read_window(&self, image: usize, y: usize, x: usize, out: &mut [f32]) {
        let pooled = self.grid.pooled();
        let channels = pooled.channels;
        let out = &mut out[..4 * channels];
        if y / 2 >= pooled.height || x / 2 >= pooled.width {
            return out.fill(0.0);
        }
        let start = ((image * pooled.height + y / 2) * pooled.width + x / 2) * channels;
        let (gradient, codes) = (&self.gradient[start..start + channels], &self.codes[start..start + channels]);
        for (out, position) in out.chunks_exact_mut(channels).zip(0..) {
            pass_on(gradient, codes, position, out);
        }
    }
}

/// What reaches one position of a window: the gradients whose code names it.
#[inline(always)]
fn pass_on(gradients: &[f32], codes: &[u8], position: u8, out: &mut [f32]) {
    let ((gradients, rest), (of_lanes, of_rest)) = (gradients.as_chunks::<LANES>(), codes.as_chunks::<LANES>());
    let (out, out_rest) = out.as_chunks_mut::<LANES>();
    for ((out, gradients), codes) in out.iter_mut().zip(gradients).zip(of_lanes) {
        *out = passed_on(gradients, codes, position);
    }
    for ((out, gradient), code) in out_rest.iter_mut().zip(rest).zip(of_rest) {
        *out = only_if(*code == position, *gradient);
    }
}

/// The same for a number of them that the compiler knows.
#[inline(always)]
pub fn passed_on<const N: usize>(gradients: &[f32; N], codes: &[u8; N], position: u8) -> [f32; N] {
    let mut out = [0.0; N];
    for i in 0..N {
        out[i] = only_if(codes[i] == position, gradients[i]);
    }
    out
}

/// The number, or zero: by all bits or none of it, because the compiler makes branches of an `if`, and vectors of this.
#[inline(always)]
pub fn only_if(condition: bool, number: f32) -> f32 {
    f32::from_bits(number.to_bits() & 0u32.wrapping_sub(u32::from(condition)))
}

/// The 3 x 3 neighbourhood of a pixel, `9 * channels` numbers, zeros outside the picture.
#[inline(always)]
pub fn gather<P: Pixels>(pixels: &P, image: usize, y: usize, x: usize, out: &mut [f32]) {
    let g = pixels.grid();
    let row = 3 * g.channels;
    for (ky, out) in out.chunks_exact_mut(row).enumerate() {
        let Some(y) = (y + ky).checked_sub(1).filter(|y| *y < g.height) else {
            out.fill(0.0);
            continue;
        };
        let left = usize::from(x == 0);
        let right = usize::from(x + 1 == g.width);
        out[..left * g.channels].fill(0.0);
        out[(3 - right) * g.channels..].fill(0.0);
        let count = 3 - left - right;
        pixels.read(image, y, x + left - 1, count, &mut out[left * g.channels..(left + count) * g.channels]);
    }
}
