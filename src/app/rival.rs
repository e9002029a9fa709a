//! A second model that is asked about the same picture, beside the first: what is known of it, and the slow work.

use std::path::PathBuf;
use std::sync::Arc;

use super::inspect::{Drawn, Question, Shown, Subject};
use crate::explain::{Classifier, Explainer, Explanation, Request};
use crate::imaging::{Frame, Image};

/// What is known of the second model.
#[derive(Default)]
pub struct Rival {
    /// The model, once it is read.
    pub classifier: Option<Arc<Classifier>>,
    /// What it is called.
    pub name: String,
    /// Whether it is being read.
    pub loading: bool,
    /// Whether it is being asked, and whether something changed meanwhile.
    pub asking: bool,
    /// Whether it must be asked again after the present answer.
    pub outdated: bool,
    /// What it says of the present picture, or why it cannot.
    pub answer: Option<Result<RivalAnswer, String>>,
}

/// What the second model says of a picture.
pub struct RivalAnswer {
    /// The picture inside it.
    pub explainer: Arc<Explainer>,
    /// The picture.
    pub picture: Arc<Image>,
    /// The part of it that it saw.
    pub frame: Frame,
    /// Where it looked, if that is wanted.
    pub shown: Option<Box<Shown>>,
}

impl RivalAnswer {
    /// The probability of each of its classes.
    #[must_use]
    pub fn probabilities(&self) -> &[f32] {
        self.explainer.probabilities()
    }

    /// What need not be worked out again for another question about the same picture.
    #[must_use]
    pub fn known(&self) -> Known {
        let map = self.shown.as_ref().map(|shown| (shown.request.clone(), shown.explanation.clone()));
        Known { explainer: Arc::clone(&self.explainer), picture: Arc::clone(&self.picture), frame: self.frame, map }
    }
}

/// An answer that is there already.
pub struct Known {
    explainer: Arc<Explainer>,
    picture: Arc<Image>,
    frame: Frame,
    map: Option<(Request, Explanation)>,
}

impl Known {
    /// Whether it is of this model and of this part of this picture, from as many sides.
    fn of(&self, classifier: &Arc<Classifier>, picture: &Arc<Image>, frame: Frame, averaged: bool) -> bool {
        let same = Arc::ptr_eq(self.explainer.classifier(), classifier) && Arc::ptr_eq(&self.picture, picture);
        same && self.frame == frame && self.explainer.averaged() == averaged
    }
}

/// The same from a task.
pub struct RivalAnswered {
    /// The picture inside the second model.
    pub subject: Subject,
    /// Where it looked, if that is wanted.
    pub drawn: Option<Drawn>,
}

/// What is asked of the second model.
pub struct RivalQuestion {
    /// What the picture is called.
    pub name: String,
    /// The picture.
    pub picture: Arc<Image>,
    /// What is asked of the first.
    pub question: Question,
    /// The first.
    pub first: Arc<Classifier>,
    /// What it answered before.
    pub known: Option<Known>,
}

/// Asks a model about a picture: its answer, and the map that the first one is asked for, as far as it has such a method, layer and class;
/// else its best map of its most probable class. It sees the part that the first one sees, unless each takes what it was trained on.
pub fn ask(classifier: &Arc<Classifier>, asked: RivalQuestion) -> Result<RivalAnswered, String> {
    let RivalQuestion { name, picture, question, first, known } = asked;
    let fit = if question.fit == first.fit() { classifier.fit() } else { question.fit };
    let frame = question.marked.unwrap_or_else(|| fit.frame(picture.width(), picture.height()));
    let same = known.filter(|known| known.of(classifier, &picture, frame, question.average));
    let (explainer, map) = if let Some(known) = same {
        (known.explainer, known.map)
    } else {
        let explainer = Explainer::new(Arc::clone(classifier), &picture.crop(frame), question.average);
        (Arc::new(explainer.map_err(|error| error.to_string())?), None)
    };
    let asked = translated(&question, &first.spec().classes, &explainer);
    let subject = Subject { name, image: picture, frame, explainer };
    let drawn = asked.map.then(|| subject.draw(asked.request(&subject.explainer), asked.style.clone(), map)).transpose()?;
    Ok(RivalAnswered { subject, drawn })
}

/// What is asked of one model as another one understands it: classes by their names, and nothing that it does not have.
fn translated(question: &Question, classes: &[String], explainer: &Explainer) -> Question {
    let own = &explainer.classifier().spec().classes;
    let named = |class: usize| own.iter().position(|name| Some(name) == classes.get(class));
    let mut asked = question.clone();
    asked.class = question.class.and_then(named);
    let chosen = asked.class.unwrap_or_else(|| explainer.ranking()[0]);
    asked.against = question.against.and_then(named).filter(|against| *against != chosen);
    asked.fit_to(explainer);
    asked
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
