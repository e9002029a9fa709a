//! How near a picture is to the training pictures: against every distance in 64 bits, one by one; what is kept of it on disk.

use tuning_fork::explain::{Classifier, Familiarity, Likeness, NEIGHBOUR, Nearness, NotFamiliarity, Origin};
use tuning_fork::nn::Architecture;
use tuning_fork::random::{Purpose, Random};

use super::{maps, noise};

fn rows(seed: u64, count: usize, width: usize) -> Vec<Vec<f32>> {
    let mut random = Random::new(seed, Purpose::Test, &[]);
    (0..count).map(|_| (0..width).map(|_| random.range(-1.0, 3.0) as f32).collect()).collect()
}

/// The distance of the k-th nearest row, as it is written down, in 64 bits.
fn expected(train: &[Vec<f32>], row: &[f32], k: usize) -> f64 {
    let count = train.len() as f64;
    let column = |i: usize| train.iter().map(move |row| f64::from(row[i]));
    let mean = |i: usize| column(i).sum::<f64>() / count;
    let deviation = |i: usize| (column(i).map(|v| (v - mean(i)).powi(2)).sum::<f64>() / count).sqrt();
    let largest = (0..row.len()).map(deviation).fold(0.0, f64::max);
    let least = if largest > 0.0 { largest * 1e-3 } else { 1.0 };
    let scales: Vec<f64> = (0..row.len()).map(|i| deviation(i).max(least)).collect();
    let square = |other: &Vec<f32>| {
        let differences = other.iter().zip(row).zip(&scales).map(|((a, b), s)| ((f64::from(*a) - f64::from(*b)) / s).powi(2));
        differences.sum::<f64>() / row.len() as f64
    };
    let mut distances: Vec<f64> = train.iter().map(|other| square(other).sqrt()).collect();
    distances.sort_by(f64::total_cmp);
    distances[k - 1]
}

#[test]
fn distances_are_those_of_every_pair_in_64_bits() {
    // widths with and without a rest beside whole vectors, and fewer pictures than the neighbour's number
    for (count, width) in [(200, 37), (64, 16), (4, 3), (1, 8)] {
        let (train, valid) = (rows(1, count, width), rows(2, 40, width));
        let known = Familiarity::new(&train, &valid).expect("rows");
        let k = NEIGHBOUR.min(count);
        let mut theirs: Vec<f64> = valid.iter().map(|row| expected(&train, row, k)).collect();
        theirs.sort_by(f64::total_cmp);
        for row in rows(3, 30, width).iter().chain(&valid[..3]) {
            let nearness = known.nearness(row).expect("a row of that width");
            let distance = expected(&train, row, k);
            assert!((f64::from(nearness.distance) - distance).abs() < 1e-5, "{} instead of {distance}", nearness.distance);
            let nearer = theirs.iter().filter(|other| **other < distance - 1e-5).count();
            let at_most = theirs.iter().filter(|other| **other < distance + 1e-5).count();
            let count = (nearness.nearer * 40.0).round() as usize;
            assert!((nearer..=at_most).contains(&count), "{count} is not in {nearer}..={at_most}");
        }
        // what excites a network more than anything that it was trained on is far, though in a direction that it knows
        let louder: Vec<f32> = valid[0].iter().map(|value| value * 100.0).collect();
        assert_eq!(known.nearness(&louder).map(Nearness::likeness), Some(Likeness::Strange));
    }
}

#[test]
fn the_sentence_names_the_validation_pictures_and_warns_beyond_95_percent() {
    let known = Familiarity::new(&rows(1, 50, 8), &rows(2, 400, 8)).expect("rows");
    for (nearer, likeness, words) in [
        (0.38, Likeness::Usual, "Like the training data: farther from the training pictures than 38.0 % of the 400 validation pictures."),
        (0.95, Likeness::Usual, "Like the training data"),
        (0.9625, Likeness::Unusual, "Unusual: farther from the training pictures than 96.2 % of the 400 validation pictures. Trust"),
        (0.9975, Likeness::Strange, "looks like nothing in the training data: farther from the training pictures than 99.8 % of the 400"),
        (1.0, Likeness::Strange, "farther from the training pictures than each of the 400 validation pictures."),
    ] {
        let nearness = Nearness { distance: 0.5, nearer };
        assert_eq!(nearness.likeness(), likeness, "{nearer}");
        assert!(known.sentence(nearness).contains(words), "{}", known.sentence(nearness));
    }
}

#[test]
fn nothing_is_said_of_what_cannot_be_compared() {
    let (train, valid) = (rows(1, 5, 4), rows(2, 5, 4));
    assert_eq!(Familiarity::new(&[], &valid), None);
    assert_eq!(Familiarity::new(&train, &[]), None);
    assert_eq!(Familiarity::new(&train, &rows(2, 5, 3)), None);
    assert_eq!(Familiarity::new(&train, &[vec![f32::NAN; 4]]), None);
    let known = Familiarity::new(&train, &valid).expect("rows");
    assert!(known.nearness(&[1.0; 3]).is_none() && known.nearness(&[f32::INFINITY; 4]).is_none());
    // a network that sees the same in all pictures, or nothing at all
    let blind = Familiarity::new(&vec![vec![0.0; 4]; 5], &vec![vec![0.0; 4]; 5]).expect("rows");
    assert_eq!(blind.nearness(&[0.0; 4]), Some(Nearness { distance: 0.0, nearer: 0.0 }));
    assert!(blind.nearness(&[1.0; 4]).is_some_and(|near| near.likeness() == Likeness::Strange));
}

