//! Drawing on pictures: rectangles, other pictures and lines of text, for figures that are saved. Not for the window.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, ScaleFont, point};

use super::Image;

/// The typeface of figures: Ubuntu Light.
static FONT: LazyLock<FontRef<'static>> =
    LazyLock::new(|| FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT).expect("the typeface is part of the program"));

/// A picture that is drawn on. What lies outside is left out.
#[derive(Clone, Debug)]
pub struct Canvas {
    image: Image,
}

impl Canvas {
    /// A picture of one colour. A side of 0 counts as 1.
    #[must_use]
    pub fn new(width: usize, height: usize, colour: [u8; 3]) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        Self { image: Image { width, height, pixels: colour.repeat(width * height) } }
    }

    /// Draws on a picture.
    #[must_use]
    pub fn on(image: Image) -> Self {
        Self { image }
    }

    /// The finished picture.
    #[must_use]
    pub fn finish(self) -> Image {
        self.image
    }

    /// Mixes `colour` over a pixel; `cover` is from 0 to 1.
    pub fn mix(&mut self, x: i64, y: i64, colour: [u8; 3], cover: f32) {
        let inside = |i: i64, length: usize| usize::try_from(i).ok().filter(|i| *i < length);
        let (Some(x), Some(y)) = (inside(x, self.image.width), inside(y, self.image.height)) else { return };
        let at = (y * self.image.width + x) * 3;
        for (value, colour) in self.image.pixels[at..at + 3].iter_mut().zip(colour) {
            *value = (f32::from(*value) * (1.0 - cover) + f32::from(colour) * cover).round() as u8;
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, x: i64, y: i64, width: usize, height: usize, colour: [u8; 3]) {
        for y in y..y + height as i64 {
            for x in x..x + width as i64 {
                self.mix(x, y, colour, 1.0);
            }
        }
    }

    /// Puts a picture on it, its top left corner at (x, y).
    pub fn place(&mut self, x: i64, y: i64, image: &Image) {
        for (i, pixel) in image.pixels.chunks_exact(3).enumerate() {
            let (row, column) = ((i / image.width) as i64, (i % image.width) as i64);
            self.mix(x + column, y + row, [pixel[0], pixel[1], pixel[2]], 1.0);
        }
    }

    /// Writes a line of text, its top left corner at (x, y); `size` is the height of a line in pixels.
    pub fn text(&mut self, x: i64, y: i64, size: f32, colour: [u8; 3], text: &str) {
        let font = FONT.as_scaled(size);
        let mut at = 0.0;
        let mut before: Option<GlyphId> = None;
        for sign in text.chars() {
            let id = font.glyph_id(sign);
            at += before.map_or(0.0, |before| font.kern(before, id));
            let glyph = id.with_scale_and_position(size, point(at, font.ascent()));
            if let Some(outline) = FONT.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                let (left, top) = (x + corner.x as i64, y + corner.y as i64);
                outline.draw(|dx, dy, cover| self.mix(left + i64::from(dx), top + i64::from(dy), colour, cover.min(1.0)));
            }
            at += font.h_advance(id);
            before = Some(id);
        }
    }
}

/// The width of a line of text, pixels.
#[must_use]
pub fn text_width(size: f32, text: &str) -> usize {
    let font = FONT.as_scaled(size);
    let mut width = 0.0;
    let mut before: Option<GlyphId> = None;
    for sign in text.chars() {
        let id = font.glyph_id(sign);
        width += before.map_or(0.0, |before| font.kern(before, id)) + font.h_advance(id);
        before = Some(id);
    }
    width.ceil() as usize
}

/// Breaks text into lines that are at most `width` pixels wide, between words where that is possible.
#[must_use]
pub fn wrap(size: f32, width: usize, text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if text_width(size, &format!("{line} {word}")) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_leaves_ink_where_it_is_written_and_nowhere_else() {
        let mut canvas = Canvas::new(120, 40, [0; 3]);
        canvas.text(10, 10, 16.0, [255; 3], "Spirale é");
        let image = canvas.finish();
        let ink = |x: usize, y: usize| image.pixels()[(y * 120 + x) * 3] > 100;
        let inked: Vec<(usize, usize)> = (0..40).flat_map(|y| (0..120).map(move |x| (x, y))).filter(|&(x, y)| ink(x, y)).collect();
        assert!(inked.len() > 60, "{}", inked.len());
        assert!(inked.iter().all(|&(x, y)| (9..12 + text_width(16.0, "Spirale é")).contains(&x) && (9..27).contains(&y)));
    }

    #[test]
    fn long_text_is_broken_between_words() {
        let lines = wrap(14.0, 100, "the quick brown fox jumps over the lazy dog");
        assert!(lines.len() > 1 && lines.iter().all(|line| text_width(14.0, line) <= 100), "{lines:?}");
        assert_eq!(lines.join(" "), "the quick brown fox jumps over the lazy dog");
        assert_eq!(wrap(14.0, 10, "unbreakable"), ["unbreakable"]);
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut canvas = Canvas::new(4, 3, [1; 3]);
        canvas.fill(-5, -5, 100, 6, [9; 3]);
        canvas.place(3, 2, &Canvas::new(5, 5, [7; 3]).finish());
        let pixels = canvas.finish().into_pixels();
        let first: Vec<u8> = pixels.iter().step_by(3).copied().collect();
        assert_eq!(first, [9, 9, 9, 9, 1, 1, 1, 1, 1, 1, 1, 7]);
    }
}
