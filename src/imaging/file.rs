//! Picture files: PNG, JPEG, TIFF, WebP and FITS to RGB bytes and back to PNG. The format is told from the content, never
//! from the name. What the file says about colour profiles and orientation is left alone.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader, Limits};

use super::fits::{check_fits, is_fits, read_fits};
use super::{Bands, Image, ImagingError, Rendering};
use crate::files::replace;

/// The largest picture that is decoded, in pixels (10,000 x 10,000: 300 MB as RGB).
pub const MAX_PIXELS: u64 = 100_000_000;

/// The extensions, in lower case, by which [`is_picture`] knows a picture.
pub const EXTENSIONS: [&str; 10] = ["png", "jpg", "jpeg", "tif", "tiff", "webp", "fits", "fit", "fts", "fz"];

/// A decoder may take this much memory: the largest picture as 16-bit RGBA, and some room.
const MAX_MEMORY: u64 = MAX_PIXELS * 8 + (64 << 20);

/// The longest file that is read; the largest picture as 16-bit RGBA fits without compression.
pub(super) const MAX_BYTES: u64 = 1 << 30;

/// Checking a file looks at this many bytes at its start and its end first, so that a large one is not read whole.
const EDGE: u64 = 64 << 10;

/// True if the name's extension is that of a format that is read, in upper or lower case.
#[must_use]
pub fn is_picture(path: &Path) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(e)))
}

/// The picture in a PNG, JPEG, TIFF, WebP or FITS file; see [`decode`].
///
/// # Errors
/// As [`decode`], and [`ImagingError::Read`] if the file cannot be read. The message does not name the file.
pub fn open(path: &Path) -> Result<Image, ImagingError> {
    open_rendered(path, &Rendering::default())
}

/// As [`open`], with FITS numbers made grey levels or colours as `rendering` says.
///
/// # Errors
/// As [`open`].
pub fn open_rendered(path: &Path, rendering: &Rendering) -> Result<Image, ImagingError> {
    let bytes = read(path)?;
    if is_fits(&bytes) { Ok(read_fits(&bytes)?.render(rendering)) } else { decode(&bytes) }
}

/// The numbers of a FITS file; see [`read_fits`].
///
/// # Errors
/// As [`read_fits`], [`ImagingError::Format`] if it is another file, and [`ImagingError::Read`] if it cannot be read.
pub fn open_fits(path: &Path) -> Result<Bands, ImagingError> {
    let bytes = read(path)?;
    if is_fits(&bytes) { read_fits(&bytes) } else { Err(ImagingError::Format) }
}

/// The whole file.
fn read(path: &Path) -> Result<Vec<u8>, ImagingError> {
    let (mut file, length) = open_file(path)?;
    let mut bytes = Vec::with_capacity(length as usize);
    file.read_to_end(&mut bytes).map_err(ImagingError::Read)?;
    Ok(bytes)
}

/// The picture in the bytes of a PNG, JPEG, TIFF, WebP or FITS file.
///
/// FITS numbers become colours as [`Rendering::default`] says.
/// Grey and palette become RGB, 16 bits a channel become 8 (rounded), an alpha channel is composited on black.
///
/// # Errors
/// [`ImagingError::Empty`], [`ImagingError::Format`] or [`ImagingError::Damaged`] if the bytes are no readable picture or
/// their end is missing, [`ImagingError::TooLarge`] beyond [`MAX_PIXELS`], before any pixel is decoded.
pub fn decode(bytes: &[u8]) -> Result<Image, ImagingError> {
    if is_fits(bytes) {
        return Ok(read_fits(bytes)?.render(&Rendering::default()));
    }
    let format = known_format(bytes)?;
    let mut decoder = decoder(Cursor::new(bytes), format)?;
    check_end(bytes, &bytes[bytes.len().saturating_sub(EDGE as usize)..], bytes.len() as u64, format)?;
    let (width, height) = decoder.dimensions();
    decoder.set_limits(limits()).map_err(damaged)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    Image::new(width as usize, height as usize, on_black(picture))
}

/// Width and height of a picture file, found without decoding it. Also looks for the mark that ends a complete file, so
/// that a download that broke off is noticed here and not in the middle of a training run.
///
/// # Errors
/// As [`open`], but damage between header and end is not seen.
pub fn check(path: &Path) -> Result<(usize, usize), ImagingError> {
    let (mut file, bytes) = open_file(path)?;
    let start = read_at(&mut file, 0)?;
    if is_fits(&start) {
        return check_fits(&read(path)?);
    }
    let format = known_format(&start)?;
    // The header of a JPEG file may lie behind a large thumbnail or colour profile: only then is all of it read.
    let at_start = if format == ImageFormat::Jpeg { dimensions(Cursor::new(&start), format).ok() } else { None };
    let size = if let Some(size) = at_start {
        size
    } else {
        file.rewind().map_err(ImagingError::Read)?;
        dimensions(BufReader::new(&file), format)?
    };
    let end = read_at(&mut file, bytes.saturating_sub(EDGE))?;
    check_end(&start, &end, bytes, format)?;
    Ok(size)
}

