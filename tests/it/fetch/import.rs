//! The HDF5 import, on files that h5py wrote (`tests/reference/data/make_hdf5.py`).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;
use tuning_fork::data::hdf5::{ImportReport, import};
use tuning_fork::data::{self, DataError, classes};

const IMAGES: usize = 11;
const HEIGHT: usize = 12;
const WIDTH: usize = 10;

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/data").join(format!("{name}.h5"))
}

/// Picture `n` of the script.
fn picture(n: usize, height: usize, width: usize) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(height * width * 3);
    for y in 0..height {
        for x in 0..width {
            pixels.extend((0..3).map(|c| ((n * 31 + y * 7 + x * 3 + c * 101 + x * y / 5) % 256) as u8));
        }
    }
    pixels
}

/// Imports a file into a new folder, and tells its progress.
fn import_file(file: &Path) -> (TempDir, PathBuf, ImportReport, Vec<(usize, usize)>) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("galaxies");
    let mut progress = Vec::new();
    let report = import(file, &target, &mut |done, all| progress.push((done, all)), &AtomicBool::new(false)).unwrap();
    (folder, target, report, progress)
}

/// The message for a bad file, of which nothing may stay.
#[track_caller]
fn refused(file: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let message = import(file, &folder.path().join("galaxies"), &mut |_, _| {}, &AtomicBool::new(false)).unwrap_err().to_string();
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{message}: left {left:?}");
    assert!(message.contains(&file.display().to_string()), "no file named: {message}");
    message
}

#[test]
fn every_storage_of_h5py_gives_the_same_data() {
    let kinds = ["contiguous", "chunked", "gzip", "gzip_shuffle", "lzf", "unlimited", "unlimited_twice", "one_chunk"];
    let names = kinds.iter().flat_map(|kind| [format!("{kind}_earliest"), format!("{kind}_latest")]);
    for name in names.chain(["v110_unlimited_twice".to_owned(), "user_block".to_owned()]) {
        let (_folder, target, report, progress) = import_file(&reference(&name));
        assert_eq!((report.images, report.height, report.width), (IMAGES, HEIGHT, WIDTH), "{name}");
        assert_eq!(report.columns, ["ra", "dec", "redshift", "pxscale"], "{name}");
        assert_eq!((progress[0], progress.last()), ((0, IMAGES), Some(&(IMAGES, IMAGES))), "{name}");

        let dataset = data::open(&target).unwrap();
        let labels: Vec<u32> = (0..IMAGES as u32).map(|i| i * 3 % 10).collect();
        assert_eq!(dataset.labels, labels, "{name}");
        assert_eq!((&dataset.classes, dataset.class_counts()), (&report.classes, report.class_counts), "{name}");
        for n in 0..IMAGES {
            assert!(dataset.images.image(n).unwrap().pixels() == picture(n, HEIGHT, WIDTH), "{name}: picture {n}");
        }
        let column = |value: &dyn Fn(f64) -> f64| (0..IMAGES).map(|i| value(i as f64)).collect::<Vec<_>>();
        let catalogue = &dataset.catalogue;
        assert_eq!(catalogue.ra, column(&|i| 10.0 + 0.5 * i), "{name}");
        assert_eq!(catalogue.dec, column(&|i| -5.0 - 0.25 * i), "{name}");
        assert_eq!(catalogue.pxscale, column(&|_| 0.262), "{name}");
        let redshift = column(&|i| if (1.5..2.5).contains(&i) { f64::NAN } else { 0.01 * i });
        assert!(catalogue.redshift.iter().zip(&redshift).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}");
    }
}

#[test]
fn an_import_that_is_ended_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let ended = import(&reference("gzip_latest"), &folder.path().join("galaxies"), &mut |_, _| stop.store(true, Ordering::Relaxed), &stop);
    assert!(matches!(ended, Err(DataError::Stopped)), "{ended:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn classes_are_named_by_what_the_file_is() {
    let (_folder, _, report, _) = import_file(&reference("gzip_earliest"));
    assert_eq!(report.classes, classes::GALAXY10);
    assert_eq!(report.class_counts, [2, 1, 1, 1, 1, 1, 1, 1, 1, 1]);

    let (_folder, target, report, _) = import_file(&reference("sdss"));
    assert_eq!(report.classes, classes::GALAXY10_SDSS);
    assert!(report.columns.is_empty());
    let dataset = data::open(&target).unwrap();
    assert_eq!(dataset.images.size(), Some((69, 69)));
    assert!((0..3).all(|n| dataset.images.image(n).unwrap().pixels() == picture(n, 69, 69)));

    let (_folder, target, report, _) = import_file(&reference("twelve_classes"));
    assert_eq!((report.classes.len(), report.classes[11].as_str()), (12, "Class 11"));
    assert_eq!(data::open(&target).unwrap().classes, report.classes);
}

#[test]
fn labels_may_be_integers_of_any_kind() {
    let (_folder, target, report, _) = import_file(&reference("wide_labels"));
    assert!(report.columns.is_empty());
    assert_eq!(data::open(&target).unwrap().labels, [0, 3, 6, 9, 2, 5, 8, 1, 4, 7, 0]);
}

