//! FITS images: physical numbers of one or three bands. Compressed tiles are read too. Tables, spectra and world coordinates are not.
//! How numbers become a picture is in [`bands`](super::bands).

use fitsio_pure::hdu::{FitsData, Hdu, parse_fits};
use fitsio_pure::image::{image_dimensions, read_image_physical_f32};
use fitsio_pure::value::Value;

use super::file::MAX_PIXELS;
use super::{Bands, ImagingError};

/// The first bytes of each FITS file.
const MAGIC: &[u8] = b"SIMPLE  =";

/// Whether bytes begin like a FITS file.
#[must_use]
pub fn is_fits(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

fn damaged(error: &fitsio_pure::Error) -> ImagingError {
    match error {
        fitsio_pure::Error::UnsupportedCompression(_) => ImagingError::Compression(error.to_string()),
        other => ImagingError::Damaged(other.to_string()),
    }
}

/// The first image of a FITS file that has pixels, with BSCALE, BZERO and BLANK applied.
///
/// # Errors
/// If there is no image, it is no plane or stack of one or three planes, too large, cut off, or has no number that is finite.
pub fn read_fits(bytes: &[u8]) -> Result<Bands, ImagingError> {
    let fits = parse_fits(bytes).map_err(|e| damaged(&e))?;
    let (hdu, [width, height, depth]) = first_image(&fits)?;
    check_complete(bytes, hdu)?;
    let values = read_image_physical_f32(bytes, hdu).map_err(|e| damaged(&e))?;
    if values.len() != width * height * depth {
        return Err(ImagingError::Damaged(format!("{} numbers for {width} x {height} x {depth} pixels", values.len())));
    }
    if !values.iter().any(|v| v.is_finite()) {
        return Err(ImagingError::NoNumbers);
    }
    let flipped = |plane: &[f32]| plane.chunks_exact(width).rev().flatten().copied().collect();
    let planes = values.chunks_exact(width * height).map(flipped).collect();
    Ok(Bands { width, height, planes, filter: filter(hdu), names: Vec::new() })
}

/// Width and height of the first image of a FITS file, checked like [`read_fits`] but without reading its pixels.
///
/// # Errors
/// As [`read_fits`], but what is wrong with the pixels is not seen.
pub fn check_fits(bytes: &[u8]) -> Result<(usize, usize), ImagingError> {
    let fits = parse_fits(bytes).map_err(|e| damaged(&e))?;
    let (hdu, [width, height, _]) = first_image(&fits)?;
    check_complete(bytes, hdu)?;
    Ok((width, height))
}

/// The first image with pixels and its width, height and number of planes.
fn first_image(fits: &FitsData) -> Result<(&Hdu, [usize; 3]), ImagingError> {
    let with_pixels = |hdu: &&Hdu| image_dimensions(hdu).is_ok_and(|sides| !sides.is_empty() && sides.iter().all(|side| *side > 0));
    let hdu = fits.iter().find(with_pixels).ok_or(ImagingError::NoImage)?;
    let mut sides = image_dimensions(hdu).map_err(|e| damaged(&e))?;
    while sides.len() > 2 && sides.last() == Some(&1) {
        sides.pop();
    }
    let shape = match sides[..] {
        [width, height] => [width, height, 1],
        [width, height, 3] => [width, height, 3],
        _ => return Err(ImagingError::Cube { sides: sides.iter().map(ToString::to_string).collect::<Vec<_>>().join(" x ") }),
    };
    let pixels = shape.iter().try_fold(1u64, |product, side| product.checked_mul(*side as u64));
    if pixels.is_none_or(|pixels| pixels > MAX_PIXELS * 3 || pixels / shape[2] as u64 > MAX_PIXELS) {
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        return Err(ImagingError::TooLarge { width: side(shape[0]), height: side(shape[1]) });
    }
    Ok((hdu, shape))
}

/// A file that ends before its image does is cut off.
fn check_complete(bytes: &[u8], hdu: &Hdu) -> Result<(), ImagingError> {
    let end = hdu.data_start.checked_add(hdu.data_len);
    if end.is_none_or(|end| end > bytes.len()) { Err(ImagingError::Damaged("its end is missing".into())) } else { Ok(()) }
}

/// The filter named in the header.
fn filter(hdu: &Hdu) -> Option<String> {
    let card = hdu.cards.iter().find(|card| ["FILTER", "BAND"].contains(&card.keyword_str()))?;
    match &card.value {
        Some(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        _ => None,
    }
}
