//! A trained network that names the class of a picture. It reads everything it needs from the model file: nothing about
//! preprocessing comes from the caller.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::{Device, Tensor};
use sha2::{Digest, Sha256};

use super::Calibration;
use super::device::{DeviceNetwork, LazyDevice, Opener};
use super::numbers::softmax;
use crate::imaging::{Fit, Image};
use crate::metrics::apply_temperature;
use crate::nn::models::map_layers;
use crate::nn::{Framing, Mode, ModelSpec, Network, predict, weights};

/// The model's file name inside a run folder.
pub const BEST_MODEL: &str = "best.safetensors";

/// Pixels that are in flight at once, so that memory stays bounded whatever the number of pictures:
/// 64 pictures of 256 x 256.
const PIXELS_AT_ONCE: usize = 64 * 256 * 256;

/// What can be wrong with a model or a picture. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are named in the messages")]
pub enum ExplainError {
    /// There is nothing at this path.
    #[error("{} does not exist; give a run folder or a .safetensors model file", path.display())]
    Missing { path: PathBuf },
    /// A folder without a model.
    #[error("{} holds no {BEST_MODEL}: it is no run folder, or its run ended before the first epoch did; resume the run or choose another", path.display())]
    NoModel { path: PathBuf },
    /// The model file cannot be used.
    #[error("the model cannot be used: {0}")]
    Model(#[from] weights::WeightsError),
    /// The network failed; a fault of the program or a broken model file.
    #[error("the network failed ({0}); check that the model file is whole")]
    Network(#[from] candle_core::Error),
    /// The network answers with numbers that are not finite.
    #[error("the model answers with numbers that are not finite, so its training went wrong; train again with a lower learning rate")]
    NotFinite,
    /// There is no class of this number.
    #[error("there is no class {number}; the model has {count}, counted from 0")]
    NoClass { number: usize, count: usize },
    /// There is no layer of this name.
    #[error("the network has no layer {name}; maps can be taken at {known}")]
    NoLayer { name: String, known: String },
    /// The method does not fit the network or the layer.
    #[error("{0}")]
    Refused(String),
    /// A drawing cannot be encoded or written.
    #[error(transparent)]
    Imaging(#[from] crate::imaging::ImagingError),
}

/// A trained network with all it needs to classify pictures. It may be shared between threads.
pub struct Classifier {
    network: Box<dyn Network>,
    spec: ModelSpec,
    device: Device,
    path: PathBuf,
    calibration: Option<Calibration>,
    identity: OnceLock<String>,
    /// Where many pictures go, if that is not the processor.
    elsewhere: Option<LazyDevice>,
}

impl Classifier {
    /// Reads a model on the CPU from `path`: a run folder (its best epoch) or a model file.
    ///
    /// # Errors
    /// If there is no model, or it is not one of this program's.
    pub fn load(path: &Path) -> Result<Self, ExplainError> {
        let path = if path.is_dir() {
            let file = path.join(BEST_MODEL);
            if !file.is_file() {
                return Err(ExplainError::NoModel { path: path.to_owned() });
            }
            file
        } else {
            path.to_owned()
        };
        if !path.exists() {
            return Err(ExplainError::Missing { path });
        }
        let device = Device::Cpu;
        let (network, spec) = weights::load(&path, &device)?;
        let calibration = Calibration::of_model(&path);
        Ok(Self { network, spec, device, path, calibration, identity: OnceLock::new(), elsewhere: None })
    }

    /// The same model, but many pictures at once go to the device that `open` opens: when there are enough of them, or it is
    /// [opened](Self::open_device). Answers differ by rounding only. Where the device fails, the processor does the work.
    #[must_use]
    pub fn with_device(mut self, open: Opener) -> Self {
        self.elsewhere = Some(LazyDevice::new(open));
        self
    }

    /// Opens the device of [`Self::with_device`] now; its name.
    ///
    /// # Errors
    /// If there is none, it cannot be had or has no room: why, in words for the user.
    pub fn open_device(&self) -> Result<&str, String> {
        let device = self.elsewhere.as_ref().ok_or_else(|| "no device was asked for".to_owned())?;
        device.open(|open| self.start(open)).map(DeviceNetwork::name)
    }

    /// Why the processor does the work of the device, if it does.
    #[must_use]
    pub fn device_trouble(&self) -> Option<&str> {
        self.elsewhere.as_ref().and_then(LazyDevice::trouble)
    }

    fn start(&self, open: Opener) -> Result<DeviceNetwork, String> {
        let numbers = weights::snapshot(self.network()).map_err(|error| error.to_string())?;
        // two: a map of one class and not of another is that of two pictures
        DeviceNetwork::start(open, &self.spec.network, numbers, self.batch().max(2))
    }

    /// The device, if it is there and it is worth it for so many pictures.
    fn on_device(&self, images: usize) -> Option<&DeviceNetwork> {
        self.elsewhere.as_ref()?.network(images, |open| self.start(open))
    }

    /// The same model with other weights: those of a snapshot of its network. It has no calibration.
    pub(super) fn with_weights(&self, snapshot: &[(String, Tensor)]) -> Result<Self, ExplainError> {
        let network = crate::nn::build(&self.spec.network, 0, &self.device)?;
        weights::restore(network.as_ref(), snapshot)?;
        let (spec, path) = (self.spec.clone(), self.path.clone());
        Ok(Self { network, spec, device: Device::Cpu, path, calibration: None, identity: OnceLock::new(), elsewhere: None })
    }

    /// What tells this model's answers from others' whatever its file is called: [`Self::fingerprint`] and the temperature. Worked out at
    /// the first call, which takes a moment.
    ///
    /// # Errors
    /// If the weights cannot be read.
    pub fn identity(&self) -> Result<&str, ExplainError> {
        if let Some(identity) = self.identity.get() {
            return Ok(identity);
        }
        let temperature = self.calibration.as_ref().map_or(1.0, |calibration| calibration.temperature);
        let identity = format!("{} {temperature}", self.fingerprint()?);
        Ok(self.identity.get_or_init(|| identity))
    }

    /// What the model file says of itself: network, class names, normalisation.
    #[must_use]
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The model file that was read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Network, size, number of classes and file, in one line for a legend.
    #[must_use]
    pub fn title(&self) -> String {
        let network = &self.spec.network;
        let name = network.name();
        let mut parts = self.path.components().rev().map(|part| part.as_os_str().to_string_lossy());
        let (file, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        format!("{name} {size} x {size}, {} classes, {folder}/{file}", self.spec.classes.len(), size = network.size)
    }

    /// SHA-256, hexadecimal, of everything that the answers depend on but the temperature: the description and all numbers of the
    /// network. The file may have another model by now.
    ///
    /// # Errors
    /// If the network's numbers cannot be read.
    pub fn fingerprint(&self) -> Result<String, ExplainError> {
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(&(&self.spec.network, &self.spec.normalisation, self.spec.framing)).unwrap_or_default());
        for (name, tensor) in weights::snapshot(self.network())? {
            hash.update(name);
            for value in tensor.flatten_all()?.to_vec1::<f32>()? {
                hash.update(value.to_le_bytes());
            }
        }
        Ok(hash.finalize().iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|d| char::from_digit(u32::from(d), 16)).collect())
    }

    /// The temperature that was stored with the model, if one was.
    #[must_use]
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// How pictures that are not square became squares in training.
    #[must_use]
    pub fn fit(&self) -> Fit {
        match self.spec.framing {
            Framing::Stretch => Fit::Stretch,
            Framing::Crop => Fit::Crop,
            Framing::Pad => Fit::Pad,
        }
    }

    /// `image` made the square that the network takes, as training did.
    #[must_use]
    pub fn prepare(&self, image: &Image) -> Image {
        let frame = self.fit().frame(image.width(), image.height());
        if (frame.width, frame.height) == (image.width(), image.height()) { self.scale(image) } else { self.scale(&image.crop(frame)) }
    }

    /// `image` stretched to the square that the network takes: for a part of a picture that was chosen already.
    #[must_use]
    pub(super) fn scale(&self, image: &Image) -> Image {
        let size = self.spec.network.size;
        if (image.width(), image.height()) == (size, size) { image.clone() } else { image.resize(size, size) }
    }

    /// The probability of each class (in the order of `spec().classes`, from 0 to 1, adding up to 1), for each picture;
    /// at the model's temperature if one was stored with it.
    /// Pictures may have any size and come in any number: they are scaled and taken a bounded batch at a time.
    ///
    /// # Errors
    /// If the network fails or answers with numbers that are not finite.
    pub fn classify(&self, images: &[Image]) -> Result<Vec<Vec<f32>>, ExplainError> {
        let mut probabilities = Vec::with_capacity(images.len());
        for batch in images.chunks(self.batch()) {
            let planes = self.planes(batch);
            if let Some(logits) = self.on_device(batch.len()).and_then(|device| device.logits(planes.clone(), batch.len())) {
                probabilities.extend(logits.chunks_exact(self.spec.classes.len()).map(softmax));
            } else {
                probabilities.extend(predict(self.network.as_ref(), &self.tensor(planes)?)?.to_vec2::<f32>()?);
            }
        }
        if !probabilities.iter().flatten().all(|p| p.is_finite()) {
            return Err(ExplainError::NotFinite);
        }
        if let Some(calibration) = &self.calibration {
            for row in &mut probabilities {
                apply_temperature(row, calibration.temperature);
            }
        }
        Ok(probabilities)
    }

    /// Pictures that go through the network together, at least 1.
    #[must_use]
    pub fn batch(&self) -> usize {
        let size = self.spec.network.size;
        (PIXELS_AT_ONCE / (size * size).max(1)).clamp(1, 64)
    }

    /// Logits to probabilities, at the model's temperature if one was stored with it.
    pub(super) fn probabilities(&self, logits: &[f32]) -> Vec<f32> {
        let mut probabilities = softmax(logits);
        if let Some(calibration) = &self.calibration {
            apply_temperature(&mut probabilities, calibration.temperature);
        }
        probabilities
    }

    /// The network itself, to look inside.
    pub(super) fn network(&self) -> &dyn Network {
        self.network.as_ref()
    }

    /// N x K x h x w activations after the last block.
    pub(super) fn features(&self, images: &[Image]) -> Result<Tensor, ExplainError> {
        let (planes, count) = (self.planes(images), images.len());
        let Some(values) = self.on_device(count).and_then(|device| device.features(planes.clone(), count)) else {
            return Ok(self.network.features(&self.tensor(planes)?, Mode::Eval)?);
        };
        let Some(last) = map_layers(&self.spec.network)?.pop() else {
            return Err(ExplainError::Refused("the network has no blocks".into()));
        };
        Ok(Tensor::from_vec(values, (count, last.channels, last.height, last.width), &self.device)?)
    }

    /// The class activation map of one picture after the last block for each of `classes`, h x w, signed; `None` where no device is open, or
    /// the network has no exact ones.
    pub(super) fn device_maps(&self, image: &Image, classes: &[usize]) -> Option<Vec<Vec<f32>>> {
        let device = self.on_device(1)?;
        let planes = self.planes(std::slice::from_ref(image)).repeat(classes.len());
        let maps = device.maps(planes, classes.iter().map(|&class| class as u32).collect())?;
        Some(maps.chunks_exact(maps.len() / classes.len()).map(<[f32]>::to_vec).collect())
    }

    /// The logits of each row of [`Self::features`].
    pub(super) fn logits(&self, features: &Tensor) -> Result<Vec<Vec<f32>>, ExplainError> {
        Ok(self.network.head(features, Mode::Eval)?.to_vec2()?)
    }

    /// Weights (a row a class) and biases of the linear layer that makes the logits.
    pub(super) fn last_layer(&self) -> Result<(Vec<Vec<f32>>, Vec<f32>), ExplainError> {
        let [.., weight, bias] = self.network.parameters() else {
            return Err(ExplainError::Refused("the network has no linear layer".into()));
        };
        Ok((weight.var.to_vec2()?, bias.var.to_vec1()?))
    }

    /// Pictures -> N x 3 x size x size, normalised.
    pub(super) fn input(&self, images: &[Image]) -> Result<Tensor, ExplainError> {
        self.tensor(self.planes(images))
    }

    fn tensor(&self, planes: Vec<f32>) -> Result<Tensor, ExplainError> {
        let size = self.spec.network.size;
        Ok(Tensor::from_vec(planes, ((), 3, size, size), &self.device)?)
    }

    fn planes(&self, images: &[Image]) -> Vec<f32> {
        let size = self.spec.network.size;
        let mut planes = vec![0.0; images.len() * 3 * size * size];
        for (image, planes) in images.iter().zip(planes.chunks_exact_mut(3 * size * size)) {
            self.spec.normalisation.write_planes(self.prepare(image).pixels(), planes);
        }
        planes
    }
}

impl std::fmt::Debug for Classifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Classifier").field("path", &self.path).field("spec", &self.spec).finish_non_exhaustive()
    }
}
