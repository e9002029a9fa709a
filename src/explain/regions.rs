//! The regions that a map's mass is shared between, shown: lines around the galaxy and other sources on the picture.

use crate::imaging::{Canvas, Frame, Image, Region, segment};

/// The line around the galaxy, and the one around other sources.
const GALAXY: [u8; 3] = [255, 255, 255];
const OTHER: [u8; 3] = [255, 160, 60];
/// How much of a line covers what is below it.
const COVER: f32 = 0.85;

/// `drawn`, a picture `zoom` times as large as the one that `frame` is given in, with lines where the regions of `prepared` (what the
/// network saw) end.
#[must_use]
pub fn outline(drawn: Image, frame: Frame, zoom: usize, prepared: &Image) -> Image {
    let regions = segment(prepared);
    let (columns, rows) = (prepared.width(), prepared.height());
    let (width, height) = (frame.width * zoom, frame.height * zoom);
    // each pixel of the drawing has the region of the pixel of the network's picture that it lies in
    let at = |x: usize, y: usize| regions[y * rows / height * columns + x * columns / width];
    let (left, top) = (frame.x * zoom as i64, frame.y * zoom as i64);
    let mut canvas = Canvas::on(drawn);
    for y in 0..height {
        for x in 0..width {
            let own = at(x, y);
            let colour = match own {
                Region::Galaxy => GALAXY,
                Region::Other => OTHER,
                Region::Sky => continue,
            };
            let beside =
                [(x > 0, x.wrapping_sub(1), y), (x + 1 < width, x + 1, y), (y > 0, x, y.wrapping_sub(1)), (y + 1 < height, x, y + 1)];
            if beside.into_iter().any(|(inside, x, y)| inside && at(x, y) != own) {
                canvas.mix(left + x as i64, top + y as i64, colour, COVER);
            }
        }
    }
    canvas.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_around_what_is_told_apart() {
        // a galaxy of 6 x 6 pixels in the middle of 20 x 20, a star of 3 x 3 in a corner, and twice the size when drawn
        let (galaxy, star) = ((7..13), (1..4));
        let bright = |x: usize, y: usize| (galaxy.contains(&x) && galaxy.contains(&y)) || (star.contains(&x) && star.contains(&y));
        let pixels = (0..400).flat_map(|i| [if bright(i % 20, i / 20) { 200u8 } else { 10 }; 3]).collect();
        let prepared = Image::new(20, 20, pixels).expect("a picture");
        let plain = Image::new(40, 40, vec![0; 4800]).expect("a picture");
        let frame = Frame { x: 0, y: 0, width: 40, height: 40 };
        let drawn = outline(plain, frame, 1, &prepared);
        let regions = segment(&prepared);
        let mut lines = 0;
        for (i, pixel) in drawn.pixels().as_chunks::<3>().0.iter().enumerate() {
            let (x, y) = (i % 40, i / 40);
            let of = |x: usize, y: usize| regions[y / 2 * 20 + x / 2];
            let edge = [(x.max(1) - 1, y), ((x + 1).min(39), y), (x, y.max(1) - 1), (x, (y + 1).min(39))]
                .iter()
                .any(|&(u, v)| of(u, v) != of(x, y));
            match (of(x, y), edge) {
                (Region::Galaxy, true) => assert!(pixel[2] > 200, "{x}, {y}: {pixel:?}"),
                (Region::Other, true) => assert!(pixel[0] > 200 && pixel[2] < 60, "{x}, {y}: {pixel:?}"),
                _ => assert_eq!(pixel, &[0; 3], "{x}, {y}"),
            }
            lines += usize::from(pixel != &[0; 3]);
        }
        assert!(lines > 40);
    }
}
