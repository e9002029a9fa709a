//! How files of a run folder are written: whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use super::RunError;

/// Writes a file under a temporary name, flushes it to the disk, and renames it over `path`. A reader, and a process that
/// comes after a crash, sees the old file or the new one. Nothing of a failed attempt is left behind.
///
/// `write` is given the temporary name, which it must fill.
pub(super) fn replace_by(path: &Path, write: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), RunError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let all = || {
        write(&temporary)?;
        File::options().write(true).open(&temporary)?.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_parent(path)
    };
    all().map_err(|e| {
        // the first error is the one to tell; the temporary file may not even exist
        let _ = fs::remove_file(&temporary);
        RunError::io(path, e)
    })
}

/// [`replace_by`] through a buffer.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<(), RunError> {
    replace_by(path, |temporary| {
        let mut file = BufWriter::new(File::create(temporary)?);
        write(&mut file)?;
        file.flush()
    })
}

/// Makes the rename itself last through a power cut, where folders can be flushed.
fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) && !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Writes a whole file as `replace` does, and makes its folder if that is not there.
///
/// # Errors
/// If the folder cannot be made or the file not be written; what was there before stays.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|e| RunError::io(folder, e))?;
    }
    replace(path, |file| file.write_all(bytes))
}
