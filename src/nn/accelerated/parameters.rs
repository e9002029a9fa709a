//! The parameters of a network on a device: all in one stretch of memory, each beginning at a multiple of 256 bytes, and their
//! gradients and moments likewise.
//!
//! Convolution weights lie as outputs x 3 x 3 x inputs there, and as 3 x 3 x inputs x outputs on the processor: as matrices of 9
//! inputs x outputs the one is the transpose of the other.

use std::ops::Range;

use crate::nn::layer::Plan;
use crate::nn::ops::accelerator::kernels::{Storage, layout};
use crate::nn::ops::accelerator::{Accelerator, AcceleratorError, Memory, View};

/// Each parameter begins at a multiple of so many numbers, so that vectors of any format fit.
const ALIGNMENT: usize = 64;

/// Where a tensor lies among the others of its kind, counted in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    start: usize,
    length: usize,
    /// Rows and columns of the matrix as it lies on the processor, for what lies transposed on the device.
    transposed: Option<[usize; 2]>,
    decay: bool,
}

impl Place {
    /// Its bytes where a number has `size`.
    pub fn bytes(&self, size: usize) -> Range<usize> {
        self.start * size..(self.start + self.length) * size
    }
}

/// The tensors of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayerPlaces {
    /// Trained ones, in the plan's order.
    pub trained: Vec<Place>,
    /// Running statistics.
    pub running: Vec<Place>,
}

/// Where all tensors of a plan lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// One a layer.
    pub layers: Vec<LayerPlaces>,
    trained: usize,
    running: usize,
}

impl Places {
    /// The places of a plan's tensors.
    pub fn new(plan: &Plan) -> Self {
        let mut places = Self { layers: vec![LayerPlaces::default(); plan.layers().count()], trained: 0, running: 0 };
        for (position, _, tensor) in plan.tensors() {
            let length = tensor.shape.iter().product();
            let transposed = match tensor.shape[..] {
                [outputs, inputs, 3, 3] => Some([9 * inputs, outputs]),
                _ => None,
            };
            let layer = &mut places.layers[position];
            let (list, end) =
                if tensor.trained { (&mut layer.trained, &mut places.trained) } else { (&mut layer.running, &mut places.running) };
            list.push(Place { start: *end, length, transposed, decay: tensor.decay });
            *end = (*end + length).next_multiple_of(ALIGNMENT);
        }
        places
    }

    /// Those of the trained tensors in the plan's order.
    pub fn trained(&self) -> impl Iterator<Item = &Place> {
        self.layers.iter().flat_map(|layer| &layer.trained)
    }

    /// Those of the running statistics in the plan's order.
    pub fn running(&self) -> impl Iterator<Item = &Place> {
        self.layers.iter().flat_map(|layer| &layer.running)
    }
}

/// The memory of all parameters.
#[derive(Debug)]
pub struct Parameters {
    pub places: Places,
    /// f32.
    weights: Memory,
    /// The same in the format of activations, if that is another one.
    copy: Option<Memory>,
    gradients: Memory,
    first: Memory,
    /// Not for SGD.
    second: Option<Memory>,
    running: Memory,
    /// The records that the optimiser's kernels read.
    pub records: Memory,
    pub tiles: Memory,
    pub tile_count: usize,
    storage: Storage,
}

impl Parameters {
    /// Room for the parameters of a plan, all zero.
    pub fn new(device: &dyn Accelerator, plan: &Plan, storage: Storage, second: bool) -> Result<Self, AcceleratorError> {
        let places = Places::new(plan);
        let wide = || device.allocate(places.trained * 4);
        let copy = (storage != Storage::F32).then(|| device.allocate(places.trained * storage.bytes())).transpose()?;
        let (weights, gradients, first) = (wide()?, wide()?, wide()?);
        let second = second.then(wide).transpose()?;
        let running = device.allocate(places.running.max(1) * 4)?;
        let mut records = Vec::new();
        let mut lengths = Vec::new();
        for place in places.trained() {
            let at = |memory: &Memory, size: usize| Ok::<u64, AcceleratorError>(memory.part(place.bytes(size))?.address());
            records.extend(
                layout::Parameter {
                    weight: at(&weights, 4)?,
                    copy: copy.as_ref().map_or(Ok(0), |copy| at(copy, storage.bytes()))?,
                    gradient: at(&gradients, 4)?,
                    first: at(&first, 4)?,
                    second: second.as_ref().map_or(Ok(0), |second| at(second, 4))?,
                    length: place.length as u64,
                    decayed: place.decay,
                }
                .to_bytes(),
            );
            lengths.push(place.length as u64);
        }
        let tiles = layout::tiles(&lengths);
        let tile_count = tiles.len() / layout::TILE_BYTES;
        let upload = |bytes: &[u8]| {
            let memory = device.allocate(bytes.len())?;
            device.upload(memory.all(), bytes)?;
            Ok::<Memory, AcceleratorError>(memory)
        };
        let (records, tiles) = (upload(&records)?, upload(&tiles)?);
        Ok(Self { places, weights, copy, gradients, first, second, running, records, tiles, tile_count, storage })
    }

