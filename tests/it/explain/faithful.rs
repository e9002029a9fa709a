//! Deletion and insertion, and where a map's mass lies.

use tuning_fork::explain::{Explainer, Map, Method, Request, faithfulness, shares};
use tuning_fork::imaging::Image;
use tuning_fork::nn::Architecture;

use super::maps::classifier;
use super::noise;

#[test]
fn curves_begin_and_end_where_they_must() {
    let classifier = classifier(Architecture::Compact);
    let picture = noise(3, 64, 64);
    let explainer = Explainer::new(std::sync::Arc::clone(&classifier), &picture, false).expect("a forward pass");
    let explanation = explainer.explain(&Request::new(Method::Cam)).expect("a map");
    let measured = faithfulness(&explainer, &explanation, 1).expect("curves");
    let whole = explainer.probabilities()[explanation.class];
    let mean = |channel: usize| {
        let values: Vec<f64> = picture.pixels().iter().skip(channel).step_by(3).map(|&v| f64::from(v)).collect();
        (values.iter().sum::<f64>() / values.len() as f64).round() as u8
    };
    let plain = Image::new(64, 64, [mean(0), mean(1), mean(2)].repeat(64 * 64)).expect("a picture");
    let blank = classifier.classify(&[plain]).expect("an answer")[0][explanation.class];
    let blurred = classifier.classify(&[picture.resize(8, 8).resize(64, 64)]).expect("an answer")[0][explanation.class];
    for curves in [&measured.map, &measured.random, &measured.sobel] {
        assert_eq!((curves.deletion.len(), curves.insertion.len()), (17, 17));
        let ends = [curves.deletion[0], curves.deletion[16], curves.insertion[0], curves.insertion[16]];
        for (ours, expected) in ends.iter().zip([whole, blank, blurred, whole]) {
            assert!((ours - expected).abs() < 1e-4, "{ends:?}");
        }
        assert!((0.0..=1.0).contains(&curves.deleted()) && (0.0..=1.0).contains(&curves.inserted()));
    }
    assert_eq!(measured, faithfulness(&explainer, &explanation, 1).expect("curves"), "the same seed, the same numbers");
    assert_ne!(measured.random, faithfulness(&explainer, &explanation, 2).expect("curves").random);
}

#[test]
fn an_order_that_hurts_most_has_the_smallest_deletion() {
    let classifier = classifier(Architecture::Compact);
    let explainer = Explainer::new(classifier, &noise(5, 64, 64), false).expect("a forward pass");
    let mut explanation = explainer.explain(&Request { signed: true, ..Request::new(Method::Cam) }).expect("a map");
    let forward = faithfulness(&explainer, &explanation, 1).expect("curves").map;
    for value in &mut explanation.map.values {
        *value = -*value;
    }
    // the other way around the curve is the other picture's: what was deleted last goes first
    let backward = faithfulness(&explainer, &explanation, 1).expect("curves").map;
    assert_ne!(forward, backward);
    assert_eq!((forward.deletion[0], forward.deletion[16]), (backward.deletion[0], backward.deletion[16]));
}

#[test]
fn mass_is_shared_between_galaxy_sources_and_sky() {
    let inside = |x: usize, y: usize| x.abs_diff(20) < 5 && y.abs_diff(20) < 5;
    let star = |x: usize, y: usize| x < 8 && y < 8;
    let pixels = (0..1600)
        .flat_map(|i| {
            [if inside(i % 40, i / 40) {
                120
            } else if star(i % 40, i / 40) {
                200
            } else {
                10
            }; 3]
        })
        .collect();
    let picture = Image::new(40, 40, pixels).expect("a picture");
    let map = |on: fn(usize, usize) -> f32| Map { width: 40, height: 40, values: (0..1600).map(|i| on(i % 40, i / 40)).collect() };
    let only = shares(&picture, &map(|x, y| f32::from(u8::from(x.abs_diff(20) < 3 && y.abs_diff(20) < 3)))).expect("shares");
    assert!((only.galaxy - 1.0).abs() < 1e-9 && only.other < 1e-9 && only.sky < 1e-9);
    let corner = shares(&picture, &map(|x, y| f32::from(u8::from(x < 5 && y < 5)))).expect("shares");
    assert!((corner.other - 1.0).abs() < 1e-9);
    let even = shares(&picture, &map(|_, _| 2.0)).expect("shares");
    assert!((even.galaxy + even.other + even.sky - 1.0).abs() < 1e-9 && even.sky > 0.8);
    assert_eq!(shares(&picture, &map(|_, _| -1.0)), None);
}
