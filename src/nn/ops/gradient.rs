//! Gradients of parameters that keep their memory from step to step.
//!
//! Candle would add each to zeros first and free it after the step: three passes over all weights and a system call or a memset
//! for each. So operators that know their parameters write the gradient here, and [`Network::backward`](crate::nn::Network::backward)
//! hands it out.

use std::cell::RefCell;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Result, Tensor, Var, bail};

/// The gradients of some parameters.
#[derive(Debug, Default)]
pub struct Gradients {
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    var: Var,
    gradient: Tensor,
    /// Written since the gradients were handed out last.
    fresh: bool,
}

impl Gradients {
    /// Lets `write` fill the gradient of `var`, which is as long as it. What it holds before is left from an earlier step.
    ///
    /// # Errors
    /// If `write` fails, or the memory cannot be made.
    pub fn write(&mut self, var: &Var, write: impl FnOnce(&mut [f32]) -> Result<()>) -> Result<()> {
        let at = if let Some(at) = self.slots.iter().position(|slot| slot.var.id() == var.id()) {
            at
        } else {
            let gradient = Tensor::zeros(var.shape(), candle_core::DType::F32, &Device::Cpu)?;
            self.slots.push(Slot { var: var.clone(), gradient, fresh: false });
            self.slots.len() - 1
        };
        let slot = &mut self.slots[at];
        slot.gradient.inplace_op1(&Write(RefCell::new(Some(write))))?;
        slot.fresh = true;
        Ok(())
    }

    /// Puts the gradients that were written since the last call into `gradients`. They share memory with the next ones.
    pub fn collect(&mut self, gradients: &mut GradStore) {
        for slot in self.slots.iter_mut().filter(|slot| slot.fresh) {
            gradients.insert(slot.var.as_tensor(), slot.gradient.clone());
            slot.fresh = false;
        }
    }

    /// Forgets what was written since the last [`collect`](Self::collect).
    pub fn forget(&mut self) {
        for slot in &mut self.slots {
            slot.fresh = false;
        }
    }
}

/// Candle lends the memory of a tensor to this.
struct Write<F>(RefCell<Option<F>>);

impl<F: FnOnce(&mut [f32]) -> Result<()>> InplaceOp1 for Write<F> {
    fn name(&self) -> &'static str {
        "write-gradient"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            bail!("a gradient is contiguous f32");
        };
        match self.0.take() {
            Some(write) => write(&mut values[start..end]),
            None => bail!("a gradient is written once"),
        }
    }
}