#[test]
fn slabs_are_put_together_from_tiles() {
    for name in ["tiles_of_rows", "tiles_of_columns"] {
        let (_folder, target, report, _) = import_file(&reference(name));
        assert_eq!((report.images, report.height, report.width), (200, 256, 256));
        let dataset = data::open(&target).unwrap();
        for n in 0..200 {
            let mut expected = vec![7; 256 * 256 * 3];
            for (y, x) in (206..210).flat_map(|y| (190..194).map(move |x| (y, x))) {
                let value = |c: usize| ((n + 3 * y + 5 * x + 50 * c) % 256) as u8;
                expected[(y * 256 + x) * 3..][..3].copy_from_slice(&[value(0), value(1), value(2)]);
            }
            assert!(dataset.images.image(n).unwrap().pixels() == expected, "{name}: picture {n}");
        }
    }
}

#[test]
fn real_galaxies_are_imported() {
    let shared =
        std::env::var_os("TUNING_FORK_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let file = shared.join("galaxies/galaxy10_sample.h5");
    if !file.exists() {
        eprintln!("skipped: there is no {}", file.display());
        return;
    }
    let (_folder, target, report, _) = import_file(&file);
    assert_eq!((report.images, report.height, report.width), (100, 256, 256));
    assert_eq!(report.class_counts, [10; 10]);
    let dataset = data::open(&target).unwrap();
    assert_eq!(dataset.class_counts(), [10; 10]);
    assert!((0..100).all(|n| dataset.images.image(n).unwrap().pixels().iter().any(|&value| value > 60)));
}

#[test]
fn bad_files_are_refused_with_advice() {
    let cases = [
        ("bad_no_ans", "there is no data set `ans` (found: `dec`, `images`, `pxscale`, `ra`, `redshift`)"),
        ("bad_no_images", "there is no data set `images` (found: `ans`, "),
        ("bad_images_float", "`images` holds float32, but 8-bit unsigned integers (uint8) are needed: convert"),
        ("bad_images_int8", "`images` holds int8, but"),
        ("bad_images_channels_first", "`images` has the shape [11, 3, 12, 10], but (N,H,W,3) is needed: channels last"),
        ("bad_images_grey", "`images` has the shape [11, 12, 10], but (N,H,W,3) is needed"),
        ("bad_images_none", "`images` has the shape [0, 12, 10, 3]: there are no pictures in it"),
        ("bad_chunk", "too large to stream; store it in smaller ones with `h5repack -l images:CHUNK=16x256x256x3"),
        ("bad_ans_length", "`ans` has the shape [10], but there are 11 images: each needs one value of `ans`"),
        ("bad_ans_shape", "`ans` has the shape [11, 10], but there are 11 images"),
        ("bad_ans_float", "`ans` holds float64, but labels are integers"),
        ("bad_ans_negative", "label -1 of image 4 is out of range: labels count from 0"),
        ("bad_ans_gap", "label 255 is out of range for 11 images"),
        ("bad_ans_huge", "of image 4 is out of range"),
        ("bad_redshift_length", "`redshift` has the shape [3], but there are 11 images"),
        ("bad_ra_text", "`ra` holds "),
    ];
    for (name, expected) in cases {
        let message = refused(&reference(name));
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn what_is_not_hdf5_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.h5");
    assert!(refused(&file).contains("No such file"), "{}", refused(&file));
    fs::write(&file, "").unwrap();
    assert!(refused(&file).contains("the file is empty; `data import` reads"), "{}", refused(&file));
    fs::write(&file, "<!DOCTYPE html><title>Sign in</title>".repeat(100)).unwrap();
    assert!(refused(&file).contains("this is not an HDF5 file"), "{}", refused(&file));
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("truncated.h5");
    for name in ["contiguous_earliest", "gzip_earliest", "gzip_latest", "unlimited_latest"] {
        let whole = fs::read(reference(name)).unwrap();
        for part in 1..24 {
            fs::write(&file, &whole[..whole.len() * part / 24]).unwrap();
            let message = refused(&file);
            let expected = ["truncated or damaged", "not an HDF5 file", "there is no data set"];
            assert!(expected.iter().any(|words| message.contains(words)), "{name} {part}/24: {message}");
        }
    }
}

#[test]
fn a_damaged_file_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.h5");
    for name in ["gzip_shuffle_earliest", "unlimited_latest"] {
        let whole = fs::read(reference(name)).unwrap();
        for at in (0..whole.len()).step_by(97) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xa5;
            fs::write(&file, &damaged).unwrap();
            let target = folder.path().join(format!("{name}-{at}"));
            // A bit in the file's free space does no harm, one in a picture without a checksum cannot be noticed.
            if import(&file, &target, &mut |_, _| {}, &AtomicBool::new(false)).is_err() {
                assert!(!target.exists(), "{name}, byte {at}");
            }
        }
    }
}

#[test]
fn a_folder_that_is_in_use_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let message = import(&reference("gzip_latest"), folder.path(), &mut |_, _| {}, &AtomicBool::new(false)).unwrap_err().to_string();
    assert!(message.contains("not empty"), "{message}");
    assert_eq!(fs::read_to_string(folder.path().join("notes.txt")).unwrap(), "mine");
}
