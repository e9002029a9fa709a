//! A model on a device (the host twin) says what it says on the processor, and where the device fails the processor goes on. Skipped with
//! a word where there is no C++ compiler.

use std::path::Path;
use std::sync::Arc;

use candle_core::Device;
use tuning_fork::explain::{BEST_MODEL, Classifier, Explainer, Method, Reading, Request};
use tuning_fork::nn::{self, Architecture, ModelSpec, NetworkOptions};
use tuning_fork::train::{DeviceChoice, Twin, device};

use super::{noise, spec};

/// A model of this kind, and the same on a twin that is lost after so many operations.
fn models(folder: &Path, architecture: Architecture, size: usize, calls: u32) -> Option<[Classifier; 2]> {
    if let Err(reason) = device::open(DeviceChoice::HOST) {
        println!("skipped: {reason}");
        return None;
    }
    let spec = ModelSpec { network: NetworkOptions { architecture, size, ..spec().network }, ..spec() };
    let network = nn::build(&spec.network, 5, &Device::Cpu).expect("a network");
    nn::weights::save(folder.join(BEST_MODEL), network.as_ref(), &spec).expect("a file");
    let load = || Classifier::load(folder).expect("a model");
    let choice = DeviceChoice::Host(Twin { memory: 0, calls });
    Some([load(), load().with_device(Box::new(move || device::open(choice)))])
}

fn near(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let scale = b.iter().fold(1e-6f32, |most, x| most.max(x.abs()));
    let off = a.iter().zip(b).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(off <= 1e-4 * scale, "{what}: {off} of {scale}");
}

fn all_near(a: &[Reading], b: &[Reading], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (a, b) in a.iter().zip(b) {
        near(&a.probabilities, &b.probabilities, what);
        near(&a.features, &b.features, what);
    }
}

#[test]
fn answers_embeddings_and_maps_are_those_of_the_processor() {
    for (architecture, size) in [(Architecture::Compact, 47), (Architecture::Seed, 64)] {
        let folder = tempfile::tempdir().expect("a folder");
        let Some([processor, device]) = models(folder.path(), architecture, size, 0) else { return };
        // as many as are worth a device, of another size
        let pictures: Vec<_> = (0..17).map(|seed| noise(seed, 50, 40)).collect();
        // a few pictures are not worth a device
        near(&device.classify(&pictures[..3]).expect("answers")[2], &processor.classify(&pictures[..3]).expect("answers")[2], "few");
        for (a, b) in device.classify(&pictures).expect("answers").iter().zip(&processor.classify(&pictures).expect("answers")) {
            near(a, b, "probabilities");
        }
        all_near(&device.read(&pictures).expect("readings"), &processor.read(&pictures).expect("readings"), "embeddings");
        all_near(&device.look(&pictures, false).expect("looks"), &processor.look(&pictures, false).expect("looks"), "last inputs");
        assert_eq!((device.open_device(), device.device_trouble()), (Ok("host twin"), None));

        let few = &pictures[..2];
        all_near(&device.look(few, true).expect("looks"), &processor.look(few, true).expect("looks"), "means over turns");

        let (device, processor) = (Arc::new(device), Arc::new(processor));
        let explainers = [device, processor].map(|classifier| Explainer::new(classifier, &pictures[0], true).expect("an explainer"));
        near(explainers[0].logits(), explainers[1].logits(), "logits");
        let best = explainers[0].best_method();
        assert_eq!(best == Method::Cam, architecture == Architecture::Compact);
        for against in [None, Some(2)] {
            let request = Request { class: Some(1), against, signed: true, ..Request::new(best) };
            let [a, b] = explainers.each_ref().map(|explainer| explainer.explain(&request).expect("a map").map.values);
            near(&a, &b, "map");
        }
    }
}

#[test]
fn a_device_that_is_lost_leaves_the_work_to_the_processor() {
    let folder = tempfile::tempdir().expect("a folder");
    let pictures: Vec<_> = (0..16).map(|seed| noise(seed, 32, 32)).collect();
    for (calls, opens) in [(60, true), (3, false)] {
        let Some([processor, device]) = models(folder.path(), Architecture::Compact, 32, calls) else { return };
        assert_eq!(device.open_device().is_ok(), opens);
        let expected = processor.read(&pictures).expect("readings");
        // several at once, as piles and panels do: each of them hears of it
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| all_near(&device.read(&pictures).expect("readings"), &expected, "embeddings"));
            }
        });
        let trouble = device.device_trouble().expect("it failed");
        assert!(trouble.contains("the device is lost"), "{trouble}");
    }
}
