//! Small textures of the pictures in sight. Worker threads read and shrink them, the newest wish first; textures that were
//! not looked at for longest go when there are more than the cap.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender};
use egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions};

use super::theme::THUMBNAIL_TEXTURE;
use crate::data::Dataset;

/// The most textures that are kept: at most 67 MB of 128 x 128 pixels.
const CAP: usize = 1024;
/// The most textures that are taken over in one frame.
const PER_FRAME: usize = 48;
/// Threads that read and shrink.
const WORKERS: usize = 2;

/// A picture that could not be read has no texture, and is not asked for again.
type Thumbnail = Option<ColorImage>;

/// What the workers share: the wishes of the last frame, the last one first.
#[derive(Default)]
struct Wishes {
    data: Option<(u64, Arc<Dataset>)>,
    indices: Vec<usize>,
    /// Begun by a worker and not taken over by the window yet.
    begun: HashSet<(u64, usize)>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    wishes: Mutex<Wishes>,
    changed: Condvar,
}

/// The thumbnails of the data set that is open.
pub struct Thumbnails {
    generation: u64,
    textures: HashMap<usize, (Option<TextureHandle>, u64)>,
    clock: u64,
    shared: Arc<Shared>,
    sender: Sender<(u64, usize, Thumbnail)>,
    receiver: Receiver<(u64, usize, Thumbnail)>,
    started: bool,
    context: Context,
}

impl Thumbnails {
    /// None yet; `context` is woken by each one that comes.
    #[must_use]
    pub fn new(context: Context) -> Self {
        let (sender, receiver) = crossbeam_channel::unbounded();
        Self { generation: 0, textures: HashMap::new(), clock: 0, shared: Arc::default(), sender, receiver, started: false, context }
    }

    /// The texture of image `index`, if it is there.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<TextureId> {
        self.textures.get(&index).and_then(|(texture, _)| texture.as_ref()).map(TextureHandle::id)
    }

    /// Whether all images that were in sight in the last frame are there (or cannot be read).
    #[must_use]
    pub fn are_complete(&self) -> bool {
        let wishes = self.shared.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        wishes.indices.is_empty() && wishes.begun.is_empty()
    }

    /// Says which images are in sight in this frame. What is missing is read in the background; wishes of earlier frames
    /// that were not begun are forgotten.
    pub fn want(&mut self, data: &Arc<Dataset>, generation: u64, indices: &[usize]) {
        if generation != self.generation {
            self.generation = generation;
            self.textures.clear();
        }
        self.clock += 1;
        let mut wishes = self.shared.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut missing = Vec::new();
        for &index in indices {
            match self.textures.get_mut(&index) {
                Some((_, seen)) => *seen = self.clock,
                None if wishes.begun.contains(&(generation, index)) => {}
                None => missing.push(index),
            }
        }
        if missing.is_empty() && wishes.indices.is_empty() {
            return;
        }
        // workers take from the end, so the first picture in sight goes last into the list
        missing.reverse();
        wishes.indices = missing;
        wishes.data = Some((generation, Arc::clone(data)));
        drop(wishes);
        self.shared.changed.notify_all();
        self.start_workers();
    }

    fn start_workers(&mut self) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        for n in 0..WORKERS {
            let (shared, sender, context) = (Arc::clone(&self.shared), self.sender.clone(), self.context.clone());
            let spawned = std::thread::Builder::new().name(format!("app-thumbnails-{n}")).spawn(move || serve(&shared, &sender, &context));
            if let Err(error) = spawned {
                tracing::warn!("no thread for thumbnails: {error}; pictures stay grey until the system has one");
                self.started = false;
            }
        }
    }

    /// Takes over the thumbnails that came; to be called once a frame.
    pub fn receive(&mut self) {
        let came: Vec<_> = self.receiver.try_iter().take(PER_FRAME).collect();
        if came.is_empty() {
            return;
        }
        let mut wishes = self.shared.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        for (generation, index, _) in &came {
            wishes.begun.remove(&(*generation, *index));
        }
        drop(wishes);
        for (generation, index, thumbnail) in came {
            if generation != self.generation {
                continue;
            }
            let texture = thumbnail.map(|image| self.context.load_texture(format!("thumbnail {index}"), image, TextureOptions::LINEAR));
            self.textures.insert(index, (texture, self.clock));
        }
        if !self.receiver.is_empty() {
            self.context.request_repaint();
        }
        if self.textures.len() > CAP {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let mut ages: Vec<(u64, usize)> = self.textures.iter().map(|(&index, &(_, seen))| (seen, index)).collect();
        ages.sort_unstable();
        // down to three quarters, so that this does not happen at every frame; never what is in sight now
        for (seen, index) in ages.into_iter().take(self.textures.len() - CAP * 3 / 4) {
            if seen < self.clock {
                self.textures.remove(&index);
            }
        }
    }
}

