//! Spiral galaxies: barred, unbarred with tight arms, unbarred with loose arms.

use super::canvas::Canvas;
use super::disc::{Arms, Bar, Disc, Ripples};
use super::distance::Distance;
use super::light::Colour;
use super::shape::{Ellipse, Sersic, angle, normal, uniform};
use crate::random::Random;

/// Which spiral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Barred,
    Tight,
    Loose,
}

/// What the kinds of spirals differ in, drawn.
struct Traits {
    /// Arms, and the angle that they wind with, radians.
    count: f32,
    pitch: f32,
    contrast: f32,
    sharpness: f32,
    bends: f32,
    /// Half-light radius of the bulge over the scale length of the disc, and its surface brightness there.
    bulge: f32,
    bulge_magnitude: f32,
    g_r: f32,
}

impl Traits {
    fn draw(kind: Kind, random: &mut Random) -> Self {
        let count = match kind {
            Kind::Barred => 2.0,
            Kind::Tight => [2.0, 2.0, 3.0, 4.0][random.below(4)],
            Kind::Loose => [2.0, 2.0, 2.0, 3.0][random.below(4)],
        };
        let (low, high) = match kind {
            Kind::Barred => (11.0, 24.0),
            Kind::Tight => (8.0, 15.0),
            Kind::Loose => (21.0, 38.0),
        };
        let sense = if random.chance(0.5) { 1.0 } else { -1.0 };
        let pitch = sense * uniform(random, low, high).to_radians();
        match kind {
            Kind::Barred => Self {
                count,
                pitch,
                contrast: uniform(random, 0.35, 0.65),
                sharpness: uniform(random, 1.2, 2.6),
                bends: 0.6,
                bulge: uniform(random, 0.12, 0.22),
                bulge_magnitude: normal(random, 20.2, 0.4),
                g_r: normal(random, 0.66, 0.09),
            },
            Kind::Tight => Self {
                count,
                pitch,
                contrast: uniform(random, 0.35, 0.65),
                sharpness: uniform(random, 1.0, 2.2),
                bends: 0.6,
                bulge: uniform(random, 0.22, 0.42),
                bulge_magnitude: normal(random, 20.5, 0.4),
                g_r: normal(random, 0.67, 0.09),
            },
            Kind::Loose => Self {
                count,
                pitch,
                contrast: uniform(random, 0.5, 0.85),
                sharpness: uniform(random, 1.4, 3.2),
                bends: 0.7,
                bulge: uniform(random, 0.14, 0.3),
                bulge_magnitude: normal(random, 20.7, 0.4),
                g_r: normal(random, 0.59, 0.1),
            },
        }
    }
}

/// Draws a spiral galaxy in the middle of the field.
pub(super) fn draw(canvas: &mut Canvas, kind: Kind, random: &mut Random) -> Distance {
    let length = if kind == Kind::Tight { uniform(random, 2.8, 6.0) } else { uniform(random, 3.2, 6.5) };
    let distance = Distance::where_looks(3.8 * normal(random, 0.0, 0.3).exp(), length);
    let at = (uniform(random, -0.6, 0.6), uniform(random, -0.6, 0.6));
    draw_at(canvas, kind, at, length, distance, random);
    distance
}

/// Draws a spiral galaxy with a disc of this scale length (arcsec) at this place.
pub(super) fn draw_at(canvas: &mut Canvas, kind: Kind, (x, y): (f32, f32), length: f32, distance: Distance, random: &mut Random) {
    let traits = Traits::draw(kind, random);
    let colour = Colour::galaxy(random, traits.g_r);
    let turned = angle(random);
    let ellipse = Ellipse::new(turned, uniform(random, 0.5, 1.0));
    let magnitude = normal(random, 21.0, 0.35);
    let young = colour.redder(normal(random, -0.16, 0.05));
    let bar = (kind == Kind::Barred).then(|| Bar {
        angle: angle(random),
        length: length * uniform(random, 1.0, 1.6),
        width: length * uniform(random, 0.2, 0.34),
        light: distance.surface(colour.redder(0.12), magnitude - uniform(random, 0.5, 1.1)),
    });
    let inner = bar.map_or(length * uniform(random, 0.35, 0.6), |bar| 0.95 * bar.length);
    let arms = Arms {
        count: traits.count,
        pitch: traits.pitch,
        // arms begin at the ends of a bar
        phase: bar.map_or_else(|| angle(random), |bar| bar.angle),
        inner,
        outer: inner + length * uniform(random, 2.4, 3.6),
        contrast: traits.contrast,
        sharpness: traits.sharpness,
        dust: if random.chance(0.6) { uniform(random, 0.1, 0.5) } else { 0.0 },
        light: distance.surface(young, magnitude + 0.1),
        bends: Ripples::draw(random, 1, traits.bends),
        patches: Ripples::draw(random, 3, 0.6),
    };
    let ringed = bar.is_some() && random.chance(0.4);
    let disc = Disc {
        x,
        y,
        ellipse,
        length,
        light: distance.surface(colour, magnitude),
        arms: Some(arms),
        bar,
        ring: ringed.then(|| (inner, 0.16 * length, distance.surface(young, magnitude + 1.6))),
        lopsided: (uniform(random, 0.0, 0.2), angle(random)),
        drift: 0.0,
    };
    disc.draw(canvas);
    let clumps = random.below(if kind == Kind::Tight { 8 } else { 16 });
    disc.draw_clumps(canvas, random, clumps, distance.surface(young.redder(-0.1), magnitude - 0.1));
    let radius = length * traits.bulge;
    let round = 1.0 - 0.5 * (1.0 - ellipse.axis_ratio);
    let light = distance.surface(colour.redder(0.17), traits.bulge_magnitude);
    let ellipse = Ellipse::new(turned, round);
    Sersic { ellipse, radius, index: uniform(random, 1.2, 3.0), light, boxiness: 2.0 }.draw(canvas, x, y);
}
