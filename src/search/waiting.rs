//! Patience with a storage that is away: a server that starts again, a network that is cut for a moment.

use std::time::{Duration, Instant};

use super::{Closing, SearchError};

/// A storage that is away when a search begins is waited for so long, unless somebody knows better.
pub const WAIT: Duration = Duration::from_secs(30);
/// The pauses between two tries to reach a storage grow from the first to the second.
pub(super) const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// Who waits looks so often whether it should end.
const SLICE: Duration = Duration::from_millis(50);

/// Does some work again while the storage is away, until `patience` is over. Between two tries `pause` hears why and how long it should
/// wait, and says by `false` that nobody wants the work any more.
pub(super) fn patient<T>(
    patience: Duration,
    mut work: impl FnMut() -> Result<T, SearchError>,
    mut pause: impl FnMut(&SearchError, Duration) -> bool,
) -> Result<T, SearchError> {
    let (start, mut next) = (Instant::now(), PAUSES.0);
    loop {
        match work() {
            Err(error) if error.is_passing() && start.elapsed() < patience => {
                let left = patience.saturating_sub(start.elapsed());
                if !pause(&error, next.min(left)) {
                    return Err(error);
                }
                next = (2 * next).min(PAUSES.1);
            }
            done => return done,
        }
    }
}

/// Does some work with a storage again while that is away, until `patience` is over or `closing` says that nobody waits for it; `tell`
/// hears once, in words, that it waits.
///
/// # Errors
/// That of the last try.
pub fn patiently<T>(
    patience: Duration,
    closing: &Closing,
    tell: impl FnOnce(String),
    work: impl FnMut() -> Result<T, SearchError>,
) -> Result<T, SearchError> {
    let mut tell = Some(tell);
    patient(patience, work, |error, pause| {
        if let Some(tell) = tell.take() {
            tell(format!("{error}. It is tried again for {} s", patience.as_secs()));
        }
        let start = Instant::now();
        while start.elapsed() < pause && !closing.is_begun() {
            std::thread::sleep(SLICE.min(pause));
        }
        !closing.is_begun()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> SearchError {
        SearchError::Away { place: "a database".into(), message: "gone".into() }
    }

    #[test]
    fn what_is_away_is_tried_again_and_what_refuses_is_not() {
        let (mut tries, mut pauses) = (0, Vec::new());
        let done = patient(
            Duration::from_hours(1),
            || {
                tries += 1;
                if tries < 4 { Err(away()) } else { Ok(tries) }
            },
            |_, pause| {
                pauses.push(pause);
                true
            },
        );
        assert_eq!((done.expect("at last"), pauses), (4, vec![PAUSES.0, 2 * PAUSES.0, 4 * PAUSES.0]));
        let mut tries = 0;
        let refused = patient(
            Duration::from_hours(1),
            || {
                tries += 1;
                Err::<(), _>(SearchError::Study("no".into()))
            },
            |_, _| panic!("waiting does not help"),
        );
        assert!(refused.is_err() && tries == 1);
        let given_up = patient(Duration::from_hours(1), || Err::<(), _>(away()), |_, _| false);
        assert!(given_up.expect_err("nobody wants it").is_passing());
        let mut told = Vec::new();
        let over = patiently(Duration::ZERO, &Closing::default(), |words| told.push(words), || Err::<(), _>(away()));
        assert!(over.is_err() && told.is_empty(), "without patience there is nothing to tell but the error");
        let closing = Closing::default();
        closing.begin();
        let mut tries = 0;
        let closed = patiently(
            Duration::from_hours(1),
            &closing,
            |_| {},
            || {
                tries += 1;
                Err::<(), _>(away())
            },
        );
        assert!(closed.is_err() && tries == 1, "who was told to end does not wait for an hour");
    }
}
