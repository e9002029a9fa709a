//! Batches: read, resized, augmented and normalised on other threads while the network computes.
//!
//! What a batch holds depends on the seed, the epoch and its place alone, never on the threads. Memory is bounded: a thread
//! needs one of a fixed number of tickets before it begins a batch, and gets it back when the batch has been used. The last
//! batch of an epoch may be smaller, down to one image; batch normalisation then takes its statistics from the pixels of
//! that one image (the smallest map that any network here normalises has four).

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use candle_core::{Device, Tensor};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::buffers::{Buffer, Buffers};
use super::cache::ImageCache;
use super::{Mixed, TrainError};
use crate::augment::{Augmentation, Canvas, Draw, Mix};
use crate::data::DataError;
use crate::imaging::Image;
use crate::nn::Normalisation;
use crate::nn::ops::with_slice;
use crate::random::{Purpose, Random};

/// The order of the training images in an epoch (counted from 1): a permutation of `images` that only depends on the arguments.
pub(super) fn order(images: &[u32], seed: u64, epoch: usize) -> Vec<u32> {
    let mut order = images.to_vec();
    Random::new(seed, Purpose::Shuffle, &[epoch as u64]).shuffle(&mut order);
    order
}

/// How training images vary from epoch to epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variation {
    pub augmentation: Augmentation,
    pub seed: u64,
    /// The epoch, counted from 1.
    pub epoch: usize,
}

impl Variation {
    /// How training image `index` is augmented.
    pub fn draw(&self, index: u32) -> Draw {
        self.augmentation.draw(&mut Random::new(self.seed, Purpose::Augment, &[self.epoch as u64, u64::from(index)]))
    }

    /// Writes training image `index`, which is kept as `image`, as the network takes it: 3 x size x size, normalised, not mixed yet.
    pub fn write(&self, image: &Image, index: u32, normalisation: &Normalisation, canvas: &mut Canvas, planes: &mut [f32]) {
        let draw = self.draw(index);
        let size = (planes.len() / 3).isqrt();
        if self.augmentation.is_exact() && image.width() == size && image.height() == size {
            normalisation.write_planes(draw.pose_on(image, canvas), planes);
        } else {
            draw.write(image, canvas, size, planes);
            normalisation.normalise(planes);
        }
    }

    /// How batch `number` of the epoch (counted from 0) is mixed, if it is.
    pub fn mix(&self, number: usize, size: usize) -> Option<Mix> {
        self.augmentation.draw_mix(size, &mut Random::new(self.seed, Purpose::Mix, &[self.epoch as u64, number as u64]))
    }
}

/// What is to be loaded.
pub(super) struct Request {
    /// Images in the order in which they come.
    pub order: Vec<u32>,
    /// The memory of batches, which also says how many images a batch has; the last may have fewer.
    pub buffers: Arc<Buffers>,
    /// Batches at the beginning of the order that are left out, because they were used before.
    pub skip: usize,
    /// How the images are varied; `None` shows them as they are.
    pub variation: Option<Variation>,
    /// Threads that prepare batches.
    pub threads: usize,
}

/// Images and labels of one step.
pub(super) struct Batch {
    /// Holds N x 3 x size x size numbers, normalised.
    pixels: Buffer,
    /// One label an image.
    pub targets: Vec<u32>,
    /// What the images are mixed with, if they are.
    pub mixed: Option<Mixed>,
}

impl Batch {
    /// The images, N x 3 x size x size. They must not be used after the batch, whose memory then holds another one.
    pub fn images(&self, device: &Device) -> candle_core::Result<Tensor> {
        self.pixels.images(self.targets.len(), device)
    }

    /// Lends the images as numbers, N x 3 x size x size.
    ///
    /// # Errors
    /// If `look` fails.
    pub fn with_planes<T>(&self, look: impl FnOnce(&[f32]) -> T) -> candle_core::Result<T> {
        with_slice(&self.images(&Device::Cpu)?, |planes| Ok(look(planes)))
    }
}

type Prepared = std::thread::Result<Result<Batch, TrainError>>;

/// The batches of one pass over some images, in order.
pub(super) struct Loader {
    prepared: Option<Receiver<(usize, Prepared)>>,
    tickets: Option<Sender<()>>,
    early: Vec<Option<Prepared>>,
    next: usize,
    threads: Vec<JoinHandle<()>>,
}

/// What the preparing threads share.
struct Work {
    cache: Arc<ImageCache>,
    request: Request,
    normalisation: Normalisation,
    next: AtomicUsize,
    batches: usize,
}

