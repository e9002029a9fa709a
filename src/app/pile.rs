//! Many pictures at once: a worker thread decodes and classifies them a batch at a time; the window shows them as a table. Memory
//! is bounded by a row and a small thumbnail a picture; one bad file does not stop the rest.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use egui::{ColorImage, Context};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::explain::{AnswerTable, Classifier, Familiarity, Nearness, TableFormat, best};
use crate::files::NewFile;
use crate::imaging::{Image, Rendering, Source, find_pictures, group_bands};

/// The largest side of a thumbnail in the table, pixels.
const THUMBNAIL: usize = 40;
/// Batches that may wait for the window.
const WAITING: usize = 4;

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
}

impl Row {
    fn new(source: Source, thumbnail: Option<ColorImage>, answer: Result<Vec<f32>, String>, nearness: Option<Nearness>) -> Self {
        let probabilities = answer.as_deref().unwrap_or_default();
        let entropy = probabilities.iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum();
        Self { class: best(probabilities), entropy, source, answer, thumbnail, nearness }
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

/// What the worker tells.
pub enum PileEvent {
    /// So many pictures were found.
    Found(usize),
    /// Some were classified.
    Rows(Vec<Row>),
    /// It is over.
    Done,
}

/// Who is asked about the pictures.
pub struct Asked {
    /// The model.
    pub classifier: Arc<Classifier>,
    /// What it finds familiar, if that is known.
    pub familiar: Option<Arc<Familiarity>>,
}

/// The worker's other end. Dropping it stops the worker after its present batch.
pub struct PileWorker {
    receiver: Receiver<PileEvent>,
    stop: Arc<AtomicBool>,
}

impl PileWorker {
    /// Classifies the pictures among `paths` and in folders there; `context` is woken by each batch.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(paths: Vec<PathBuf>, model: Asked, context: Context) -> std::io::Result<Self> {
        let (sender, receiver) = bounded(WAITING);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        std::thread::Builder::new().name("app-pile".into()).spawn(move || {
            work(&paths, &model, &Told { sender, context, stopped });
        })?;
        Ok(Self { receiver, stop })
    }

    /// What the worker told since the last time.
    pub fn events(&self) -> impl Iterator<Item = PileEvent> {
        self.receiver.try_iter()
    }
}

impl Drop for PileWorker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Where the worker tells.
struct Told {
    sender: Sender<PileEvent>,
    context: Context,
    stopped: Arc<AtomicBool>,
}

impl Told {
    /// False if nobody listens any more.
    fn tell(&self, event: PileEvent) -> bool {
        let heard = !self.stopped.load(Ordering::Relaxed) && self.sender.send(event).is_ok();
        self.context.request_repaint();
        heard
    }
}

fn work(paths: &[PathBuf], asked: &Asked, told: &Told) {
    let mut unread = Vec::new();
    let pictures =
        find_pictures(paths, |path, reason| unread.push(Row::new(Source::File(path.to_owned()), None, Err(reason.to_owned()), None)));
    let pictures = group_bands(&pictures);
    if !told.tell(PileEvent::Found(pictures.len() + unread.len())) || !told.tell(PileEvent::Rows(unread)) {
        return;
    }
    for batch in pictures.chunks(asked.classifier.batch()) {
        if !told.tell(PileEvent::Rows(rows(asked, batch))) {
            return;
        }
    }
    told.tell(PileEvent::Done);
}

/// Decodes and classifies a batch. Of each picture only what the network takes and the thumbnail are kept, so that a batch of large ones
/// needs the memory of one a thread.
fn rows(asked: &Asked, batch: &[Source]) -> Vec<Row> {
    let classifier = &asked.classifier;
    let decode = |source: &Source| -> Result<(Image, ColorImage), String> {
        let image = source.open(&Rendering::default()).map_err(|error| error.to_string())?;
        let small = image.thumbnail(THUMBNAIL);
        Ok((classifier.prepare(&image), ColorImage::from_rgb([small.width(), small.height()], small.pixels())))
    };
    let decoded: Vec<Result<(Image, ColorImage), String>> = batch.par_iter().map(decode).collect();
    let (mut ready, mut thumbnails) = (Vec::new(), Vec::new());
    for result in decoded {
        thumbnails.push(result.map(|(image, thumbnail)| {
            ready.push(image);
            thumbnail
        }));
    }
    let mut readings = match classifier.look(&ready) {
        Ok(readings) => readings.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error.to_string()); ready.len()],
    }
    .into_iter();
    let row = |(source, thumbnail): (&Source, Result<ColorImage, String>)| {
        let (thumbnail, reading) = match thumbnail {
            Ok(thumbnail) => (Some(thumbnail), readings.next().unwrap_or_else(|| Err("there is no answer".into()))),
            Err(reason) => (None, Err(reason)),
        };
        let nearness = reading.as_ref().ok().and_then(|reading| asked.familiar.as_ref()?.nearness(&reading.features));
        Row::new(source.clone(), thumbnail, reading.map(|reading| reading.probabilities), nearness)
    };
    batch.iter().zip(thumbnails).map(row).collect()
}
