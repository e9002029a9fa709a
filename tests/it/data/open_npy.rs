//! The seed's folder, good and bad.

use std::fs;
use std::path::Path;

use ndarray::{Array4, ShapeBuilder};
use ndarray_npy::write_npy;
use tempfile::tempdir;
use tuning_fork::data::{self, classes};

use super::common::{assert_message, open, write_column, write_npy_folder};

#[test]
fn pictures_and_labels_are_those_of_the_files() {
    let dir = tempdir().unwrap();
    let images = write_npy_folder(dir.path(), 7);
    let dataset = open(dir.path());
    assert_eq!(dataset.len(), 7);
    assert_eq!(dataset.labels, [0, 1, 2, 0, 1, 2, 0]);
    assert_eq!(dataset.classes, ["Class 0", "Class 1", "Class 2"]);
    assert_eq!(dataset.images.size(), Some((5, 4)));
    assert_eq!(dataset.name, dir.path().file_name().unwrap().to_string_lossy());
    for (i, expected) in images.outer_iter().enumerate() {
        let image = dataset.images.image(i).unwrap();
        assert_eq!((image.width(), image.height()), (5, 4));
        assert!(image.pixels().iter().eq(expected.iter()), "image {i}");
    }
    assert_message(dataset.images.image(7), &["no image 7", "7 images"]);
}

#[test]
fn labels_may_be_of_any_integer_type() {
    let dir = tempdir().unwrap();
    let path = dir.path();
    write_npy_folder(path, 3);
    let check = |what: &str| assert_eq!(open(path).labels, [2, 0, 1], "{what}");
    write_column::<u8>(path, "labels.npy", vec![2, 0, 1]);
    check("u8");
    write_column::<u16>(path, "labels.npy", vec![2, 0, 1]);
    check("u16");
    write_column::<u32>(path, "labels.npy", vec![2, 0, 1]);
    check("u32");
    write_column::<u64>(path, "labels.npy", vec![2, 0, 1]);
    check("u64");
    write_column::<i8>(path, "labels.npy", vec![2, 0, 1]);
    check("i8");
    write_column::<i16>(path, "labels.npy", vec![2, 0, 1]);
    check("i16");
    write_column::<i32>(path, "labels.npy", vec![2, 0, 1]);
    check("i32");
    // Big-endian, as astropy writes FITS columns.
    let mut bytes = fs::read(path.join("labels.npy")).unwrap();
    let at = bytes.windows(3).position(|w| w == b"<i4").unwrap();
    bytes[at] = b'>';
    let data = bytes.len() - 12;
    for value in bytes[data..].chunks_exact_mut(4) {
        value.reverse();
    }
    fs::write(path.join("labels.npy"), bytes).unwrap();
    check("big-endian i32");
}

#[test]
fn ten_classes_without_names_are_those_of_galaxy10() {
    let dir = tempdir().unwrap();
    write_npy_folder(dir.path(), 10);
    write_column::<u8>(dir.path(), "labels.npy", (0..10).collect());
    assert_eq!(open(dir.path()).classes, classes::GALAXY10);
    write_npy(dir.path().join("images.npy"), &Array4::<u8>::zeros((10, 69, 69, 3))).unwrap();
    assert_eq!(open(dir.path()).classes, classes::GALAXY10_SDSS);
    assert_eq!(data::GALAXY10_COUNTS.iter().sum::<usize>(), 17_736);
}

#[test]
fn names_catalogue_and_split_come_from_their_files() {
    let dir = tempdir().unwrap();
    let path = dir.path();
    write_npy_folder(path, 6);
    // A byte-order mark and Windows line ends, as editors leave them; a fourth class without images.
    fs::write(path.join("classes.txt"), "\u{feff}round\r\nlong\r\nodd one\r\nrare\r\n\r\n").unwrap();
    write_column::<f32>(path, "ra.npy", vec![0.5; 6]);
    write_column::<f64>(path, "redshift.npy", vec![f64::NAN, 0.1, 0.2, 0.3, 0.4, 0.5]);
    write_column::<i64>(path, "train_indices.npy", vec![5, 0, 3]);
    write_column::<i64>(path, "valid_indices.npy", vec![1]);
    write_column::<u16>(path, "test_indices.npy", vec![4]);
    let dataset = open(path);
    assert_eq!(dataset.classes, ["round", "long", "odd one", "rare"]);
    assert_eq!(dataset.class_counts(), [2, 2, 2, 0]);
    assert_eq!(dataset.catalogue.ra, [0.5; 6]);
    assert!(dataset.catalogue.dec.is_empty());
    assert!(dataset.catalogue.redshift[0].is_nan());
    let split = dataset.split(1).unwrap();
    assert_eq!((&split.train[..], &split.valid[..], &split.test[..]), (&[0, 3, 5][..], &[1][..], &[4][..]));
    assert_eq!(split, dataset.split(2).unwrap(), "a split from files wins over the seed");
}

