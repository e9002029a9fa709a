//! Which places of a scrolled grid are to be drawn.

use std::ops::Range;

use egui::Rangef;

/// The places of a grid of `count` things, `columns` a row and a row every `step` pixels, of which a part lies in `seen`
/// (pixels from the top of the grid). Empty where there is nothing: a list that a filter made short may still be scrolled
/// beyond its end.
pub fn in_sight(seen: Rangef, step: f32, columns: usize, count: usize) -> Range<usize> {
    let row = |y: f32| y.max(0.0) as usize;
    let start = row((seen.min / step).floor()).saturating_mul(columns).min(count);
    let end = row((seen.max / step).ceil()).saturating_mul(columns).min(count);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_seen_in_part_count() {
        let seen = |top, bottom, count| in_sight(Rangef::new(top, bottom), 10.0, 4, count);
        assert_eq!(seen(0.0, 25.0, 100), 0..12);
        assert_eq!(seen(19.0, 21.0, 100), 4..12);
        assert_eq!(seen(230.0, 260.0, 98), 92..98);
        assert_eq!(seen(-5.0, 5.0, 2), 0..2);
    }

    #[test]
    fn beyond_the_end_nothing_is_seen() {
        for count in [0, 1, 3, 4, 98] {
            for top in [240.0, 250.0, 260.0, 1e12] {
                let places = in_sight(Rangef::new(top, top + 30.0), 10.0, 4, count);
                assert!(places.start <= places.end && places.end <= count, "{count} from {top}: {places:?}");
            }
        }
    }
}
