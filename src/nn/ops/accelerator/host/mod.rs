//! The host twin: the kernels of the device, compiled by the system's C++ compiler and run on the processor.
//!
//! It is slow, and only there so that the order of operations, the sizes and the kernels' arithmetic are tested without a GPU
//! (`tuning-fork selftest --device host`). Numbers are rounded where a device would round them: activations to bf16 or f16, sums not;
//! TF32 rounds the factors of a product.

mod products;

use std::cell::{Cell, UnsafeCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use half::{bf16, f16};

use super::kernels::host::Library;
use super::kernels::{Launch, Storage};
use super::{Accelerator, AcceleratorError, Argument, Arithmetic, Convolution, Fetched, Mark, Memory, Pass, Product, View};

/// The processor, playing a device.
#[derive(Debug)]
pub struct Host {
    libraries: [&'static Library; 3],
    /// Bytes that may be in use at once.
    limit: usize,
    used: Arc<AtomicUsize>,
    /// Operations that are left before it is lost, if it is to be lost.
    left: Cell<Option<usize>>,
}

/// Memory of the twin unless it is told otherwise: enough for tests.
const MEMORY: usize = 2 << 30;

impl Host {
    /// Compiles the kernels, or finds them compiled.
    ///
    /// # Errors
    /// If there is no C++ compiler, or it fails; the message says so.
    pub fn new() -> Result<Self, AcceleratorError> {
        Self::with_memory(MEMORY)
    }

    /// The same with `limit` bytes of memory, to see what happens when there is little.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_memory(limit: usize) -> Result<Self, AcceleratorError> {
        let load = |storage| Library::load(storage).map_err(AcceleratorError::Unavailable);
        let libraries = [load(Storage::F32)?, load(Storage::Bf16)?, load(Storage::F16)?];
        Ok(Self { libraries, limit, used: Arc::default(), left: Cell::new(None) })
    }

    /// The same, but all that are given the same `limit` have that much together, as programs on one card do.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn shared(limit: usize) -> Result<Self, AcceleratorError> {
        static CARDS: LazyLock<Mutex<HashMap<usize, Arc<AtomicUsize>>>> = LazyLock::new(Mutex::default);
        let used = Arc::clone(CARDS.lock().unwrap_or_else(PoisonError::into_inner).entry(limit).or_default());
        Ok(Self { used, ..Self::with_memory(limit)? })
    }

    /// The same, but after `calls` kernels, convolutions and products nothing works any more, as when a card falls off the bus.
    #[must_use]
    pub fn lost_after(self, calls: usize) -> Self {
        self.left.set(Some(calls));
        self
    }

    /// Fails once the twin is lost.
    fn alive(&self) -> Result<(), AcceleratorError> {
        if self.left.get() == Some(0) { Err(AcceleratorError::Lost("as it was told to be".into())) } else { Ok(()) }
    }

    /// The same, and counts an operation.
    fn count(&self) -> Result<(), AcceleratorError> {
        self.alive()?;
        self.left.set(self.left.get().map(|left| left - 1));
        Ok(())
    }
}

/// Memory that kernels write through its address.
struct Cells {
    _memory: Box<[UnsafeCell<u128>]>,
    bytes: usize,
    used: Arc<AtomicUsize>,
}

impl Drop for Cells {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The bytes of a view.
fn bytes(view: View) -> &'static [u8] {
    // SAFETY: a view lies within memory that is allocated as long as the view lives, and this module copies the bytes before it
    // returns to the view's owner; nothing writes at the same time, because the twin computes in the calling thread
    unsafe { std::slice::from_raw_parts(view.address() as *const u8, view.bytes()) }
}

/// Writes the bytes of a view.
fn write(view: View, bytes: &[u8]) {
    debug_assert_eq!(view.bytes(), bytes.len(), "checked by the caller");
    // SAFETY: as above; the memory consists of cells, so that it may be written through shared views, and `bytes` is the host's own
    unsafe { std::ptr::copy(bytes.as_ptr(), view.address() as *mut u8, bytes.len()) }
}

fn same_length(a: usize, b: usize) -> Result<(), AcceleratorError> {
    if a == b { Ok(()) } else { Err(AcceleratorError::Misused(format!("a copy of {a} bytes to {b}"))) }
}

/// The first `count` numbers of a view as f32.
fn read(view: View, storage: Storage, count: usize) -> Result<Vec<f32>, AcceleratorError> {
    let view = view.part(0..count * storage.bytes())?;
    let bytes = bytes(view);
    let pairs = || bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    Ok(match storage {
        Storage::F32 => bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
        Storage::Bf16 => pairs().map(|bits| bf16::from_bits(bits).to_f32()).collect(),
        Storage::F16 => pairs().map(|bits| f16::from_bits(bits).to_f32()).collect(),
    })
}

/// Writes numbers to the beginning of a view, rounded to its format.
fn store(view: View, storage: Storage, values: &[f32]) -> Result<(), AcceleratorError> {
    let bytes: Vec<u8> = match storage {
        Storage::F32 => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        Storage::Bf16 => values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect(),
        Storage::F16 => values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
    };
    write(view.part(0..bytes.len())?, &bytes);
    Ok(())
}

