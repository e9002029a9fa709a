//! Counts and duplicates.

use std::sync::Arc;

use tuning_fork::data::{self, Dataset, MemorySource, Skipped, Split};

use super::common::{assert_message, memory_dataset, random_image};

/// Twelve pictures, of which 0, 3 and 7 are the same, and 1 and 4.
fn with_duplicates() -> (Dataset, Split) {
    let seeds = [0, 1, 2, 0, 1, 5, 6, 0, 8, 9, 10, 11];
    let mut dataset = memory_dataset(&[0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1], 2);
    let pixels = seeds.iter().flat_map(|&seed| random_image(4, 4, seed).into_pixels()).collect();
    dataset.images = Arc::new(MemorySource::new(4, 4, pixels).unwrap());
    (dataset, Split { train: vec![0, 1, 2, 3, 5, 6], valid: vec![4, 7, 8], test: vec![9, 10] })
}

#[test]
fn counts_and_duplicates_are_found() {
    let (mut dataset, split) = with_duplicates();
    dataset.skipped.push(Skipped { path: "bad.png".into(), reason: "the file is empty".into() });
    let info = data::info(&dataset, &split).unwrap();
    assert_eq!(info.classes.iter().map(|c| [c.images, c.train, c.valid, c.test]).collect::<Vec<_>>(), [[6, 4, 1, 1], [6, 2, 2, 1]]);
    assert_eq!(info.duplicates.groups, [vec![0, 3, 7], vec![1, 4]]);
    assert_eq!(info.duplicates.within_parts, 1, "0 and 3 both train");
    assert_eq!(info.duplicates.across_parts, 2);
    assert_eq!(info.duplicates.different_labels, 1, "7 has another label than 0");
    assert_eq!(info.split_digest, split.digest());
    let text = info.to_string();
    assert!(text.starts_with("test: 12 images, 4 x 4 pixels, 2 classes\n"), "{text}");
    for words in [
        "kind 0         6         4         1         1",
        "total         12         6         3         2",
        "2 pictures stand in it",
        "bad.png: the file",
    ] {
        assert!(text.contains(words), "\"{words}\" is not in\n{text}");
    }
    let json = serde_json::to_value(&info).unwrap();
    assert_eq!(json["classes"][1]["valid"], 2);
    assert_eq!(json["duplicates"]["groups"][1][0], 1);
    assert_eq!(json["skipped"][0], "bad.png: the file is empty");
}

#[test]
fn without_duplicates_it_says_so_and_a_wrong_split_is_refused() {
    let dataset = memory_dataset(&[0, 0, 0], 1);
    let info = data::info(&dataset, &dataset.split(1).unwrap()).unwrap();
    assert!(info.duplicates.groups.is_empty() && info.to_string().contains("duplicates  none"));
    assert_message(data::info(&dataset, &Split { train: vec![0], valid: vec![1], test: vec![3] }), &["image 3"]);
    assert_message(MemorySource::new(4, 4, vec![0; 49]).map(drop), &["49 bytes", "4 x 4"]);
    assert_message(MemorySource::new(0, 4, vec![]).map(drop), &["0 x 4"]);
}
