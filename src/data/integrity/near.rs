//! Pairs of pictures that look the same, each compared with each: 20,000 pictures take half a second, 200,000 a minute.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::look::Look;
use super::{MOST_PAIRS, Pair};
use crate::data::DataError;

/// The pairs of `looks` (image, look) that are close; the search ends when there are more than can be listed.
pub fn pairs(looks: &[(u32, &Look)], stop: &AtomicBool) -> Result<Vec<Pair>, DataError> {
    let found = AtomicUsize::new(0);
    let of = |at: usize| {
        let (first, look) = looks[at];
        if stop.load(Ordering::Relaxed) || found.load(Ordering::Relaxed) > MOST_PAIRS {
            return Vec::new();
        }
        let close = |&(second, other): &(u32, &Look)| {
            look.distance(other).map(|bits| Pair { first: first.min(second), second: first.max(second), distance: f64::from(bits) })
        };
        let pairs: Vec<Pair> = looks[at + 1..].iter().filter_map(close).collect();
        found.fetch_add(pairs.len(), Ordering::Relaxed);
        pairs
    };
    let pairs = (0..looks.len()).into_par_iter().flat_map_iter(of).collect();
    if stop.load(Ordering::Relaxed) { Err(DataError::Stopped) } else { Ok(pairs) }
}
