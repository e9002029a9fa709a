//! The working memory of the augmentation: a picture as three planes of numbers from 0 to 1, kept from picture to picture.

use super::Border;
use super::colour::{self, ColourStep};
use super::placement::Placement;
use super::resample::Source;
use crate::imaging::Image;

/// A picture that is being augmented.
#[derive(Default)]
pub struct Canvas {
    width: usize,
    height: usize,
    /// 3 x height x width.
    planes: Vec<f32>,
    /// A plane, blurred along one axis, with room for a padded row behind it.
    half: Vec<f32>,
    /// The picture pixel by pixel: red, green, blue and nothing, so that one pixel is one vector.
    pixels: Vec<[f32; 4]>,
    /// A picture that is only mirrored and turned.
    bytes: Vec<u8>,
}

impl Canvas {
    /// Room for the bytes of a picture.
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Width and height of the cropped picture.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The cropped picture as it is now.
    #[must_use]
    pub fn image(&self) -> Image {
        picture(&self.planes, self.width, self.height)
    }

    /// Takes the middle of a picture: `crop` is the height and width kept, as shares.
    pub fn load(&mut self, image: &Image, crop: [f64; 2]) {
        pulp::Arch::new().dispatch(|| self.load_here(image, crop));
    }

    #[inline(always)]
    fn load_here(&mut self, image: &Image, crop: [f64; 2]) {
        let ([top, height], [left, width]) = (middle(image.height(), crop[0]), middle(image.width(), crop[1]));
        (self.width, self.height) = (width, height);
        let plane = width * height;
        self.planes.resize(3 * plane, 0.0);
        let (red, rest) = self.planes.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        for y in 0..height {
            let start = ((top + y) * image.width() + left) * 3;
            let row = &image.pixels()[start..start + 3 * width];
            let range = y * width..(y + 1) * width;
            let targets = red[range.clone()].iter_mut().zip(&mut green[range.clone()]).zip(&mut blue[range]);
            for (((r, g), b), pixel) in targets.zip(row.as_chunks::<3>().0) {
                (*r, *g, *b) = (unit(pixel[0]), unit(pixel[1]), unit(pixel[2]));
            }
        }
    }

    fn split(&mut self) -> (&mut [f32], &mut [f32], &mut [f32]) {
        let plane = self.width * self.height;
        let (red, rest) = self.planes.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        (red, green, blue)
    }

    /// Changes the colour.
    pub fn colour(&mut self, step: ColourStep) {
        let (red, green, blue) = self.split();
        colour::change(step, red, green, blue);
    }

    /// Multiplies the light.
    pub fn dim(&mut self, factor: f32) {
        colour::multiply(&mut self.planes, factor);
    }

    /// Blurs with a Gaussian of `sigma` pixels, cut off to a kernel of `size` pixels; the border is reflected at the centres of
    /// the outermost pixels.
    pub fn blur(&mut self, sigma: f64, size: usize) {
        let kernel = gaussian(sigma, size);
        pulp::Arch::new().dispatch(|| self.convolve(&kernel));
    }

    #[inline(always)]
    fn convolve(&mut self, kernel: &[f32]) {
        let (width, height, reach) = (self.width, self.height, kernel.len() / 2);
        let plane = width * height;
        self.half.resize(plane + width + 2 * reach, 0.0);
        let (half, padded) = self.half.split_at_mut(plane);
        for values in self.planes.chunks_exact_mut(plane) {
            for (row, out) in values.chunks_exact(width).zip(half.chunks_exact_mut(width)) {
                padded[reach..reach + width].copy_from_slice(row);
                for at in (0..reach).chain(reach + width..2 * reach + width) {
                    padded[at] = row[reflect_centre(at, reach, width)];
                }
                weighted(out, kernel, |k| &padded[k..k + width]);
            }
            for (y, out) in values.chunks_exact_mut(width).enumerate() {
                weighted(out, kernel, |k| {
                    let row = reflect_centre(y + k, reach, height) * width;
                    &half[row..row + width]
                });
            }
        }
    }

    /// Writes the picture at the places that `placement` says, `side` x `side`, as three planes.
    pub fn resample(&mut self, placement: &Placement, border: Border, side: usize, out: &mut [f32]) {
        pulp::Arch::new().dispatch(|| self.interleave());
        Source { pixels: &self.pixels, width: self.width, height: self.height, border }.write(placement, side, out);
    }

    #[inline(always)]
    fn interleave(&mut self) {
        let plane = self.width * self.height;
        self.pixels.resize(plane, [0.0; 4]);
        let (red, rest) = self.planes.split_at(plane);
        let (green, blue) = rest.split_at(plane);
        for (((pixel, r), g), b) in self.pixels.iter_mut().zip(red).zip(green).zip(blue) {
            *pixel = [*r, *g, *b, 0.0];
        }
    }
}

/// The middle of a side of `length` pixels of which `share` is kept: where it begins and how long it is.
pub(super) fn middle(length: usize, share: f64) -> [usize; 2] {
    let kept = ((length as f64 * share).round() as usize).clamp(1, length);
    // halves to the even side, as Python rounds
    [((length - kept) as f64 / 2.0).round_ties_even() as usize, kept]
}

/// Three planes of numbers from 0 to 1 as a picture; what lies outside is clipped.
pub(super) fn picture(planes: &[f32], width: usize, height: usize) -> Image {
    let plane = width * height;
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    let pixels = (0..plane).flat_map(|at| [0, 1, 2].map(|channel| byte(planes[channel * plane + at]))).collect();
    Image::new(width, height, pixels).expect("as many bytes as the sides say")
}

/// A byte as a number from 0 to 1.
#[inline(always)]
fn unit(byte: u8) -> f32 {
    f32::from(byte) * (1.0 / 255.0)
}

/// Normalised weights of a Gaussian.
pub(super) fn gaussian(sigma: f64, size: usize) -> Vec<f32> {
    let reach = (size / 2) as f64;
    let raw: Vec<f64> = (0..size).map(|k| (-0.5 * ((k as f64 - reach) / sigma).powi(2)).exp()).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| (weight / sum) as f32).collect()
}

/// `out` = the sum of rows, each times its weight in the kernel.
#[inline(always)]
fn weighted<'a>(out: &mut [f32], kernel: &[f32], row: impl Fn(usize) -> &'a [f32]) {
    if let [before, middle, after] = kernel {
        for (((out, a), b), c) in out.iter_mut().zip(row(0)).zip(row(1)).zip(row(2)) {
            *out = before * a + middle * b + after * c;
        }
        return;
    }
    out.fill(0.0);
    for (k, weight) in kernel.iter().enumerate() {
        for (out, value) in out.iter_mut().zip(row(k)) {
            *out += weight * value;
        }
    }
}

/// `at - reach`, reflected into 0..length at the centres of the outermost pixels: ... 2 1 0 1 2 ...
#[inline(always)]
fn reflect_centre(at: usize, reach: usize, length: usize) -> usize {
    if (reach..reach + length).contains(&at) {
        return at - reach;
    }
    let period = 2 * (length - 1).max(1);
    let folded = (at + period * reach - reach) % period;
    folded.min(period - folded).min(length - 1)
}
