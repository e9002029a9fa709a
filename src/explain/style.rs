//! How a map is drawn, and its place on the picture: the map's colours over the pixels that the network saw.

use super::map::Map;
use super::{Content, Explanation};
use crate::imaging::{Canvas, ColourMap, Frame, Image};

/// The colours of contour lines and their shadow.
const LINE: [u8; 3] = [255; 3];
const SHADOW: [u8; 3] = [0; 3];

/// What number gets the strongest colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scale {
    /// One map has its own scale; the maps of all classes of a picture share one, so that they can be compared.
    #[default]
    Auto,
    /// Each map has its own.
    Own,
    /// The same for all classes: the strongest of them gets the strongest colour.
    Common,
}

impl Scale {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Own, Self::Common];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Own => "own",
            Self::Common => "common",
        }
    }
}

impl std::str::FromStr for Scale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|scale| scale.name() == text).ok_or_else(|| format!("there is no scale {text}; there are {}", known()))
    }
}

/// How a map is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Style {
    /// How much of the map covers the picture: 0 nothing, 1 all of it.
    pub opacity: f32,
    /// The colours of maps of positive evidence; signed maps are always in the diverging ones.
    pub colours: ColourMap,
    /// Lines around the cells that hold these shares (0 to 1) of the positive evidence.
    pub contours: Vec<f64>,
    /// Whether the cells of the layer are shown as they are; otherwise the map is smooth between their centres.
    pub cells: bool,
    /// Whether lines go around the galaxy and other sources, between which the map's mass is shared.
    pub regions: bool,
    /// Pixels of the drawing for each pixel of the picture, from 1 to 4.
    pub zoom: usize,
    /// Whether maps of several classes share a scale.
    pub scale: Scale,
    /// The number that gets the strongest colour, worked out from `scale`; `None` takes the largest of the map itself.
    pub limit: Option<f32>,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            opacity: 0.55,
            colours: ColourMap::Viridis,
            contours: Vec::new(),
            cells: false,
            regions: false,
            zoom: 1,
            scale: Scale::Auto,
            limit: None,
        }
    }
}

impl Style {
    /// The colours for a map.
    #[must_use]
    pub fn colours_of(&self, explanation: &Explanation) -> ColourMap {
        if explanation.signed { ColourMap::Diverging } else { self.colours }
    }

    /// It with the scale that a sheet of `maps` has, and that scale in words.
    #[must_use]
    pub fn for_sheet(&self, content: Content, maps: &[(String, Explanation)]) -> (Self, &'static str) {
        // the numbers of two methods cannot be compared
        if content == Content::Methods || self.scale == Scale::Own {
            return (Self { limit: None, ..self.clone() }, "Each map has its own scale.");
        }
        let limit = maps.iter().map(|(_, explanation)| strongest(explanation)).fold(0.0, f32::max);
        (Self { limit: Some(limit), ..self.clone() }, "All maps have the same scale.")
    }

    /// The numbers of the first and the last colour.
    #[must_use]
    pub fn range(&self, explanation: &Explanation) -> (f32, f32) {
        let limit = self.limit.unwrap_or_else(|| strongest(explanation));
        let limit = if limit > 0.0 { limit } else { 1.0 };
        (if explanation.signed { -limit } else { 0.0 }, limit)
    }
}

/// The largest number of a map without its sign.
#[must_use]
pub fn strongest(explanation: &Explanation) -> f32 {
    let (low, high) = explanation.map.range();
    if explanation.signed { high.abs().max(low.abs()) } else { high.max(0.0) }
}

/// The map on `width` x `height` pixels, smooth or in cells.
fn spread(map: &Map, style: &Style, width: usize, height: usize) -> Map {
    if style.cells { map.cells(width, height) } else { map.upsample(width, height) }
}

/// The colours of the map alone, on `width` x `height` pixels.
#[must_use]
pub fn paint(explanation: &Explanation, style: &Style, width: usize, height: usize) -> Image {
    let map = spread(&explanation.map, style, width, height);
    let ((low, high), colours) = (style.range(explanation), style.colours_of(explanation));
    let pixels = map.values.iter().flat_map(|v| colours.at((v - low) / (high - low))).collect();
    Image::new(width, height, pixels).expect("three bytes for each number")
}

/// `picture`, `zoom` times as large, with the map over the part of it that the network saw (`frame`). Where nothing speaks for
/// the class (and the map is not signed) it is the picture alone.
#[must_use]
pub fn overlay(picture: &Image, frame: Frame, explanation: &Explanation, style: &Style) -> Image {
    let zoom = style.zoom.clamp(1, 4);
    let scaled = picture.resize(picture.width() * zoom, picture.height() * zoom);
    if !explanation.signed && !explanation.has_positive() {
        return scaled;
    }
    let map = spread(&explanation.map, style, frame.width * zoom, frame.height * zoom);
    let ((low, high), colours) = (style.range(explanation), style.colours_of(explanation));
    let (left, top) = (frame.x * zoom as i64, frame.y * zoom as i64);
    let mut canvas = Canvas::on(scaled);
    for (i, value) in map.values.iter().enumerate() {
        let (x, y) = ((i % map.width) as i64, (i / map.width) as i64);
        canvas.mix(left + x, top + y, colours.at((value - low) / (high - low)), style.opacity.clamp(0.0, 1.0));
    }
    for level in style.contours.iter().filter_map(|share| explanation.map.level(*share)) {
        contour(&mut canvas, &map, level, (left, top), zoom);
    }
    canvas.finish()
}

/// A line where the map falls below `level`, with a shadow beside it.
fn contour(canvas: &mut Canvas, map: &Map, level: f32, (left, top): (i64, i64), zoom: usize) {
    let inside = |x: usize, y: usize| map.values[y * map.width + x] >= level;
    let edge = |x: usize, y: usize| {
        let beside = |condition: bool, dx: usize, dy: usize| condition && !inside(x + dx - 1, y + dy - 1);
        inside(x, y) && (beside(x > 0, 0, 1) || beside(x + 1 < map.width, 2, 1) || beside(y > 0, 1, 0) || beside(y + 1 < map.height, 1, 2))
    };
    let edges: Vec<(i64, i64)> = (0..map.height)
        .flat_map(|y| (0..map.width).map(move |x| (x, y)))
        .filter(|&(x, y)| edge(x, y))
        .map(|(x, y)| (left + x as i64, top + y as i64))
        .collect();
    for (colour, grow) in [(SHADOW, 1), (LINE, 0)] {
        let size = zoom.div_ceil(2) + 2 * grow;
        for &(x, y) in &edges {
            let cover = if grow > 0 { 0.35 } else { 1.0 };
            for dy in 0..size as i64 {
                for dx in 0..size as i64 {
                    canvas.mix(x + dx - grow as i64, y + dy - grow as i64, colour, cover);
                }
            }
        }
    }
}
