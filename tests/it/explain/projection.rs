//! Readings of many pictures, and their features on a map.

use serde_json::Value;
use tuning_fork::explain::{BEST_MODEL, Classifier, NoMap, Points, TSNE_STEPS, nearest, tsne};
use tuning_fork::nn;
use tuning_fork::random::{Purpose, Random};

use super::{SIZE, noise, spec};

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number")).collect()
}

#[test]
fn principal_components_are_those_of_scikit_learn() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/explain/pca.json");
    let reference: Value = serde_json::from_slice(&std::fs::read(path).expect("the reference")).expect("JSON");
    for case in reference["cases"].as_array().expect("cases") {
        let values: Vec<f32> = numbers(&case["values"]).into_iter().map(|v| v as f32).collect();
        let count = case["count"].as_u64().expect("a number") as usize;
        let points = Points::new(&values, case["width"].as_u64().expect("a number") as usize).expect("whole rows");
        let pca = points.pca(count);
        for (ours, theirs) in pca.shares.iter().zip(numbers(&case["shares"])) {
            assert!((ours - theirs).abs() < 1e-4, "{ours} {theirs}");
        }
        // a direction may be turned round as a whole
        let theirs = numbers(&case["coordinates"]);
        let largest = theirs.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        for column in 0..count {
            let pairs = || pca.coordinates.iter().zip(&theirs).skip(column).step_by(count).map(|(a, b)| (f64::from(*a), *b));
            let sign = pairs().map(|(a, b)| a * b).sum::<f64>().signum();
            for (ours, theirs) in pairs() {
                assert!((sign * ours - theirs).abs() < 2e-3 * largest, "column {column}: {ours} {theirs}");
            }
        }
    }
}

#[test]
fn points_without_variance_or_rows_are_no_failure() {
    assert!(Points::new(&[], 3).is_none() && Points::new(&[1.0; 4], 3).is_none() && Points::new(&[1.0], 0).is_none());
    let same = [2.0; 12];
    let points = Points::new(&same, 3).expect("four rows");
    let pca = points.pca(2);
    assert!(pca.coordinates.iter().all(|v| v.abs() < 1e-6) && pca.shares.iter().all(|s| s.is_finite()));
    assert_eq!(Points::new(&[5.0], 1).expect("a row").pca(2).rows(), [[0.0, 0.0]]);
    assert_eq!(tsne(&points, &|_| (), &|| false).expect("a map").len(), 4);
}

/// Three groups of 40 rows of 12 numbers, far from each other.
fn groups() -> Vec<f32> {
    let mut random = Random::new(2, Purpose::Test, &[]);
    let mut values = Vec::new();
    for row in 0..120 {
        values.extend((0..12).map(|i| if i == row % 3 { 12.0 } else { 0.0 } + random.range(-1.0, 1.0) as f32));
    }
    values
}

#[test]
fn tsne_keeps_groups_together_the_same_each_time_and_can_be_stopped() {
    let values = groups();
    let points = Points::new(&values, 12).expect("whole rows");
    let steps = std::cell::Cell::new(0);
    let map = tsne(&points, &|step| steps.set(step), &|| false).expect("a map");
    assert!(steps.get() + 1 >= TSNE_STEPS, "{}", steps.get());
    let distance = |a: usize, b: usize| (map[a][0] - map[b][0]).hypot(map[a][1] - map[b][1]);
    for at in 0..120 {
        let mut others: Vec<usize> = (0..120).filter(|&b| b != at).collect();
        others.sort_by(|&a, &b| distance(at, a).total_cmp(&distance(at, b)));
        assert!(others[..20].iter().all(|b| b % 3 == at % 3), "the nearest of {at} are of its group");
    }
    assert_eq!(tsne(&points, &|_| (), &|| steps.get() > 0), Err(NoMap::Stopped));
}

#[test]
fn the_nearest_point_the_same_way() {
    let values = [1.0, 0.0, 0.0, 1.0, 2.0, 0.1, 0.9, 0.3];
    let points = Points::new(&values, 2).expect("four rows");
    assert_eq!(nearest(&points, 0, 10), [0, 2, 3, 1]);
    assert_eq!(nearest(&points, 0, 2), [0, 2]);
}

#[test]
fn a_reading_has_the_probabilities_of_the_classifier_and_a_number_a_channel() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = nn::build(&spec().network, 5, &candle_core::Device::Cpu).expect("a network");
    nn::weights::save(folder.path().join(BEST_MODEL), network.as_ref(), &spec()).expect("a file");
    let classifier = Classifier::load(folder.path()).expect("a run folder");
    let images: Vec<_> = (0..5).map(|seed| noise(seed, SIZE, SIZE)).collect();
    let readings = classifier.read(&images).expect("readings");
    let probabilities = classifier.classify(&images).expect("probabilities");
    for (reading, expected) in readings.iter().zip(&probabilities) {
        assert!(reading.probabilities.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6));
        assert_eq!(reading.features.len(), 512, "channels of the compact network's last block");
    }
    let classes = |names: [&str; 3]| names.map(str::to_owned).to_vec();
    assert!(classifier.check_classes(&classes(["a", "b", "c"])).is_ok());
    for (names, says) in
        [(classes(["a", "x", "c"]), "it has b where the data set has x"), (vec!["a".to_owned()], "3 classes, the data set 1")]
    {
        let message = classifier.check_classes(&names).expect_err("other classes").to_string();
        assert!(message.contains(says), "{message}");
    }
}
