//! Maps of models whose weights were replaced, and how alike maps are.

use tuning_fork::explain::{Method, Request, sanity, sanity_while, spearman, ssim};
use tuning_fork::imaging::Image;
use tuning_fork::nn::Architecture;

use super::maps::classifier;
use super::noise;

/// Against scipy and scikit-image.
#[test]
fn similarities_are_those_of_scipy_and_scikit_image() {
    let path: std::path::PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/reference/explain/similarity.json"].iter().collect();
    let reference: serde_json::Value = serde_json::from_slice(&std::fs::read(path).expect("the reference")).expect("JSON");
    let cases = reference["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let map = |key: &str| -> Vec<f32> { serde_json::from_value(case[key].clone()).expect("numbers") };
        let (a, b) = (map("a"), map("b"));
        let width = case["width"].as_u64().expect("a width") as usize;
        for (ours, key) in [(spearman(&a, &b), "spearman"), (ssim(&a, &b, width), "ssim")] {
            let theirs = case[key].as_f64().expect("a number");
            assert!((ours - theirs).abs() < 1e-6, "{}, {key}: {ours} instead of {theirs}", case["name"]);
        }
    }
    // 0 and -0 are the same number
    assert_eq!(
        spearman(&[-0.0, 0.0, 0.0, 1.0], &[3.0, 1.0, 2.0, 4.0]).to_bits(),
        spearman(&[0.0, -0.0, 0.0, 1.0], &[3.0, 1.0, 2.0, 4.0]).to_bits()
    );
    // a constant map says nothing
    assert!(spearman(&[1.0; 4], &[1.0, 2.0, 3.0, 4.0]).abs() < 1e-12);
    assert!((ssim(&[5.0; 4], &[2.0; 4], 2) - 1.0).abs() < 1e-12);
}

#[test]
fn weights_are_replaced_from_the_last_layer_to_the_first() {
    let classifier = classifier(Architecture::Compact);
    let pictures: Vec<Image> = [1, 2].map(|seed| noise(seed, 64, 64)).into();
    let checked = sanity(&classifier, &pictures, &Request::new(Method::LayerCam), 3).expect("a check");
    let names: Vec<&str> = checked.stages.iter().map(|stage| stage.layer.as_str()).collect();
    assert_eq!(names, ["head.linear", "block5", "block4", "block3", "block2", "block1"]);
    assert_eq!((checked.pictures, checked.layer.as_str()), (2, "block5.relu"));
    for stage in &checked.stages {
        assert!((-1.0..=1.0).contains(&stage.spearman) && (-1.0..=1.0).contains(&stage.ssim), "{stage:?}");
    }
    assert_eq!(checked, sanity(&classifier, &pictures, &Request::new(Method::LayerCam), 3).expect("a check"));
    assert_ne!(checked.stages, sanity(&classifier, &pictures, &Request::new(Method::LayerCam), 4).expect("a check").stages);
}

#[test]
fn a_check_that_nobody_waits_for_is_given_up() {
    let classifier = classifier(Architecture::Compact);
    let asked = std::cell::Cell::new(0);
    let wanted = || {
        asked.set(asked.get() + 1);
        asked.get() < 4
    };
    let pictures = [noise(1, 64, 64), noise(2, 64, 64)];
    let checked = sanity_while(&classifier, &pictures, &Request::new(Method::LayerCam), 3, wanted).expect("no failure");
    assert_eq!((checked, asked.get()), (None, 4));
}

/// Eigen-CAM knows nothing of what comes after its layer: only replacing weights before it can change the map.
#[test]
fn only_weights_that_a_map_depends_on_change_it() {
    let classifier = classifier(Architecture::Compact);
    let request = Request { layer: Some("block3.relu".into()), ..Request::new(Method::EigenCam) };
    let checked = sanity(&classifier, &[noise(4, 64, 64)], &request, 1).expect("a check");
    for stage in &checked.stages {
        let before_the_layer = ["block3", "block2", "block1"].contains(&stage.layer.as_str());
        let same = (stage.spearman - 1.0).abs() < 1e-9 && (stage.ssim - 1.0).abs() < 1e-9;
        assert_eq!(same, !before_the_layer, "{stage:?}");
    }
}

#[test]
fn a_check_without_pictures_is_refused() {
    let classifier = classifier(Architecture::Seed);
    let refused = sanity(&classifier, &[], &Request::new(Method::GradCam), 1).expect_err("no picture");
    assert!(refused.to_string().contains("at least one picture"));
}

#[test]
fn a_models_identity_is_that_of_its_weights() {
    let [one, same] = [0, 1].map(|_| classifier(Architecture::Compact));
    assert_ne!(one.path(), same.path());
    assert_eq!(one.identity().expect("a digest"), same.identity().expect("a digest"));
    assert_ne!(one.identity().expect("a digest"), classifier(Architecture::Seed).identity().expect("a digest"));
}
