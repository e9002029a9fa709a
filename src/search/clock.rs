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

/// Seconds from one such time to a later one, both as the same program wrote them; `None` if one is no time.
pub(super) fn seconds_between(start: &str, end: &str) -> Option<f64> {
    Some(seconds(end)? - seconds(start)?)
}

/// Seconds since the year 0; the zone is not looked at.
fn seconds(text: &str) -> Option<f64> {
    let (date, time) = text.split_once('T')?;
    let time = time.split(['+', 'Z', '-']).next()?;
    let [year, month, day]: [i64; 3] = numbers(date.split('-'))?;
    let [hour, minute]: [i64; 2] = numbers(time.split(':').take(2))?;
    if !((1..=12).contains(&month) && (1..=31).contains(&day) && (0..24).contains(&hour) && (0..60).contains(&minute)) {
        return None;
    }
    let second: f64 = time.split(':').nth(2)?.parse().ok()?;
    // whatever a journal holds, no time is beyond these
    if !((0..=9999).contains(&year) && (0.0..61.0).contains(&second)) {
        return None;
    }
    // years are counted from March, so that the leap day is the last of its year
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some((days * 86_400 + hour * 3600 + minute * 60) as f64 + second)
}

fn numbers<'a, const N: usize>(parts: impl Iterator<Item = &'a str>) -> Option<[i64; N]> {
    parts.map(|part| part.parse().ok()).collect::<Option<Vec<i64>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_those_of_python() {
        // datetime.fromtimestamp(1795464903.000042, timezone.utc).isoformat(timespec="microseconds")
        assert_eq!(super::text(1_795_464_903_000_042), "2026-11-23T20:15:03.000042+00:00");
    }

    #[test]
    fn durations_are_those_of_python() {
        // (datetime.fromisoformat(b) - datetime.fromisoformat(a)).total_seconds()
        for (start, end, seconds) in [
            ("2026-11-23T20:15:03.000042+00:00", "2026-11-23T20:15:04.500042+00:00", 1.5),
            ("2024-02-28T23:59:59.500000", "2024-03-01T00:00:00.250000", 86_400.75),
            ("2025-12-31T23:00:00.000000+00:00", "2026-01-01T01:00:00.000000+00:00", 7200.0),
        ] {
            let between = super::seconds_between(start, end).expect("two times");
            assert!((between - seconds).abs() < 1e-4, "{between} for {seconds}");
        }
        for bad in ["soon", "2026-01-01T00:00:1e300", "2026-01-01T00:00:inf", "9999999999-01-01T00:00:00", "2026-01-01"] {
            assert_eq!(super::seconds_between(bad, "2026-01-01T01:00:00"), None, "{bad}");
        }
    }
}
