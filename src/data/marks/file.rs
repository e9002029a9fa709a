//! The text of a sidecar file: JSON, one object.

use serde::{Deserialize, Serialize};

use super::{Mark, Marks};
use crate::data::Dataset;

const FORMAT: &str = "tuning-fork marks";
const VERSION: u32 = 1;

/// What stands in a sidecar file.
#[derive(Serialize, Deserialize)]
pub(super) struct File {
    format: String,
    version: u32,
    /// Counts up with each time that it is written.
    pub revision: u64,
    /// The data set that it is about.
    data: About,
    images: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct About {
    name: String,
    images: usize,
    classes: Vec<String>,
    digest: String,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    image: usize,
    original: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

/// Why the text of a file is of no use here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Cut off, edited, or of another program; why, in words.
    Damaged(String),
    /// About another data set, which is named.
    OtherData(String),
}

impl File {
    pub fn of(marks: &Marks, dataset: &Dataset, digest: &str, revision: u64) -> Self {
        let entry = |(image, mark): (usize, &Mark)| Entry {
            image,
            original: dataset.labels[image],
            label: mark.label,
            tags: mark.tags.iter().cloned().collect(),
        };
        Self {
            format: FORMAT.into(),
            version: VERSION,
            revision,
            data: About { name: dataset.name.clone(), images: dataset.len(), classes: dataset.classes.clone(), digest: digest.into() },
            images: marks.iter().map(entry).collect(),
        }
    }

    /// Reads a file and checks that it is about this data set, to the last image.
    pub fn read(bytes: &[u8], dataset: &Dataset, digest: &str) -> Result<(Self, Marks), Unfit> {
        let file: Self = serde_json::from_slice(bytes).map_err(|error| Unfit::Damaged(error.to_string()))?;
        if file.format != FORMAT || file.version > VERSION {
            return Err(Unfit::Damaged(format!("it says it is \"{}\" of version {}", file.format, file.version)));
        }
        if file.data.digest != digest {
            return Err(Unfit::OtherData(format!("{} ({} images)", file.data.name, file.data.images)));
        }
        let mut marks = Marks::default();
        for entry in &file.images {
            let known = dataset.labels.get(entry.image) == Some(&entry.original);
            if !known || entry.label.is_some_and(|label| label as usize >= dataset.classes.len()) {
                return Err(Unfit::Damaged(format!("what it says of image {} cannot be", entry.image)));
            }
            let mark = Mark { label: entry.label, tags: entry.tags.iter().cloned().collect() };
            marks.set(entry.image, mark);
        }
        Ok((file, marks))
    }
}
