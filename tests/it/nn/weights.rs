//! Model files: round trips, `PyTorch`'s names, and everything that can be wrong with a file.

use std::fs;
use std::path::Path;

use candle_core::Device;
use safetensors::tensor::{Dtype, TensorView};
use tuning_fork::nn::layer::to_file;
use tuning_fork::nn::{Architecture, Framing, ModelSpec, Network, NetworkOptions, Normalisation, build, predict, weights};

use super::reference::{draw, formula, path, values};

fn options(architecture: Architecture) -> NetworkOptions {
    let size = if architecture == Architecture::Seed { 64 } else { 32 };
    super::build::options(architecture, size)
}

fn spec(network: NetworkOptions) -> ModelSpec {
    ModelSpec {
        classes: (0..network.classes).map(|c| format!("class \"{c}\" é")).collect(),
        network,
        normalisation: Normalisation { mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6] },
        framing: Framing::default(),
        program_version: "1.2.3".into(),
        epoch: None,
    }
}

fn network(architecture: Architecture, seed: u64) -> Box<dyn Network> {
    build(&options(architecture), seed, &Device::Cpu).expect("a network")
}

/// Every tensor in the layout of files.
fn bits(network: &dyn Network) -> Vec<(String, Vec<f32>)> {
    weights::snapshot(network).expect("a snapshot").iter().map(|(name, t)| (name.clone(), values(&to_file(t).expect("a copy")))).collect()
}

/// Writes tensors under given names; values by the formula, the running variance made positive.
fn write(file: &Path, tensors: &[(String, Vec<usize>)], dtype: Dtype) {
    let bytes = |stream: usize, (name, shape): &(String, Vec<usize>)| -> Vec<u8> {
        let shift = if name.contains("var") { 1.5 } else { 0.0 };
        let values = formula(shape.iter().product(), stream as u64);
        match dtype {
            Dtype::F32 => values.iter().flat_map(|v| (v * 0.1 + shift).to_le_bytes()).collect(),
            _ => vec![0; values.len() * 2],
        }
    };
    let data: Vec<Vec<u8>> = tensors.iter().enumerate().map(|(i, t)| bytes(i, t)).collect();
    let views = tensors
        .iter()
        .zip(&data)
        .filter(|((name, _), _)| !name.contains("tracked"))
        .map(|((name, shape), data)| (name.as_str(), TensorView::new(dtype, shape.clone(), data).expect("a view")));
    let tracked = tensors.iter().filter(|(name, _)| name.contains("tracked"));
    let counters = tracked.map(|(name, _)| (name.as_str(), TensorView::new(Dtype::I64, vec![], &[0; 8]).expect("a view")));
    fs::write(file, safetensors::serialize(views.chain(counters), None).expect("bytes")).expect("a file");
}

/// Names and shapes of a `PyTorch` `state_dict`.
fn state_dict(file: &str) -> Vec<(String, Vec<usize>)> {
    let text = fs::read_to_string(path(file)).expect("a reference file");
    let entry = |line: &str| {
        let mut parts = line.split(' ');
        let name = parts.next().expect("a name").to_owned();
        (name, parts.map(|n| n.parse().expect("a number")).collect())
    };
    text.lines().map(entry).collect()
}

#[test]
fn a_saved_model_comes_back_to_the_bit_with_its_description() {
    let folder = tempfile::tempdir().expect("a folder");
    for architecture in [Architecture::Seed, Architecture::Compact] {
        let file = folder.path().join("model.safetensors");
        let (original, spec) = (network(architecture, 3), spec(options(architecture)));
        weights::save(&file, &*original, &spec).expect("saved");
        let (loaded, described) = weights::load(&file, &Device::Cpu).expect("loaded");
        assert_eq!(described, spec);
        assert_eq!(bits(&*loaded), bits(&*original));
        let images = draw(&[2, 3, spec.network.size, spec.network.size], 1);
        let probabilities = |n: &dyn Network| values(&predict(n, &images).expect("probabilities"));
        assert_eq!(probabilities(&*loaded), probabilities(&*original));
        let decay = |n: &dyn Network| n.parameters().iter().map(|p| p.decay).collect::<Vec<_>>();
        assert_eq!(decay(&*loaded), decay(&*original));
        let bytes = fs::read(&file).expect("bytes");
        weights::save(&file, &*loaded, &spec).expect("saved");
        assert!(bytes == fs::read(&file).expect("bytes"), "the same model must be the same file");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "no temporary file may stay");
}

#[test]
fn pytorch_state_dicts_load_under_both_namings() {
    let folder = tempfile::tempdir().expect("a folder");
    for (architecture, file) in [(Architecture::Seed, "seed_state_dict.txt"), (Architecture::Compact, "compact_state_dict.txt")] {
        let numbered = state_dict(file);
        let torch = folder.path().join("torch.safetensors");
        write(&torch, &numbered, Dtype::F32);
        let target = network(architecture, 1);
        weights::load_into(&torch, &*target).expect("loaded");
        for (stream, (name, shape)) in numbered.iter().enumerate().filter(|(_, (name, _))| !name.contains("tracked")) {
            let shift = if name.contains("var") { 1.5 } else { 0.0 };
            let expected: Vec<f32> = formula(shape.iter().product(), stream as u64).iter().map(|v| v * 0.1 + shift).collect();
            let place =
                numbered[..stream].iter().filter(|(n, _)| n.contains("running") == name.contains("running") && !n.contains("tracked"));
            let index = place.count();
            let var = if name.contains("running") { &target.buffers()[index].var } else { &target.parameters()[index].var };
            assert_eq!(values(&to_file(var.as_tensor()).expect("a copy")), expected, "{name}");
        }
        // Our own names, without a description.
        let own = folder.path().join("own.safetensors");
        let named: Vec<_> = weights::snapshot(&*target)
            .expect("a snapshot")
            .into_iter()
            .map(|(n, t)| (n, to_file(&t).expect("a copy").dims().to_vec()))
            .collect();
        write(&own, &named, Dtype::F32);
        weights::load_into(&own, &*target).expect("loaded");
        assert_eq!(bits(&*target)[2].1, formula(named[2].1.iter().product(), 2).iter().map(|v| v * 0.1).collect::<Vec<_>>());
        let message = weights::load(&own, &Device::Cpu).map(|_| ()).expect_err("no description").to_string();
        assert!(message.contains("no description"), "{message}");
    }
}

