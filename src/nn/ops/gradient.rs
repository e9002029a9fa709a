//! Gradients of parameters that keep their memory from step to step.
//!
//! Candle would add each to zeros first and free it after the step: three passes over all weights and a system call or a memset
//! for each. So operators that know their parameters write the gradient here, and [`Network::backward`](crate::nn::Network::backward)
//! hands it out.

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};

use super::slices::with_slice_mut;

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
        with_slice_mut(&slot.gradient, write)?;
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
