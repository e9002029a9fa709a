//! From Candle's storages to f32 slices and back; and the one summation order all operators share.

use std::cell::RefCell;

use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Result, Shape, Storage, Tensor, bail};

/// Elements a parallel task should have at least, so that starting it does not cost more than running it.
pub const TASK_ELEMENTS: usize = 16 * 1024;

/// The elements of an operator's argument, which [`operand`] made contiguous f32.
pub fn argument<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("an operator was given a tensor that is not contiguous"),
    }
}

/// `tensor` as the operators want it: contiguous f32.
pub fn operand(tensor: &Tensor, operator: &str) -> Result<Tensor> {
    if tensor.dtype() != DType::F32 {
        bail!("{operator} computes in f32 but was given {:?}: convert the tensor first", tensor.dtype());
    }
    tensor.contiguous()
}

/// Calls `f` with the elements of a tensor on the processor (copied first if it is not contiguous).
pub fn with_slice<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(argument(storage, layout)?),
        _ => bail!("this operator runs on the processor only: choose the CPU as device"),
    }
}

/// Lets `write` fill a contiguous tensor on the processor where it lies. All that share its memory see it.
///
/// # Errors
/// If `write` fails, or the tensor is another kind.
pub fn with_slice_mut(tensor: &Tensor, write: impl FnOnce(&mut [f32]) -> Result<()>) -> Result<()> {
    tensor.inplace_op1(&Write(RefCell::new(Some(write))))
}

/// Candle lends the memory of a tensor to this.
struct Write<F>(RefCell<Option<F>>);

impl<F: FnOnce(&mut [f32]) -> Result<()>> InplaceOp1 for Write<F> {
    fn name(&self) -> &'static str {
        "write"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            bail!("only a contiguous f32 tensor is written where it lies");
        };
        match self.0.take() {
            Some(write) => write(&mut values[start..end]),
            None => bail!("a tensor is written once"),
        }
    }
}

/// What `cpu_fwd` returns.
pub fn output(values: Vec<f32>, shape: impl Into<Shape>) -> (CpuStorage, Shape) {
    (CpuStorage::F32(values), shape.into())
}

/// The sum of `term(i)` for `i` in `0..n`, accumulated in f64 in eight interleaved lanes.
pub fn sum(n: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0.0f64; 8];
    let whole = n - n % lanes.len();
    for start in (0..whole).step_by(lanes.len()) {
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane += term(start + i);
        }
    }
    for i in whole..n {
        lanes[i - whole] += term(i);
    }
    lanes.iter().sum()
}
