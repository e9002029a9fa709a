//! The part of a picture that a network sees: a rectangle in its pixels, which may reach beyond its borders.

use serde::{Deserialize, Serialize};

use super::Image;

/// A rectangle in the pixels of a picture; what of it lies outside is black.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its left column; negative if it begins left of the picture.
    pub x: i64,
    /// Its top row; negative if it begins above the picture.
    pub y: i64,
    /// Columns, at least 1.
    pub width: usize,
    /// Rows, at least 1.
    pub height: usize,
}

/// How a picture of any proportions becomes a square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// The whole picture, stretched to a square: what models of older programs were trained on.
    #[default]
    Stretch,
    /// The largest square around its centre.
    Crop,
    /// The smallest square around it, black beyond its borders.
    Pad,
}

impl Fit {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Stretch, Self::Crop, Self::Pad];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stretch => "stretch",
            Self::Crop => "crop",
            Self::Pad => "pad",
        }
    }

    /// The part of a picture of `width` x `height` pixels.
    #[must_use]
    pub fn frame(self, width: usize, height: usize) -> Frame {
        let side = match self {
            Self::Stretch => return Frame { x: 0, y: 0, width, height },
            Self::Crop => width.min(height),
            Self::Pad => width.max(height),
        };
        let start = |length: usize| (length as i64 - side as i64).div_euclid(2);
        Frame { x: start(width), y: start(height), width: side, height: side }
    }
}

impl std::str::FromStr for Fit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|fit| fit.name() == text).ok_or_else(|| format!("there is no fit {text}; there are {}", known()))
    }
}

impl Image {
    /// The picture made square by `fit`; [`Fit::Stretch`] leaves it as it is, to be scaled to a square.
    #[must_use]
    pub fn squared(self, fit: Fit) -> Self {
        let frame = fit.frame(self.width, self.height);
        if (frame.width, frame.height) == (self.width, self.height) { self } else { self.crop(frame) }
    }

    /// The part of the picture in `frame`; black where it reaches beyond the borders. A side of 0 counts as 1.
    #[must_use]
    pub fn crop(&self, frame: Frame) -> Self {
        let (width, height) = (frame.width.max(1), frame.height.max(1));
        if (frame.x, frame.y, width, height) == (0, 0, self.width, self.height) {
            return self.clone();
        }
        let mut pixels = vec![0; width * height * 3];
        let first = frame.x.clamp(0, self.width as i64);
        let last = (frame.x + width as i64).clamp(first, self.width as i64);
        let length = (last - first) as usize * 3;
        for (row, line) in pixels.chunks_exact_mut(width * 3).enumerate() {
            let y = frame.y + row as i64;
            if (0..self.height as i64).contains(&y) {
                let from = (y as usize * self.width + first as usize) * 3;
                let to = (first - frame.x).max(0) as usize * 3;
                line[to.min(width * 3)..][..length].copy_from_slice(&self.pixels[from..from + length]);
            }
        }
        Self { width, height, pixels }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(width: usize, height: usize) -> Image {
        Image::new(width, height, (0..width * height).flat_map(|i| [i as u8 + 1; 3]).collect()).expect("a picture")
    }

    fn first(image: &Image) -> Vec<u8> {
        image.pixels().iter().step_by(3).copied().collect()
    }

    #[test]
    fn fits_are_centred() {
        let image = numbered(4, 2);
        assert_eq!(first(&image.crop(Fit::Crop.frame(4, 2))), [2, 3, 6, 7]);
        assert_eq!(first(&image.crop(Fit::Pad.frame(4, 2))), [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0]);
        assert_eq!(image.crop(Fit::Stretch.frame(4, 2)), image);
    }

    #[test]
    fn what_lies_outside_is_black() {
        let image = numbered(2, 2);
        let at = |x, y, width, height| first(&image.crop(Frame { x, y, width, height }));
        assert_eq!(at(1, 1, 2, 2), [4, 0, 0, 0]);
        assert_eq!(at(-1, -1, 2, 2), [0, 0, 0, 1]);
        assert_eq!(at(9, 9, 2, 1), [0, 0]);
        assert_eq!(at(-9, 0, 2, 1), [0, 0]);
        assert_eq!(at(-1, 0, 4, 1), [0, 1, 2, 0]);
    }
}
