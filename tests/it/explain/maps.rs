//! The maps against the package grad-cam, against identities, and against finite differences.

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use tuning_fork::explain::{Classifier, ExplainError, Explainer, Explanation, Map, Method, Request};
use tuning_fork::imaging::{self, Image};
use tuning_fork::nn::{self, Architecture, Framing, Mode, ModelSpec, Normalisation, models::map_layers};

use super::noise;
use crate::nn::networks::filled;

const SIZE: usize = 64;

/// Saves the network of `fill` in make.py as a model file.
pub fn save(architecture: Architecture, path: &std::path::Path) {
    save_framed(architecture, Framing::default(), path);
}

/// The same, as if it had been trained on pictures that were cut or padded.
pub fn save_framed(architecture: Architecture, framing: Framing, path: &std::path::Path) {
    let network = filled(architecture, SIZE);
    let spec = ModelSpec {
        network: network.options().clone(),
        classes: (0..10).map(|c| format!("class {c}")).collect(),
        normalisation: Normalisation { mean: [0.5; 3], std: [0.5; 3] },
        framing,
        program_version: tuning_fork::VERSION.into(),
        epoch: None,
    };
    nn::weights::save(path, network.as_ref(), &spec).expect("a file");
}

/// It as a classifier.
pub fn classifier(architecture: Architecture) -> Arc<Classifier> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    save(architecture, &path);
    Arc::new(Classifier::load(&path).expect("a model"))
}

fn picture() -> Image {
    let path: std::path::PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/reference/augment/source.png"].iter().collect();
    imaging::open(&path).expect("a picture").resize(SIZE, SIZE)
}

fn explainer(architecture: Architecture) -> Explainer {
    Explainer::new(classifier(architecture), &picture(), false).expect("a forward pass")
}

fn ask(method: Method, layer: &str, class: usize) -> Request {
    Request { method, layer: Some(layer.into()), class: Some(class), against: None, signed: true }
}

fn reference() -> HashMap<String, Tensor> {
    let path: std::path::PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/reference/explain/maps.safetensors"].iter().collect();
    candle_core::safetensors::load(path, &Device::Cpu).expect("the reference")
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("numbers")
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mean = |v: &[f32]| v.iter().map(|&x| f64::from(x)).sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let dot =
        |x: &[f32], mx: f64, y: &[f32], my: f64| -> f64 { x.iter().zip(y).map(|(&x, &y)| (f64::from(x) - mx) * (f64::from(y) - my)).sum() };
    dot(a, ma, b, mb) / (dot(a, ma, a, ma) * dot(b, mb, b, mb)).sqrt()
}

/// What the package returns: positive part, from 0 to 1 on the grid, scaled up, from 0 to 1 again.
fn scaled(explanation: &Explanation) -> Vec<f32> {
    let unit = |map: Map| {
        let (low, high) = map.range();
        Map { values: map.values.iter().map(|v| (v - low) / (1e-7 + high - low)).collect(), ..map }
    };
    let map = unit(unit(explanation.map.clone().positive()).upsample(SIZE, SIZE));
    (1..SIZE).step_by(3).flat_map(|y| (1..SIZE).step_by(3).map(move |x| (y, x))).map(|(y, x)| map.values[y * SIZE + x]).collect()
}

fn compare(architecture: Architecture, name: &str) {
    let explainer = explainer(architecture);
    let reference = reference();
    for (ours, theirs) in explainer.logits().iter().zip(numbers(&reference[&format!("{name}.logits")])) {
        assert!((ours - theirs).abs() < 1e-3 * theirs.abs().max(1.0), "{ours} {theirs}");
    }
    let mut compared = 0;
    for (key, raw) in reference.iter().filter(|(key, _)| key.starts_with(&format!("{name}/")) && key.ends_with("/raw")) {
        let parts: Vec<&str> = key.split('/').collect();
        let method: Method = parts[2].parse().expect("a method");
        let request = Request {
            method,
            layer: Some(parts[1].into()),
            class: parts[3].parse().ok(),
            against: (method == Method::FinerCam).then_some(5),
            signed: true,
        };
        let mut explanation = explainer.explain(&request).expect("a map");
        let raw = numbers(raw);
        assert_eq!(explanation.map.values.len(), raw.len(), "{key}");
        let mut agreement = correlation(&explanation.map.values, &raw);
        if method == Method::EigenCam && agreement < 0.0 {
            // the package leaves the sign of the component open
            explanation.map.values.iter_mut().for_each(|v| *v = -*v);
            agreement = -agreement;
        }
        assert!(agreement > 0.999, "{key}: correlation {agreement}");
        let error = crate::nn::reference::distance(&explanation.map.values, &raw);
        assert!(error < 2e-3, "{key}: relative error {error}");
        let theirs = numbers(&reference[&key.replace("/raw", "/scaled")]);
        for (ours, theirs) in scaled(&explanation).iter().zip(theirs) {
            assert!((ours - theirs).abs() < 1e-3, "{key}: {ours} instead of {theirs}");
        }
        compared += 1;
    }
    assert!(compared >= 14, "{compared}");
}

