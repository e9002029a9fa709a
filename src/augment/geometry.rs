//! Mirroring and turning by quarters, exactly. Turns are counter-clockwise as seen on the screen.

use crate::imaging::Image;

/// The picture mirrored left to right.
#[must_use]
pub fn flip(image: &Image) -> Image {
    posed(image, true, 0)
}

/// The picture turned by `turns` times 90 degrees, exactly: no pixel changes. Odd turns swap width and height.
#[must_use]
pub fn quarter_turns(image: &Image, turns: usize) -> Image {
    posed(image, false, turns)
}

/// The picture, mirrored left to right if `mirrored`, then turned.
pub(super) fn posed(image: &Image, mirrored: bool, turns: usize) -> Image {
    let mut pixels = Vec::with_capacity(image.pixels().len());
    pose_into(image, mirrored, turns, &mut pixels);
    let (width, height) = if turns % 2 == 1 { (image.height(), image.width()) } else { (image.width(), image.height()) };
    Image::new(width, height, pixels).expect("as many bytes as the source has")
}

/// The same, into memory that is kept from picture to picture.
pub(super) fn pose_into(image: &Image, mirrored: bool, turns: usize, out: &mut Vec<u8>) {
    let (width, height) = (image.width(), image.height());
    let column = |x: usize| if mirrored { width - 1 - x } else { x };
    match turns % 4 {
        0 => gather(image, width, height, |x, y| (column(x), y), out),
        1 => gather(image, height, width, |x, y| (column(width - 1 - y), x), out),
        2 => gather(image, width, height, |x, y| (column(width - 1 - x), height - 1 - y), out),
        _ => gather(image, height, width, |x, y| (column(y), height - 1 - x), out),
    }
}

/// The bytes of a picture of `width` x `height` whose pixel (x, y) is the source's pixel at `from(x, y)`.
fn gather(image: &Image, width: usize, height: usize, from: impl Fn(usize, usize) -> (usize, usize), out: &mut Vec<u8>) {
    out.clear();
    out.reserve(image.pixels().len());
    for y in 0..height {
        for x in 0..width {
            let (source_x, source_y) = from(x, y);
            let at = (source_y * image.width() + source_x) * 3;
            out.extend_from_slice(&image.pixels()[at..at + 3]);
        }
    }
}
