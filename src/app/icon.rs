//! The window's icon: a two-armed spiral galaxy, drawn at start so that no picture file is needed.

use egui::IconData;

/// Width and height, pixels.
const SIDE: u32 = 64;
/// Winding of the logarithmic arms, radians for each factor of e in radius.
const WINDING: f32 = 2.6;

/// Draws the icon.
#[must_use]
pub fn icon() -> IconData {
    let mut rgba = Vec::with_capacity((SIDE * SIDE * 4) as usize);
    for y in 0..SIDE {
        for x in 0..SIDE {
            rgba.extend(pixel(x, y));
        }
    }
    IconData { rgba, width: SIDE, height: SIDE }
}

/// One pixel: a warm bulge, blue arms, transparent sky.
fn pixel(x: u32, y: u32) -> [u8; 4] {
    let half = SIDE as f32 / 2.0;
    // the disc is seen tilted, so the picture is stretched across its short axis
    let (u, v) = ((x as f32 + 0.5 - half) / half, (y as f32 + 0.5 - half) / half);
    let (u, v) = (0.87 * u + 0.5 * v, (0.87 * v - 0.5 * u) * 1.35);
    let radius = u.hypot(v).max(1e-3);
    let bulge = (-radius * radius / 0.022).exp();
    let phase = v.atan2(u) + WINDING * radius.ln();
    let arms = (2.0 * phase).cos().mul_add(0.5, 0.5).powi(2) * (-radius * 1.5).exp() * (1.0 - bulge);
    let edge = ((1.0 - radius) * 6.0).clamp(0.0, 1.0);
    let disc = 0.35 * (-radius * 2.4).exp();
    let alpha = ((bulge + 1.6 * arms + disc) * edge).min(1.0);
    let mix = |warm: f32, cool: f32| (255.0 * (bulge * warm + (1.0 - bulge) * cool)) as u8;
    [mix(1.0, 0.52), mix(0.87, 0.72), mix(0.62, 1.0), (255.0 * alpha) as u8]
}
