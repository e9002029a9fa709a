//! Whether somebody waits for the end of a search, as a window that closes does: then nothing waits long for a storage any more.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What a storage has left to answer then, unless somebody waits longer. A healthy one needs far less, and what it was not told its
/// silence will tell.
const LEFT: Duration = Duration::from_secs(1);

/// Says that somebody waits; its clones say the same.
#[derive(Clone, Debug)]
pub struct Closing {
    begun: Arc<OnceLock<Instant>>,
    left: Duration,
}

impl Default for Closing {
    fn default() -> Self {
        Self::within(LEFT)
    }
}

impl Closing {
    /// Somebody who leaves a storage so long to answer.
    #[must_use]
    pub fn within(left: Duration) -> Self {
        Self { begun: Arc::default(), left }
    }

    /// From now on somebody waits.
    pub fn begin(&self) {
        // it is the first call that counts
        let _ = self.begun.set(Instant::now());
    }

    /// Whether somebody waits.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.begun.get().is_some()
    }

    /// Whether what was asked at this time has had its time, because somebody waits.
    pub(super) fn is_over(&self, asked: Instant) -> bool {
        self.begun.get().is_some_and(|begun| asked.max(*begun).elapsed() >= self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_has_its_time_from_the_later_of_the_question_and_the_closing() {
        let closing = Closing::default();
        let long_ago = Instant::now().checked_sub(10 * LEFT).expect("the system runs for a while");
        assert!(!closing.is_over(long_ago) && !closing.is_begun());
        closing.clone().begin();
        assert!(closing.is_begun() && !closing.is_over(Instant::now() + LEFT));
        let closed = Closing { begun: Arc::new(OnceLock::from(long_ago)), left: LEFT };
        assert!(closed.is_over(long_ago) && !closed.is_over(Instant::now() + LEFT));
        closed.begin();
        assert!(closed.is_over(long_ago), "the first time counts");
        assert!(!Closing { left: 20 * LEFT, ..closed }.is_over(long_ago), "who waits longer says so");
    }
}
