//! Pictures at the network's size, decoded and resized once and kept as bytes, within a budget.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::data::{DataError, Dataset};
use crate::imaging::Image;

/// Bytes of pictures that are kept. A data set that needs more is kept in part; the rest is read anew each time.
const BUDGET: usize = 512 << 20;

/// The pictures of a data set as the network wants them, before augmentation. Used from many threads at once.
pub(super) struct ImageCache {
    dataset: Arc<Dataset>,
    size: usize,
    kept: Vec<OnceLock<Image>>,
    room: AtomicUsize,
}

impl ImageCache {
    /// Nothing is read yet. `size` is the side of the network's input in pixels.
    pub fn new(dataset: Arc<Dataset>, size: usize) -> Self {
        let kept = std::iter::repeat_with(OnceLock::new).take(dataset.len()).collect();
        let room = AtomicUsize::new(BUDGET / (size * size * 3));
        Self { dataset, size, kept, room }
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
        let image = self.dataset.images.image(index)?;
        let fits = image.width() == self.size && image.height() == self.size;
        Ok(if fits { image } else { image.resize(self.size, self.size) })
    }

    pub fn label(&self, index: usize) -> u32 {
        self.dataset.labels[index]
    }

    pub fn size(&self) -> usize {
        self.size
    }
}
