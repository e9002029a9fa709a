//! The classifier against a plain forward pass, and what it says of files that are no models.

mod device;
mod faithful;
mod familiarity;
pub mod figures;
mod film;
pub mod maps;
mod projection;
mod sanity;

use candle_core::{Device, Tensor};
use tuning_fork::explain::{BEST_MODEL, Calibration, Classifier, ExplainError, Explainer};
use tuning_fork::imaging::{Fit, Image};
use tuning_fork::nn::{self, Architecture, Framing, Mode, ModelSpec, NetworkOptions, Normalisation, USUAL_WIDTH};
use tuning_fork::random::{Purpose, Random};

const SIZE: usize = 32;

fn spec() -> ModelSpec {
    ModelSpec {
        network: NetworkOptions {
            architecture: Architecture::Compact,
            size: SIZE,
            channels: 3,
            classes: 3,
            width: USUAL_WIDTH,
            dropout: 0.5,
        },
        classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
        normalisation: Normalisation { mean: [0.1, 0.2, 0.3], std: [0.5, 0.6, 0.7] },
        framing: Framing::default(),
        program_version: tuning_fork::VERSION.into(),
        epoch: None,
    }
}

pub fn noise(seed: u64, width: usize, height: usize) -> Image {
    let mut random = Random::new(seed, Purpose::Test, &[]);
    Image::new(width, height, (0..width * height * 3).map(|_| random.below(256) as u8).collect()).expect("a picture")
}

/// softmax of the logits of a plain forward pass, each pixel normalised one by one.
fn expected(network: &dyn nn::Network, image: &Image, normalisation: &Normalisation) -> Vec<f64> {
    let value = |channel: usize, pixel: usize| {
        (f32::from(image.pixels()[pixel * 3 + channel]) / 255.0 - normalisation.mean[channel]) / normalisation.std[channel]
    };
    let planes: Vec<f32> = (0..3).flat_map(|c| (0..SIZE * SIZE).map(move |p| (c, p))).map(|(c, p)| value(c, p)).collect();
    let input = Tensor::from_vec(planes, (1, 3, SIZE, SIZE), &Device::Cpu).expect("a tensor");
    let logits = network.forward(&input, Mode::Eval).expect("logits").flatten_all().expect("a row").to_vec1::<f32>().expect("numbers");
    let exponentials: Vec<f64> = logits.iter().map(|&z| f64::from(z).exp()).collect();
    exponentials.iter().map(|e| e / exponentials.iter().sum::<f64>()).collect()
}

#[test]
fn probabilities_are_those_of_a_plain_forward_pass_whatever_the_batch() {
    let folder = tempfile::tempdir().expect("a folder");
    let network = nn::build(&spec().network, 5, &Device::Cpu).expect("a network");
    nn::weights::save(folder.path().join(BEST_MODEL), network.as_ref(), &spec()).expect("a file");
    let classifier = Classifier::load(folder.path()).expect("a run folder");
    assert_eq!(classifier.spec(), &spec());
    assert_eq!(Classifier::load(&folder.path().join(BEST_MODEL)).expect("a model file").spec(), &spec());

    let images: Vec<Image> = (0..classifier.batch() as u64 + 3).map(|seed| noise(seed, SIZE, SIZE)).collect();
    let all = classifier.classify(&images).expect("probabilities");
    assert_eq!(all.len(), images.len());
    for (image, probabilities) in [0, 1, images.len() - 1].map(|i| (&images[i], &all[i])) {
        let expected = expected(network.as_ref(), image, &spec().normalisation);
        for (&p, e) in probabilities.iter().zip(&expected) {
            assert!((f64::from(p) - e).abs() < 1e-5, "{probabilities:?} {expected:?}");
        }
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    assert!(classifier.classify(&[]).expect("nothing").is_empty());
}

#[test]
fn pictures_of_any_size_are_scaled_as_for_training() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let network = nn::build(&spec().network, 5, &Device::Cpu).expect("a network");
    nn::weights::save(&path, network.as_ref(), &spec()).expect("a file");
    let classifier = Classifier::load(&path).expect("a model");
    let image = noise(1, 50, 41);
    let scaled = classifier.prepare(&image);
    assert_eq!(scaled, image.resize(SIZE, SIZE));
    assert_eq!(classifier.prepare(&scaled), scaled);
    assert_eq!(classifier.classify(&[image]).expect("probabilities"), classifier.classify(&[scaled]).expect("probabilities"));
}

/// What the model was trained on decides; files of older programs do not say it and mean stretching.
#[test]
fn pictures_are_cut_or_padded_as_for_training() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = noise(1, 50, 41);
    for (framing, fit) in [(Framing::Stretch, Fit::Stretch), (Framing::Crop, Fit::Crop), (Framing::Pad, Fit::Pad)] {
        let path = folder.path().join("model.safetensors");
        let spec = ModelSpec { framing, ..spec() };
        let network = nn::build(&spec.network, 5, &Device::Cpu).expect("a network");
        nn::weights::save(&path, network.as_ref(), &spec).expect("a file");
        let classifier = Classifier::load(&path).expect("a model");
        assert_eq!(classifier.fit(), fit);
        let part = image.crop(fit.frame(50, 41));
        assert_eq!(classifier.prepare(&image), part.resize(SIZE, SIZE));
        // a part that was chosen is stretched, whatever the model does to whole pictures
        let explainer = Explainer::new(std::sync::Arc::new(classifier), &image, false).expect("a forward pass");
        assert_eq!(explainer.prepared(), &image.resize(SIZE, SIZE));
    }
    let mut json = serde_json::to_value(spec()).expect("JSON");
    json.as_object_mut().expect("an object").remove("framing").expect("it is kept");
    assert_eq!(serde_json::from_value::<ModelSpec>(json).expect("an old description").framing, Framing::Stretch);
}

