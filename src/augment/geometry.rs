//! Mirroring and turning. Angles are counter-clockwise as seen on the screen.

use crate::imaging::Image;

/// The picture mirrored left to right.
#[must_use]
pub fn flip(image: &Image) -> Image {
    let width = image.width();
    gather(image, width, image.height(), |x, y| (width - 1 - x, y))
}

/// The picture turned by `turns` times 90 degrees, exactly: no pixel changes. Odd turns swap width and height.
#[must_use]
pub fn quarter_turns(image: &Image, turns: usize) -> Image {
    let (width, height) = (image.width(), image.height());
    match turns % 4 {
        0 => image.clone(),
        1 => gather(image, height, width, |x, y| (width - 1 - y, x)),
        2 => gather(image, width, height, |x, y| (width - 1 - x, height - 1 - y)),
        _ => gather(image, height, width, |x, y| (y, height - 1 - x)),
    }
}

/// The picture turned about its centre by any angle, in the same frame: bilinear, with the border reflected at the edges
/// of the outermost pixels, so that sky continues as sky.
#[must_use]
pub fn rotate(image: &Image, degrees: f64) -> Image {
    let (width, height) = (image.width(), image.height());
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (centre_x, centre_y) = ((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0);
    let pixels = image.pixels();
    let mut out = Vec::with_capacity(pixels.len());
    for y in 0..height {
        let dy = y as f64 - centre_y;
        for x in 0..width {
            let dx = x as f64 - centre_x;
            let (left, right, across) = neighbours(centre_x + cos * dx - sin * dy, width);
            let (above, below, down) = neighbours(centre_y + sin * dx + cos * dy, height);
            let corners = [above * width + left, above * width + right, below * width + left, below * width + right];
            let weights = [(1.0 - down) * (1.0 - across), (1.0 - down) * across, down * (1.0 - across), down * across];
            for channel in 0..3 {
                let value: f64 = corners.iter().zip(weights).map(|(at, weight)| weight * f64::from(pixels[at * 3 + channel])).sum();
                out.push(value.round() as u8);
            }
        }
    }
    Image::new(width, height, out).expect("as many bytes as the source has")
}

/// The two pixels between which a coordinate lies, reflected into 0..length, and how far it is from the first to the second.
fn neighbours(coordinate: f64, length: usize) -> (usize, usize, f64) {
    let first = coordinate.floor();
    let reflect = |index: f64| {
        let folded = index.rem_euclid(2.0 * length as f64) as usize;
        folded.min(2 * length - 1 - folded)
    };
    (reflect(first), reflect(first + 1.0), coordinate - first)
}

/// A picture of `width` x `height` whose pixel (x, y) is the source's pixel at `from(x, y)`.
fn gather(image: &Image, width: usize, height: usize, from: impl Fn(usize, usize) -> (usize, usize)) -> Image {
    let mut out = Vec::with_capacity(image.pixels().len());
    for y in 0..height {
        for x in 0..width {
            let (source_x, source_y) = from(x, y);
            let at = (source_y * image.width() + source_x) * 3;
            out.extend_from_slice(&image.pixels()[at..at + 3]);
        }
    }
    Image::new(width, height, out).expect("as many bytes as the source has")
}
