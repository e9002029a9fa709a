//! Pictures of one size in memory, one after the other.

use super::{DataError, ImageSource};
use crate::imaging::Image;

/// Pictures of one size, held in memory.
pub struct MemorySource {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl MemorySource {
    /// Pictures from their bytes: any number of times `height * width * 3`, each row-major RGB.
    ///
    /// # Errors
    /// [`DataError::Request`] if a side is zero or the bytes are not a whole number of pictures.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self, DataError> {
        let bytes = width.checked_mul(height).and_then(|n| n.checked_mul(3)).filter(|&n| n > 0);
        if bytes.is_none_or(|bytes| !pixels.len().is_multiple_of(bytes)) {
            return Err(DataError::Request(format!(
                "{} bytes are no whole number of pictures of {width} x {height} pixels; give three bytes a pixel",
                pixels.len()
            )));
        }
        Ok(Self { width, height, pixels })
    }
}

impl ImageSource for MemorySource {
    fn len(&self) -> usize {
        self.pixels.len() / (self.width * self.height * 3)
    }

    fn size(&self) -> Option<(usize, usize)> {
        Some((self.width, self.height))
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        cut_out(&self.pixels, index, self.width, self.height)
    }
}

/// A copy of picture `index` of those that lie one after the other in `pixels`.
pub(super) fn cut_out(pixels: &[u8], index: usize, width: usize, height: usize) -> Result<Image, DataError> {
    let bytes = width * height * 3;
    let range = index.checked_mul(bytes).and_then(|start| Some(start..start.checked_add(bytes)?));
    let picture = range.and_then(|range| pixels.get(range)).ok_or_else(|| {
        DataError::Request(format!("there is no image {index}: the data set has {} images, counted from 0", pixels.len() / bytes))
    })?;
    Image::new(width, height, picture.to_vec()).map_err(|error| DataError::Request(error.to_string()))
}
