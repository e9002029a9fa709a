//! Run folders made by hand: what a training run leaves, without the training.

use std::fs;
use std::io::Write;
use std::path::Path;

use candle_core::Device;
use half::f16;
use tuning_fork::data::Split;
use tuning_fork::metrics::Confusion;
use tuning_fork::nn::{self, Architecture, Framing, ModelSpec, NetworkOptions, Normalisation, USUAL_WIDTH};
use tuning_fork::random::{Purpose, Random};
use tuning_fork::train::{Config, Ended, EpochReport, Event, Outcome, RecordedSplit, Started};

/// What to make: images are labelled 0, 1, 2, 0, 1, 2, ... of three classes, as those of the window's tests.
pub struct Run {
    pub images: usize,
    pub epochs: usize,
    pub split_seed: u64,
    /// Decides the probabilities.
    pub seed: u64,
    pub classes: [&'static str; 3],
}

impl Default for Run {
    fn default() -> Self {
        Self { images: 300, epochs: 4, split_seed: 42, seed: 1, classes: ["Round", "Spiral", "Edge-on"] }
    }
}

impl Run {
    /// The labels of all images.
    pub fn labels(&self) -> Vec<u32> {
        (0..self.images).map(|i| (i % 3) as u32).collect()
    }

    /// The split.
    pub fn split(&self) -> Split {
        Split::stratified(&self.labels(), 3, self.split_seed).expect("enough images")
    }

    /// The probabilities of the validation images after an epoch (from 1): better from epoch to epoch.
    pub fn probabilities(&self, epoch: usize) -> Vec<f16> {
        let mut values = Vec::new();
        for &image in &self.split().valid {
            let mut random = Random::new(self.seed, Purpose::Test, &[epoch as u64, u64::from(image)]);
            let label = image as usize % 3;
            let right = random.chance(0.5 + 0.3 * epoch as f64 / self.epochs as f64);
            let called = if right { label } else { (label + 1) % 3 };
            let confidence = random.range(0.5, 0.98);
            values.extend((0..3).map(|class| f16::from_f64(if class == called { confidence } else { (1.0 - confidence) / 2.0 })));
        }
        values
    }

    fn report(&self, epoch: usize) -> EpochReport {
        let mut confusion = Confusion::new(3);
        for (row, &image) in self.probabilities(epoch).chunks(3).zip(&self.split().valid) {
            let called = (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("three classes");
            confusion.add(image as usize % 3, called);
        }
        EpochReport {
            epoch,
            train_loss: 1.0 / epoch as f64,
            train_accuracy: 0.5,
            valid_loss: 1.2 / epoch as f64,
            valid_accuracy: confusion.accuracy(),
            valid_macro_f1: confusion.scores().macro_average.f1,
            confusion,
            learning_rate: 1e-3,
            skipped: 0,
            gradient_norm: 1.0,
            images_per_s: 64.0,
            seconds: 6.0,
            energy: None,
            best: true,
        }
    }

    /// Writes the folder.
    pub fn write(&self, folder: &Path) {
        let split = self.split();
        let classes = self.classes.map(str::to_owned).to_vec();
        fs::create_dir_all(folder.join("predictions")).expect("a folder");
        let config = Config { data: "plain".into(), split_seed: self.split_seed, epochs: self.epochs, ..Config::default() };
        fs::write(folder.join("config.json"), serde_json::to_vec(&config).expect("JSON")).expect("a file");
        let started = Event::Started(Started {
            data: "plain".into(),
            classes: classes.clone(),
            parameters: 1234,
            train_images: split.train.len(),
            valid_images: split.valid.len(),
            test_images: split.test.len(),
            steps_per_epoch: 10,
            epochs: self.epochs,
            epochs_done: 0,
            steps_done: 0,
            device: "CPU, 32 bit".into(),
            reason: String::new(),
            threads: 2,
            split_digest: split.digest(),
            version: "0".into(),
            time: 0,
        });
        let ended =
            Event::Ended(Ended { outcome: Outcome::Completed, message: "All epochs.".into(), best_epoch: Some(self.epochs), seconds: 1.0 });
        let epochs = (1..=self.epochs).map(|epoch| Event::Epoch(self.report(epoch)));
        let mut events = fs::File::create(folder.join("events.jsonl")).expect("a file");
        for event in std::iter::once(started).chain(epochs).chain([ended]) {
            writeln!(events, "{}", serde_json::to_string(&event).expect("JSON")).expect("a line");
        }
        for epoch in 1..=self.epochs {
            write_npy(&folder.join(format!("predictions/epoch_{epoch:04}.npy")), &self.probabilities(epoch));
        }
        let recorded = RecordedSplit {
            digest: split.digest(),
            data_digest: String::new(),
            images: self.images,
            classes,
            split,
            labels: self.labels(),
        };
        fs::write(folder.join("split.json"), serde_json::to_vec(&recorded).expect("JSON")).expect("a file");
    }
}

/// Puts a model with random weights into a run folder, as that of an epoch.
pub fn write_model(folder: &Path, epoch: usize, seed: u64) {
    let network =
        NetworkOptions { architecture: Architecture::Compact, size: 32, channels: 3, classes: 3, width: USUAL_WIDTH, dropout: 0.0 };
    let spec = ModelSpec {
        network: network.clone(),
        classes: ["Round", "Spiral", "Edge-on"].map(str::to_owned).to_vec(),
        normalisation: Normalisation::default(),
        framing: Framing::Stretch,
        program_version: "0".into(),
        epoch: Some(epoch),
    };
    let network = nn::build(&network, seed, &Device::Cpu).expect("a network");
    nn::weights::save(folder.join("best.safetensors"), &*network, &spec).expect("a model file");
}

/// A table of three columns as a `NumPy` file.
pub fn write_npy(path: &Path, values: &[f16]) {
    let mut header = format!("{{'descr': '<f2', 'fortran_order': False, 'shape': ({}, 3), }}", values.len() / 3);
    header.push_str(&" ".repeat((10 + header.len() + 1).next_multiple_of(64) - (10 + header.len() + 1)));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    fs::write(path, bytes).expect("a file");
}
