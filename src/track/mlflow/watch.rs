//! The mirror kept up: once, or again and again while its user works, also while the store is away.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::mirror::{Mirror, Passed, Tried};
use super::store::MirrorError;
use super::{Settings, Target};

/// How often the runs are looked at.
const EVERY: Duration = Duration::from_secs(2);
/// How long a store that is away is left alone, at first ...
const SHORTEST: Duration = Duration::from_secs(1);
/// ... and at most.
const LONGEST: Duration = Duration::from_mins(1);

/// What a mirror tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is up to date; so many runs were written now, of so many.
    UpToDate {
        /// Runs with something new.
        written: usize,
        /// Runs in all.
        runs: usize,
    },
    /// What there is to say of the mirror as it is now, above all what is left out; told before "up to date" whenever it changes, and
    /// empty once there is nothing left to say.
    Remarks(Vec<String>),
    /// The store cannot be reached now; it is tried again.
    Away(String),
    /// The mirror is off.
    Off(String),
}

/// A mirror that goes on in a thread of its own until this is dropped.
#[derive(Debug)]
pub struct Handle(Arc<AtomicBool>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Writes everything that is new, once; then draws the maps that are missing and writes these.
///
/// # Errors
/// If the store cannot be used or reached, or the runs cannot be listed.
pub fn once(settings: &Settings, tell: &mut dyn FnMut(Told)) -> Result<(), MirrorError> {
    let (mut wait, mut remarks, mut tried) = (SHORTEST, Vec::new(), Tried::new());
    loop {
        match Mirror::open(settings).and_then(|mut mirror| all(&mut mirror, &mut tried, &mut remarks, tell)) {
            // a database is waited for by itself
            Err(MirrorError::Away(why)) if matches!(settings.target, Target::Server(_)) && wait <= 4 * SHORTEST => {
                tell(Told::Away(why));
                std::thread::sleep(wait);
                wait *= 2;
            }
            done => return done,
        }
    }
}

/// A pass, the maps that are missing, and a pass that takes them along; told as one.
fn all(mirror: &mut Mirror, tried: &mut Tried, remarks: &mut Vec<String>, tell: &mut dyn FnMut(Told)) -> Result<(), MirrorError> {
    let stop = AtomicBool::new(false);
    let up_to_date = pass(mirror, &stop, remarks, tell)?;
    let mut drawn = false;
    while mirror.draw_one(tried)? {
        drawn = true;
    }
    if drawn {
        pass(mirror, &stop, remarks, tell)?;
    }
    up_to_date.into_iter().for_each(tell);
    Ok(())
}

/// One pass, and what it tells on the way; `remarks` were told before. Gives what is to be told at its end, unless it was stopped.
fn pass(
    mirror: &mut Mirror,
    stop: &AtomicBool,
    remarks: &mut Vec<String>,
    tell: &mut dyn FnMut(Told),
) -> Result<Option<Told>, MirrorError> {
    let Some(Passed { written, runs, remarks: now }) = mirror.pass(stop)? else { return Ok(None) };
    if *remarks != now {
        tell(Told::Remarks(now.clone()));
        *remarks = now;
    }
    Ok(Some(Told::UpToDate { written, runs }))
}

/// Writes what is new again and again, until `stop` is true; between two passes at most one run's maps are drawn. A store that is away is
/// tried again, ever more seldom.
///
/// # Errors
/// If the store refuses; that is told too.
pub fn watch(settings: &Settings, stop: &AtomicBool, tell: &mut dyn FnMut(Told)) -> Result<(), MirrorError> {
    let (mut mirror, mut wait, mut settings) = (None, SHORTEST, settings.clone());
    let (mut remarks, mut tried) = (Vec::new(), Tried::new());
    while !stop.load(Ordering::Relaxed) {
        let opened = match mirror.take() {
            Some(mirror) => Ok(mirror),
            None => Mirror::open(&settings),
        };
        let passed = opened.and_then(|mut mirror| {
            settings.rebuild = false;
            pass(&mut mirror, stop, &mut remarks, tell)?.into_iter().for_each(&mut *tell);
            if !stop.load(Ordering::Relaxed) {
                mirror.draw_one(&mut tried)?;
            }
            Ok(mirror)
        });
        let pause = match passed {
            Ok(open) => {
                mirror = Some(open);
                wait = SHORTEST;
                EVERY
            }
            Err(MirrorError::Away(why)) => {
                tell(Told::Away(why));
                let now = wait;
                wait = (2 * wait).min(LONGEST);
                now
            }
            Err(refused @ (MirrorError::Refused(_) | MirrorError::Run(_))) => {
                tell(Told::Off(refused.to_string()));
                return Err(refused);
            }
        };
        let start = Instant::now();
        while start.elapsed() < pause && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

/// [`watch`] in a thread of its own.
///
/// # Errors
/// If the system has no thread left.
pub fn spawn(settings: Settings, mut tell: impl FnMut(Told) + Send + 'static) -> std::io::Result<Handle> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    std::thread::Builder::new().name("mlflow".into()).spawn(move || {
        // nothing that the mirror borrowed is looked at again
        let watched = catch_unwind(AssertUnwindSafe(|| watch(&settings, &asked, &mut tell)));
        if watched.is_err() {
            tell(Told::Off("the mirror broke off by a fault of the program; switch it on again, and please report it".into()));
        }
    })?;
    Ok(Handle(stop))
}