#[test]
fn weights_of_another_network_are_refused_and_change_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("model.safetensors");
    let target = network(Architecture::Compact, 1);
    let before = bits(&*target);
    let refused = |tensors: &[(String, Vec<usize>)], dtype| {
        write(&file, tensors, dtype);
        let message = weights::load_into(&file, &*target).expect_err("a refusal").to_string();
        assert!(message.contains("model.safetensors"), "{message}");
        assert_eq!(bits(&*target), before);
        message
    };
    let good = state_dict("compact_state_dict.txt");
    assert!(refused(&state_dict("seed_state_dict.txt"), Dtype::F32).contains("missing"));
    assert!(refused(&good[1..], Dtype::F32).contains("missing: 0.weight"));
    let mut more = good.clone();
    more.push(("40.weight".into(), vec![3]));
    assert!(refused(&more, Dtype::F32).contains("unknown: 40.weight"));
    let mut other = good.clone();
    let last = other.len() - 1;
    other[last].1 = vec![7];
    assert!(refused(&other, Dtype::F32).contains("22.bias has the shape [7] instead of [10]"));
    assert!(refused(&good, Dtype::F16).contains(".float()"));
    weights::save(&file, &*network(Architecture::Seed, 1), &spec(options(Architecture::Seed))).expect("saved");
    assert!(weights::load_into(&file, &*target).expect_err("a refusal").to_string().contains("another network"));
}

#[test]
fn damaged_files_are_refused_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("model.safetensors");
    let refused = || weights::load(&file, &Device::Cpu).map(|_| ()).expect_err("a refusal").to_string();
    assert!(refused().contains("model.safetensors"));
    weights::save(&file, &*network(Architecture::Compact, 1), &spec(options(Architecture::Compact))).expect("saved");
    let whole = fs::read(&file).expect("bytes");
    for length in [0, 7, 8, 200, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..length]).expect("a file");
        assert!(refused().contains("not a complete safetensors file"), "{}", refused());
    }
    fs::write(&file, b"\x89PNG\r\n\x1a\n and more bytes that are no header").expect("a file");
    assert!(refused().contains("not a complete safetensors file"));
    // The description changed in place, at the same length.
    let replaced = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = whole.windows(from.len()).position(|w| w == from.as_bytes()).expect("the text to replace");
        let mut bytes = whole.clone();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        fs::write(&file, bytes).expect("a file");
        refused()
    };
    assert!(replaced("compact", "unknown").contains("description"));
    assert!(replaced(r#"\"size\":32"#, r#"\"size\":31"#).contains("from 32"));
    assert!(replaced(r#"\"classes\":10"#, r#"\"classes\":11"#).contains("11 classes"));
    assert!(replaced("block1.conv.weight", "block9.conv.weight").contains("missing: block1.conv.weight; unknown: block9.conv.weight"));
}

#[test]
fn a_failed_save_leaves_the_old_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("model.safetensors");
    let model = network(Architecture::Compact, 1);
    weights::save(&file, &*model, &spec(options(Architecture::Compact))).expect("saved");
    let before = fs::read(&file).expect("bytes");
    let mut wrong = spec(options(Architecture::Compact));
    wrong.classes.pop();
    assert!(weights::save(&file, &*model, &wrong).expect_err("a refusal").to_string().contains("9 class names for 10"));
    assert!(weights::save(&file, &*model, &spec(options(Architecture::Seed))).is_err());
    assert!(before == fs::read(&file).expect("bytes"));
    // A folder cannot be replaced by a file: the rename fails after everything was written.
    let taken = folder.path().join("taken");
    fs::create_dir_all(taken.join("inside")).expect("a folder");
    assert!(weights::save(&taken, &*model, &spec(options(Architecture::Compact))).is_err());
    assert!(weights::save(folder.path().join("absent/model"), &*model, &spec(options(Architecture::Compact))).is_err());
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2, "no temporary file may stay");
}

#[test]
fn a_snapshot_is_a_deep_copy_and_restores() {
    let model = network(Architecture::Compact, 1);
    let before = bits(&*model);
    let saved = weights::snapshot(&*model).expect("a snapshot");
    let other = network(Architecture::Compact, 2);
    weights::restore(&*model, &weights::snapshot(&*other).expect("a snapshot")).expect("restored");
    assert_eq!(bits(&*model), bits(&*other));
    weights::restore(&*model, &saved).expect("restored");
    assert_eq!(bits(&*model), before);
    assert!(weights::restore(&*model, &saved[1..]).is_err());
    assert!(weights::restore(&*network(Architecture::Seed, 1), &saved).is_err());
}
