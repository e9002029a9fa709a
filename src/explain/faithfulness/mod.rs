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
    let (width, height) = (picture.width(), picture.height());
    let (classifier, class) = (explainer.classifier(), explanation.class);
    let strengths = [explanation.map.upsample(width, height).values, order::noise(width * height, seed), order::sobel(picture)];
    let mut measured = Vec::new();
    for strength in &strengths {
        let order = order::strongest_first(strength, seed);
        if !wanted() {
            return Ok(None);
        }
        let road = road::road(classifier, picture, &order, class, seed)?;
        if !wanted() {
            return Ok(None);
        }
        measured.push(Measured { road, curves: curves::curves(classifier, picture, &order, class)? });
    }
    let [map, random, sobel] = <[Measured; 3]>::try_from(measured).expect("three maps were measured");
    Ok(Some(Faithfulness { map, random, sobel }))
}
