//! What of a picture is the galaxy in its middle, what are other sources, and what is sky: a threshold over the background and
//! connected pieces. Good enough to say where a map's mass lies; no photometry.

use super::Image;

/// What a pixel belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The piece at, or nearest to, the centre.
    Galaxy,
    /// Any other piece.
    Other,
    /// Below the threshold.
    Sky,
}

/// The threshold over the sky's median in units of its robust standard deviation (1.4826 times the median absolute deviation).
const SIGMAS: f32 = 3.0;
/// The threshold is at least so many grey levels over the sky, so that a picture without noise has an edge too.
const LEAST: f32 = 4.0;
/// Pieces smaller than this many pixels are noise, and so sky.
const SMALLEST: usize = 5;

/// The region of each pixel, row by row. The brightness is the mean of red, green and blue, smoothed over 3 x 3 pixels; pieces are
/// connected by their sides.
#[must_use]
pub fn segment(image: &Image) -> Vec<Region> {
    let (width, height) = (image.width, image.height);
    let brightness = smoothed(image);
    let threshold = threshold(&brightness);
    let mut piece = vec![0usize; brightness.len()];
    let mut pieces: Vec<(usize, f32)> = vec![(0, f32::INFINITY)];
    let (cx, cy) = ((width as f32 - 1.0) / 2.0, (height as f32 - 1.0) / 2.0);
    for start in 0..brightness.len() {
        if piece[start] != 0 || brightness[start] < threshold {
            continue;
        }
        let label = pieces.len();
        let (mut size, mut nearest) = (0, f32::INFINITY);
        let mut open = vec![start];
        piece[start] = label;
        while let Some(at) = open.pop() {
            let (x, y) = (at % width, at / width);
            size += 1;
            nearest = nearest.min((x as f32 - cx).hypot(y as f32 - cy));
            let beside =
                [(x > 0, at.wrapping_sub(1)), (x + 1 < width, at + 1), (y > 0, at.wrapping_sub(width)), (y + 1 < height, at + width)];
            for (_, next) in beside.into_iter().filter(|(inside, _)| *inside) {
                if piece[next] == 0 && brightness[next] >= threshold {
                    piece[next] = label;
                    open.push(next);
                }
            }
        }
        pieces.push((size, nearest));
    }
    let real = |label: &usize| *label != 0 && pieces[*label].0 >= SMALLEST;
    // of pieces that are as near, the larger
    let galaxy = (1..pieces.len()).filter(real).min_by(|&a, &b| pieces[a].1.total_cmp(&pieces[b].1).then(pieces[b].0.cmp(&pieces[a].0)));
    let region = |label: usize| match galaxy {
        Some(galaxy) if label == galaxy => Region::Galaxy,
        _ if real(&label) => Region::Other,
        _ => Region::Sky,
    };
    piece.into_iter().map(region).collect()
}

/// The mean of the colours over 3 x 3 pixels (fewer at the border).
fn smoothed(image: &Image) -> Vec<f32> {
    let (width, height) = (image.width, image.height);
    let grey: Vec<f32> = image.pixels.chunks_exact(3).map(|p| (f32::from(p[0]) + f32::from(p[1]) + f32::from(p[2])) / 3.0).collect();
    let mean = |x: usize, y: usize| {
        let (mut sum, mut count) = (0.0, 0.0);
        for row in y.saturating_sub(1)..(y + 2).min(height) {
            for value in &grey[row * width + x.saturating_sub(1)..row * width + (x + 2).min(width)] {
                sum += value;
                count += 1.0;
            }
        }
        sum / count
    };
    (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| mean(x, y)).collect()
}

fn threshold(brightness: &[f32]) -> f32 {
    let median = |mut values: Vec<f32>| {
        let middle = values.len() / 2;
        *values.select_nth_unstable_by(middle, f32::total_cmp).1
    };
    let sky = median(brightness.to_vec());
    let deviation = median(brightness.iter().map(|v| (v - sky).abs()).collect());
    sky + (SIGMAS * 1.4826 * deviation).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with discs: centre, radius, brightness.
    fn discs(discs: &[(f32, f32, f32, u8)]) -> Image {
        let value = |x: f32, y: f32| {
            let inside = discs.iter().filter(|(cx, cy, r, _)| (x - cx).hypot(y - cy) <= *r);
            10 + inside.map(|(.., v)| *v).max().unwrap_or(0)
        };
        let pixels = (0..40 * 40).flat_map(|i| [value((i % 40) as f32, (i / 40) as f32); 3]).collect();
        Image::new(40, 40, pixels).expect("a picture")
    }

    #[test]
    fn the_piece_in_the_middle_is_the_galaxy() {
        let regions = segment(&discs(&[(19.0, 20.0, 6.0, 80), (5.0, 5.0, 3.0, 200)]));
        let at = |x: usize, y: usize| regions[y * 40 + x];
        assert_eq!([at(20, 20), at(5, 5), at(35, 35), at(12, 5)], [Region::Galaxy, Region::Other, Region::Sky, Region::Sky]);
        let galaxy = regions.iter().filter(|r| **r == Region::Galaxy).count();
        assert!((100..200).contains(&galaxy), "{galaxy}");
        // beside the middle it is the nearest
        let regions = segment(&discs(&[(30.0, 20.0, 4.0, 80), (5.0, 5.0, 3.0, 200)]));
        assert_eq!(regions[20 * 40 + 30], Region::Galaxy);
    }

    #[test]
    fn an_empty_picture_is_sky() {
        assert!(segment(&discs(&[])).iter().all(|region| *region == Region::Sky));
        assert_eq!(segment(&Image::new(1, 1, vec![9; 3]).expect("a picture")), [Region::Sky]);
    }
}
