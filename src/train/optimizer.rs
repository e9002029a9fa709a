//! The optimisers: `RAdam`, `AdamW` and SGD with momentum, in place, one parallel pass over each parameter.
//!
//! They follow `torch.optim` in 32-bit floating point. Weight decay is decoupled for `RAdam` and `AdamW` (torch's `AdamW`, and
//! `RAdam` with `decoupled_weight_decay=True`) and added to the gradient for SGD, as there. Parameters that say so (biases,
//! normalisation) are never decayed.

#![allow(clippy::inline_always, reason = "what is dispatched to an instruction set must be compiled for it")]

use std::cell::RefCell;
use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, InplaceOp2, Layout, Result, Tensor, bail};
use rayon::prelude::*;

use super::{Config, OptimizerKind};
use crate::nn::Parameter;
use crate::nn::ops::accelerator::calls::UpdateRule;

/// Decay of the mean gradient (PyTorch's default).
const BETA1: f64 = 0.9;
/// Decay of the mean squared gradient (PyTorch's default).
const BETA2: f64 = 0.999;
/// Keeps the division by the root of the mean squared gradient finite (PyTorch's default).
const EPSILON: f64 = 1e-8;
/// Numbers that one task works on; a sum is taken task by task in order, so it does not depend on the number of threads.
const CHUNK: usize = 1 << 14;

/// What an optimiser remembers of one parameter.
#[derive(Clone, Debug)]
struct Slot {
    name: String,
    decay: bool,
    /// Mean gradient, or momentum buffer of SGD.
    first: Vec<f32>,
    /// Mean squared gradient; empty for SGD.
    second: Vec<f32>,
}

/// An optimiser with its state for one network.
#[derive(Clone, Debug)]
pub struct Optimizer {
    kind: OptimizerKind,
    weight_decay: f64,
    momentum: f64,
    slots: Vec<Slot>,
    steps: u64,
}

/// What one step does to all parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// The learning rate.
    pub learning_rate: f64,
    /// Momentum of SGD, beta1 of Adam and its kin; in [0, 1).
    pub momentum: f64,
    /// The gradient is multiplied by this first (clipping).
    pub gradient_scale: f64,
}

/// Global norm of the gradient of all parameters that have one, in 64-bit floating point.
///
/// # Errors
/// If a gradient is not f32.
pub fn gradient_norm(gradients: &GradStore, parameters: &[Parameter]) -> Result<f64> {
    let mut squares = 0.0;
    for parameter in parameters {
        if let Some(gradient) = gradients.get(parameter.var.as_tensor()) {
            squares += sum_of_squares(gradient)?;
        }
    }
    Ok(squares.sqrt())
}

/// What `torch.nn.utils.clip_grad_norm_` multiplies the gradient with; 1 if `clip` is 0.
#[must_use]
pub fn clip_scale(norm: f64, clip: f64) -> f64 {
    if clip > 0.0 { (clip / (norm + 1e-6)).min(1.0) } else { 1.0 }
}

fn sum_of_squares(tensor: &Tensor) -> Result<f64> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    let candle_core::Storage::Cpu(storage) = &*storage else {
        return tensor.sqr()?.sum_all()?.to_scalar::<f32>().map(f64::from);
    };
    let values = contiguous(storage, layout)?;
    let parts: Vec<f64> = values.par_chunks(CHUNK).map(|chunk| pulp::Arch::new().dispatch(|| squares(chunk))).collect();
    Ok(parts.iter().sum())
}

/// Sums squares in sixteen lanes, which become vector instructions, in the same order on every machine.
#[inline(always)]
fn squares(values: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 16];
    let (blocks, rest) = values.as_chunks::<16>();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane += f64::from(*value) * f64::from(*value);
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>()
}

fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("the optimiser needs contiguous tensors"),
    }
}

impl Optimizer {
    /// The optimiser that `config` asks for, at rest.
    #[must_use]
    pub fn new(config: &Config, parameters: &[Parameter]) -> Self {
        let kind = config.optimizer;
        let slot = |p: &Parameter| {
            let len = p.var.elem_count();
            let second = if kind == OptimizerKind::Sgd { Vec::new() } else { vec![0.0; len] };
            Slot { name: p.name.clone(), decay: p.decay, first: vec![0.0; len], second }
        };
        let momentum = if kind == OptimizerKind::Sgd { config.momentum } else { BETA1 };
        Self { kind, weight_decay: config.weight_decay, momentum, slots: parameters.iter().map(slot).collect(), steps: 0 }
    }

    /// The momentum (beta1 of Adam and its kin) that it uses unless the schedule says otherwise.
    #[must_use]
    pub fn momentum(&self) -> f64 {
        self.momentum
    }

