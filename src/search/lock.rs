//! The lock of a journal, held while a line is added: Optuna's own, so that its processes and ours keep out of each other's way.
//!
//! The lock is a symbolic link `JOURNAL.lock` to the journal (a plain file where links are not to be had), because making one succeeds
//! for one process only, also on network file systems. A lock that stayed while the journal did not change for 30 s is that of a
//! dead process and is taken away.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::{Closing, SearchError};

/// After so long without a change a lock counts as forgotten, as in Optuna.
const GRACE: Duration = Duration::from_secs(30);
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// After so long somebody must look.
const PATIENCE: Duration = Duration::from_mins(10);

/// Held until dropped.
#[derive(Debug)]
pub(super) struct JournalLock {
    path: PathBuf,
}

impl JournalLock {
    /// Waits for the lock of `journal`.
    pub fn acquire(journal: &Path, closing: &Closing) -> Result<Self, SearchError> {
        Self::acquire_within(journal, GRACE, closing)
    }

    fn acquire_within(journal: &Path, grace: Duration, closing: &Closing) -> Result<Self, SearchError> {
        let path = lock_path(journal);
        let start = Instant::now();
        let (mut pause, mut seen, mut seen_at) = (Duration::from_millis(1), None::<SystemTime>, start);
        loop {
            match make(journal, &path) {
                Ok(()) => return Ok(Self { path }),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(SearchError::io(&path, e)),
            }
            // through the link: the time of the journal, which changes while its writers live
            let changed = fs::metadata(&path).and_then(|m| m.modified()).ok();
            if changed != seen {
                (seen, seen_at) = (changed, Instant::now());
            }
            if seen_at.elapsed() > grace {
                tracing::warn!("the lock {} was forgotten by a process that ended; it is taken away", path.display());
                // another process that waits may be faster, which is as good
                let _ = release(&path);
                (seen, seen_at) = (None, Instant::now());
            }
            if closing.is_over(start) {
                // the lock may be held rightly: nobody is to take it away because we could not wait
                let message = "other processes write to it just now. Start the search again to go on".into();
                return Err(SearchError::Away { place: journal.display().to_string(), message });
            }
            if start.elapsed() > PATIENCE {
                return Err(SearchError::Locked { path, seconds: start.elapsed().as_secs() });
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl Drop for JournalLock {
    fn drop(&mut self) {
        // Gone already only if another process thought this one dead; then there is nothing to release.
        let _ = release(&self.path);
    }
}

fn lock_path(journal: &Path) -> PathBuf {
    with_suffix(journal, ".lock")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(unix)]
fn make(journal: &Path, path: &Path) -> io::Result<()> {
    // absolute, so that the link leads to the journal from anywhere
    std::os::unix::fs::symlink(std::path::absolute(journal)?, path)
}

#[cfg(not(unix))]
fn make(_journal: &Path, path: &Path) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).open(path).map(drop)
}

/// Renames first: of two processes that release one lock only one succeeds.
fn release(path: &Path) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let own = with_suffix(path, &format!("{}-{}.rename", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    fs::rename(path, &own)?;
    fs::remove_file(&own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_holds_it_and_it_goes_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("study.log");
        fs::write(&journal, "").expect("a file");
        let (count, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _lock = JournalLock::acquire(&journal, &Closing::default()).expect("the lock");
                        most.fetch_max(count.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        count.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 1);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "only the journal is left");
    }

    #[test]
    fn a_forgotten_lock_is_taken_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("study.log");
        fs::write(&journal, "").expect("a file");
        make(&journal, &lock_path(&journal)).expect("a lock that nobody holds");
        drop(JournalLock::acquire_within(&journal, Duration::from_millis(50), &Closing::default()).expect("the lock, after a while"));
        assert!(fs::symlink_metadata(lock_path(&journal)).is_err());
    }

    #[test]
    fn nobody_waits_for_it_while_somebody_waits_for_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("study.log");
        fs::write(&journal, "").expect("a file");
        let held = JournalLock::acquire(&journal, &Closing::default()).expect("the lock");
        let closing = Closing::default();
        closing.begin();
        // without that this would take ten minutes
        let error = JournalLock::acquire_within(&journal, PATIENCE, &closing).expect_err("it is held");
        assert!(matches!(error, SearchError::Away { .. }), "{error}");
        drop(held);
        JournalLock::acquire(&journal, &closing).expect("a free lock is taken all the same");
    }
}