#[test]
fn kept_bytes_come_back_only_for_their_model_and_data() {
    let known = Familiarity::new(&rows(1, 30, 7), &rows(2, 9, 7)).expect("rows");
    let digest = |letter: &str| letter.repeat(64);
    let origin = Origin { model: digest("a"), split: digest("b"), data: digest("c") };
    let bytes = known.to_bytes(&origin);
    let read = |bytes: &[u8], model: &str, split: &str, data: Option<&str>| {
        Familiarity::from_bytes(bytes, &digest(model), &digest(split), data.map(digest).as_deref())
    };
    assert_eq!(read(&bytes, "a", "b", Some("c")), Ok(known.clone()));
    assert_eq!(read(&bytes, "a", "b", None), Ok(known));
    assert_eq!(read(&bytes, "x", "b", None), Err(NotFamiliarity::OtherModel));
    assert_eq!(read(&bytes, "a", "x", None), Err(NotFamiliarity::OtherData));
    assert_eq!(read(&bytes, "a", "b", Some("x")), Err(NotFamiliarity::OtherData));
    assert_eq!(read(b"nothing of the kind", "a", "b", None), Err(NotFamiliarity::Form));
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length], "a", "b", None).is_err(), "cut at {length}");
    }
    for at in (8..bytes.len()).step_by(13) {
        let mut broken = bytes.clone();
        broken[at] ^= 0x40;
        assert_eq!(read(&broken, "a", "b", None), Err(NotFamiliarity::Damaged), "byte {at}");
    }
}

/// What the last layer gets is what the classifier's last layer makes the logits of.
#[test]
fn features_are_those_before_the_last_layer() {
    let folder = tempfile::tempdir().expect("a folder");
    for (architecture, width) in [(Architecture::Compact, 512), (Architecture::Seed, 256)] {
        let path = folder.path().join("model.safetensors");
        maps::save(architecture, &path);
        let classifier = Classifier::load(&path).expect("a model");
        let images: Vec<_> = (0..3).map(|seed| noise(seed, 64, 64)).collect();
        let readings = classifier.look(&images, false).expect("a forward pass");
        let tensors = candle_core::safetensors::load(&path, &candle_core::Device::Cpu).expect("the file");
        let last = if architecture == Architecture::Compact { "head.linear" } else { "head.linear3" };
        let weights = tensors[&format!("{last}.weight")].to_vec2::<f32>().expect("a matrix");
        let biases = tensors[&format!("{last}.bias")].to_vec1::<f32>().expect("a row");
        let plain = classifier.classify(&images).expect("probabilities");
        for (reading, plain) in readings.iter().zip(&plain) {
            assert_eq!(reading.features.len(), width);
            let product = |row: &Vec<f32>| row.iter().zip(&reading.features).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum::<f64>();
            let exponentials: Vec<f64> = weights.iter().zip(&biases).map(|(row, b)| (product(row) + f64::from(*b)).exp()).collect();
            let sum: f64 = exponentials.iter().sum();
            for ((p, q), e) in reading.probabilities.iter().zip(plain).zip(exponentials) {
                assert!((f64::from(*p) - e / sum).abs() < 1e-5 && (p - q).abs() < 1e-6, "{p} {q} {}", e / sum);
            }
        }
    }
}

#[test]
fn a_fingerprint_is_of_the_numbers_and_not_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (folder.path().join("one.safetensors"), folder.path().join("two.safetensors"));
    maps::save(Architecture::Compact, &one);
    std::fs::copy(&one, &two).expect("a copy");
    let load = |path| Classifier::load(path).expect("a model");
    let before = load(&one);
    let print = before.fingerprint().expect("numbers");
    assert_eq!((print.len(), &print), (64, &load(&two).fingerprint().expect("numbers")));
    maps::save(Architecture::Seed, &one);
    assert_ne!(load(&one).fingerprint().expect("numbers"), print);
    assert_eq!(before.fingerprint().expect("numbers"), print, "what was loaded stays");
}

/// Whoever is drawn like the validation pictures has any percentile with the same chance.
#[test]
fn percentiles_of_pictures_like_the_others_are_uniform() {
    let known = Familiarity::new(&rows(1, 300, 12), &rows(2, 400, 12)).expect("rows");
    let mut percentiles: Vec<f64> = rows(3, 400, 12).iter().map(|row| known.nearness(row).expect("a row").nearer).collect();
    percentiles.sort_by(f64::total_cmp);
    let farthest = percentiles.iter().enumerate().map(|(i, p)| (p - (i as f64 + 0.5) / 400.0).abs()).fold(0.0, f64::max);
    // the two-sample Kolmogorov-Smirnov statistic that one pair of samples in a thousand exceeds: 1.95 sqrt(2 / 400)
    assert!(farthest < 1.95 * (2.0f64 / 400.0).sqrt(), "{farthest}");
}
