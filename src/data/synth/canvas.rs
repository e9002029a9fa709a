//! The picture while it is drawn: light in three bands on a fine grid, blurred by the atmosphere, then binned to pixels.
//! Coordinates are arcseconds from the centre of the field, x to the right, y down. Knows no galaxies.

use super::light::{Bands, SURVEY_PIXEL};

/// The side of the field, arcsec: 256 survey pixels.
pub(super) const FIELD: f32 = 256.0 * SURVEY_PIXEL;
/// The grid has at least this many cells a side, so that small pictures are sampled finely enough too.
const FINEST: usize = 128;

/// Where something is drawn: light farther than `reach` (arcsec) from the centre in x or in y is left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub x: f32,
    pub y: f32,
    pub reach: f32,
}

/// Light on a square grid; one plane a band.
pub(super) struct Canvas {
    size: usize,
    /// Grid cells in a pixel of the picture, along a side.
    oversampling: usize,
    /// Side of a grid cell, arcsec.
    cell: f32,
    planes: [Vec<f32>; 3],
}

impl Canvas {
    /// A dark field for a picture of `size` x `size` pixels.
    pub fn new(size: usize) -> Self {
        let oversampling = FINEST.div_ceil(size);
        let side = size * oversampling;
        Self { size, oversampling, cell: FIELD / side as f32, planes: std::array::from_fn(|_| vec![0.0; side * side]) }
    }

    fn side(&self) -> usize {
        self.size * self.oversampling
    }

    /// Adds `light(dx, dy)` for every cell of the region; `dx` and `dy` are arcseconds from its centre.
    pub fn add(&mut self, region: Region, light: impl Fn(f32, f32) -> Bands) {
        self.visit(region, |now, dx, dy| super::light::add(now, light(dx, dy)));
    }

    /// Replaces the light of every cell of the region by `change(light, dx, dy)`.
    pub fn visit(&mut self, region: Region, change: impl Fn(Bands, f32, f32) -> Bands) {
        let side = self.side();
        let centre = |at: f32| (at + FIELD / 2.0) / self.cell;
        let first = |at: f32| (centre(at - region.reach).floor().max(0.0) as usize).min(side);
        let end = |at: f32| (centre(at + region.reach).ceil().max(0.0) as usize).min(side);
        let offset = |cell: usize, at: f32| (cell as f32 + 0.5) * self.cell - FIELD / 2.0 - at;
        for row in first(region.y)..end(region.y) {
            let dy = offset(row, region.y);
            for column in first(region.x)..end(region.x) {
                let at = row * side + column;
                let now = [self.planes[0][at], self.planes[1][at], self.planes[2][at]];
                let new = change(now, offset(column, region.x), dy);
                for (plane, value) in self.planes.iter_mut().zip(new) {
                    plane[at] = value;
                }
            }
        }
    }

    /// Convolves with a Gaussian point spread function of full width at half maximum `seeing` arcsec in r; a little
    /// sharper in z and wider in g, as air is.
    pub fn blur(&mut self, seeing: f32) {
        let side = self.side();
        for (plane, width) in self.planes.iter_mut().zip([0.94, 1.0, 1.07]) {
            let kernel = gaussian(seeing * width / 2.3548 / self.cell);
            *plane = convolve_columns(&convolve_rows(plane, side, &kernel), side, &kernel);
        }
    }

    /// The light in the pixels of the picture, row by row.
    pub fn bin(&self) -> Vec<Bands> {
        let (n, side) = (self.oversampling, self.side());
        let share = 1.0 / (n * n) as f32;
        let mut pixels = vec![[0.0; 3]; self.size * self.size];
        for (band, plane) in self.planes.iter().enumerate() {
            for (row, cells) in plane.chunks_exact(side).enumerate() {
                let line = &mut pixels[row / n * self.size..][..self.size];
                for (pixel, cells) in line.iter_mut().zip(cells.chunks_exact(n)) {
                    pixel[band] += share * cells.iter().sum::<f32>();
                }
            }
        }
        pixels
    }
}

/// A sampled Gaussian of `sigma` cells, out to three sigma, with sum 1.
fn gaussian(sigma: f32) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil().max(1.0) as i32;
    let kernel: Vec<f32> = (-radius..=radius).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
    let sum: f32 = kernel.iter().sum();
    kernel.into_iter().map(|k| k / sum).collect()
}

/// Each row convolved; the light of the border goes on outside.
fn convolve_rows(plane: &[f32], side: usize, kernel: &[f32]) -> Vec<f32> {
    let radius = kernel.len() / 2;
    let mut out = vec![0.0; plane.len()];
    let mut padded = vec![0.0; side + 2 * radius];
    for (source, target) in plane.chunks_exact(side).zip(out.chunks_exact_mut(side)) {
        padded[..radius].fill(source[0]);
        padded[radius..radius + side].copy_from_slice(source);
        padded[radius + side..].fill(source[side - 1]);
        for (shift, &weight) in kernel.iter().enumerate() {
            for (t, s) in target.iter_mut().zip(&padded[shift..]) {
                *t += weight * s;
            }
        }
    }
    out
}

/// Each column convolved; the light of the border goes on outside.
fn convolve_columns(plane: &[f32], side: usize, kernel: &[f32]) -> Vec<f32> {
    let radius = kernel.len() / 2;
    let mut out = vec![0.0; plane.len()];
    for (row, target) in out.chunks_exact_mut(side).enumerate() {
        for (shift, &weight) in kernel.iter().enumerate() {
            let from = (row + shift).saturating_sub(radius).min(side - 1);
            for (t, s) in target.iter_mut().zip(&plane[from * side..]) {
                *t += weight * s;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(pixels: &[Bands]) -> f32 {
        pixels.iter().map(|p| p[1]).sum()
    }

    #[test]
    fn blurring_spreads_light_and_loses_none() {
        for size in [32, 64, 100, 256] {
            let mut canvas = Canvas::new(size);
            canvas.add(Region { x: 3.0, y: -5.0, reach: 2.0 }, |_, _| [1.0; 3]);
            let before = canvas.bin();
            canvas.blur(1.2);
            let after = canvas.bin();
            assert!((total(&after) / total(&before) - 1.0).abs() < 1e-3, "size {size}");
            let lit = |pixels: &[Bands]| pixels.iter().filter(|p| p[1] > 1e-3).count();
            assert!(lit(&after) > lit(&before), "size {size}");
        }
    }

    #[test]
    fn a_region_outside_the_field_is_left_out() {
        let mut canvas = Canvas::new(32);
        canvas.add(Region { x: 100.0, y: -100.0, reach: 5.0 }, |_, _| [1.0; 3]);
        assert!(total(&canvas.bin()).abs() < 1e-9);
    }
}
