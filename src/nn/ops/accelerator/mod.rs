//! What a training step needs of a device: memory, our kernels, convolutions 3 x 3 and matrix products, all in one order.
//!
//! There are two: `cuda` (feature `cuda`), and [`host`], which runs the very same kernels, compiled by the system's C++
//! compiler, on the processor. So everything but the calls of CUDA itself is tested on machines without a GPU; **nothing here
//! was ever run on a CUDA device.** What is computed is in [`accelerated`](crate::nn::accelerated).
//!
//! Numbers lie channels-last (N x H x W x C), convolution weights as outputs x 3 x 3 x inputs. What an operation writes is
//! there for the operations after it; the host sees it after [`Accelerator::download`] or [`Accelerator::synchronise`].

#![allow(unsafe_code, reason = "memory of a device and its kernels; each block states its proof")]

pub mod calls;
#[cfg(feature = "cuda")]
pub mod cuda;
mod error;
#[cfg(unix)]
pub mod host;
pub mod kernels;
mod ledger;
mod memory;

pub use error::AcceleratorError;
pub use ledger::Ledger;
pub use memory::{Argument, Memory, View, as_bytes};

use std::any::Any;

use serde::{Deserialize, Serialize};

use kernels::{Launch, Storage};

/// What a step computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// 32-bit floating point throughout.
    F32,
    /// Activations are f32, products are rounded to 11 bits of mantissa on tensor cores.
    Tf32,
    /// Activations are bfloat16, sums and weights f32.
    Bf16,
    /// Activations are f16 and the loss is scaled, sums and weights f32.
    F16,
}

impl Arithmetic {
    /// All of them, the most exact first.
    pub const ALL: [Self; 4] = [Self::F32, Self::Tf32, Self::Bf16, Self::F16];

    /// How activations are kept.
    #[must_use]
    pub fn storage(self) -> Storage {
        match self {
            Self::F32 | Self::Tf32 => Storage::F32,
            Self::Bf16 => Storage::Bf16,
            Self::F16 => Storage::F16,
        }
    }

    /// The name in front of a user.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "TF32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }

    /// The largest relative error that is taken for right.
    #[must_use]
    pub fn bound(self) -> f64 {
        match self {
            Self::F32 => 1e-4,
            Self::Tf32 => 2e-3,
            Self::Bf16 | Self::F16 => 2e-2,
        }
    }
}

/// The shape of a 3 x 3 convolution with padding 1 and stride 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Images.
    pub images: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
}

impl Convolution {
    /// Pixels of all images.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.images * self.height * self.width
    }

    /// Numbers of its input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.pixels() * self.inputs
    }

    /// Numbers of its output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.pixels() * self.outputs
    }

    /// Numbers of its weights.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        9 * self.inputs * self.outputs
    }
}

/// Which of the three products of a convolution. Input, weights and output are x, w and y, or their gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pass {
    /// y from x and w.
    Forward,
    /// dx from dy and w.
    InputGradient,
    /// dw from x and dy.
    WeightGradient,
}

/// A product of matrices that lie row by row: `c` (rows x columns) = `a` (rows x inner) times `b` (inner x columns).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Product {
    /// Rows of the result.
    pub rows: usize,
    /// Columns of the result.
    pub columns: usize,
    /// What is summed over.
    pub inner: usize,
    /// `a` lies as inner x rows.
    pub a_transposed: bool,
    /// `b` lies as columns x inner.
    pub b_transposed: bool,
    /// The result is f32 whatever the factors are.
    pub wide: bool,
    /// The result is added to what is there.
    pub accumulate: bool,
}

/// Bytes that come back later, so that the device need not wait for the host.
pub type Fetched<'a> = Box<dyn FnOnce() -> Result<Vec<u8>, AcceleratorError> + 'a>;

