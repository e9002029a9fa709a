//! One sheet of several pictures by one model: each picture, and beside it where the model looked for the class that it named.

use std::sync::Arc;

use super::style::{Style, overlay};
use super::{Classifier, ExplainError, Explainer, Request, fitted};
use crate::imaging::{Canvas, Image, encode_png, wrap};

/// The longer side of a picture, pixels.
const TILE: usize = 128;
const MARGIN: usize = 10;
/// Height of a line of text, pixels.
const TEXT: f32 = 13.0;
/// Pictures side by side, each with its map.
const COLUMNS: usize = 2;
const BACKGROUND: [u8; 3] = [255; 3];
const INK: [u8; 3] = [20; 3];
const FAINT: [u8; 3] = [110; 3];

/// The sheet as a PNG file; `pictures` come with what is known of them. Each map has its own scale.
///
/// # Errors
/// If there is no picture, or the network fails or has no maps.
pub fn sheet(classifier: &Arc<Classifier>, pictures: &[(String, Image)]) -> Result<Vec<u8>, ExplainError> {
    let mut tiles = Vec::with_capacity(pictures.len());
    let mut method = None;
    for (name, picture) in pictures {
        let frame = classifier.fit().frame(picture.width(), picture.height());
        let explainer = Explainer::new(Arc::clone(classifier), &picture.crop(frame), false)?;
        let explanation = explainer.explain(&Request::new(explainer.best_method()))?;
        let probability = 100.0 * explainer.probabilities()[explanation.class];
        let named = format!("named {}, {probability:.0} %", classifier.spec().classes[explanation.class]);
        let (picture, frame) = fitted(picture, frame, TILE);
        let mapped = overlay(&picture, frame, &explanation, &Style::default());
        method.get_or_insert_with(|| {
            let coarse = explanation.too_coarse().map_or_else(String::new, |words| format!("  {words}"));
            format!("{} at {}, each map in its own scale.{coarse}", explanation.method, explanation.layer.name)
        });
        tiles.push((picture, mapped, [wrap(TEXT, 2 * TILE, name), wrap(TEXT, 2 * TILE, &named)].concat()));
    }
    let Some(method) = method else { return Err(ExplainError::Refused("there is no picture to draw a map of".into())) };
    let line = (TEXT * 1.25) as usize;
    let lines = tiles.iter().map(|(_, _, lines)| lines.len()).max().unwrap_or(0);
    let (step_x, step_y) = (2 * TILE + 2 * MARGIN, TILE + lines * line + MARGIN);
    let (columns, rows) = (COLUMNS.min(tiles.len()), tiles.len().div_ceil(COLUMNS));
    let width = MARGIN + columns * step_x;
    let under = wrap(TEXT, width - 2 * MARGIN, &format!("{method}  {}", classifier.title()));
    let mut canvas = Canvas::new(width, MARGIN + rows * step_y + under.len() * line + MARGIN, BACKGROUND);
    for (i, (picture, mapped, lines)) in tiles.iter().enumerate() {
        let (x, y) = (MARGIN + i % COLUMNS * step_x, MARGIN + i / COLUMNS * step_y);
        canvas.place(x as i64, y as i64, picture);
        canvas.place((x + TILE + 4) as i64, y as i64, mapped);
        for (number, text) in lines.iter().enumerate() {
            canvas.text(x as i64, (y + TILE + 2 + number * line) as i64, TEXT, INK, text);
        }
    }
    for (number, text) in under.iter().enumerate() {
        canvas.text(MARGIN as i64, (MARGIN + rows * step_y + number * line) as i64, TEXT, FAINT, text);
    }
    Ok(encode_png(&canvas.finish(), &[])?)
}
