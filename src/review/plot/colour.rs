//! Colours that people with any colour vision can tell apart.

use crate::imaging::ColourMap;

/// From purple-blue over white to orange (after `ColorBrewer`'s `PuOr`, turned): fewer, equal, more.
const DIVERGING: [[u8; 3]; 5] = [[0x40, 0x3c, 0x94], [0xa9, 0xa4, 0xd0], [0xf5, 0xf5, 0xf5], [0xf1, 0xb2, 0x6b], [0xb3, 0x58, 0x06]];

/// Lines: Okabe & Ito (2008) without yellow, which is faint on white.
pub const LINES: [[u8; 3]; 7] = [
    [0x00, 0x72, 0xb2],
    [0xd5, 0x5e, 0x00],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
    [0x44, 0x44, 0x44],
];

/// The colour of `value` from 0 to 1 (values outside are clamped, NaN is 0).
#[must_use]
pub fn viridis(value: f64) -> [u8; 3] {
    ColourMap::Viridis.at(value as f32)
}

/// The colour of a difference from -1 to 1 (values outside are clamped, NaN is 0).
#[must_use]
pub fn diverging(value: f64) -> [u8; 3] {
    mix(&DIVERGING, if value.is_nan() { 0.5 } else { f64::midpoint(value, 1.0) })
}

fn mix(map: &[[u8; 3]], value: f64) -> [u8; 3] {
    let at = value.clamp(0.0, 1.0) * (map.len() - 1) as f64;
    let left = (at.floor() as usize).min(map.len() - 2);
    let share = at - left as f64;
    std::array::from_fn(|c| (f64::from(map[left][c]) * (1.0 - share) + f64::from(map[left + 1][c]) * share).round() as u8)
}

/// Black or white, whichever reads better on `fill` (relative luminance of WCAG 2.1).
#[must_use]
pub fn text_on(fill: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = fill.map(|c| (f64::from(c) / 255.0).powf(2.2));
    if 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 { [0; 3] } else { [255; 3] }
}
