//! Finite differences: for each operator, <gradient, d> against the change of the result along random directions d.
//!
//! Everything is f32, so the objective <result, v> is summed in f64, the step is large and the tolerance fits it: convolution and
//! linear layers are linear in each argument (no truncation error at all), pooling and relu piecewise so (inputs are kept
//! away from their kinks), batch normalisation is smooth.

use candle_core::{Result, Tensor, Var};
use tuning_fork::nn::ops::{self, ConvOptions, Running};

use super::reference::{draw, formula, values};

/// <result, v> in f64.
fn objective(result: &Tensor) -> f64 {
    let direction = formula(result.elem_count(), 50);
    values(result).iter().zip(direction).map(|(&r, v)| f64::from(r) * f64::from(v)).sum()
}

/// Checks the gradient of <f(arguments), v> in each argument along three directions.
fn check(what: &str, arguments: &[Tensor], step: f64, f: impl Fn(&[Tensor]) -> Result<Tensor>) -> Result<()> {
    let variables = arguments.iter().map(Var::from_tensor).collect::<Result<Vec<_>>>()?;
    let tracked: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let result = f(&tracked)?;
    let gradients = (&result * draw(result.dims(), 50))?.sum_all()?.backward()?;
    for (index, variable) in variables.iter().enumerate() {
        let gradient = values(gradients.get(variable).expect("a gradient"));
        for stream in 60..63 {
            let direction = draw(variable.dims(), stream);
            let at = |step: f64| {
                let mut moved = arguments.to_vec();
                moved[index] = (&arguments[index] + (&direction * step)?)?;
                Ok::<f64, candle_core::Error>(objective(&f(&moved)?))
            };
            let numeric = (at(step)? - at(-step)?) / (2.0 * step);
            let (d, scale) = (values(&direction), gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt());
            let analytic: f64 = gradient.iter().zip(&d).map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
            let error = (numeric - analytic).abs() / scale;
            assert!(error < 1e-3, "{what}, argument {index}: {numeric} against {analytic}");
        }
    }
    Ok(())
}

#[test]
fn convolution() -> Result<()> {
    for (kernel, stride, padding) in [(3, 1, 1), (1, 1, 0), (3, 2, 1), (2, 3, 2)] {
        let arguments = [draw(&[3, 2, 7, 6], 1), draw(&[4, 2, kernel, kernel], 2), draw(&[4], 3)];
        check("convolution", &arguments, 0.5, |a| ops::conv2d(&a[0], &a[1], Some(&a[2]), ConvOptions { stride, padding }))?;
    }
    Ok(())
}

#[test]
fn linear() -> Result<()> {
    let arguments = [draw(&[3, 5], 1), draw(&[4, 5], 2), draw(&[4], 3)];
    check("linear", &arguments, 0.5, |a| ops::linear(&a[0], &a[1], &a[2]))
}

#[test]
fn batch_norm() -> Result<()> {
    for training in [true, false] {
        let arguments = [draw(&[3, 2, 4, 5], 1), draw(&[2], 2), draw(&[2], 3)];
        check("batch norm", &arguments, 1e-2, |a| {
            let running = Running { mean: Var::from_tensor(&draw(&[2], 4))?, variance: Var::from_tensor(&(draw(&[2], 5) + 1.5)?)? };
            ops::batch_norm(&a[0], &a[1], &a[2], &running, training)
        })?;
    }
    Ok(())
}

#[test]
fn pooling_and_relu() -> Result<()> {
    // Values at least 0.05 apart and 0.025 from zero, in shuffled order, so that no step of 0.01 crosses a kink.
    let count = 2 * 3 * 5 * 6;
    let apart: Vec<f32> = (0..count).map(|i| ((i * 77 % count) as f32 - count as f32 / 2.0 + 0.5) * 0.05).collect();
    let x = Tensor::from_vec(apart, (2, 3, 5, 6), &candle_core::Device::Cpu)?;
    check("max pooling", std::slice::from_ref(&x), 0.01, |a| ops::max_pool2d(&a[0]))?;
    check("rectified max pooling", std::slice::from_ref(&x), 0.01, |a| ops::relu_max_pool2d(&a[0]))?;
    check("relu", std::slice::from_ref(&x), 0.01, |a| ops::relu(&a[0]))?;
    check("global average pooling", &[x], 0.5, |a| ops::global_average_pool(&a[0]))
}
