//! What all checks share: numbers to the device and back, and comparing them.

use std::rc::Rc;

use candle_core::{Device, Tensor};

use super::Check;
use crate::nn::ops::accelerator::calls::Calls;
use crate::nn::ops::accelerator::{Accelerator, AcceleratorError, Arithmetic, Memory, View};
use crate::random::{Purpose, Random};

pub type Result<T> = std::result::Result<T, AcceleratorError>;

/// What a processor's operator says that fails.
pub fn broken(error: impl std::fmt::Display) -> AcceleratorError {
    AcceleratorError::Misused(error.to_string())
}

/// A device that is tested in one arithmetic.
pub struct Lab<'a> {
    pub device: Rc<dyn Accelerator>,
    pub arithmetic: Arithmetic,
    pub checks: Vec<Check>,
    tell: &'a mut dyn FnMut(&Check),
}

impl<'a> Lab<'a> {
    pub fn new(device: Rc<dyn Accelerator>, arithmetic: Arithmetic, tell: &'a mut dyn FnMut(&Check)) -> Self {
        Self { device, arithmetic, checks: Vec::new(), tell }
    }

    pub fn calls(&self) -> Calls<'_> {
        Calls { device: &*self.device, storage: self.arithmetic.storage() }
    }

    /// Memory for `count` numbers in the format of activations.
    pub fn room(&self, count: usize) -> Result<Memory> {
        self.device.allocate(count * self.arithmetic.storage().bytes())
    }

    /// Memory for `count` numbers of f32.
    pub fn wide_room(&self, count: usize) -> Result<Memory> {
        self.device.allocate(4 * count)
    }

    /// Numbers in f32.
    pub fn wide(&self, values: &[f32]) -> Result<Memory> {
        let memory = self.wide_room(values.len())?;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.device.upload(memory.all(), &bytes)?;
        Ok(memory)
    }

    /// Numbers in the format of activations.
    pub fn store(&self, values: &[f32]) -> Result<Memory> {
        let (wide, memory) = (self.wide(values)?, self.room(values.len())?);
        self.calls().to_store(wide.all(), values.len(), memory.all())?;
        Ok(memory)
    }

    /// Numbers of f32 back.
    pub fn read_wide(&self, view: View, count: usize) -> Result<Vec<f32>> {
        let bytes = self.device.download(view.part(0..4 * count)?)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
    }

    /// Numbers in the format of activations back.
    pub fn read(&self, view: View, count: usize) -> Result<Vec<f32>> {
        let wide = self.wide_room(count)?;
        self.calls().from_store(view, count, wide.all())?;
        self.read_wide(wide.all(), count)
    }

    /// Random numbers as the device keeps them, so that rounding the input is not counted as an error of the operator.
    pub fn numbers(&self, count: usize, seed: u64) -> Result<Vec<f32>> {
        let mut random = Random::new(seed, Purpose::Test, &[]);
        let values: Vec<f32> = (0..count).map(|_| random.range(-1.0, 1.0) as f32).collect();
        let memory = self.store(&values)?;
        self.read(memory.all(), count)
    }

    /// Compares numbers with those of the processor, by the largest difference.
    pub fn compare(&mut self, name: &str, expected: &[f32], found: &[f32]) {
        self.note(name, largest(expected, found), self.arithmetic.bound());
    }

    /// Notes an error.
    pub fn note(&mut self, name: &str, error: f64, bound: f64) {
        let error = if error.is_finite() { error } else { f64::INFINITY };
        let check = Check { name: name.to_owned(), arithmetic: self.arithmetic, error, bound };
        (self.tell)(&check);
        self.checks.push(check);
    }
}

/// The largest difference as a share of the largest number.
pub fn largest(expected: &[f32], found: &[f32]) -> f64 {
    if expected.len() != found.len() || found.iter().any(|value| !value.is_finite()) {
        return f64::INFINITY;
    }
    let scale = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let most = expected.iter().zip(found).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    f64::from(most) / f64::from(scale).max(1e-20)
}

/// The length of the difference as a share of the length.
pub fn by_length(expected: &[f32], found: &[f32]) -> f64 {
    if expected.len() != found.len() {
        return f64::INFINITY;
    }
    let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let length = squares(&mut expected.iter().map(|value| f64::from(*value)));
    let off = squares(&mut expected.iter().zip(found).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    (off / length.max(1e-40)).sqrt()
}

/// N x H x W x C numbers as a tensor of N x C x H x W.
pub fn planes(values: &[f32], [n, h, w, c]: [usize; 4]) -> Result<Tensor> {
    let tensor = Tensor::from_slice(values, (n, h, w, c), &Device::Cpu).and_then(|t| t.permute((0, 3, 1, 2)));
    tensor.and_then(|t| t.contiguous()).map_err(broken)
}

/// A tensor of N x C x H x W as N x H x W x C numbers.
pub fn channels_last(tensor: &Tensor) -> Result<Vec<f32>> {
    flat(&tensor.permute((0, 2, 3, 1)).map_err(broken)?)
}

/// The numbers of a tensor.
pub fn flat(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.contiguous().and_then(|t| t.flatten_all()).and_then(|t| t.to_vec1()).map_err(broken)
}