    /// A parameter in f32.
    pub fn wide(&self, place: &Place) -> Result<View<'_>, AcceleratorError> {
        self.weights.part(place.bytes(4))
    }

    /// A parameter in the format of activations.
    pub fn stored(&self, place: &Place) -> Result<View<'_>, AcceleratorError> {
        match &self.copy {
            Some(copy) => copy.part(place.bytes(self.storage.bytes())),
            None => self.wide(place),
        }
    }

    /// The gradient of a parameter, f32.
    pub fn gradient(&self, place: &Place) -> Result<View<'_>, AcceleratorError> {
        self.gradients.part(place.bytes(4))
    }

    /// A running statistic, f32.
    pub fn statistic(&self, place: &Place) -> Result<View<'_>, AcceleratorError> {
        self.running.part(place.bytes(4))
    }

    /// All weights in f32, and their copy if there is one.
    pub fn all(&self) -> (View<'_>, Option<View<'_>>, usize) {
        (self.weights.all(), self.copy.as_ref().map(Memory::all), self.places.trained)
    }

    fn memory(&self, what: Tensors) -> Option<&Memory> {
        match what {
            Tensors::Weights => Some(&self.weights),
            Tensors::Gradients => Some(&self.gradients),
            Tensors::First => Some(&self.first),
            Tensors::Second => self.second.as_ref(),
            Tensors::Running => Some(&self.running),
        }
    }

    fn list(&self, what: Tensors) -> Vec<&Place> {
        if what == Tensors::Running { self.places.running().collect() } else { self.places.trained().collect() }
    }

    /// Takes tensors from the processor, one after the other in the plan's order, in the order that their numbers have there.
    pub fn load(&self, device: &dyn Accelerator, what: Tensors, tensors: &[Vec<f32>]) -> Result<(), AcceleratorError> {
        let (places, Some(memory)) = (self.list(what), self.memory(what)) else { return Ok(()) };
        if places.len() != tensors.len() || places.iter().zip(tensors).any(|(place, tensor)| place.length != tensor.len()) {
            return Err(AcceleratorError::Misused(format!("{} tensors for another network", tensors.len())));
        }
        let mut bytes = vec![0; memory.bytes()];
        for (place, tensor) in places.into_iter().zip(tensors) {
            let turned = place.transposed.map(|[rows, columns]| transposed(tensor, rows, columns));
            let values = turned.as_ref().unwrap_or(tensor);
            for (to, value) in bytes[place.bytes(4)].as_chunks_mut::<4>().0.iter_mut().zip(values) {
                *to = value.to_le_bytes();
            }
        }
        device.upload(memory.all(), &bytes)
    }

    /// Gives the tensors back in the same way; nothing for second moments that there are not.
    pub fn save(&self, device: &dyn Accelerator, what: Tensors) -> Result<Vec<Vec<f32>>, AcceleratorError> {
        let (places, Some(memory)) = (self.list(what), self.memory(what)) else { return Ok(Vec::new()) };
        let bytes = device.download(memory.all())?;
        let tensor = |place: &Place| {
            let values = floats(&bytes[place.bytes(4)]);
            // the other way round, the matrix has as many rows as it had columns
            place.transposed.map(|[rows, columns]| transposed(&values, columns, rows)).unwrap_or(values)
        };
        Ok(places.into_iter().map(tensor).collect())
    }
}

/// What is moved between processor and device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tensors {
    /// The parameters.
    Weights,
    /// Their gradients.
    Gradients,
    /// Their first moments.
    First,
    /// Their second moments.
    Second,
    /// The running statistics.
    Running,
}

/// The bytes of f32.
pub fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

/// A matrix with rows and columns exchanged.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const TILE: usize = 32;
    let mut out = vec![0.0; values.len()];
    for (row, column) in (0..rows).step_by(TILE).flat_map(|row| (0..columns).step_by(TILE).map(move |column| (row, column))) {
        for r in row..(row + TILE).min(rows) {
            for c in column..(column + TILE).min(columns) {
                out[c * rows + r] = values[r * columns + c];
            }
        }
    }
    out
}
