//! Whole optimiser steps against `train::Optimizer`, which PyTorch checks; what happens to numbers that are not finite.

use candle_core::{Device as Cpu, Tensor, Var};
use tuning_fork::nn::ops::accelerator::kernels::layout::{self, CONTROL_BYTES, Control, Failure, TALLY_BYTES, TILE, Tally};
use tuning_fork::nn::ops::accelerator::kernels::{Launch, Storage, each};
use tuning_fork::train::{Config, Optimizer, OptimizerKind, Update, clip_scale};

use super::device::{Arg, Device, F64, Memory, Null, Of, U32, U64, close, devices};

/// Lengths around those of a tile, and the shortest.
const LENGTHS: [usize; 5] = [1, 17, TILE as usize, TILE as usize + 1, 20_000];
const RATES: [[f64; 2]; 12] = {
    let mut rates = [[0.0; 2]; 12];
    let mut i = 0;
    while i < rates.len() {
        rates[i] = [1e-3 * (1.0 + i as f64), 0.95 - 0.01 * i as f64];
        i += 1;
    }
    rates
};

/// One parameter's memory on the device.
struct Slot {
    weight: Memory,
    copy: Memory,
    gradient: Memory,
    first: Memory,
    second: Memory,
}

/// All parameters on the device, and where the run stands.
struct Run {
    slots: Vec<Slot>,
    table: Memory,
    tiles: Memory,
    count: u32,
    partial: Memory,
    rates: Memory,
    control: Memory,
    tally: Memory,
    kind: u32,
    clip: f64,
    weight_decay: f64,
}

impl Run {
    fn new(device: &Device, weights: &[Vec<f32>], kind: u32, clip: f64, weight_decay: f64, control: Control) -> Self {
        let lengths: Vec<u64> = weights.iter().map(|w| w.len() as u64).collect();
        let slot = |w: &Vec<f32>| Slot {
            weight: Memory::of_f32(w),
            copy: device.room(w.len()),
            gradient: Memory::empty(4 * w.len()),
            first: Memory::of_f32(&vec![0.0; w.len()]),
            second: Memory::of_f32(&vec![0.0; w.len()]),
        };
        let slots: Vec<Slot> = weights.iter().map(slot).collect();
        let record = |(number, slot): (usize, &Slot)| {
            let address = |memory: &Memory| memory.address() as u64;
            layout::Parameter {
                weight: address(&slot.weight),
                copy: address(&slot.copy),
                gradient: address(&slot.gradient),
                first: address(&slot.first),
                second: if kind == 2 { 0 } else { address(&slot.second) },
                length: lengths[number],
                decayed: number != 1,
            }
            .to_bytes()
        };
        let table: Vec<u8> = slots.iter().enumerate().flat_map(record).collect();
        let tiles = layout::tiles(&lengths);
        let count = (tiles.len() / layout::TILE_BYTES) as u32;
        let (partial, rates) = (Memory::empty(8 * count as usize), Memory::of_f64(RATES.as_flattened()));
        let (control, tally) = (Memory::new(&control.to_bytes()), Memory::new(&[0; TALLY_BYTES]));
        Self {
            slots,
            table: Memory::new(&table),
            tiles: Memory::new(&tiles),
            count,
            partial,
            rates,
            control,
            tally,
            kind,
            clip,
            weight_decay,
        }
    }

    /// A step with these gradients, whose images had this sum of losses.
    fn step(&self, device: &Device, gradients: &[Vec<f32>], loss: f64) {
        for (slot, gradient) in self.slots.iter().zip(gradients) {
            let from = Memory::of_f32(gradient);
            device.launch("accumulate", each(9), &[Null, Of(&from), U64(gradient.len() as u64), U32(1), Of(&slot.gradient)]);
        }
        // what focal_loss leaves: the sum of losses, correct answers and images
        let mut control = self.control.bytes();
        control[32..40].copy_from_slice(&loss.to_ne_bytes());
        control[40..48].copy_from_slice(&3u64.to_ne_bytes());
        control[48..56].copy_from_slice(&4u64.to_ne_bytes());
        self.control.write(&control);
        let tiles = Launch::blocks([self.count, 1, 1]);
        let count = U32(self.count);
        device.launch("gradient_squares", tiles, &[Of(&self.table), Of(&self.tiles), count, Of(&self.partial)]);
        let scaling = U32(u32::from(device.storage == Storage::F16));
        let (clip, decay) = (F64(self.clip), F64(self.weight_decay));
        let arguments =
            [Of(&self.partial), count, Of(&self.rates), clip, decay, U32(self.kind), scaling, Of(&self.control), Of(&self.tally)];
        device.launch("step_finish", Launch::blocks([1; 3]), &arguments);
        device.launch("optimizer_step", tiles, &[Of(&self.table), Of(&self.tiles), count, Of(&self.control)]);
    }

