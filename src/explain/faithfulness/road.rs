//! ROAD, remove and debias (Rong et al. 2022, arXiv 2202.00449): a share of the pixels is taken away, the map's strongest first or
//! its weakest first, and filled from the neighbours so that the holes themselves tell the network nothing.

use rayon::prelude::*;

use super::impute::impute;
use crate::explain::{Classifier, ExplainError};
use crate::imaging::Image;
use crate::random::{Purpose, Random};

/// The shares of the pixels that are taken away, percent.
pub const PERCENT: [usize; 9] = [10, 20, 30, 40, 50, 60, 70, 80, 90];
/// The standard deviation of the noise on what is filled in, grey levels: a hundredth of the range, as in the authors' program.
const NOISE: f64 = 2.55;
/// The stream of random numbers of the noise.
const STREAM: u64 = 2;

/// The probability of the class after each share of [`PERCENT`].
#[derive(Clone, Debug, PartialEq)]
pub struct Road {
    /// When the map's strongest pixels went.
    pub most: Vec<f32>,
    /// When its weakest went.
    pub least: Vec<f32>,
}

impl Road {
    /// Half of what the class loses more when the strongest go, mean over the shares (-0.5 to 0.5): large is good, 0 is what a map
    /// that knows nothing has.
    #[must_use]
    pub fn score(&self) -> f64 {
        let differences = self.least.iter().zip(&self.most).map(|(least, most)| (f64::from(*least) - f64::from(*most)) / 2.0);
        differences.sum::<f64>() / self.most.len().max(1) as f64
    }
}

/// ROAD of `class` for pixels in `order`, the strongest first. The noise is a function of `seed`.
pub fn road(classifier: &Classifier, picture: &Image, order: &[usize], class: usize, seed: u64) -> Result<Road, ExplainError> {
    let weakest: Vec<usize> = order.iter().rev().copied().collect();
    let probabilities = |order: &[usize]| -> Result<Vec<f32>, ExplainError> {
        let without = |percent: &usize| without(picture, &order[..order.len() * percent / 100], seed, *percent);
        let pictures = PERCENT.par_iter().map(without).collect::<Result<Vec<_>, _>>()?;
        Ok(classifier.classify(&pictures)?.into_iter().map(|probabilities| probabilities[class]).collect())
    };
    Ok(Road { most: probabilities(order)?, least: probabilities(&weakest)? })
}

/// The picture without `pixels`: filled in, with noise.
fn without(picture: &Image, pixels: &[usize], seed: u64, percent: usize) -> Result<Image, ExplainError> {
    let mut hidden = vec![false; picture.width() * picture.height()];
    for &pixel in pixels {
        hidden[pixel] = true;
    }
    let mut random = Random::new(seed, Purpose::Explain, &[STREAM, percent as u64]);
    let filled = impute(picture, &hidden);
    let mut bytes = picture.pixels().to_vec();
    for (i, colour) in filled.iter().enumerate().filter(|(i, _)| hidden[*i]) {
        for c in 0..3 {
            bytes[i * 3 + c] = (colour[c] + NOISE * random.normal()).round().clamp(0.0, 255.0) as u8;
        }
    }
    Ok(Image::new(picture.width(), picture.height(), bytes)?)
}