/// The factors of a product on tensor cores: TF32 keeps 11 bits of mantissa.
fn factors(view: View, arithmetic: Arithmetic, count: usize) -> Result<Vec<f32>, AcceleratorError> {
    let mut values = read(view, arithmetic.storage(), count)?;
    if arithmetic == Arithmetic::Tf32 {
        for value in &mut values {
            // to the nearest, halves away from zero
            *value = f32::from_bits(value.to_bits().wrapping_add(0x1000) & !0x1fff);
        }
    }
    Ok(values)
}

impl Accelerator for Host {
    fn name(&self) -> String {
        "host twin".into()
    }

    fn supports(&self, _: Arithmetic) -> bool {
        true
    }

    fn is_twin(&self) -> bool {
        true
    }

    fn memory(&self) -> Result<(usize, usize), AcceleratorError> {
        Ok((self.limit.saturating_sub(self.used.load(Ordering::Relaxed)), self.limit))
    }

    fn allocate(&self, bytes: usize) -> Result<Memory, AcceleratorError> {
        self.alive()?;
        let more = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        if let Err(used) = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            return Err(AcceleratorError::out_of_memory(bytes, self.limit.saturating_sub(used)));
        }
        let cells: Box<[UnsafeCell<u128>]> = (0..bytes.div_ceil(16)).map(|_| UnsafeCell::new(0)).collect();
        let address = cells.as_ptr() as u64;
        Ok(Memory::new(address, bytes, Box::new(Cells { _memory: cells, bytes, used: Arc::clone(&self.used) })))
    }

    fn upload(&self, to: View, bytes: &[u8]) -> Result<(), AcceleratorError> {
        self.alive()?;
        same_length(bytes.len(), to.bytes())?;
        write(to, bytes);
        Ok(())
    }

    fn mark(&self) -> Result<Mark, AcceleratorError> {
        Ok(Mark(Box::new(())))
    }

    fn upload_early(&self, to: View, bytes: &[u8], _: Option<&Mark>) -> Result<(), AcceleratorError> {
        self.upload(to, bytes)
    }

    fn download(&self, from: View) -> Result<Vec<u8>, AcceleratorError> {
        self.alive()?;
        Ok(bytes(from).to_vec())
    }

    fn fetch<'a>(&'a self, from: View) -> Result<Fetched<'a>, AcceleratorError> {
        let copy = self.download(from)?;
        Ok(Box::new(move || Ok(copy)))
    }

    fn clear(&self, memory: View) -> Result<(), AcceleratorError> {
        self.alive()?;
        write(memory, &vec![0; memory.bytes()]);
        Ok(())
    }

    fn copy(&self, from: View, to: View) -> Result<(), AcceleratorError> {
        self.alive()?;
        same_length(from.bytes(), to.bytes())?;
        write(to, bytes(from));
        Ok(())
    }

    unsafe fn launch(
        &self,
        kernel: &'static str,
        storage: Storage,
        launch: Launch,
        arguments: &[Argument],
    ) -> Result<(), AcceleratorError> {
        self.count()?;
        let mut pointers: Vec<_> = arguments.iter().map(Argument::pointer).collect();
        // SAFETY: the caller's promise is the library's; memory here begins at multiples of 16 bytes
        unsafe { self.libraries[storage as usize].launch(kernel, launch, &mut pointers) }.map_err(AcceleratorError::Misused)
    }

    fn convolve(&self, pass: Pass, shape: Convolution, arithmetic: Arithmetic, x: View, w: View, y: View) -> Result<(), AcceleratorError> {
        self.count()?;
        let storage = arithmetic.storage();
        let [x_len, w_len, y_len] = [shape.input_len(), shape.weight_len(), shape.output_len()];
        match pass {
            Pass::Forward => {
                let mut out = vec![0.0; y_len];
                products::forward(shape, &factors(x, arithmetic, x_len)?, &factors(w, arithmetic, w_len)?, &mut out);
                store(y, storage, &out)
            }
            Pass::InputGradient => {
                let mut out = vec![0.0; x_len];
                products::input_gradient(shape, &mut out, &factors(w, arithmetic, w_len)?, &factors(y, arithmetic, y_len)?);
                store(x, storage, &out)
            }
            Pass::WeightGradient => {
                let mut out = vec![0.0; w_len];
                products::weight_gradient(shape, &factors(x, arithmetic, x_len)?, &mut out, &factors(y, arithmetic, y_len)?);
                store(w, storage, &out)
            }
        }
    }

    fn multiply(&self, product: Product, arithmetic: Arithmetic, a: View, b: View, c: View) -> Result<(), AcceleratorError> {
        self.count()?;
        let a = factors(a, arithmetic, product.rows * product.inner)?;
        let b = factors(b, arithmetic, product.inner * product.columns)?;
        let mut out = vec![0.0; product.rows * product.columns];
        products::product(product, &a, &b, &mut out);
        let storage = if product.wide { Storage::F32 } else { arithmetic.storage() };
        if product.accumulate {
            for (sum, before) in out.iter_mut().zip(read(c, storage, product.rows * product.columns)?) {
                *sum += before;
            }
        }
        store(c, storage, &out)
    }

    fn synchronise(&self) -> Result<(), AcceleratorError> {
        self.alive()
    }
}

// SAFETY: the cells are reached through views of the one `Memory` that owns them, by the thread that has the accelerator
unsafe impl Send for Cells {}
