//! Deletion and insertion (Petsiuk et al. 2018, arXiv 1806.07421): the probability of a class while the pixels that a map points at
//! go, or come, first.

use crate::explain::{Classifier, ExplainError};
use crate::imaging::Image;

/// Steps of a curve: after each, one part in so many of the pixels more is taken away or shown.
pub const STEPS: usize = 16;

/// The probability of the class while pixels go or come, for one map.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// While pixels are replaced by the picture's mean colour, the map's strongest first; the last is the plain picture.
    pub deletion: Vec<f32>,
    /// While pixels are put into the blurred picture, the map's strongest first; the last is the whole picture.
    pub insertion: Vec<f32>,
}

impl Curves {
    /// The mean probability while pixels go: small is good.
    #[must_use]
    pub fn deleted(&self) -> f64 {
        area(&self.deletion)
    }

    /// The mean probability while pixels come: large is good.
    #[must_use]
    pub fn inserted(&self) -> f64 {
        area(&self.insertion)
    }

    /// What counts of both: large is good.
    #[must_use]
    pub fn margin(&self) -> f64 {
        self.inserted() - self.deleted()
    }
}

/// The area under a curve over 0 to 1, by trapezoids.
fn area(curve: &[f32]) -> f64 {
    let pairs = curve.windows(2).map(|pair| f64::midpoint(f64::from(pair[0]), f64::from(pair[1])));
    pairs.sum::<f64>() / (curve.len().max(2) - 1) as f64
}

/// The curves of `class` when the pixels of `picture` go and come in `order`.
pub fn curves(classifier: &Classifier, picture: &Image, order: &[usize], class: usize) -> Result<Curves, ExplainError> {
    let run = |from: &Image, to: &Image| -> Result<Vec<f32>, ExplainError> {
        let mut pixels = from.pixels().to_vec();
        let mut pictures = vec![from.clone()];
        for step in 1..=STEPS {
            for &pixel in &order[(step - 1) * order.len() / STEPS..step * order.len() / STEPS] {
                pixels[pixel * 3..pixel * 3 + 3].copy_from_slice(&to.pixels()[pixel * 3..pixel * 3 + 3]);
            }
            pictures.push(Image::new(picture.width(), picture.height(), pixels.clone())?);
        }
        Ok(classifier.classify(&pictures)?.into_iter().map(|probabilities| probabilities[class]).collect())
    };
    Ok(Curves { deletion: run(picture, &plain(picture)?)?, insertion: run(&blurred(picture), picture)? })
}

/// A picture of the mean colour.
fn plain(picture: &Image) -> Result<Image, ExplainError> {
    let count = picture.pixels().len() / 3;
    let mean = |channel: usize| {
        let sum: u64 = picture.pixels().iter().skip(channel).step_by(3).map(|&v| u64::from(v)).sum();
        (sum as f64 / count as f64).round() as u8
    };
    Ok(Image::new(picture.width(), picture.height(), [mean(0), mean(1), mean(2)].repeat(count))?)
}

/// The picture without its details: down to an eighth and up again.
fn blurred(picture: &Image) -> Image {
    let (width, height) = (picture.width(), picture.height());
    picture.resize((width / 8).max(1), (height / 8).max(1)).resize(width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_those_of_trapezoids() {
        // numpy.trapezoid([1, 0.5, 0.25, 0], dx=1 / 3)
        assert!((area(&[1.0, 0.5, 0.25, 0.0]) - 1.25 / 3.0).abs() < 1e-9);
        assert!((area(&[0.3; 17]) - 0.3).abs() < 1e-6);
    }
}
