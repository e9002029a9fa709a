//! The kernels of the CUDA device, compiled for the processor, against our operators: every kernel, every storage type, sizes that fill
//! no block, one image, one channel.

#[cfg(unix)]
mod augment;
#[cfg(unix)]
mod blocks;
#[cfg(unix)]
mod device;
#[cfg(unix)]
mod head;
#[cfg(unix)]
mod loss;
#[cfg(unix)]
mod memory;
#[cfg(unix)]
mod norm;
#[cfg(unix)]
mod optimizer;
