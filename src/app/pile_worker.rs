//! The thread that decodes and classifies many pictures, a batch at a time, and what it tells.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use egui::{ColorImage, Context};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::pile::Row;
use super::tasks::words_of;
use crate::explain::{Classifier, Familiarity};
use crate::imaging::{Image, Rendering, Source, find_pictures, group_bands};

/// The largest side of a thumbnail in the table, pixels.
const THUMBNAIL: usize = 40;
/// Batches that may wait for the window.
const WAITING: usize = 4;

/// What the worker tells.
pub enum PileEvent {
    /// So many pictures were found, and whether there are FITS files among them.
    Found(usize, bool),
    /// Some were classified.
    Rows(Vec<Row>),
    /// It is over.
    Done,
    /// It broke off by a fault of the program, which said this.
    Broke(String),
}

/// Who is asked about the pictures, and how.
#[derive(Clone)]
pub struct Asked {
    /// The model.
    pub classifier: Arc<Classifier>,
    /// What it finds familiar, if that is known.
    pub familiar: Option<Arc<Familiarity>>,
    /// How FITS numbers become pictures.
    pub rendering: Rendering,
    /// Whether answers are the mean over the eight flips and turns.
    pub average: bool,
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
        Self::run(context, move |told| work(&paths, &model, told))
    }

    fn run(context: Context, work: impl FnOnce(&Told) + Send + 'static) -> std::io::Result<Self> {
        let (sender, receiver) = bounded(WAITING);
        let stop = Arc::new(AtomicBool::new(false));
        let told = Told { sender, context, stopped: Arc::clone(&stop) };
        std::thread::Builder::new().name("app-pile".into()).spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(&told))) {
                told.tell(PileEvent::Broke(words_of(&*panic)));
            }
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
    let pictures = find_pictures(paths, |path, reason| unread.push(Row::unread(Source::File(path.to_owned()), None, reason.to_owned())));
    let pictures = group_bands(&pictures);
    let fits = pictures.iter().any(Source::is_fits);
    if !told.tell(PileEvent::Found(pictures.len() + unread.len(), fits)) || !told.tell(PileEvent::Rows(unread)) {
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
        let image = source.open(&asked.rendering).map_err(|error| error.to_string())?;
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
    let mut readings = match classifier.look(&ready, asked.average) {
        Ok(readings) => readings.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error.to_string()); ready.len()],
    }
    .into_iter();
    let row = |(source, thumbnail): (&Source, Result<ColorImage, String>)| {
        let (thumbnail, reading) = match thumbnail {
            Ok(thumbnail) => (Some(thumbnail), readings.next().unwrap_or_else(|| Err("there is no answer".into()))),
            Err(reason) => (None, Err(reason)),
        };
        match reading {
            Ok(reading) => Row::new(source.clone(), thumbnail, reading, asked.familiar.as_deref()),
            Err(reason) => Row::unread(source.clone(), thumbnail, reason),
        }
    };
    batch.iter().zip(thumbnails).map(row).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_worker_that_breaks_off_says_so() {
        let worker = PileWorker::run(Context::default(), |told| {
            told.tell(PileEvent::Found(3, false));
            panic!("on purpose");
        })
        .expect("a thread");
        let (start, mut events) = (Instant::now(), Vec::new());
        while events.len() < 2 {
            assert!(start.elapsed() < Duration::from_secs(10), "the worker never told");
            events.extend(worker.events());
        }
        assert!(matches!(&events[..], [PileEvent::Found(3, false), PileEvent::Broke(words)] if words == "on purpose"));
    }
}
