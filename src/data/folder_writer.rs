//! Writing the seed's folder picture by picture, in constant memory but for four bytes of label an image. Everything goes
//! into a folder `.NAME.partial` beside the target and is renamed at the end, so a folder under the name asked for is
//! always whole.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ndarray::Array1;
use ndarray_npy::{WritableElement, WriteNpyExt};

use super::npy::invalid;
use super::npy_folder::{CLASSES, DEC, IMAGES, LABELS, PXSCALE, RA, REDSHIFT, TEST, TRAIN, VALID};
use super::{Catalogue, DataError, Split};

/// Bytes of the header of `images.npy`, padded so that any number of images fits in when it is known.
const HEADER: usize = 128;

/// Writes `images.npy`, `labels.npy` and what belongs to them; see [`create`](Self::create).
/// Dropped without [`finish`](Self::finish) it removes what it wrote.
pub struct FolderWriter {
    target: PathBuf,
    partial: PathBuf,
    images: Option<BufWriter<File>>,
    labels: Vec<u32>,
    height: usize,
    width: usize,
    finished: bool,
}

impl FolderWriter {
    /// Starts the folder `dir` for pictures of `height` x `width` pixels. What an earlier, killed writer left is removed.
    ///
    /// # Errors
    /// [`DataError::Invalid`] if `dir` exists and is not an empty folder, or if another program is writing it right now;
    /// [`DataError::Io`] if nothing can be written there.
    pub fn create(dir: &Path, height: usize, width: usize) -> Result<Self, DataError> {
        if height == 0 || width == 0 || height.checked_mul(width).and_then(|n| n.checked_mul(3)).is_none() {
            return Err(DataError::Request(format!(
                "pictures of {width} x {height} pixels cannot be written; choose a size that a picture can have"
            )));
        }
        let name = dir.file_name().ok_or_else(|| invalid(dir, "this names no new folder; add a name for it"))?;
        check_target(dir)?;
        let mut partial_name = std::ffi::OsString::from(".");
        partial_name.push(name);
        partial_name.push(".partial");
        let partial = dir.with_file_name(partial_name);
        fs::create_dir_all(&partial).map_err(|source| DataError::Io { path: partial.clone(), source })?;
        let path = partial.join(IMAGES);
        let io = |source| DataError::Io { path: path.clone(), source };
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(invalid(dir, "another program is writing this folder right now; wait for it or choose another name"));
            }
            // Not every file system has locks; without one, only two writers of the same folder at once go unnoticed.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let mut writer =
            Self { target: dir.to_owned(), partial: partial.clone(), images: None, labels: Vec::new(), height, width, finished: false };
        writer.clear_leftovers()?;
        file.set_len(0).map_err(io)?;
        let mut images = BufWriter::with_capacity(1 << 20, file);
        images.write_all(&[0; HEADER]).map_err(io)?;
        writer.images = Some(images);
        Ok(writer)
    }

    /// Adds one picture, `height * width * 3` bytes, row-major RGB.
    ///
    /// # Errors
    /// [`DataError::Request`] if the bytes are too few or too many, [`DataError::Io`] if they cannot be written (for
    /// example because the disk is full).
    pub fn push(&mut self, pixels: &[u8], label: u32) -> Result<(), DataError> {
        if pixels.len() != self.height * self.width * 3 {
            return Err(DataError::Request(format!(
                "image {} has {} bytes, but pictures of {} x {} pixels have {}; scale it first",
                self.labels.len(),
                pixels.len(),
                self.width,
                self.height,
                self.height * self.width * 3
            )));
        }
        if let Some(images) = &mut self.images {
            images.write_all(pixels).map_err(|source| DataError::Io { path: self.partial.join(IMAGES), source })?;
        }
        self.labels.push(label);
        Ok(())
    }

    /// Writes labels, class names, catalogue columns and, if given, the split, and gives the folder its name.
    ///
    /// # Errors
    /// [`DataError::Request`] if nothing was pushed, or labels, classes, catalogue and split do not fit together;
    /// [`DataError::Io`] if something cannot be written. In both cases the target does not come into being.
    pub fn finish(mut self, classes: &[String], catalogue: &Catalogue, split: Option<&Split>) -> Result<(), DataError> {
        let count = self.labels.len();
        self.check(classes, split)?;
        self.complete_images(count)?;
        let labels = self.labels.iter().map(|&label| i64::from(label)).collect();
        self.write_column(LABELS, labels)?;
        self.write_file(CLASSES, |out| out.write_all((classes.join("\n") + "\n").as_bytes()))?;
        let columns = [(RA, &catalogue.ra), (DEC, &catalogue.dec), (REDSHIFT, &catalogue.redshift), (PXSCALE, &catalogue.pxscale)];
        for (name, column) in columns {
            if !column.is_empty() && column.len() != count {
                return Err(DataError::Request(format!("{name} would have {} values for {count} images", column.len())));
            }
            if !column.is_empty() {
                self.write_column(name, column.clone())?;
            }
        }
        if let Some(split) = split {
            for (name, indices) in [(TRAIN, &split.train), (VALID, &split.valid), (TEST, &split.test)] {
                self.write_column(name, indices.iter().map(|&i| i64::from(i)).collect())?;
            }
        }
        check_target(&self.target)?;
        let io = |source| DataError::Io { path: self.target.clone(), source };
        if self.target.exists() {
            fs::remove_dir(&self.target).map_err(io)?;
        }
        fs::rename(&self.partial, &self.target).map_err(io)?;
        self.finished = true;
        Ok(())
    }

    fn check(&self, classes: &[String], split: Option<&Split>) -> Result<(), DataError> {
        if self.labels.is_empty() {
            return Err(DataError::Request("there are no images to write; check the source".to_owned()));
        }
        if let Some(label) = self.labels.iter().find(|label| **label as usize >= classes.len()) {
            return Err(DataError::Request(format!("an image has label {label}, but there are {} classes, counted from 0", classes.len())));
        }
        if let Some(name) = classes.iter().find(|name| name.trim().is_empty() || name.contains(['\n', '\r'])) {
            return Err(DataError::Request(format!("{name:?} cannot be the name of a class; give it a name of one line")));
        }
        split.map_or(Ok(()), |split| split.validate(self.labels.len()))
    }

    /// Fills in the header, now that the number of images is known, and closes `images.npy`.
    fn complete_images(&mut self, count: usize) -> Result<(), DataError> {
        let Some(mut images) = self.images.take() else { return Ok(()) };
        let header = header(count, self.height, self.width);
        let written = images
            .seek(SeekFrom::Start(0))
            .and_then(|_| images.write_all(&header))
            .and_then(|()| images.flush())
            .and_then(|()| images.get_ref().sync_all());
        written.map_err(|source| DataError::Io { path: self.partial.join(IMAGES), source })
    }

    fn write_column<T: WritableElement>(&self, name: &str, values: Vec<T>) -> Result<(), DataError> {
        self.write_file(name, |out| Array1::from_vec(values).write_npy(out).map_err(io::Error::other))
    }

    fn write_file(&self, name: &str, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), DataError> {
        let path = self.partial.join(name);
        let written = File::create(&path).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.flush()?;
            out.get_ref().sync_all()
        });
        written.map_err(|source| DataError::Io { path, source })
    }

    /// Removes what a killed writer left beside `images.npy`.
    fn clear_leftovers(&self) -> Result<(), DataError> {
        for name in [LABELS, CLASSES, RA, DEC, REDSHIFT, PXSCALE, TRAIN, VALID, TEST] {
            let path = self.partial.join(name);
            if path.exists() {
                fs::remove_file(&path).map_err(|source| DataError::Io { path, source })?;
            }
        }
        Ok(())
    }
}

