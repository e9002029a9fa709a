//! Convolutions, matrix products, and what stands between linear layers.

use candle_core::{Device, Tensor, Var};

use super::lab::{Lab, Result, broken, channels_last, flat, planes};
use crate::nn::ops::accelerator::calls::{Maps, Matrices};
use crate::nn::ops::accelerator::{Convolution, Pass, Product};
use crate::nn::ops::{self, ConvOptions};

pub fn run(lab: &mut Lab) -> Result<()> {
    for (images, height, width, inputs, outputs) in [(2, 13, 17, 3, 32), (3, 9, 7, 32, 64), (1, 5, 6, 64, 128)] {
        convolution(lab, Convolution { images, height, width, inputs, outputs })?;
    }
    products(lab)?;
    averages(lab)?;
    rows(lab)?;
    dropout(lab)?;
    transposes(lab)
}

fn convolution(lab: &mut Lab, shape: Convolution) -> Result<()> {
    let Convolution { images, height, width, inputs, outputs } = shape;
    let (x, w, dy) = (lab.numbers(shape.input_len(), 1)?, lab.numbers(shape.weight_len(), 2)?, lab.numbers(shape.output_len(), 3)?);
    // outputs x 3 x 3 x inputs on the device are outputs x inputs x 3 x 3 here
    let var = |tensor: &Tensor| Var::from_tensor(tensor).map_err(broken);
    let (tx, tw) = (var(&planes(&x, [images, height, width, inputs])?)?, var(&planes(&w, [outputs, 3, 3, inputs])?)?);
    let y = ops::conv2d(&tx, &tw, None, ConvOptions { stride: 1, padding: 1 }).map_err(broken)?;
    let seed = planes(&dy, [images, height, width, outputs])?;
    let gradients = y.mul(&seed).and_then(|t| t.sum_all()).and_then(|t| t.backward()).map_err(broken)?;
    let gradient = |of: &Var| channels_last(gradients.get(of).ok_or_else(|| broken("no gradient"))?);

    let (mx, mw, my) = (lab.store(&x)?, lab.store(&w)?, lab.room(shape.output_len())?);
    let name = |what| format!("convolution {images} x {height} x {width}, {inputs} to {outputs}: {what}");
    lab.device.convolve(Pass::Forward, shape, lab.arithmetic, mx.all(), mw.all(), my.all())?;
    lab.compare(&name("forward"), &channels_last(&y)?, &lab.read(my.all(), shape.output_len())?);
    let (mdy, mdx, mdw) = (lab.store(&dy)?, lab.room(shape.input_len())?, lab.room(shape.weight_len())?);
    lab.device.convolve(Pass::InputGradient, shape, lab.arithmetic, mdx.all(), mw.all(), mdy.all())?;
    lab.compare(&name("input gradient"), &gradient(&tx)?, &lab.read(mdx.all(), shape.input_len())?);
    lab.device.convolve(Pass::WeightGradient, shape, lab.arithmetic, mx.all(), mdw.all(), mdy.all())?;
    lab.compare(&name("weight gradient"), &gradient(&tw)?, &lab.read(mdw.all(), shape.weight_len())?);
    Ok(())
}

fn products(lab: &mut Lab) -> Result<()> {
    let (rows, columns, inner) = (7, 13, 37);
    let (a, b) = (lab.numbers(rows * inner, 4)?, lab.numbers(inner * columns, 5)?);
    let matrix = |values: &[f32], rows: usize, columns: usize| Tensor::from_slice(values, (rows, columns), &Device::Cpu);
    for (a_transposed, b_transposed, wide) in [(false, true, false), (false, true, true), (true, false, true), (false, false, false)] {
        let ta = if a_transposed { matrix(&a, inner, rows).and_then(|t| t.t()) } else { matrix(&a, rows, inner) };
        let tb = if b_transposed { matrix(&b, columns, inner).and_then(|t| t.t()) } else { matrix(&b, inner, columns) };
        let (ta, tb) = (ta.and_then(|t| t.contiguous()).map_err(broken)?, tb.and_then(|t| t.contiguous()).map_err(broken)?);
        let expected = flat(&ta.matmul(&tb).map_err(broken)?)?;
        let (ma, mb, mc) = (lab.store(&a)?, lab.store(&b)?, lab.wide_room(rows * columns)?);
        let product = Product { rows, columns, inner, a_transposed, b_transposed, wide, accumulate: false };
        lab.device.multiply(product, lab.arithmetic, ma.all(), mb.all(), mc.all())?;
        let read = |lab: &Lab| {
            if wide { lab.read_wide(mc.all(), rows * columns) } else { lab.read(mc.all(), rows * columns) }
        };
        let letter = |transposed| if transposed { "'" } else { "" };
        let name = format!("matrix product A{} B{}{}", letter(a_transposed), letter(b_transposed), if wide { " in f32" } else { "" });
        let found = read(lab)?;
        lab.compare(&name, &expected, &found);
        if wide {
            lab.device.multiply(Product { accumulate: true, ..product }, lab.arithmetic, ma.all(), mb.all(), mc.all())?;
            let twice: Vec<f32> = expected.iter().map(|value| 2.0 * value).collect();
            let found = read(lab)?;
            lab.compare(&format!("{name}, added"), &twice, &found);
        }
    }
    Ok(())
}

