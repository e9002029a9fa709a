//! `NumPy`'s `.npy` files: the header, checked before anything is read, and columns of numbers.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use ndarray::Array1;
use ndarray_npy::{ReadNpyExt, ReadableElement, npy::header::Header};

use super::DataError;

/// The longest header that is parsed. Plain arrays need 128 bytes; a longer one is no file of ours, and the parser of the
/// dictionary inside is recursive.
const MAX_HEADER: usize = 1024;

/// What an `.npy` file says about itself.
pub(super) struct NpyHeader {
    /// `NumPy`'s type, for example `|u1` or `<i8`.
    pub dtype: String,
    /// True if the first index runs fastest.
    pub fortran: bool,
    /// The length of each axis.
    pub shape: Vec<usize>,
    /// Where the numbers start, in bytes.
    pub offset: u64,
}

impl NpyHeader {
    /// Reads the header, and leaves the file where the numbers start.
    pub fn read(path: &Path, file: &mut File) -> Result<Self, DataError> {
        let io = |source| DataError::Io { path: path.to_owned(), source };
        let mut start = Vec::new();
        Read::by_ref(file).take(12).read_to_end(&mut start).map_err(io)?;
        let length = match start[..] {
            [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, ..] => usize::from(u16::from_le_bytes([low, high])),
            [0x93, b'N', b'U', b'M', b'P', b'Y', _, _, a, b, c, d] => u32::from_le_bytes([a, b, c, d]) as usize,
            _ => return Err(invalid(path, "this is not a NumPy file, or it is cut off; write it with numpy.save")),
        };
        if length > MAX_HEADER {
            return Err(invalid(path, "its header is too long for a plain array; write it with numpy.save from an array of numbers"));
        }
        file.rewind().map_err(io)?;
        let header = Header::from_reader(file)
            .map_err(|error| invalid(path, format!("its header cannot be read ({error}); write it with numpy.save")))?;
        let dtype = header.type_descriptor.as_string().cloned().unwrap_or_else(|| header.type_descriptor.to_string());
        let offset = file.stream_position().map_err(io)?;
        Ok(Self { dtype, fortran: header.layout.is_fortran(), shape: header.shape, offset })
    }

    /// That the file has the bytes that the shape asks for, no fewer and no more; `item` is the size of one number.
    pub fn check_length(&self, path: &Path, file_bytes: u64, item: u64) -> Result<(), DataError> {
        let needed = self.shape.iter().try_fold(item, |bytes, &n| bytes.checked_mul(n as u64)).and_then(|n| n.checked_add(self.offset));
        match needed {
            Some(needed) if needed == file_bytes => Ok(()),
            Some(needed) if needed > file_bytes => Err(invalid(
                path,
                format!("the file is cut off: its shape {:?} needs {needed} bytes, it has {file_bytes}; copy it again", self.shape),
            )),
            _ => Err(invalid(
                path,
                format!("its shape {:?} does not fit its {file_bytes} bytes; write it again with numpy.save", self.shape),
            )),
        }
    }
}

/// A column of integers of any integer type.
pub(super) fn integers(path: &Path) -> Result<Vec<i128>, DataError> {
    let (header, file) = column(path)?;
    match kind(&header.dtype) {
        "u1" => values::<u8, _>(path, file),
        "u2" => values::<u16, _>(path, file),
        "u4" => values::<u32, _>(path, file),
        "u8" => values::<u64, _>(path, file),
        "i1" => values::<i8, _>(path, file),
        "i2" => values::<i16, _>(path, file),
        "i4" => values::<i32, _>(path, file),
        "i8" => values::<i64, _>(path, file),
        _ => Err(invalid(
            path,
            format!("it holds values of type '{}', but integers are needed; save it with .astype(numpy.int64)", header.dtype),
        )),
    }
}

/// A column of real numbers, from floats or integers of up to 32 bits.
pub(super) fn floats(path: &Path) -> Result<Vec<f64>, DataError> {
    let (header, file) = column(path)?;
    match kind(&header.dtype) {
        "f4" => values::<f32, _>(path, file),
        "f8" => values::<f64, _>(path, file),
        "u1" => values::<u8, _>(path, file),
        "u2" => values::<u16, _>(path, file),
        "u4" => values::<u32, _>(path, file),
        "i1" => values::<i8, _>(path, file),
        "i2" => values::<i16, _>(path, file),
        "i4" => values::<i32, _>(path, file),
        _ => Err(invalid(
            path,
            format!("it holds values of type '{}', but real numbers are needed; save it with .astype(numpy.float64)", header.dtype),
        )),
    }
}

/// A type without its byte order: `i8` of `<i8`.
fn kind(dtype: &str) -> &str {
    dtype.trim_start_matches(['<', '>', '|', '='])
}

/// The header of a one-dimensional file, and the file rewound.
fn column(path: &Path) -> Result<(NpyHeader, File), DataError> {
    let io = |source| DataError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(io)?;
    let header = NpyHeader::read(path, &mut file)?;
    if header.shape.len() != 1 {
        return Err(invalid(path, format!("its shape is {:?}, but one value an image is needed; save it with .ravel()", header.shape)));
    }
    if let Some(item) = kind(&header.dtype).get(1..).and_then(|bytes| bytes.parse().ok()) {
        // Before reading, because a length that a damaged header claims is reserved in memory.
        header.check_length(path, file.metadata().map_err(io)?.len(), item)?;
    }
    file.rewind().map_err(io)?;
    Ok((header, file))
}

fn values<T: ReadableElement + Copy + Into<U>, U>(path: &Path, file: File) -> Result<Vec<U>, DataError> {
    let array = Array1::<T>::read_npy(std::io::BufReader::new(file))
        .map_err(|error| invalid(path, format!("it cannot be read ({error}); write it again with numpy.save")))?;
    Ok(array.into_iter().map(Into::into).collect())
}

/// A file that is not what it should be.
pub(super) fn invalid(path: &Path, message: impl Into<String>) -> DataError {
    DataError::Invalid { path: path.to_owned(), message: message.into() }
}
