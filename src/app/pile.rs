//! Many pictures at once: a worker thread decodes and classifies them a batch at a time; the window shows them as a table. Memory
//! is bounded by a row, its features and a small thumbnail a picture; one bad file does not stop the rest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::ColorImage;

use crate::explain::{AnswerTable, Classifier, Familiarity, Nearness, Reading, TableFormat, best};
use crate::files::NewFile;
use crate::imaging::{Rendering, Source};

/// A column that the table can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// The order of the files.
    #[default]
    Name,
    /// The most probable class.
    Class,
    /// Its probability.
    Probability,
    /// The entropy of all probabilities.
    Entropy,
    /// The distance to the training pictures.
    Distance,
}

impl Column {
    /// All of them, from left to right.
    pub const ALL: [Self; 5] = [Self::Name, Self::Class, Self::Probability, Self::Entropy, Self::Distance];

    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Class => "Class",
            Self::Probability => "Probability",
            Self::Entropy => "Entropy",
            Self::Distance => "Distance",
        }
    }
}

/// A picture of the pile.
pub struct Row {
    /// Its file, or its three.
    pub source: Source,
    /// The probability of each class, or why there is none.
    pub answer: Result<Vec<f32>, String>,
    /// A small copy.
    pub thumbnail: Option<ColorImage>,
    /// The most probable class.
    pub class: Option<usize>,
    /// The entropy of the probabilities, bits.
    pub entropy: f32,
    /// How near it is to the training pictures, if that is known.
    pub nearness: Option<Nearness>,
    /// What the model saw in it, as long as its nearness is not known.
    pub features: Vec<f32>,
}

impl Row {
    /// Of a picture that was classified.
    #[must_use]
    pub fn new(source: Source, thumbnail: Option<ColorImage>, reading: Reading, familiar: Option<&Familiarity>) -> Self {
        let Reading { probabilities, features } = reading;
        let entropy = probabilities.iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum();
        let nearness = familiar.and_then(|known| known.nearness(&features));
        let features = if familiar.is_some() { Vec::new() } else { features };
        Self { class: best(&probabilities), entropy, source, answer: Ok(probabilities), thumbnail, nearness, features }
    }

    /// Of one that has no answer, and why.
    #[must_use]
    pub fn unread(source: Source, thumbnail: Option<ColorImage>, reason: String) -> Self {
        Self { class: None, entropy: 0.0, source, answer: Err(reason), thumbnail, nearness: None, features: Vec::new() }
    }

    /// The probability of its class; 0 without an answer.
    #[must_use]
    pub fn probability(&self) -> f32 {
        self.class.and_then(|class| self.answer.as_ref().ok().map(|p| p[class])).unwrap_or(0.0)
    }

    /// Its distance to the training pictures; below all others where it is not known.
    fn distance(&self) -> f32 {
        self.nearness.map_or(-1.0, |near| near.distance)
    }
}

/// Many pictures and what the model says of them.
#[derive(Default)]
pub struct Pile {
    /// The rows, as they were classified.
    pub rows: Vec<Row>,
    /// The rows as they are shown.
    pub order: Vec<usize>,
    /// What they are sorted by, and whether the largest is first.
    pub sort: (Column, bool),
    /// How many pictures there are, once they are found.
    pub total: Option<usize>,
    /// Rows without an answer.
    pub failed: usize,
    /// Class names.
    pub classes: Vec<String>,
    /// What model it was.
    pub model: String,
    /// That model.
    pub classifier: Option<Arc<Classifier>>,
    /// What was dropped.
    pub paths: Vec<PathBuf>,
    /// How FITS numbers became pictures.
    pub rendering: Rendering,
    /// Whether answers are the mean over the eight flips and turns.
    pub average: bool,
    /// Whether there are FITS files among them.
    pub fits: bool,
    /// Whether it is known how near the pictures are to the training pictures.
    pub familiar: bool,
    /// Whether the worker is at it.
    pub running: bool,
    /// Whether the table is shown, and not one picture.
    pub open: bool,
    /// Pictures that wait for a model that is being read.
    pub waiting: Vec<PathBuf>,
    /// Counts up with each pile.
    pub generation: u64,
}

