//! Picture files: PNG, JPEG, TIFF and WebP to RGB bytes and back to PNG. The format is told from the content, never
//! from the name. What the file says about colour profiles and orientation is left alone.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Cursor, Read, Seek, SeekFrom, Write};
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{Image, ImagingError};

/// The largest picture that is decoded, in pixels (10,000 x 10,000: 300 MB as RGB).
pub const MAX_PIXELS: u64 = 100_000_000;

/// The extensions, in lower case, by which [`is_picture`] knows a picture.
pub const EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "tif", "tiff", "webp"];

/// A decoder may take this much memory: the largest picture as 16-bit RGBA, and some room.
const MAX_MEMORY: u64 = MAX_PIXELS * 8 + (64 << 20);

/// Headers of JPEG files are looked for in this many bytes first, so that checking a large file does not read it whole.
const PREFIX: u64 = 64 << 10;

/// How far from the end of a file its end mark is looked for; some programs append a few bytes.
const TAIL: u64 = 4 << 10;

/// True if the name's extension is that of a format that is read, in upper or lower case.
#[must_use]
pub fn is_picture(path: &Path) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(e)))
}

/// The picture in a PNG, JPEG, TIFF or WebP file; see [`decode`].
///
/// # Errors
/// As [`decode`], and [`ImagingError::Read`] if the file cannot be read. The message does not name the file.
pub fn open(path: &Path) -> Result<Image, ImagingError> {
    decode_from(BufReader::new(open_file(path)?.0))
}

/// The picture in the bytes of a PNG, JPEG, TIFF or WebP file.
///
/// Grey and palette become RGB, 16 bits a channel become 8 (rounded), an alpha channel is composited on black.
///
/// # Errors
/// [`ImagingError::Empty`], [`ImagingError::Format`] or [`ImagingError::Damaged`] if the bytes are no readable picture,
/// [`ImagingError::TooLarge`] beyond [`MAX_PIXELS`], before any pixel is decoded.
pub fn decode(bytes: &[u8]) -> Result<Image, ImagingError> {
    if bytes.is_empty() {
        return Err(ImagingError::Empty);
    }
    decode_from(Cursor::new(bytes))
}

/// Width and height of a picture file, found without decoding it. Also looks for the mark that ends a complete file, so
/// that a download that broke off is noticed here and not in the middle of a training run.
///
/// # Errors
/// As [`open`], but damage between header and end is not seen.
pub fn check(path: &Path) -> Result<(usize, usize), ImagingError> {
    let (mut file, bytes) = open_file(path)?;
    let mut start = [0; 16];
    let got = read_up_to(&mut file, &mut start).map_err(ImagingError::Read)?;
    let format = known_format(&start[..got])?;
    check_end(&mut file, bytes, format)?;
    file.rewind().map_err(ImagingError::Read)?;
    if format == ImageFormat::Jpeg {
        let mut prefix = Vec::new();
        Read::by_ref(&mut file).take(PREFIX).read_to_end(&mut prefix).map_err(ImagingError::Read)?;
        // The header may lie behind a large thumbnail or colour profile: only then is the whole file read.
        if bytes <= PREFIX {
            return dimensions(Cursor::new(prefix));
        } else if let Ok(size) = dimensions(Cursor::new(prefix)) {
            return Ok(size);
        }
        file.rewind().map_err(ImagingError::Read)?;
    }
    dimensions(BufReader::new(file))
}

/// Writes a picture as 8-bit RGB PNG: to a temporary name beside `path`, then renamed, so that a broken write never
/// leaves half a file under the name asked for.
///
/// # Errors
/// [`ImagingError::Write`], for example if the folder is missing or the disk is full.
pub fn write_png(path: &Path, image: &Image) -> Result<(), ImagingError> {
    let name = path.file_name().ok_or_else(|| {
        ImagingError::Write(std::io::Error::new(std::io::ErrorKind::InvalidInput, "the path names no file; add a file name"))
    })?;
    let mut partial = std::ffi::OsString::from(".");
    partial.push(name);
    partial.push(format!(".partial-{}", std::process::id()));
    let partial = path.with_file_name(partial);
    let written = write_and_rename(&partial, path, image);
    if written.is_err() {
        // Nothing more can be done about a leftover; the error that matters is the one reported.
        drop(fs::remove_file(&partial));
    }
    written.map_err(ImagingError::Write)
}

