//! `images.npy`, memory-mapped: opening reads the header only, and looking at a picture reads its own pages only.

#![allow(unsafe_code, reason = "a memory map is unsafe to make; see the proof at the one block")]

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;

use super::npy::{NpyHeader, invalid};
use super::{DataError, ImageSource};
use crate::imaging::Image;

/// The pictures of an `images.npy` (N, H, W, 3) of u8 in C order.
pub(super) struct MappedImages {
    map: Mmap,
    offset: usize,
    count: usize,
    height: usize,
    width: usize,
}

impl MappedImages {
    /// Maps the file after checking type, shape, order and length.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let io = |source| DataError::Io { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(io)?;
        let header = NpyHeader::read(path, &mut file)?;
        let &[count, height, width, 3] = header.shape.as_slice() else {
            return Err(invalid(
                path,
                format!("its shape is {:?}, but (images, height, width, 3) is needed; numpy.transpose or numpy.stack it", header.shape),
            ));
        };
        if !matches!(header.dtype.as_str(), "|u1" | "<u1" | ">u1" | "=u1" | "u1") {
            return Err(invalid(
                path,
                format!(
                    "its values are of type '{}', but bytes are needed; scale to 0..255 and save with .astype(numpy.uint8)",
                    header.dtype
                ),
            ));
        }
        if header.fortran {
            return Err(invalid(path, "it is in Fortran order; save it with numpy.ascontiguousarray"));
        }
        if count == 0 || height == 0 || width == 0 {
            return Err(invalid(path, format!("its shape is {:?}: there are no pictures in it", header.shape)));
        }
        header.check_length(path, file.metadata().map_err(io)?.len(), 1)?;
        let offset = usize::try_from(header.offset).map_err(|_| invalid(path, "it is too large for this machine"))?;
        // SAFETY: the map is read-only and private to this struct; bytes of any value are valid u8, and only copies of them
        // leave `image`. The length was checked above. What cannot be proven is that no other program shortens the file
        // while it is mapped (the system would then end this one on access); data sets are written once under a temporary
        // name and renamed (see `FolderWriter`), so that a mapped file is never one that is being written.
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        Ok(Self { map, offset, count, height, width })
    }
}

impl ImageSource for MappedImages {
    fn len(&self) -> usize {
        self.count
    }

    fn size(&self) -> Option<(usize, usize)> {
        Some((self.width, self.height))
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        super::memory::cut_out(&self.map[self.offset..], index, self.width, self.height)
    }
}