/// A change of the pile.
#[derive(Clone, Debug, PartialEq)]
pub enum PileAction {
    /// Sorts by a column; again by the same turns the order around.
    Sort(Column),
    /// Looks at one picture.
    Look(usize),
    /// Shows the table again.
    Back,
    /// Stops classifying; what is there stays.
    Cancel,
    /// Forgets the pile.
    Clear,
    /// Classifies the same files again, with the model, the rendering and the averaging of now.
    Again,
    /// Asks where to save the table.
    Save(TableFormat),
    /// Saves the table.
    SaveTo(TableFormat, PathBuf),
}

impl Pile {
    /// Takes rows over and sorts them in.
    pub fn take(&mut self, rows: Vec<Row>) {
        self.failed += rows.iter().filter(|row| row.answer.is_err()).count();
        self.order.extend(self.rows.len()..self.rows.len() + rows.len());
        self.rows.extend(rows);
        self.arrange();
    }

    /// Sorts by a column; again by the same turns the order around.
    pub fn sort_by(&mut self, column: Column) {
        let falling =
            if self.sort.0 == column { !self.sort.1 } else { matches!(column, Column::Probability | Column::Entropy | Column::Distance) };
        self.sort = (column, falling);
        self.arrange();
    }

    /// What the model saw in the pictures whose nearness is not known, by row; they leave the rows.
    #[must_use]
    pub fn take_features(&mut self) -> Vec<(usize, Vec<f32>)> {
        let features = self.rows.iter_mut().map(|row| std::mem::take(&mut row.features)).enumerate();
        features.filter(|(_, features)| !features.is_empty()).collect()
    }

    /// Takes distances over, by row, and sorts them in.
    pub fn take_distances(&mut self, distances: Vec<(usize, Option<Nearness>)>) {
        for (number, nearness) in distances {
            if let Some(row) = self.rows.get_mut(number) {
                row.nearness = nearness;
            }
        }
        self.familiar = true;
        self.arrange();
    }

    fn arrange(&mut self) {
        let (rows, (column, falling)) = (&self.rows, self.sort);
        self.order.sort_by(|&a, &b| {
            let (x, y) = (&rows[a], &rows[b]);
            let by = match column {
                Column::Name => a.cmp(&b),
                Column::Class => x.class.cmp(&y.class),
                Column::Probability => x.probability().total_cmp(&y.probability()),
                Column::Entropy => x.entropy.total_cmp(&y.entropy),
                Column::Distance => x.distance().total_cmp(&y.distance()),
            };
            (if falling { by.reverse() } else { by }).then(a.cmp(&b))
        });
    }

    /// What a table of it says, in the order shown, to be written on another thread; pictures without an answer are left out.
    #[must_use]
    pub fn answers(&self) -> Answers {
        let row = |&row: &usize| {
            let row: &Row = &self.rows[row];
            let probabilities = row.answer.as_ref().ok()?.clone();
            Some((row.source.path().to_owned(), probabilities, row.nearness))
        };
        let rows = self.order.iter().filter_map(row).collect();
        Answers { classes: self.classes.clone(), model: self.model.clone(), familiar: self.familiar, rows }
    }
}

/// The answers of a pile.
pub struct Answers {
    classes: Vec<String>,
    model: String,
    familiar: bool,
    rows: Vec<(PathBuf, Vec<f32>, Option<Nearness>)>,
}

impl Answers {
    /// Writes them as a table.
    ///
    /// # Errors
    /// If the file cannot be written, in words for the user.
    pub fn save(&self, format: TableFormat, path: &Path) -> Result<(), String> {
        let write = || {
            let mut table = AnswerTable::new(format, NewFile::create(path)?, &self.classes, &self.model, self.familiar)?;
            for (path, probabilities, nearness) in &self.rows {
                table.write(&path.display().to_string(), probabilities, *nearness)?;
            }
            table.finish()?.keep()
        };
        write().map_err(|error: std::io::Error| format!("{}: {error}", path.display()))
    }
}
