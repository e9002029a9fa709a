//! The geometry of a convolution, and the two copies that turn it into matrix products.
//!
//! `im2col` (Chellapilla et al. 2006) writes, for a tile of output pixels, the input values each of them sees as one
//! column; `col2im` is its transpose. No arithmetic on weights happens here.

use candle_core::{Result, bail};
use rayon::prelude::*;

use super::matrix::Threads;
use super::slices::TASK_ELEMENTS;

/// Output pixels a tile should have, if the batch is large enough.
const TILE_PIXELS: usize = 1024;
/// With fewer groups than this, the work on one group is shared among threads, too.
const MANY_GROUPS: usize = 8;

/// Sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    pub batch: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub filters: usize,
    pub kernel: (usize, usize),
    pub stride: usize,
    pub padding: usize,
    pub out_height: usize,
    pub out_width: usize,
}

/// Output rows `row..row + rows` of images `image..image + images`. Several images only with all their rows.
#[derive(Clone, Copy, Debug)]
pub struct Tile {
    pub image: usize,
    pub images: usize,
    pub row: usize,
    pub rows: usize,
}

impl Geometry {
    /// The geometry of `input` (N, C, H, W) under `weight` (O, C, kh, kw).
    pub fn new(input: &[usize], weight: &[usize], stride: usize, padding: usize) -> Result<Self> {
        let (&[batch, channels, height, width], &[filters, depth, kh, kw]) = (input, weight) else {
            bail!("convolution takes N x C x H x W images and O x C x h x w weights, but got {input:?} and {weight:?}");
        };
        if depth != channels {
            bail!("the convolution's weights {weight:?} are for {depth} channels, but the input {input:?} has {channels}");
        }
        if [batch, channels, filters, kh, kw, stride].contains(&0) || height + 2 * padding < kh || width + 2 * padding < kw {
            bail!("a {kh} x {kw} convolution with stride {stride} and padding {padding} does not fit the input {input:?}");
        }
        let out_height = (height + 2 * padding - kh) / stride + 1;
        let out_width = (width + 2 * padding - kw) / stride + 1;
        Ok(Self { batch, channels, height, width, filters, kernel: (kh, kw), stride, padding, out_height, out_width })
    }

    /// Values one output pixel sees: C * kh * kw.
    pub fn patch(&self) -> usize {
        self.channels * self.kernel.0 * self.kernel.1
    }

    /// Pixels of one output plane.
    pub fn out_pixels(&self) -> usize {
        self.out_height * self.out_width
    }

    /// Values of one input image.
    pub fn image_len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Values of one output image.
    pub fn out_len(&self) -> usize {
        self.filters * self.out_pixels()
    }

    /// Images computed together: small planes are joined so that the matrix product is wide enough.
    pub fn group(&self) -> usize {
        TILE_PIXELS.div_ceil(self.out_pixels()).min(self.batch)
    }

    /// The number of groups in the batch.
    pub fn groups(&self) -> usize {
        self.batch.div_ceil(self.group())
    }

    /// How many threads should work on one group: all, if there are too few groups to keep them busy.
    pub fn threads(&self) -> Threads {
        if self.groups() < MANY_GROUPS { Threads::All } else { Threads::One }
    }

    /// The tiles of group `g`, in order.
    pub fn tiles(&self, g: usize) -> impl Iterator<Item = Tile> + use<> {
        let image = g * self.group();
        let images = self.group().min(self.batch - image);
        let height = self.out_height;
        let rows = if images == 1 { (TILE_PIXELS / self.out_width).clamp(1, height) } else { height };
        (0..height).step_by(rows).map(move |row| Tile { image, images, row, rows: rows.min(height - row) })
    }

    /// Output pixels of a tile.
    pub fn tile_pixels(&self, tile: Tile) -> usize {
        tile.images * tile.rows * self.out_width
    }

    /// For kernel column `kx`: the output columns whose input column lies inside the image.
    fn inside(&self, kx: usize) -> std::ops::Range<usize> {
        let low = self.padding.saturating_sub(kx).div_ceil(self.stride);
        let high = (self.width + self.padding).saturating_sub(kx).div_ceil(self.stride);
        low.min(self.out_width)..high.clamp(low.min(self.out_width), self.out_width)
    }

    /// The input row that output row `oy` sees through kernel row `ky`, if it lies inside the image.
    fn input_row(&self, oy: usize, ky: usize) -> Option<usize> {
        (oy * self.stride + ky).checked_sub(self.padding).filter(|&iy| iy < self.height)
    }
}

/// Writes `columns` (patch x tile pixels) from the images `input` (the whole batch).
pub fn im2col(g: &Geometry, tile: Tile, input: &[f32], columns: &mut [f32]) {
    let (kh, kw) = g.kernel;
    let pixels = g.tile_pixels(tile);
    let plane = g.height * g.width;
    let fill = |(k, line): (usize, &mut [f32])| {
        let (channel, ky, kx) = (k / (kh * kw), k / kw % kh, k % kw);
        let inside = g.inside(kx);
        for (r, out) in line.chunks_exact_mut(g.out_width).enumerate() {
            let (image, oy) = (tile.image + r / tile.rows, tile.row + r % tile.rows);
            let Some(iy) = g.input_row(oy, ky).filter(|_| !inside.is_empty()) else {
                out.fill(0.0);
                continue;
            };
            let row = &input[(image * g.channels + channel) * plane + iy * g.width..][..g.width];
            out[..inside.start].fill(0.0);
            out[inside.end..].fill(0.0);
            let first = inside.start * g.stride + kx - g.padding;
            let out = &mut out[inside.clone()];
            if g.stride == 1 {
                out.copy_from_slice(&row[first..first + out.len()]);
            } else {
                for (o, &x) in out.iter_mut().zip(row[first..].iter().step_by(g.stride)) {
                    *o = x;
                }
            }
        }
    };
    match g.threads() {
        Threads::One => columns.chunks_exact_mut(pixels).enumerate().for_each(fill),
        Threads::All => {
            let least = TASK_ELEMENTS.div_ceil(pixels);
            columns.par_chunks_exact_mut(pixels).enumerate().with_min_len(least).for_each(fill);
        }
    }
}

/// Adds `columns` (patch x tile pixels) to `gradient`, the input gradient of the images from `first_image` on.
pub fn col2im(g: &Geometry, tile: Tile, columns: &[f32], first_image: usize, gradient: &mut [f32]) {
    let (kh, kw) = g.kernel;
    let pixels = g.tile_pixels(tile);
    let plane = g.height * g.width;
    for (k, line) in columns.chunks_exact(pixels).enumerate() {
        let (channel, ky, kx) = (k / (kh * kw), k / kw % kh, k % kw);
        let inside = g.inside(kx);
        if inside.is_empty() {
            continue;
        }
        let first = inside.start * g.stride + kx - g.padding;
        for (r, column) in line.chunks_exact(g.out_width).enumerate() {
            let (image, oy) = (tile.image - first_image + r / tile.rows, tile.row + r % tile.rows);
            let Some(iy) = g.input_row(oy, ky) else { continue };
            let row = &mut gradient[(image * g.channels + channel) * plane + iy * g.width..][..g.width];
            let column = &column[inside.clone()];
            if g.stride == 1 {
                for (x, &c) in row[first..first + column.len()].iter_mut().zip(column) {
                    *x += c;
                }
            } else {
                for (x, &c) in row[first..].iter_mut().step_by(g.stride).zip(column) {
                    *x += c;
                }
            }
        }
    }
}