/// Turned by quarters, and mirrored where `mirrored` says so: written down pixel by pixel.
fn posed(image: &Image, quarters: usize, mirrored: bool) -> Image {
    let side = image.width();
    let source = |mut x: usize, mut y: usize| {
        for _ in 0..quarters {
            (x, y) = (y, side - 1 - x);
        }
        if mirrored { (side - 1 - x, y) } else { (x, y) }
    };
    let places = (0..side).flat_map(|y| (0..side).map(move |x| (x, y))).map(|(x, y)| source(x, y));
    let pixels = places.flat_map(|(x, y)| image.pixels()[(y * side + x) * 3..][..3].to_vec()).collect();
    Image::new(side, side, pixels).expect("a square")
}

#[test]
fn averaging_is_the_mean_over_the_eight_flips_and_turns() {
    let classifier = maps::classifier(Architecture::Compact);
    let image = noise(4, 64, 64);
    let poses: Vec<Image> = (0..8).map(|number| posed(&image, number % 4, number >= 4)).collect();
    assert!((1..8).all(|a| (0..a).all(|b| poses[a] != poses[b])));
    let all = classifier.classify(&poses).expect("probabilities");
    let averaged = Explainer::new(classifier.clone(), &image, true).expect("a forward pass");
    for (class, p) in averaged.probabilities().iter().enumerate() {
        let mean = all.iter().map(|row| f64::from(row[class])).sum::<f64>() / 8.0;
        assert!((f64::from(*p) - mean).abs() < 1e-5, "class {class}: {p} instead of {mean}");
    }
    // many pictures at once have the same, each with the features that it has as it is
    let images = [noise(9, 40, 40), image.clone()];
    let (around, plain) = (classifier.look(&images, true).expect("readings"), classifier.look(&images, false).expect("readings"));
    assert!(around.iter().zip(&plain).all(|(around, plain)| around.features == plain.features && around != plain));
    for (a, b) in around[1].probabilities.iter().zip(averaged.probabilities()) {
        assert!((a - b).abs() < 1e-5, "{a} instead of {b}");
    }
    // so it does not matter which way round the picture comes
    let turned = Explainer::new(classifier, &poses[6], true).expect("a forward pass");
    for (a, b) in averaged.probabilities().iter().zip(turned.probabilities()) {
        assert!((a - b).abs() < 1e-5);
    }
}

/// Every way to ask gives the probabilities at the model's temperature: p to the power of 1/T, adding up to 1.
#[test]
fn a_stored_temperature_counts_wherever_probabilities_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    maps::save(Architecture::Compact, &path);
    let image = noise(4, 64, 64);
    let plain = Classifier::load(&path).expect("a model").classify(std::slice::from_ref(&image)).expect("probabilities").remove(0);
    let temperature = 2.5;
    let calibration = Calibration {
        temperature,
        epoch: 1,
        images: 9,
        negative_log_likelihood: [1.0, 0.9],
        expected_error: [0.2, 0.1],
        model: Calibration::digest(&path).expect("the file"),
    };
    std::fs::write(Calibration::path(&path), serde_json::to_vec(&calibration).expect("JSON")).expect("a file");
    let classifier = std::sync::Arc::new(Classifier::load(&path).expect("a model"));
    let powers: Vec<f64> = plain.iter().map(|p| f64::from(*p).powf(1.0 / temperature)).collect();
    let expected: Vec<f64> = powers.iter().map(|p| p / powers.iter().sum::<f64>()).collect();
    let images = std::slice::from_ref(&image);
    let told = [
        classifier.classify(images).expect("probabilities").remove(0),
        classifier.read(images).expect("readings").remove(0).probabilities,
        classifier.look(images, false).expect("readings").remove(0).probabilities,
        Explainer::new(classifier, &image, false).expect("a forward pass").probabilities().to_vec(),
    ];
    for probabilities in told {
        assert!((f64::from(probabilities[0]) - f64::from(plain[0])).abs() > 1e-4, "it changes something");
        for (p, e) in probabilities.iter().zip(&expected) {
            assert!((f64::from(*p) - e).abs() < 1e-5, "{p} instead of {e}");
        }
    }
}

#[test]
fn what_is_no_model_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |path: &std::path::Path| Classifier::load(path).expect_err("no model");
    assert!(matches!(told(&folder.path().join("nothing")), ExplainError::Missing { .. }));
    assert!(matches!(told(folder.path()), ExplainError::NoModel { .. }));
    let garbage = folder.path().join("garbage.safetensors");
    std::fs::write(&garbage, "garbage").expect("a file");
    assert!(told(&garbage).to_string().contains("garbage.safetensors"));
}

#[test]
fn weights_that_are_not_numbers_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let network = nn::build(&spec().network, 5, &Device::Cpu).expect("a network");
    let last = network.parameters().last().expect("parameters");
    last.var.set(&Tensor::full(f32::NAN, last.var.shape(), &Device::Cpu).expect("a tensor")).expect("same shape");
    nn::weights::save(&path, network.as_ref(), &spec()).expect("a file");
    let classifier = Classifier::load(&path);
    if let Ok(classifier) = classifier {
        assert!(matches!(classifier.classify(&[noise(1, SIZE, SIZE)]), Err(ExplainError::NotFinite)));
    }
}

#[test]
fn a_classifier_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Classifier>();
}
