//! The unfinished download on disk: `NAME.part` with the bytes so far, and `NAME.part.etag` with the server's mark of the
//! version that they belong to. Knows nothing of the network.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use sha2::{Digest, Sha256};

use super::{FetchProgress, check};
use crate::data::DataError;

/// An unfinished download. It is locked: one program at a time writes to it.
pub struct Part {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Part {
    /// Opens the unfinished download of `target` in the folder `dir`, or begins one.
    pub fn open(dir: &Path, target: &Path) -> Result<Self, DataError> {
        fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
        let path = with_suffix(target, ".part");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = file.map_err(|error| unwritable(&path, &error))?;
        // A file system without locks is no reason to refuse: the SHA-256 would find the damage.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            let path = path.display();
            return Err(DataError::Request(format!("another download is writing to {path}; wait for it or end it")));
        }
        let length = file.seek(SeekFrom::End(0)).map_err(|source| DataError::Io { path: path.clone(), source })?;
        Ok(Self { path, file, length })
    }

    /// Bytes on disk.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The server's mark of the version that the bytes belong to, if it gave one.
    pub fn etag(&self) -> Option<String> {
        fs::read_to_string(self.etag_path()).ok().filter(|etag| !etag.is_empty())
    }

    /// Throws the bytes away and begins again with a version of the file that has the mark `etag`.
    pub fn restart(&mut self, etag: Option<&str>) -> Result<(), DataError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|error| self.failed(&error))?;
        self.length = 0;
        let noted = match etag {
            Some(etag) => fs::write(self.etag_path(), etag),
            None => remove_if_there(&self.etag_path()),
        };
        noted.map_err(|error| unwritable(&self.etag_path(), &error))
    }

    /// Adds bytes at the end.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.file.write_all(bytes).map_err(|error| self.failed(&error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The SHA-256 of all bytes in hexadecimal.
    pub fn sha256(&mut self, progress: &mut dyn FnMut(FetchProgress), stop: &AtomicBool) -> Result<String, DataError> {
        self.file.rewind().map_err(|error| self.failed(&error))?;
        digest(&mut self.file, &self.path, self.length, progress, stop)
    }

    /// Gives a complete and checked download its final name.
    pub fn publish(self, target: &Path) -> Result<(), DataError> {
        self.file.sync_all().and_then(|()| fs::rename(&self.path, target)).map_err(|error| self.failed(&error))?;
        self.forget_etag()
    }

    /// Puts a wrong file out of the way of the next download, and returns its new name.
    pub fn set_aside(self) -> Result<PathBuf, DataError> {
        let aside = self.path.with_extension("wrong");
        fs::rename(&self.path, &aside).map_err(|error| self.failed(&error))?;
        self.forget_etag()?;
        Ok(aside)
    }

    fn etag_path(&self) -> PathBuf {
        with_suffix(&self.path, ".etag")
    }

    fn forget_etag(&self) -> Result<(), DataError> {
        let path = self.etag_path();
        remove_if_there(&path).map_err(|source| DataError::Io { path, source })
    }

    fn failed(&self, error: &io::Error) -> DataError {
        let text = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                format!("{error}; the {} bytes so far are kept: free space and start the download again to go on from there", self.length)
            }
            _ => format!("{error}; check the disk, then start the download again to go on"),
        };
        DataError::Io { path: self.path.clone(), source: io::Error::new(error.kind(), text) }
    }
}

/// Whether the file under the final name is the right one. If not, the user decides what becomes of it.
pub fn check_existing(target: &Path, expected: &str, progress: &mut dyn FnMut(FetchProgress), stop: &AtomicBool) -> Result<(), DataError> {
    let failed = |source| DataError::Io { path: target.to_owned(), source };
    let mut file = File::open(target).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let found = digest(&mut file, target, length, progress, stop)?;
    if found == expected {
        return Ok(());
    }
    Err(DataError::Invalid {
        path: target.to_owned(),
        message: format!(
            "this file is there already, but its SHA-256 is {found} instead of {expected}; move it away to download, \
             or pass --sha256 {found} if it is the one you want"
        ),
    })
}

fn digest(
    file: &mut File,
    path: &Path,
    total: u64,
    progress: &mut dyn FnMut(FetchProgress),
    stop: &AtomicBool,
) -> Result<String, DataError> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        check(stop)?;
        let count = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(DataError::Io { path: path.to_owned(), source }),
        };
        hash.update(&buffer[..count]);
        done += count as u64;
        progress(FetchProgress::Checking { done, total });
    }
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> DataError {
    let text = format!("{error}; choose a folder that can be written");
    DataError::Io { path: path.to_owned(), source: io::Error::new(error.kind(), text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_keeps_the_bytes_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut part = Part::open(folder.path(), &folder.path().join("galaxies.h5")).unwrap();
        part.append(b"first bytes").unwrap();
        let message = part.failed(&io::ErrorKind::StorageFull.into()).to_string();
        assert!(message.contains("11 bytes so far are kept: free space and start the download again"), "{message}");
    }

    #[test]
    fn one_download_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("galaxies.h5");
        let first = Part::open(folder.path(), &target).unwrap();
        let message = Part::open(folder.path(), &target).err().unwrap().to_string();
        assert!(message.contains("another download is writing to"), "{message}");
        drop(first);
        assert!(Part::open(folder.path(), &target).is_ok());
    }
}