impl Drop for Thumbnails {
    fn drop(&mut self) {
        self.shared.wishes.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.changed.notify_all();
    }
}

/// A worker: fulfils wishes until the window closes.
fn serve(shared: &Shared, sender: &Sender<(u64, usize, Thumbnail)>, context: &Context) {
    loop {
        let (generation, data, index) = {
            let mut wishes = shared.wishes.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if wishes.closed {
                    return;
                }
                if let Some((generation, data)) = wishes.data.clone()
                    && let Some(index) = wishes.indices.pop()
                {
                    wishes.begun.insert((generation, index));
                    break (generation, data, index);
                }
                wishes = shared.changed.wait(wishes).unwrap_or_else(PoisonError::into_inner);
            }
        };
        if sender.send((generation, index, read(&data, index))).is_err() {
            return;
        }
        context.request_repaint();
    }
}

/// Reads and shrinks one picture.
fn read(data: &Dataset, index: usize) -> Thumbnail {
    let image = data.images.image(index).ok()?.thumbnail(THUMBNAIL_TEXTURE);
    Some(ColorImage::from_rgb([image.width(), image.height()], image.pixels()))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::data::{Catalogue, DataError, ImageSource};
    use crate::imaging::Image;

    /// Pictures whose first byte is their index; the odd ones cannot be read.
    struct Numbered;

    impl ImageSource for Numbered {
        fn len(&self) -> usize {
            5_000
        }

        fn size(&self) -> Option<(usize, usize)> {
            Some((4, 4))
        }

        fn image(&self, index: usize) -> Result<Image, DataError> {
            if index % 2 == 1 {
                return Err(DataError::Request("an odd picture".into()));
            }
            Ok(Image::new(4, 4, vec![index as u8; 48]).expect("4 x 4"))
        }
    }

    fn data() -> Arc<Dataset> {
        Arc::new(Dataset {
            name: "numbered".into(),
            location: None,
            images: Arc::new(Numbered),
            labels: vec![0; 5_000],
            classes: vec!["all".into()],
            catalogue: Catalogue::default(),
            given_split: None,
            skipped: Vec::new(),
        })
    }

    fn wait(thumbnails: &mut Thumbnails, data: &Arc<Dataset>, wanted: &[usize]) {
        let start = Instant::now();
        while !wanted.iter().all(|index| thumbnails.textures.contains_key(index)) {
            assert!(start.elapsed() < Duration::from_secs(30), "the thumbnails never came");
            thumbnails.want(data, 1, wanted);
            thumbnails.receive();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn thumbnails_come_once_and_stay_under_the_cap() {
        let (data, mut thumbnails) = (data(), Thumbnails::new(Context::default()));
        for page in 0..30 {
            let wanted: Vec<usize> = (page * 100..page * 100 + 100).collect();
            wait(&mut thumbnails, &data, &wanted);
            assert!(thumbnails.textures.len() <= CAP);
            // what is in sight is never forgotten, and a picture that cannot be read is not asked for again
            assert!(wanted.iter().all(|&index| thumbnails.get(index).is_some() == (index % 2 == 0)));
        }
        assert!(thumbnails.get(0).is_none(), "the first page is long out of sight");
        assert!(thumbnails.shared.wishes.lock().expect("no panic").begun.is_empty());
        thumbnails.want(&data, 2, &[0]);
        assert!(thumbnails.textures.is_empty(), "another data set starts afresh");
    }
}
