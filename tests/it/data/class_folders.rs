//! A folder with one subfolder a class, good and bad.

use std::fs;
use std::path::Path;

use tempfile::tempdir;
use tuning_fork::data::export::{Format, write};
use tuning_fork::data::query::{Facts, Query};
use tuning_fork::data::{self, DataError};
use tuning_fork::imaging::{self, write_png};

use super::common::{assert_message, open, random_image, reference};

/// Three classes of three pictures of 6 x 5 pixels; picture `k` of class `c` is made by seed `10 c + k`.
fn write_class_folders(dir: &Path) {
    for (c, class) in ["spiral", "elliptical", "Ring galaxy"].into_iter().enumerate() {
        fs::create_dir(dir.join(class)).unwrap();
        for k in 0..3 {
            write_png(&dir.join(class).join(format!("{k}.png")), &random_image(6, 5, (10 * c + k) as u64)).unwrap();
        }
    }
}

#[test]
fn classes_and_pictures_are_in_the_order_of_their_names() {
    let dir = tempdir().unwrap();
    write_class_folders(dir.path());
    let dataset = open(dir.path());
    assert_eq!(dataset.classes, ["Ring galaxy", "elliptical", "spiral"]);
    assert_eq!(dataset.labels, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    assert_eq!(dataset.images.size(), Some((6, 5)));
    assert!(dataset.skipped.is_empty());
    for (i, seed) in [20, 21, 22, 10, 11, 12, 0, 1, 2].into_iter().enumerate() {
        assert!(dataset.images.image(i).unwrap() == random_image(6, 5, seed), "image {i}");
    }
    assert_message(dataset.images.image(9), &["no image 9"]);
    assert_eq!(dataset.file_name(4).as_deref(), Some("elliptical/1.png"));
    let facts = Facts { dataset: &dataset, parts: &[None; 9], predictions: None, marks: None };
    let found = |text: &str| Query::parse(text).and_then(|query| query.run(&facts)).expect("a query");
    assert_eq!((found("file:ELLIPTICAL/1"), found("!file:1.png,2.png")), (vec![4], vec![0, 3, 6]));
    let mut table = Vec::new();
    write(&mut table, Format::Csv, &facts, &[4]).unwrap();
    let table = String::from_utf8(table).unwrap();
    assert!(table.starts_with("image,file,label") && table.contains("\n4,elliptical/1.png,1,"), "{table}");
    assert!(dataset.split(3).is_ok());
}

#[test]
fn every_format_is_read_and_sizes_may_differ() {
    let dir = tempdir().unwrap();
    fs::create_dir(dir.path().join("all")).unwrap();
    for name in ["rgb8.png", "rgb8.webp", "rgb8.tif", "baseline.jpg", "grey16.png", "rgba8.png"] {
        fs::copy(reference(name), dir.path().join("all").join(name.to_uppercase())).unwrap();
    }
    let dataset = open(dir.path());
    assert_eq!((dataset.len(), dataset.skipped.len()), (6, 0));
    assert_eq!(dataset.images.size(), None);
    assert!((0..6).all(|i| dataset.images.image(i).is_ok()));
}

#[test]
fn what_cannot_be_read_is_left_out_listed_and_shifts_no_label() {
    let dir = tempdir().unwrap();
    let path = dir.path();
    write_class_folders(path);
    let jpeg = fs::read(reference("baseline.jpg")).unwrap();
    fs::write(path.join("Ring galaxy/0a_empty.png"), b"").unwrap();
    fs::write(path.join("Ring galaxy/0b_text.png"), b"not a picture").unwrap();
    fs::write(path.join("elliptical/1a_cut.jpg"), &jpeg[..jpeg.len() - 20]).unwrap();
    fs::write(path.join("elliptical/notes.txt"), b"seen twice").unwrap();
    fs::create_dir(path.join("elliptical/more")).unwrap();
    fs::copy(reference("rgb8.png"), path.join("stray.png")).unwrap();
    fs::write(path.join("README.md"), b"where they are from").unwrap();
    fs::write(path.join("spiral/.DS_Store"), b"\0").unwrap();
    fs::write(path.join("spiral/._0.png"), b"\0").unwrap();
    fs::create_dir(path.join("__MACOSX")).unwrap();
    let dataset = open(path);
    assert_eq!(dataset.classes, ["Ring galaxy", "elliptical", "spiral"]);
    assert_eq!(dataset.labels, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    assert!(dataset.images.image(5).unwrap() == random_image(6, 5, 12), "the picture after the broken one keeps its label");
    let skipped: Vec<(String, &str)> =
        dataset.skipped.iter().map(|s| (s.path.file_name().unwrap().to_string_lossy().into_owned(), &s.reason[..])).collect();
    let expected = [
        ("stray.png", "in no class folder"),
        ("0a_empty.png", "empty (0 bytes)"),
        ("0b_text.png", "not a PNG, JPEG, TIFF, WebP or FITS"),
        ("1a_cut.jpg", "its end is missing"),
        ("more", "move its pictures up"),
        ("notes.txt", "png, jpg"),
    ];
    assert_eq!(skipped.len(), expected.len(), "{skipped:?}");
    for ((name, reason), (expected_name, words)) in skipped.iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert!(reason.contains(words), "{name}: {reason}");
    }
}

#[test]
fn a_picture_that_vanishes_later_is_an_error_with_its_name() {
    let dir = tempdir().unwrap();
    write_class_folders(dir.path());
    let dataset = open(dir.path());
    fs::remove_file(dir.path().join("spiral/1.png")).unwrap();
    let error = dataset.images.image(7).unwrap_err();
    assert!(matches!(error, DataError::Image { .. }) && error.to_string().contains("1.png"), "{error}");
}

#[test]
fn an_empty_class_is_named_when_it_matters() {
    let dir = tempdir().unwrap();
    write_class_folders(dir.path());
    fs::create_dir(dir.path().join("merger")).unwrap();
    let dataset = open(dir.path());
    assert_eq!(dataset.class_counts(), [3, 3, 0, 3]);
    assert_message(dataset.split(1), &["class \"merger\" has no images", "add images to it, or remove the class"]);
}

#[test]
fn what_is_no_data_set_is_refused_with_advice() {
    let dir = tempdir().unwrap();
    let path = dir.path();
    assert_message(data::open(&path.join("missing")), &["missing", "no such folder"]);
    assert_message(data::open(path), &["neither images.npy nor a subfolder"]);
    fs::copy(reference("rgb8.png"), path.join("a.png")).unwrap();
    assert_message(data::open(path), &["pictures but no subfolders", "name of the class"]);
    assert_message(data::open(&path.join("a.png")), &["this is a file", "folder"]);
    fs::write(path.join("Galaxy10.H5"), b"").unwrap();
    assert_message(data::open(&path.join("Galaxy10.H5")), &["HDF5", "tuning-fork data import"]);
    fs::create_dir(path.join("spiral")).unwrap();
    assert_message(data::open(path), &["no readable picture", "1 left out", "a.png"]);
    fs::write(path.join("spiral/b.jpg"), b"").unwrap();
    assert_message(data::open(path), &["no readable picture", "2 left out"]);
}

#[cfg(unix)]
#[test]
fn a_read_only_folder_opens() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempdir().unwrap();
    let path = dir.path().join("data");
    fs::create_dir(&path).unwrap();
    super::common::write_npy_folder(&path, 6);
    let pictures = dir.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    write_class_folders(&pictures);
    let set_mode = |mode| {
        for folder in [&path, &pictures] {
            fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::set_permissions(path.join("images.npy"), fs::Permissions::from_mode(mode & 0o666)).unwrap();
    };
    set_mode(0o555);
    assert!(open(&path).images.image(5).is_ok());
    assert!(open(&pictures).images.image(8).is_ok());
    set_mode(0o755);
}

#[test]
fn a_header_behind_a_large_profile_is_found() {
    // Comments of 80 KB in front of the frame header: more than is read at first.
    let jpeg = fs::read(reference("baseline.jpg")).unwrap();
    let mut long = jpeg[..2].to_vec();
    for _ in 0..2 {
        long.extend([0xff, 0xfe]);
        long.extend(40_002u16.to_be_bytes());
        long.extend(std::iter::repeat_n(b'x', 40_000));
    }
    long.extend(&jpeg[2..]);
    let dir = tempdir().unwrap();
    let path = dir.path().join("long.jpg");
    fs::write(&path, long).unwrap();
    assert_eq!(imaging::check(&path).unwrap(), (32, 24));
}