fn write_and_rename(partial: &Path, path: &Path, image: &Image) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(partial)?);
    let too_wide = |_| std::io::Error::new(std::io::ErrorKind::InvalidInput, "a side is too long for PNG");
    let width = u32::try_from(image.width()).map_err(too_wide)?;
    let height = u32::try_from(image.height()).map_err(too_wide)?;
    PngEncoder::new(&mut out).write_image(image.pixels(), width, height, ExtendedColorType::Rgb8).map_err(|e| match e {
        ImageError::IoError(e) => e,
        other => std::io::Error::other(other),
    })?;
    out.flush()?;
    out.get_ref().sync_all()?;
    fs::rename(partial, path)
}

/// The opened file and its length; a folder and an empty file are errors.
fn open_file(path: &Path) -> Result<(File, u64), ImagingError> {
    let file = File::open(path).map_err(ImagingError::Read)?;
    let metadata = file.metadata().map_err(ImagingError::Read)?;
    if metadata.is_dir() {
        return Err(ImagingError::Read(std::io::ErrorKind::IsADirectory.into()));
    }
    if metadata.is_file() && metadata.len() == 0 {
        return Err(ImagingError::Empty);
    }
    Ok((file, metadata.len()))
}

fn decode_from<'a>(source: impl BufRead + Seek + 'a) -> Result<Image, ImagingError> {
    let mut decoder = decoder(source)?;
    let (width, height) = decoder.dimensions();
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_MEMORY);
    decoder.set_limits(limits).map_err(damaged)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    Image::new(width as usize, height as usize, on_black(picture))
}

/// A decoder that has read the header of a picture of bearable size.
fn decoder<'a>(source: impl BufRead + Seek + 'a) -> Result<impl ImageDecoder + 'a, ImagingError> {
    let mut reader = ImageReader::new(source).with_guessed_format().map_err(ImagingError::Read)?;
    if !reader.format().is_some_and(is_read) {
        return Err(ImagingError::Format);
    }
    reader.no_limits();
    let decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImagingError::TooLarge { width, height });
    }
    Ok(decoder)
}

fn dimensions(source: impl BufRead + Seek) -> Result<(usize, usize), ImagingError> {
    let (width, height) = decoder(source)?.dimensions();
    Ok((width as usize, height as usize))
}

fn is_read(format: ImageFormat) -> bool {
    matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Tiff | ImageFormat::WebP)
}

fn known_format(start: &[u8]) -> Result<ImageFormat, ImagingError> {
    image::guess_format(start).ok().filter(|&format| is_read(format)).ok_or(ImagingError::Format)
}

/// That a file is complete, as far as its end can tell: the end mark of JPEG and PNG, the length WebP states. TIFF has
/// its directory anywhere, so reading that is test enough.
fn check_end(file: &mut File, bytes: u64, format: ImageFormat) -> Result<(), ImagingError> {
    let mark: &[u8] = match format {
        ImageFormat::Jpeg => &[0xff, 0xd9],
        ImageFormat::Png => b"IEND",
        ImageFormat::WebP => {
            let mut stated = [0; 4];
            file.seek(SeekFrom::Start(4)).and_then(|_| file.read_exact(&mut stated)).map_err(ImagingError::Read)?;
            let complete = bytes >= u64::from(u32::from_le_bytes(stated)) + 8;
            return if complete { Ok(()) } else { Err(cut_off()) };
        }
        _ => return Ok(()),
    };
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(bytes.saturating_sub(TAIL))).map_err(ImagingError::Read)?;
    file.take(TAIL).read_to_end(&mut tail).map_err(ImagingError::Read)?;
    if tail.windows(mark.len()).any(|window| window == mark) { Ok(()) } else { Err(cut_off()) }
}

fn cut_off() -> ImagingError {
    ImagingError::Damaged("its end is missing".to_owned())
}

fn damaged(error: ImageError) -> ImagingError {
    match error {
        ImageError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => ImagingError::Read(error),
        other => ImagingError::Damaged(other.to_string()),
    }
}

/// Reads until the buffer is full or the file ends; returns the number of bytes.
fn read_up_to(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
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
