//! Who works on a study: every process that trains for it holds a lock file, which the system lets go when the process dies.
//! So a trial that runs, but whose worker's file nobody holds, was left by a process that was killed. Between machines that share a
//! folder locks are not always seen: there the time of the file tells.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::SearchError;

/// This process at work, until dropped.
#[derive(Debug)]
pub(super) struct Worker {
    name: String,
    /// Its file.
    path: PathBuf,
    /// The open file is the lock; there is none where the storage itself knows who lives.
    file: Option<File>,
}

impl Worker {
    /// Registers in `folder`; without one it only gets a name.
    pub fn register(folder: Option<&Path>) -> Result<Self, SearchError> {
        let name = unique_name();
        let Some(folder) = folder else { return Ok(Self { name, path: PathBuf::new(), file: None }) };
        let io = |e| SearchError::io(folder, e);
        fs::create_dir_all(folder).map_err(io)?;
        let path = folder.join(&name);
        let file = begin(&path).map_err(io)?;
        Ok(Self { name, path, file: Some(file) })
    }

    /// A name that no other worker has, in the form of Optuna's.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // a file that stays is found unlocked, which says the same
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the file of a worker, locks it, and writes into it on which machine that is.
fn begin(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create_new(true).write(true).open(path)?;
    let begun = match file.try_lock() {
        // without locks on this file system only its signs of life tell that a worker lives
        Err(TryLockError::Error(e)) if e.kind() != ErrorKind::Unsupported => Err(e),
        _ => file.write_all(host().as_bytes()),
    };
    if begun.is_err() {
        // on a full disk an empty file would stay
        let _ = fs::remove_file(path);
    }
    begun.map(|()| file)
}

/// A sign of life of the worker of this name, for workers on other machines: the time of its file, which is written over with what it
/// holds so that the clock is that of the file system. A file that another machine swept away is made again, and comes back: it must
/// stay open, as the lock.
pub(super) fn beat(folder: &Path, name: &str) -> Result<Option<File>, SearchError> {
    let path = folder.join(name);
    let io = |e| SearchError::io(&path, e);
    match OpenOptions::new().write(true).open(&path) {
        Ok(mut file) => file.write_all(host().as_bytes()).map(|()| None).map_err(io),
        Err(e) if e.kind() == ErrorKind::NotFound => begin(&path).map(Some).map_err(io),
        Err(e) => Err(io(e)),
    }
}

/// What the time is where a folder is kept, which may be another machine with another clock: that of a file that is made there now.
fn time_in(folder: &Path) -> SystemTime {
    let path = folder.join(format!("now-{}", unique_name()));
    let time = OpenOptions::new().create_new(true).write(true).open(&path).and_then(|file| file.metadata()?.modified());
    // what stays is swept away by the next worker
    let _ = fs::remove_file(&path);
    time.unwrap_or_else(|_| SystemTime::now())
}

/// Whether the worker of this name, registered in `folder`, is at work. A lock tells it where locks are; one on another machine, whose
/// locks may not be seen here, lives as long as its last sign of life is not older than `grace`.
pub(super) fn is_alive(folder: &Path, name: &str, grace: Duration) -> bool {
    // names come from a journal: they must not lead out of the folder
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return false;
    }
    let path = folder.join(name);
    let file = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => file,
        Err(e) => return e.kind() != ErrorKind::NotFound,
    };
    let locks = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => return true,
        Err(TryLockError::Error(_)) => false,
    };
    let theirs = fs::read_to_string(&path).unwrap_or_default();
    if locks && (theirs.is_empty() || theirs == host()) {
        return false;
    }
    let beaten = file.metadata().and_then(|facts| facts.modified());
    let age = beaten.ok().and_then(|beaten| time_in(folder).duration_since(beaten).ok());
    age.is_none_or(|age| age < grace)
}

/// The name of this machine, to tell it from others.
pub(super) fn host() -> String {
    let kept = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = || ["HOSTNAME", "COMPUTERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    kept.or_else(named).map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// Removes the files of workers that are gone.
pub(super) fn sweep(folder: &Path, grace: Duration) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| !is_alive(folder, name, grace)) {
            // what cannot be removed only lies there
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// `xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx-0`. No secret, only unlike any other: process, time and a counter.
pub(super) fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let seed =
        format!("{} {} {time} {} {:?}", host(), std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed), std::thread::current().id());
    format!("{}-0", identity(&seed))
}

/// `xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx`, the same for the same text.
pub(super) fn identity(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let number = digest.iter().take(16).fold(0, |number: u128, &byte| number << 8 | u128::from(byte));
    let digits = format!("{number:032x}");
    format!("{}-{}-4{}-a{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_mins(2);

    #[test]
    fn a_worker_is_alive_until_it_is_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let worker = Worker::register(Some(folder.path())).expect("a worker");
        let name = worker.name().to_owned();
        assert!(is_alive(folder.path(), &name, GRACE) && name.len() == 38, "{name}");
        drop(worker);
        assert!(!is_alive(folder.path(), &name, GRACE) && !is_alive(folder.path(), "../../etc/passwd", GRACE));
    }

    #[test]
    fn what_a_dead_worker_left_is_swept() {
        let folder = tempfile::tempdir().expect("a folder");
        let alive = Worker::register(Some(folder.path())).expect("a worker");
        let left = folder.path().join(unique_name());
        fs::write(&left, "").expect("a file");
        assert!(!is_alive(folder.path(), &left.file_name().expect("a name").to_string_lossy(), GRACE));
        sweep(folder.path(), GRACE);
        assert!(!left.exists() && is_alive(folder.path(), alive.name(), GRACE));
    }

    #[test]
    fn a_worker_of_another_machine_lives_as_long_as_it_gives_signs_of_life() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = unique_name();
        let path = folder.path().join(&name);
        fs::write(&path, "another machine").expect("a file");
        assert!(is_alive(folder.path(), &name, GRACE), "its lock may not be seen here");
        let file = OpenOptions::new().write(true).open(&path).expect("the file");
        file.set_modified(SystemTime::now() - 2 * GRACE).expect("a time");
        assert!(!is_alive(folder.path(), &name, GRACE));
        assert!(beat(folder.path(), &name).expect("a file to touch").is_none());
        assert!(is_alive(folder.path(), &name, GRACE));
    }

    #[test]
    fn a_worker_whose_file_was_swept_away_makes_it_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let worker = Worker::register(Some(folder.path())).expect("a worker");
        fs::remove_file(folder.path().join(worker.name())).expect("a file");
        assert!(!is_alive(folder.path(), worker.name(), GRACE));
        let again = beat(folder.path(), worker.name()).expect("a file");
        assert!(again.is_some() && is_alive(folder.path(), worker.name(), GRACE));
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
