//! Galaxies that are not in equilibrium: pairs that merge, and single ones that something has disturbed.

use std::f32::consts::PI;

use super::canvas::{Canvas, Region};
use super::disc::{Arms, Disc, Ripples};
use super::distance::Distance;
use super::light::{Bands, Colour, scale};
use super::shape::{Ellipse, Sersic, Tail, angle, clump, fade, normal, uniform};
use super::spiral::{self, Kind};
use crate::random::Random;

/// Draws two galaxies in contact, with what the tides have pulled out of them.
pub(super) fn draw_merging(canvas: &mut Canvas, random: &mut Random) -> Distance {
    let length = uniform(random, 2.2, 3.8);
    let distance = Distance::where_looks(3.5 * normal(random, 0.0, 0.3).exp(), length);
    let ratio = uniform(random, 0.4, 1.0);
    let separation = length * (1.0 + ratio) * uniform(random, 0.95, 1.8);
    let towards = angle(random);
    let g_r = normal(random, 0.65, 0.1);
    // the heavier one is nearer to the centre of the field
    let places = [(0.5 * ratio * separation, towards + PI, 1.0), ((1.0 - 0.5 * ratio) * separation, towards, ratio)];
    let turn = if random.chance(0.5) { 1.0 } else { -1.0 };
    for (from_centre, heading, size) in places {
        let (x, y) = (from_centre * heading.cos(), from_centre * heading.sin());
        let own = g_r + normal(random, 0.0, 0.05);
        let colour = Colour::galaxy(random, own);
        member(canvas, (x, y), length * size, distance, colour, random);
        if random.chance(0.7) {
            let leaves = heading + turn * uniform(random, 0.2, 1.0);
            let start = 0.6 * length * size;
            let tail = Tail {
                x: x + start * leaves.cos(),
                y: y + start * leaves.sin(),
                direction: leaves + turn * uniform(random, 0.2, 0.8),
                turn: turn * uniform(random, 0.4, 1.9),
                length: length * uniform(random, 2.5, 5.0),
                width: (length * uniform(random, 0.22, 0.34), length * uniform(random, 0.4, 0.7)),
                light: distance.surface(colour.redder(-0.12), normal(random, 22.3, 0.4)),
            };
            tail.draw(canvas);
        }
    }
    // stars already shared by both
    let halo = distance.surface(Colour::galaxy(random, g_r), normal(random, 23.9, 0.4));
    let ellipse = Ellipse::new(towards, uniform(random, 0.5, 0.85));
    Sersic { ellipse, radius: 1.1 * separation, index: 1.0, light: halo, boxiness: 2.0 }.draw(canvas, 0.0, 0.0);
    distance
}

/// One galaxy of a pair: a spheroid, a smooth disc or a spiral, always with a bright middle.
fn member(canvas: &mut Canvas, (x, y): (f32, f32), length: f32, distance: Distance, colour: Colour, random: &mut Random) {
    let ellipse = Ellipse::new(angle(random), uniform(random, 0.45, 1.0));
    if random.chance(0.3) {
        spiral::draw_at(canvas, Kind::Loose, (x, y), 0.8 * length, distance, random);
    } else {
        let light = distance.surface(colour, normal(random, 21.9, 0.3));
        Sersic { ellipse, radius: length, index: uniform(random, 1.0, 2.5), light, boxiness: 2.0 }.draw(canvas, x, y);
    }
    let core = distance.surface(colour.redder(0.08), normal(random, 19.9, 0.3));
    Sersic { ellipse, radius: 0.22 * length, index: 1.2, light: core, boxiness: 2.0 }.draw(canvas, x, y);
}

/// Draws one galaxy out of balance: a lopsided disc with a plume, or a spheroid with the shells of one it has swallowed.
pub(super) fn draw_disturbed(canvas: &mut Canvas, random: &mut Random) -> Distance {
    if random.chance(0.25) { draw_shelled(canvas, random) } else { draw_lopsided(canvas, random) }
}

/// A disc with its middle off the centre, clumps of young stars and often a plume on its bright side.
fn draw_lopsided(canvas: &mut Canvas, random: &mut Random) -> Distance {
    let length = uniform(random, 2.4, 4.4);
    let distance = Distance::where_looks(3.0 * normal(random, 0.0, 0.3).exp(), length);
    let g_r = normal(random, 0.48, 0.12);
    let colour = Colour::galaxy(random, g_r);
    let magnitude = normal(random, 20.9, 0.4);
    let towards = angle(random);
    let ellipse = Ellipse::new(angle(random), uniform(random, 0.4, 0.9));
    let disc = Disc {
        x: uniform(random, -1.0, 1.0),
        y: uniform(random, -1.0, 1.0),
        ellipse,
        length,
        light: distance.surface(colour, magnitude),
        arms: Some(one_arm(length, towards, distance.surface(colour.redder(-0.12), magnitude), random)),
        bar: None,
        ring: None,
        lopsided: (uniform(random, 0.4, 0.8), towards),
        drift: uniform(random, 0.25, 0.5),
    };
    disc.draw(canvas);
    let knots = distance.surface(colour.redder(-0.2), magnitude - 0.8);
    for _ in 0..=random.below(5) {
        let r = length * uniform(random, 0.5, 1.9);
        let azimuth = towards + normal(random, 0.0, 0.8);
        let (dx, dy) = ellipse.sky(r * azimuth.cos(), r * azimuth.sin());
        clump(canvas, disc.x + dx, disc.y + dy, uniform(random, 0.4, 0.9), scale(knots, uniform(random, 0.2, 0.9)));
    }
    if random.chance(0.75) {
        let debris = distance.surface(colour.redder(-0.03), normal(random, 21.8, 0.4));
        draw_plume(canvas, &disc, towards, debris, random);
    }
    let core = distance.surface(colour.redder(0.1), normal(random, 20.6, 0.4));
    Sersic { ellipse, radius: 0.3 * length, index: 1.3, light: core, boxiness: 2.0 }.draw(canvas, disc.x, disc.y);
    distance
}

