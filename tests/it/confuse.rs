//! Tests of what `metrics` says of probabilities: against scikit-learn, `SciPy` and cleanlab
//! (`tests/reference/metrics/confuse.py`), and against identities.

use half::f16;
use serde::Deserialize;
use tuning_fork::metrics::{Confusion, McNemarForm, Predictions, PredictionsError, compare, forgetting, mcnemar, most_forgotten};
use tuning_fork::random::{Purpose, Random};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
    mcnemar: Vec<Test>,
}

#[derive(Deserialize)]
struct Case {
    classes: usize,
    truth: Vec<u32>,
    bits: Vec<u16>,
    confusion: Confusion,
    kappa: f64,
    bins: Vec<(u64, f64, f64)>,
    expected_error: f64,
    largest_error: f64,
    negative_log_likelihood: f64,
    brier: f64,
    temperature: f64,
    loss_at_temperature: f64,
    curves: Vec<Curves>,
    thresholds: Vec<f64>,
    joint: Vec<Vec<u64>>,
    issues: Vec<usize>,
    f1_low: Vec<f64>,
    f1_high: Vec<f64>,
    clusters: Vec<Vec<usize>>,
}

#[derive(Deserialize)]
struct Curves {
    average_precision: f64,
    area: f64,
    precision: Vec<f64>,
    recall: Vec<f64>,
    fpr: Vec<f64>,
}

#[derive(Deserialize)]
struct Test {
    only_first: u64,
    only_second: u64,
    exact: bool,
    statistic: f64,
    p_value: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../reference/metrics/confuse.json")).expect("the reference is JSON")
}

impl Case {
    fn predictions(&self) -> Predictions {
        let probabilities = self.bits.iter().map(|&bits| f16::from_bits(bits).to_f32()).collect();
        Predictions::new(self.classes, self.truth.clone(), probabilities).expect("they fit")
    }
}

fn near(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b}");
}

#[test]
fn the_matrix_and_kappa_are_those_of_scikit_learn() {
    for case in reference().cases {
        let confusion = case.predictions().confusion();
        assert_eq!(confusion, case.confusion);
        near(confusion.kappa(), case.kappa, 1e-12);
    }
    let mut all_in_one_cell = Confusion::new(2);
    all_in_one_cell.add(1, 1);
    for undefined in [Confusion::new(0), Confusion::new(3), all_in_one_cell] {
        near(undefined.kappa(), 0.0, 0.0);
    }
}

#[test]
fn reliability_is_that_of_numpy() {
    for case in reference().cases {
        let got = case.predictions().reliability(10);
        for (bin, (images, confidence, accuracy)) in got.bins.iter().zip(&case.bins) {
            assert_eq!(bin.images, *images);
            near(bin.confidence, *confidence, 1e-9);
            near(bin.accuracy, *accuracy, 1e-9);
        }
        near(got.expected_error, case.expected_error, 1e-9);
        near(got.largest_error, case.largest_error, 1e-9);
        near(got.negative_log_likelihood, case.negative_log_likelihood, 1e-9);
        near(got.brier, case.brier, 1e-9);
    }
}

#[test]
fn the_temperature_is_the_one_that_scipy_finds() {
    for case in reference().cases {
        let predictions = case.predictions();
        let temperature = predictions.fit_temperature();
        near(temperature, case.temperature, 1e-4 * case.temperature);
        let mended = predictions.with_temperature(temperature);
        near(mended.negative_log_likelihood(), case.loss_at_temperature, 1e-6);
        assert_eq!(mended.predicted(), predictions.predicted(), "a temperature changes no verdict");
        near(mended.fit_temperature(), 1.0, 1e-3);
        let same = predictions.with_temperature(1.0);
        for (a, b) in same.probabilities().iter().zip(predictions.probabilities()) {
            near(f64::from(*a), f64::from(*b), 2e-3);
        }
    }
    near(Predictions::default().fit_temperature(), 1.0, 0.0);
}

