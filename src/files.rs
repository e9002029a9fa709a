//! Files that appear whole or not at all. Every room writes through here; it knows nothing of what it writes.
//!
//! A file is written under a temporary name beside its place, flushed to the disk and renamed: a reader, and whoever comes
//! after a crash, sees the old file or the new one. A place that is no ordinary file (a device, a pipe) is written to as it
//! stands, because a rename would put a file where the device was; a link is followed to what it names.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// What every temporary name ends with, before the number of the process.
const MARK: &str = ".partial-";

/// A file on its way: written under a temporary name, which goes away with this value unless [`NewFile::keep`] was called.
#[derive(Debug)]
pub struct NewFile {
    file: BufWriter<File>,
    place: PathBuf,
    /// None where the place is written to directly.
    partial: Option<PathBuf>,
}

impl NewFile {
    /// Starts a file that shall appear at `path`.
    ///
    /// # Errors
    /// If `path` names no file, or its folder does not exist or may not be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let place = followed(path);
        if fs::metadata(&place).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
            let file = File::options().write(true).open(&place)?;
            return Ok(Self { file: BufWriter::new(file), place, partial: None });
        }
        let partial = partial_name(&place)?;
        let file = File::create(&partial)?;
        Ok(Self { file: BufWriter::new(file), place, partial: Some(partial) })
    }

    /// Flushes what was written to the disk and gives the file its name.
    ///
    /// # Errors
    /// If the disk is full or the place cannot be replaced; what stood there before stays.
    pub fn keep(mut self) -> io::Result<()> {
        self.file.flush()?;
        let Some(partial) = self.partial.take() else { return Ok(()) };
        let renamed = self.file.get_ref().sync_all().and_then(|()| fs::rename(&partial, &self.place));
        // from here on there is nothing under the temporary name, unless the rename failed
        if renamed.is_err() {
            self.partial = Some(partial);
        }
        renamed?;
        sync_folder(&self.place)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial {
            // the error that matters was told by whoever failed; a leftover cannot be helped
            drop(fs::remove_file(partial));
        }
    }
}

/// Replaces `path` by what `write` writes.
///
/// # Errors
/// If the folder does not exist or cannot be written, or `write` fails; what stood there before stays.
pub fn replace(path: &Path, write: impl FnOnce(&mut NewFile) -> io::Result<()>) -> io::Result<()> {
    let mut file = NewFile::create(path)?;
    write(&mut file)?;
    file.keep()
}

/// [`replace`] with a library that opens the file itself: `write` is given the temporary name, which it must fill.
///
/// # Errors
/// As [`replace`].
pub fn replace_by(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let file = NewFile::create(path)?;
    write(file.partial.as_deref().unwrap_or(&file.place))?;
    file.keep()
}

/// [`replace`] with bytes; makes the folder if that is not there.
///
/// # Errors
/// As [`replace`], and if the folder cannot be made.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    replace(path, |file| file.write_all(bytes))
}

/// Gives a folder whose files are all written and flushed the name that it shall be seen under.
///
/// # Errors
/// If there is something of that name, or the folder cannot be moved; it keeps the name it had then.
pub fn move_folder(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something of this name"));
    }
    fs::rename(from, to)?;
    sync_folder(to)
}

/// `stem.extension` in `folder`, or, where that is taken, `stem-2.extension` and so on: a place whose use loses nothing.
#[must_use]
pub fn free_place(folder: &Path, stem: &str, extension: &str) -> PathBuf {
    free(|number| folder.join(format!("{stem}{number}.{extension}")))
}

/// The same for a folder, which has no extension.
#[must_use]
pub fn free_folder(folder: &Path, stem: &str) -> PathBuf {
    free(|number| folder.join(format!("{stem}{number}")))
}

/// The first place that is not taken; `name` is given nothing, then `-2`, `-3` and so on.
fn free(name: impl Fn(&str) -> PathBuf) -> PathBuf {
    let mut place = name("");
    let mut number = 2_u32;
    while place.exists() {
        place = name(&format!("-{number}"));
        number += 1;
    }
    place
}

/// Whether an error says that there is no room: a full disk, a quota, the largest file that is allowed.
#[must_use]
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// Whether there is no room for so many bytes in `folder`, by trying; false if that cannot be tried for another reason.
#[must_use]
pub fn is_full_for(folder: &Path, bytes: usize) -> bool {
    let tried = NewFile::create(&folder.join("room")).and_then(|mut file| {
        file.write_all(&vec![1; bytes])?;
        file.flush()?;
        file.file.get_ref().sync_all()
    });
    tried.is_err_and(|error| is_full(&error))
}

/// Bytes as people read them: "12 kB", "512 MB", "1.4 GB".
#[must_use]
pub fn bytes(n: u64) -> String {
    let n = n as f64;
    match n {
        n if n < 1e6 => format!("{:.0} kB", n / 1e3),
        n if n < 1e9 => format!("{:.0} MB", n / 1e6),
        n => format!("{:.1} GB", n / 1e9),
    }
}

/// Removes what killed processes left half written directly in `folder`. Only for a folder that nobody else writes to now.
///
/// # Errors
/// If the folder cannot be listed or a leftover not be removed.
pub fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_leftover(&entry.file_name().to_string_lossy()) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn is_leftover(name: &str) -> bool {
    name.starts_with('.')
        && name.rsplit_once(MARK).is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// What a link names, or the path itself. A link to nothing yet is followed too, so that the link stays one.
fn followed(path: &Path) -> PathBuf {
    let mut place = path.to_owned();
    // longer chains than the system allows are left to fail when the file is opened
    for _ in 0..40 {
        match fs::read_link(&place) {
            Ok(target) => place = place.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => break,
        }
    }
    place
}

/// ".best.safetensors.partial-4711" beside "best.safetensors": hidden, and different for two processes.
fn partial_name(place: &Path) -> io::Result<PathBuf> {
    let Some(file_name) = place.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this names no file; add a file name"));
    };
    let mut name = OsString::from(".");
    name.push(file_name);
    name.push(format!("{MARK}{}", std::process::id()));
    Ok(place.with_file_name(name))
}

/// Makes the rename itself last through a power cut, where folders can be flushed.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
