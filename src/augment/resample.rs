//! Bilinear resampling of a picture along an affine map, a row of the result at a time. Places are fixed-point numbers with 32
//! bits behind the point, so that a step from column to column is one addition.

use std::ops::Range;

use super::Border;
use super::placement::Placement;

/// One, in fixed point.
const ONE: f64 = 4_294_967_296.0;

/// A picture that is read between its pixels. Its area reaches half a pixel beyond the centres of the outermost ones.
pub struct Source<'a> {
    /// height x width: red, green, blue and nothing, so that one pixel is one vector.
    pub pixels: &'a [[f32; 4]],
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// What lies beyond the edges.
    pub border: Border,
}

/// A place on a line that moves in equal steps, fixed-point.
#[derive(Clone, Copy)]
struct Line {
    start: i64,
    step: i64,
}

impl Line {
    fn new(start: f64, step: f64) -> Self {
        Self { start: fixed(start), step: fixed(step) }
    }

    #[inline(always)]
    fn at(self, column: usize) -> i64 {
        self.start + self.step * signed(column)
    }

    /// The columns of 0..side whose places are from 0 to below `end`.
    fn inside(self, end: i64, side: usize) -> Range<usize> {
        let Self { start, step } = self;
        let (first, after) = match step {
            0 if (0..end).contains(&start) => (0, i64::MAX),
            0 => (0, 0),
            // rounded up
            1.. => (-start.div_euclid(step), -(start - end).div_euclid(step)),
            _ => ((start - end).div_euclid(-step) + 1, start.div_euclid(-step) + 1),
        };
        let bound = |column: i64| column.clamp(0, signed(side)) as usize;
        bound(first)..bound(after).max(bound(first))
    }
}

impl Source<'_> {
    /// Writes the picture at the places that `placement` says: `side` x `side`, as three planes.
    pub fn write(&self, placement: &Placement, side: usize, out: &mut [f32]) {
        pulp::Arch::new().dispatch(|| self.write_here(placement, side, out));
    }

    #[inline(always)]
    fn write_here(&self, placement: &Placement, side: usize, out: &mut [f32]) {
        let (red, rest) = out.split_at_mut(side * side);
        let (green, blue) = rest.split_at_mut(side * side);
        let rows = red.chunks_exact_mut(side).zip(green.chunks_exact_mut(side)).zip(blue.chunks_exact_mut(side));
        let (step_x, step_y) = placement.step();
        for (y, ((red, green), blue)) in rows.enumerate() {
            let (start_x, start_y) = placement.at(0.0, y as f64);
            let (line_x, line_y) = (Line::new(start_x, step_x), Line::new(start_y, step_y));
            let (in_x, in_y) = (line_x.inside(whole(self.width - 1), side), line_y.inside(whole(self.height - 1), side));
            let first = in_x.start.max(in_y.start);
            let after = in_x.end.min(in_y.end).max(first);
            for column in (0..first).chain(after..side) {
                let pixel = self.border(line_x.at(column), line_y.at(column));
                (red[column], green[column], blue[column]) = (pixel[0], pixel[1], pixel[2]);
            }
            let targets = red[first..after].iter_mut().zip(&mut green[first..after]).zip(&mut blue[first..after]);
            for (column, ((r, g), b)) in (first..after).zip(targets) {
                let pixel = self.inside(line_x.at(column), line_y.at(column));
                (*r, *g, *b) = (pixel[0], pixel[1], pixel[2]);
            }
        }
    }

    /// A place with four pixels around it.
    #[inline(always)]
    fn inside(&self, x: i64, y: i64) -> [f32; 4] {
        let at = (y >> 32) as usize * self.width + (x >> 32) as usize;
        let (above, below) = (&self.pixels[at..at + 2], &self.pixels[at + self.width..at + self.width + 2]);
        let across = fraction(x);
        mix(mix(above[0], above[1], across), mix(below[0], below[1], across), fraction(y))
    }

    #[inline(never)]
    fn border(&self, x: i64, y: i64) -> [f32; 4] {
        let half = whole(1) / 2;
        let within = |place: i64, length: usize| (-half..whole(length) - half).contains(&place);
        if self.border == Border::Black && !(within(x, self.width) && within(y, self.height)) {
            return [0.0; 4];
        }
        let pixel = |x: i64, y: i64| self.pixels[reflect_edge(y, self.height) * self.width + reflect_edge(x, self.width)];
        let (left, top) = (x >> 32, y >> 32);
        let above = mix(pixel(left, top), pixel(left + 1, top), fraction(x));
        let below = mix(pixel(left, top + 1), pixel(left + 1, top + 1), fraction(x));
        mix(above, below, fraction(y))
    }
}

/// A number in fixed point.
pub fn fixed(number: f64) -> i64 {
    (number * ONE).round() as i64
}

/// A whole number in fixed point.
fn whole(number: usize) -> i64 {
    signed(number) << 32
}

/// A length or an index, which a picture keeps far below the largest number.
#[inline(always)]
fn signed(number: usize) -> i64 {
    number.cast_signed() as i64
}

/// What is behind the point, in the 24 bits that fit a number with a mantissa of 24.
#[inline(always)]
fn fraction(place: i64) -> f32 {
    let bits = (place as u32 >> 8).cast_signed();
    bits as f32 * (1.0 / 16_777_216.0)
}

#[inline(always)]
fn mix(from: [f32; 4], to: [f32; 4], share: f32) -> [f32; 4] {
    let mut out = [0.0; 4];
    for (out, (from, to)) in out.iter_mut().zip(from.iter().zip(to)) {
        *out = from + (to - from) * share;
    }
    out
}

/// Reflects a whole number into 0..length at the edges of the outermost pixels: ... 1 0 0 1 2 ...
fn reflect_edge(index: i64, length: usize) -> usize {
    let folded = index.rem_euclid(2 * signed(length)) as usize;
    folded.min(2 * length - 1 - folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_inside_are_those_whose_places_are() {
        for start in -70..70i64 {
            for step in -9..=9i64 {
                for end in [1, 8, 33] {
                    let line = Line { start, step };
                    let expected: Vec<usize> = (0..12).filter(|column| (0..end).contains(&line.at(*column))).collect();
                    let found: Vec<usize> = line.inside(end, 12).collect();
                    assert_eq!(found, expected, "start {start}, step {step}, end {end}");
                }
            }
        }
    }
}
