//! What is true of the Explore panel: the filter and what passes it, the user's marks, what a model says of the pictures,
//! what is wrong with the data set, and the map of features. Made afresh with each data set.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::state::Data;
use super::work::explore::Features;
use crate::data::export::Format;
use crate::data::integrity::Integrity;
use crate::data::query::{Facts, QueryError};
use crate::data::{LoadedMarks, Marks, Predictions, Sidecar};
use crate::explain::Classifier;

/// What the Explore panel works with.
#[derive(Default)]
pub struct Explored {
    /// The pictures that another panel asked for, instead of all of them.
    pub shown: Option<Shown>,
    /// Counts up with each list that is asked for.
    pub lists: u64,
    /// The filter, as the user wrote it.
    pub query: String,
    /// What passes it.
    pub selection: Selection,
    /// What the user marked, once the file of it is read.
    pub marked: Option<Marked>,
    /// What a model says of the pictures: the one that went through them, or a run at an epoch.
    pub predictions: Option<Arc<Predictions>>,
    /// Which run and epoch said it; `None` is the model that went through them.
    pub answers_of: Option<(u64, usize)>,
    /// What that model said, while a run's answers stand in its place.
    pub put_by: Option<Arc<Predictions>>,
    /// The model that says it, and what it saw.
    pub read: Option<Read>,
    /// A model is going through pictures.
    pub reading: Option<Arc<Progress>>,
    /// What is wrong with the data set.
    pub integrity: Integrities,
    /// Pictures that stand in more than one part of the split, as far as is known: those of the same position are known at
    /// once, the rest when duplicates were looked for.
    pub leaks: Vec<usize>,
    /// The map of features.
    pub map: Map,
    /// Whether a table is being written.
    pub exporting: bool,
}

/// A list of pictures and why they are shown.
pub struct Shown {
    /// Why, in few words.
    pub title: String,
    /// The pictures, as indices into the data set.
    pub indices: Arc<Vec<usize>>,
    /// Which list it is.
    pub number: u64,
    /// The filter that comes back when the list is put away.
    pub before: String,
}

/// The pictures of the grid.
#[derive(Default)]
pub struct Selection {
    /// The pictures, as indices into the data set, in order.
    pub places: Arc<Vec<usize>>,
    /// What is wrong with the filter; the pictures are then those of the one before.
    pub error: Option<QueryError>,
    /// Whether the pictures are being chosen.
    pub working: bool,
}

/// The user's labels and tags.
pub struct Marked {
    /// The marks.
    pub marks: Arc<Marks>,
    /// Where they are kept.
    pub sidecar: Arc<Mutex<Sidecar>>,
    /// Where, for the user to see.
    pub place: Option<PathBuf>,
    /// Counts up with each change.
    pub changes: u64,
    /// The last change that is on disk.
    pub saved: u64,
}

/// A model with the features that it saw.
pub struct Read {
    /// The model.
    pub model: Arc<Classifier>,
    /// What it is, in words.
    pub description: String,
    /// Its features of the pictures that it went through.
    pub features: Arc<Features>,
}

/// How far slow work is; the window reads it, the work writes it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Pictures done.
    pub done: AtomicUsize,
    /// Pictures in all.
    pub all: usize,
    /// Set to end the work early.
    pub stop: AtomicBool,
}

impl Progress {
    /// Nothing done of so many pictures.
    #[must_use]
    pub fn of(all: usize) -> Arc<Self> {
        Arc::new(Self { all, ..Self::default() })
    }

    /// Share that is done, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f32 {
        self.done.load(Ordering::Relaxed) as f32 / self.all.max(1) as f32
    }
}

/// The search for duplicates.
#[derive(Default)]
pub enum Integrities {
    /// Not asked for yet.
    #[default]
    Unknown,
    /// Going on.
    Working(Arc<Progress>),
    /// Done.
    Known(Box<Integrity>),
}

/// How features become two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Projection {
    /// The two directions of most variance.
    #[default]
    Pca,
    /// t-SNE on the first fifty of those directions.
    Tsne,
}

/// The map of features.
#[derive(Default)]
pub struct Map {
    /// Which projection was asked for last.
    pub projection: Projection,
    /// Going on.
    pub working: Option<Arc<Progress>>,
    /// The pictures with their places; the same for all until it is made again.
    pub points: Arc<Vec<MapPoint>>,
    /// Counts up with each map that is made.
    pub made: u64,
    /// In words: which model, which projection, how much of the variance.
    pub description: String,
}

