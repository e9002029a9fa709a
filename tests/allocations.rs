//! The pictures of a run are written into memory that is kept: neither steps nor epochs ask the allocator for room for a batch, or
//! for a picture. A test of its own, because it counts what the whole process asks for.

#![allow(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tuning_fork::augment::Preset;
use tuning_fork::data::{Catalogue, DataError, Dataset, ImageSource};
use tuning_fork::imaging::Image;
use tuning_fork::nn::Architecture;
use tuning_fork::train::{Config, Event, Job, Outcome, RunFolder, spawn};

const SIDE: usize = 37;
const BATCH: usize = 5;
const IMAGES: usize = 100;
const EPOCHS: usize = 3;
const THREADS: usize = 2;
/// Bytes that nothing else here has: odd factors.
const OF_A_BATCH: usize = BATCH * OF_A_PICTURE * size_of::<f32>();
const OF_A_PICTURE: usize = 3 * SIDE * SIDE;

static BATCHES: AtomicUsize = AtomicUsize::new(0);
static PICTURES: AtomicUsize = AtomicUsize::new(0);

struct Counting;

fn count(bytes: usize) {
    match bytes {
        OF_A_BATCH => BATCHES.fetch_add(1, Ordering::Relaxed),
        OF_A_PICTURE => PICTURES.fetch_add(1, Ordering::Relaxed),
        _ => 0,
    };
}

// SAFETY: the system's allocator does all; counting asks for no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Pictures that differ a little.
struct Greys;

impl ImageSource for Greys {
    fn len(&self) -> usize {
        IMAGES
    }

    fn size(&self) -> Option<(usize, usize)> {
        Some((SIDE, SIDE))
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        Ok(Image::new(SIDE, SIDE, vec![50 + index as u8; OF_A_PICTURE]).expect("three bytes a pixel"))
    }
}

/// Trains, and returns how often room for a batch and for a picture was asked for.
fn train(preset: Preset) -> (usize, usize) {
    let dataset = Arc::new(Dataset {
        name: "greys".into(),
        location: None,
        images: Arc::new(Greys),
        labels: (0..IMAGES as u32).map(|i| i % 2).collect(),
        classes: vec!["even".into(), "odd".into()],
        catalogue: Catalogue::default(),
        given_split: None,
        skipped: Vec::new(),
    });
    let config = Config {
        model: Architecture::Compact,
        size: SIDE,
        batch: BATCH,
        epochs: EPOCHS,
        threads: THREADS,
        patience: 0,
        augmentation: preset.augmentation(),
        ..Config::default()
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = RunFolder::create(folder.path().join("run")).expect("a run folder");
    let (batches, pictures) = (BATCHES.load(Ordering::Relaxed), PICTURES.load(Ordering::Relaxed));
    let handle = spawn(Job { config, dataset, folder }, None);
    let ended = loop {
        if let Event::Ended(ended) = handle.next(Duration::from_mins(2)).expect("the run goes on") {
            break ended;
        }
    };
    assert_eq!(ended.outcome, Outcome::Completed, "{}", ended.message);
    (BATCHES.load(Ordering::Relaxed) - batches, PICTURES.load(Ordering::Relaxed) - pictures)
}

#[test]
fn steps_ask_for_no_memory_for_pictures() {
    // batches that are prepared, one that waits for its turn in each thread, one in use; and the network's own copy, which grows
    let at_once = THREADS + 2 + THREADS + 1 + 2;
    // 60 images are trained on and 20 validated
    let steps = EPOCHS * (60 + 20) / BATCH;
    assert!(steps > 3 * at_once, "or nothing is shown");

    let (batches, pictures) = train(Preset::Turns);
    assert!(batches <= at_once, "room for a batch was asked for {batches} times in {steps} steps");
    // read and made square once each, and the working memory of each thread in each pass; were each picture mirrored and turned into
    // memory of its own, 180 more
    let once = 2 * 80 + EPOCHS * 2 * THREADS;
    assert!(pictures <= once, "room for a picture was asked for {pictures} times, for 80 that are used {EPOCHS} times");

    let (batches, _) = train(Preset::Strong);
    assert!(batches <= at_once, "room for a batch was asked for {batches} times in {steps} steps");
}
