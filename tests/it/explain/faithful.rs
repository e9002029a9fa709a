//! ROAD, deletion and insertion, and where a map's mass lies.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use tuning_fork::explain::{
    Curves, Explainer, Explanation, Faithfulness, Map, Measured, Method, PERCENT, Request, Road, faithfulness, faithfulness_while, impute,
    measure, shares,
};
use tuning_fork::imaging::Image;
use tuning_fork::nn::Architecture;

use super::maps::classifier;
use super::noise;

const SIDE: usize = 64;

#[test]
fn curves_begin_and_end_where_they_must() {
    let classifier = classifier(Architecture::Compact);
    let picture = noise(3, SIDE, SIDE);
    let explainer = Explainer::new(Arc::clone(&classifier), &picture, false).expect("a forward pass");
    let explanation = explainer.explain(&Request::new(Method::Cam)).expect("a map");
    let measured = faithfulness(&explainer, &explanation, 1).expect("curves");
    let whole = explainer.probabilities()[explanation.class];
    let mean = |channel: usize| {
        let values: Vec<f64> = picture.pixels().iter().skip(channel).step_by(3).map(|&v| f64::from(v)).collect();
        (values.iter().sum::<f64>() / values.len() as f64).round() as u8
    };
    let plain = Image::new(SIDE, SIDE, [mean(0), mean(1), mean(2)].repeat(SIDE * SIDE)).expect("a picture");
    let blank = classifier.classify(&[plain]).expect("an answer")[0][explanation.class];
    let blurred = classifier.classify(&[picture.resize(8, 8).resize(SIDE, SIDE)]).expect("an answer")[0][explanation.class];
    for (_, measured) in measured.maps() {
        let curves = &measured.curves;
        assert_eq!((curves.deletion.len(), curves.insertion.len()), (17, 17));
        let ends = [curves.deletion[0], curves.deletion[16], curves.insertion[0], curves.insertion[16]];
        for (ours, expected) in ends.iter().zip([whole, blank, blurred, whole]) {
            assert!((ours - expected).abs() < 1e-4, "{ends:?}");
        }
        assert!((0.0..=1.0).contains(&curves.deleted()) && (0.0..=1.0).contains(&curves.inserted()));
        assert_eq!((measured.road.most.len(), measured.road.least.len()), (PERCENT.len(), PERCENT.len()));
    }
    assert_eq!(measured, faithfulness(&explainer, &explanation, 1).expect("curves"), "the same seed, the same numbers");
    assert_ne!(measured.random, faithfulness(&explainer, &explanation, 2).expect("curves").random);
}

/// A grey picture with one patch of noise, the explainer of it, and a map that is 1 on the patch and falls slowly elsewhere.
fn patch() -> (Explainer, Explanation, f32, f32) {
    let inside = |i: usize| (20..36).contains(&(i % SIDE)) && (20..36).contains(&(i / SIDE));
    let loud = noise(5, SIDE, SIDE);
    let pixels: Vec<u8> = (0..SIDE * SIDE * 3).map(|i| if inside(i / 3) { loud.pixels()[i] } else { 128 }).collect();
    // the mean of the noise decides the mean colour; grey levels around it are made even, so that nothing else changes
    let mean = |c: usize| {
        let sum: u64 = pixels.iter().skip(c).step_by(3).map(|&v| u64::from(v)).sum();
        (sum as f64 / (SIDE * SIDE) as f64).round() as u8
    };
    let colour = [mean(0), mean(1), mean(2)];
    let pixels: Vec<u8> = (0..pixels.len()).map(|i| if inside(i / 3) { pixels[i] } else { colour[i % 3] }).collect();
    let picture = Image::new(SIDE, SIDE, pixels).expect("a picture");
    let plain = Image::new(SIDE, SIDE, colour.repeat(SIDE * SIDE)).expect("a picture");
    let classifier = classifier(Architecture::Compact);
    let blank = classifier.classify(&[plain]).expect("an answer").remove(0);
    let explainer = Explainer::new(classifier, &picture, false).expect("a forward pass");
    // the class that the patch speaks for most
    let gain = |c: &usize| explainer.probabilities()[*c] - blank[*c];
    let class = (0..blank.len()).max_by(|a, b| gain(a).total_cmp(&gain(b))).expect("classes");
    let request = Request { class: Some(class), signed: true, ..Request::new(Method::Cam) };
    let mut explanation = explainer.explain(&request).expect("a map");
    let slope = |i: usize| if inside(i) { 1.0 - i as f32 * 1e-5 } else { -1e-4 * i as f32 };
    explanation.map = Map { width: SIDE, height: SIDE, values: (0..SIDE * SIDE).map(slope).collect() };
    let whole = explainer.probabilities()[class];
    (explainer, explanation, whole, blank[class])
}

fn negative(explanation: &Explanation) -> Explanation {
    let mut other = explanation.clone();
    other.map.values.iter_mut().for_each(|v| *v = -*v);
    other
}

