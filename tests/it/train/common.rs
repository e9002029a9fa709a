//! A small data set that a network can learn, and ways to run on it.

use std::sync::Arc;
use std::time::Duration;

use tuning_fork::data::{Catalogue, DataError, Dataset, ImageSource};
use tuning_fork::imaging::Image;
use tuning_fork::random::{Purpose, Random};
use tuning_fork::train::{Command, Config, Ended, Event, Handle, Job, RunFolder, ScheduleKind, spawn};

/// No test waits longer than this for one event.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// What a picture does when it is read.
pub type Mischief = fn(usize) -> Result<(), DataError>;

/// Pictures of 32 x 32 that are brighter on the side that belongs to their class (top, bottom, left), in noise.
struct Sides {
    images: usize,
    mischief: Mischief,
}

impl ImageSource for Sides {
    fn len(&self) -> usize {
        self.images
    }

    fn size(&self) -> Option<(usize, usize)> {
        Some((32, 32))
    }

    fn image(&self, index: usize) -> Result<Image, DataError> {
        (self.mischief)(index)?;
        let mut random = Random::new(3, Purpose::Test, &[index as u64]);
        let mut pixels = Vec::with_capacity(32 * 32 * 3);
        for y in 0..32 {
            for x in 0..32 {
                let bright = [y < 12, y >= 20, x < 12][index % 3];
                for _ in 0..3 {
                    pixels.push((40.0 + random.range(0.0, 80.0) + if bright { 90.0 } else { 0.0 }) as u8);
                }
            }
        }
        Ok(Image::new(32, 32, pixels).expect("32 x 32"))
    }
}

pub fn dataset(images: usize) -> Arc<Dataset> {
    mischievous(images, |_| Ok(()))
}

pub fn mischievous(images: usize, mischief: Mischief) -> Arc<Dataset> {
    Arc::new(Dataset {
        name: "sides".into(),
        location: None,
        images: Arc::new(Sides { images, mischief }),
        labels: (0..images as u32).map(|i| i % 3).collect(),
        classes: vec!["top".into(), "bottom".into(), "left".into()],
        catalogue: Catalogue::default(),
        given_split: None,
        skipped: Vec::new(),
    })
}

/// A quick run: 60 images, 36 of them to train in 5 batches, the last of 4.
pub fn config(epochs: usize) -> Config {
    let mut config = Config { epochs, batch: 8, size: 32, threads: 1, lr: 2e-3, schedule: ScheduleKind::OneCycle, ..Config::default() };
    config.augmentation.rotation = tuning_fork::augment::Rotation::None;
    config.augmentation.flip = false;
    config
}

pub fn start(config: Config, folder: &RunFolder) -> Handle {
    spawn(Job { config, dataset: dataset(60), folder: folder.clone() }, None)
}

/// Takes all events up to the end.
pub fn events(handle: &Handle) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let event = handle.next(PATIENCE).expect("the run goes on");
        let last = matches!(event, Event::Ended(_));
        events.push(event);
        if last {
            return events;
        }
    }
}

/// Sends `command` once the run has done `step` steps.
pub fn at_step(handle: &Handle, step: usize, command: Command) {
    loop {
        match handle.next(PATIENCE).expect("the run goes on") {
            Event::Steps(s) if s.step >= step => break,
            Event::Ended(ended) => panic!("ended before step {step}: {ended:?}"),
            _ => {}
        }
    }
    handle.send(command);
}

pub fn ended(events: &[Event]) -> &Ended {
    match events.last() {
        Some(Event::Ended(ended)) => ended,
        other => panic!("the last event is {other:?}"),
    }
}
