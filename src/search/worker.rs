//! Who works on a study: every process that trains for it holds a lock file, which the system lets go when the process dies.
//! So a trial that runs, but whose worker's file nobody holds, was left by a process that was killed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::SearchError;

/// This process at work, until dropped.
#[derive(Debug)]
pub(super) struct Worker {
    name: String,
    path: PathBuf,
    /// The open file is the lock.
    file: Option<File>,
}

impl Worker {
    /// Registers in `folder`.
    pub fn register(folder: &Path) -> Result<Self, SearchError> {
        let io = |e| SearchError::io(folder, e);
        fs::create_dir_all(folder).map_err(io)?;
        let name = unique_name();
        let path = folder.join(&name);
        let file = OpenOptions::new().create_new(true).write(true).open(&path).map_err(io)?;
        match file.try_lock() {
            // without locks on this file system every worker counts as alive, and nothing is taken over
            Err(TryLockError::Error(e)) if e.kind() != std::io::ErrorKind::Unsupported => return Err(io(e)),
            _ => {}
        }
        Ok(Self { name, path, file: Some(file) })
    }

    /// A name that no other worker has, in the form of Optuna's.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.file = None;
        // a file that stays is found unlocked, which says the same
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the worker of this name, registered in `folder`, is at work. In doubt (a file system without locks) it is.
pub(super) fn is_alive(folder: &Path, name: &str) -> bool {
    // names come from a journal: they must not lead out of the folder
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return false;
    }
    match OpenOptions::new().write(true).open(folder.join(name)) {
        Ok(file) => file.try_lock().is_err(),
        Err(e) => e.kind() != std::io::ErrorKind::NotFound,
    }
}

/// Removes the files of workers that are gone.
pub(super) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| !is_alive(folder, name)) {
            // what cannot be removed only lies there
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// `xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx-0`. No secret, only unlike any other: process, time and a counter.
fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let seed = format!("{} {time} {} {:?}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed), std::thread::current().id());
    let digest = Sha256::digest(seed.as_bytes());
    let number = digest.iter().take(16).fold(0, |number: u128, &byte| number << 8 | u128::from(byte));
    let digits = format!("{number:032x}");
    format!("{}-{}-4{}-a{}-{}-0", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_alive_until_it_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let worker = Worker::register(folder.path()).expect("a worker");
        let name = worker.name().to_owned();
        assert!(is_alive(folder.path(), &name) && name.len() == 38, "{name}");
        drop(worker);
        assert!(!is_alive(folder.path(), &name) && !is_alive(folder.path(), "../../etc/passwd"));
    }

    #[test]
    fn what_a_dead_worker_left_is_swept() {
        let folder = tempfile::tempdir().expect("a folder");
        let alive = Worker::register(folder.path()).expect("a worker");
        let left = folder.path().join(unique_name());
        fs::write(&left, "").expect("a file");
        assert!(!is_alive(folder.path(), &left.file_name().expect("a name").to_string_lossy()));
        sweep(folder.path());
        assert!(!left.exists() && is_alive(folder.path(), alive.name()));
    }
}
