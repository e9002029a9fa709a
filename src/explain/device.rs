//! A model's network on a device, beside the processor's: logits, activations and class activation maps of pictures. A device belongs to
//! one thread and a [`Classifier`](super::Classifier) to many, so it has a thread of its own. It computes in 32 bits: what it says is what
//! the processor says, but for rounding. Where it cannot be had, or fails, the processor does the work.

use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use candle_core::Tensor;
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::nn::accelerated::{Engine, Settings};
use crate::nn::ops::accelerator::calls::{LossRule, UpdateRule};
use crate::nn::ops::accelerator::{Accelerator, AcceleratorError, Arithmetic};
use crate::nn::{NetworkOptions, weights};

/// Opens a device, in the thread that is to have it; why it cannot be had, in words for the user.
pub type Opener = Box<dyn FnOnce() -> Result<Rc<dyn Accelerator>, String> + Send>;

/// Pictures that are worth the seconds that opening a device takes.
const WORTH: usize = 16;

/// A device that is opened when there is enough to do for it.
pub struct LazyDevice {
    open: Mutex<Option<Opener>>,
    network: OnceLock<Result<DeviceNetwork, String>>,
}

impl LazyDevice {
    pub fn new(open: Opener) -> Self {
        Self { open: Mutex::new(Some(open)), network: OnceLock::new() }
    }

    /// The network there, for `images` pictures. It is opened if they are worth it, and `start` brings the network there; `None` if it is
    /// not open or does not work.
    pub fn network(&self, images: usize, start: impl FnOnce(Opener) -> Result<DeviceNetwork, String>) -> Option<&DeviceNetwork> {
        if self.network.get().is_none() && images < WORTH {
            return None;
        }
        self.open(start).ok().filter(|network| network.failed.get().is_none())
    }

    /// The network there; it is opened if it is not.
    ///
    /// # Errors
    /// If that failed, now or before: why.
    pub fn open(&self, start: impl FnOnce(Opener) -> Result<DeviceNetwork, String>) -> Result<&DeviceNetwork, String> {
        let begin = || {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
            open.map_or_else(|| Err("the program broke off while it opened the device".to_owned()), start)
        };
        self.network.get_or_init(begin).as_ref().map_err(Clone::clone)
    }

    /// Why the processor does the work, if it does because of a failure.
    pub fn trouble(&self) -> Option<&str> {
        match self.network.get()? {
            Ok(network) => network.failed.get().map(String::as_str),
            Err(why) => Some(why),
        }
    }
}

/// What is wanted of pictures, given as planes, N x 3 x size x size.
enum Wanted {
    /// N x classes.
    Logits,
    /// N x K x h x w.
    Features,
    /// N x h x w, for one class each.
    Maps(Vec<u32>),
}

/// Pictures, and where the numbers go.
struct Request {
    planes: Vec<f32>,
    images: usize,
    wanted: Wanted,
    /// `None` if the device failed.
    answer: Sender<Option<Vec<f32>>>,
}

/// A network on a device.
pub struct DeviceNetwork {
    name: String,
    requests: Sender<Request>,
    /// What the device said when it failed; its thread writes it down before anybody hears of it.
    failed: Arc<OnceLock<String>>,
}

impl DeviceNetwork {
    /// Opens a device and brings a network of these `numbers` there, with room for `batch` pictures at once.
    ///
    /// # Errors
    /// If the device cannot be had or has no room: why, in words for the user.
    pub fn start(open: Opener, options: &NetworkOptions, numbers: Vec<(String, Tensor)>, batch: usize) -> Result<Self, String> {
        // unbounded: what still waits in it when the thread ends is dropped, so that whoever asked hears of it; they are as many as threads
        let (requests, inbox) = unbounded();
        let (ready, started) = bounded(1);
        let failed = Arc::new(OnceLock::new());
        let (options, why_failed) = (options.clone(), Arc::clone(&failed));
        let work = move || match engine(open, &options, &numbers, batch) {
            Ok(engine) => {
                drop(numbers);
                if ready.send(Ok(engine.device().name())).is_ok() {
                    serve(&engine, &inbox, &why_failed);
                }
            }
            Err(why) => {
                // whoever started this waits for it
                let _ = ready.send(Err(why));
            }
        };
        let thread = std::thread::Builder::new().name("tuning-fork-device".into()).spawn(work);
        thread.map_err(|error| format!("the system has no thread for the device ({error}); close other programs"))?;
        let name = started.recv().map_err(|_| BROKEN.to_owned())??;
        Ok(Self { name, requests, failed })
    }

