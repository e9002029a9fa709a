//! Stratified splits: their counts against Python's `round`, and what cannot be split.

use tuning_fork::data::{Part, Split};

use super::common::{assert_message, memory_dataset};

#[test]
fn each_class_is_split_60_20_20_as_python_rounds() {
    // n, round(0.6 * n), round(0.8 * n) as Python gives them; with three images each part gets one.
    let table = [
        (3, 1, 2),
        (4, 2, 3),
        (5, 3, 4),
        (6, 4, 5),
        (7, 4, 6),
        (8, 5, 6),
        (9, 5, 7),
        (10, 6, 8),
        (11, 7, 9),
        (12, 7, 10),
        (13, 8, 10),
        (115, 69, 92),
        (334, 200, 267),
        (850, 510, 680),
        (998, 599, 798),
        (1_081, 649, 865),
        (4_645, 2_787, 3_716),
    ];
    let labels: Vec<u32> = table.iter().enumerate().flat_map(|(class, row)| std::iter::repeat_n(class as u32, row.0)).collect();
    let split = Split::stratified(&labels, table.len(), 42).unwrap();
    split.validate(labels.len()).unwrap();
    assert_eq!(Part::ALL.iter().map(|part| split.part(*part).len()).sum::<usize>(), labels.len(), "every image is in a part");
    for (class, &(n, train_end, valid_end)) in table.iter().enumerate() {
        let count = |part| split.part(part).iter().filter(|&&i| labels[i as usize] as usize == class).count();
        let counts = (count(Part::Train), count(Part::Valid), count(Part::Test));
        assert_eq!(counts, (train_end, valid_end - train_end, n - valid_end), "class of {n}");
    }
}

#[test]
fn the_seed_decides_and_the_digest_tells() {
    let labels: Vec<u32> = (0..300).map(|i| i % 3).collect();
    let split = |seed| Split::stratified(&labels, 3, seed).unwrap();
    assert_eq!(split(1), split(1));
    assert_ne!(split(1).train, split(2).train);
    assert_eq!(split(1).digest(), split(1).digest());
    assert_ne!(split(1).digest(), split(2).digest());
    let a = Split { train: vec![1, 2], valid: vec![3], test: vec![4] };
    let b = Split { train: vec![1], valid: vec![2, 3], test: vec![4] };
    assert_ne!(a.digest(), b.digest(), "where a part ends counts");
    // Python's hashlib over "train", 2 as u64, 1, 2 as u32, "valid", 1, 3, "test", 1, 4.
    assert_eq!(a.digest(), "4f4f5e6d697d6e790c3025045f873d893d2f852f23b72df309e9e72fbe3ccead");
    // A class's draw does not depend on the other classes.
    let more: Vec<u32> = labels.iter().copied().chain([3, 3, 3, 3, 3]).collect();
    let grown = Split::stratified(&more, 4, 1).unwrap();
    assert!(split(1).train.iter().all(|i| grown.train.contains(i)));
}

#[test]
fn a_class_that_cannot_be_split_is_named() {
    assert_message(Split::stratified(&[0, 0, 0, 2, 2, 2], 3, 1), &["class 1 has no images", "remove the class"]);
    assert_message(Split::stratified(&[0, 0, 0, 1], 2, 1), &["class 1 has only 1 image", "add images"]);
    assert_message(Split::stratified(&[0, 0, 0, 1, 1], 2, 1), &["class 1 has only 2 images"]);
    assert_message(Split::stratified(&[0, 0, 0, 5], 2, 1), &["image 3 has label 5", "2 classes"]);
    assert_message(memory_dataset(&[0, 0, 0, 2, 2, 2], 3).split(1), &["class \"kind 1\" has no images"]);
    assert!(Split::stratified(&[0, 0, 0], 1, 1).is_ok());
}

#[test]
fn a_split_that_is_none_is_refused() {
    let check = |train: &[u32], valid: &[u32], test: &[u32]| {
        Split { train: train.to_vec(), valid: valid.to_vec(), test: test.to_vec() }.validate(5)
    };
    assert!(check(&[0, 4], &[1], &[3]).is_ok(), "an image may be in no part");
    assert_message(check(&[0], &[1], &[]), &["test part", "empty"]);
    assert_message(check(&[2, 0], &[1], &[3]), &["train part has 2 before 0", "sort"]);
    assert_message(check(&[0, 0], &[1], &[3]), &["image 0 stands in the train part and again in the train part"]);
    assert_message(check(&[0], &[1], &[1]), &["image 1 stands in the valid part and again in the test part"]);
    assert_message(check(&[0], &[1], &[5]), &["image 5", "only 5 images"]);
}
