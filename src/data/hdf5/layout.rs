//! What a Galaxy10-style file must hold, checked before anything is read or allocated: names, types, shapes, labels.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rust_hdf5::{DatatypeMessage, H5Dataset, H5File, Hdf5Error};

use super::slabs::{Chunk, MAX_CHUNK, Shape, Slabs, chunk};
use crate::data::{Catalogue, DataError, classes};

/// The first eight bytes of an HDF5 superblock.
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
/// Pictures of the Galaxy10 SDSS file are so many pixels wide and high; its ten classes are not those of `DECaLS`.
const SDSS_SIDE: usize = 69;
/// More classes than this are taken for a wrong column.
const MAX_CLASSES: usize = 1_000;
/// Pictures larger than this (width x height in pixels) are refused: one alone would break the memory limit.
const MAX_PIXELS: usize = 4_096 * 4_096;

/// A Galaxy10-style file whose pictures have been checked.
pub struct Galaxy10File {
    path: PathBuf,
    file: H5File,
    /// The extents of its pictures.
    pub shape: Shape,
}

impl Galaxy10File {
    /// Opens the file and checks `images`.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        check_signature(path)?;
        // A lock that the file system does not know (read-only media, network folders) is no reason to refuse.
        let file = H5File::options().best_effort_locking().open(path).map_err(|error| damaged(path, &error))?;
        let mut source = Self { path: path.to_owned(), file, shape: Shape { images: 0, height: 0, width: 0 } };
        source.shape = source.check_images()?;
        Ok(source)
    }

    /// The pictures, slab by slab.
    pub fn slabs(&self) -> Result<Slabs, DataError> {
        Ok(Slabs::new(self.dataset("images")?, self.shape))
    }

    /// The labels, each at most [`MAX_CLASSES`].
    pub fn labels(&self) -> Result<Vec<u32>, DataError> {
        let dataset = self.dataset("ans")?;
        self.check_column("ans", &dataset)?;
        let values = self
            .integers(&dataset)?
            .ok_or_else(|| self.wrong(format!("`ans` holds {}, but labels are integers", Self::type_name(&dataset))))?;
        let label = |(index, value): (usize, i64)| {
            u32::try_from(value).ok().filter(|&label| (label as usize) < MAX_CLASSES).ok_or_else(|| {
                self.wrong(format!(
                    "label {value} of image {index} is out of range: labels count from 0 to at most {}; correct `ans`",
                    MAX_CLASSES - 1
                ))
            })
        };
        values.into_iter().enumerate().map(label).collect()
    }

    /// Names for the classes: those of Galaxy10 if the labels fit, else numbers.
    pub fn classes(&self, labels: &[u32]) -> Result<Vec<String>, DataError> {
        let highest = labels.iter().copied().max().unwrap_or(0) as usize;
        let names =
            if self.shape.height == SDSS_SIDE && self.shape.width == SDSS_SIDE { classes::GALAXY10_SDSS } else { classes::GALAXY10 };
        if highest < names.len() {
            return Ok(names.iter().map(ToString::to_string).collect());
        }
        if highest >= labels.len() {
            return Err(self.wrong(format!(
                "label {highest} is out of range for {} images: labels count from 0 without large gaps; correct `ans`",
                labels.len()
            )));
        }
        Ok((0..=highest).map(|label| format!("Class {label}")).collect())
    }

    /// The catalogue columns, and the names of those that are there.
    pub fn catalogue(&self) -> Result<(Catalogue, Vec<&'static str>), DataError> {
        let mut catalogue = Catalogue::default();
        let mut found = Vec::new();
        let present = self.file.dataset_names();
        let columns = [
            ("ra", &mut catalogue.ra),
            ("dec", &mut catalogue.dec),
            ("redshift", &mut catalogue.redshift),
            ("pxscale", &mut catalogue.pxscale),
        ];
        for (name, column) in columns {
            if present.iter().any(|key| key == name) {
                *column = self.numbers(name)?;
                found.push(name);
            }
        }
        Ok((catalogue, found))
    }

    /// The error for a file whose content cannot be decoded.
    pub fn damaged(&self, error: &Hdf5Error) -> DataError {
        damaged(&self.path, error)
    }

    fn wrong(&self, message: String) -> DataError {
        DataError::Invalid { path: self.path.clone(), message }
    }

    fn dataset(&self, name: &str) -> Result<H5Dataset, DataError> {
        self.file.dataset(name).map_err(|error| match error {
            Hdf5Error::NotFound(_) => self.wrong(format!(
                "there is no data set `{name}` (found: {}); Galaxy10 files hold `images` (N,H,W,3) u8 and `ans` (N,): \
                 rename the data sets or choose another file",
                listed(&self.file.dataset_names())
            )),
            other => self.damaged(&other),
        })
    }

    fn check_images(&self) -> Result<Shape, DataError> {
        let images = self.dataset("images")?;
        let extents = images.shape();
        let is_u8 = matches!(self.datatype(&images)?, DatatypeMessage::FixedPoint { size: 1, signed: false, .. });
        let &[count, height, width, 3] = extents.as_slice() else {
            return Err(self.wrong(format!("`images` has the shape {extents:?}, but (N,H,W,3) is needed: channels last, red, green, blue")));
        };
        if !is_u8 {
            return Err(self.wrong(format!(
                "`images` holds {}, but 8-bit unsigned integers (uint8) are needed: convert with images.astype('uint8')",
                Self::type_name(&images)
            )));
        }
        if count == 0 || height == 0 || width == 0 {
            return Err(self.wrong(format!("`images` has the shape {extents:?}: there are no pictures in it")));
        }
        if u32::try_from(count).is_err() || height.checked_mul(width).is_none_or(|pixels| pixels > MAX_PIXELS) {
            return Err(self.wrong(format!(
                "`images` has the shape {extents:?}: pictures of more than 4096 x 4096 pixels cannot be imported; scale them down"
            )));
        }
        if let Some(extents) = images.chunk_dims() {
            if extents.len() != 4 || extents.contains(&0) {
                return Err(self.wrong(format!("`images` has chunks of the shape {extents:?}: the file is damaged")));
            }
            if chunk(&images).and_then(Chunk::bytes).is_none_or(|bytes| bytes > MAX_CHUNK) {
                return Err(self.wrong(format!(
                    "`images` is stored in chunks of {extents:?}, too large to stream; store it in smaller ones with \
                     `h5repack -l images:CHUNK=16x{height}x{width}x3 FILE NEW_FILE` and import that"
                )));
            }
        }
        Ok(Shape { images: count, height, width })
    }

    /// One value an image: the length is checked before memory for it is taken.
    fn check_column(&self, name: &str, column: &H5Dataset) -> Result<(), DataError> {
        let extents = column.shape();
        let images = self.shape.images;
        if extents == [images] {
            return Ok(());
        }
        Err(self.wrong(format!("`{name}` has the shape {extents:?}, but there are {images} images: each needs one value of `{name}`")))
    }

    fn numbers(&self, name: &str) -> Result<Vec<f64>, DataError> {
        let column = self.dataset(name)?;
        self.check_column(name, &column)?;
        let values = match self.datatype(&column)? {
            DatatypeMessage::FloatingPoint { size: 8, .. } => column.read_raw::<f64>(),
            DatatypeMessage::FloatingPoint { size: 4, .. } => {
                column.read_raw::<f32>().map(|values| values.into_iter().map(f64::from).collect())
            }
            _ => match self.integers(&column)? {
                Some(values) => Ok(values.into_iter().map(|value| value as f64).collect()),
                None => {
                    return Err(self.wrong(format!("`{name}` holds {}, but numbers are needed", Self::type_name(&column))));
                }
            },
        };
        values.map_err(|error| self.damaged(&error))
    }

    /// Integers of any width; `None` if the data set holds something else. An unsigned value beyond i64 becomes its maximum.
    fn integers(&self, column: &H5Dataset) -> Result<Option<Vec<i64>>, DataError> {
        fn widen<T: Into<i64>>(values: Vec<T>) -> Vec<i64> {
            values.into_iter().map(Into::into).collect()
        }
        let DatatypeMessage::FixedPoint { size, signed, .. } = self.datatype(column)? else { return Ok(None) };
        let values = match (size, signed) {
            (1, false) => column.read_raw::<u8>().map(widen),
            (1, true) => column.read_raw::<i8>().map(widen),
            (2, false) => column.read_raw::<u16>().map(widen),
            (2, true) => column.read_raw::<i16>().map(widen),
            (4, false) => column.read_raw::<u32>().map(widen),
            (4, true) => column.read_raw::<i32>().map(widen),
            (8, true) => column.read_raw::<i64>(),
            (8, false) => {
                column.read_raw::<u64>().map(|values| values.into_iter().map(|value| i64::try_from(value).unwrap_or(i64::MAX)).collect())
            }
            _ => return Ok(None),
        };
        values.map(Some).map_err(|error| self.damaged(&error))
    }

    fn datatype(&self, dataset: &H5Dataset) -> Result<DatatypeMessage, DataError> {
        dataset.datatype().map_err(|error| self.damaged(&error))
    }

    /// The type of a data set in words.
    fn type_name(dataset: &H5Dataset) -> String {
        match dataset.datatype() {
            Ok(DatatypeMessage::FixedPoint { size, signed, .. }) => {
                format!("{}int{}", if signed { "" } else { "u" }, size * 8)
            }
            Ok(DatatypeMessage::FloatingPoint { size, .. }) => format!("float{}", size * 8),
            Ok(other) => other.to_string(),
            Err(error) => error.to_string(),
        }
    }
}

/// HDF5 begins with its signature at byte 0, or after a user block of 512, 1024, 2048, ... bytes.
fn check_signature(path: &Path) -> Result<(), DataError> {
    let failed = |source| DataError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut at = 0;
    while at + SIGNATURE.len() as u64 <= length {
        let mut start = [0; SIGNATURE.len()];
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        match file.read_exact(&mut start) {
            Ok(()) if start == SIGNATURE => return Ok(()),
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(failed(error)),
        }
        at = if at == 0 { 512 } else { at * 2 };
    }
    let what = if length == 0 { "the file is empty" } else { "this is not an HDF5 file" };
    Err(DataError::Invalid {
        path: path.to_owned(),
        message: format!("{what}; `data import` reads Galaxy10's .h5 files, and `data fetch` downloads one"),
    })
}

fn damaged(path: &Path, error: &Hdf5Error) -> DataError {
    DataError::Invalid {
        path: path.to_owned(),
        message: format!("the HDF5 file is truncated or damaged ({error}); download it again (`data fetch`) or compare it with its source"),
    }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 12;
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut text = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text = format!("{text} and {} more", names.len() - SHOWN);
    }
    text
}
