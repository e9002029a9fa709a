//! What a run said of the images of its data set at an epoch, image by image: the probabilities that are kept of the parts that
//! the epoch was looked at on. The images of the other parts have no answer.

use super::{Record, ReviewError};
use crate::data::{Dataset, Part, Predictions};

/// The epochs of which there is any answer, ascending, counted from 1.
#[must_use]
pub fn answered_epochs(record: &Record) -> Vec<usize> {
    let mut epochs: Vec<usize> = Part::ALL.into_iter().flat_map(|part| record.kept.of(part).iter().copied()).collect();
    epochs.sort_unstable();
    epochs.dedup();
    epochs
}

/// The answers at an epoch (counted from 1) as a table over all images of the run's data set, and why those of a part are missing that
/// the run kept, in words for the user.
///
/// # Errors
/// If the data set is another one than the run's, the epoch has no answers, or no file of them can be used.
pub fn answers(record: &Record, epoch: usize, dataset: &Dataset) -> Result<(Predictions, Vec<String>), ReviewError> {
    let name = &record.name;
    if let Some(difference) = record.difference(dataset) {
        let message = format!("this is not the data set of the run {name}: {difference}; open the one it was trained on");
        return Err(ReviewError::Request(message));
    }
    let classes = dataset.classes.len();
    let mut table = Predictions::new(format!("{name}, epoch {epoch}"), classes, dataset.len());
    let (mut read, mut unread) = (false, Vec::new());
    for part in Part::ALL.into_iter().filter(|part| record.kept.of(*part).contains(&epoch)) {
        let predictions = match record.predictions(part, epoch) {
            Ok(predictions) => predictions,
            Err(error) => {
                unread.push((part, error));
                continue;
            }
        };
        read = true;
        for (place, &image) in record.images(part).iter().enumerate().filter(|(_, image)| (**image as usize) < dataset.len()) {
            table.set(image as usize, predictions.row(place));
        }
    }
    if read {
        let missing = |(part, error): (Part, ReviewError)| format!("The answers to the {} images are missing: {error}.", part.title());
        return Ok((table, unread.into_iter().map(missing).collect()));
    }
    if let Some((_, error)) = unread.into_iter().next() {
        return Err(error);
    }
    let epochs = answered_epochs(record).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let there = if epochs.is_empty() { "it has none of any epoch".into() } else { format!("there are those of {epochs}") };
    Err(ReviewError::Request(format!("the run {name} keeps no probabilities of epoch {epoch}; {there}")))
}
