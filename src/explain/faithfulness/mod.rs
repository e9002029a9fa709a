//! How far a map can be believed: what happens to the class when the pixels that it points at are taken away or shown first, by ROAD and
//! by deletion and insertion, beside a random map and one of edges on the same picture. And on what of the picture its mass lies.

mod curves;
mod impute;
mod multigrid;
mod order;
mod road;
mod shares;

pub use curves::Curves;
pub use impute::impute;
pub use road::{PERCENT, Road};
pub use shares::{Shares, shares};

use super::{ExplainError, Explainer, Explanation};

/// What was measured of one map.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// ROAD.
    pub road: Road,
    /// Deletion and insertion.
    pub curves: Curves,
}

/// What was measured of a map, beside maps that know nothing of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Faithfulness {
    /// The map.
    pub map: Measured,
    /// Pixels in random order.
    pub random: Measured,
    /// The picture's edges (Sobel).
    pub sobel: Measured,
}

impl Faithfulness {
    /// Whether the map has a better ROAD score than both others.
    #[must_use]
    pub fn road_convinces(&self) -> bool {
        self.map.road.score() > self.random.road.score().max(self.sobel.road.score())
    }

    /// Whether insertion less deletion is better than for both others.
    #[must_use]
    pub fn curves_convince(&self) -> bool {
        self.map.curves.margin() > self.random.curves.margin().max(self.sobel.curves.margin())
    }

    /// Whether the map does better than both others by both measures.
    #[must_use]
    pub fn convinces(&self) -> bool {
        self.road_convinces() && self.curves_convince()
    }

    /// The three maps by name.
    #[must_use]
    pub fn maps(&self) -> [(&'static str, &Measured); 3] {
        [("this map", &self.map), ("random", &self.random), ("edges", &self.sobel)]
    }

    /// What it says, in one sentence.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match (self.road_convinces(), self.curves_convince()) {
            (true, true) => "better than maps that know nothing of the model",
            (true, false) => "by ROAD better, by deletion and insertion no better than maps that know nothing of the model",
            (false, true) => "by deletion and insertion better, by ROAD no better than maps that know nothing of the model",
            (false, false) => "no better than maps that know nothing of the model",
        }
    }

    /// It in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let numbers = |measured: &Measured| {
            let (road, curves) = (measured.road.score(), &measured.curves);
            format!("ROAD {road:.2}, deletion {:.2}, insertion {:.2}", curves.deleted(), curves.inserted())
        };
        let [map, others @ ..] = self.maps();
        let others = others.map(|(name, measured)| format!("{name}: {}", numbers(measured))).join("; ");
        format!("{}; {others}: {}", numbers(map.1), self.verdict())
    }
}

/// Measures a map on the picture as the network takes it; about 150 forward passes, a bounded batch at a time. What is random is a
/// function of `seed`.
///
/// # Errors
/// If the network fails.
pub fn faithfulness(explainer: &Explainer, explanation: &Explanation, seed: u64) -> Result<Faithfulness, ExplainError> {
    Ok(faithfulness_while(explainer, explanation, seed, || true)?.expect("nothing stops it"))
}

/// [`faithfulness`], given up (`None`) soon after `wanted` says false.
///
/// # Errors
/// If the network fails.
pub fn faithfulness_while(
    explainer: &Explainer,
    explanation: &Explanation,
    seed: u64,
    wanted: impl Fn() -> bool,
) -> Result<Option<Faithfulness>, ExplainError> {
    let picture = explainer.prepared();
    let pixels = picture.width() * picture.height();
    let one = |strength: &[f32]| of_strengths(explainer, strength, explanation.class, seed, &wanted);
    let Some(map) = one(&strengths(explainer, explanation))? else { return Ok(None) };
    let Some(random) = one(&order::noise(pixels, seed))? else { return Ok(None) };
    let Some(sobel) = one(&order::sobel(picture))? else { return Ok(None) };
    Ok(Some(Faithfulness { map, random, sobel }))
}

/// Measures a map alone: for studies of many maps of one picture, which all have the same random map and edges beside them. About 50
/// forward passes.
///
/// # Errors
/// If the network fails.
pub fn measure(explainer: &Explainer, explanation: &Explanation, seed: u64) -> Result<Measured, ExplainError> {
    let measured = of_strengths(explainer, &strengths(explainer, explanation), explanation.class, seed, &|| true)?;
    Ok(measured.expect("nothing stops it"))
}

/// A map's number at each pixel that the network saw.
fn strengths(explainer: &Explainer, explanation: &Explanation) -> Vec<f32> {
    let picture = explainer.prepared();
    explanation.map.upsample(picture.width(), picture.height()).values
}

/// Measures pixels of these strengths; `None` soon after `wanted` says false.
fn of_strengths(
    explainer: &Explainer,
    strength: &[f32],
    class: usize,
    seed: u64,
    wanted: &dyn Fn() -> bool,
) -> Result<Option<Measured>, ExplainError> {
    let (classifier, picture) = (explainer.classifier(), explainer.prepared());
    let order = order::strongest_first(strength, seed);
    if !wanted() {
        return Ok(None);
    }
    let road = road::road(classifier, picture, &order, class, seed)?;
    if !wanted() {
        return Ok(None);
    }
    Ok(Some(Measured { road, curves: curves::curves(classifier, picture, &order, class)? }))
}
