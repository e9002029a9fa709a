//! Batch norm + ReLU + max-pool against `batch_norm` and `relu_max_pool2d`.

use candle_core::{Tensor, Var};
use tuning_fork::nn::ops::accelerator::kernels::{channels, columns, pieces, rows};
use tuning_fork::nn::ops::{BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM, Running, batch_norm, relu_max_pool2d};

use super::blocks::{SHAPES, gradients, numbers, shape_arguments, tensor};
use super::device::{Device, F32, Memory, Null, Of, U32, U64, close, devices};

const EPSILON: f32 = BATCH_NORM_EPSILON as f32;

/// What a layer keeps on the device.
struct Layer {
    weight: Memory,
    bias: Memory,
    running: [Memory; 2],
    mean: Memory,
    variance: Memory,
    scale: Memory,
    shift: Memory,
}

impl Layer {
    fn new(weight: &[f32], bias: &[f32], running: &[Vec<f32>; 2]) -> Self {
        let [mean, variance, scale, shift] = std::array::from_fn(|_| Memory::empty(4 * weight.len()));
        let [running_mean, running_variance] = running;
        let running = [Memory::of_f32(running_mean), Memory::of_f32(running_variance)];
        Self { weight: Memory::of_f32(weight), bias: Memory::of_f32(bias), running, mean, variance, scale, shift }
    }

    fn statistics(&self, device: &Device, z: &Memory, count: u64, c: usize, follow: bool) {
        let parts = pieces(count);
        let partial = Memory::empty(2 * 8 * parts as usize * c);
        let c32 = c as u32;
        device.launch("norm_statistics_partial", columns(c32, parts), &[Of(z), U64(count), U32(c32), Of(&partial)]);
        let [mean, variance] = [0, 1].map(|i| if follow { Of(&self.running[i]) } else { Null });
        let arguments = [
            Of(z),
            Of(&partial),
            U32(parts),
            U64(count),
            U32(c32),
            Of(&self.weight),
            Of(&self.bias),
            F32(EPSILON),
            F32(BATCH_NORM_MOMENTUM as f32),
            mean,
            variance,
            Of(&self.mean),
            Of(&self.variance),
            Of(&self.scale),
            Of(&self.shift),
        ];
        device.launch("norm_statistics_finish", channels(c32), &arguments);
    }

    fn pool(&self, device: &Device, z: &Memory, shape: [usize; 4]) -> (Memory, Memory) {
        let [n, h, w, c] = shape;
        let pooled = n * (h / 2) * (w / 2) * c;
        let (out, codes) = (device.room(pooled), Memory::empty(pooled));
        let [a, b, d, e] = shape_arguments(shape);
        let arguments = [Of(z), Of(&self.scale), Of(&self.shift), a, b, d, e, Of(&out), Of(&codes)];
        device.launch("norm_relu_pool_forward", rows((n * (h / 2)) as u32), &arguments);
        (out, codes)
    }

    /// The gradients of z (in place of z), weight and bias.
    fn backward(&self, device: &Device, z: &Memory, dout: &Memory, codes: &Memory, shape: [usize; 4]) -> [Vec<f32>; 3] {
        let [n, h, w, c] = shape;
        let parts = pieces((n * (h / 2) * (w / 2)) as u64);
        let partial = Memory::empty(2 * 8 * parts as usize * c);
        let [i, j, k, l] = shape_arguments(shape);
        let arguments = [Of(z), Of(dout), Of(codes), Of(&self.mean), i, j, k, l, Of(&partial)];
        device.launch("norm_gradient_partial", columns(c as u32, parts), &arguments);
        let [dweight, dbias, slope, offset] = std::array::from_fn(|_| Memory::empty(4 * c));
        let arguments = [
            Of(&partial),
            U32(parts),
            U64((n * h * w) as u64),
            l,
            Of(&self.mean),
            Of(&self.variance),
            Of(&self.scale),
            F32(EPSILON),
            U32(0),
            Of(&dweight),
            Of(&dbias),
            Of(&slope),
            Of(&offset),
        ];
        device.launch("norm_gradient_finish", channels(c as u32), &arguments);
        let arguments = [Of(z), Of(dout), Of(codes), Of(&self.scale), Of(&slope), Of(&offset), i, j, k, l, Of(z)];
        device.launch("norm_relu_pool_backward", rows((n * h.div_ceil(2)) as u32), &arguments);
        [device.read(z), dweight.f32s(), dbias.f32s()]
    }
}

fn vector(var: &Var) -> Vec<f32> {
    var.flatten_all().and_then(|v| v.to_vec1()).expect("numbers")
}

