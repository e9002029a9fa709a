//! Small data sets for the tests of this room.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::{Array1, Array4};
use ndarray_npy::{WritableElement, write_npy};
use tuning_fork::data::{Catalogue, DataError, Dataset, MemorySource};
use tuning_fork::imaging::Image;
use tuning_fork::random::{Purpose, Random};

/// `count` pictures of 5 x 4 pixels with distinct random bytes, and labels 0, 1, 2, 0, 1, 2...
pub fn write_npy_folder(dir: &Path, count: usize) -> Array4<u8> {
    let mut random = Random::new(1, Purpose::Test, &[count as u64]);
    let images = Array4::from_shape_simple_fn((count, 4, 5, 3), || random.bits() as u8);
    write_npy(dir.join("images.npy"), &images).expect("a writable folder");
    write_column(dir, "labels.npy", [0i64, 1, 2].into_iter().cycle().take(count).collect());
    images
}

/// One-dimensional `name` in `dir`.
pub fn write_column<T: WritableElement>(dir: &Path, name: &str, values: Vec<T>) {
    write_npy(dir.join(name), &Array1::from_vec(values)).expect("a writable folder");
}

/// That opening or splitting failed, with a message that has all these parts.
#[track_caller]
pub fn assert_message<T>(result: Result<T, DataError>, parts: &[&str]) {
    let message = match result {
        Ok(_) => panic!("no error, expected one with {parts:?}"),
        Err(error) => error.to_string(),
    };
    for part in parts {
        assert!(message.contains(part), "\"{part}\" is not in: {message}");
    }
}

/// The data set in a folder that is known to be good.
pub fn open(dir: &Path) -> Dataset {
    tuning_fork::data::open(dir).expect("a good data set")
}

/// A picture of random bytes.
pub fn random_image(width: usize, height: usize, seed: u64) -> Image {
    let mut random = Random::new(seed, Purpose::Test, &[width as u64, height as u64]);
    Image::new(width, height, (0..width * height * 3).map(|_| random.bits() as u8).collect()).expect("three bytes a pixel")
}

/// A data set in memory: a distinct random picture of 4 x 4 pixels for each label, classes named "kind k".
pub fn memory_dataset(labels: &[u32], classes: usize) -> Dataset {
    let pixels = (0..labels.len()).flat_map(|i| random_image(4, 4, i as u64).into_pixels()).collect();
    Dataset {
        name: "test".into(),
        location: None,
        images: Arc::new(MemorySource::new(4, 4, pixels).expect("whole pictures")),
        labels: labels.to_vec(),
        classes: (0..classes).map(|k| format!("kind {k}")).collect(),
        catalogue: Catalogue::default(),
        given_split: None,
        skipped: Vec::new(),
    }
}

/// A file of `tests/reference/data`; `make.py` there made them.
pub fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/data").join(name)
}
