//! Numbers and times as people read them.

use std::time::Duration;

/// A count as people read it: 17,736.
#[must_use]
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Time as people say it: "40 s", "3 min", "1 h 20 min".
#[must_use]
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        600..3600 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let counts = [0, 999, 1000, 17_736, 1_234_567].map(thousands);
        assert_eq!(counts, ["0", "999", "1,000", "17,736", "1,234,567"]);
        let times = [4, 61, 700, 4_800].map(|s| duration(Duration::from_secs(s)));
        assert_eq!(times, ["4 s", "1 min 01 s", "12 min", "1 h 20 min"]);
    }
}
