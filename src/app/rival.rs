//! A second model that is asked about the same picture, beside the first: what is known of it, and the slow work.

use std::path::PathBuf;
use std::sync::Arc;

use egui::TextureHandle;

use super::inspect::Question;
use crate::explain::{Classifier, Explainer, Request, Scene, Style, fitted};
use crate::imaging::{Fit, Image};

/// The largest side of the second map, pixels.
const DRAWN_SIDE: usize = 512;

/// What is known of the second model.
#[derive(Default)]
pub struct Rival {
    /// The model, once it is read.
    pub classifier: Option<Arc<Classifier>>,
    /// What it is called.
    pub name: String,
    /// Whether it is being read.
    pub loading: bool,
    /// What it says of the present picture, or why it cannot.
    pub answer: Option<Result<RivalAnswer, String>>,
}

/// What the second model says of a picture.
pub struct RivalAnswer {
    /// The probability of each of its classes.
    pub probabilities: Vec<f32>,
    /// Where it looked.
    pub texture: TextureHandle,
    /// What that map is, in a line.
    pub map: String,
}

/// The same from a task.
pub struct RivalAnswered {
    /// The probability of each of its classes.
    pub probabilities: Vec<f32>,
    /// The picture under its map.
    pub image: Image,
    /// What that map is, in a line.
    pub map: String,
}

/// What is asked of the second model.
pub struct RivalQuestion {
    /// What the picture is called.
    pub name: String,
    /// The picture.
    pub picture: Arc<Image>,
    /// What is asked of the first.
    pub question: Question,
    /// How the first was trained to see pictures that are not square.
    pub first: Fit,
}

/// Asks a model about a picture: its answer, and the map of its most probable class by its best method. It sees the part that the first
/// one sees, unless each takes what it was trained on.
pub fn ask(classifier: &Arc<Classifier>, asked: &RivalQuestion) -> Result<RivalAnswered, String> {
    let (picture, question) = (&asked.picture, &asked.question);
    let fit = if question.fit == asked.first { classifier.fit() } else { question.fit };
    let frame = question.marked.unwrap_or_else(|| fit.frame(picture.width(), picture.height()));
    let said = |error: crate::explain::ExplainError| error.to_string();
    let explainer = Explainer::new(Arc::clone(classifier), &picture.crop(frame), question.average).map_err(said)?;
    let request = Request { signed: question.signed, ..Request::new(explainer.best_method()) };
    let explanation = explainer.explain(&request).map_err(said)?;
    let scene = Scene { name: &asked.name, picture, frame, explainer: &explainer };
    let style = scene.settled(&request, &Style { zoom: 1, ..question.style.clone() }).map_err(said)?;
    let map = scene.legend(&explanation, &style).into_iter().take(2).collect::<Vec<_>>().join(" ");
    let longer = picture.width().max(picture.height());
    let (small, frame) = fitted(picture, frame, longer.min(DRAWN_SIDE));
    Ok(RivalAnswered { probabilities: explainer.probabilities().to_vec(), image: scene.over(&small, frame, &explanation, &style), map })
}

/// What differs in the classes of two models, in words; `None` if they know the same, in the same order.
#[must_use]
pub fn other_classes(first: &[String], second: &[String]) -> Option<String> {
    if first == second {
        return None;
    }
    let differing = first.iter().zip(second).find(|(a, b)| a != b);
    Some(differing.map_or_else(
        || format!("the first knows {} classes, the second {}", first.len(), second.len()),
        |(a, b)| format!("the first has {a} where the second has {b}"),
    ))
}

/// A change of the second model.
pub enum RivalAction {
    /// Takes a model file or a run folder.
    Take(PathBuf),
    /// Asks for a model file with the system's dialog.
    Browse,
    /// Puts it away.
    Drop,
}
