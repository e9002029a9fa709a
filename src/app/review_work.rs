//! The slow work behind the Confusion panel: reading runs, working tables out, evaluating, writing files. Runs on task
//! threads; knows no egui. Errors are in words for the user.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::explored::Progress;
use super::reviewed::Evaluated;
use crate::data::{Dataset, Part};
use crate::explain::Calibration;
use crate::files;
use crate::metrics::{Comparison, Learning, Predictions, compare as compare_predictions, forgetting};
use crate::review::{Analysis, Record, Subject, report as page};
use crate::train;

/// Where predictions come from.
pub enum Source {
    /// They are in memory.
    Ready(Arc<Predictions>),
    /// The images of a part of a run at an epoch, on disk.
    Read(Arc<Record>, Part, usize),
}

impl Source {
    /// The predictions.
    pub fn predictions(&self) -> Result<Arc<Predictions>, String> {
        match self {
            Self::Ready(predictions) => Ok(Arc::clone(predictions)),
            Self::Read(record, part, epoch) => record.predictions(*part, *epoch).map(Arc::new).map_err(|error| error.to_string()),
        }
    }
}

/// Reads a run folder; `open` is the data set that is open, from which older runs learn their labels.
pub fn open(path: &Path, open: Option<&Dataset>) -> Result<Box<Record>, String> {
    let mut record = Record::open(path).map_err(|error| error.to_string())?;
    // the curves want the training steps too; what cannot be read of the events is told by the record already
    if let Ok(session) = record.folder.session() {
        record.session = session;
    }
    if let Some(dataset) = open {
        record.learn_labels(dataset);
    }
    Ok(Box::new(record))
}

/// The run folders in `parent`, the newest first. A folder that cannot be read has none.
pub fn runs_in(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut runs: Vec<(std::time::SystemTime, PathBuf)> = entries
        .filter_map(|entry| {
            let config = entry.ok()?.path().join("config.json");
            let time = config.metadata().and_then(|metadata| metadata.modified()).ok()?;
            Some((time, config.parent()?.to_owned()))
        })
        .collect();
    runs.sort_by(|a, b| b.cmp(a));
    runs.into_iter().map(|(_, path)| path).collect()
}

/// Works everything out that is read off predictions.
pub fn analyse(source: &Source) -> Result<Arc<Analysis>, String> {
    Ok(Arc::new(Analysis::new((*source.predictions()?).clone())))
}

/// What became of each validation image over the epochs that are kept.
pub fn learning(record: &Record) -> Result<Arc<Vec<Learning>>, String> {
    let kept = record.kept.of(Part::Valid);
    let epochs: Vec<Predictions> =
        kept.iter().map(|&epoch| record.predictions(Part::Valid, epoch)).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    forgetting(&epochs).map(Arc::new).ok_or_else(|| "no epoch's probabilities are kept".to_owned())
}

/// The second predictions against the first; runs of other data are refused.
pub fn compare(a: &Record, b: &Record, part: Part, first: &Source, second: &Source) -> Result<Arc<Comparison>, String> {
    a.comparable(b, part).map_err(|error| error.to_string())?;
    let (first, second) = (first.predictions()?, second.predictions()?);
    compare_predictions(&first, &second)
        .map(Arc::new)
        .ok_or_else(|| "the two are about other images; choose two runs of one data set and split".to_owned())
}

/// Evaluates the model of an epoch of a run (`None`: the best one) on a part of its data and keeps what came out in the run's folder.
pub fn evaluate(
    record: &Record,
    epoch: Option<usize>,
    part: Part,
    set: &Arc<Dataset>,
    progress: &Progress,
) -> Result<Option<Evaluated>, String> {
    let go_on = |done| {
        progress.done.store(done, Ordering::Relaxed);
        !progress.stop.load(Ordering::Relaxed)
    };
    let evaluation = train::evaluate(&record.folder, epoch, part, set, go_on).map_err(|error| error.to_string())?;
    let Some(evaluation) = evaluation else { return Ok(None) };
    let kept = evaluation.keep(&record.folder).map_err(|error| error.to_string());
    // what is shown now is what is shown when the run is opened again
    let again = evaluation.epoch.filter(|_| kept.is_ok()).and_then(|epoch| record.predictions(part, epoch).ok());
    let predictions = again.map_or_else(|| evaluation.predictions().map_err(|error| error.to_string()), Ok)?;
    Ok(Some(Evaluated { epoch: evaluation.epoch, predictions: Arc::new(predictions), kept }))
}

/// The temperature that is stored with a run's model, if one is.
pub fn stored_calibration(record: &Record) -> Option<Calibration> {
    Calibration::of_model(&record.folder.best_model())
}

/// One page about a run as HTML.
pub fn report(record: &Record, part: Part, epoch: usize, predictions: Option<&Predictions>, set: Option<&Dataset>) -> Vec<u8> {
    let learning = if part == Part::Valid { learning(record).ok() } else { None };
    let subject = Subject {
        record,
        part,
        epoch,
        predictions: predictions.cloned(),
        learning: learning.map(|learning| (*learning).clone()),
        dataset: set,
    };
    page(&subject).into_bytes()
}

/// Writes a file whole or not at all.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), String> {
    files::write_whole(path, bytes).map_err(|error| error.to_string())
}

/// An SVG drawing as a PNG file, twice as many pixels a side.
pub fn png(svg: &str) -> Result<Vec<u8>, String> {
    let mut options = resvg::usvg::Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    fonts.set_sans_serif_family("Ubuntu");
    let tree = resvg::usvg::Tree::from_str(svg, &options).map_err(|error| format!("the drawing cannot be read ({error})"))?;
    let scale = 2.0;
    let size = tree.size();
    let mut pixels = resvg::tiny_skia::Pixmap::new((size.width() * scale).ceil() as u32, (size.height() * scale).ceil() as u32)
        .ok_or("the drawing is too large to become pixels")?;
    resvg::render(&tree, resvg::tiny_skia::Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}
