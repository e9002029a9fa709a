//! The invariance microscope: a model's answers while one galaxy is turned, blurred, dimmed or moved, and while galaxies of a
//! class are turned. Slow work for a task; knows no egui.

use crate::augment::Sweep;
use crate::data::{Dataset, Part};
use crate::explain::Classifier;
use crate::imaging::Image;
use crate::metrics::{Invariance, top};
use crate::random::{Purpose, Random};

/// Largest side of a picture beside the plot, pixels.
pub const TILE: usize = 96;
/// Pictures in a row of the atlas.
pub const ATLAS_COLUMNS: usize = 10;
/// Galaxies of a class that are turned.
const SURVEYED: usize = 8;
/// Degrees between two of their poses.
const SURVEY_STEP: usize = 15;
/// Halvings of the interval in which the answer flips.
const HALVINGS: usize = 7;

/// Where the answer is another one for the first time.
#[derive(Clone, Debug, PartialEq)]
pub struct Flip {
    /// The position.
    pub at: f64,
    /// The class that is the answer there.
    pub class: usize,
}

/// A model's answers along one change.
pub struct Swept {
    /// The change.
    pub sweep: Sweep,
    /// The positions.
    pub positions: Vec<f64>,
    /// Positions x classes.
    pub probabilities: Vec<Vec<f32>>,
    /// The numbers of it.
    pub invariance: Invariance,
    /// Where the answer flips, if it does.
    pub flip: Option<Flip>,
    /// The pictures side by side, [`ATLAS_COLUMNS`] in a row.
    pub atlas: Image,
}

/// Changes the picture and asks the model at each position.
///
/// # Errors
/// If the model cannot answer, in words for the user.
pub fn sweep(classifier: &Classifier, image: &Image, sweep: Sweep) -> Result<Swept, String> {
    let source = classifier.prepare(image);
    let size = source.width();
    let positions = sweep.positions();
    let pictures: Vec<Image> = positions.iter().map(|at| sweep.draw(*at).apply(&source, size)).collect();
    let probabilities = classifier.classify(&pictures).map_err(|error| error.to_string())?;
    // a full turn is the beginning again and would count twice
    let counted = probabilities.len() - usize::from(sweep.is_circle());
    let invariance = Invariance::of(&probabilities[..counted]).ok_or("the model has no classes; choose another")?;
    let flip = first_flip(classifier, &source, sweep, &positions, &probabilities)?;
    Ok(Swept { sweep, positions, invariance, flip, atlas: atlas(&pictures), probabilities })
}

/// The first position at which the answer is not that of the beginning, found between the positions by halving.
fn first_flip(
    classifier: &Classifier,
    source: &Image,
    sweep: Sweep,
    positions: &[f64],
    probabilities: &[Vec<f32>],
) -> Result<Option<Flip>, String> {
    let answer = top(&probabilities[0]);
    let Some(other) = probabilities.iter().position(|row| top(row) != answer) else { return Ok(None) };
    let (mut same, mut flip) = (positions[other - 1], Flip { at: positions[other], class: top(&probabilities[other]) });
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(same, flip.at);
        let picture = sweep.draw(middle).apply(source, source.width());
        let row = classifier.classify(&[picture]).map_err(|error| error.to_string())?.pop().unwrap_or_default();
        let class = top(&row);
        if class == answer {
            same = middle;
        } else {
            flip = Flip { at: middle, class };
        }
    }
    Ok(Some(flip))
}

/// All pictures in one, so that the graphics card holds one texture.
fn atlas(pictures: &[Image]) -> Image {
    let tiles: Vec<Image> = pictures.iter().map(|picture| picture.thumbnail(TILE)).collect();
    let side = tiles.first().map_or(1, Image::width);
    let rows = tiles.len().div_ceil(ATLAS_COLUMNS).max(1);
    let width = ATLAS_COLUMNS * side;
    let mut pixels = vec![0; 3 * width * rows * side];
    for (n, tile) in tiles.iter().enumerate() {
        let (left, top) = (n % ATLAS_COLUMNS * side, n / ATLAS_COLUMNS * side);
        for (y, row) in tile.pixels().chunks_exact(3 * side).enumerate() {
            let start = 3 * ((top + y) * width + left);
            pixels[start..start + row.len()].copy_from_slice(row);
        }
    }
    Image::new(width, rows * side, pixels).expect("whole rows of square tiles")
}

/// How the answers for galaxies of one class move while these are turned.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassSurvey {
    /// Galaxies that were turned.
    pub galaxies: usize,
    /// Mean spread of their answers ([`Invariance::spread`]).
    pub spread: f64,
    /// Mean range of the probability of their own class; `None` if the model has no class of that name.
    pub own_range: Option<f64>,
    /// Mean share of the angles at which the answer stays.
    pub kept: f64,
}

/// Turns some galaxies of a class, those that were not trained on first.
///
/// # Errors
/// If there are none, a picture cannot be read, or the model cannot answer; in words for the user.
pub fn survey(set: &Dataset, parts: &[Option<Part>], classifier: &Classifier, class: u32) -> Result<ClassSurvey, String> {
    let mut images: Vec<usize> = (0..set.len()).filter(|&i| set.labels[i] == class).collect();
    Random::new(0, Purpose::Preview, &[u64::from(class)]).shuffle(&mut images);
    images.sort_by_key(|&i| parts[i] == Some(Part::Train));
    images.truncate(SURVEYED);
    if images.is_empty() {
        return Err("there is no image of this class".into());
    }
    let own = classifier.spec().classes.iter().position(|name| *name == set.classes[class as usize]);
    let mut sum = ClassSurvey { galaxies: images.len(), spread: 0.0, own_range: own.map(|_| 0.0), kept: 0.0 };
    for &index in &images {
        let image = classifier.prepare(&set.images.image(index).map_err(|error| error.to_string())?);
        let poses: Vec<Image> =
            (0..360).step_by(SURVEY_STEP).map(|angle| Sweep::Turn.draw(f64::from(angle)).apply(&image, image.width())).collect();
        let probabilities = classifier.classify(&poses).map_err(|error| error.to_string())?;
        let invariance = Invariance::of(&probabilities).ok_or("the model has no classes; choose another")?;
        sum.spread += invariance.spread;
        sum.kept += invariance.kept;
        if let (Some(sum), Some(own)) = (&mut sum.own_range, own) {
            *sum += invariance.classes[own].range();
        }
    }
    let count = images.len() as f64;
    Ok(ClassSurvey { spread: sum.spread / count, own_range: sum.own_range.map(|range| range / count), kept: sum.kept / count, ..sum })
}
