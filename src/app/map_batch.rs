//! Maps of many pictures of the data set as files: one PNG a picture in a folder. One bad picture does not stop the rest.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::explored::Progress;
use super::inspect::Question;
use crate::data::Dataset;
use crate::explain::{Classifier, Content, Explainer, Scene};
use crate::files;
use crate::imaging;

/// Maps that are to be written.
pub struct Batch {
    /// The data set.
    pub set: Arc<Dataset>,
    /// The pictures, as indices into it.
    pub indices: Arc<Vec<usize>>,
    /// The model.
    pub classifier: Arc<Classifier>,
    /// Which map of each, and how it is drawn.
    pub question: Question,
    /// Where the files go.
    pub folder: PathBuf,
}

/// How it went.
#[derive(Debug)]
pub struct Written {
    /// Where the files are.
    pub folder: PathBuf,
    /// Files that were written.
    pub files: usize,
    /// Pictures without a file, with the reason.
    pub failed: Vec<(usize, String)>,
    /// Whether it was ended early.
    pub stopped: bool,
}

impl Written {
    /// It in words for the user.
    #[must_use]
    pub fn words(&self) -> String {
        let maps = if self.files == 1 { "One map is".to_owned() } else { format!("{} maps are", self.files) };
        let early = if self.stopped { " The rest was not made because you ended it." } else { "" };
        let failed = match self.failed.as_slice() {
            [] => String::new(),
            [(index, reason), ..] => format!(" {} could not be made, the first that of image {index}: {reason}", self.failed.len()),
        };
        format!("{maps} in {}.{early}{failed}", self.folder.display())
    }
}

impl Batch {
    /// Writes the maps.
    ///
    /// # Errors
    /// If the folder cannot be made, or the first file cannot be written: then none can.
    pub fn write(&self, progress: &Progress) -> Result<Written, String> {
        let advice = |error: &dyn std::fmt::Display| format!("{}: {error}. Choose another place or make room.", self.folder.display());
        std::fs::create_dir_all(&self.folder).map_err(|error| advice(&error))?;
        let mut written = Written { folder: self.folder.clone(), files: 0, failed: Vec::new(), stopped: false };
        for &index in self.indices.iter() {
            if progress.stop.load(Ordering::Relaxed) {
                written.stopped = true;
                break;
            }
            match self.draw(index) {
                Ok(bytes) => match imaging::write_file(&self.free_path(index), &bytes) {
                    Ok(()) => written.files += 1,
                    Err(error) if written.files == 0 => return Err(advice(&error)),
                    Err(error) => written.failed.push((index, error.to_string())),
                },
                Err(reason) => written.failed.push((index, reason)),
            }
            progress.done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(written)
    }

    /// The figure of one picture, as the Classify panel saves it.
    fn draw(&self, index: usize) -> Result<Vec<u8>, String> {
        let picture = self.set.images.image(index).map_err(|error| error.to_string())?;
        let frame = self.question.fit.frame(picture.width(), picture.height());
        let explainer = Explainer::new(Arc::clone(&self.classifier), &picture.crop(frame), self.question.average);
        let explainer = explainer.map_err(|error| error.to_string())?;
        let mut question = self.question.clone();
        question.fit_to(&explainer);
        let name = subject_name(&self.set, index);
        let scene = Scene { name: &name, picture: &picture, frame, explainer: &explainer };
        scene.png(&question.request(&explainer), &question.style, Content::Figure).map_err(|error| error.to_string())
    }

    /// The file of a picture: its number, so that files sort as the data set does; never one that is there already.
    fn free_path(&self, index: usize) -> PathBuf {
        files::free_place(&self.folder, &stem(index), "png")
    }
}

/// What the file of a picture is called, without its extension.
fn stem(index: usize) -> String {
    format!("image_{index:05}")
}

/// What a picture of a data set is called where it is classified.
#[must_use]
pub fn subject_name(set: &Dataset, index: usize) -> String {
    format!("image {index} of {}, labelled {}", set.name, set.classes[set.labels[index] as usize])
}
