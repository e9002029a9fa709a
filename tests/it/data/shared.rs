//! Real galaxies, where the folder with them is at hand.

use std::path::{Path, PathBuf};

use tuning_fork::data;

use super::common::open;

/// The folder of real galaxies called `name`, or `None` with a word on the terminal.
fn galaxies(name: &str) -> Option<PathBuf> {
    let shared =
        std::env::var_os("TUNING_FORK_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("galaxies").join(name);
    if !folder.is_dir() {
        eprintln!("skipped: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn a_hundred_real_galaxies_open_and_show() {
    let Some(folder) = galaxies("galaxy10_sample") else { return };
    let dataset = open(&folder);
    assert_eq!(dataset.class_counts(), [10; 10]);
    assert_eq!(dataset.classes[4], "4_cigar_shaped_smooth");
    assert_eq!(dataset.images.size(), Some((256, 256)));
    assert!(dataset.skipped.is_empty());
    let split = dataset.split(42).unwrap();
    assert_eq!((split.train.len(), split.valid.len(), split.test.len()), (60, 20, 20));
    let info = data::info(&dataset, &split).unwrap();
    assert!(info.unreadable.is_empty(), "{:?}", info.unreadable);
}

#[test]
fn thousands_of_real_galaxies_open() {
    let Some(folder) = galaxies("galaxy_zoo_1") else { return };
    let dataset = open(&folder);
    assert_eq!(dataset.classes, ["edge_on", "elliptical", "merger", "spiral"]);
    assert_eq!(dataset.class_counts(), [998, 4_645, 115, 850]);
    assert_eq!(dataset.images.size(), Some((128, 128)));
    assert!(dataset.skipped.is_empty());
    let split = dataset.split(42).unwrap();
    assert_eq!(split.test.len(), 200 + 929 + 23 + 170);
}