#[test]
fn curves_are_those_of_scikit_learn() {
    for case in reference().cases {
        let predictions = case.predictions();
        for (class, want) in case.curves.iter().enumerate() {
            let got = predictions.curves(class);
            near(got.average_precision, want.average_precision, 1e-9);
            near(got.area.expect("both kinds are there"), want.area, 1e-9);
            if class == 0 {
                // scikit-learn leaves the points out that come after everything is found
                assert!(got.recall.len() >= want.recall.len());
                for (i, recall) in want.recall.iter().enumerate() {
                    near(got.recall[i], *recall, 1e-8);
                    near(got.precision[i], want.precision[i], 1e-8);
                }
                assert_eq!(got.false_positive_rate.len(), want.fpr.len());
                for (a, b) in got.false_positive_rate.iter().zip(&want.fpr) {
                    near(*a, *b, 1e-8);
                }
            }
        }
    }
    let one_kind = Predictions::new(2, vec![0, 0], vec![0.9, 0.1, 0.4, 0.6]).expect("they fit");
    assert_eq!((one_kind.curves(0).area, one_kind.curves(1).area), (None, None));
    near(one_kind.curves(0).average_precision, 1.0, 0.0);
    near(one_kind.curves(1).average_precision, 0.0, 0.0);
}

#[test]
fn label_errors_are_those_of_cleanlab() {
    for case in reference().cases {
        let got = case.predictions().label_errors();
        for (threshold, want) in got.thresholds.iter().zip(&case.thresholds) {
            near(threshold.expect("every class has images"), *want, 1e-6);
        }
        assert_eq!(got.joint, case.joint.concat());
        let mut found: Vec<usize> = got.suspects.iter().map(|s| s.image).collect();
        assert!(got.suspects.is_sorted_by(|a, b| a.self_confidence <= b.self_confidence));
        // images of equal self-confidence may stand in either order
        found.sort_unstable();
        let mut want = case.issues;
        want.sort_unstable();
        assert_eq!(found, want);
    }
}

#[test]
fn f1_intervals_are_those_of_scipy_and_repeat() {
    for case in reference().cases {
        let confusion = case.predictions().confusion();
        let draw = |seed| {
            let mut random = Random::new(seed, Purpose::Test, &[]);
            confusion.f1_intervals(4_000, |n| random.below(n))
        };
        let got = draw(1);
        let intervals = got.classes.iter().chain([&got.macro_f1]);
        for (interval, (low, high)) in intervals.zip(case.f1_low.iter().zip(&case.f1_high)) {
            // two bootstraps of 4,000 rounds differ by this much at the ends
            near(interval.low, *low, 0.02);
            near(interval.high, *high, 0.02);
        }
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
    let nothing = Confusion::new(2).f1_intervals(10, |_| 0);
    assert_eq!((nothing.macro_f1.low, nothing.macro_f1.high), (0.0, 1.0));
}

#[test]
fn mcnemars_test_is_that_of_scipy() {
    for case in reference().mcnemar {
        let got = mcnemar(case.only_first, case.only_second);
        assert_eq!(got.form == McNemarForm::Exact, case.exact);
        near(got.statistic, case.statistic, 1e-12);
        near(got.p_value, case.p_value, 1e-9);
    }
}

#[test]
fn mcnemars_test_says_what_it_means() {
    let say = |first, second| mcnemar(first, second).sentence("A", "B");
    assert!(say(0, 0).contains("nothing to test"));
    assert!(say(5, 6).contains("neither is shown to be better"), "{}", say(5, 6));
    assert!(say(1, 12).contains("exact") && say(1, 12).contains("B is better"), "{}", say(1, 12));
    assert!(say(90, 30).contains("chi-square") && say(90, 30).contains("A is better"), "{}", say(90, 30));
    assert!(say(1, 12).contains("Only A is right on 1 image,"), "{}", say(1, 12));
}

#[test]
fn classes_that_are_confused_stand_together() {
    for case in reference().cases {
        let order = case.confusion.clustered_order();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..case.classes).collect::<Vec<_>>());
        for cluster in &case.clusters {
            let places: Vec<usize> = cluster.iter().map(|c| order.iter().position(|o| o == c).expect("it is there")).collect();
            let (first, last) = (places.iter().min().expect("some"), places.iter().max().expect("some"));
            assert_eq!(last - first + 1, cluster.len(), "{cluster:?} is torn apart in {order:?}");
        }
    }
    assert_eq!(Confusion::new(4).clustered_order(), [0, 1, 2, 3], "without confusion the classes keep their order");
    assert!(Confusion::new(0).clustered_order().is_empty());
}

/// Three images of two classes; `right` says which are called right.
fn called(right: [bool; 3]) -> Predictions {
    let truth = vec![0, 1, 1];
    let rows = truth.iter().zip(right).flat_map(|(&label, right)| if (label == 0) == right { [0.75, 0.25] } else { [0.25, 0.75] });
    Predictions::new(2, truth.clone(), rows.collect()).expect("they fit")
}

