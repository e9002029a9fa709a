//! What the user says of images: other labels, and tags. Kept beside the data in a file of its own ([`Sidecar`]); the data
//! set itself is never changed.

mod changes;
mod file;
mod sidecar;

use std::collections::{BTreeMap, BTreeSet};

pub use changes::write_changes;
pub use sidecar::{Loaded, Sidecar, SidecarError, marks_folder};

/// The most changes that can be undone.
const UNDO: usize = 1000;
/// The longest tag, characters.
const LONGEST_TAG: usize = 60;

/// Labels and tags that the user gave, with what is needed to take them back.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    images: BTreeMap<usize, Mark>,
    undo: Vec<(usize, Mark)>,
}

/// What the user says of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The label that it should have, if another than it has.
    pub label: Option<u32>,
    /// Its tags, in alphabetical order.
    pub tags: BTreeSet<String>,
}

impl Mark {
    fn is_empty(&self) -> bool {
        self.label.is_none() && self.tags.is_empty()
    }
}

impl Marks {
    /// The user's label of an image, if there is one.
    #[must_use]
    pub fn label(&self, index: usize) -> Option<u32> {
        self.images.get(&index)?.label
    }

    /// The tags of an image, in alphabetical order.
    pub fn tags(&self, index: usize) -> impl Iterator<Item = &str> {
        self.images.get(&index).into_iter().flat_map(|mark| mark.tags.iter().map(String::as_str))
    }

    /// The marked images with their marks, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Mark)> {
        self.images.iter().map(|(&index, mark)| (index, mark))
    }

    /// How many images are marked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// True if no image is marked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// How many images have another label.
    #[must_use]
    pub fn relabelled(&self) -> usize {
        self.images.values().filter(|mark| mark.label.is_some()).count()
    }

    /// Every tag in use, in alphabetical order.
    #[must_use]
    pub fn all_tags(&self) -> BTreeSet<&str> {
        self.images.values().flat_map(|mark| mark.tags.iter().map(String::as_str)).collect()
    }

    /// Gives an image a label; `original`, the data set's, takes the user's away. True if that changed anything.
    pub fn relabel(&mut self, index: usize, label: u32, original: u32) -> bool {
        self.change(index, |mark| mark.label = (label != original).then_some(label))
    }

    /// Gives an image a tag, or takes it away if it has it. Blanks around it do not count, nor does an empty tag; what is
    /// longer than 60 characters is cut. True if that changed anything.
    pub fn toggle_tag(&mut self, index: usize, tag: &str) -> bool {
        let tag: String = tag.trim().chars().filter(|c| !c.is_control()).take(LONGEST_TAG).collect();
        if tag.is_empty() {
            return false;
        }
        self.change(index, |mark| {
            if !mark.tags.remove(&tag) {
                mark.tags.insert(tag);
            }
        })
    }

    /// Takes the last change back; the image that it was about.
    pub fn undo(&mut self) -> Option<usize> {
        let (index, mark) = self.undo.pop()?;
        self.set(index, mark);
        Some(index)
    }

    /// Whether there is anything to take back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    fn change(&mut self, index: usize, change: impl FnOnce(&mut Mark)) -> bool {
        let before = self.images.get(&index).cloned().unwrap_or_default();
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return false;
        }
        if self.undo.len() == UNDO {
            self.undo.remove(0);
        }
        self.undo.push((index, before));
        self.set(index, after);
        true
    }

    fn set(&mut self, index: usize, mark: Mark) {
        if mark.is_empty() {
            self.images.remove(&index);
        } else {
            self.images.insert(index, mark);
        }
    }
}
