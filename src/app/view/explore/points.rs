//! The points of a map as triangles: discs and rings where they are few, squares and crosses where they are many.

use egui::epaint::Mesh;
use egui::{Color32, Pos2, Rect, Vec2, vec2};

use crate::app::theme::Look;

/// How far a point reaches from its place.
pub const DISC: f32 = 3.5;
/// Half the side of a square.
const SQUARE: f32 = 1.8;
/// Half the length and half the width of the bars of a cross.
const CROSS: [f32; 2] = [2.8, 0.8];
/// Width of a ring's line.
const RING: f32 = 1.8;
/// Up to so many points are discs and rings.
const DISCS: usize = 5_000;
/// Corners of a disc.
const SIDES: u32 = 10;

/// Adds a point of a map that has `count` of them.
pub fn add(mesh: &mut Mesh, at: Pos2, look: Look, count: usize) {
    match (count <= DISCS, look.again) {
        (true, false) => disc(mesh, at, look.colour),
        (true, true) => ring(mesh, at, look.colour),
        (false, false) => mesh.add_colored_rect(Rect::from_center_size(at, Vec2::splat(2.0 * SQUARE)), look.colour),
        (false, true) => {
            let [long, short] = CROSS;
            for half in [vec2(long, short), vec2(short, long)] {
                mesh.add_colored_rect(Rect::from_center_size(at, 2.0 * half), look.colour);
            }
        }
    }
}

fn disc(mesh: &mut Mesh, at: Pos2, colour: Color32) {
    let first = mesh.vertices.len() as u32;
    mesh.colored_vertex(at, colour);
    circles(mesh, at, [(DISC - 0.5, colour), (DISC + 0.5, Color32::TRANSPARENT)]);
    for side in 0..SIDES {
        mesh.add_triangle(first, first + 1 + 2 * side, first + 1 + 2 * ((side + 1) % SIDES));
    }
}

fn ring(mesh: &mut Mesh, at: Pos2, colour: Color32) {
    let clear = Color32::TRANSPARENT;
    circles(mesh, at, [(DISC - RING, clear), (DISC - RING + 0.6, colour)]);
    circles(mesh, at, [(DISC - RING + 0.6, colour), (DISC - 0.3, colour)]);
    circles(mesh, at, [(DISC - 0.3, colour), (DISC + 0.5, clear)]);
}

/// Two circles, each with its radius and colour, and what is between them.
fn circles(mesh: &mut Mesh, at: Pos2, [inner, outer]: [(f32, Color32); 2]) {
    let first = mesh.vertices.len() as u32;
    for side in 0..SIDES {
        let direction = Vec2::angled(side as f32 * std::f32::consts::TAU / SIDES as f32);
        for (radius, colour) in [inner, outer] {
            mesh.colored_vertex(at + direction * radius, colour);
        }
    }
    for side in 0..SIDES {
        let (here, next) = (first + 2 * side, first + 2 * ((side + 1) % SIDES));
        mesh.add_triangle(here, here + 1, next);
        mesh.add_triangle(next, here + 1, next + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_its_own_and_stays_at_its_place() {
        let at = Pos2::new(50.0, 60.0);
        let drawn = |again, count| {
            let mut mesh = Mesh::default();
            // one before it, whose corners must not be taken
            mesh.add_colored_rect(Rect::from_min_size(Pos2::ZERO, Vec2::splat(1.0)), Color32::BLACK);
            add(&mut mesh, at, Look { colour: Color32::RED, again }, count);
            assert!(mesh.is_valid());
            let corners: Vec<Pos2> = mesh.vertices[4..].iter().map(|vertex| vertex.pos).collect();
            assert!(corners.iter().all(|corner| corner.distance(at) < DISC + 1.0), "{corners:?}");
            assert!(mesh.indices[6..].iter().all(|&index| index >= 4), "the corners of the one before");
            corners
        };
        let forms = [drawn(false, 10), drawn(true, 10), drawn(false, DISCS + 1), drawn(true, DISCS + 1)];
        for (n, form) in forms.iter().enumerate() {
            assert!(!forms[..n].contains(form), "{n}");
        }
        // a ring is empty in the middle
        assert!(forms[0].contains(&at) && forms[1].iter().all(|corner| corner.distance(at) > 1.0));
    }
}
