//! What a network made of a list of labelled images: the truth and a row of probabilities for each.

use super::Confusion;

/// Labels and probabilities of a list of images, checked to fit together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    classes: usize,
    truth: Vec<u32>,
    probabilities: Vec<f32>,
    predicted: Vec<u32>,
}

/// Why labels and probabilities do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum PredictionsError {
    /// Another number of probabilities than images times classes.
    #[error("there are {found} probabilities for {images} images of {classes} classes; {} are needed", images * classes)]
    Length { images: usize, classes: usize, found: usize },
    /// A label that is none of the classes.
    #[error("image {image} of the list has label {label}, but there are {classes} classes, counted from 0")]
    Label { image: usize, label: u32, classes: usize },
    /// A probability that is none.
    #[error("image {image} of the list has a probability that is not between 0 and 1")]
    Probability { image: usize },
}

impl Predictions {
    /// `truth` has one label an image, below `classes`; `probabilities` one row of `classes` numbers from 0 to 1 an image.
    pub fn new(classes: usize, truth: Vec<u32>, probabilities: Vec<f32>) -> Result<Self, PredictionsError> {
        if classes.checked_mul(truth.len()) != Some(probabilities.len()) {
            return Err(PredictionsError::Length { images: truth.len(), classes, found: probabilities.len() });
        }
        if let Some((image, &label)) = truth.iter().enumerate().find(|&(_, &label)| label as usize >= classes) {
            return Err(PredictionsError::Label { image, label, classes });
        }
        // a sum of rounded halves may lie a little above 1, a single one never does
        if let Some(place) = probabilities.iter().position(|p| !(0.0..=1.001).contains(p)) {
            return Err(PredictionsError::Probability { image: place / classes });
        }
        let predicted = probabilities.chunks(classes.max(1)).map(|row| largest(row) as u32).collect();
        Ok(Self { classes, truth, probabilities, predicted })
    }

    /// The same images and verdicts with other probabilities, of which each row has the same order.
    pub(super) fn with_probabilities(&self, probabilities: Vec<f32>) -> Self {
        Self { probabilities, ..self.clone() }
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.truth.len()
    }

    /// True if there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.truth.is_empty()
    }

    /// The labels.
    #[must_use]
    pub fn truth(&self) -> &[u32] {
        &self.truth
    }

    /// The most probable class of each image; the first of several equal ones.
    #[must_use]
    pub fn predicted(&self) -> &[u32] {
        &self.predicted
    }

    /// All probabilities, row by row.
    #[must_use]
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// The probabilities of image `i` of the list.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f32] {
        &self.probabilities[i * self.classes..(i + 1) * self.classes]
    }

    /// The probability of the class that image `i` was called.
    #[must_use]
    pub fn confidence(&self, i: usize) -> f32 {
        self.row(i)[self.predicted[i] as usize]
    }

    /// The probability of the class that image `i` is labelled.
    #[must_use]
    pub fn self_confidence(&self, i: usize) -> f32 {
        self.row(i)[self.truth[i] as usize]
    }

    /// Whether image `i` was called what it is labelled.
    #[must_use]
    pub fn is_right(&self, i: usize) -> bool {
        self.truth[i] == self.predicted[i]
    }

    /// The confusion matrix.
    #[must_use]
    pub fn confusion(&self) -> Confusion {
        let mut confusion = Confusion::new(self.classes);
        for (&truth, &predicted) in self.truth.iter().zip(&self.predicted) {
            confusion.add(truth as usize, predicted as usize);
        }
        confusion
    }

    /// The images of one cell of the confusion matrix, the worst first: by falling probability of the class they were called;
    /// on the diagonal, where all are right, by rising probability. Ties stay in the order of the list.
    #[must_use]
    pub fn cell(&self, truth: usize, predicted: usize) -> Vec<usize> {
        let here = |&i: &usize| self.truth[i] as usize == truth && self.predicted[i] as usize == predicted;
        let mut images: Vec<usize> = (0..self.len()).filter(here).collect();
        if truth == predicted {
            images.sort_by(|&a, &b| self.confidence(a).total_cmp(&self.confidence(b)));
        } else {
            images.sort_by(|&a, &b| self.confidence(b).total_cmp(&self.confidence(a)));
        }
        images
    }

    /// The images that were called wrong, the most confident mistake first.
    #[must_use]
    pub fn mistakes(&self) -> Vec<usize> {
        let mut wrong: Vec<usize> = (0..self.len()).filter(|&i| !self.is_right(i)).collect();
        wrong.sort_by(|&a, &b| self.confidence(b).total_cmp(&self.confidence(a)));
        wrong
    }
}

/// The place of the largest number, the first of several; 0 of none.
fn largest(row: &[f32]) -> usize {
    let mut best = 0;
    for (i, &p) in row.iter().enumerate() {
        if p > row[best] {
            best = i;
        }
    }
    best
}
