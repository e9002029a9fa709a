//! Pictures: height x width x 3 bytes of red, green and blue, and what is done to them.
//! No tensors, no labels, no window.

mod bands;
mod canvas;
mod colour_map;
mod crop;
mod file;
mod find;
mod fits;
mod png_text;
mod resize;
mod segment;
mod source;
mod stretch;

pub use bands::{BANDS, Bands, Rendering, band_of_filter};
pub use canvas::{Canvas, text_width, wrap};
pub use colour_map::ColourMap;
pub use crop::{Fit, Frame};
pub use file::{EXTENSIONS, MAX_PIXELS, check, decode, is_picture, open, open_fits, open_rendered, to_png, write_png};
pub use find::find_pictures;
pub use fits::{check_fits, is_fits, read_fits};
pub use png_text::{TextChunk, encode_grey16, encode_png, write_file};
pub use segment::{Region, segment};
pub use source::{Source, bands_by_header, group_bands, three_bands};
pub use stretch::{Curve, Interval, Stretch, legacy_rgb};

/// An RGB picture: `height * width * 3` bytes, row by row from the top left, red first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// What can be wrong with a picture or its file. Each message says what to do; none names the file, because only the
/// caller knows it: put the path in front.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum ImagingError {
    /// The bytes are not `width * height * 3`, or a side is zero.
    #[error("a picture of {width} x {height} pixels cannot be made from {got} bytes; it takes three bytes a pixel and no side may be 0")]
    Shape { width: usize, height: usize, got: usize },
    /// The file cannot be opened or read.
    #[error("the picture cannot be read: {0}")]
    Read(#[source] std::io::Error),
    /// The file cannot be written.
    #[error("the picture cannot be written: {0}")]
    Write(#[source] std::io::Error),
    /// The file has no bytes.
    #[error("the file is empty (0 bytes); copy it again or remove it")]
    Empty,
    /// The first bytes are those of none of the formats that are read.
    #[error("this is not a PNG, JPEG, TIFF, WebP or FITS picture; convert it to one of these")]
    Format,
    /// More pixels than [`MAX_PIXELS`]; found before anything is decoded.
    #[error(
        "a picture of {width} x {height} pixels is over the limit of {} million pixels; crop it or scale it down first",
        MAX_PIXELS / 1_000_000
    )]
    TooLarge { width: u32, height: u32 },
    /// The file is longer than any picture that is read.
    #[error("the file has {bytes} bytes, over the limit of {} for a picture; crop it or compress it first", file::MAX_BYTES)]
    TooLong { bytes: u64 },
    /// The header or the pixels cannot be decoded.
    #[error(
        "the picture is damaged, cut off or of an unusual kind ({0}); copy it again, or write it anew (as an 8-bit PNG, or a FITS file with one image)"
    )]
    Damaged(String),
    /// A FITS file without an image: a table, or headers alone.
    #[error("this FITS file holds no image, only tables or headers; choose the file with the image")]
    NoImage,
    /// A FITS image that is neither a plane nor three.
    #[error("a FITS image of {sides} pixels is neither one plane nor three; save one band, or g, r and z, to a file of their own")]
    Cube { sides: String },
    /// A FITS image without one number that is finite.
    #[error("no pixel of this FITS image has a number (all are NaN or blank); choose a part of the sky that was observed")]
    NoNumbers,
    /// Compressed tiles of a kind that is not read.
    #[error("this FITS image is compressed in a way that is not read ({0}); unpack it first, with funpack for example")]
    Compression(String),
    /// One of three FITS files is wrong.
    #[error("{name}: {source}")]
    Band { name: String, source: Box<ImagingError> },
    /// FITS files that do not make one picture of three bands.
    #[error("three FITS files of one band each and of the same size make a colour picture; these do not")]
    ThreeFiles,
}

impl Image {
    /// A picture from its bytes (`height * width * 3`, row-major, RGB).
    ///
    /// # Errors
    /// [`ImagingError::Shape`] if the number of bytes does not fit or a side is zero.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self, ImagingError> {
        let bytes = width.checked_mul(height).and_then(|n| n.checked_mul(3));
        if width == 0 || height == 0 || bytes != Some(pixels.len()) {
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