#[test]
fn seventeen_thousand_pictures_open_without_being_read() {
    let dir = tempdir().unwrap();
    let (count, side) = (17_736usize, 256usize);
    write_sparse(dir.path(), count, side);
    write_column::<u8>(dir.path(), "labels.npy", (0..count).map(|i| (i % 10) as u8).collect());
    let before = resident_bytes();
    let dataset = open(dir.path());
    assert_eq!(dataset.len(), count);
    let picture = dataset.images.image(count - 1).unwrap();
    assert_eq!((picture.width(), picture.height(), picture.pixels()[0]), (side, side, 0));
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        // Other tests run beside this one, so the bound is loose: the pictures have 3,487 million bytes.
        assert!(after.saturating_sub(before) < 512 << 20, "opening took {} MB", (after - before) >> 20);
    }
}

/// An `images.npy` of zeros that takes no disk.
fn write_sparse(dir: &Path, count: usize, side: usize) {
    let file = fs::File::create(dir.join("images.npy")).unwrap();
    ndarray_npy::write_zeroed_npy::<u8, _>(&file, (count, side, side, 3)).unwrap();
}

/// Resident memory of this process, where the system tells.
fn resident_bytes() -> Option<usize> {
    let pages = fs::read_to_string("/proc/self/statm").ok()?.split_whitespace().nth(1)?.parse::<usize>().ok()?;
    Some(pages * 4096)
}

#[test]
fn an_images_file_that_is_not_right_is_refused_with_advice() {
    let dir = tempdir().unwrap();
    let path = dir.path();
    let images = write_npy_folder(path, 4);
    let file = path.join("images.npy");
    let good = fs::read(&file).unwrap();
    let refused = |parts: &[&str]| assert_message(data::open(path), &[&["images.npy"], parts].concat());

    write_npy(&file, &images.mapv(f32::from)).unwrap();
    refused(&["'<f4'", "astype(numpy.uint8)"]);
    write_npy(&file, &images.mapv(u8::cast_signed)).unwrap();
    refused(&["'|i1'", "astype(numpy.uint8)"]);
    write_npy(&file, &images.clone().permuted_axes([0, 3, 1, 2]).as_standard_layout()).unwrap();
    refused(&["[4, 3, 4, 5]", "(images, height, width, 3)"]);
    write_npy(&file, &images.index_axis(ndarray::Axis(3), 0)).unwrap();
    refused(&["[4, 4, 5]", "(images, height, width, 3)"]);
    write_npy(&file, &Array4::<u8>::zeros((4, 4, 5, 3).f())).unwrap();
    refused(&["Fortran order", "ascontiguousarray"]);
    write_npy(&file, &Array4::<u8>::zeros((0, 4, 5, 3))).unwrap();
    refused(&["no pictures in it"]);
    write_npy(&file, &Array4::<u8>::zeros((4, 0, 5, 3))).unwrap();
    refused(&["no pictures in it"]);
    fs::write(&file, &good[..good.len() - 1]).unwrap();
    refused(&["cut off", "needs 368 bytes, it has 367", "copy it again"]);
    fs::write(&file, [&good[..], &[0]].concat()).unwrap();
    refused(&["does not fit its 369 bytes"]);
    fs::write(&file, &good[..20]).unwrap();
    refused(&["header cannot be read", "numpy.save"]);
    fs::write(&file, b"").unwrap();
    refused(&["not a NumPy file", "numpy.save"]);
    fs::write(&file, b"\x89HDF\r\n\x1a\n and so on").unwrap();
    refused(&["not a NumPy file"]);
    fs::remove_file(&file).unwrap();
    assert_message(data::open(path), &["labels.npy but no images.npy"]);
    fs::create_dir(&file).unwrap();
    assert_message(data::open(path), &["labels.npy but no images.npy"]);
}

