//! What follows the blocks, against our operators.

use candle_core::{Tensor, Var};
use tuning_fork::nn::ops::accelerator::kernels::each;
use tuning_fork::nn::ops::accelerator::kernels::layout::Control;
use tuning_fork::nn::ops::{dropout, global_average_pool, relu};

use super::blocks::{gradients, numbers, tensor};
use super::device::{F32, Memory, Null, Of, U32, U64, close, devices};

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("numbers")
}

#[test]
fn the_global_average_is_the_operator_both_ways() {
    for device in devices() {
        for [n, h, w, c] in [[1, 1, 1, 1], [3, 2, 3, 5], [2, 8, 8, 40]] {
            let x = device.numbers(1, n * h * w * c);
            let dout = device.numbers(2, n * c);
            let (memory, out) = (device.stored(&x), device.room(n * c));
            let sizes = [U32(n as u32), U32((h * w) as u32), U32(c as u32)];
            device.launch("average_pool_forward", each((n * c) as u64), &[&[Of(&memory)], &sizes[..], &[Of(&out)]].concat());
            let variable = Var::from_tensor(&tensor(&x, [n, h, w, c])).expect("a variable");
            let want = global_average_pool(&variable).expect("an average");
            close(&device.read(&out), &flat(&want), device.bound(), "average");

            let (dout_memory, dx) = (device.stored(&dout), device.room(x.len()));
            device.launch("average_pool_backward", each(x.len() as u64), &[&[Of(&dout_memory)], &sizes[..], &[Of(&dx)]].concat());
            let gradient = Tensor::from_slice(&dout, (n, c, 1, 1), &candle_core::Device::Cpu).expect("as many numbers");
            let store = gradients(&want, &gradient);
            close(&device.read(&dx), &numbers(store.get(&variable).expect("a gradient")), device.bound(), "its gradient");
        }
    }
}

#[test]
fn the_gradient_of_relu_is_that_of_the_operator() {
    for device in devices() {
        let mut x = device.numbers(4, 1001);
        x[3] = 0.0;
        let dy = device.numbers(5, x.len());
        let (gradient, count) = (device.stored(&dy), U64(x.len() as u64));
        let variable = Var::from_slice(&x, x.len(), &candle_core::Device::Cpu).expect("a variable");
        let want = relu(&variable).expect("rectified");
        let memory = device.stored(&flat(&want));
        // in place
        device.launch("relu_backward", each(x.len() as u64), &[Of(&memory), Of(&gradient), count, Of(&gradient)]);
        let store = gradients(&want, &Tensor::from_slice(&dy, dy.len(), &candle_core::Device::Cpu).expect("numbers"));
        let want = flat(store.get(&variable).expect("a gradient"));
        assert_eq!(device.read(&gradient), want);
        assert!(want[3].abs() < f32::MIN_POSITIVE);
    }
}

#[test]
fn a_bias_is_added_in_either_type() {
    for device in devices() {
        let (rows, c) = (5, 7);
        let (x, bias) = (device.numbers(6, rows * c), device.numbers(7, c));
        let want: Vec<f32> = x.iter().enumerate().map(|(i, x)| x + bias[i % c]).collect();
        let rectified: Vec<f32> = want.iter().map(|v| device.rounded(v.max(0.0))).collect();
        let (memory, wide, bias) = (device.stored(&x), Memory::of_f32(&x), Memory::of_f32(&bias));
        let (out, out_wide) = (device.room(x.len()), Memory::empty(4 * x.len()));
        let (rows, c, grid) = (U64(rows as u64), U32(c as u32), each(x.len() as u64));
        device.launch("bias_add", grid, &[Of(&memory), Null, Of(&bias), rows, c, U32(1), Of(&out), Null]);
        assert_eq!(device.read(&out), rectified);
        device.launch("bias_add", grid, &[Null, Of(&wide), Of(&bias), rows, c, U32(0), Null, Of(&out_wide)]);
        assert_eq!(out_wide.f32s(), want);
    }
}

#[test]
fn dropout_draws_the_masks_of_the_operator() {
    for device in devices() {
        for (length, probability, step, layer) in [(1usize, 0.5f32, 0u64, 3u64), (1000, 0.3, 7, 9), (4099, 0.75, 123_456_789_012, 1)] {
            let x = device.numbers(8, length);
            let seed = 0x1234_5678_9abc_def0;
            let cpu = Tensor::from_slice(&x, length, &candle_core::Device::Cpu).expect("numbers");
            let want: Vec<f32> = flat(&dropout(&cpu, probability, seed, step, layer).expect("dropped"));
            let want: Vec<f32> = want.into_iter().map(|v| device.rounded(v)).collect();
            let control = Memory::new(&Control { step, ..Control::START }.to_bytes());
            let run = |from: &Memory, count: usize, first: usize| {
                let out = device.room(count);
                let count = count as u64;
                let arguments = [Of(from), U64(count), U64(first as u64), F32(probability), U64(seed), Of(&control), U64(layer), Of(&out)];
                device.launch("dropout", each(count / 8 + 2), &arguments);
                device.read(&out)
            };
            assert_eq!(run(&device.stored(&x), length, 0), want, "{length}");
            // a part of a batch has its part of the mask
            let first = length / 3;
            assert_eq!(run(&device.stored(&x[first..]), length - first, first), want[first..], "{length} from {first}");
        }
    }
}

#[test]
fn a_map_is_the_sum_over_channels() {
    for device in devices() {
        let (n, pixels, c, classes) = (3, 5, 11, 4);
        let (features, weights) = (device.numbers(10, n * pixels * c), device.numbers(11, classes * c));
        let chosen = [2, 0, 3];
        let want: Vec<f32> =
            (0..n * pixels).map(|i| (0..c).map(|k| weights[chosen[i / pixels] * c + k] * features[i * c + k]).sum()).collect();
        let (memory, weights, out) = (device.stored(&features), Memory::of_f32(&weights), Memory::empty(4 * n * pixels));
        let chosen = Memory::of_u32(&chosen.map(|c| c as u32));
        let arguments = [Of(&memory), Of(&weights), Of(&chosen), U32(n as u32), U32(pixels as u32), U32(c as u32), Of(&out)];
        device.launch("class_activation_map", each((n * pixels) as u64), &arguments);
        close(&out.f32s(), &want, 1e-6, "map");
    }
}
