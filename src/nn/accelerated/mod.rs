//! A network on a device: whole training steps and evaluation, with all memory kept from step to step and nothing read back in
//! between.
//!
//! The network on the processor stays the one that is saved, explained and shown; weights, running statistics and moments go
//! from it to the device and back. Both compute the same (tests/it/nn/accelerated.rs, and `tuning-fork selftest`). What is not here: what a run
//! does with it, and the device itself ([`accelerator`](super::ops::accelerator)).
//!
//! **Nothing here was ever run on a CUDA device.** It is tested on the host twin, which runs the same kernels.

mod blocks;
mod head;
mod inspect;
mod parameters;
mod pictures;
mod step;

pub use parameters::Tensors;
pub use pictures::{Resident, TableShape};
pub use step::{Progress, Report, Sums, TrainBatch};

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use super::models::plan;
use super::ops::accelerator::calls::{Calls, LossRule, Maps, Matrices, Pictures, UpdateRule};
use super::ops::accelerator::kernels::layout;
use super::ops::accelerator::{Accelerator, AcceleratorError, Arithmetic, Ledger, Mark, Memory, View, as_bytes};
use super::{Network, NetworkOptions};
use blocks::{Blocks, Run};
use head::Head;
use parameters::{Parameters, floats};

type Result<T> = std::result::Result<T, AcceleratorError>;

/// The most classes that the kernel of the loss takes.
pub const MOST_CLASSES: usize = 64;

/// How a network is trained on a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What it computes with.
    pub arithmetic: Arithmetic,
    /// Images in a step, at most.
    pub batch: usize,
    /// Images that go through the network at once; below `batch` the gradients of the parts are added up.
    pub micro: usize,
    /// The loss.
    pub loss: LossRule,
    /// The optimiser.
    pub update: UpdateRule,
    /// The run's seed, for dropout.
    pub seed: u64,
}

/// A network on a device.
pub struct Engine {
    options: NetworkOptions,
    settings: Settings,
    parameters: Parameters,
    blocks: Blocks,
    head: Head,
    /// A batch, channels-last, in the format of activations.
    input: Memory,
    /// Two batches as planes of f32, when they come from the host, and when the device last read each.
    planes: [(OnceCell<Memory>, RefCell<Option<Mark>>); 2],
    turn: Cell<usize>,
    /// How pictures that come from the host were mixed there.
    mixing: Memory,
    /// One label an image.
    targets: Memory,
    class_weights: Memory,
    control: Memory,
    tally: Memory,
    rates: Option<Memory>,
    /// How many of them no step has used yet.
    rates_left: Cell<usize>,
    partial: Memory,
    // last, so that it goes when all memory is back
    device: Rc<dyn Accelerator>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("options", &self.options).field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Engine {
    /// The network of `options` on `device`; its parameters are zero until they are [loaded](Self::load).
    ///
    /// # Errors
    /// If the device has not the memory or the arithmetic for it, or the network has too many classes for it.
    pub fn new(device: Rc<dyn Accelerator>, options: &NetworkOptions, settings: Settings) -> Result<Self> {
        let wrong = |message: String| AcceleratorError::Unavailable(message);
        let Settings { arithmetic, batch, micro, .. } = settings;
        if !device.supports(arithmetic) {
            return Err(wrong(format!("{} has no {}; choose another precision", device.name(), arithmetic.name())));
        }
        if options.classes > MOST_CLASSES || settings.loss.weights.len() != options.classes {
            return Err(wrong(format!("a device takes up to {MOST_CLASSES} classes, not {}; compute on the CPU", options.classes)));
        }
        let plan = plan(options).map_err(|e| wrong(e.to_string()))?;
        let storage = arithmetic.storage();
        let parameters = Parameters::new(&*device, &plan, storage, settings.update.kind != UpdateRule::SGD)?;
        let micro = micro.clamp(1, batch);
        let blocks = Blocks::new(&*device, &plan.features, options.size, micro, arithmetic)?;
        let head = Head::new(&*device, &plan.head, plan.features.len(), blocks.features(micro), arithmetic)?;
        let numbers = batch * options.channels * options.size * options.size;
        let class_weights = device.allocate(8 * options.classes)?;
        let weights: Vec<u8> = settings.loss.weights.iter().flat_map(|weight| weight.to_le_bytes()).collect();
        device.upload(class_weights.all(), &weights)?;
        let control = device.allocate(layout::CONTROL_BYTES)?;
        device.upload(control.all(), &layout::Control::START.to_bytes())?;
        Ok(Self {
            input: device.allocate(numbers * storage.bytes())?,
            planes: Default::default(),
            turn: Cell::new(0),
            mixing: device.allocate(Pictures::HEADER)?,
            targets: device.allocate(4 * batch)?,
            class_weights,
            control,
            tally: device.allocate(layout::TALLY_BYTES)?,
            rates: None,
            rates_left: Cell::new(0),
            partial: device.allocate(8 * parameters.tile_count)?,
            options: options.clone(),
            settings: Settings { micro, ..settings },
            parameters,
            blocks,
            head,
            device,
        })
    }

    /// The memory of a device that [`new`](Self::new) takes, bytes. What the device's libraries want for themselves comes on top.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn needs(options: &NetworkOptions, settings: Settings) -> Result<usize> {
        let ledger = Rc::new(Ledger::default());
        Self::new(ledger.clone(), options, settings)?;
        Ok(ledger.bytes())
    }

    /// What it was built from.
    #[must_use]
    pub fn options(&self) -> &NetworkOptions {
        &self.options
    }