/// A spheroid with shells around it and one stream that still falls in.
fn draw_shelled(canvas: &mut Canvas, random: &mut Random) -> Distance {
    let radius = uniform(random, 1.8, 3.2);
    let distance = Distance::where_looks(5.0 * normal(random, 0.0, 0.3).exp(), radius);
    let g_r = normal(random, 0.66, 0.1);
    let colour = Colour::galaxy(random, g_r);
    let (x, y) = (uniform(random, -0.6, 0.6), uniform(random, -0.6, 0.6));
    let towards = angle(random);
    let light = distance.surface(colour, normal(random, 21.4, 0.35));
    // shells stand along the major axis
    let ellipse = Ellipse::new(towards, uniform(random, 0.55, 0.9));
    Sersic { ellipse, radius, index: uniform(random, 1.5, 3.5), light, boxiness: 2.0 }.draw(canvas, x, y);
    let debris = distance.surface(colour.redder(-0.08), normal(random, 22.6, 0.3));
    draw_shells(canvas, (x, y), radius, towards, debris, random);
    let turn = uniform(random, -2.2, 2.2);
    let leaves = angle(random);
    let stream = Tail {
        x: x + radius * leaves.cos(),
        y: y + radius * leaves.sin(),
        direction: leaves + 0.4 * turn,
        turn,
        length: radius * uniform(random, 3.0, 5.5),
        width: (0.3 * radius, 0.45 * radius),
        light: scale(debris, 1.2),
    };
    stream.draw(canvas);
    distance
}

/// The single broad arm of a lopsided disc.
fn one_arm(length: f32, phase: f32, light: Bands, random: &mut Random) -> Arms {
    let sense = if random.chance(0.5) { 1.0 } else { -1.0 };
    Arms {
        count: 1.0,
        pitch: sense * uniform(random, 25.0, 50.0).to_radians(),
        phase,
        inner: 0.6 * length,
        outer: 4.0 * length,
        contrast: uniform(random, 0.3, 0.7),
        sharpness: uniform(random, 0.8, 2.0),
        dust: 0.0,
        light,
        bends: Ripples::draw(random, 1, 0.7),
        patches: Ripples::draw(random, 2, 0.5),
    }
}

/// A broad plume that leaves the disc on its bright side and bends away.
fn draw_plume(canvas: &mut Canvas, disc: &Disc, towards: f32, light: Bands, random: &mut Random) {
    let (dx, dy) = disc.ellipse.sky(1.4 * disc.length * towards.cos(), 1.4 * disc.length * towards.sin());
    let turn = uniform(random, -1.6, 1.6);
    let tail = Tail {
        x: disc.x + dx,
        y: disc.y + dy,
        direction: dy.atan2(dx) - 0.3 * turn,
        turn,
        length: disc.length * uniform(random, 2.8, 5.0),
        width: (disc.length * uniform(random, 0.2, 0.35), disc.length * uniform(random, 0.3, 0.6)),
        light,
    };
    tail.draw(canvas);
}

/// Shells (Malin & Carter 1983): arcs of stars with a sharp outer edge, alternating in side and growing outwards.
fn draw_shells(canvas: &mut Canvas, (x, y): (f32, f32), radius: f32, towards: f32, light: Bands, random: &mut Random) {
    let opening = uniform(random, 0.3, 0.65);
    for i in 0..3 + random.below(2) {
        let order = i as f32;
        let edge = radius * (2.0 + 0.8 * order) * uniform(random, 0.9, 1.1);
        let middle = towards + order * PI;
        let thickness = 0.16 * edge;
        let light = scale(light, 0.75f32.powf(order));
        canvas.add(Region { x, y, reach: edge * 1.05 }, |dx, dy| {
            let r = dx.hypot(dy);
            let inside = (edge - r) / thickness;
            if !(-0.2..5.0).contains(&inside) {
                return [0.0; 3];
            }
            let away = ((dy.atan2(dx) - middle + PI).rem_euclid(2.0 * PI) - PI).abs();
            let across = fade(opening, opening + 0.5, away);
            scale(light, across * (-inside.max(0.0)).exp() * fade(0.0, 0.2, -inside))
        });
    }
}
