//! Every operator against `PyTorch`: result and gradients; and the properties that the networks rely on.

use candle_core::{Device, Result, Tensor, Var};
use tuning_fork::nn::ops::{self, ConvOptions, Running};

use super::reference::{Reference, assert_close, distance, draw, values};

const TOLERANCE: f64 = 2e-6;

/// Compares `result` and the gradient of <result, v> for each variable, v being the fixed direction of make.py.
fn compare(reference: &Reference, case: &str, result: &Tensor, variables: &[(&str, &Var)]) {
    assert_close(&format!("{case}.result"), result, reference.get(&format!("{case}.result")), TOLERANCE);
    let gradients = (result * draw(result.dims(), 7)).and_then(|p| p.sum_all()?.backward()).expect("a backward pass");
    for (name, variable) in variables {
        let ours = gradients.get(variable).unwrap_or_else(|| panic!("{case}: no gradient of {name}"));
        assert_close(&format!("{case}.{name}"), ours, reference.get(&format!("{case}.{name}.gradient")), TOLERANCE);
    }
}

#[test]
fn convolution_is_pytorchs() {
    let reference = Reference::open("operators.safetensors");
    let cases = [
        ("conv_3x3", 1, 1),
        ("conv_one_channel", 1, 1),
        ("conv_1x1", 1, 0),
        ("conv_stride_2", 2, 1),
        ("conv_wide_kernel", 3, 2),
        ("conv_no_padding", 1, 0),
        ("conv_many_tiles", 1, 1),
    ];
    for (case, stride, padding) in cases {
        let (x, w) = (reference.var(&format!("{case}.x")), reference.var(&format!("{case}.w")));
        let bias = format!("{case}.b");
        let b = reference.has(&bias).then(|| reference.var(&bias));
        let result = ops::conv2d(&x, &w, b.as_deref(), ConvOptions { stride, padding }).expect("a convolution");
        let variables: Vec<_> = [("x", &x), ("w", &w)].into_iter().chain(b.as_ref().map(|b| ("b", b))).collect();
        compare(&reference, case, &result, &variables);
    }
}

#[test]
fn pooling_is_pytorchs_also_with_ties_and_odd_sides() {
    let reference = Reference::open("operators.safetensors");
    for case in ["pool_even", "pool_odd", "pool_ties"] {
        let x = reference.var(&format!("{case}.x"));
        compare(&reference, case, &ops::max_pool2d(&x).expect("pooling"), &[("x", &x)]);
        let fused = format!("relu_{case}");
        compare(&reference, &fused, &ops::relu_max_pool2d(&x).expect("pooling"), &[("x", &x)]);
        let apart = ops::relu(&x).and_then(|y| ops::max_pool2d(&y)).expect("pooling");
        compare(&reference, &fused, &apart, &[("x", &x)]);
    }
}

#[test]
fn relu_and_linear_are_pytorchs() {
    let reference = Reference::open("operators.safetensors");
    let x = reference.var("relu.x");
    compare(&reference, "relu", &ops::relu(&x).expect("relu"), &[("x", &x)]);
    let [x, w, b] = ["x", "w", "b"].map(|name| reference.var(&format!("linear.{name}")));
    compare(&reference, "linear", &ops::linear(&x, &w, &b).expect("linear"), &[("x", &x), ("w", &w), ("b", &b)]);
}

#[test]
fn a_linear_layer_takes_no_image_and_any_number_of_them() {
    let (w, b) = (draw(&[5, 7], 2), draw(&[5], 3));
    // both ways to compute it, and the border between them
    let all = ops::linear(&draw(&[70, 7], 1), &w, &b).and_then(|t| t.to_vec2::<f32>()).expect("70 rows");
    for images in [0, 1, 3, 64, 65] {
        let x = draw(&[70, 7], 1).narrow(0, 0, images).expect("rows");
        let some = ops::linear(&x, &w, &b).expect("rows");
        assert_eq!(some.dims(), [images, 5]);
        for (ours, row) in some.to_vec2::<f32>().expect("rows").iter().zip(&all) {
            assert!(distance(ours, row) < 1e-6, "{images} images");
        }
    }
}

#[test]
fn batch_norm_is_pytorchs_in_both_modes() {
    let reference = Reference::open("operators.safetensors");
    for (case, training) in [("norm_train", true), ("norm_eval", false)] {
        let [x, w, b, mean, variance] = ["x", "w", "b", "mean", "variance"].map(|name| reference.var(&format!("{case}.{name}")));
        let running = Running { mean, variance };
        let result = ops::batch_norm(&x, &w, &b, &running, training).expect("batch norm");
        compare(&reference, case, &result, &[("x", &x), ("w", &w), ("b", &b)]);
        assert_close(case, &running.mean, reference.get(&format!("{case}.mean.after")), TOLERANCE);
        assert_close(case, &running.variance, reference.get(&format!("{case}.variance.after")), TOLERANCE);
    }
}

#[test]
fn batch_norm_keeps_its_accuracy_far_from_zero() {
    // At a mean of 100 the inputs themselves carry a relative rounding of 6e-8 * 100, hence the wider tolerance.
    let reference = Reference::open("operators.safetensors");
    let [x, w, b, mean, variance] = ["x", "w", "b", "mean", "variance"].map(|name| reference.var(&format!("norm_far.{name}")));
    let result = ops::batch_norm(&x, &w, &b, &Running { mean, variance }, true).expect("batch norm");
    assert_close("norm_far", &result, reference.get("norm_far.result"), 2e-5);
}

