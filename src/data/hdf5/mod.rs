//! Import of Galaxy10-style HDF5 files into a data folder.
//!
//! The layout is that of Galaxy10: `images` (N,H,W,3) u8 and `ans` (N,) integer, with optional columns `ra`, `dec`,
//! `redshift`, `pxscale` (N,). Both published files have it: Galaxy10 `DECaLS` (256 x 256) and the older Galaxy10 SDSS
//! (69 x 69, without columns). This is no general HDF5 reader, and nothing but the import reads HDF5: a data set is used
//! from its folder.
//!
//! Pictures are streamed in slabs (see `slabs.rs`), so that memory stays under 256 MB whatever the size of the file, and
//! they appear under the final name only when all of them have arrived.

mod layout;
mod slabs;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use layout::Galaxy10File;

use super::{DataError, FolderWriter};

/// What an import brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportReport {
    /// The number of images.
    pub images: usize,
    /// Height of each image in pixels.
    pub height: usize,
    /// Width of each image in pixels.
    pub width: usize,
    /// Names of the classes in label order.
    pub classes: Vec<String>,
    /// Images in each class, in label order.
    pub class_counts: Vec<usize>,
    /// The catalogue columns that the file had.
    pub columns: Vec<&'static str>,
}

/// Imports the Galaxy10-style HDF5 `file` into the data folder `dir`; `progress` is told (images written, images in
/// all) as the import goes on; `stop` ends it soon.
///
/// # Errors
/// [`DataError::Invalid`] if the file is not HDF5, is truncated, lacks a data set or has one of the wrong type or shape,
/// or if a label is out of range; [`DataError::Io`] if the folder cannot be written; [`DataError::Stopped`] if `stop` was set.
/// Nothing is then left under `dir`.
pub fn import(file: &Path, dir: &Path, progress: &mut dyn FnMut(usize, usize), stop: &AtomicBool) -> Result<ImportReport, DataError> {
    let source = Galaxy10File::open(file)?;
    let labels = source.labels()?;
    let classes = source.classes(&labels)?;
    let (catalogue, columns) = source.catalogue()?;
    let [images, height, width] = [source.shape.images, source.shape.height, source.shape.width];

    let mut writer = FolderWriter::create(dir, height, width)?;
    let mut slabs = source.slabs()?;
    let mut written = 0;
    progress(written, images);
    while let Some(slab) = slabs.next().map_err(|error| source.damaged(&error))? {
        for pixels in slab.chunks_exact(source.shape.image_bytes()) {
            if stop.load(Ordering::Relaxed) {
                return Err(DataError::Stopped);
            }
            writer.push(pixels, labels[written])?;
            written += 1;
        }
        progress(written, images);
    }
    if stop.load(Ordering::Relaxed) {
        return Err(DataError::Stopped);
    }
    writer.finish(&classes, &catalogue, None)?;

    let mut class_counts = vec![0; classes.len()];
    for &label in &labels {
        class_counts[label as usize] += 1;
    }
    Ok(ImportReport { images, height, width, classes, class_counts, columns })
}