    fn control(&self) -> Control {
        let bytes: [u8; CONTROL_BYTES] = self.control.bytes().try_into().expect("its length");
        Control::from_bytes(&bytes)
    }

    fn tally(&self) -> Tally {
        let bytes: [u8; TALLY_BYTES] = self.tally.bytes().try_into().expect("its length");
        Tally::from_bytes(&bytes)
    }

    fn weights(&self) -> Vec<Vec<f32>> {
        self.slots.iter().map(|slot| slot.weight.f32s()).collect()
    }
}

fn vectors(device: &Device, seed: u64) -> Vec<Vec<f32>> {
    LENGTHS.iter().enumerate().map(|(i, length)| device.numbers(seed + 10 * i as u64, *length)).collect()
}

fn scaled(vectors: &[Vec<f32>], factor: f32) -> Vec<Vec<f32>> {
    vectors.iter().map(|v| v.iter().map(|x| x * factor).collect()).collect()
}

#[test]
fn twelve_steps_follow_the_optimizer() {
    for device in devices() {
        for (kind, number, clip) in
            [(OptimizerKind::Radam, 0, 1.0), (OptimizerKind::Adamw, 1, 0.0), (OptimizerKind::Sgd, 2, 0.5), (OptimizerKind::Radam, 0, 0.0)]
        {
            let config = Config { optimizer: kind, weight_decay: 0.02, ..Config::default() };
            let start = vectors(&device, 1);
            let parameter = |(i, values): (usize, &Vec<f32>)| {
                let var = Var::from_slice(values, values.len(), &Cpu::Cpu).expect("values");
                tuning_fork::nn::Parameter { name: format!("{i}"), var, decay: i != 1 }
            };
            let parameters: Vec<_> = start.iter().enumerate().map(parameter).collect();
            let mut optimizer = Optimizer::new(&config, &parameters);
            // a scale that is a power of two changes no digit
            let loss_scale = if device.storage == Storage::F16 { 0.5 } else { 1.0 };
            let run = Run::new(&device, &start, number, clip, config.weight_decay, Control { loss_scale, ..Control::START });
            let (mut norms, mut losses) = (0.0, 0.0);
            for (step, [learning_rate, momentum]) in RATES.into_iter().enumerate() {
                let gradients = vectors(&device, 1000 + step as u64);
                let norm = gradients.iter().flatten().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
                let update = Update { learning_rate, momentum, gradient_scale: clip_scale(norm, clip) };
                optimizer.step(&parameters, &store(&parameters, &gradients), update).expect("a step");
                run.step(&device, &scaled(&gradients, loss_scale), 4.0 * step as f64);
                (norms, losses) = (norms + norm, losses + 4.0 * step as f64);
            }
            for ((slot, parameter), got) in run.slots.iter().zip(&parameters).zip(run.weights()) {
                let want = parameter.var.to_vec1::<f32>().expect("values");
                close(&got, &want, 1e-6, &format!("{kind:?}, {} numbers", got.len()));
                let copy: Vec<f32> = got.iter().map(|w| device.rounded(*w)).collect();
                assert_eq!(device.read(&slot.copy), copy);
            }
            let (control, tally) = (run.control(), run.tally());
            assert_eq!((control.step, control.updates, control.position, control.skipped, control.failed), (12, 12, 12, 0, None));
            assert_eq!((tally.steps, tally.images, tally.correct), (12, 48, 36));
            assert!((tally.gradient_norm - norms).abs() < 1e-9 * norms && (tally.loss - losses).abs() < 1e-9);
            assert!((tally.last_loss - 11.0).abs() < 1e-12);
        }
    }
}