    /// Changes `parameters` (those it was made for) by one step. A parameter without a gradient stays as it is.
    ///
    /// # Errors
    /// If a gradient's shape is not its parameter's, or a tensor is not f32 on the processor.
    pub fn step(&mut self, parameters: &[Parameter], gradients: &GradStore, update: Update) -> Result<()> {
        if parameters.len() != self.slots.len() {
            bail!("the optimiser was made for {} parameters, not {}", self.slots.len(), parameters.len());
        }
        self.steps += 1;
        let (decayed, plain) = (self.rule(update, self.weight_decay), self.rule(update, 0.0));
        for (parameter, slot) in parameters.iter().zip(&mut self.slots) {
            let Some(gradient) = gradients.get(parameter.var.as_tensor()) else { continue };
            let rule = if slot.decay { decayed } else { plain };
            let gradient = gradient.contiguous()?;
            parameter.var.inplace_op2(&gradient, &Step { rule, slot: RefCell::new(slot) })?;
        }
        Ok(())
    }

    /// The arithmetic of the current step, with everything that is the same for all numbers worked out.
    fn rule(&self, update: Update, weight_decay: f64) -> Rule {
        let Update { learning_rate: lr, momentum, gradient_scale } = update;
        let t = self.steps as f64;
        let scale = gradient_scale as f32;
        if self.kind == OptimizerKind::Sgd {
            // torch starts the buffer with the first gradient; from zeros it is the same
            return Rule::Sgd { scale, decay: weight_decay as f32, momentum: momentum as f32, lr: lr as f32 };
        }
        let (bias1, bias2) = (1.0 - momentum.powf(t), 1.0 - BETA2.powf(t));
        let adam = Adam {
            scale,
            decay: (lr * weight_decay) as f32,
            beta1: (1.0 - momentum) as f32,
            step: 0.0,
            root_scale: (1.0 / bias2.sqrt()) as f32,
        };
        if self.kind == OptimizerKind::Adamw {
            return Rule::Adam(Adam { step: (lr / bias1) as f32, ..adam });
        }
        match rectification(t) {
            // (m / bias1) sqrt(bias2) / (sqrt(v) + eps): torch adds eps before the bias correction here
            Some(r) => Rule::Adam(Adam { step: (lr / bias1 * r * bias2.sqrt()) as f32, root_scale: 1.0, ..adam }),
            None => Rule::Momentum(Adam { step: (lr / bias1) as f32, ..adam }),
        }
    }

    /// The steps taken so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Its constants, as a device wants them; `clip` is the largest norm of the gradient.
    #[must_use]
    pub fn update_rule(&self, clip: f64) -> UpdateRule {
        let kind = match self.kind {
            OptimizerKind::Radam => UpdateRule::RADAM,
            OptimizerKind::Adamw => UpdateRule::ADAMW,
            OptimizerKind::Sgd => UpdateRule::SGD,
        };
        UpdateRule { kind, weight_decay: self.weight_decay, clip }
    }

    /// First and second moments (the second are empty for SGD), one of each a parameter.
    #[must_use]
    pub fn moments(&self) -> [Vec<Vec<f32>>; 2] {
        let second: Vec<_> = self.slots.iter().map(|slot| slot.second.clone()).collect();
        let second = if self.kind == OptimizerKind::Sgd { Vec::new() } else { second };
        [self.slots.iter().map(|slot| slot.first.clone()).collect(), second]
    }

    /// Takes back what [`moments`](Self::moments) gave, after `steps` steps.
    ///
    /// # Errors
    /// If they are another network's.
    pub fn set_moments(&mut self, [first, second]: [Vec<Vec<f32>>; 2], steps: u64) -> Result<()> {
        let fits = |moments: &[Vec<f32>]| self.slots.iter().map(|slot| slot.first.len()).eq(moments.iter().map(Vec::len));
        if !fits(&first) || (self.kind != OptimizerKind::Sgd && !fits(&second)) {
            bail!("these are the moments of another network");
        }
        let mut second = second.into_iter();
        for (slot, first) in self.slots.iter_mut().zip(first) {
            slot.first = first;
            slot.second = second.next().unwrap_or_default();
        }
        self.steps = steps;
        Ok(())
    }

    /// The state as named tensors: `<parameter>.first` and, for Adam and its kin, `<parameter>.second`.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub fn state(&self) -> Result<Vec<(String, Tensor)>> {
        let mut tensors = Vec::new();
        for slot in &self.slots {
            for (what, values) in [("first", &slot.first), ("second", &slot.second)] {
                if !values.is_empty() {
                    tensors.push((format!("{}.{what}", slot.name), Tensor::from_slice(values, values.len(), &Device::Cpu)?));
                }
            }
        }
        Ok(tensors)
    }

    /// Takes back what [`state`](Self::state) gave, after `steps` steps.
    ///
    /// # Errors
    /// If a tensor is missing or of another size.
    pub fn restore(&mut self, tensors: &HashMap<String, Tensor>, steps: u64) -> Result<()> {
        for slot in &mut self.slots {
            for (what, values) in [("first", &mut slot.first), ("second", &mut slot.second)] {
                if values.is_empty() {
                    continue;
                }
                let name = format!("{}.{what}", slot.name);
                let Some(tensor) = tensors.get(&name) else { bail!("the optimiser's {name} is missing") };
                if tensor.elem_count() != values.len() {
                    bail!("the optimiser's {name} has {} numbers instead of {}", tensor.elem_count(), values.len());
                }
                *values = tensor.flatten_all()?.to_vec1()?;
            }
        }
        self.steps = steps;
        Ok(())
    }
}

