//! The slow work for the Explore panel: choosing pictures, letting a model go through them, duplicates, maps, tables.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::app::explored::{MapPoint, Progress, Projection, Read, Table};
use crate::data::export::export;
use crate::data::integrity::{Integrity, integrity};
use crate::data::query::{Facts, Query, QueryError};
use crate::data::{self, Dataset, Marks, Part, Predictions};
use crate::explain::{Classifier, Points, nearest, tsne};
use crate::files;
use crate::review::{self, Record};

/// What a model saw in pictures: a row of numbers each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    /// The pictures, in the order in which they were read.
    pub indices: Vec<usize>,
    /// Their numbers, row by row.
    pub values: Vec<f32>,
    /// Numbers in a row.
    pub width: usize,
}

/// Everything that decides which pictures are chosen, for a thread of its own.
#[derive(Clone)]
pub struct Known {
    pub set: Arc<Dataset>,
    pub parts: Vec<Option<Part>>,
    pub predictions: Option<Arc<Predictions>>,
    pub marks: Option<Arc<Marks>>,
}

impl Known {
    pub fn facts(&self) -> Facts<'_> {
        Facts { dataset: &self.set, parts: &self.parts, predictions: self.predictions.as_deref(), marks: self.marks.as_deref() }
    }
}

/// The pictures that pass, of a list if there is one; in the order of the list unless the filter asks for another.
pub fn select(query: &Query, list: Option<&[usize]>, facts: &Facts) -> Result<Vec<usize>, QueryError> {
    let passing = query.run(facts)?;
    let Some(list) = list else { return Ok(passing) };
    let members = |which: &[usize]| {
        let mut inside = vec![false; facts.dataset.len()];
        for &index in which {
            inside[index] = true;
        }
        inside
    };
    let (order, other) = if query.sort().is_some() { (passing.as_slice(), list) } else { (list, passing.as_slice()) };
    let inside = members(other);
    Ok(order.iter().copied().filter(|&index| inside[index]).collect())
}

/// Lets a model go through pictures, and adds what it says to what it said before. A stop keeps what is done.
pub fn read(
    set: &Dataset,
    which: &[usize],
    before: (Predictions, Arc<Features>),
    read: (Arc<Classifier>, String),
    progress: &Progress,
) -> Result<Box<(Predictions, Read)>, String> {
    let (mut predictions, features) = before;
    let mut features = features.as_ref().clone();
    let (model, description) = read;
    model.check_classes(&set.classes).map_err(|error| error.to_string())?;
    let mut unreadable = None;
    for batch in which.chunks(model.batch().min(16)) {
        if progress.stop.load(Ordering::Relaxed) {
            break;
        }
        let mut indices = Vec::with_capacity(batch.len());
        let mut images = Vec::with_capacity(batch.len());
        for &index in batch {
            match set.images.image(index) {
                Ok(image) => {
                    indices.push(index);
                    images.push(image);
                }
                Err(error) => unreadable = Some(error.to_string()),
            }
        }
        for (index, reading) in indices.into_iter().zip(model.read(&images).map_err(|error| error.to_string())?) {
            predictions.set(index, &reading.probabilities);
            features.indices.push(index);
            features.width = reading.features.len();
            features.values.extend(reading.features);
        }
        progress.done.fetch_add(batch.len(), Ordering::Relaxed);
    }
    match unreadable.filter(|_| features.indices.is_empty()) {
        Some(error) => Err(error),
        None => Ok(Box::new((predictions, Read { model, description, features: Arc::new(features) }))),
    }
}

/// What a run said of the pictures of its data set at an epoch, and what is missing of it.
pub fn answers(record: &Record, epoch: usize, set: &Dataset) -> Result<Box<(Predictions, Vec<String>)>, String> {
    let mut record = record.clone();
    record.learn_labels(set);
    review::answers(&record, epoch, set).map(Box::new).map_err(|error| error.to_string())
}

/// What is wrong with a data set.
pub fn check(set: &Dataset, parts: &[Option<Part>], progress: &Progress) -> Result<Box<Integrity>, String> {
    integrity(set, parts, &progress.done, &progress.stop).map(Box::new).map_err(|error| error.to_string())
}

/// Places for pictures on a map, and the map in words.
pub fn map(features: &Features, projection: Projection, model: &str, progress: &Progress) -> Result<(Vec<MapPoint>, String), String> {
    let points = Points::new(&features.values, features.width).ok_or("there are no features yet; classify the pictures first")?;
    let (places, words) = match projection {
        Projection::Pca => {
            let pca = points.pca(2);
            let share: f64 = pca.shares.iter().sum();
            (pca.rows(), format!("PCA of the features of {model}: {:.0} % of the variance", 100.0 * share))
        }
        Projection::Tsne => {
            let step = |done: usize| progress.done.store(done, Ordering::Relaxed);
            let stopped = || progress.stop.load(Ordering::Relaxed);
            let places = tsne(&points, &step, &stopped).map_err(|error| error.to_string())?;
            (places, format!("t-SNE of the features of {model}: what is near is alike, distances between groups mean nothing"))
        }
    };
    let place = |(&index, [x, y]): (&usize, [f64; 2])| MapPoint { index, x, y };
    Ok((features.indices.iter().zip(places).map(place).collect(), words))
}

/// The pictures whose features point most nearly the same way as those of `index`, itself first.
pub fn neighbours(features: &Features, index: usize, most: usize) -> Result<Vec<usize>, String> {
    let at = features
        .indices
        .iter()
        .position(|&other| other == index)
        .ok_or("the model has not seen this picture; classify the pictures first")?;
    let points = Points::new(&features.values, features.width).ok_or("there are no features yet")?;
    Ok(nearest(&points, at, most).into_iter().map(|row| features.indices[row]).collect())
}

/// Writes a table; the number of its rows.
pub fn write_table(table: Table, path: &Path, known: &Known, which: &[usize]) -> Result<usize, String> {
    let cannot = |error: std::io::Error| format!("{} cannot be written: {error}. Choose another place or make room.", path.display());
    if table == Table::Changes {
        let marks = known.marks.as_ref().ok_or("labels and tags are still being read")?;
        files::replace(path, |file| data::write_changes(marks, &known.set, file)).map_err(cannot)?;
        return Ok(marks.len());
    }
    export(path, table.format(), &known.facts(), which).map_err(cannot)?;
    Ok(which.len())
}
