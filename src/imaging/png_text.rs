//! PNG files that say what they are: pictures and 16-bit grey maps with text chunks (iTXt, UTF-8). The same input gives the
//! same bytes. Reading is in [`file`](super::file).

use std::io;
use std::path::Path;

use super::{Image, ImagingError};
use crate::files::replace;

/// Key and text of a chunk. Keys are 1 to 79 letters of Latin-1.
pub type TextChunk = (&'static str, String);

/// A picture as 8-bit RGB PNG.
///
/// # Errors
/// [`ImagingError::Write`] if a side or a text is too long for PNG.
pub fn encode_png(image: &Image, texts: &[TextChunk]) -> Result<Vec<u8>, ImagingError> {
    encode(image.width, image.height, png::ColorType::Rgb, png::BitDepth::Eight, &image.pixels, texts)
}

/// `height * width` numbers as 16-bit grey PNG.
///
/// # Errors
/// As [`encode_png`], and if the number of values does not fit.
pub fn encode_grey16(width: usize, height: usize, values: &[u16], texts: &[TextChunk]) -> Result<Vec<u8>, ImagingError> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    encode(width, height, png::ColorType::Grayscale, png::BitDepth::Sixteen, &bytes, texts)
}

fn encode(
    width: usize,
    height: usize,
    colour: png::ColorType,
    depth: png::BitDepth,
    bytes: &[u8],
    texts: &[TextChunk],
) -> Result<Vec<u8>, ImagingError> {
    let failed = |error: png::EncodingError| ImagingError::Write(error.into());
    let side = |side: usize| {
        u32::try_from(side).map_err(|_| ImagingError::Write(io::Error::new(io::ErrorKind::InvalidInput, "a side is too long for PNG")))
    };
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, side(width)?, side(height)?);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    for (key, text) in texts {
        encoder.add_itxt_chunk((*key).to_owned(), text.clone()).map_err(failed)?;
    }
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(bytes).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}

/// Writes bytes to a temporary name beside `path`, flushes them and renames, so that a broken write never leaves half a file
/// under the name asked for.
///
/// # Errors
/// [`ImagingError::Write`], for example if the folder is missing or the disk is full.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ImagingError> {
    replace(path, |file| io::Write::write_all(file, bytes)).map_err(ImagingError::Write)
}