#[test]
fn a_header_made_to_harm_is_refused() {
    let dir = tempdir().unwrap();
    write_npy_folder(dir.path(), 4);
    let header = |dictionary: &str| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((dictionary.len() as u16 + 1).to_le_bytes());
        bytes.extend(dictionary.as_bytes());
        bytes.push(b'\n');
        bytes
    };
    let huge = "{'descr': '|u1', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807, 2, 3), }";
    for (name, dictionary) in [("images.npy", huge.to_owned()), ("images.npy", "(".repeat(900)), ("images.npy", "(".repeat(60_000))] {
        fs::write(dir.path().join(name), header(&dictionary)).unwrap();
        assert_message(data::open(dir.path()), &[name]);
    }
    write_npy_folder(dir.path(), 4);
    let column = "{'descr': '<i8', 'fortran_order': False, 'shape': (1152921504606846975,), }";
    fs::write(dir.path().join("labels.npy"), header(column)).unwrap();
    assert_message(data::open(dir.path()), &["labels.npy", "cut off"]);
}

#[test]
fn labels_that_are_not_right_are_refused_with_advice() {
    let dir = tempdir().unwrap();
    let path = dir.path();
    write_npy_folder(path, 4);
    let refused = |parts: &[&str]| assert_message(data::open(path), &[&["labels.npy"], parts].concat());
    write_column::<i64>(path, "labels.npy", vec![0, 1, 2]);
    refused(&["3 labels for 4 images"]);
    write_column::<i64>(path, "labels.npy", vec![0, 1, -1, 0]);
    refused(&["label -1", "position 2"]);
    write_column::<u64>(path, "labels.npy", vec![0, 1, u64::MAX, 0]);
    refused(&["18446744073709551615", "position 2"]);
    write_column::<i64>(path, "labels.npy", vec![0, 1, 4_000_000_000, 0]);
    refused(&["no image has label 2", "label 4000000000", "without a gap"]);
    write_column::<i64>(path, "labels.npy", vec![1, 2, 3, 1]);
    refused(&["no image has label 0", "classes.txt"]);
    write_column::<f64>(path, "labels.npy", vec![0.0, 1.0, 2.0, 0.0]);
    refused(&["'<f8'", "astype(numpy.int64)"]);
    write_column::<bool>(path, "labels.npy", vec![true, false, true, false]);
    refused(&["'|b1'", "astype(numpy.int64)"]);
    write_npy(path.join("labels.npy"), &ndarray::Array2::<i64>::zeros((4, 1))).unwrap();
    refused(&["[4, 1]", "ravel"]);
    fs::remove_file(path.join("labels.npy")).unwrap();
    assert_message(data::open(path), &["images.npy but no labels.npy"]);
}

#[test]
fn class_names_that_do_not_fit_are_refused_with_advice() {
    let dir = tempdir().unwrap();
    write_npy_folder(dir.path(), 4);
    let names = |text: &str, parts: &[&str]| {
        fs::write(dir.path().join("classes.txt"), text).unwrap();
        assert_message(data::open(dir.path()), parts);
    };
    names("a\nb\n", &["labels.npy", "image 2 has label 2", "names 2 classes"]);
    names("a\n\nb\n", &["classes.txt", "line 2 is empty"]);
    names("\n\n", &["classes.txt", "is empty"]);
    names("a\nb\na\n", &["classes.txt", "\"a\" stands in it twice"]);
    fs::write(dir.path().join("classes.txt"), b"\xff\xfe\n").unwrap();
    assert_message(data::open(dir.path()), &["classes.txt", "UTF-8"]);
}

#[test]
fn catalogue_and_index_files_that_do_not_fit_are_refused_with_advice() {
    let dir = tempdir().unwrap();
    let path = dir.path();
    write_npy_folder(path, 6);
    write_column::<f64>(path, "dec.npy", vec![0.0; 5]);
    assert_message(data::open(path), &["dec.npy", "5 values for 6 images"]);
    write_column::<bool>(path, "dec.npy", vec![true; 6]);
    assert_message(data::open(path), &["dec.npy", "float64"]);
    fs::remove_file(path.join("dec.npy")).unwrap();

    let indices = |train: &[i64], valid: &[i64], test: &[i64], parts: &[&str]| {
        write_column(path, "train_indices.npy", train.to_vec());
        write_column(path, "valid_indices.npy", valid.to_vec());
        write_column(path, "test_indices.npy", test.to_vec());
        assert_message(data::open(path), &[&["index"], parts].concat());
    };
    indices(&[0, 1], &[2, 1], &[3], &["image 1", "train part", "valid part"]);
    indices(&[0, 1], &[2], &[6], &["test part", "image 6", "only 6 images"]);
    indices(&[0, -1], &[2], &[3], &["-1", "position 1"]);
    indices(&[0, 0], &[2], &[3], &["image 0", "once"]);
    indices(&[0], &[], &[3], &["valid part", "empty"]);
    fs::remove_file(path.join("test_indices.npy")).unwrap();
    assert_message(data::open(path), &["train_indices.npy and valid_indices.npy", "no test_indices.npy"]);
}