/// The variance rectification r of `RAdam` (Liu et al. 2020, arXiv 1908.03265) at step `t`, or `None` while the variance is unknown.
fn rectification(t: f64) -> Option<f64> {
    let rho_inf = 2.0 / (1.0 - BETA2) - 1.0;
    let power = BETA2.powf(t);
    let rho = rho_inf - 2.0 * t * power / (1.0 - power);
    (rho > 5.0).then(|| ((rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho)).sqrt())
}

/// The constants of one step of Adam and its kin.
#[derive(Clone, Copy)]
struct Adam {
    scale: f32,
    /// The share of a weight that decays.
    decay: f32,
    /// 1 - beta1.
    beta1: f32,
    step: f32,
    /// Multiplies the root of the mean squared gradient.
    root_scale: f32,
}

/// How a number changes.
#[derive(Clone, Copy)]
enum Rule {
    /// By the mean gradient over the root of the mean squared one.
    Adam(Adam),
    /// By the mean gradient alone (`RAdam`'s first steps); the mean squared one is gathered.
    Momentum(Adam),
    /// By the momentum buffer.
    Sgd { scale: f32, decay: f32, momentum: f32, lr: f32 },
}

impl Adam {
    /// Takes a gradient into both means; returns the mean gradient.
    #[inline(always)]
    fn gather(&self, g: f32, m: &mut f32, v: &mut f32) -> f32 {
        let g = g * self.scale;
        // as small changes: 0.999 in 32 bits is off by 1e-8, which would add up over the steps
        *m += (g - *m) * self.beta1;
        *v += (g * g - *v) * (1.0 - BETA2) as f32;
        *m
    }
}

/// One step on one parameter; Candle hands out its storage.
struct Step<'a> {
    rule: Rule,
    slot: RefCell<&'a mut Slot>,
}

impl InplaceOp2 for Step<'_> {
    fn name(&self) -> &'static str {
        "optimizer-step"
    }

    fn cpu_fwd(&self, dst: &mut CpuStorage, dst_l: &Layout, gradient: &CpuStorage, gradient_l: &Layout) -> Result<()> {
        if dst_l.shape() != gradient_l.shape() {
            bail!("the gradient is {:?}, its parameter {:?}", gradient_l.shape(), dst_l.shape());
        }
        let g = contiguous(gradient, gradient_l)?;
        let CpuStorage::F32(values) = dst else { bail!("the optimiser changes f32 parameters only") };
        let Some((start, end)) = dst_l.contiguous_offsets() else { bail!("the optimiser needs contiguous parameters") };
        let slot = &mut **self.slot.borrow_mut();
        apply(self.rule, &mut values[start..end], g, &mut slot.first, &mut slot.second);
        Ok(())
    }
}

/// Runs a rule over all numbers of a parameter, chunk by chunk in parallel.
fn apply(rule: Rule, p: &mut [f32], g: &[f32], first: &mut [f32], second: &mut [f32]) {
    let both = p.par_chunks_mut(CHUNK).zip(g.par_chunks(CHUNK)).zip(first.par_chunks_mut(CHUNK));
    if let Rule::Sgd { .. } = rule {
        both.for_each(|((p, g), first)| pulp::Arch::new().dispatch(|| apply_chunk(rule, p, g, first, &mut [])));
    } else {
        let all = both.zip(second.par_chunks_mut(CHUNK));
        all.for_each(|(((p, g), first), second)| pulp::Arch::new().dispatch(|| apply_chunk(rule, p, g, first, second)));
    }
}

#[inline(always)]
fn apply_chunk(rule: Rule, p: &mut [f32], g: &[f32], first: &mut [f32], second: &mut [f32]) {
    let both = p.iter_mut().zip(g).zip(first);
    match rule {
        Rule::Sgd { scale, decay, momentum, lr } => {
            for ((p, &g), b) in both {
                *b = *b * momentum + (g * scale + *p * decay);
                *p -= lr * *b;
            }
        }
        Rule::Adam(a) => {
            for (((p, &g), m), v) in both.zip(second) {
                let mean = a.gather(g, m, v);
                // decay and step in one subtraction: the weight is rounded once
                *p -= *p * a.decay + a.step * mean / (v.sqrt() * a.root_scale + EPSILON as f32);
            }
        }
        Rule::Momentum(a) => {
            for (((p, &g), m), v) in both.zip(second) {
                *p -= *p * a.decay + a.step * a.gather(g, m, v);
            }
        }
    }
}
