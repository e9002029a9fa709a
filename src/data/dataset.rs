//! The data set itself, whatever it was read from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::split::{self, Split};
use crate::imaging::{Image, ImagingError};

/// Where the pictures of a data set come from. Reading one is independent of all others and may happen on any thread.
pub trait ImageSource: Send + Sync {
    /// The number of pictures.
    fn len(&self) -> usize;

    /// True if there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Width and height in pixels if all pictures have the same size, else `None`.
    fn size(&self) -> Option<(usize, usize)>;

    /// Picture `index` (below [`len`](Self::len)) at its own size.
    ///
    /// # Errors
    /// If the picture cannot be read any more (a file that vanished, a bad disk).
    fn image(&self, index: usize) -> Result<Image, DataError>;

    /// The file of picture `index`, if each picture has one of its own.
    fn file(&self, _index: usize) -> Option<&Path> {
        None
    }
}

/// Catalogue columns, each empty or one value an image. Missing values are NaN.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    /// Right ascension, degrees (J2000).
    pub ra: Vec<f64>,
    /// Declination, degrees (J2000).
    pub dec: Vec<f64>,
    /// Redshift.
    pub redshift: Vec<f64>,
    /// Pixel scale, arcsec/pixel.
    pub pxscale: Vec<f64>,
}

/// A file that was left out of a data set, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why, in words for the user.
    pub reason: String,
}

/// A labelled data set. Cheap to share: wrap it in an `Arc`.
pub struct Dataset {
    /// What to call it in a window or a run: a folder's name, or "synthetic".
    pub name: String,
    /// The folder it was opened from; `None` for the embedded synthetic galaxies.
    pub location: Option<PathBuf>,
    /// The pictures.
    pub images: Arc<dyn ImageSource>,
    /// One label an image, an index into `classes`.
    pub labels: Vec<u32>,
    /// Names of the classes in label order; at least one.
    pub classes: Vec<String>,
    /// Positions, redshifts, pixel scales where known.
    pub catalogue: Catalogue,
    /// The split that came with the data (index files), if any; it wins over one made by seed.
    pub given_split: Option<Split>,
    /// Files that were left out, with the reason.
    pub skipped: Vec<Skipped>,
}

impl Dataset {
    /// The number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True if there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The file of an image below the data set's folder, with `/` between the parts, as `spiral/587722.jpg`; `None` if images have no
    /// files of their own.
    #[must_use]
    pub fn file_name(&self, index: usize) -> Option<String> {
        let file = self.images.file(index)?;
        let below = self.location.as_deref().and_then(|folder| file.strip_prefix(folder).ok()).unwrap_or(file);
        Some(below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
    }

    /// Images in each class, in label order.
    #[must_use]
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[label as usize] += 1;
        }
        counts
    }

    /// Which images train, validate and test: the split that came with the data if there is one, else
    /// [`Split::stratified`] by `seed`.
    ///
    /// # Errors
    /// [`DataError::Request`] naming a class that is too small to be split.
    pub fn split(&self, seed: u64) -> Result<Split, DataError> {
        if let Some(split) = &self.given_split {
            return Ok(split.clone());
        }
        let counts = self.class_counts();
        if let Some(class) = counts.iter().position(|&n| n < split::FEWEST) {
            return Err(DataError::Request(split::too_few(&format!("class \"{}\"", self.classes[class]), counts[class])));
        }
        Split::stratified(&self.labels, self.classes.len(), seed)
    }
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dataset")
            .field("name", &self.name)
            .field("images", &self.len())
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}

/// What can be wrong with a data set. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum DataError {
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// A file is not what it should be; the message says what was found and what to do.
    #[error("{path}: {message}", path = path.display())]
    Invalid { path: PathBuf, message: String },
    /// A picture could not be read.
    #[error("{path}: {source}", path = path.display())]
    Image { path: PathBuf, source: ImagingError },
    /// The request makes no sense for this data; the message says why and what to do.
    #[error("{0}")]
    Request(String),
    /// A download did not come to its end; the message says why and what to do.
    #[error("{url}: {message}")]
    Download { url: String, message: String },
    /// The user asked to stop.
    #[error("stopped")]
    Stopped,
}
