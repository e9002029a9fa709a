//! Every field of a configuration has its flag.

use clap::{FromArgMatches, Parser};

use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    flags: ConfigFlags,
}

fn parse(args: &[&str]) -> Config {
    let command = show_defaults(<Cli as clap::CommandFactory>::command());
    let matches = command.try_get_matches_from([&["test"], args].concat()).expect("flags that parse");
    Cli::from_arg_matches(&matches).expect("flags that fit").flags.over(Config::default(), None).expect("a usable configuration")
}

/// A usable value of a field that is not its default.
fn other(name: &str, default: &Value) -> String {
    match default {
        Value::Bool(on) => (!on).to_string(),
        Value::Number(n) if n.is_f64() => "0.25".into(),
        Value::Number(n) => (n.as_u64().expect("a count") + 64).to_string(),
        _ => match name {
            "data" => "galaxies",
            "model" => "seed",
            "optimizer" => "radam",
            "schedule" => "cosine",
            "loss" => "cross-entropy",
            "best_by" => "loss",
            "fit" => "crop",
            "rotation" => "any",
            "border" => "black",
            "device" => "cpu",
            "precision" => "f32",
            _ => panic!("name another value for {name} here"),
        }
        .into(),
    }
}

#[test]
fn every_field_is_a_flag_that_sets_it_and_nothing_else() {
    let defaults = serde_json::to_value(Config::default()).expect("a serialisable configuration");
    for (name, default) in leaves(&defaults) {
        let argument = format!("--{}={}", kebab(&name), other(&name, &default));
        let changed = serde_json::to_value(parse(&[&argument])).expect("a serialisable configuration");
        let differing: Vec<String> = leaves(&defaults)
            .into_iter()
            .zip(leaves(&changed))
            .filter_map(|((name, before), (_, after))| (before != after).then_some(name))
            .collect();
        assert_eq!(differing, [name], "{argument}");
    }
}

#[test]
fn every_flag_shows_its_default() {
    let help = show_defaults(<Cli as clap::CommandFactory>::command()).render_long_help().to_string();
    assert!(help.contains("[default: one-cycle]") && help.contains("[default: 0.003]"), "{help}");
}
