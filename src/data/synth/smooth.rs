//! Ellipticals and other smooth galaxies: round, in between, cigar-shaped. One Sersic profile, seen at some flattening.

use super::canvas::Canvas;
use super::distance::Distance;
use super::light::Colour;
use super::shape::{Ellipse, Sersic, angle, normal, uniform};
use crate::random::Random;

/// How elongated a smooth galaxy looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Elongation {
    Round,
    Between,
    Cigar,
}

/// Draws a smooth galaxy in the middle of the field.
pub(super) fn draw(canvas: &mut Canvas, elongation: Elongation, random: &mut Random) -> Distance {
    let (axis_ratio, radius) = match elongation {
        Elongation::Round => (uniform(random, 0.87, 1.0), 1.4 + 4.0 * uniform(random, 0.0, 1.0).powi(2)),
        Elongation::Between => (uniform(random, 0.42, 0.65), uniform(random, 2.4, 4.6)),
        Elongation::Cigar => (uniform(random, 0.2, 0.36), uniform(random, 2.8, 5.4)),
    };
    // one in four is a small blue system with a shallow profile, the others are old and red
    let old = random.chance(0.75);
    let (index, g_r, magnitude) = if old {
        (uniform(random, 2.0, 4.5), normal(random, 0.74, 0.06), normal(random, 21.5, 0.4))
    } else {
        (uniform(random, 1.0, 1.8), normal(random, 0.45, 0.1), normal(random, 21.3, 0.4))
    };
    // what looks like a cigar turns fast: its profile is shallow and its isophotes discy
    let (index, boxiness) = if elongation == Elongation::Cigar { (0.5 + 0.3 * index, 1.85) } else { (index, 2.0) };
    let distance = Distance::where_looks(if old { 6.0 } else { 3.0 } * normal(random, 0.0, 0.35).exp(), radius);
    let colour = Colour::galaxy(random, g_r);
    let ellipse = Ellipse::new(angle(random), axis_ratio);
    let light = distance.surface(colour, magnitude);
    Sersic { ellipse, radius, index, light, boxiness }.draw(canvas, uniform(random, -0.6, 0.6), uniform(random, -0.6, 0.6));
    distance
}