fn averages(lab: &mut Lab) -> Result<()> {
    let maps = Maps { images: 3, height: 5, width: 7, channels: 33 };
    let (x, dy) = (lab.numbers(maps.len(), 6)?, lab.numbers(maps.images * maps.channels, 7)?);
    let (mx, my, mdy, mdx) = (lab.store(&x)?, lab.room(dy.len())?, lab.store(&dy)?, lab.room(x.len())?);
    let pixels = maps.height * maps.width;
    let mean = |n: usize, c: usize| (0..pixels).map(|p| x[(n * pixels + p) * maps.channels + c]).sum::<f32>() / pixels as f32;
    let expected: Vec<f32> = (0..maps.images).flat_map(|n| (0..maps.channels).map(move |c| (n, c))).map(|(n, c)| mean(n, c)).collect();
    lab.calls().average_pool_forward(mx.all(), maps, my.all())?;
    lab.compare("average pooling: forward", &expected, &lab.read(my.all(), dy.len())?);
    let back = |at: usize| dy[at / (pixels * maps.channels) * maps.channels + at % maps.channels] / pixels as f32;
    let expected: Vec<f32> = (0..x.len()).map(back).collect();
    lab.calls().average_pool_backward(mdy.all(), maps, mdx.all())?;
    lab.compare("average pooling: backward", &expected, &lab.read(mdx.all(), x.len())?);
    Ok(())
}

/// Bias, rectifier and the sums of columns.
fn rows(lab: &mut Lab) -> Result<()> {
    let (rows, channels) = (19, 45);
    let (x, bias, dy) = (lab.numbers(rows * channels, 8)?, lab.numbers(channels, 9)?, lab.numbers(rows * channels, 10)?);
    let (mx, mbias, mdy) = (lab.store(&x)?, lab.wide(&bias)?, lab.store(&dy)?);
    lab.calls().bias_add(mx.all(), mbias.all(), rows, channels, true)?;
    let expected: Vec<f32> = x.iter().enumerate().map(|(at, x)| (x + bias[at % channels]).max(0.0)).collect();
    let y = lab.read(mx.all(), x.len())?;
    lab.compare("bias and ReLU: forward", &expected, &y);
    lab.calls().relu_backward(mx.all(), mdy.all(), x.len(), mdy.all())?;
    let d: Vec<f32> = y.iter().zip(&dy).map(|(y, d)| if *y > 0.0 { *d } else { 0.0 }).collect();
    lab.compare("ReLU: backward", &d, &lab.read(mdy.all(), d.len())?);
    let (partial, db) = (lab.device.allocate(8 * 512 * channels)?, lab.wide_room(channels)?);
    lab.calls().bias_gradient(mdy.all(), None, rows, channels, partial.all(), db.all(), true)?;
    let sum = |c: usize| d.iter().skip(c).step_by(channels).sum::<f32>();
    let expected: Vec<f32> = (0..channels).map(sum).collect();
    lab.compare("gradient of a bias", &expected, &lab.read_wide(db.all(), channels)?);
    Ok(())
}

fn dropout(lab: &mut Lab) -> Result<()> {
    use crate::nn::ops::accelerator::kernels::layout::Control;
    let (count, seed, step, layer, probability) = (8 * 53, 11, 5, 20, 0.3);
    let x = lab.numbers(count, 11)?;
    let tensor = Tensor::from_slice(&x, count, &Device::Cpu).map_err(broken)?;
    let expected = flat(&ops::dropout(&tensor, probability, seed, step, layer).map_err(broken)?)?;
    let control = Control { step, ..Control::START }.to_bytes();
    let (mx, mcontrol) = (lab.store(&x)?, lab.device.allocate(control.len())?);
    lab.device.upload(mcontrol.all(), &control)?;
    lab.calls().dropout(mx.all(), count, 0, probability, seed, mcontrol.all(), layer)?;
    lab.compare("dropout, whole", &expected, &lab.read(mx.all(), count)?);
    let (first, part) = (8 * 20, 8 * 7);
    let mx = lab.store(&x[first..first + part])?;
    lab.calls().dropout(mx.all(), part, first, probability, seed, mcontrol.all(), layer)?;
    lab.compare("dropout, a part", &expected[first..first + part], &lab.read(mx.all(), part)?);
    Ok(())
}

fn transposes(lab: &mut Lab) -> Result<()> {
    let matrices = Matrices { batch: 3, rows: 37, columns: 41 };
    let x = lab.numbers(3 * 37 * 41, 12)?;
    let expected: Vec<f32> = (0..x.len()).map(|at| x[at / (37 * 41) * 37 * 41 + at % 37 * 41 + at / 37 % 41]).collect();
    let (wide, stored, out, wide_out) = (lab.wide(&x)?, lab.store(&x)?, lab.room(x.len())?, lab.wide_room(x.len())?);
    lab.calls().transpose_to_store(wide.all(), matrices, out.all())?;
    lab.compare("transposed to activations", &expected, &lab.read(out.all(), x.len())?);
    lab.calls().transpose_store(stored.all(), matrices, out.all())?;
    lab.compare("transposed activations", &expected, &lab.read(out.all(), x.len())?);
    lab.calls().transpose_from_store(stored.all(), matrices, wide_out.all())?;
    lab.compare("transposed from activations", &expected, &lab.read_wide(wide_out.all(), x.len())?);
    lab.calls().accumulate(stored.all(), x.len(), true, wide_out.all())?;
    lab.calls().accumulate(stored.all(), x.len(), false, wide_out.all())?;
    let twice: Vec<f32> = x.iter().map(|x| 2.0 * x).collect();
    lab.compare("sums of parts", &twice, &lab.read_wide(wide_out.all(), x.len())?);
    Ok(())
}