#[test]
fn the_compact_networks_maps_are_those_of_grad_cam() {
    compare(Architecture::Compact, "compact");
}

#[test]
fn the_seed_networks_maps_are_those_of_grad_cam() {
    compare(Architecture::Seed, "seed");
}

#[test]
fn the_mean_of_cam_and_the_bias_are_the_logit() {
    let explainer = explainer(Architecture::Compact);
    for class in 0..10 {
        let request = Request { class: Some(class), signed: true, ..Request::new(Method::Cam) };
        let explanation = explainer.explain(&request).expect("a map");
        assert_eq!(explanation.layer.name, "block5.pool");
        let logit = f64::from(explainer.logits()[class]);
        assert!((explanation.map.mean() + explanation.bias - logit).abs() < 1e-4, "{class}");
        assert!((explanation.score - logit).abs() < 1e-6);
    }
    // "A and not B" is the difference of two maps
    let of = |class, against| {
        let request = Request { class: Some(class), against, signed: true, ..Request::new(Method::Cam) };
        explainer.explain(&request).expect("a map")
    };
    let (a, b, both) = (of(2, None), of(4, None), of(2, Some(4)));
    for i in 0..both.map.values.len() {
        assert!((a.map.values[i] - b.map.values[i] - both.map.values[i]).abs() < 1e-4);
    }
    assert!((both.map.mean() + both.bias - both.score).abs() < 1e-4);
}

#[test]
fn grad_cam_and_hires_cam_at_the_averaged_layer_are_cam_over_its_cells() {
    let explainer = explainer(Architecture::Compact);
    let cam = explainer.explain(&ask(Method::Cam, "block5.pool", 3)).expect("a map");
    let cells = cam.map.values.len() as f32;
    for method in [Method::GradCam, Method::HiResCam] {
        let map = explainer.explain(&ask(method, "block5.pool", 3)).expect("a map").map;
        for (ours, cam) in map.values.iter().zip(&cam.map.values) {
            assert!((ours * cells - cam).abs() < 1e-4, "{method}: {ours} {cam}");
        }
    }
    // HiResCAM adds up to the logit less the bias
    let sum: f64 =
        explainer.explain(&ask(Method::HiResCam, "block5.pool", 3)).expect("a map").map.values.iter().map(|&v| f64::from(v)).sum();
    assert!((sum + cam.bias - cam.score).abs() < 1e-4);
}

/// The logit of class 3 when the activations at a layer are moved along a direction.
#[test]
fn gradients_agree_with_finite_differences() {
    for (architecture, layer) in
        [(Architecture::Compact, "block5.relu"), (Architecture::Compact, "block4.pool"), (Architecture::Seed, "block6.relu")]
    {
        let network = filled(architecture, SIZE);
        let layer = map_layers(network.options()).expect("layers").into_iter().find(|l| l.name == layer).expect("the layer");
        let input = crate::nn::reference::draw(&[1, 3, SIZE, SIZE], 1);
        let last = nn::models::plan(network.options()).expect("a plan").layers().count();
        let whole = network.forward(&input, Mode::Eval).expect("logits");
        let activation = network.run_layers(0..layer.end, &input).expect("activations");
        assert_eq!(activation.dims(), [1, layer.channels, layer.height, layer.width]);
        let rest = |a: &Tensor| network.run_layers(layer.end..last, a).expect("logits");
        assert!(crate::nn::reference::distance(&numbers(&rest(&activation)), &numbers(&whole)) < 1e-5);

        let variable = candle_core::Var::from_tensor(&activation).expect("a variable");
        let logit = |logits: Tensor| logits.narrow(1, 3, 1).and_then(|z| z.sum_all()).expect("a logit");
        let gradients = logit(rest(variable.as_tensor())).backward().expect("gradients");
        let gradient = numbers(gradients.get(variable.as_tensor()).expect("it reaches the activations"));
        // where an activation is 0, pooling has a kink: it stays
        let mut direction = crate::nn::reference::formula(gradient.len(), 9);
        direction.iter_mut().zip(numbers(&activation)).for_each(|(d, a)| *d *= f32::from(u8::from(a > 0.0)));
        let expected: f64 = gradient.iter().zip(&direction).map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
        let moved = |step: f32| {
            let values: Vec<f32> = numbers(&activation).iter().zip(&direction).map(|(a, d)| a + step * d).collect();
            let moved = Tensor::from_vec(values, activation.shape(), &Device::Cpu).expect("a tensor");
            f64::from(logit(rest(&moved)).to_scalar::<f32>().expect("a number"))
        };
        let step = 1e-3;
        let difference = (moved(step) - moved(-step)) / f64::from(2.0 * step);
        assert!((difference - expected).abs() < 0.03 * expected.abs().max(0.1), "{}: {difference} {expected}", layer.name);
    }
}

