//! The summary against torchinfo.

use tuning_fork::nn::Architecture;
use tuning_fork::nn::summary::summarise;

use super::build::options;
use super::reference::path;

#[test]
fn counts_are_torchinfos() {
    let text = std::fs::read_to_string(path("torchinfo.txt")).expect("a reference file");
    for line in text.lines() {
        let (name, numbers) = line.split_once(' ').expect("a name and numbers");
        let numbers: Vec<u64> = numbers.split(' ').map(|n| n.parse().expect("a number")).collect();
        let architecture = if name == "seed" { Architecture::Seed } else { Architecture::Compact };
        let s = summarise(&options(architecture, numbers[0] as usize), numbers[1] as usize).expect("a summary");
        let ours = [s.parameters as u64, s.multiply_adds, s.input_bytes, s.activation_bytes, s.parameter_bytes];
        assert_eq!(ours, numbers[2..], "{line}");
    }
}

#[test]
fn the_table_names_the_layers_and_the_totals() {
    let summary = summarise(&options(Architecture::Seed, 256), 32).expect("a summary");
    let table = summary.to_string();
    for line in [
        "Parameters (all trainable): 14,811,210",
        "Total multiply-adds (G): 50.54",
        "Input size (MB): 25.17",
        "Forward/backward pass size (MB): 1057.16",
        "Parameters size (MB): 59.24",
        "Estimated total size (MB): 1141.57",
    ] {
        assert!(table.lines().any(|l| l == line), "no line {line:?} in\n{table}");
    }
    let linear = table.lines().find(|l| l.starts_with("head.linear1 (Linear)")).expect("the first linear layer");
    assert!(linear.contains("[32, 512]") && linear.contains("8,389,120"), "{linear}");
    let shapes: Vec<&[usize]> = summary.rows.iter().filter(|r| r.module == "MaxPool2d").map(|r| r.output.as_slice()).collect();
    assert_eq!(shapes[0], [32, 32, 128, 128]);
    assert_eq!(shapes[5], [32, 1024, 4, 4]);
    assert!(summarise(&options(Architecture::Seed, 32), 1).is_err());
}
