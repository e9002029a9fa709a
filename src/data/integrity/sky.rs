//! Pairs of positions on the sky that are the same within the accuracy of a catalogue.

use super::{MOST_PAIRS, Pair, SAME_POSITION};

/// Pairs closer than [`SAME_POSITION`]; images without a position are in none. Positions are unit vectors here, so that
/// neither the poles nor the end of the circle of right ascension need a rule. The search ends when there are more than
/// can be listed.
pub fn pairs(ra: &[f64], dec: &[f64]) -> Vec<Pair> {
    let vector = |(index, (ra, dec)): (usize, (&f64, &f64))| {
        let (ra, dec) = (ra.to_radians(), dec.to_radians());
        let position = [dec.cos() * ra.cos(), dec.cos() * ra.sin(), dec.sin()];
        position.iter().all(|x| x.is_finite()).then_some((dec, index as u32, position))
    };
    let mut positions: Vec<(f64, u32, [f64; 3])> = ra.iter().zip(dec).enumerate().filter_map(vector).collect();
    positions.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let reach = (SAME_POSITION / 3600.0).to_radians();
    let chord = 2.0 * (reach / 2.0).sin();
    let mut pairs = Vec::new();
    for (at, (dec, first, a)) in positions.iter().enumerate() {
        for (_, second, b) in positions[at + 1..].iter().take_while(|(other, ..)| other - dec <= reach) {
            let apart = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            if apart < chord {
                let arcsec = (2.0 * (apart / 2.0).asin()).to_degrees() * 3600.0;
                pairs.push(Pair { first: *first.min(second), second: *first.max(second), distance: arcsec });
            }
            if pairs.len() > MOST_PAIRS {
                return pairs;
            }
        }
    }
    pairs
}