/// Candle's gradients, as if a backward pass had found them.
fn store(parameters: &[tuning_fork::nn::Parameter], gradients: &[Vec<f32>]) -> candle_core::backprop::GradStore {
    let mut sum = Tensor::new(0f32, &Cpu::Cpu).expect("zero");
    for (parameter, gradient) in parameters.iter().zip(gradients) {
        let gradient = Tensor::from_slice(gradient, gradient.len(), &Cpu::Cpu).expect("values");
        sum = (sum + (parameter.var.as_tensor() * gradient).and_then(|t| t.sum_all()).expect("a sum")).expect("a sum");
    }
    sum.backward().expect("gradients")
}

#[test]
fn a_number_that_is_not_finite_changes_nothing() {
    for device in devices() {
        let start = vectors(&device, 1);
        let good = vectors(&device, 2);
        let mut bad = good.clone();
        bad[4][777] = f32::INFINITY;
        let control = Control { loss_scale: 1024.0, ..Control::START };
        let run = Run::new(&device, &start, 0, 1.0, 0.0, control);
        run.step(&device, &good, 1.0);
        let after_one = run.weights();
        run.step(&device, &bad, 1.0);
        assert_eq!(run.weights(), after_one);
        let state = run.control();
        if device.storage == Storage::F16 {
            // skipped, with half the scale from now on
            assert_eq!((state.step, state.updates, state.skipped, state.failed), (2, 1, 1, None));
            assert!((state.loss_scale - 512.0).abs() < f32::EPSILON);
            run.step(&device, &good, 1.0);
            assert_ne!(run.weights(), after_one);
            assert_eq!((run.control().updates, run.tally().steps, run.tally().images), (2, 2, 8));
        } else {
            // the run has failed; nothing changes any more
            assert_eq!((state.step, state.updates, state.failed), (1, 1, Some(Failure::Gradient)));
            run.step(&device, &good, 1.0);
            assert_eq!(run.weights(), after_one);
            assert_eq!((run.control(), run.tally().steps), (state, 1));
            let run = Run::new(&device, &start, 0, 1.0, 0.0, control);
            run.step(&device, &good, f64::NAN);
            assert_eq!(run.control().failed, Some(Failure::Loss));
            assert_eq!(run.weights(), start);
        }
    }
}

#[test]
fn the_loss_scale_rises_after_calm_steps_and_gives_up_where_none_helps() {
    for device in devices().into_iter().filter(|device| device.storage == Storage::F16) {
        let start = vectors(&device, 1);
        let good = vectors(&device, 2);
        let run = Run::new(&device, &start, 2, 0.0, 0.0, Control { loss_scale: 4.0, calm: 1999, ..Control::START });
        run.step(&device, &good, 1.0);
        assert_eq!((run.control().loss_scale.to_bits(), run.control().calm), (8f32.to_bits(), 0));
        let run = Run::new(&device, &start, 2, 0.0, 0.0, Control { loss_scale: 1.0 / 65536.0, ..Control::START });
        run.step(&device, &good, f64::NAN);
        assert_eq!(run.control().failed, Some(Failure::Loss));
    }
}

#[test]
fn gradients_of_parts_add_up() {
    for device in devices() {
        let (a, b) = (device.numbers(1, 1003), device.numbers(2, 1003));
        let to = Memory::empty(4 * a.len());
        let add = |from: [Arg; 2], first| device.launch("accumulate", each(1003), &[from[0], from[1], U64(1003), U32(first), Of(&to)]);
        add([Of(&device.stored(&a)), Null], 1);
        add([Null, Of(&Memory::of_f32(&b))], 0);
        let want: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
        assert_eq!(to.f32s(), want);
    }
}

#[test]
fn records_survive_the_way_to_the_device_and_back() {
    let control =
        Control { step: 1 << 40, updates: 7, position: 3, skipped: 2, loss_scale: 0.125, calm: 9, failed: Some(Failure::Gradient) };
    assert_eq!(Control::from_bytes(&control.to_bytes()), control);
    assert_eq!(layout::tiles(&[1, TILE, TILE + 1]).len(), 4 * layout::TILE_BYTES);
}
