//! Discs seen from the side, with and without a bulge: a thin layer of stars, often cut by a lane of dust.

use std::f32::consts::FRAC_PI_2;

use super::canvas::{Canvas, Region};
use super::distance::Distance;
use super::light::{Colour, scale, through_dust};
use super::shape::{Ellipse, Sersic, angle, fade, mix, normal, uniform};
use crate::random::Random;

/// Draws an edge-on disc in the middle of the field.
pub(super) fn draw(canvas: &mut Canvas, bulge: bool, random: &mut Random) -> Distance {
    let length = if bulge { uniform(random, 3.2, 6.0) } else { uniform(random, 4.0, 8.5) };
    let distance = Distance::where_looks(3.5 * normal(random, 0.0, 0.3).exp(), length);
    let g_r = if bulge { normal(random, 0.7, 0.08) } else { normal(random, 0.55, 0.13) };
    let colour = Colour::galaxy(random, g_r);
    let layer = Layer {
        length,
        height: length * uniform(random, 0.13, 0.26),
        warp: normal(random, 0.0, 0.012),
        middle: distance.surface(colour.redder(0.12), normal(random, if bulge { 20.7 } else { 20.0 }, 0.35)),
        rim: distance.surface(colour.redder(-0.2), normal(random, if bulge { 20.7 } else { 20.0 }, 0.35)),
    };
    let turned = angle(random);
    let frame = Ellipse::new(turned, 1.0);
    let (x, y) = (uniform(random, -0.6, 0.6), uniform(random, -0.6, 0.6));
    layer.draw(canvas, frame, x, y);
    if bulge {
        let radius = length * uniform(random, 0.26, 0.44);
        let light = distance.surface(colour.redder(normal(random, 0.15, 0.04)), normal(random, 20.6, 0.35));
        let ellipse = Ellipse::new(turned, uniform(random, 0.65, 0.95));
        Sersic { ellipse, radius, index: uniform(random, 1.2, 2.8), light, boxiness: uniform(random, 2.0, 2.6) }.draw(canvas, x, y);
    }
    if random.chance(0.55) {
        let depth = uniform(random, 0.5, 1.6);
        // a disc that is not quite edge-on shows its lane beside the middle plane
        let shift = layer.height * normal(random, 0.0, 0.35);
        layer.dust(canvas, frame, (x, y), depth, shift);
    }
    distance
}

/// A disc from the side: I = (R/h) K1(R/h) sech^2(z/z0), van der Kruit & Searle (1981).
struct Layer {
    /// Scale length h, arcsec.
    length: f32,
    /// Scale height z0, arcsec.
    height: f32,
    /// How much the plane bends away at its ends, per scale length.
    warp: f32,
    middle: [f32; 3],
    rim: [f32; 3],
}

impl Layer {
    /// Where the disc ends, in scale lengths.
    const END: f32 = 4.2;

    fn region(&self, x: f32, y: f32) -> Region {
        Region { x, y, reach: Self::END * self.length + 4.0 * self.height }
    }

    /// Along and across the bent plane, in scale lengths and arcsec.
    fn coordinates(&self, frame: Ellipse, dx: f32, dy: f32) -> (f32, f32) {
        let (along, across) = frame.plane(dx, dy);
        let u = along / self.length;
        (u.abs(), across - self.warp * self.length * u * u.abs())
    }

    fn draw(&self, canvas: &mut Canvas, frame: Ellipse, x: f32, y: f32) {
        canvas.add(self.region(x, y), |dx, dy| {
            let (u, across) = self.coordinates(frame, dx, dy);
            if u > Self::END || across.abs() > 6.0 * self.height {
                return [0.0; 3];
            }
            // sqrt(1 + pi u / 2) exp(-u) is within 6 % of u K1(u) everywhere
            let radial = (1.0 + FRAC_PI_2 * u).sqrt() * (-u).exp() * fade(3.0, Self::END, u);
            let vertical = (across / self.height).cosh().powi(-2);
            scale(mix(self.middle, self.rim, (u / 2.5).min(1.0)), radial * vertical)
        });
    }

    /// Dims what is behind a thin lane of dust in the plane, of optical depth `depth` in r.
    fn dust(&self, canvas: &mut Canvas, frame: Ellipse, (x, y): (f32, f32), depth: f32, shift: f32) {
        let thickness = 0.35 * self.height;
        canvas.visit(self.region(x, y), |now, dx, dy| {
            let (u, across) = self.coordinates(frame, dx, dy);
            let z = (across - shift) / thickness;
            if z.abs() > 3.5 || u > 3.0 {
                return now;
            }
            through_dust(now, depth * (-0.5 * z * z).exp() * fade(1.2, 3.0, u))
        });
    }
}
