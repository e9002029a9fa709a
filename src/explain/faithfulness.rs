//! How far a map can be believed: what happens to the class when the pixels it points at are taken away first (deletion), or shown
//! first (insertion; Petsiuk et al. 2018, arXiv 1806.07421), beside a random map and one of edges on the same picture. And on what of
//! the picture its mass lies.

use super::map::Map;
use super::{Classifier, ExplainError, Explainer, Explanation};
use crate::imaging::{Image, segment};
use crate::random::{Purpose, Random};

/// Steps of a curve: after each, one part in so many of the pixels more is taken away or shown.
const STEPS: usize = 16;

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

/// A map's curves beside those of maps that know nothing of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Faithfulness {
    /// The map.
    pub map: Curves,
    /// Pixels in random order.
    pub random: Curves,
    /// The picture's edges (Sobel).
    pub sobel: Curves,
}

impl Faithfulness {
    /// Whether the map does better than both others.
    #[must_use]
    pub fn convinces(&self) -> bool {
        self.map.margin() > self.random.margin().max(self.sobel.margin())
    }

    /// It in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let curves = |curves: &Curves| format!("deletion {:.2}, insertion {:.2}", curves.deleted(), curves.inserted());
        let verdict = if self.convinces() { "better" } else { "no better" };
        format!(
            "{}; random {}; edges {}: {verdict} than maps that know nothing of the model",
            curves(&self.map),
            curves(&self.random),
            curves(&self.sobel)
        )
    }
}

/// The area under a curve over 0 to 1, by trapezoids.
fn area(curve: &[f32]) -> f64 {
    let pairs = curve.windows(2).map(|pair| f64::midpoint(f64::from(pair[0]), f64::from(pair[1])));
    pairs.sum::<f64>() / (curve.len().max(2) - 1) as f64
}

/// Measures a map on the picture as the network takes it; about a hundred forward passes, a bounded batch at a time. The random
/// order is a function of `seed`.
///
/// # Errors
/// If the network fails.
pub fn faithfulness(explainer: &Explainer, explanation: &Explanation, seed: u64) -> Result<Faithfulness, ExplainError> {
    let picture = explainer.prepared();
    let (width, height) = (picture.width(), picture.height());
    let map = explanation.map.upsample(width, height);
    let mut random = Random::new(seed, Purpose::Explain, &[]);
    let noise: Vec<f32> = (0..width * height).map(|_| random.uniform() as f32).collect();
    let measure = |strength: &[f32]| curves(explainer.classifier(), picture, strength, explanation.class);
    Ok(Faithfulness { map: measure(&map.values)?, random: measure(&noise)?, sobel: measure(&sobel(picture))? })
}

fn curves(classifier: &Classifier, picture: &Image, strength: &[f32], class: usize) -> Result<Curves, ExplainError> {
    let mut order: Vec<usize> = (0..strength.len()).collect();
    order.sort_by(|&a, &b| strength[b].total_cmp(&strength[a]).then(a.cmp(&b)));
    let run = |from: &Image, to: &Image| -> Result<Vec<f32>, ExplainError> {
        let mut curve = Vec::with_capacity(STEPS + 1);
        let mut pixels = from.pixels().to_vec();
        let mut pictures = vec![from.clone()];
        for step in 1..=STEPS {
            for &pixel in &order[(step - 1) * order.len() / STEPS..step * order.len() / STEPS] {
                pixels[pixel * 3..pixel * 3 + 3].copy_from_slice(&to.pixels()[pixel * 3..pixel * 3 + 3]);
            }
            pictures.push(Image::new(picture.width(), picture.height(), pixels.clone())?);
        }
        for batch in pictures.chunks(classifier.batch()) {
            for logits in classifier.logits(&classifier.features(batch)?)? {
                curve.push(classifier.probabilities(&logits)[class]);
            }
        }
        Ok(curve)
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

/// The length of the brightness' gradient by Sobel's operator; borders are repeated.
fn sobel(picture: &Image) -> Vec<f32> {
    let (width, height) = (picture.width() as i64, picture.height() as i64);
    let grey = |x: i64, y: i64| {
        let at = (y.clamp(0, height - 1) * width + x.clamp(0, width - 1)) as usize * 3;
        picture.pixels()[at..at + 3].iter().map(|&v| f32::from(v)).sum::<f32>()
    };
    let length = |x: i64, y: i64| {
        let (mut dx, mut dy) = (0.0, 0.0);
        for (offset, weight) in [(-1, 1.0), (0, 2.0), (1, 1.0)] {
            dx += weight * (grey(x + 1, y + offset) - grey(x - 1, y + offset));
            dy += weight * (grey(x + offset, y + 1) - grey(x + offset, y - 1));
        }
        dx.hypot(dy)
    };
    (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| length(x, y)).collect()
}

/// Where the positive mass of a map lies, as shares of it (0 to 1, adding up to 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// On the galaxy in the middle.
    pub galaxy: f64,
    /// On other sources.
    pub other: f64,
    /// On the sky.
    pub sky: f64,
}

/// The shares of a map's positive mass on what [`segment`] tells apart in the picture that the network saw; `None` if nothing is
/// positive.
#[must_use]
pub fn shares(picture: &Image, map: &Map) -> Option<Shares> {
    let map = map.upsample(picture.width(), picture.height());
    let mut sums = [0.0f64; 3];
    for (region, value) in segment(picture).into_iter().zip(&map.values) {
        sums[region as usize] += f64::from(value.max(0.0));
    }
    let total: f64 = sums.iter().sum();
    (total > 0.0).then(|| Shares { galaxy: sums[0] / total, other: sums[1] / total, sky: sums[2] / total })
}

impl std::fmt::Display for Shares {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [galaxy, other, sky] = [self.galaxy, self.other, self.sky].map(|share| 100.0 * share);
        write!(f, "Evidence on the galaxy {galaxy:.0} %, other sources {other:.0} %, sky {sky:.0} %")
    }
}