/// Writes a picture as 8-bit RGB PNG: to a temporary name beside `path`, then renamed, so that a broken write never
/// leaves half a file under the name asked for.
///
/// # Errors
/// [`ImagingError::Write`], for example if the folder is missing or the disk is full.
pub fn write_png(path: &Path, image: &Image) -> Result<(), ImagingError> {
    replace(path, |out| encode_png(out, image)).map_err(ImagingError::Write)
}

/// A picture as the bytes of an 8-bit RGB PNG file.
///
/// # Errors
/// [`ImagingError::Write`] if a side is too long for PNG.
pub fn to_png(image: &Image) -> Result<Vec<u8>, ImagingError> {
    let mut bytes = Vec::new();
    encode_png(&mut bytes, image).map_err(ImagingError::Write)?;
    Ok(bytes)
}

fn encode_png(out: impl Write, image: &Image) -> io::Result<()> {
    let too_wide = |_| io::Error::new(io::ErrorKind::InvalidInput, "a side is too long for PNG");
    let width = u32::try_from(image.width()).map_err(too_wide)?;
    let height = u32::try_from(image.height()).map_err(too_wide)?;
    PngEncoder::new(out).write_image(image.pixels(), width, height, ExtendedColorType::Rgb8).map_err(|e| match e {
        ImageError::IoError(e) => e,
        other => io::Error::other(other),
    })
}

/// The opened file and its length; what is no ordinary file, is empty or too long is an error.
fn open_file(path: &Path) -> Result<(File, u64), ImagingError> {
    let metadata = fs::metadata(path).map_err(ImagingError::Read)?;
    if metadata.is_dir() {
        return Err(ImagingError::Read(io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        return Err(ImagingError::Read(io::Error::new(io::ErrorKind::InvalidInput, "it is no ordinary file; copy it to one")));
    }
    match metadata.len() {
        0 => Err(ImagingError::Empty),
        bytes if bytes > MAX_BYTES => Err(ImagingError::TooLong { bytes }),
        bytes => Ok((File::open(path).map_err(ImagingError::Read)?, bytes)),
    }
}

/// A decoder that has read the header of a picture of bearable size.
fn decoder<'a>(source: impl BufRead + Seek + 'a, format: ImageFormat) -> Result<impl ImageDecoder + 'a, ImagingError> {
    let mut reader = ImageReader::with_format(source, format);
    reader.limits(limits());
    let decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImagingError::TooLarge { width, height });
    }
    Ok(decoder)
}

/// Limits on memory; those on sides are ours, because their message is better.
fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    limits
}

fn dimensions(source: impl BufRead + Seek, format: ImageFormat) -> Result<(usize, usize), ImagingError> {
    let (width, height) = decoder(source, format)?.dimensions();
    Ok((width as usize, height as usize))
}

/// The format that the first bytes tell, if it is one that is read.
fn known_format(start: &[u8]) -> Result<ImageFormat, ImagingError> {
    if start.is_empty() {
        return Err(ImagingError::Empty);
    }
    let read = |format: &ImageFormat| matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Tiff | ImageFormat::WebP);
    image::guess_format(start).ok().filter(read).ok_or(ImagingError::Format)
}

/// That a file of so many bytes is complete, as far as its start and its end can tell: the end mark of JPEG and PNG, the
/// length WebP states. A TIFF has its directory anywhere, so reading that is test enough.
fn check_end(start: &[u8], end: &[u8], bytes: u64, format: ImageFormat) -> Result<(), ImagingError> {
    let has = |mark: &[u8]| end.windows(mark.len()).any(|window| window == mark);
    let complete = match (format, start) {
        (ImageFormat::Jpeg, _) => has(&[0xff, 0xd9]),
        (ImageFormat::Png, _) => has(b"IEND"),
        (ImageFormat::WebP, &[_, _, _, _, a, b, c, d, ..]) => bytes >= u64::from(u32::from_le_bytes([a, b, c, d])) + 8,
        _ => true,
    };
    if complete { Ok(()) } else { Err(ImagingError::Damaged("its end is missing".to_owned())) }
}

fn damaged(error: ImageError) -> ImagingError {
    match error {
        ImageError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => ImagingError::Read(error),
        other => ImagingError::Damaged(other.to_string().trim().to_owned()),
    }
}

/// Up to [`EDGE`] bytes from `offset` on.
fn read_at(file: &mut File, offset: u64) -> Result<Vec<u8>, ImagingError> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset)).map_err(ImagingError::Read)?;
    file.take(EDGE).read_to_end(&mut bytes).map_err(ImagingError::Read)?;
    Ok(bytes)
}

/// RGB bytes; what is transparent lets black through.
fn on_black(picture: DynamicImage) -> Vec<u8> {
    if !picture.color().has_alpha() {
        return picture.into_rgb8().into_raw();
    }
    let rgba = picture.into_rgba8().into_raw();
    let shade = |value: u8, alpha: u8| ((u16::from(value) * u16::from(alpha) + 127) / 255) as u8;
    rgba.chunks_exact(4).flat_map(|p| [shade(p[0], p[3]), shade(p[1], p[3]), shade(p[2], p[3])]).collect()
}