#[test]
fn a_map_of_what_counts_loses_the_class_at_once_and_its_opposite_at_last() {
    let (explainer, explanation, whole, blank) = patch();
    assert!(whole > blank + 0.01, "the patch speaks for its class: {whole} {blank}");
    // the patch is a sixteenth of the picture: exactly one step
    let best = faithfulness(&explainer, &explanation, 1).expect("curves");
    let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
    assert!(near(best.map.curves.deletion[0], whole));
    assert!(best.map.curves.deletion[1..].iter().all(|&p| near(p, blank)), "{:?}", best.map.curves.deletion);
    let worst = faithfulness(&explainer, &negative(&explanation), 1).expect("curves").map;
    assert!(worst.curves.deletion[..16].iter().all(|&p| near(p, whole)), "{:?}", worst.curves.deletion);
    assert!(near(worst.curves.deletion[16], blank));
    assert!(best.map.curves.deleted() < best.random.curves.deleted() && best.random.curves.deleted() < worst.curves.deleted());
    // Of ROAD the opposite map has the opposite score, because the strongest of one are the weakest of the other.
    assert_eq!((&best.map.road.most, &best.map.road.least), (&worst.road.least, &worst.road.most));
    assert!((best.map.road.score() + worst.road.score()).abs() < 1e-9);
    assert!(best.map.road.score() > worst.road.score(), "{:?}", best.map.road);
}

/// Numbers of a map whose curves are straight.
fn measured(most: f32, least: f32, deletion: f32, insertion: f32) -> Measured {
    let road = Road { most: vec![most; 9], least: vec![least; 9] };
    Measured { road, curves: Curves { deletion: vec![deletion; 17], insertion: vec![insertion; 17] } }
}

#[test]
fn the_verdict_follows_the_numbers() {
    let (good, bad) = (measured(0.2, 0.8, 0.1, 0.7), measured(0.5, 0.5, 0.3, 0.4));
    assert!((good.road.score() - 0.3).abs() < 1e-6 && bad.road.score().abs() < 1e-6);
    assert!((good.curves.margin() - 0.6).abs() < 1e-6);
    let beside = |map: &Measured, random: &Measured, sobel: &Measured| {
        let trust = Faithfulness { map: map.clone(), random: random.clone(), sobel: sobel.clone() };
        (trust.convinces(), trust.verdict(), trust.summary())
    };
    let (convinces, verdict, summary) = beside(&good, &bad, &bad);
    assert!(convinces && verdict.starts_with("better"));
    assert_eq!(
        summary,
        "ROAD 0.30, deletion 0.10, insertion 0.70; random: ROAD 0.00, deletion 0.30, insertion 0.40; \
         edges: ROAD 0.00, deletion 0.30, insertion 0.40: better than maps that know nothing of the model"
    );
    // one other map that is as good is enough
    for (random, sobel) in [(&good, &bad), (&bad, &good)] {
        let (convinces, verdict, _) = beside(&good, random, sobel);
        assert!(!convinces && verdict.starts_with("no better"));
    }
    let (only_road, only_curves) = (measured(0.2, 0.8, 0.3, 0.4), measured(0.5, 0.5, 0.1, 0.7));
    assert!(beside(&only_road, &bad, &bad).1.starts_with("by ROAD better"));
    assert!(beside(&only_curves, &bad, &bad).1.starts_with("by deletion and insertion better"));
}

#[test]
fn a_measurement_that_nobody_wants_is_given_up() {
    let (explainer, explanation, ..) = patch();
    let asked = std::cell::Cell::new(0);
    let wanted = || {
        asked.set(asked.get() + 1);
        asked.get() < 2
    };
    assert_eq!(faithfulness_while(&explainer, &explanation, 1, wanted).expect("no failure"), None);
    assert_eq!(asked.get(), 2);
    // alone a map has the same numbers as beside others
    let beside = faithfulness(&explainer, &explanation, 1).expect("curves");
    assert_eq!(measure(&explainer, &explanation, 1).expect("curves"), beside.map);
}

/// Against scipy's direct solver.
#[test]
fn hidden_pixels_are_filled_as_road_says() {
    let path: std::path::PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/reference/explain/road.safetensors"].iter().collect();
    let reference: HashMap<String, Tensor> = candle_core::safetensors::load(path, &Device::Cpu).expect("the reference");
    let bytes = |key: &str| -> Vec<u8> { reference[key].flatten_all().and_then(|t| t.to_vec1()).expect("bytes") };
    let mut compared = 0;
    for name in reference.keys().filter_map(|key| key.strip_suffix("/picture")) {
        let &[height, width, 3] = reference[&format!("{name}/picture")].dims() else { panic!("{name}: no picture") };
        let picture = Image::new(width, height, bytes(&format!("{name}/picture"))).expect("a picture");
        let hidden: Vec<bool> = bytes(&format!("{name}/hidden")).into_iter().map(|v| v == 1).collect();
        let theirs: Vec<f32> = reference[&format!("{name}/filled")].flatten_all().and_then(|t| t.to_vec1()).expect("numbers");
        for (i, (ours, theirs)) in impute(&picture, &hidden).iter().flatten().zip(theirs).enumerate() {
            assert!((ours - f64::from(theirs)).abs() < 1e-3, "{name}, number {i}: {ours} instead of {theirs}");
        }
        compared += 1;
    }
    assert_eq!(compared, 6);
}

#[test]
fn with_nothing_or_everything_hidden_nothing_breaks() {
    let picture = noise(9, 6, 5);
    let same: Vec<u8> = impute(&picture, &[false; 30]).iter().flatten().map(|&v| v as u8).collect();
    assert_eq!(same, picture.pixels());
    let mean = picture.pixels().iter().step_by(3).map(|&v| f64::from(v)).sum::<f64>() / 30.0;
    assert!(impute(&picture, &[true; 30]).iter().all(|colour| (colour[0] - mean).abs() < 1e-9));
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
