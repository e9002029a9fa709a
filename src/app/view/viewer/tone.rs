//! How the values of a picture become what is seen: brightness and contrast as in ds9, one band, inverted.

use egui::ColorImage;

use crate::imaging::Image;

/// The largest side of the texture that is made; larger pictures are thinned.
const SIDE: usize = 2048;

/// Which band is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Band {
    /// All three in colour.
    #[default]
    All,
    /// One of red, green and blue (0, 1, 2) in grey.
    One(usize),
}

/// How values become what is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// The value, as a share of the largest, that becomes middle grey (ds9's bias).
    pub bias: f32,
    /// How much steeper than the identity it is (ds9's contrast).
    pub contrast: f32,
    /// Which band.
    pub band: Band,
    /// Dark on light.
    pub inverted: bool,
}

impl Default for Tone {
    fn default() -> Self {
        Self { bias: 0.5, contrast: 1.0, band: Band::All, inverted: false }
    }
}

impl Tone {
    /// The contrasts that make sense.
    pub const CONTRAST: std::ops::RangeInclusive<f32> = 0.1..=10.0;

    /// A drag by a share of the picture's side: to the right is darker, down is flatter, as in ds9.
    pub fn drag(&mut self, right: f32, down: f32) {
        self.bias = (self.bias + right).clamp(0.0, 1.0);
        self.contrast = (self.contrast * (-2.0 * down).exp()).clamp(*Self::CONTRAST.start(), *Self::CONTRAST.end());
    }

    /// What each value becomes.
    #[must_use]
    pub fn table(&self) -> [u8; 256] {
        std::array::from_fn(|value| {
            let seen = ((value as f32 / 255.0 - self.bias) * self.contrast + 0.5).clamp(0.0, 1.0);
            let seen = if self.inverted { 1.0 - seen } else { seen };
            (seen * 255.0).round() as u8
        })
    }

    /// The picture as it is seen; of one larger than 2048 pixels every second, third ... pixel.
    #[must_use]
    pub fn apply(&self, image: &Image) -> ColorImage {
        let (width, height) = (image.width(), image.height());
        let step = width.max(height).div_ceil(SIDE).max(1);
        let table = self.table();
        let (wide, high) = (width.div_ceil(step), height.div_ceil(step));
        let mut pixels = Vec::with_capacity(wide * high * 3);
        for row in image.pixels().chunks_exact(width * 3).step_by(step) {
            for pixel in row.chunks_exact(3).step_by(step) {
                pixels.extend(match self.band {
                    Band::All => [pixel[0], pixel[1], pixel[2]].map(|value| table[usize::from(value)]),
                    Band::One(band) => [table[usize::from(pixel[band])]; 3],
                });
            }
        }
        ColorImage::from_rgb([wide, high], &pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_changes_nothing_and_inverting_twice_neither() {
        assert!(Tone::default().table().iter().enumerate().all(|(i, &v)| i == usize::from(v)));
        let inverted = Tone { inverted: true, ..Tone::default() }.table();
        assert!(inverted.iter().enumerate().all(|(i, &v)| 255 - i == usize::from(v)));
    }

    #[test]
    fn bias_moves_middle_grey_and_contrast_makes_it_steeper() {
        let table = Tone { bias: 0.25, contrast: 2.0, ..Tone::default() }.table();
        assert_eq!((table[0], table[64], table[128], table[255]), (0, 128, 255, 255));
        let mut tone = Tone::default();
        tone.drag(5.0, -9.0);
        assert_eq!((tone.bias, tone.contrast), (1.0, 10.0));
    }

    #[test]
    fn a_band_is_grey_and_a_huge_picture_is_thinned() {
        let image = Image::new(1, 1, vec![10, 20, 30]).expect("a pixel");
        let green = Tone { band: Band::One(1), ..Tone::default() }.apply(&image);
        assert_eq!(green.pixels[0].to_array(), [20, 20, 20, 255]);
        let long = Image::new(5000, 2, vec![7; 30_000]).expect("three bytes a pixel");
        assert_eq!(Tone::default().apply(&long).size, [1667, 1]);
    }
}