    /// What the device is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The logits of `images` pictures, a row each; `None` if the device failed.
    pub fn logits(&self, planes: Vec<f32>, images: usize) -> Option<Vec<f32>> {
        self.ask(planes, images, Wanted::Logits)
    }

    /// Their activations after the last block.
    pub fn features(&self, planes: Vec<f32>, images: usize) -> Option<Vec<f32>> {
        self.ask(planes, images, Wanted::Features)
    }

    /// Their exact class activation maps, for one class each.
    pub fn maps(&self, planes: Vec<f32>, classes: Vec<u32>) -> Option<Vec<f32>> {
        self.ask(planes, classes.len(), Wanted::Maps(classes))
    }

    fn ask(&self, planes: Vec<f32>, images: usize, wanted: Wanted) -> Option<Vec<f32>> {
        let (answer, answers) = bounded(1);
        let said = self.requests.send(Request { planes, images, wanted, answer }).ok().and_then(|()| answers.recv().ok());
        if said.is_none() {
            // a thread that ended without a word; one that gave up has said why
            let _ = self.failed.set(BROKEN.to_owned());
        }
        said.flatten()
    }
}

/// What is said of a thread that ended by itself.
const BROKEN: &str = "the device's thread broke off; please report this";

/// The network on the device; where a batch has no room, it goes through in parts.
fn engine(open: Opener, options: &NetworkOptions, numbers: &[(String, Tensor)], batch: usize) -> Result<Engine, String> {
    let device = open()?;
    let network = crate::nn::build(options, 0, &candle_core::Device::Cpu).map_err(|error| error.to_string())?;
    weights::restore(&*network, numbers).map_err(|error| error.to_string())?;
    let mut micro = batch;
    loop {
        let settings = Settings {
            arithmetic: Arithmetic::F32,
            batch,
            micro,
            loss: LossRule { weights: vec![1.0; options.classes], gamma: 0.0, smoothing: 0.0 },
            // nothing is trained; of all optimisers this one remembers the least
            update: UpdateRule { kind: UpdateRule::SGD, weight_decay: 0.0, clip: 0.0 },
            seed: 0,
        };
        let attempt = Engine::new(Rc::clone(&device), options, settings).and_then(|engine| {
            engine.load(&*network)?;
            engine.evaluate(micro)?()?;
            Ok(engine)
        });
        match attempt {
            Err(AcceleratorError::OutOfMemory { .. }) if micro > 1 => micro = micro.div_ceil(2),
            result => return result.map_err(|error| error.to_string()),
        }
    }
}

/// Answers until nobody asks any more, or the device fails; then `failed` says why.
fn serve(engine: &Engine, inbox: &Receiver<Request>, failed: &OnceLock<String>) {
    for Request { planes, images, wanted, answer } in inbox {
        let result = engine.upload_planes(&planes, images).and_then(|()| match wanted {
            Wanted::Logits => engine.evaluate(images)?(),
            Wanted::Features => engine.features(images),
            Wanted::Maps(classes) => engine.class_activation_maps(&classes),
        });
        if let Err(error) = &result {
            let _ = failed.set(error.to_string());
        }
        // whoever asked may have gone
        let _ = answer.send(result.ok());
        if failed.get().is_some() {
            return;
        }
    }
}
