//! In what order the pixels of a picture matter: by a map, by chance, by edges.

use crate::imaging::Image;
use crate::random::{Purpose, Random};

/// The stream of random numbers that breaks ties, beside those of the random map and the noise.
const TIES: u64 = 1;

/// The pixels' numbers, the strongest first. Equal ones come in a random order that is a function of `seed`: a map without negative
/// evidence has many zeros, and rows from the top would be a pattern of their own.
pub fn strongest_first(strength: &[f32], seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..strength.len()).collect();
    Random::new(seed, Purpose::Explain, &[TIES]).shuffle(&mut order);
    order.sort_by(|&a, &b| strength[b].total_cmp(&strength[a]));
    order
}

/// A map that knows nothing: a random number for each of `pixels` pixels.
pub fn noise(pixels: usize, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed, Purpose::Explain, &[]);
    (0..pixels).map(|_| random.uniform() as f32).collect()
}

/// A map of edges: the length of the brightness' gradient by Sobel's operator; borders are repeated.
pub fn sobel(picture: &Image) -> Vec<f32> {
    let (width, height) = (picture.width() as i64, picture.height() as i64);
    let grey = |x: i64, y: i64| {
        let at = (y.clamp(0, height - 1) * width + x.clamp(0, width - 1)) as usize * 3;
        picture.pixels()[at..at + 3].iter().map(|&v| f32::from(v)).sum::<f32>()
    };
    let length = |x: i64, y: i64| {
        let (mut dx, mut dy) = (0.0, 0.0);
        for (offset, weight) in [(-1, 1.0), (0, 2.0), (1, 1.0)] {
            dx += weight * (grey(x + 1, y + offset) - grey(x - 1, y + offset));
            dy += weight * (grey(x + offset, y + 1) - grey(x + offset, y - 1));
        }
        dx.hypot(dy)
    };
    (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| length(x, y)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_fall_and_hold_every_pixel_once() {
        let order = strongest_first(&[0.0, 3.0, 0.0, -1.0, 7.0], 1);
        assert_eq!((order[0], order[1], order[4]), (4, 1, 3));
        let many = strongest_first(&[0.0; 100], 1);
        let mut sorted = many.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_ne!(many, sorted, "ties are broken by chance");
        assert_ne!(many, strongest_first(&[0.0; 100], 2));
    }

    #[test]
    fn edges_are_where_the_brightness_changes() {
        // a step between the second and the third of four columns: 2 x 3 x 90 x (1 + 2 + 1) / 2
        let pixels = [0u8, 0, 90, 90].repeat(3).into_iter().flat_map(|v| [v; 3]).collect();
        let edges = sobel(&Image::new(4, 3, pixels).expect("a picture"));
        for row in edges.chunks_exact(4) {
            assert_eq!(row, [0.0, 1080.0, 1080.0, 0.0]);
        }
    }
}
