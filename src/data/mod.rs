//! Labelled data sets: where pictures, labels, classes, catalogue columns and splits come from.
//! Knows pictures, not tensors; a data set is never changed by the program.

mod class_folder;
pub mod classes;
pub mod cosmology;
mod dataset;
mod digest;
pub mod export;
pub mod fetch;
mod folder_writer;
pub mod hdf5;
mod info;
pub mod integrity;
mod mapped;
mod marks;
mod memory;
mod npy;
mod npy_folder;
mod open;
mod predictions;
pub mod query;
mod split;
pub mod synth;

pub use classes::{ACKNOWLEDGEMENT, GALAXY10 as GALAXY10_CLASSES, GALAXY10_COUNTS};
pub use dataset::{Catalogue, DataError, Dataset, ImageSource, Skipped};
pub use folder_writer::{FolderWriter, check_target};
pub use info::{Info, info};
pub use integrity::Duplicates;
pub use marks::{Loaded as LoadedMarks, Mark, Marks, Sidecar, SidecarError, marks_folder, write_changes};
pub use memory::MemorySource;
pub use open::{is_data_folder, is_hdf5, open};
pub use predictions::Predictions;
pub use split::{Part, Split};

use open::folder_name;

/// Bytes as hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

/// What [`load`] calls the embedded data set of drawn galaxies.
pub const SYNTHETIC: &str = "synthetic";

/// The data set that a configuration names: [`SYNTHETIC`], drawn in memory as `images` galaxies of `size` x `size` pixels
/// by `seed`, or the path of a folder, for which the other arguments do not matter.
///
/// # Errors
/// Those of [`synth::dataset`] or [`open()`].
pub fn load(choice: &str, images: usize, size: usize, seed: u64) -> Result<Dataset, DataError> {
    if choice == SYNTHETIC { synth::dataset(images, size, seed) } else { open(std::path::Path::new(choice)) }
}
