//! Ours beside the Python package `cmaes`, which Optuna's sampler is made of; `tests/reference/search/cmaes.py` made the states.

use serde_json::Value;

use super::*;
use crate::random::Purpose;

const REFERENCE: &str = include_str!("../../../tests/reference/search/cmaes.json");

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("numbers").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().expect("rows").iter().map(numbers).collect()
}

fn assert_close(ours: &[f64], theirs: &[f64], what: &str) {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
    assert!(ours.len() == theirs.len() && ours.iter().zip(theirs).all(close), "{what}: {ours:?} instead of {theirs:?}");
}

#[test]
fn the_same_points_give_the_states_of_the_python_package() {
    let reference: Value = serde_json::from_str(REFERENCE).expect("the reference");
    for (name, dimensions) in [("valley", 3), ("edge", 2), ("line", 1)] {
        let mut ours = Evolution::new(dimensions);
        for (generation, step) in reference[name].as_array().expect("generations").iter().enumerate() {
            let (points, values) = (rows(&step["points"]), numbers(&step["values"]));
            assert_eq!(points.len(), ours.points());
            let mut order: Vec<usize> = (0..points.len()).collect();
            order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
            let best_first: Vec<&[f64]> = order.iter().map(|&i| points[i].as_slice()).collect();
            ours.tell(&best_first);
            let what = |of: &str| format!("{name}, generation {generation}: {of}");
            assert_close(&ours.mean, &numbers(&step["mean"]), &what("mean"));
            assert_close(&[ours.sigma], &[step["sigma"].as_f64().expect("a number")], &what("sigma"));
            assert_close(&ours.covariance.concat(), &rows(&step["covariance"]).concat(), &what("covariance"));
        }
    }
}

#[test]
fn draws_have_the_shape_of_the_cloud_and_stay_in_the_cube() {
    let mut random = Random::new(1, Purpose::Test, &[]);
    let mut cloud = Evolution::at(vec![0.5, 0.5], 6);
    cloud.sigma = 0.05;
    cloud.axes = axes(&[vec![2.0, 1.2], vec![1.2, 1.0]]);
    let n = 20_000;
    let draws: Vec<Vec<f64>> = (0..n).map(|_| cloud.draw(&mut random)).collect();
    let moment = |i: usize, j: usize| draws.iter().map(|x| (x[i] - 0.5) * (x[j] - 0.5)).sum::<f64>() / f64::from(n) / 0.05_f64.powi(2);
    for (i, j, expected) in [(0, 0, 2.0), (0, 1, 1.2), (1, 1, 1.0)] {
        assert!((moment(i, j) - expected).abs() < 0.06, "{} instead of {expected}", moment(i, j));
    }
    let outside = Evolution::at(vec![1.4, -0.9], 6);
    for _ in 0..100 {
        assert!(outside.draw(&mut random).iter().all(|x| (0.0..=1.0).contains(x)));
    }
}

#[test]
fn a_spent_cloud_begins_again_with_twice_the_points() {
    let mut cloud = Evolution::new(2);
    let place = [0.7, 0.2];
    for _ in 0..200 {
        if cloud.is_spent() {
            break;
        }
        let points: Vec<[f64; 2]> = (1..=cloud.points()).map(|i| [0.7 + 1e-6 * i as f64, 0.2]).collect();
        cloud.tell(&points.iter().map(<[f64; 2]>::as_slice).collect::<Vec<_>>());
    }
    assert!(cloud.is_spent() && cloud.mean.iter().zip(place).all(|(x, y)| (x - y).abs() < 1e-3), "{cloud:?}");
    let again = cloud.restarted(&mut Random::new(3, Purpose::Test, &[]));
    assert!(again.points() == 12 && !again.is_spent() && again.mean != cloud.mean, "{again:?}");
}