/// A picture on the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapPoint {
    /// The picture.
    pub index: usize,
    /// To the right.
    pub x: f64,
    /// Up.
    pub y: f64,
}

/// A change of what the Explore panel works with.
pub enum Change {
    /// Takes a filter.
    Filter(String),
    /// Puts the list of another panel away: the filter before it counts again.
    CloseShown,
    /// Gives a picture a label.
    Relabel(usize, u32),
    /// Gives a picture a tag, or takes it away.
    Tag(usize, String),
    /// Takes the last label or tag back.
    Undo,
    /// Lets the loaded model classify all pictures that it did not classify yet.
    Classify,
    /// Ends that early; what is done stays.
    StopClassifying,
    /// Takes the answers of a run at an epoch, or (`None`) those of the model that went through the pictures.
    Answers(Option<(u64, usize)>),
    /// Looks for duplicates.
    CheckIntegrity,
    /// Ends that.
    StopIntegrity,
    /// Makes the map.
    MakeMap(Projection),
    /// Ends that.
    StopMap,
    /// Shows the pictures that look most like this one to the model.
    Neighbours(usize),
    /// Asks for a file to write with the system's dialog.
    BrowseExport(Table),
    /// Writes a table.
    Export(Table, PathBuf),
}

/// Which table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Table {
    /// The pictures of the grid, CSV.
    #[default]
    Csv,
    /// The pictures of the grid, `VOTable`.
    Vot,
    /// The pictures that the user marked, CSV.
    Changes,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Vot, Self::Changes];

    /// What it is called.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Csv => "Pictures, CSV",
            Self::Vot => "Pictures, VOTable",
            Self::Changes => "Labels and tags, CSV",
        }
    }

    /// The end of its file's name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        if self == Self::Vot { "vot" } else { "csv" }
    }

    /// The form of a table of pictures.
    #[must_use]
    pub fn format(self) -> Format {
        if self == Self::Vot { Format::VoTable } else { Format::Csv }
    }
}

/// What the slow work for Explore answers.
pub enum Found {
    /// The pictures that pass a filter.
    Selected(Result<Vec<usize>, QueryError>),
    /// The user's marks, for the data set of this generation, and pictures whose position stands in two parts of the split.
    Marks(u64, Box<LoadedMarks>, Vec<usize>),
    /// Marks of the data set of this generation were kept up to this change, with what the user should know; or they were not.
    MarksSaved(u64, u64, Result<Option<String>, String>),
    /// A model went through pictures.
    Read(Result<Box<(Predictions, Read)>, String>),
    /// What a run said at an epoch, and what is missing of it.
    Answers((u64, usize), Result<Box<(Predictions, Vec<String>)>, String>),
    /// What is wrong with the data set.
    Integrity(Result<Box<Integrity>, String>),
    /// A map and what it is.
    Map(Result<(Vec<MapPoint>, String), String>),
    /// The nearest neighbours of a picture, itself first.
    Neighbours(usize, Result<Vec<usize>, String>),
    /// A file was chosen for a table.
    ExportChosen(Table, Option<PathBuf>),
    /// A table was written: where, and how many pictures; or it was not.
    Exported(Result<(PathBuf, usize), String>),
}

impl Explored {
    /// Takes a run's answers; those of the model are put by.
    pub fn take_answers(&mut self, of: (u64, usize), predictions: Predictions) {
        if self.answers_of.is_none() {
            self.put_by = self.predictions.take();
        }
        (self.answers_of, self.predictions) = (Some(of), Some(Arc::new(predictions)));
    }

    /// Goes back to what the model said that went through the pictures.
    pub fn answer_by_model(&mut self) {
        if self.answers_of.take().is_some() {
            self.predictions = self.put_by.take();
        }
    }

    /// What is known of the images of a data set.
    #[must_use]
    pub fn facts<'a>(&'a self, data: &'a Data) -> Facts<'a> {
        Facts {
            dataset: &data.set,
            parts: &data.parts,
            predictions: self.predictions.as_deref(),
            marks: self.marked.as_ref().map(|marked| marked.marks.as_ref()),
        }
    }

    /// The label of a picture that counts: the user's where there is one.
    #[must_use]
    pub fn label(&self, data: &Data, index: usize) -> u32 {
        self.facts(data).label(index)
    }
}
