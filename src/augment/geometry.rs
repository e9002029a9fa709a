//! Mirroring and turning by quarters, exactly. Turns are counter-clockwise as seen on the screen.

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