    /// How it is trained.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &dyn Accelerator {
        &*self.device
    }

    fn calls(&self) -> Calls<'_> {
        Calls { device: &*self.device, storage: self.settings.arithmetic.storage() }
    }

    fn run(&self, images: usize) -> Run<'_> {
        Run { calls: self.calls(), parameters: &self.parameters, images }
    }

    /// Takes weights and running statistics from a network of the same options.
    ///
    /// # Errors
    /// If it is another network, or the device is lost.
    pub fn load(&self, network: &dyn Network) -> Result<()> {
        let numbers = |tensor: &candle_core::Tensor| {
            tensor.flatten_all().and_then(|flat| flat.to_vec1::<f32>()).map_err(|e| AcceleratorError::Misused(e.to_string()))
        };
        let weights: Vec<_> = network.parameters().iter().map(|p| numbers(&p.var)).collect::<Result<_>>()?;
        let running: Vec<_> = network.buffers().iter().map(|b| numbers(&b.var)).collect::<Result<_>>()?;
        self.load_tensors(Tensors::Weights, &weights)?;
        self.load_tensors(Tensors::Running, &running)
    }

    /// Gives weights and running statistics to a network of the same options.
    ///
    /// # Errors
    /// If it is another network, or the device is lost.
    pub fn save(&self, network: &dyn Network) -> Result<()> {
        let set = |var: &candle_core::Var, values: Vec<f32>| {
            let tensor = candle_core::Tensor::from_vec(values, var.shape(), &candle_core::Device::Cpu);
            tensor.and_then(|tensor| var.set(&tensor)).map_err(|e| AcceleratorError::Misused(e.to_string()))
        };
        let weights = self.save_tensors(Tensors::Weights)?;
        let running = self.save_tensors(Tensors::Running)?;
        network.parameters().iter().zip(weights).try_for_each(|(p, values)| set(&p.var, values))?;
        network.buffers().iter().zip(running).try_for_each(|(b, values)| set(&b.var, values))
    }

    /// Takes tensors in the order of the network's parameters (or buffers), each as it lies on the processor.
    ///
    /// # Errors
    /// If they do not fit, or the device is lost.
    pub fn load_tensors(&self, what: Tensors, tensors: &[Vec<f32>]) -> Result<()> {
        self.parameters.load(&*self.device, what, tensors)?;
        match self.parameters.all() {
            (weights, Some(copy), count) if what == Tensors::Weights => self.calls().to_store(weights, count, copy),
            _ => Ok(()),
        }
    }

    /// Gives tensors back likewise.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn save_tensors(&self, what: Tensors) -> Result<Vec<Vec<f32>>> {
        self.parameters.save(&*self.device, what)
    }

    /// Takes a batch of `images` images as planes: N x C x H x W, normalised. No more than [`Settings::batch`].
    ///
    /// # Errors
    /// If there are too many images, or the device is lost.
    pub fn upload_planes(&self, planes: &[f32], images: usize) -> Result<()> {
        let NetworkOptions { size, channels, .. } = self.options;
        // in turns: one is filled while the device is still at the batch in the other
        let turn = 1 - self.turn.replace(1 - self.turn.get());
        let (place, used) = &self.planes[turn];
        let memory = if let Some(memory) = place.get() {
            memory
        } else {
            let memory = self.device.allocate(4 * self.settings.batch * channels * size * size)?;
            used.replace(Some(self.device.mark()?));
            place.get_or_init(|| memory)
        };
        let to = memory.part(0..4 * planes.len())?;
        self.device.upload_early(to, as_bytes(planes), used.borrow().as_ref())?;
        let matrices = Matrices { batch: images, rows: channels, columns: size * size };
        self.calls().transpose_to_store(to, matrices, self.input.all())?;
        used.replace(Some(self.device.mark()?));
        Ok(())
    }

    /// Takes the header of a table, which says how the pictures of a batch were mixed on the host: [`TrainBatch::mixing`].
    ///
    /// # Errors
    /// If it is too short, or the device is lost.
    pub fn upload_mixing(&self, header: &[u8]) -> Result<View<'_>> {
        let header = header.get(..Pictures::HEADER).ok_or_else(|| AcceleratorError::Misused("half a header".into()))?;
        self.device.upload(self.mixing.all(), header)?;
        Ok(self.mixing.all())
    }

    /// The input as it is: images x size x size x channels, in the format of activations.
    #[must_use]
    pub fn input(&self) -> View<'_> {
        self.input.all()
    }

    /// The images of the input from number `first` on.
    fn input_from(&self, first: usize) -> Result<View<'_>> {
        let bytes = self.options.channels * self.options.size * self.options.size * self.settings.arithmetic.storage().bytes();
        self.input.part(first * bytes..self.input.bytes())
    }

    fn maps(&self, images: usize) -> Maps {
        self.blocks.features(images)
    }

    /// The logits of the `images` images of the input in evaluation mode: images x classes. They may be read later, when the device
    /// is already at the next batch.
    ///
    /// # Errors
    /// If the device is lost.
    pub fn evaluate(&self, images: usize) -> Result<Logits<'_>> {
        let classes = self.options.classes;
        let mut parts = Vec::new();
        for first in (0..images).step_by(self.settings.micro) {
            let count = self.settings.micro.min(images - first);
            let run = self.run(count);
            self.blocks.forward(run, self.input_from(first)?, false, false)?;
            self.head.forward(run, self.blocks.output(), self.maps(count), None)?;
            parts.push(self.device.fetch(self.head.logits().part(0..4 * count * classes)?)?);
        }
        Ok(Box::new(move || {
            let mut logits = Vec::with_capacity(images * classes);
            for part in parts {
                logits.extend(floats(&part()?));
            }
            Ok(logits)
        }))
    }
}

/// Logits that are still to be read.
pub type Logits<'a> = Box<dyn FnOnce() -> Result<Vec<f32>> + 'a>;
