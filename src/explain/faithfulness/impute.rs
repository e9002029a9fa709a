//! Filling hidden pixels from their neighbours, as ROAD does (Rong et al. 2022, arXiv 2202.00449, section 5): each hidden pixel is the
//! weighted mean of its eight neighbours, 1/6 for direct and 1/12 for diagonal ones, whether these are hidden themselves or not.
//! So the hidden pixels solve a sparse linear system ([`System`]). At the border the weights of neighbours that do not exist are left
//! out and the others count for more.

use super::multigrid::{Colour, System};
use crate::imaging::Image;

/// What a filled pixel may be wrong by, about, in grey levels; what is made of it is rounded to whole ones.
const TOLERANCE: f64 = 1e-4;

/// The colours of all pixels, row by row: those of `picture` where nothing is hidden, and the solution of the system where `hidden` is
/// true. If everything is hidden there is nothing to go by and all pixels get the mean colour.
///
/// # Panics
/// If `hidden` has not one entry for each pixel.
#[must_use]
pub fn impute(picture: &Image, hidden: &[bool]) -> Vec<Colour> {
    assert_eq!(hidden.len(), picture.width() * picture.height(), "one entry for each pixel");
    let mut colours: Vec<Colour> = picture.pixels().as_chunks::<3>().0.iter().map(|pixel| pixel.map(f64::from)).collect();
    let known = hidden.iter().filter(|&&hidden| !hidden).count();
    if known == 0 {
        return vec![mean(colours.iter()); colours.len()];
    }
    if known < hidden.len() {
        // where the solution begins does not matter; this is near
        let middle = mean(colours.iter().zip(hidden).filter(|(_, hidden)| !**hidden).map(|(colour, _)| colour));
        colours.iter_mut().zip(hidden).filter(|(_, hidden)| **hidden).for_each(|(colour, _)| *colour = middle);
        System::new(hidden, picture.width()).solve(&mut colours, TOLERANCE);
    }
    colours
}

fn mean<'a>(colours: impl Iterator<Item = &'a Colour>) -> Colour {
    let (mut sum, mut count) = ([0.0; 3], 0.0f64);
    for colour in colours {
        (0..3).for_each(|c| sum[c] += colour[c]);
        count += 1.0;
    }
    sum.map(|sum| sum / count.max(1.0))
}
