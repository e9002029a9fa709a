//! Tests of `metrics`: against scikit-learn and `SciPy` (`tests/reference/metrics/scores.py`).

use serde::Deserialize;
use tuning_fork::metrics::{Confusion, Invariance, top, wilson};

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

#[test]
fn invariance_is_nought_for_one_answer_and_large_for_many() {
    let rows = |rows: &[[f32; 3]]| rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>();
    let still = Invariance::of(&rows(&[[0.2, 0.5, 0.3]; 4])).expect("numbers");
    assert!(still.spread < 1e-7 && (still.kept - 1.0).abs() < 1e-12);
    assert!(still.classes.iter().all(|class| class.range() < 1e-7 && class.deviation < 1e-7));
    // one position of four says something else altogether: means 3/4 and 1/4
    let moved = Invariance::of(&rows(&[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])).expect("numbers");
    assert!((moved.spread - (3.0 * 0.25 + 0.75) / 4.0).abs() < 1e-12 && (moved.kept - 0.75).abs() < 1e-12);
    assert!((moved.classes[0].mean - 0.75).abs() < 1e-12 && (moved.classes[0].deviation - 0.1875f64.sqrt()).abs() < 1e-12);
    assert!((moved.classes[2].range() - 1.0).abs() < 1e-12 && moved.classes[1].range() == 0.0);
    assert_eq!(Invariance::of(&[]), None);
    assert_eq!(Invariance::of(&[vec![]]), None);
    assert_eq!(Invariance::of(&[vec![1.0], vec![0.5, 0.5]]), None);
    assert_eq!([top(&[0.1, 0.4, 0.4]), top(&[])], [1, 0]);
}