/// A point in the order of a device's work.
pub struct Mark(#[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "only a device with several queues reads it"))] Box<dyn Any>);

/// Keeps a device from beginning anything as long as it is there.
pub struct Hold(#[expect(dead_code, reason = "what it does, it does when it goes")] Box<dyn Any>);

/// A device that computes in order.
pub trait Accelerator: Send {
    /// Its name in front of a user.
    fn name(&self) -> String;

    /// What it can compute with.
    fn supports(&self, arithmetic: Arithmetic) -> bool;

    /// Whether it is the processor that plays a device.
    fn is_twin(&self) -> bool {
        false
    }

    /// Joules that it has taken since some moment, the work of other programs included; `None` if it does not tell.
    fn energy(&self) -> Option<f64> {
        None
    }

    /// Free and all memory, bytes.
    ///
    /// # Errors
    /// If the device is lost.
    fn memory(&self) -> Result<(usize, usize), AcceleratorError>;

    /// Memory of so many bytes, all zero.
    ///
    /// # Errors
    /// [`AcceleratorError::OutOfMemory`], or if the device is lost.
    fn allocate(&self, bytes: usize) -> Result<Memory, AcceleratorError>;

    /// Copies from the host; `bytes` may be changed as soon as this returns.
    ///
    /// # Errors
    /// If the device is lost, or the lengths differ.
    fn upload(&self, to: View, bytes: &[u8]) -> Result<(), AcceleratorError>;

    /// The point after everything that was asked for so far.
    ///
    /// # Errors
    /// If the device is lost.
    fn mark(&self) -> Result<Mark, AcceleratorError>;

    /// As [`upload`](Self::upload), but as early as `after` allows (at once, if there is none), while the device still computes. What is asked for
    /// after it sees the bytes.
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    fn upload_early(&self, to: View, bytes: &[u8], after: Option<&Mark>) -> Result<(), AcceleratorError>;

    /// Copies to the host, after everything before it is done.
    ///
    /// # Errors
    /// If the device is lost, or an operation before it failed.
    fn download(&self, from: View) -> Result<Vec<u8>, AcceleratorError>;

    /// Takes a copy of `from` in its turn; the call that comes back waits for it, and for nothing that was asked for later.
    ///
    /// # Errors
    /// If the device is lost.
    fn fetch<'a>(&'a self, from: View) -> Result<Fetched<'a>, AcceleratorError>;

    /// Fills with zeros.
    ///
    /// # Errors
    /// If the device is lost.
    fn clear(&self, memory: View) -> Result<(), AcceleratorError>;

    /// Copies within the device.
    ///
    /// # Errors
    /// If the device is lost, or the lengths differ.
    fn copy(&self, from: View, to: View) -> Result<(), AcceleratorError>;

    /// Starts one of the [`kernels`] in its variant for `storage`.
    ///
    /// # Safety
    /// The arguments must be those of the kernel, and every view as long as the kernel reads or writes for these sizes.
    ///
    /// # Errors
    /// If there is no such kernel, or the device is lost.
    unsafe fn launch(&self, kernel: &'static str, storage: Storage, launch: Launch, arguments: &[Argument])
    -> Result<(), AcceleratorError>;

    /// One product of a convolution: of x, w and y the pass says which is written. The gradient of the weights is
    /// in the format of the activations, too.
    ///
    /// # Errors
    /// If a view is too short, the device has no way to compute it, or is lost.
    fn convolve(&self, pass: Pass, shape: Convolution, arithmetic: Arithmetic, x: View, w: View, y: View) -> Result<(), AcceleratorError>;

    /// A product of matrices.
    ///
    /// # Errors
    /// If a view is too short, or the device is lost.
    fn multiply(&self, product: Product, arithmetic: Arithmetic, a: View, b: View, c: View) -> Result<(), AcceleratorError>;

    /// Lets what is asked for from now on wait (for ten seconds at most) until the answer is dropped, so that a step or two can be measured
    /// without the host's part. Nothing may be read or waited for meanwhile. A device that computes in the host's own time does not wait.
    ///
    /// # Errors
    /// If the device is lost.
    fn hold(&self) -> Result<Hold, AcceleratorError> {
        Ok(Hold(Box::new(())))
    }

    /// Waits until everything is done.
    ///
    /// # Errors
    /// If an operation failed or the device is lost.
    fn synchronise(&self) -> Result<(), AcceleratorError>;
}