/// The gradient that the explainer itself takes: the sum of `HiResCAM`, of g A, is how the logit changes when the activations grow.
#[test]
fn the_sum_of_hires_cam_is_a_finite_difference() {
    for (architecture, name) in
        [(Architecture::Compact, "block5.relu"), (Architecture::Compact, "block4.pool"), (Architecture::Seed, "block6.relu")]
    {
        let explainer = explainer(architecture);
        let map = explainer.explain(&ask(Method::HiResCam, name, 3)).expect("a map").map;
        let sum: f64 = map.values.iter().map(|&v| f64::from(v)).sum();
        let network = filled(architecture, SIZE);
        let layer = map_layers(network.options()).expect("layers").into_iter().find(|l| l.name == name).expect("the layer");
        let last = nn::models::plan(network.options()).expect("a plan").layers().count();
        let pixels = explainer.prepared().pixels();
        let planes: Vec<f32> = (0..3).flat_map(|c| pixels.iter().skip(c).step_by(3).map(|&v| (f32::from(v) / 255.0 - 0.5) / 0.5)).collect();
        let input = Tensor::from_vec(planes, (1, 3, SIZE, SIZE), &Device::Cpu).expect("a tensor");
        let activation = network.run_layers(0..layer.end, &input).expect("activations");
        let logit = |scale: f64| {
            let grown = (&activation * scale).expect("a tensor");
            f64::from(numbers(&network.run_layers(layer.end..last, &grown).expect("logits"))[3])
        };
        let step = 1e-2;
        let difference = (logit(1.0 + step) - logit(1.0 - step)) / (2.0 * step);
        assert!((difference - sum).abs() < 0.02 * sum.abs().max(0.1), "{architecture:?} {name}: {difference} {sum}");
    }
}

#[test]
fn an_averaged_map_of_a_turned_picture_is_the_turned_map() {
    let classifier = classifier(Architecture::Compact);
    let image = noise(3, SIZE, SIZE);
    // a quarter turn
    let pixels: Vec<u8> = (0..SIZE * SIZE)
        .flat_map(|i| {
            let (y, x) = (i / SIZE, i % SIZE);
            image.pixels()[(x * SIZE + SIZE - 1 - y) * 3..][..3].to_vec()
        })
        .collect();
    let turned = Image::new(SIZE, SIZE, pixels).expect("a picture");
    let [plain, turned] = [image, turned].map(|image| Explainer::new(Arc::clone(&classifier), &image, true).expect("forward passes"));
    for (a, b) in plain.probabilities().iter().zip(turned.probabilities()) {
        assert!((a - b).abs() < 1e-5);
    }
    for method in [Method::Cam, Method::LayerCam] {
        let of = |explainer: &Explainer| explainer.explain(&Request { class: Some(1), ..Request::new(method) }).expect("a map");
        let (a, b) = (of(&plain), of(&turned));
        assert!(a.averaged);
        let side = a.map.width;
        for i in 0..side * side {
            let (y, x) = (i / side, i % side);
            let (ours, other) = (b.map.values[i], a.map.values[x * side + side - 1 - y]);
            assert!((ours - other).abs() < 1e-4 * a.map.range().1.max(1.0), "{method} {ours} {other}");
        }
    }
}

#[test]
fn what_cannot_be_mapped_is_told() {
    let compact = explainer(Architecture::Compact);
    let told = |explainer: &Explainer, request: &Request| explainer.explain(request).expect_err("no map").to_string();
    assert!(told(&compact, &ask(Method::Cam, "block5.relu", 0)).contains("HiResCAM"));
    assert!(told(&compact, &ask(Method::GradCam, "block9.relu", 0)).contains("block5.relu"));
    assert!(told(&compact, &ask(Method::GradCam, "block5.relu", 10)).contains("has 10"));
    let same = Request { class: Some(1), against: Some(1), ..Request::new(Method::Cam) };
    assert!(told(&compact, &same).contains("itself"));
    let seed = explainer(Architecture::Seed);
    assert!(matches!(seed.explain(&Request::new(Method::Cam)), Err(ExplainError::Refused(_))));
    assert!(seed.explain(&Request::new(Method::GradCam)).is_ok());
}

#[test]
fn a_constant_picture_has_finite_maps() {
    let classifier = classifier(Architecture::Compact);
    let image = Image::new(SIZE, SIZE, vec![0; SIZE * SIZE * 3]).expect("a picture");
    let explainer = Explainer::new(classifier, &image, false).expect("a forward pass");
    for method in Method::ALL.into_iter().filter(|m| *m != Method::ScoreCam) {
        let map = explainer.explain(&Request::new(method)).expect("a map").map;
        assert!(map.values.iter().all(|v| v.is_finite() && *v >= 0.0), "{method}");
    }
}

/// `torch.nn.functional.interpolate(torch.tensor([[[[0., 1.], [2., 4.]]]]), size=(4, 3), mode="bilinear")`
#[test]
fn maps_are_scaled_up_with_half_pixel_centres() {
    let map = Map { width: 2, height: 2, values: vec![0.0, 1.0, 2.0, 4.0] };
    let expected = [0.0, 0.5, 1.0, 0.5, 1.125, 1.75, 1.5, 2.375, 3.25, 2.0, 3.0, 4.0];
    assert_eq!(map.upsample(3, 4).values, expected);
    assert_eq!(map.upsample(2, 2), map);
    assert_eq!(map.cells(4, 2).values, [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 4.0, 4.0]);
}
