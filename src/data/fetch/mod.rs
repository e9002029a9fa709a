//! Download of Galaxy10 `DECaLS`: one file of 2.7 GB from Zenodo or a mirror, resumed where it broke off, and taken only if
//! its SHA-256 is right. The file is not looked into here; [`super::hdf5`] imports it.
//!
//! A download lives in `Galaxy10_DECals.h5.part` until it is complete and checked, so a file under the final name is
//! always whole. It survives a cut connection (tried again after a pause), a stop and the end of the program.

mod part;
mod transfer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use part::Part;
use transfer::{Broken, Transfer};

use super::DataError;

/// Where Galaxy10 `DECaLS` is published (Zenodo record 10845026).
pub const GALAXY10_URL: &str = "https://zenodo.org/records/10845026/files/Galaxy10_DECals.h5?download=1";
/// The name of the file, wherever it comes from.
pub const GALAXY10_FILE: &str = "Galaxy10_DECals.h5";
/// Its length in bytes.
pub const GALAXY10_BYTES: u64 = 2_735_267_419;
/// Its SHA-256, in hexadecimal.
pub const GALAXY10_SHA256: &str = "19aefc477c41bb7f77ff07599a6b82a038dc042f889a111b0d4d98bb755c1571";

/// So many bytes make a connection worthwhile: after them the count of failures in a row starts again.
const WORTHWHILE: u64 = 1 << 20;
/// No pause between two attempts is longer, whatever the server asks for.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What to download, and how patiently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchOptions {
    /// Where the file is: Zenodo or a mirror.
    pub url: String,
    /// The folder that gets the file; made if it is not there.
    pub dir: PathBuf,
    /// The SHA-256 that the file must have, 64 hexadecimal digits.
    pub sha256: String,
    /// The length that the file must have in bytes, if it is known beforehand.
    pub bytes: Option<u64>,
    /// How long to wait, and how often to try.
    pub patience: Patience,
}

impl FetchOptions {
    /// Galaxy10 `DECaLS` from Zenodo into `dir`.
    #[must_use]
    pub fn galaxy10(dir: PathBuf) -> Self {
        Self {
            url: GALAXY10_URL.to_owned(),
            dir,
            sha256: GALAXY10_SHA256.to_owned(),
            bytes: Some(GALAXY10_BYTES),
            patience: Patience::default(),
        }
    }

    /// The same from another server: the file must still be the same one.
    #[must_use]
    pub fn from_mirror(self, url: String) -> Self {
        Self { url, ..self }
    }

    /// The same for a file of other content, whose length is not known.
    #[must_use]
    pub fn with_sha256(self, sha256: String) -> Self {
        let bytes = self.bytes.filter(|_| self.sha256.eq_ignore_ascii_case(&sha256));
        Self { sha256, bytes, ..self }
    }
}

/// How long to wait for a server, and how often to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// After so many failures in a row (at least 1) the download ends.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with each further one, up to a minute.
    pub pause: Duration,
    /// A server that sends nothing for so long counts as failed. A stop takes effect within this time.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempts: 6, pause: Duration::from_secs(2), silence: Duration::from_secs(30) }
    }
}

/// How a download is getting on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchProgress {
    /// Bytes are coming in.
    Downloading {
        /// Bytes on disk, those of earlier attempts included.
        done: u64,
        /// Bytes of the whole file, if known.
        total: Option<u64>,
    },
    /// The connection failed; the next attempt comes after a pause.
    Waiting {
        /// What went wrong, in words for the user.
        reason: String,
        /// The pause.
        pause: Duration,
    },
    /// The SHA-256 of the file is being computed.
    Checking {
        /// Bytes read.
        done: u64,
        /// Bytes of the file.
        total: u64,
    },
}

/// Downloads the file, or goes on with a download that broke off, and returns its path. If the right file is there
/// already, nothing is downloaded. `stop` ends the download and keeps what has arrived.
///
/// # Errors
/// [`DataError::Download`] if the server cannot be reached, has no such file or sends a wrong one (which is then set aside
/// as `Galaxy10_DECals.h5.wrong`); [`DataError::Io`] if the file cannot be written; [`DataError::Invalid`] if another file
/// of that name is there; [`DataError::Request`] if the SHA-256 asked for is none, or another download writes to the same
/// file; [`DataError::Stopped`] if `stop` was set.
pub fn fetch(options: &FetchOptions, progress: &mut dyn FnMut(FetchProgress), stop: &AtomicBool) -> Result<PathBuf, DataError> {
    let expected = options.sha256.to_ascii_lowercase();
    if expected.len() != 64 || !expected.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(DataError::Request(format!("`{}` is no SHA-256: give 64 hexadecimal digits", options.sha256)));
    }
    let target = options.dir.join(GALAXY10_FILE);
    if target.exists() {
        return part::check_existing(&target, &expected, progress, stop).map(|()| target);
    }
    let mut part = Part::open(&options.dir, &target)?;
    download(options, &mut part, progress, stop)?;
    let found = part.sha256(progress, stop)?;
    if found != expected {
        let (length, aside) = (part.length(), part.set_aside()?);
        return Err(DataError::Download {
            url: options.url.clone(),
            message: format!(
                "the file that came is not the one expected: its SHA-256 is {found} ({length} bytes) instead of {expected}. \
                 It was set aside as {}: delete it, then try again or give another --url; if it is the one you want, \
                 pass --sha256 {found}",
                aside.display()
            ),
        });
    }
    part.publish(&target)?;
    Ok(target)
}

/// Brings all bytes of the file into `part`, over as many connections as it takes.
fn download(options: &FetchOptions, part: &mut Part, progress: &mut dyn FnMut(FetchProgress), stop: &AtomicBool) -> Result<(), DataError> {
    let transfer = Transfer::new(options);
    let mut failures = 0;
    loop {
        let before = part.length();
        let Some(Broken { reason, retry_after }) = transfer.attempt(part, progress, stop)? else { return Ok(()) };
        if part.length() >= before + WORTHWHILE {
            failures = 0;
        }
        failures += 1;
        if failures >= options.patience.attempts {
            return Err(DataError::Download {
                url: options.url.clone(),
                message: format!(
                    "{reason}; gave up after {failures} failures in a row. {} bytes are kept: start the download again to \
                     go on from there",
                    part.length()
                ),
            });
        }
        let pause = options.patience.pause.saturating_mul(1 << (failures - 1).min(16));
        let pause = retry_after.unwrap_or(pause).min(LONGEST_PAUSE);
        progress(FetchProgress::Waiting { reason, pause });
        wait(pause, stop)?;
    }
}

/// Sleeps for `pause`, but wakes up at a stop.
fn wait(pause: Duration, stop: &AtomicBool) -> Result<(), DataError> {
    const NAP: Duration = Duration::from_millis(50);
    let mut left = pause;
    while !left.is_zero() {
        check(stop)?;
        let nap = left.min(NAP);
        thread::sleep(nap);
        left -= nap;
    }
    check(stop)
}

fn check(stop: &AtomicBool) -> Result<(), DataError> {
    if stop.load(Ordering::Relaxed) { Err(DataError::Stopped) } else { Ok(()) }
}
