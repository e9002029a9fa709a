//! Maps of one picture by the models of several epochs.

use std::path::PathBuf;
use std::sync::Arc;

use candle_core::Device;
use tuning_fork::explain::{Classifier, Explainer, Method, Request, Scene, Style, film};
use tuning_fork::imaging::Fit;
use tuning_fork::nn;

use super::figures::read;
use super::{noise, spec};

#[test]
fn each_frame_is_the_map_of_its_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let models: Vec<(usize, PathBuf)> = [(1, 5u64), (4, 6), (8, 7)]
        .map(|(epoch, seed)| {
            let path = folder.path().join(format!("{epoch}.safetensors"));
            let network = nn::build(&spec().network, seed, &Device::Cpu).expect("a network");
            nn::weights::save(&path, network.as_ref(), &spec()).expect("a file");
            (epoch, path)
        })
        .into();
    let picture = noise(2, 40, 40);
    let request = Request { class: Some(1), signed: true, ..Request::new(Method::Cam) };
    let stills = film(&models, &picture, false, &request, || true).expect("a film").expect("nobody gave it up");
    assert_eq!(stills.iter().map(|still| still.epoch).collect::<Vec<_>>(), [1, 4, 8]);
    for (still, (_, path)) in stills.iter().zip(&models) {
        let explainer = Explainer::new(Arc::new(Classifier::load(path).expect("a model")), &picture, false).expect("a forward pass");
        assert_eq!(still.explanation, explainer.explain(&request).expect("a map"));
        assert_eq!(still.probability.to_bits(), explainer.probabilities()[1].to_bits());
    }

    let explainer = Explainer::new(Arc::new(Classifier::load(&models[2].1).expect("a model")), &picture, false).expect("a forward pass");
    let frame = Fit::Stretch.frame(40, 40);
    let scene = Scene { name: "x", picture: &picture, frame, explainer: &explainer };
    let (_, _, texts) = read(&scene.film_png(&request, &Style::default(), &stills).expect("a file"));
    assert_eq!((texts["Epochs"].as_str(), texts["Class"].as_str(), texts["Content"].as_str()), ("1, 4, 8", "b", "film"));
    let scores: Vec<f64> = texts["Scores"].split(", ").map(|score| score.parse().expect("a number")).collect();
    assert_eq!(scores, stills.iter().map(|still| still.explanation.score).collect::<Vec<_>>());

    // given up after the first
    let asked = std::cell::Cell::new(0);
    let wanted = || asked.replace(asked.get() + 1) < 1;
    assert_eq!(film(&models, &picture, false, &request, wanted).expect("no failure"), None);
    assert_eq!(asked.get(), 2);
    // refused
    let told =
        |models: &[(usize, PathBuf)], request: &Request| film(models, &picture, false, request, || true).expect_err("no film").to_string();
    assert!(told(&[], &request).contains("keeps no models"));
    assert!(told(&models, &Request { class: None, ..request.clone() }).contains("name it"));
    std::fs::write(&models[1].1, b"half").expect("a file");
    assert!(told(&models, &request).contains("4.safetensors"));
}
