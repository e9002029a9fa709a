//! The working memory of the augmentation: a picture as three planes of numbers from 0 to 1, kept from picture to picture.

use super::Border;
use super::colour::{self, ColourStep};
use super::placement::Placement;
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
}

impl Canvas {
    /// Width and height of the cropped picture.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Takes the middle of a picture: `crop` is the height and width kept, as shares.
    pub fn load(&mut self, image: &Image, crop: [f64; 2]) {
        let keep = |length: usize, share: f64| ((length as f64 * share).round() as usize).clamp(1, length);
        let (height, width) = (keep(image.height(), crop[0]), keep(image.width(), crop[1]));
        // halves to the even side, as Python rounds
        let before = |length: usize, kept: usize| ((length - kept) as f64 / 2.0).round_ties_even() as usize;
        let (top, left) = (before(image.height(), height), before(image.width(), width));
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
        let (width, height, reach) = (self.width, self.height, size / 2);
        let plane = width * height;
        self.half.resize(plane + width + 2 * reach, 0.0);
        let (half, padded) = self.half.split_at_mut(plane);
        for values in self.planes.chunks_exact_mut(plane) {
            for (row, out) in values.chunks_exact(width).zip(half.chunks_exact_mut(width)) {
                for (at, to) in padded.iter_mut().enumerate() {
                    *to = row[reflect_centre(at as isize - reach as isize, width)];
                }
                weighted(out, kernel.iter().enumerate().map(|(k, weight)| (*weight, &padded[k..k + width])));
            }
            for (y, out) in values.chunks_exact_mut(width).enumerate() {
                let row = |k: usize| reflect_centre((y + k) as isize - reach as isize, height) * width;
                weighted(out, kernel.iter().enumerate().map(|(k, weight)| (*weight, &half[row(k)..row(k) + width])));
            }
        }
    }

    /// Writes the picture at the places that `placement` says, `side` x `side`, as three planes.
    pub fn resample(&mut self, placement: &Placement, border: Border, side: usize, out: &mut [f32]) {
        self.interleave();
        let plane = side * side;
        let (red, rest) = out.split_at_mut(plane);
        let (green, blue) = rest.split_at_mut(plane);
        let (step_x, step_y) = placement.step();
        for y in 0..side {
            let (start_x, start_y) = placement.at(0.0, y as f64);
            let range = y * side..(y + 1) * side;
            let targets = red[range.clone()].iter_mut().zip(&mut green[range.clone()]).zip(&mut blue[range]);
            for (x, ((r, g), b)) in targets.enumerate() {
                let pixel = self.sample(start_x + step_x * x as f64, start_y + step_y * x as f64, border);
                (*r, *g, *b) = (pixel[0], pixel[1], pixel[2]);
            }
        }
    }

    fn interleave(&mut self) {
        let plane = self.width * self.height;
        self.pixels.resize(plane, [0.0; 4]);
        let (red, rest) = self.planes.split_at(plane);
        let (green, blue) = rest.split_at(plane);
        for (((pixel, r), g), b) in self.pixels.iter_mut().zip(red).zip(green).zip(blue) {
            *pixel = [*r, *g, *b, 0.0];
        }
    }

    /// The picture between its pixels, bilinear. Its area reaches half a pixel beyond the centres of the outermost ones.
    #[inline(always)]
    fn sample(&self, x: f64, y: f64, border: Border) -> [f32; 4] {
        let inside = x >= 0.0 && y >= 0.0 && x < (self.width - 1) as f64 && y < (self.height - 1) as f64;
        if !inside {
            return self.sample_border(x, y, border);
        }
        let (left, top) = (x as usize, y as usize);
        let (across, down) = ((x - left as f64) as f32, (y - top as f64) as f32);
        let at = top * self.width + left;
        let (above, below) = (&self.pixels[at..at + 2], &self.pixels[at + self.width..at + self.width + 2]);
        mix(mix(above[0], above[1], across), mix(below[0], below[1], across), down)
    }

    #[cold]
    fn sample_border(&self, x: f64, y: f64, border: Border) -> [f32; 4] {
        let (width, height) = (self.width as f64, self.height as f64);
        if border == Border::Black && !((-0.5..width - 0.5).contains(&x) && (-0.5..height - 0.5).contains(&y)) {
            return [0.0; 4];
        }
        let (left, top) = (x.floor(), y.floor());
        let (across, down) = ((x - left) as f32, (y - top) as f32);
        let pixel = |x: f64, y: f64| self.pixels[reflect_edge(y, self.height) * self.width + reflect_edge(x, self.width)];
        let above = mix(pixel(left, top), pixel(left + 1.0, top), across);
        let below = mix(pixel(left, top + 1.0), pixel(left + 1.0, top + 1.0), across);
        mix(above, below, down)
    }
}

/// A byte as a number from 0 to 1.
#[inline(always)]
fn unit(byte: u8) -> f32 {
    f32::from(byte) * (1.0 / 255.0)
}

#[inline(always)]
fn mix(from: [f32; 4], to: [f32; 4], share: f32) -> [f32; 4] {
    let mut out = [0.0; 4];
    for (out, (from, to)) in out.iter_mut().zip(from.iter().zip(to)) {
        *out = from + (to - from) * share;
    }
    out
}

/// Normalised weights of a Gaussian.
fn gaussian(sigma: f64, size: usize) -> Vec<f32> {
    let reach = (size / 2) as f64;
    let raw: Vec<f64> = (0..size).map(|k| (-0.5 * ((k as f64 - reach) / sigma).powi(2)).exp()).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| (weight / sum) as f32).collect()
}

/// `out` = the weighted sum of rows.
fn weighted<'a>(out: &mut [f32], rows: impl Iterator<Item = (f32, &'a [f32])>) {
    out.fill(0.0);
    for (weight, row) in rows {
        for (out, value) in out.iter_mut().zip(row) {
            *out += weight * value;
        }
    }
}

/// Reflects an index into 0..length at the centres of the outermost pixels: ... 2 1 0 1 2 ...
fn reflect_centre(index: isize, length: usize) -> usize {
    let period = 2 * (length as isize - 1).max(1);
    let folded = index.rem_euclid(period) as usize;
    folded.min(period as usize - folded).min(length - 1)
}

/// Reflects a whole number into 0..length at the edges of the outermost pixels: ... 1 0 0 1 2 ...
fn reflect_edge(index: f64, length: usize) -> usize {
    let folded = index.rem_euclid(2.0 * length as f64) as usize;
    folded.min(2 * length - 1 - folded)
}
