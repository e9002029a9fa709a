//! Spaces from files: what is understood, and what is refused with advice.

use super::*;
use crate::train::OptimizerKind;

fn faults(text: &str) -> String {
    match Space::parse(text).and_then(|space| space.check(&Config::default())) {
        Err(SearchError::Space { faults }) => faults.join("\n"),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn the_built_in_space_is_usable() {
    let space = Space::default();
    assert!(space.parameters().len() >= 8 && space.get("lr").is_some());
    space.check(&Config::default()).expect("a usable space");
}

#[test]
fn kinds_follow_from_the_fields_and_json_says_the_same() {
    let toml = r#"
        lr = { low = 1e-4, high = 1e-2, log = true }
        batch = { low = 8, high = 64, log = true }
        size = { low = 32, high = 96, step = 32 }
        optimizer = { choices = ["adamw", "sgd"] }
        momentum = { low = 0.5, high = 0.9, step = 0.1, when = { optimizer = "sgd" } }
        flip = { choices = [true, false] }
        brightness = { low = 0, high = 0.4 }
        schedule = { choices = ["one-cycle"] }
    "#;
    let space = Space::parse(toml).expect("a space");
    space.check(&Config::default()).expect("usable values");
    let distribution = |name: &str| space.get(name).expect("a parameter").distribution.clone();
    assert_eq!(distribution("batch"), Distribution::Int { low: 8, high: 64, log: true, step: 1 });
    assert_eq!(distribution("size"), Distribution::Int { low: 32, high: 96, log: false, step: 32 });
    assert_eq!(distribution("brightness"), Distribution::Float { low: 0.0, high: 0.4, log: false, step: None });
    assert_eq!(distribution("schedule"), Distribution::Categorical { choices: vec!["one_cycle".into()] });
    let place = |name: &str| space.parameters().iter().position(|p| p.name == name);
    assert!(place("optimizer") < place("momentum"), "a condition comes before what waits for it");
    assert_eq!(Space::parse(&space.to_json().to_string()).expect("the same space"), space);
}

#[test]
fn a_condition_decides_what_is_active() {
    let space = Space::parse(
        r#"{"optimizer": {"choices": ["adamw", "sgd"]}, "momentum": {"low": 0.5, "high": 0.9, "when": {"optimizer": "sgd"}}}"#,
    )
    .expect("a space");
    let optimizer = space.get("optimizer").expect("a parameter");
    let when = space.get("momentum").and_then(|p| p.when.clone()).expect("a condition");
    for (index, holds) in [(0.0, false), (1.0, true)] {
        let params = configure::params([("optimizer", index, &optimizer.distribution)]);
        assert_eq!(when.holds(&params), holds);
    }
    let sgd = configure::params([("optimizer", 1.0, &optimizer.distribution)]);
    assert_eq!(configure::config(&Config::default(), &sgd).expect("a configuration").optimizer, OptimizerKind::Sgd);
}

#[test]
fn what_cannot_be_searched_is_refused_with_advice() {
    for (text, words) in [
        ("lr = { low = 1e-2, high = 1e-4 }", "swap"),
        ("lr = { low = 0, high = 1e-2, log = true }", "above 0"),
        ("lr = { low = 0, high = 1e-2 }", "above 0"),
        ("learning_rate = { low = 1e-4, high = 1e-2 }", "lr"),
        ("epochs = { low = 1, high = 5 }", "--epochs"),
        ("lr = { low = 1e-4 }", "low and high"),
        ("lr = { lowest = 1e-4, high = 1 }", "lowest"),
        ("batch = { low = 1.5, high = 5 }", "whole"),
        ("optimizer = { low = 1, high = 5 }", "choices"),
        (r#"optimizer = { choices = ["adam"] }"#, "adam"),
        ("optimizer = { choices = [] }", "at least one"),
        ("size = { low = 8, high = 64 }", "32"),
        ("beta = { low = 0, high = 1 }", "less than 1"),
        (r#"augmentation = { choices = ["loud"] }"#, "loud"),
        (r#"momentum = { low = 0.1, high = 0.9, when = { optimizer = "sgd" } }"#, "not in the space"),
        ("lr = 3", "low and high"),
        ("", "at least one"),
        ("lr = {", "TOML"),
        ("{", "JSON"),
    ] {
        let told = faults(text);
        assert!(told.contains(words), "{text}: {told}");
    }
}

#[test]
fn values_that_do_not_go_together_are_found() {
    let told = faults(r#"{"model": {"choices": ["seed", "compact"]}, "size": {"low": 32, "high": 64}}"#);
    assert!(told.contains("size") && told.contains("seed"), "{told}");
    let apart = r#"{"model": {"choices": ["seed", "compact"]}, "size": {"low": 32, "high": 64, "when": {"model": "compact"}}}"#;
    Space::parse(apart).and_then(|space| space.check(&Config::default())).expect("a condition keeps them apart");
}

#[test]
fn parameters_that_wait_for_each_other_are_refused() {
    let text = r#"{"model": {"choices": ["seed"], "when": {"loss": "focal"}}, "loss": {"choices": ["focal"], "when": {"model": "seed"}}}"#;
    assert!(faults(text).contains("each other"));
}

#[test]
fn batches_of_more_images_than_train_are_left_out_with_a_word() {
    let (space, words) = Space::default().without_larger_batches(40).expect("a space");
    assert_eq!(words.as_deref(), Some("batch 64 is left out of the space: the data have 40 training images"));
    let batch = |space: &Space| space.get("batch").expect("a parameter").distribution.clone();
    assert_eq!(batch(&space), Distribution::Categorical { choices: vec![16.into(), 32.into()] });
    assert_eq!(Space::default().without_larger_batches(64).expect("a space"), (Space::default(), None));
    let range = Space::parse("batch = { low = 8, high = 64, step = 8 }").expect("a space");
    let (range, words) = range.without_larger_batches(30).expect("a space");
    assert_eq!((batch(&range), words.is_some()), (Distribution::Int { low: 8, high: 24, log: false, step: 8 }, true));
    let error = range.without_larger_batches(7).expect_err("nothing is left").to_string();
    assert!(error.contains("at most 7"), "{error}");
    assert!(Space::default().without_larger_batches(15).is_err());
    let without = Space::parse("lr = { low = 1e-4, high = 1e-2, log = true }").expect("a space");
    assert_eq!(without.without_larger_batches(1).expect("a space"), (without, None));
}
