//! Pictures: height x width x 3 bytes of red, green and blue, and what is done to them.
//! No tensors, no labels, no window.

/// An RGB picture: `height * width * 3` bytes, row by row from the top left, red first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// What can be wrong with a picture or its file. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum ImagingError {
    /// The bytes are not `width * height * 3`, or a side is zero.
    #[error("a picture of {width} x {height} needs {} bytes, but {got} were given", width * height * 3)]
    Shape { width: usize, height: usize, got: usize },
}

impl Image {
    /// A picture from its bytes (`height * width * 3`, row-major, RGB).
    ///
    /// # Errors
    /// [`ImagingError::Shape`] if the number of bytes does not fit or a side is zero.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self, ImagingError> {
        if width == 0 || height == 0 || pixels.len() != width * height * 3 {
            return Err(ImagingError::Shape { width, height, got: pixels.len() });
        }
        Ok(Self { width, height, pixels })
    }

    /// Pixels from left to right.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Pixels from top to bottom.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// `height * width * 3` bytes, row-major, RGB.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The bytes, taken out.
    #[must_use]
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}