#[test]
fn forgetting_counts_falls_from_right_to_wrong() {
    let epochs = [[false, true, true], [true, false, true], [false, true, true], [true, false, true]].map(called);
    let images = forgetting(&epochs).expect("the same images");
    assert_eq!(images.iter().map(|i| i.forgotten).collect::<Vec<_>>(), [1, 2, 0]);
    assert_eq!(images.iter().map(|i| i.learned).collect::<Vec<_>>(), [Some(1), Some(0), Some(0)]);
    assert_eq!(images.iter().map(|i| i.right).collect::<Vec<_>>(), [2, 2, 4]);
    assert_eq!(most_forgotten(&images), [1, 0]);
    let other = Predictions::new(2, vec![0], vec![1.0, 0.0]).expect("they fit");
    assert!(forgetting([&epochs[0], &other]).is_none());
    assert!(forgetting([]).is_none());
}

#[test]
fn a_comparison_tells_what_was_fixed_and_broken() {
    let (first, second) = (called([true, false, false]), called([true, true, false]));
    let found = compare(&first, &second).expect("the same images");
    assert_eq!((found.fixed, found.broken, found.both_wrong), (vec![1], vec![], vec![2]));
    assert_eq!(found.difference, [0, 0, -1, 1]);
    assert_eq!((found.test.only_first, found.test.only_second), (0, 1));
    let other = Predictions::new(2, vec![0, 0, 1], vec![1.0, 0.0, 1.0, 0.0, 0.5, 0.5]).expect("they fit");
    assert!(compare(&first, &other).is_none(), "other labels are other images");
}

#[test]
fn what_came_into_a_cell_and_left_it_is_its_difference() {
    let rows =
        |shift: usize| (0..120).flat_map(move |i| (0..3).map(move |c| if (i * 7 / (2 + shift) + shift) % 3 == c { 0.6 } else { 0.2 }));
    let labels: Vec<u32> = (0..120).map(|i| i % 3).collect();
    let [first, second] = [0, 1].map(|shift| Predictions::new(3, labels.clone(), rows(shift).collect()).expect("they fit"));
    let found = compare(&first, &second).expect("the same images");
    let mut moved = 0;
    for (cell, difference) in found.difference.iter().enumerate() {
        let (truth, predicted) = (cell / 3, cell % 3);
        let (came, left) = found.moved(&second, truth, predicted);
        assert_eq!(came.len() as i64 - left.len() as i64, *difference, "{truth} called {predicted}");
        let called = |p: &Predictions, i: usize| p.predicted()[i] as usize == predicted;
        assert!(came.iter().all(|&i| called(&second, i) && !called(&first, i) && labels[i] as usize == truth));
        assert!(left.iter().all(|&i| called(&first, i) && !called(&second, i) && labels[i] as usize == truth));
        moved += came.len();
    }
    assert!(moved > 30, "{moved}");
}

#[test]
fn cells_and_mistakes_come_worst_first() {
    let rows = vec![0.9, 0.1, 0.6, 0.4, 0.2, 0.8, 0.3, 0.7];
    let p = Predictions::new(2, vec![0, 0, 0, 0], rows).expect("they fit");
    assert_eq!(p.cell(0, 0), [1, 0], "the least sure of the right ones first");
    assert_eq!(p.cell(0, 1), [2, 3], "the most confident of the wrong ones first");
    assert_eq!(p.mistakes(), [2, 3]);
    assert!(p.cell(1, 0).is_empty());
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let refused = |truth: &[u32], p: &[f32]| Predictions::new(2, truth.to_vec(), p.to_vec()).expect_err("it does not fit");
    assert!(matches!(refused(&[0], &[0.5]), PredictionsError::Length { .. }));
    assert!(matches!(refused(&[2], &[0.5, 0.5]), PredictionsError::Label { label: 2, .. }));
    for bad in [f32::NAN, -0.1, 1.5] {
        assert!(matches!(refused(&[0], &[bad, 0.5]), PredictionsError::Probability { image: 0 }));
    }
    assert!(Predictions::new(0, vec![], vec![]).expect("nothing fits").is_empty());
    assert!(matches!(Predictions::new(0, vec![0], vec![]), Err(PredictionsError::Label { .. })));
}