impl Drop for FolderWriter {
    fn drop(&mut self) {
        if !self.finished {
            self.images = None;
            // A destructor cannot report; a folder that stays is removed by the next writer of the same target.
            drop(fs::remove_dir_all(&self.partial));
        }
    }
}

/// That nothing would be overwritten: `dir` is not there, or an empty folder.
///
/// # Errors
/// [`DataError::Invalid`] if something is there, [`DataError::Io`] if that cannot be found out.
pub fn check_target(dir: &Path) -> Result<(), DataError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(invalid(dir, "this folder exists and is not empty; choose another name or remove it first")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(invalid(dir, "a file of this name exists; choose another name or remove it first"))
        }
        Err(source) => Err(DataError::Io { path: dir.to_owned(), source }),
    }
}

/// The header of an `images.npy`, `.npy` version 1.0.
fn header(count: usize, height: usize, width: usize) -> [u8; HEADER] {
    let dictionary = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, {height}, {width}, 3), }}");
    let mut header = [b' '; HEADER];
    header[..8].copy_from_slice(b"\x93NUMPY\x01\x00");
    header[8..10].copy_from_slice(&(HEADER as u16 - 10).to_le_bytes());
    // 72 bytes and the three numbers: their product is a number of bytes that exist, so they have 22 digits at most.
    header[10..10 + dictionary.len()].copy_from_slice(dictionary.as_bytes());
    header[HEADER - 1] = b'\n';
    header
}