#[test]
fn norm_relu_pool_is_the_operator_in_training_and_evaluation() {
    for device in devices() {
        for (seed, shape) in SHAPES.into_iter().enumerate() {
            let ([n, h, w, c], seed) = (shape, seed as u64);
            // far from 0, as activations are that one pass would lose the variance of
            let z: Vec<f32> = device.numbers(seed, n * h * w * c).into_iter().map(|v| device.rounded(2.0 * v + 5.0)).collect();
            let weight: Vec<f32> = device.numbers(seed + 1, c).into_iter().map(|v| v + 0.3).collect();
            let bias = device.numbers(seed + 2, c);
            let running = [device.numbers(seed + 3, c), device.numbers(seed + 4, c).into_iter().map(|v| v * v + 0.5).collect()];
            let dout = device.numbers(seed + 5, n * (h / 2) * (w / 2) * c);
            let layer = Layer::new(&weight, &bias, &running);
            let memory = device.stored(&z);

            let cpu = |values: &[f32]| Var::from_slice(values, values.len(), &candle_core::Device::Cpu).expect("a variable");
            let own = Running { mean: cpu(&running[0]), variance: cpu(&running[1]) };
            let (x, gamma, beta) = (Var::from_tensor(&tensor(&z, shape)).expect("a variable"), cpu(&weight), cpu(&bias));
            let apply = |training| {
                let normed = batch_norm(&x, &gamma, &beta, &own, training).expect("a norm");
                relu_max_pool2d(&normed).expect("pooled")
            };

            let arguments = [Of(&layer.running[0]), Of(&layer.running[1]), Of(&layer.weight), Of(&layer.bias), F32(EPSILON), U32(c as u32)];
            let arguments = [&arguments[..], &[Of(&layer.scale), Of(&layer.shift)]].concat();
            device.launch("norm_affine", channels(c as u32), &arguments);
            let (out, _) = layer.pool(&device, &memory, shape);
            close(&device.read(&out), &numbers(&apply(false)), device.bound(), &format!("evaluation of {shape:?}"));

            layer.statistics(&device, &memory, (n * h * w) as u64, c, true);
            let (out, codes) = layer.pool(&device, &memory, shape);
            let want = apply(true);
            close(&device.read(&out), &numbers(&want), device.bound(), &format!("training of {shape:?}"));
            close(&layer.running[0].f32s(), &vector(&own.mean), 1e-5, &format!("running mean of {shape:?}"));
            close(&layer.running[1].f32s(), &vector(&own.variance), 1e-5, &format!("running variance of {shape:?}"));

            let store = gradients(&want, &tensor(&dout, [n, h / 2, w / 2, c]));
            let wanted = |of: &Tensor| store.get(of).expect("a gradient").clone();
            let [dz, dweight, dbias] = layer.backward(&device, &memory, &device.stored(&dout), &codes, shape);
            let flat = |t: Tensor| t.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("numbers");
            close(&dz, &numbers(&wanted(&x)), 2.0 * device.bound(), &format!("dz of {shape:?}"));
            close(&dweight, &flat(wanted(&gamma)), 2e-5, &format!("dweight of {shape:?}"));
            close(&dbias, &flat(wanted(&beta)), 1e-5, &format!("dbias of {shape:?}"));
        }
    }
}

#[test]
fn the_variance_of_numbers_far_from_zero_is_kept() {
    for device in devices().into_iter().take(1) {
        for count in [2usize, 513, 40_000] {
            let z: Vec<f32> = device.numbers(9, 3 * count).into_iter().map(|v| 1000.0 + 0.1 * v).collect();
            let layer = Layer::new(&[1.0; 3], &[0.0; 3], &[vec![0.0; 3], vec![1.0; 3]]);
            layer.statistics(&device, &device.stored(&z), count as u64, 3, false);
            for c in 0..3 {
                let values: Vec<f64> = z.iter().skip(c).step_by(3).map(|v| f64::from(*v)).collect();
                let mean = values.iter().sum::<f64>() / count as f64;
                let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count as f64;
                let got = (f64::from(layer.mean.f32s()[c]), f64::from(layer.variance.f32s()[c]));
                assert!((got.0 - mean).abs() < 1e-7 * mean, "{count}: {got:?} instead of {mean}");
                assert!((got.1 - variance).abs() < 1e-5 * variance, "{count}: {got:?} instead of {variance}");
            }
            assert_eq!(layer.running[0].f32s(), [0.0; 3]);
        }
    }
}
