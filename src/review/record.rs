//! A run as it lies in its folder: what it was, how each epoch went, and the probabilities that are kept. Read
//! only; parts that are missing or damaged are told in words, and the rest is still there.

use std::path::Path;

use crate::data::{Dataset, Part};
use crate::metrics::Predictions;
use crate::train::{Config, EpochReport, KeptEpochs, RecordedSplit, RunError, RunFolder, Session};

/// Why something of a run cannot be shown. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// The folder is no run, or a file of it cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// What was asked for does not fit the run; the message says why.
    #[error("{0}")]
    Request(String),
}

/// A run, read from its folder.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it is.
    pub folder: RunFolder,
    /// The folder's name.
    pub name: String,
    /// What it was asked to do.
    pub config: Config,
    /// What its events told, training steps left out.
    pub session: Session,
    /// Which images it used, if that is still known.
    pub split: Option<RecordedSplit>,
    /// The epochs whose probabilities are kept: of the validation images those of the run, of the other parts those whose
    /// model was evaluated on them.
    pub kept: KeptEpochs,
    /// The epochs whose model is there, ascending: those that are kept, and the best one.
    pub models: Vec<usize>,
    /// What is missing or damaged, in words for the user.
    pub problems: Vec<String>,
    /// The labels of all images of the data set, if they are known.
    labels: Option<Vec<u32>>,
}