impl Loader {
    /// Starts to prepare batches.
    pub fn start(cache: &Arc<ImageCache>, request: Request, normalisation: Normalisation) -> Result<Self, TrainError> {
        let batches = request.order.len().div_ceil(request.buffers.batch());
        let threads = request.threads.clamp(1, batches.max(1));
        let ahead = threads + 2;
        let (ticket, tickets) = bounded(ahead);
        for _ in 0..ahead {
            ticket.try_send(()).map_err(|e| TrainError::System(e.to_string()))?;
        }
        let (send, prepared) = bounded(ahead);
        let next = request.skip;
        let work = Arc::new(Work { cache: cache.clone(), normalisation, next: AtomicUsize::new(next), batches, request });
        let mut loader = Self {
            prepared: Some(prepared),
            tickets: Some(ticket),
            early: std::iter::repeat_with(|| None).take(batches).collect(),
            next,
            threads: Vec::new(),
        };
        for number in 0..threads {
            let (work, tickets, send) = (work.clone(), tickets.clone(), send.clone());
            let thread = std::thread::Builder::new().name(format!("tuning-fork-input-{number}"));
            let thread = thread.spawn(move || work.run(&tickets, &send)).map_err(|e| TrainError::System(e.to_string()))?;
            loader.threads.push(thread);
        }
        Ok(loader)
    }

    /// The next batch, or `None` after the last.
    ///
    /// # Errors
    /// If one of its pictures cannot be read.
    ///
    /// # Panics
    /// If preparing it did.
    pub fn next(&mut self) -> Result<Option<Batch>, TrainError> {
        if self.next >= self.early.len() {
            return Ok(None);
        }
        let batch = loop {
            if let Some(batch) = self.early[self.next].take() {
                break batch;
            }
            let received = self.prepared.as_ref().and_then(|prepared| prepared.recv().ok());
            let Some((number, batch)) = received else {
                return Err(TrainError::System("the threads that read pictures are gone".into()));
            };
            self.early[number] = Some(batch);
        };
        self.next += 1;
        if let Some(tickets) = &self.tickets {
            // full only if all threads have ended, and then nobody needs a ticket
            let _ = tickets.try_send(());
        }
        let batch = batch.unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(Some(batch))
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.prepared = None;
        self.tickets = None;
        for thread in self.threads.drain(..) {
            // a panic in preparing a batch was caught there and sent as its result
            let _ = thread.join();
        }
    }
}

impl Work {
    fn run(&self, tickets: &Receiver<()>, send: &Sender<(usize, Prepared)>) {
        let mut canvas = Canvas::default();
        while tickets.recv().is_ok() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.batches {
                return;
            }
            let batch = catch_unwind(AssertUnwindSafe(|| self.prepare(number, &mut canvas)));
            if send.send((number, batch)).is_err() {
                return;
            }
        }
    }

    fn prepare(&self, number: usize, canvas: &mut Canvas) -> Result<Batch, TrainError> {
        let size = self.cache.size();
        let Request { order, buffers, variation, .. } = &self.request;
        let start = number * buffers.batch();
        let images = &order[start..(start + buffers.batch()).min(order.len())];
        let mix = variation.and_then(|variation| variation.mix(number, size));
        let pixels = buffers.take()?;
        let mut read = Ok(());
        pixels.write(images.len(), |pixels| {
            read = self.fill(images, canvas, pixels);
            if let Some(mix) = &mix {
                mix.apply(pixels, size);
            }
            Ok(())
        })?;
        read?;
        let targets: Vec<u32> = images.iter().map(|&i| self.cache.label(i as usize)).collect();
        let mixed = mix.map(|mix| {
            let mut partners = targets.clone();
            partners.rotate_right(1);
            Mixed { partners, share: mix.share(size) }
        });
        Ok(Batch { pixels, targets, mixed })
    }

    /// Writes the images one behind the other.
    fn fill(&self, images: &[u32], canvas: &mut Canvas, pixels: &mut [f32]) -> Result<(), DataError> {
        let size = self.cache.size();
        for (&index, planes) in images.iter().zip(pixels.chunks_exact_mut(3 * size * size)) {
            self.cache.with(index as usize, |image| match self.request.variation {
                None => self.normalisation.write_planes(image.pixels(), planes),
                Some(variation) => variation.write(image, index, &self.normalisation, canvas, planes),
            })?;
        }
        Ok(())
    }
}
