//! Bias + ReLU + max-pool against `relu_max_pool2d`.

use candle_core::{Tensor, Var};
use tuning_fork::nn::ops::accelerator::kernels::{channels, columns, pieces, rows};
use tuning_fork::nn::ops::relu_max_pool2d;

use super::device::{Device, Memory, Null, Of, U32, U64, close, devices};

/// N, H, W, C: odd sides, one image, one channel, channels that are and are not moved in packs.
pub const SHAPES: [[usize; 4]; 9] =
    [[1, 2, 2, 1], [1, 3, 5, 1], [2, 5, 4, 3], [3, 7, 9, 4], [2, 4, 4, 8], [1, 9, 6, 20], [2, 6, 7, 40], [5, 2, 3, 33], [2, 33, 31, 16]];

/// Channels-last numbers as a tensor of N x C x H x W.
pub fn tensor(values: &[f32], [n, h, w, c]: [usize; 4]) -> Tensor {
    let tensor = Tensor::from_slice(values, (n, h, w, c), &candle_core::Device::Cpu).expect("as many numbers");
    tensor.permute((0, 3, 1, 2)).and_then(|t| t.contiguous()).expect("four dimensions")
}

/// The numbers of a tensor of N x C x H x W, channels last.
pub fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.permute((0, 2, 3, 1)).and_then(|t| t.flatten_all()).and_then(|t| t.to_vec1()).expect("four dimensions")
}

/// The gradient of `of` in sum(result * gradient).
pub fn gradients(result: &Tensor, gradient: &Tensor) -> candle_core::backprop::GradStore {
    (result * gradient).and_then(|t| t.sum_all()).and_then(|t| t.backward()).expect("a gradient")
}

pub fn shape_arguments([n, h, w, c]: [usize; 4]) -> [super::device::Arg<'static>; 4] {
    [n, h, w, c].map(|side| U32(side as u32))
}

/// The output and the codes.
fn forward(device: &Device, z: &[f32], bias: &[f32], shape: [usize; 4]) -> (Memory, Memory) {
    let [n, h, w, c] = shape;
    let pooled = n * (h / 2) * (w / 2) * c;
    let (z, bias) = (device.stored(z), Memory::of_f32(bias));
    let (out, codes) = (device.room(pooled), Memory::empty(pooled));
    let [a, b, d, e] = shape_arguments(shape);
    device.launch("relu_pool_forward", rows((n * (h / 2)) as u32), &[Of(&z), Of(&bias), a, b, d, e, Of(&out), Of(&codes)]);
    (out, codes)
}

#[test]
fn bias_relu_pool_is_the_operator() {
    for device in devices() {
        for (seed, shape) in SHAPES.into_iter().enumerate() {
            let [n, h, w, c] = shape;
            let z = device.numbers(seed as u64, n * h * w * c);
            let bias = device.numbers(seed as u64 + 100, c);
            let dout = device.numbers(seed as u64 + 200, n * (h / 2) * (w / 2) * c);
            let (out, codes) = forward(&device, &z, &bias, shape);

            let z_tensor = Var::from_tensor(&tensor(&z, shape)).expect("a variable");
            let bias_tensor = Var::from_slice(&bias, (1, c, 1, 1), &candle_core::Device::Cpu).expect("a variable");
            let want = relu_max_pool2d(&z_tensor.broadcast_add(&bias_tensor).expect("a sum")).expect("pooled");
            let rounded: Vec<f32> = numbers(&want).into_iter().map(|v| device.rounded(v)).collect();
            assert_eq!(device.read(&out), rounded, "{shape:?}");
            let store = gradients(&want, &tensor(&dout, [n, h / 2, w / 2, c]));

            let (dout, dz) = (device.stored(&dout), device.room(z.len()));
            let [a, b, d, e] = shape_arguments(shape);
            device.launch("relu_pool_backward", rows((n * h.div_ceil(2)) as u32), &[Of(&dout), Of(&codes), a, b, d, e, Of(&dz)]);
            assert_eq!(device.read(&dz), numbers(store.get(&z_tensor).expect("dz")), "{shape:?}");

            let windows = (n * (h / 2) * (w / 2)) as u64;
            let got = bias_gradient(&device, &dout, Some(&codes), windows, c, None);
            let want: Vec<f32> = store.get(&bias_tensor).and_then(|g| g.flatten_all().and_then(|g| g.to_vec1()).ok()).expect("db");
            close(&got, &want, 1e-5, &format!("bias gradient of {shape:?}"));
        }
    }
}

/// The sum over rows, added to `before` if there is one.
pub fn bias_gradient(device: &Device, d: &Memory, codes: Option<&Memory>, rows: u64, c: usize, before: Option<&[f32]>) -> Vec<f32> {
    let parts = pieces(rows);
    let partial = Memory::empty(8 * parts as usize * c);
    let codes = codes.map_or(Null, Of);
    device.launch("bias_gradient_partial", columns(c as u32, parts), &[Of(d), codes, U64(rows), U32(c as u32), Of(&partial)]);
    let db = before.map_or_else(|| Memory::empty(4 * c), Memory::of_f32);
    let accumulate = U32(u32::from(before.is_some()));
    device.launch("bias_gradient_finish", channels(c as u32), &[Of(&partial), U32(parts), U32(c as u32), accumulate, Of(&db)]);
    db.f32s()
}

#[test]
fn a_nan_is_never_swallowed_and_zero_is_dead() {
    for device in devices() {
        for place in 0..4 {
            let mut z = [-1.0f32; 4];
            z[place] = f32::NAN;
            let (out, _) = forward(&device, &z, &[0.5], [1, 2, 2, 1]);
            assert!(device.read(&out)[0].is_nan(), "place {place}");
        }
        let (out, codes) = forward(&device, &[-2.0, -0.5, -1.0, -0.5], &[0.5], [1, 2, 2, 1]);
        assert_eq!((device.read(&out)[0], codes.bytes()[0]), (0.0, 4));
        // the first of equals
        let (_, codes) = forward(&device, &[1.0, 2.0, 2.0, 2.0], &[0.5], [1, 2, 2, 1]);
        assert_eq!(codes.bytes()[0], 1);
    }
}

#[test]
fn a_sum_over_many_rows_is_right_and_added_to_what_is_there() {
    for device in devices() {
        for (count, c) in [(1, 1), (511, 7), (2_000, 32), (70_003, 5)] {
            let values = device.numbers(3, count * c);
            let mut want = vec![0.0f64; c];
            for row in values.chunks_exact(c) {
                want.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
            }
            let want: Vec<f32> = want.into_iter().map(|sum| sum as f32 + 2.0).collect();
            let got = bias_gradient(&device, &device.stored(&values), None, count as u64, c, Some(&vec![2.0; c]));
            close(&got, &want, 2e-6, &format!("{count} x {c}"));
        }
    }
}
