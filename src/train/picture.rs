//! The confusion matrix as a picture, for other programs that show the files of a run.

use crate::imaging::{Canvas, ColourMap, ImagingError, encode_png, text_width};
use crate::metrics::Confusion;

/// Side of a cell, pixels.
const CELL: usize = 44;
/// Height of a line of text, pixels.
const TEXT: f32 = 15.0;
/// The longest name of a class, pixels.
const NAMES: usize = 220;
const MARGIN: i64 = 12;
const WHITE: [u8; 3] = [255; 3];
const BLACK: [u8; 3] = [20; 3];

/// A confusion matrix as PNG: counts as numbers, shares of the row as colours; rows are true classes, columns predicted ones, by number.
///
/// # Errors
/// If it is too large for a picture.
pub fn confusion_png(confusion: &Confusion, names: &[String]) -> Result<Vec<u8>, ImagingError> {
    let k = confusion.classes();
    let title = |class: usize| format!("{class} {}", names.get(class).map_or("", String::as_str));
    let left = (0..k).map(|class| text_width(TEXT, &title(class))).max().unwrap_or(0).min(NAMES) as i64 + 2 * MARGIN;
    let top = 3 * TEXT as i64 + MARGIN;
    let side = k * CELL;
    let mut canvas = Canvas::new(left as usize + side + MARGIN as usize, top as usize + side + MARGIN as usize, WHITE);
    canvas.text(MARGIN, MARGIN / 2, TEXT, BLACK, "rows: true class, columns: predicted class");
    for class in 0..k {
        let across = left + (class * CELL + CELL / 2) as i64;
        canvas.text(across - text_width(TEXT, &class.to_string()) as i64 / 2, top - TEXT as i64 - 4, TEXT, BLACK, &class.to_string());
        canvas.text(MARGIN, top + (class * CELL) as i64 + (CELL as i64 - TEXT as i64) / 2, TEXT, BLACK, &title(class));
    }
    // a long name ends where the cells begin
    canvas.fill(left - MARGIN / 2, top, side + (MARGIN / 2) as usize, side, WHITE);
    for row in 0..k {
        for column in 0..k {
            let share = confusion.share_of_row(row, column) as f32;
            let (x, y) = (left + (column * CELL) as i64, top + (row * CELL) as i64);
            canvas.fill(x, y, CELL - 1, CELL - 1, ColourMap::Viridis.at(share));
            let count = confusion.count(row, column).to_string();
            let ink = if share > 0.6 { BLACK } else { WHITE };
            let inside = (CELL as i64 - text_width(TEXT, &count) as i64) / 2;
            canvas.text(x + inside, y + (CELL as i64 - TEXT as i64) / 2, TEXT, ink, &count);
        }
    }
    encode_png(&canvas.finish(), &[])
}
