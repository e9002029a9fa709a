//! The memory of batches, kept from step to step and from epoch to epoch: pictures are written where the network reads them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{DType, Device, Result, Tensor};

use crate::nn::ops::with_slice_mut;

/// Memory for batches of one size. As many as were in use at once are kept.
pub(super) struct Buffers {
    batch: usize,
    size: usize,
    idle: Mutex<Vec<Tensor>>,
}

impl Buffers {
    /// For batches of up to `batch` pictures of `size` x `size`.
    pub fn new(batch: usize, size: usize) -> Arc<Self> {
        Arc::new(Self { batch, size, idle: Mutex::default() })
    }

    /// Pictures in a whole batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Memory for one batch; what it holds is left from an earlier one.
    ///
    /// # Errors
    /// If there is no more memory.
    pub fn take(self: &Arc<Self>) -> Result<Buffer> {
        let kept = self.idle().pop();
        let tensor = match kept {
            Some(tensor) => tensor,
            None => Tensor::zeros((self.batch, 3, self.size, self.size), DType::F32, &Device::Cpu)?,
        };
        Ok(Buffer { tensor, home: Arc::clone(self) })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Tensor>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory of one batch, N x 3 x size x size. It goes back when this is dropped, and with it whatever shares it.
pub(super) struct Buffer {
    tensor: Tensor,
    home: Arc<Buffers>,
}

impl Buffer {
    /// Lets `write` fill the memory of the first `images` pictures.
    ///
    /// # Errors
    /// If `write` fails.
    pub fn write(&self, images: usize, write: impl FnOnce(&mut [f32]) -> Result<()>) -> Result<()> {
        with_slice_mut(&self.images(images, &Device::Cpu)?, write)
    }

    /// The first `images` pictures on `device`. On the processor they share this memory, so they must not outlive it.
    ///
    /// # Errors
    /// If the device has no room.
    pub fn images(&self, images: usize, device: &Device) -> Result<Tensor> {
        self.tensor.narrow(0, 0, images)?.to_device(device)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.home.idle().push(self.tensor.clone());
    }
}
