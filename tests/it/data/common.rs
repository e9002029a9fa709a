//! Small data sets for the tests of this room.

use std::path::Path;

use ndarray::{Array1, Array4};
use ndarray_npy::{WritableElement, write_npy};
use tuning_fork::data::{DataError, Dataset};
use tuning_fork::random::{Purpose, Random};

/// `count` pictures of 5 x 4 pixels with distinct random bytes, and labels 0, 1, 2, 0, 1, 2...
pub fn write_npy_folder(dir: &Path, count: usize) -> Array4<u8> {
    let mut random = Random::new(1, Purpose::Test, &[count as u64]);
    let images = Array4::from_shape_simple_fn((count, 4, 5, 3), || random.bits() as u8);
    write_npy(dir.join("images.npy"), &images).expect("a writable folder");
    write_column(dir, "labels.npy", (0..count).map(|i| (i % 3) as i64).collect());
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

/// Three classes of random pictures in memory.
#[must_use]
pub fn open(dir: &Path) -> Dataset {
    tuning_fork::data::open(dir).expect("a good data set")
}
