//! Writing the seed's folder, and what must not be lost when that fails.

use std::fs;
use std::path::Path;

use tempfile::tempdir;
use tuning_fork::data::{Catalogue, FolderWriter, Split};

use super::common::{assert_message, open, random_image};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|k| format!("kind {k}")).collect()
}

/// Ten pictures of 6 x 4 pixels in three classes.
fn push_ten(writer: &mut FolderWriter) {
    for i in 0..10 {
        writer.push(random_image(6, 4, i).pixels(), (i % 3) as u32).unwrap();
    }
}

fn entries(dir: &Path) -> usize {
    fs::read_dir(dir).unwrap().count()
}

#[test]
fn what_was_written_opens_as_it_was() {
    let dir = tempdir().unwrap();
    let target = dir.path().join("new/galaxies");
    let mut writer = FolderWriter::create(&target, 4, 6).unwrap();
    push_ten(&mut writer);
    assert!(!target.exists(), "nothing stands under the name before it is whole");
    let catalogue = Catalogue { redshift: (0..10).map(f64::from).collect(), ..Catalogue::default() };
    let split = Split { train: vec![0, 1, 5], valid: vec![2], test: vec![9] };
    writer.finish(&names(3), &catalogue, Some(&split)).unwrap();
    let dataset = open(&target);
    assert_eq!(dataset.name, "galaxies");
    assert_eq!(dataset.classes, names(3));
    assert_eq!(dataset.labels, [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
    assert_eq!(dataset.catalogue, catalogue);
    assert_eq!(dataset.given_split, Some(split));
    assert!((0..10).all(|i| dataset.images.image(i).unwrap() == random_image(6, 4, i as u64)));
    assert_eq!(entries(&dir.path().join("new")), 1, "no temporary folder stays");
    assert_eq!(fs::metadata(target.join("images.npy")).unwrap().len() % 8, 0, "numbers start at a multiple of 64 bytes");
}

#[test]
fn a_dropped_writer_leaves_nothing() {
    let dir = tempdir().unwrap();
    let mut writer = FolderWriter::create(&dir.path().join("a"), 4, 6).unwrap();
    push_ten(&mut writer);
    drop(writer);
    assert_eq!(entries(dir.path()), 0);
}

#[test]
fn a_folder_with_something_in_it_is_not_touched() {
    let dir = tempdir().unwrap();
    let target = dir.path().join("a");
    fs::create_dir(&target).unwrap();
    // An empty folder may become the data set.
    let mut writer = FolderWriter::create(&target, 4, 6).unwrap();
    push_ten(&mut writer);
    writer.finish(&names(3), &Catalogue::default(), None).unwrap();
    assert_message(FolderWriter::create(&target, 4, 6).map(drop), &["exists and is not empty"]);
    // One that fills while it is written is not replaced either.
    let late = dir.path().join("b");
    let mut writer = FolderWriter::create(&late, 4, 6).unwrap();
    push_ten(&mut writer);
    fs::create_dir(&late).unwrap();
    fs::write(late.join("mine.txt"), b"keep").unwrap();
    assert_message(writer.finish(&names(3), &Catalogue::default(), None), &["exists and is not empty"]);
    assert_eq!((entries(&late), entries(dir.path())), (1, 2));
    fs::write(dir.path().join("c"), b"").unwrap();
    assert_message(FolderWriter::create(&dir.path().join("c"), 4, 6).map(drop), &["a file of this name exists"]);
}

#[test]
fn two_writers_of_one_folder_do_not_mix_and_a_killed_one_is_cleared_away() {
    let dir = tempdir().unwrap();
    let target = dir.path().join("a");
    let first = FolderWriter::create(&target, 4, 6).unwrap();
    assert_message(FolderWriter::create(&target, 4, 6).map(drop), &["another program is writing"]);
    drop(first);
    // What a killed program leaves: files, and no lock.
    let partial = dir.path().join(".a.partial");
    fs::create_dir(&partial).unwrap();
    for name in ["images.npy", "ra.npy", "train_indices.npy"] {
        fs::write(partial.join(name), [7; 5_000]).unwrap();
    }
    let mut writer = FolderWriter::create(&target, 4, 6).unwrap();
    push_ten(&mut writer);
    writer.finish(&names(3), &Catalogue::default(), None).unwrap();
    let dataset = open(&target);
    assert!(dataset.catalogue.ra.is_empty() && dataset.given_split.is_none());
    assert_eq!(dataset.len(), 10);
}

#[test]
fn what_does_not_fit_together_is_refused_and_nothing_appears() {
    let dir = tempdir().unwrap();
    let target = dir.path().join("a");
    let finish = |classes: &[String], catalogue: &Catalogue, split: Option<&Split>, parts: &[&str]| {
        let mut writer = FolderWriter::create(&target, 4, 6).unwrap();
        push_ten(&mut writer);
        assert_message(writer.finish(classes, catalogue, split), parts);
        assert_eq!(entries(dir.path()), 0);
    };
    let none = Catalogue::default();
    finish(&names(2), &none, None, &["label 2", "2 classes"]);
    finish(&["a".into(), "b\nc".into(), "d".into()], &none, None, &["cannot be the name of a class"]);
    finish(&names(3), &Catalogue { ra: vec![1.0], ..none.clone() }, None, &["ra.npy", "1 values for 10 images"]);
    finish(&names(3), &none, Some(&Split { train: vec![1], valid: vec![1], test: vec![2] }), &["image 1"]);
    let writer = FolderWriter::create(&target, 4, 6).unwrap();
    assert_message(writer.finish(&names(3), &none, None), &["no images to write"]);
    let mut writer = FolderWriter::create(&target, 4, 6).unwrap();
    assert_message(writer.push(&[0; 71], 0), &["71 bytes", "72"]);
    assert_message(FolderWriter::create(&dir.path().join("b"), 0, 6).map(drop), &["6 x 0"]);
    assert_message(FolderWriter::create(&dir.path().join("b"), usize::MAX, 6).map(drop), &["cannot be written"]);
    assert_message(FolderWriter::create(Path::new("/"), 4, 6).map(drop), &["names no new folder"]);
}
