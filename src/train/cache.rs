//! Pictures at the network's size (or larger, where augmentation cuts out a part), decoded and resized once and kept as bytes, within
//! a budget.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::augment;
use crate::data::{DataError, Dataset};
use crate::imaging::{Fit, Image};

/// Bytes of pictures that are kept. A data set that needs more is kept in part; the rest is read anew each time.
const BUDGET: usize = 512 << 20;

/// The pictures of a data set as the network wants them, before augmentation. Used from many threads at once.
pub(super) struct ImageCache {
    dataset: Arc<Dataset>,
    size: usize,
    largest: usize,
    fit: Fit,
    kept: Vec<OnceLock<Image>>,
    room: AtomicUsize,
}

impl ImageCache {
    /// Pictures as the network takes them, made squares of `size` pixels by `fit`. Nothing is read yet.
    pub fn new(dataset: Arc<Dataset>, size: usize, fit: Fit) -> Self {
        Self::larger(dataset, (size, size), fit)
    }

    /// Pictures that become the network's input of `size` pixels a side later: squares of their own size, but at least `size` and at
    /// most `largest`.
    pub fn larger(dataset: Arc<Dataset>, (size, largest): (usize, usize), fit: Fit) -> Self {
        let largest = largest.max(size);
        let kept = std::iter::repeat_with(OnceLock::new).take(dataset.len()).collect();
        let room = AtomicUsize::new(BUDGET / (largest * largest * 3));
        Self { dataset, size, largest, fit, kept, room }
    }

    /// Gives picture `index` to `use_it`.
    pub fn with<R>(&self, index: usize, use_it: impl FnOnce(&Image) -> R) -> Result<R, DataError> {
        if let Some(image) = self.kept[index].get() {
            return Ok(use_it(image));
        }
        let image = self.read(index)?;
        let result = use_it(&image);
        let one_less = |room: usize| room.checked_sub(1);
        if self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            // another thread may have been faster with the same picture; its copy is as good
            let _ = self.kept[index].set(image);
        }
        Ok(result)
    }

    fn read(&self, index: usize) -> Result<Image, DataError> {
        Ok(augment::fit(self.dataset.images.image(index)?.squared(self.fit), self.size, self.largest))
    }

    pub fn label(&self, index: usize) -> u32 {
        self.dataset.labels[index]
    }

    /// The side of the largest picture, pixels.
    pub fn largest(&self) -> usize {
        self.largest
    }

    /// The side of the network's input, pixels.
    pub fn size(&self) -> usize {
        self.size
    }
}
