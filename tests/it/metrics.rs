//! Tests of `metrics`: against scikit-learn and `SciPy` (`tests/reference/metrics/scores.py`).

use serde::Deserialize;
use tuning_fork::metrics::{Confusion, wilson};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
    wilson: Vec<Wilson>,
}

#[derive(Deserialize)]
struct Case {
    confusion: Confusion,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<u64>,
    #[serde(rename = "macro")]
    macro_average: [f64; 3],
    weighted: [f64; 3],
    accuracy: f64,
    balanced_accuracy: f64,
}

#[derive(Deserialize)]
struct Wilson {
    hits: u64,
    trials: u64,
    low: f64,
    high: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../reference/metrics/scores.json")).expect("the reference is JSON")
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-12, "{a} is not {b}");
}

#[test]
fn scores_are_those_of_scikit_learn() {
    for case in reference().cases {
        let scores = case.confusion.scores();
        for (class, got) in scores.classes.iter().enumerate() {
            close(got.precision, case.precision[class]);
            close(got.recall, case.recall[class]);
            close(got.f1, case.f1[class]);
            assert_eq!(got.support, case.support[class]);
        }
        for (got, want) in [(scores.macro_average, case.macro_average), (scores.weighted_average, case.weighted)] {
            close(got.precision, want[0]);
            close(got.recall, want[1]);
            close(got.f1, want[2]);
        }
        close(scores.accuracy, case.accuracy);
        close(scores.balanced_accuracy, case.balanced_accuracy);
    }
}

#[test]
fn wilson_intervals_are_those_of_scipy() {
    for case in reference().wilson {
        let got = wilson(case.hits, case.trials);
        close(got.low, case.low);
        close(got.high, case.high);
    }
    let nothing_known = wilson(0, 0);
    assert_eq!((nothing_known.low, nothing_known.high), (0.0, 1.0));
}

#[test]
fn no_images_and_no_classes_score_zero() {
    for classes in [0, 1, 4] {
        let empty = Confusion::new(classes);
        let scores = empty.scores();
        assert_eq!(scores.classes.len(), classes);
        assert_eq!((scores.accuracy, scores.balanced_accuracy, scores.macro_average.f1, scores.weighted_average.f1), (0.0, 0.0, 0.0, 0.0));
    }
}

#[test]
fn sums_agree_with_the_counts() {
    for case in reference().cases {
        let m = &case.confusion;
        let classes = 0..m.classes();
        assert_eq!(m.total(), classes.clone().map(|c| m.support(c)).sum::<u64>());
        assert_eq!(m.total(), classes.clone().map(|c| m.predicted(c)).sum::<u64>());
        for truth in classes.clone().filter(|&c| m.support(c) > 0) {
            close(classes.clone().map(|p| m.share_of_row(truth, p)).sum(), 1.0);
        }
    }
}

#[test]
fn a_confusion_matrix_survives_json_and_refuses_another_shape() {
    let mut m = Confusion::new(2);
    m.add(0, 1);
    m.add(1, 1);
    let text = serde_json::to_string(&m).expect("writes");
    assert_eq!(text, "[[0,1],[0,1]]");
    assert_eq!(serde_json::from_str::<Confusion>(&text).expect("reads"), m);
    assert!(serde_json::from_str::<Confusion>("[[0,1],[0]]").is_err());
}
