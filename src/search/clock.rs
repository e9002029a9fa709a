//! The time as Optuna's journals have it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::train::timestamp;

/// Now, in UTC, as `2026-11-23T20:15:03.123456+00:00`.
pub(super) fn now() -> String {
    text(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64)
}

fn text(micros: u64) -> String {
    // "2026-11-23_20-15-03"
    let stamp = timestamp(UNIX_EPOCH + Duration::from_micros(micros));
    let (date, time) = stamp.split_once('_').unwrap_or((&stamp, ""));
    format!("{date}T{}.{:06}+00:00", time.replace('-', ":"), micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_those_of_python() {
        // datetime.fromtimestamp(1795464903.000042, timezone.utc).isoformat(timespec="microseconds")
        assert_eq!(super::text(1_795_464_903_000_042), "2026-11-23T20:15:03.000042+00:00");
    }
}
