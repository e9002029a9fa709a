//! What a model says of the images of a data set: a table of probabilities with what follows from it. Knows no model.

/// Probabilities of the images of a data set. Images that were not classified have none.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    origin: String,
    classes: usize,
    /// Images x classes; rows of images without an answer are not read.
    values: Vec<f32>,
    answers: Vec<Option<Answer>>,
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    class: u32,
    confidence: f32,
    margin: f32,
}

impl Predictions {
    /// A table without answers for so many images; `origin` says in few words which model it is.
    #[must_use]
    pub fn new(origin: impl Into<String>, classes: usize, images: usize) -> Self {
        Self { origin: origin.into(), classes, values: vec![0.0; classes * images], answers: vec![None; images], count: 0 }
    }

    /// Takes the probabilities of an image in: one number a class, each from 0 to 1. A row with numbers that are not finite
    /// counts as no answer.
    ///
    /// # Panics
    /// If the image does not exist or the row has another length than there are classes.
    pub fn set(&mut self, index: usize, row: &[f32]) {
        assert_eq!(row.len(), self.classes, "one probability a class");
        let answer = answer(row);
        let before = std::mem::replace(&mut self.answers[index], answer);
        self.count = self.count + usize::from(answer.is_some()) - usize::from(before.is_some());
        self.values[index * self.classes..(index + 1) * self.classes].copy_from_slice(row);
    }

    /// Which model it was, in few words.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many images have an answer.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The probabilities of an image, if it has an answer.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<&[f32]> {
        self.answers.get(index)?.as_ref()?;
        self.values.get(index * self.classes..(index + 1) * self.classes)
    }

    /// The most probable class (the first of equal ones).
    #[must_use]
    pub fn class(&self, index: usize) -> Option<u32> {
        Some((*self.answers.get(index)?)?.class)
    }

    /// Its probability.
    #[must_use]
    pub fn confidence(&self, index: usize) -> Option<f32> {
        Some((*self.answers.get(index)?)?.confidence)
    }

    /// The difference of the two highest probabilities.
    #[must_use]
    pub fn margin(&self, index: usize) -> Option<f32> {
        Some((*self.answers.get(index)?)?.margin)
    }

    /// Minus the natural logarithm of the probability of `label`; a probability of 0 counts as the smallest normal number,
    /// so that the loss stays finite.
    #[must_use]
    pub fn loss(&self, index: usize, label: u32) -> Option<f32> {
        self.row(index)?.get(label as usize).map(|p| 0.0 - p.max(f32::MIN_POSITIVE).ln())
    }
}

fn answer(row: &[f32]) -> Option<Answer> {
    if row.is_empty() || row.iter().any(|p| !p.is_finite()) {
        return None;
    }
    let mut best = (0, row[0]);
    let mut second = f32::NEG_INFINITY;
    for (class, &p) in row.iter().enumerate().skip(1) {
        if p > best.1 {
            second = best.1;
            best = (class, p);
        } else {
            second = second.max(p);
        }
    }
    let margin = if second.is_finite() { best.1 - second } else { best.1 };
    Some(Answer { class: best.0 as u32, confidence: best.1, margin })
}
