//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes a file under a temporary name beside `path`, flushes it to the disk and renames it over `path`: a reader, and
/// whoever comes after a crash, sees the old file or the new one. Nothing of a failed attempt is left behind.
///
/// # Errors
/// If the folder does not exist or cannot be written, or `write` fails.
pub fn replace(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this names no file; add a file name"));
    };
    let temporary = path.with_file_name(format!(".{}.partial-{}", name.to_string_lossy(), std::process::id()));
    let all = || {
        let mut file = BufWriter::new(File::create(&temporary)?);
        write(&mut file)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&temporary, path)
    };
    all().inspect_err(|_| {
        // the first error is the one to tell; the temporary file may not even exist
        drop(fs::remove_file(&temporary));
    })
}
