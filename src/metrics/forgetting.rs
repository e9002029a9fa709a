//! Images that a network had right and then wrong again (Toneva et al. 2019, arXiv 1812.05159).

use super::Predictions;

/// What became of one image over the epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learning {
    /// How often it was right in one epoch and wrong in the next that is known.
    pub forgotten: u32,
    /// Epochs in which it was right.
    pub right: u32,
    /// The first epoch (its place in the list, from 0) in which it was right; `None` if it never was.
    pub learned: Option<u32>,
    /// Whether it is right in the last epoch.
    pub right_at_last: bool,
}

/// Follows each image over `epochs`, which are in order and about the same images; `None` if they are not.
#[must_use]
pub fn forgetting<'a>(epochs: impl IntoIterator<Item = &'a Predictions>) -> Option<Vec<Learning>> {
    let mut epochs = epochs.into_iter().peekable();
    let truth = epochs.peek()?.truth();
    let mut images = vec![Learning::default(); truth.len()];
    for (epoch, predictions) in epochs.enumerate() {
        if predictions.truth() != truth {
            return None;
        }
        for (i, image) in images.iter_mut().enumerate() {
            let right = predictions.is_right(i);
            image.forgotten += u32::from(image.right_at_last && !right);
            image.right += u32::from(right);
            if right && image.learned.is_none() {
                image.learned = Some(epoch as u32);
            }
            image.right_at_last = right;
        }
    }
    Some(images)
}

/// The images that were forgotten at least once, the most often forgotten first; of those, the less often right first.
#[must_use]
pub fn most_forgotten(images: &[Learning]) -> Vec<usize> {
    let mut forgotten: Vec<usize> = (0..images.len()).filter(|&i| images[i].forgotten > 0).collect();
    forgotten.sort_by_key(|&i| (std::cmp::Reverse(images[i].forgotten), images[i].right));
    forgotten
}