impl Record {
    /// Reads a run folder. Probabilities are only listed; they are read when they are asked for.
    ///
    /// # Errors
    /// If there is no run in the folder, or its configuration cannot be read.
    pub fn open(path: &Path) -> Result<Self, ReviewError> {
        let folder = RunFolder::open(path)?;
        let config = folder.config()?;
        let mut problems = Vec::new();
        let session = folder.outline().unwrap_or_else(|error| {
            problems.push(format!("What the run told cannot be read: {error}."));
            Session::default()
        });
        if !folder.events_path().exists() {
            problems.push(format!(
                "{} is gone, so nobody knows how the run went; what it kept of its answers is still here.",
                folder.events_path().display()
            ));
        }
        let split = folder.split().map_err(|error| problems.push(format!("Which images were used is not known any more: {error}."))).ok();
        let kept = match folder.kept_epochs() {
            Ok(kept) => {
                problems.extend(gone(&kept, &session, path));
                kept
            }
            // this says why they are gone, too
            Err(error) => {
                problems.push(format!("The kept probabilities cannot be listed, so there are matrices, but no galaxies: {error}."));
                KeptEpochs::default()
            }
        };
        let mut models: Vec<usize> = match folder.snapshots() {
            Ok(snapshots) => snapshots.into_iter().map(|(epoch, _)| epoch).collect(),
            Err(error) => {
                problems.push(format!("The models of single epochs cannot be listed, so only the best one can be evaluated: {error}."));
                Vec::new()
            }
        };
        models.extend(session.best_epoch().map(|best| best.epoch).filter(|_| folder.best_model().is_file()));
        models.sort_unstable();
        models.dedup();
        let labels = split.as_ref().map(|split| split.labels.clone()).filter(|labels| !labels.is_empty());
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { folder, name, config, session, split, kept, models, problems, labels })
    }

    /// Takes the labels from the data set if the run did not write them down (older runs) and the data set is the run's.
    pub fn learn_labels(&mut self, dataset: &Dataset) {
        if self.labels.is_none() && self.difference(dataset).is_none() {
            self.labels = Some(dataset.labels.clone());
        }
    }

    /// What tells `dataset` from the one of the run, in words; `None` if it is the same as far as anybody can tell.
    #[must_use]
    pub fn difference(&self, dataset: &Dataset) -> Option<String> {
        let Some(split) = &self.split else {
            return Some("which images the run used is not known any more (split.json)".into());
        };
        let other_labels = || {
            let differ = self.labels.as_ref().is_some_and(|labels| *labels != dataset.labels);
            differ.then(|| "its images have other labels".to_owned())
        };
        split.difference(dataset).or_else(other_labels)
    }

    /// Class names in label order; numbered where nobody knows them any more.
    #[must_use]
    pub fn classes(&self) -> Vec<String> {
        let told = self.session.started.as_ref().map(|started| &started.classes);
        if let Some(classes) = self.split.as_ref().map(|split| &split.classes).or(told) {
            return classes.clone();
        }
        let classes = self.session.epochs.first().map_or(0, |epoch| epoch.confusion.classes());
        (0..classes).map(|class| format!("class {class}")).collect()
    }

    /// The epochs whose validation can be shown, ascending: those that were told and those whose probabilities are kept.
    #[must_use]
    pub fn epochs(&self) -> Vec<usize> {
        let mut epochs: Vec<usize> = self.session.epochs.iter().map(|e| e.epoch).chain(self.kept.of(Part::Valid).iter().copied()).collect();
        epochs.sort_unstable();
        epochs.dedup();
        epochs
    }

    /// What was told of an epoch.
    #[must_use]
    pub fn report(&self, epoch: usize) -> Option<&EpochReport> {
        self.session.epochs.iter().find(|report| report.epoch == epoch)
    }

    /// The best epoch if it is known, else the last that can be shown.
    #[must_use]
    pub fn best_epoch(&self) -> Option<usize> {
        self.session.best_epoch().map(|e| e.epoch).or_else(|| self.epochs().last().copied())
    }

    /// The images of a part, as indices into the data set.
    #[must_use]
    pub fn images(&self, part: Part) -> &[u32] {
        self.split.as_ref().map_or(&[], |split| split.split.part(part))
    }

    /// The labels of the images of a part; `None` if they are not known.
    #[must_use]
    pub fn labels(&self, part: Part) -> Option<Vec<u32>> {
        let labels = self.labels.as_ref()?;
        self.images(part).iter().map(|&image| labels.get(image as usize).copied()).collect()
    }

    /// Labels and probabilities of the images of a part after an epoch (counted from 1), in the order of the split.
    ///
    /// # Errors
    /// If they are gone or damaged, or do not fit the split.
    pub fn predictions(&self, part: Part, epoch: usize) -> Result<Predictions, ReviewError> {
        let labels = self.labels(part).ok_or_else(|| {
            let path = self.folder.path().display();
            ReviewError::Request(format!("the labels of {path} are not known; open the run's data set ({}) first", self.config.data))
        })?;
        let table = self.folder.probabilities(part, epoch)?;
        let classes = self.classes().len();
        if table.len() != labels.len() || table.classes != classes {
            return Err(ReviewError::Request(format!(
                "the probabilities of epoch {epoch} are of {} images and {} classes, but the run has {} {} images and {classes} classes; the \
                 file is of another run, choose another epoch",
                table.len(),
                table.classes,
                labels.len(),
                part.title()
            )));
        }
        let probabilities = table.values.iter().map(|p| p.to_f32()).collect();
        Predictions::new(classes, labels, probabilities)
            .map_err(|error| ReviewError::Request(format!("the probabilities of epoch {epoch} cannot be used: {error}")))
    }

    /// Whether another run has the same images of the same data set in a part; if not, what differs, in words.
    ///
    /// # Errors
    /// A message that names both runs.
    pub fn comparable(&self, other: &Self, part: Part) -> Result<(), ReviewError> {
        let refuse = |why: String| {
            Err(ReviewError::Request(format!(
                "{} and {} cannot be compared: {why}. Choose two runs of one data set and split",
                self.name, other.name
            )))
        };
        let (Some(a), Some(b)) = (&self.split, &other.split) else {
            return refuse("which images were used is not known any more (split.json is gone)".into());
        };
        if a.classes != b.classes {
            return refuse(format!("their classes are {} and {}", a.classes.join(", "), b.classes.join(", ")));
        }
        if a.images != b.images {
            return refuse(format!("their data sets have {} and {} images", a.images, b.images));
        }
        if a.split.part(part) != b.split.part(part) {
            return refuse(format!("their {} images are others (another split seed)", part.title()));
        }
        match (self.labels(part), other.labels(part)) {
            (Some(a), Some(b)) if a != b => refuse("the same images have other labels".into()),
            _ => Ok(()),
        }
    }
}

/// What is to be said of validation probabilities that are gone.
fn gone(kept: &KeptEpochs, session: &Session, path: &Path) -> Option<String> {
    let (kept, reported) = (kept.of(Part::Valid).len(), session.epochs.len());
    (kept < reported).then(|| {
        let gone = reported - kept;
        let folder = path.join("predictions");
        let folder = folder.display();
        format!("The probabilities of {gone} of {reported} epochs are gone from {folder}; for those there is a matrix, but no galaxies.")
    })
}