#[test]
fn views_give_what_their_copies_give() -> Result<()> {
    let x = Var::from_tensor(&draw(&[3, 6, 8, 2], 1))?;
    let w = Var::from_tensor(&draw(&[2, 3, 3, 4], 2))?;
    let (view, weights) = (x.transpose(1, 3)?.narrow(2, 1, 5)?, w.transpose(1, 3)?.narrow(1, 0, 2)?);
    let (copy, copied) = (Var::from_tensor(&view.contiguous()?)?, Var::from_tensor(&weights.contiguous()?)?);
    let run = |x: &Tensor, w: &Tensor| {
        let y = ops::relu(&ops::conv2d(x, w, None, ConvOptions { stride: 1, padding: 1 })?)?;
        ops::max_pool2d(&y.transpose(2, 3)?)
    };
    let (a, b) = (run(&view, &weights)?, run(&copy, &copied)?);
    assert_eq!(values(&a), values(&b));
    // A gradient that is a view, too: that of a transposed result.
    let weighted = |y: &Tensor| y.t()?.mul(&draw(y.t()?.dims(), 3))?.sum_all()?.backward();
    let (ga, gb) = (weighted(&a)?, weighted(&b)?);
    let gradient = ga.get(&x).expect("a gradient").transpose(1, 3)?.narrow(2, 1, 5)?;
    assert_eq!(values(&gradient), values(gb.get(&copy).expect("a gradient")));
    Ok(())
}

#[test]
fn nan_is_never_swallowed() -> Result<()> {
    for place in 0..4 {
        let mut window = vec![1.0f32, 2.0, 0.5, 3.0];
        window[place] = f32::NAN;
        let x = Tensor::from_vec(window, (1, 1, 2, 2), &Device::Cpu)?;
        assert!(values(&ops::max_pool2d(&x)?)[0].is_nan());
        assert!(values(&ops::relu_max_pool2d(&x)?)[0].is_nan());
        assert!(values(&ops::relu(&x)?)[place].is_nan());
    }
    Ok(())
}

#[test]
fn dropout_keeps_the_mean_and_is_a_function_of_seed_step_and_layer() -> Result<()> {
    let x = Var::from_tensor(&Tensor::ones((100, 200), candle_core::DType::F32, &Device::Cpu)?)?;
    let masked = ops::dropout(&x, 0.3, 1, 2, 3)?;
    let kept = values(&masked);
    assert!(kept.iter().all(|&v| v == 0.0 || (v - 1.0 / 0.7).abs() < 1e-6));
    let share = kept.iter().filter(|&&v| v == 0.0).count() as f64 / kept.len() as f64;
    assert!((share - 0.3).abs() < 0.015, "{share} dropped");
    assert_eq!(kept, values(&ops::dropout(&x, 0.3, 1, 2, 3)?));
    for (seed, step, layer) in [(2, 2, 3), (1, 3, 3), (1, 2, 4)] {
        assert_ne!(kept, values(&ops::dropout(&x, 0.3, seed, step, layer)?));
    }
    let gradients = masked.sum_all()?.backward()?;
    assert_eq!(kept, values(gradients.get(&x).expect("a gradient")));
    assert_eq!(values(&x), values(&ops::dropout(&x, 0.0, 1, 2, 3)?));
    assert!(ops::dropout(&x, 1.0, 1, 2, 3).is_err());
    Ok(())
}

#[test]
fn shapes_that_do_not_fit_are_refused_in_words() {
    let message = |result: Result<Tensor>| result.expect_err("a refusal").to_string();
    let one = ConvOptions { stride: 1, padding: 0 };
    let (x, w) = (draw(&[1, 2, 4, 4], 1), draw(&[3, 2, 3, 3], 2));
    assert!(message(ops::conv2d(&x, &draw(&[3, 1, 3, 3], 2), None, one)).contains("channels"));
    assert!(message(ops::conv2d(&x, &draw(&[3, 2, 5, 5], 2), None, one)).contains("does not fit"));
    assert!(message(ops::conv2d(&x, &w, None, ConvOptions { stride: 0, padding: 0 })).contains("does not fit"));
    assert!(message(ops::conv2d(&x, &w, Some(&draw(&[4], 3)), one)).contains("bias"));
    assert!(message(ops::max_pool2d(&draw(&[1, 1, 1, 4], 1))).contains("larger images"));
    assert!(message(ops::linear(&draw(&[2, 3], 1), &draw(&[4, 5], 2), &draw(&[4], 3))).contains("does not fit"));
    let whole = x.to_dtype(candle_core::DType::F64).expect("f64");
    assert!(message(ops::conv2d(&whole, &w, None, one)).contains("f32"));
    let one_value = draw(&[1, 2, 1, 1], 1);
    let statistic = || Var::from_tensor(&draw(&[2], 4)).expect("a variable");
    let running = Running { mean: statistic(), variance: statistic() };
    assert!(message(ops::batch_norm(&one_value, &draw(&[2], 5), &draw(&[2], 6), &running, true)).contains("larger"));
}
